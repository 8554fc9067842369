"""Irises of a training photo, for the parser to learn: found by MediaPipe's network, where the picture agrees.

The network always answers, also of an eye that is closed, hidden or behind dark glasses. Then it follows the square in
which it looks, and what it calls an iris is not darker than what lies beside it.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry.sampling import resample
from symface_cli.geometry.types import Array, Landmarks, Photo
from symface_cli.landmarks.iris import CORNERS, MediaPipeIrises

SHIFT = np.array([0.06, 0.04])  # of an eye's width, by which the mesh is moved for one look, and back for another
MOST_APART = 0.25  # radii between the two irises; a square that is followed moves by 0.8
LEAST_CONTRAST = 0.1  # of a gray level beside an iris, by which it is darker; 0.33 is usual
LEAST_LIGHT = 30  # gray levels beside an iris: in the dark, nothing is seen
CLOSED_CONTRAST = 0.05  # less, and an eye that is hardly open shows no iris
CLOSED_OPENING = 0.2  # of an eye's width between its lids
LIDS = (((159, 145), (158, 153), (160, 144)), ((386, 374), (385, 380), (387, 373)))
"""Points of the mesh opposite to each other on upper and lower lid, of the left and of the right eye."""
PATCH_SIZE = 33  # px, side of the picture of an iris that is looked at
PATCH_RADIUS = 8  # px of the iris in it

UNKNOWN_IRISES = np.full((2, 3), np.nan)


def find_irises(finder: MediaPipeIrises, photo: Photo, points: Landmarks) -> Array:
    """Find the irises of the face with a mesh (468, 2) in a photo (H, W, 3).

    Returns:
        x, y and radius in photo pixels, (2, 3), of the left eye and of the right one, as the viewer sees them. NaN
        where they are not known; a radius of 0 where an eye is closed.
    """
    corners = points[np.array(CORNERS)].astype(np.float64)  # (2, 2, 2)
    shift = SHIFT * np.linalg.norm(corners[:, 1] - corners[:, 0], axis=1).mean()
    looks = np.stack([finder.find(photo, (points + way * shift).astype(np.float32)) for way in (1, -1)])
    return np.stack([_judge(photo, looks[:, eye], corners[eye], _opening(points, eye)) for eye in range(2)])


def _judge(photo: Photo, looks: Array, corners: Array, opening: float) -> Array:
    """Return an eye's iris (3,) by the two looks (2, 3) at it, as `find_irises` does."""
    iris: Array = looks.mean(0)
    apart = np.linalg.norm(looks[0, :2] - looks[1, :2])
    inside, beside = _gray_levels(photo, iris, corners[1] - corners[0])
    contrast = 1 - inside / max(beside, 1)
    if opening < CLOSED_OPENING and contrast < CLOSED_CONTRAST:
        return np.array([*iris[:2], 0])
    is_seen = apart <= MOST_APART * iris[2] and contrast >= LEAST_CONTRAST and beside >= LEAST_LIGHT
    return iris if is_seen else np.full(3, np.nan)


def _opening(points: Landmarks, eye: int) -> float:
    """Return the mean distance between an eye's lids, in eye widths."""
    upper, lower = np.moveaxis(points[np.array(LIDS[eye])], 1, 0)
    left, right = points[list(CORNERS[eye])]
    return float(np.linalg.norm(upper - lower, axis=-1).mean() / np.linalg.norm(right - left))


def _gray_levels(photo: Photo, iris: Array, across: Array) -> tuple[float, float]:
    """Return the mean gray level in an iris (3,), and beside it along the eye, whose direction is `across` (2,)."""
    x, y, radius = iris
    (c, s), scale = across / np.linalg.norm(across), PATCH_RADIUS / radius
    patch_from_photo = np.array([[scale * c, scale * s, 0], [-scale * s, scale * c, 0], [0, 0, 1]])
    patch_from_photo[:2, 2] = (PATCH_SIZE - 1) / 2 - patch_from_photo[:2, :2] @ [x, y]
    patch = resample(photo, patch_from_photo, PATCH_SIZE).mean(-1)
    inside, beside = _areas()
    return float(patch[inside].mean()), float(patch[beside].mean())


@cache
def _areas() -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which pixels of a patch lie within an iris, and which on both sides of it between the lids."""
    ticks = (np.arange(PATCH_SIZE) - (PATCH_SIZE - 1) / 2) / PATCH_RADIUS
    x, y = np.meshgrid(ticks, ticks)
    distance = np.hypot(x, y)
    return distance < 0.8, (distance > 1.2) & (distance < 2) & (np.abs(y) < 0.5)
