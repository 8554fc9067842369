"""The Python API in one function."""

import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from PIL import Image

from symface_cli.images import as_photo
from symface_cli.pipeline import SymmetricFace, Symmetrizer


def symmetrize(
    photo: str | os.PathLike[str] | bytes | Image.Image | NDArray[Any],
    *,
    detail: bool = True,
    weights: str | os.PathLike[str] | None = None,
    device: str = "auto",
) -> list[SymmetricFace]:
    """Makes the faces of a photo symmetric.

    The network stays loaded for the next call with the same `weights` and `device`.

    Args:
        photo: A path, the bytes of a picture file, a Pillow image, or an array (H, W), (H, W, 3) or (H, W, 4) uint8.
        detail: True for faces made of the photo's own pixels, False for those that the VAE decodes (128 x 128).
        weights: A weights file instead of the bundled one.
        device: "auto" (CUDA where there is one), "cpu", "cuda", "cuda:N" or "mps".

    Returns:
        One result per face, the largest first; `result.image` is (S, S, 3) uint8 and equals its mirror image.

    Raises:
        PhotoError: If the photo cannot be read.
        NoFaceError: If it shows no face.
        WeightsError: If the weights cannot be used.
        UsageError: If the device is not there.
    """
    path = None if weights is None else Path(weights)
    return _symmetrizer(path, device).symmetrize(as_photo(photo), detail=detail)


@lru_cache(maxsize=1)
def _symmetrizer(weights: Path | None, device: str) -> Symmetrizer:
    return Symmetrizer(weights, device)
