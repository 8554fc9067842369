"""Colors multiplied by their alpha, which can be mixed and moved: what is transparent then has no color to lend."""

import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry.types import Pixels
from symface_cli.imaging.color import eight_bit

FULL = 65535  # of 16 bits: what is opaque


def is_opaque(alpha: Pixels | None) -> bool:
    """Tell whether nothing of a picture is transparent."""
    return alpha is None or bool((alpha == np.iinfo(alpha.dtype).max).all())


def premultiply(pixels: Pixels, alpha: Pixels) -> NDArray[np.uint16]:
    """Return the colors times their alpha, and alpha as the last channel, (H, W, C + 1), in 16 bits."""
    share = _widened(alpha)[..., None]
    product = (_widened(pixels).astype(np.uint32) * share + FULL // 2) // FULL
    return np.concatenate([product.astype(np.uint16), share], axis=2)


def replace_changed(
    pixels: Pixels, alpha: Pixels, before: NDArray[np.uint16], after: NDArray[np.uint16]
) -> tuple[Pixels, Pixels]:
    """Return a picture's pixels and alpha as premultiplied ones were changed; where they were not, as they are.

    A pixel that has become wholly transparent keeps its color: it has no other.

    Args:
        pixels: (H, W, C) uint8 or uint16.
        alpha: (H, W) of the same dtype.
        before: `premultiply(pixels, alpha)`.
        after: What became of it.
    """
    changed = (before != after).any(axis=2)
    new_pixels, new_alpha = pixels.copy(), alpha.copy()
    new_alpha[changed] = _narrowed(after[changed][:, -1], alpha.dtype)
    shown = changed & (new_alpha > 0)
    share = after[shown][:, -1:].astype(np.uint32)
    colors = ((after[shown][:, :-1] * np.uint32(FULL) + share // 2) // share).clip(0, FULL).astype(np.uint16)
    new_pixels[shown] = _narrowed(colors, pixels.dtype)
    return new_pixels, new_alpha


def _widened(samples: Pixels) -> NDArray[np.uint16]:
    wide: NDArray[np.uint16] = samples.astype(np.uint16) * np.uint16(257 if samples.dtype == np.uint8 else 1)
    return wide


def _narrowed(samples: NDArray[np.uint16], dtype: np.dtype[np.uint8 | np.uint16]) -> Pixels:
    return samples if dtype == np.uint16 else eight_bit(samples)
