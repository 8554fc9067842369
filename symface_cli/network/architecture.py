"""What a network is: its kind and its widths."""

from dataclasses import asdict, dataclass
from typing import Literal

FACE_SIZE = 128  # px, side of a rectified and of a decoded face
GRAY = 0.5  # what stands outside of the face, in 0..1
LOG_VARIANCES = (-12.0, 4.0)  # limits of log sigma^2: exp stays finite, and no unit is more exact than 0.0025


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """What a network is, sufficient to build it: stored in checkpoints and weights files.

    Attributes:
        kind: "symface", or "paper" for the paper's own configuration.
        latent: Number of latent units.
        coarse_widths: Channels of the localizer's first stack, on the crop at half size.
        fine_widths: Channels of the localizer's second stack, on the rectified face.
        parser_widths: Channels of the stack that says what the crop shows.
        encoder_widths: Channels of the encoder's stack; the decoder has them in reverse.
        hidden: Units of the localizer's hidden layers, behind its first stack and behind its second.
        leak: Their slope where they are negative: at 0, units may fall silent for all faces, and never come back.
    """

    kind: Literal["symface", "paper"] = "symface"
    latent: int = 768
    coarse_widths: tuple[int, ...] = (24, 48, 96, 160)
    fine_widths: tuple[int, ...] = (24, 48, 96, 160, 192)
    parser_widths: tuple[int, ...] = (16, 32, 64, 96)
    encoder_widths: tuple[int, ...] = (32, 64, 128, 192)
    hidden: tuple[int, int] = (256, 344)
    leak: float = 0.1

    def as_dict(self) -> dict[str, object]:
        """Return the fields as JSON has them: lists, no tuples."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}


PAPER = Architecture(kind="paper", encoder_widths=(24, 48, 96, 192, 256))
