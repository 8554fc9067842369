"""The shapes of all tensors of symface's network, so that weights are checked without building it in torch."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from symface_cli.geometry.warps import GRID
from symface_cli.network.architecture import FACE_SIZE, Architecture
from symface_cli.network.maps import PARTS

Shape = tuple[str, tuple[int, ...]]
COARSE_SIDE, FINE_SIDE = 5, 4  # places of the features that end the localizer's stacks
HALF = FACE_SIZE // 2  # px, side of the faces that encoder and linear path work on


def shapes_of(architecture: Architecture) -> dict[str, tuple[int, ...]]:
    """Return the shape of each tensor of `network.vae.SymmetricFaceVAE`, by its name."""
    return dict(
        (("pose_field", (GRID, GRID, 2)), *_localizer(architecture), *_parser(architecture), *_vae(architecture))
    )


def _localizer(architecture: Architecture) -> Iterator[Shape]:
    coarse, fine = architecture.coarse_widths, architecture.fine_widths
    first, second = architecture.hidden
    yield from _halved("localizer.coarse.0", (3, *coarse))
    yield from _convolution("localizer.coarse.1", coarse[-1], first, COARSE_SIDE)
    yield from _linear("localizer.coarse_warp", first, GRID * GRID * 2)
    yield from _halved("localizer.fine.0", (6, *fine))
    yield from _convolution("localizer.fine.1", fine[-1], second, FINE_SIDE)
    yield from _linear("localizer.fine_maps", second, GRID * GRID * 3)


def _parser(architecture: Architecture) -> Iterator[Shape]:
    widths = architecture.parser_widths
    for place, (channels, width) in enumerate(pairwise((6, *widths))):
        yield from _halved(f"localizer.parser.down.{place}", (channels, width))
    below = widths[-1]
    for place, width in enumerate(widths[-2::-1]):
        yield from _normalized(f"localizer.parser.up.{place}.1", f"localizer.parser.up.{place}.2", below, width)
        below = 2 * width
    yield from _convolution("localizer.parser.logits.0", below, 4 * (PARTS + 1))


def _vae(architecture: Architecture) -> Iterator[Shape]:
    widths, latent, pixels = architecture.encoder_widths, architecture.latent, 3 * HALF * HALF // 2
    yield from _pooled("encoder.stack", (3, *widths))
    yield from _linear("encoder.statistics", widths[-1] * 16, 2 * latent)
    yield from _linear("encoder.linear", pixels, latent)
    yield "encoder.deviation", (latent,)
    yield from _linear("decoder.start", latent, widths[-1] * 8)
    rising = (*widths[::-1], widths[0])
    for place, (channels, width) in enumerate(pairwise(rising)):
        yield from _normalized(f"decoder.stack.{place}.1", f"decoder.stack.{place}.2", channels, width)
    yield from _linear("decoder.linear", latent, pixels)
    yield from _normalized("decoder.detail.0", "decoder.detail.1", widths[0] + 3, widths[0])
    yield from _convolution("decoder.detail.3", widths[0], 12)


def _pooled(stack: str, channels: Sequence[int]) -> Iterator[Shape]:
    for place, (before, width) in enumerate(pairwise(channels)):
        yield from _normalized(f"{stack}.{4 * place}", f"{stack}.{4 * place + 2}", before, width)


def _halved(stack: str, channels: Sequence[int]) -> Iterator[Shape]:
    for place, (before, width) in enumerate(pairwise(channels)):
        yield from _normalized(f"{stack}.{3 * place}", f"{stack}.{3 * place + 1}", before, width, 4)


def _normalized(convolution: str, norm: str, channels: int, width: int, side: int = 3) -> Iterator[Shape]:
    yield f"{convolution}.weight", (width, channels, side, side)
    yield f"{norm}.num_batches_tracked", ()
    for name in ("weight", "bias", "running_mean", "running_var"):
        yield f"{norm}.{name}", (width,)


def _convolution(name: str, channels: int, width: int, side: int = 3) -> Iterator[Shape]:
    yield f"{name}.weight", (width, channels, side, side)
    yield f"{name}.bias", (width,)


def _linear(name: str, inputs: int, outputs: int) -> Iterator[Shape]:
    yield f"{name}.weight", (outputs, inputs)
    yield f"{name}.bias", (outputs,)
