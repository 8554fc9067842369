"""What to render of a photo."""

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Literal, get_args

from symface_cli.errors import UsageError
from symface_cli.rendering.morphing import Amounts, PoseMode

SIZES = (16, 4096)  # px, smallest and largest side of an aligned face


class Output(str, Enum):
    """Kinds of output."""

    PHOTO = "photo"
    FACE = "face"
    CROP = "crop"
    COMPARE = "compare"
    PREVIEW = "preview"


POSED = (Output.PHOTO, Output.FACE, Output.CROP)
"""Outputs of faces that can keep the pose of their heads."""


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """What to render.

    Attributes:
        outputs: Which kinds.
        amounts: How far, and of which side.
        detail: True for the photo's own pixels, False for the face as the VAE decodes it.
        pose: Whether faces keep the pose of their heads, or look to the front; None keeps it in photos and crops, and
            turns faces in `face`.
        steps: Shares of the amounts, each of which becomes a numbered frame; empty for the amounts themselves.
        animated: Whether to render an animation instead, from the photo to there and back.
        size: Side of `face` in pixels; None for the photo's own resolution.
        background: What surrounds the face in `face`: None for the photo, "transparent", or a color (r, g, b).

    Raises:
        UsageError: If there is no such pose, size or background.
    """

    outputs: tuple[Output, ...] = (Output.PHOTO,)
    amounts: Amounts = field(default_factory=Amounts)
    detail: bool = True
    pose: PoseMode | None = None
    steps: tuple[float, ...] = ()
    animated: bool = False
    size: int | None = None
    background: Literal["transparent"] | tuple[int, int, int] | None = None

    def __post_init__(self) -> None:
        if self.pose not in (None, *get_args(PoseMode)):
            raise UsageError(f"pose {self.pose}: use {' or '.join(get_args(PoseMode))}")
        if self.size is not None and not SIZES[0] <= self.size <= SIZES[1]:
            raise UsageError(f"size {self.size}: use {SIZES[0]} to {SIZES[1]} pixels")
        color = self.background
        if color is None or color == "transparent":
            return
        if isinstance(color, str) or len(color) != 3 or not all(0 <= level <= 255 for level in color):
            raise UsageError(f"background {color}: use transparent, or red, green and blue from 0 to 255")

    def pose_in(self, output: Output) -> PoseMode:
        """Return the pose of faces in a kind of output."""
        return self.pose or ("front" if output is Output.FACE else "keep")

    @property
    def keeps_pose(self) -> bool:
        """Whether faces of some output keep the pose of their heads."""
        return any(self.pose_in(output) == "keep" for output in self.outputs if output in POSED)


def scaled(amounts: Amounts, share: float) -> Amounts:
    """Multiply both amounts by a share."""
    return replace(amounts, shape=share * amounts.shape, color=share * amounts.color)
