"""How far the parts of a face stand out, told from where its points lie: what a turn of its head moves most.

A linear regression, fitted by `tools/fit_depths.py` to heads of a 3D model whose shapes, expressions and nods were
fitted to the points of photos. It says how a head differs from those whose turns a network's field was learned from.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from symface_cli.files import bundled
from symface_cli.geometry.types import Array
from symface_cli.geometry.warps import GRID
from symface_cli.measurement.points.places import PARTS, Regression, read_arrays
from symface_cli.measurement.points.scheme import SIDED

BUNDLED = "depths.safetensors"
HALF_GRID = (GRID + 1) // 2  # columns of the left half of the face frame, with the midline


def describe_places(places: Array) -> Array:
    """Return what is looked at of the points (..., 45, 2) of a symmetric face: those of a half, (..., 45)."""
    side, middle = places[..., : len(SIDED), :], places[..., 2 * len(SIDED) :, 1]
    return np.concatenate([side.reshape(*side.shape[:-2], -1), middle], -1)


def find_nearer(places: Array, model: Regression) -> Array:
    """Return how much nearer to the camera points of the face frame lie than those of an average head.

    Args:
        places: The points (45, 2) of a symmetric face, in normalized face coordinates.
        model: The regression.

    Returns:
        (17, 17) in the units of the face frame, exactly symmetric.
    """
    half = model(describe_places(places)).reshape(GRID, HALF_GRID)
    return np.concatenate([half, half[:, -2::-1]], 1)


@cache
def load_depths() -> Regression:
    """Load the regression that comes with symface."""
    arrays = read_arrays(bundled("models", BUNDLED).read_bytes())
    return Regression(*(np.asarray(arrays[part], np.float32) for part in PARTS))


def pack(model: Regression) -> bytes:
    """Return a regression as a file holds it: safetensors, the weights in half precision."""
    arrays: dict[str, NDArray[np.floating]] = {part: getattr(model, part) for part in PARTS}
    return save({part: array.astype(np.float16 if part == "weights" else np.float32) for part, array in arrays.items()})
