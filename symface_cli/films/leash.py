"""Where the crop of a followed face lies: where its eyes were, on a leash.

The crop stays as it is while the face moves by less than the leash is long, and else is drawn along. So the crop of a
face that keeps still is the same in all frames, whatever noise they have, and that of a moving one moves as smoothly as
the face does.
"""

import math

import numpy as np

from symface_cli.geometry.frames import EYE_DISTANCE_FACE, EYES_Y, apply
from symface_cli.geometry.types import Array
from symface_cli.inference.face import FaceWarp

SHIFT = 0.08  # distances between the eyes: 0.03 widths of the face
GROWTH = 0.03  # logarithm of their distance
ROLL = math.radians(2)

_IN_FACE = np.array([[-EYE_DISTANCE_FACE / 2, EYES_Y], [EYE_DISTANCE_FACE / 2, EYES_Y]])


def eyes_of(warp: FaceWarp) -> Array:
    """Return where the eyes of a face lie, (2, 2) in photo pixels; those of the symmetric face, as open as closed."""
    return apply(warp.photo_from_level, _IN_FACE)


def draw_along(held: Array, seen: Array) -> Array:
    """Return where eyes (2, 2) are held, that were held there and are seen here; the same if the leash is long enough.

    The leash has a length for the place, one for the size, and one for the roll.
    """
    middle, size, roll = _describe(held)
    new_middle, new_size, new_roll = _describe(seen)
    shift = (new_middle - middle) / size
    beyond = 1 - SHIFT / max(float(np.linalg.norm(shift)), SHIFT)
    growth = _beyond(math.log(new_size / size), GROWTH)
    turn = _beyond(math.remainder(new_roll - roll, 2 * math.pi), ROLL)
    if beyond == growth == turn == 0:
        return held
    middle = middle + beyond * shift * size
    half = size * math.exp(growth) / 2 * np.array([math.cos(roll + turn), math.sin(roll + turn)])
    return np.stack([middle - half, middle + half])


def _describe(eyes: Array) -> tuple[Array, float, float]:
    """Return the middle, distance and roll in radians of two eyes."""
    across = eyes[1] - eyes[0]
    return eyes.mean(0), float(np.linalg.norm(across)), math.atan2(across[1], across[0])


def _beyond(change: float, leash: float) -> float:
    """Return what of a change is beyond the leash."""
    return change - min(max(change, -leash), leash)
