"""How a turn moves the parts of a head, told from where its points lie.

The field of a network (`geometry.turns`) is that of people who were photographed turned. What is up or down on one side
by a turn is hardly seen in them: another field, of faces that were turned by rendering, each as a head of a 3D model
that is like it, is counted in. How far the parts of this head stand out is told by a linear regression of the depths of
such heads on the places of their points. `tools/fit_fields.py` fits both.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from symface_cli.files import bundled
from symface_cli.geometry.areas import EYES, area_weights
from symface_cli.geometry.turns import NARROWING
from symface_cli.geometry.types import Array, Floats
from symface_cli.geometry.warps import GRID, control_points
from symface_cli.measurement.points.places import PARTS, Regression, read_arrays
from symface_cli.measurement.points.scheme import SIDED

BUNDLED = "fields.safetensors"
USUAL = "usual"  # the field's name in that file
HALF_GRID = (GRID + 1) // 2  # columns of the left half of the face frame, with the midline
RENDERED = np.array([0.75, 1.0])  # of a field, sideways and down: how much is that of rendered heads


@dataclass(frozen=True, eq=False)
class HeadModel:
    """What is known of heads.

    Attributes:
        usual: The mean field of those that were turned by rendering, (17, 17, 2).
        nearer: How much nearer to the camera control points lie than usual, those of the left half (153,), by
            `describe_places`.
    """

    usual: Floats
    nearer: Regression


def describe_places(places: Array) -> Array:
    """Return what is looked at of the points (..., 45, 2) of a symmetric face: those of a half, (..., 45)."""
    side, middle = places[..., : len(SIDED), :], places[..., 2 * len(SIDED) :, 1]
    return np.concatenate([side.reshape(*side.shape[:-2], -1), middle], -1)


def find_nearer(places: Array, model: HeadModel) -> Array:
    """Return how much nearer to the camera points of the face frame lie than those of a usual head.

    Args:
        places: The points (45, 2) of a symmetric face, in normalized face coordinates.
        model: What is known of heads.

    Returns:
        (17, 17) in the units of the face frame, exactly symmetric.
    """
    half = model.nearer(describe_places(places)).reshape(GRID, HALF_GRID)
    return np.concatenate([half, half[:, -2::-1]], 1)


def field_of_head(field: NDArray[np.floating], places: Array, model: HeadModel) -> Array:
    """Return the field of a head, (17, 17, 2): how the sine of a turn moves its points.

    Args:
        field: Of a network, the same; zeros know no turn.
        places: The points (45, 2) of a symmetric face, in normalized face coordinates.
        model: What is known of heads.
    """
    if not field.any():
        return np.asarray(field, np.float64)
    rendered = _without_roll(model.usual - field)
    own = NARROWING * find_nearer(places, model)
    return np.asarray(field + RENDERED * rendered + np.stack([own, np.zeros_like(own)], -1))


def _without_roll(field: Array) -> Array:
    """Return a field (17, 17, 2) less a roll, so that its eyes stay level: how it rolls is not known."""
    x, y = np.moveaxis(control_points(), -1, 0)
    weights = area_weights(EYES) * x
    roll = (weights * field[..., 1]).sum() / (weights * x).sum()
    return np.asarray(field - roll * np.stack([-y, x], -1))


@cache
def load_heads() -> HeadModel:
    """Load what comes with symface."""
    arrays = read_arrays(bundled("models", BUNDLED).read_bytes())
    return HeadModel(arrays[USUAL], Regression(*(np.asarray(arrays[part], np.float32) for part in PARTS)))


def pack(model: HeadModel) -> bytes:
    """Return what is known of heads as a file holds it: safetensors, the regression's weights in half precision."""
    arrays: dict[str, NDArray[np.floating]] = {USUAL: model.usual}
    arrays |= {part: getattr(model.nearer, part) for part in PARTS}
    return save({name: array.astype(np.float16 if name == "weights" else np.float32) for name, array in arrays.items()})
