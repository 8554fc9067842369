"""Where the points of a face lie in its frame, as if it were symmetric: by a small cascade of linear regressions.

In the face frame a face keeps its own proportions. Of the mean of the rectified face and its mirror image, the first
stage sees everything coarsely; the others see a patch around where each point is thought to be, and move it (supervised
descent, Xiong & De la Torre 2013). How far the two sides differ is not its matter: the warp says that.
`tools/fit_points.py` fits it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save

from symface_cli.files import bundled
from symface_cli.geometry.types import Array, Floats
from symface_cli.measurement.points.scheme import MIDDLE, MIRROR, SIDED

BUNDLED = "points.safetensors"
HALF = len(SIDED) + len(MIDDLE)  # points of a half: 20 of its side, and 5 in the middle
SIZE = 97  # px, side of the face that is looked at
SMOOTH = 7.76  # px there, deviation: what is smoother is light, not a feature
USUAL = 11.64  # px there, deviation, over which a contrast is compared with what is usual
FLOOR = 4.0  # gray levels: noise below is not made a feature
COARSE = 33  # px, side of the face that the first stage sees
COARSE_PART = (slice(4, None), slice(4, 17))  # of it: the left half, without the edge
PATCH = 15  # px, side of a patch
PARTS = ("mean", "weights", "base")  # of a regression
STEPS = (1.5, 1.0)  # px of the face between the pixels of a patch, for each stage after the first


@dataclass(frozen=True, eq=False)
class Regression:
    """Linear: value = (features - mean) weights + base."""

    mean: Floats
    weights: Floats
    base: Floats

    def __call__(self, features: NDArray[np.floating]) -> Array:
        """Return the values (M,) of features (N,)."""
        return np.asarray((features - self.mean) @ self.weights + self.base, np.float64)


@dataclass(frozen=True, eq=False)
class PlaceModel:
    """The regressions: of the whole half, and of each point's patch in each later stage."""

    coarse: Regression
    patches: tuple[tuple[Regression, ...], ...]

    def find(self, face: NDArray[np.floating]) -> Array:
        """Find the places of all points, (45, 2) in normalized face coordinates, exactly symmetric.

        Args:
            face: The gray mean of a rectified face and its mirror image, (S, S).
        """
        contrast = even_contrast(face)
        half = self.coarse(see_coarsely(contrast)).reshape(HALF, 2)
        for step, regressions in zip(STEPS, self.patches, strict=True):
            moves = [move(see_patch(contrast, place, step)) for move, place in zip(regressions, half, strict=True)]
            half = half + np.stack(moves)
            half[len(SIDED) :, 0] = 0
        return unfold(half)


def unfold(half: Array) -> Array:
    """Return all points (45, 2) of a symmetric face by those of its left half and middle, (25, 2)."""
    whole = np.concatenate([half[: len(SIDED)], half[: len(SIDED)] * [-1, 1], half[len(SIDED) :]])
    assert len(whole) == len(MIRROR)
    return whole


def even_contrast(face: NDArray[np.floating]) -> Floats:
    """Make a gray face small, (97, 97), and its contrast the same everywhere."""
    small = cv2.resize(face.astype(np.float32), (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    difference = small - cv2.GaussianBlur(small, (0, 0), SMOOTH)
    usual = np.sqrt(cv2.GaussianBlur(difference**2, (0, 0), USUAL)) + FLOOR
    return np.asarray(difference / usual, np.float32)


def see_coarsely(contrast: Floats) -> Floats:
    """Return what the first stage sees of a face (97, 97), (377,)."""
    coarse = cv2.resize(contrast, (COARSE, COARSE), interpolation=cv2.INTER_AREA)
    return np.asarray(coarse[COARSE_PART].ravel(), np.float32)


def see_patch(contrast: Floats, place: Array, step: float) -> Floats:
    """Return a patch of a face (97, 97) around a place (2,) in normalized coordinates, (225,)."""
    x, y = (place + 1) / 2 * (SIZE - 1) - PATCH // 2 * step
    contrast_from_patch = np.array([[step, 0, x], [0, step, y]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    patch = cv2.warpAffine(
        contrast, contrast_from_patch, (PATCH, PATCH), flags=flags, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(patch.ravel(), np.float32)


@cache
def load_places() -> PlaceModel:
    """Load the model that comes with symface."""
    return unpack(read_arrays(bundled("models", BUNDLED).read_bytes()))


def pack(model: PlaceModel) -> bytes:
    """Return a model as a file holds it: safetensors, the weights in half precision."""
    arrays = {f"coarse.{part}": getattr(model.coarse, part) for part in PARTS}
    for stage, regressions in enumerate(model.patches):
        for part in PARTS:
            arrays[f"patches.{stage}.{part}"] = np.stack([getattr(each, part) for each in regressions])
    kept = {name: array.astype(np.float32 if name.endswith("base") else np.float16) for name, array in arrays.items()}
    return save(kept)


def read_arrays(data: bytes) -> Mapping[str, NDArray[np.floating]]:
    """Return the arrays of a model's file."""
    arrays: Mapping[str, NDArray[np.floating]] = load(data)
    return arrays


def unpack(arrays: Mapping[str, NDArray[np.floating]]) -> PlaceModel:
    """Return the model of a file's arrays."""
    full = {name: np.asarray(array, np.float32) for name, array in arrays.items()}
    stages = []
    for stage in range(len(STEPS)):
        parts = (full[f"patches.{stage}.{part}"] for part in PARTS)
        stages.append(tuple(Regression(*each) for each in zip(*parts, strict=True)))
    return PlaceModel(Regression(*(full[f"coarse.{part}"] for part in PARTS)), tuple(stages))
