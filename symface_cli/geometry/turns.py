"""How far a head is turned, told from what is asymmetric about its face.

Of a symmetric face that is turned, the odd displacement (`geometry.pose`) is

    odd(u) = t Z(u) + t p (y, 0) + shift and roll:

t is the sine of the turn, Z the field of a head like this one (`measurement.points.fields`), and p a nod, by which what
is lower lies nearer to the camera. The level is not known better than to a shift and a roll. What moves a part of a
face in another way is the face's own, and counts the less, the further it is off (Geman and McClure's weights). The
nose is not looked at: it stands out most, so that one that is bent would be taken for a turn.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry.areas import NOSE, area_weights
from symface_cli.geometry.types import Array
from symface_cli.geometry.warps import control_points

NARROWING = 1.5  # sine of a 3D head's turn, by which a face becomes narrower, over that of its field
OWN = 0.02  # normalized: a displacement from which on it is rather a face's own asymmetry than a turn
NOD = 0.12  # radians, deviation: of the mesh in LFW's training photos
NOISE = 0.065  # normalized, deviation of the sum over all points: what a nod has to stand out from
UNSURE = math.sin(math.radians(2.5))  # of a turn, of which half is taken out
ROUNDS = 9  # in which the turn is told from the rest
SMALLEST = 1e-3  # sine of a turn from which on there is a nod to be told


class Turn(NamedTuple):
    """What the turn of a head does to its face.

    Attributes:
        sine: Of the turn.
        moved: By how much it moves the face's points, odd, (17, 17, 2) in normalized face coordinates.
    """

    sine: float
    moved: Array

    def sure_part(self) -> "Turn":
        """Return the part that is surely a turn."""
        share = sure_share(self.sine)
        return Turn(share * self.sine, share * self.moved)


def sure_share(sine: float) -> float:
    """Return how much of a turn is taken out: nearly all of it beyond 4 degrees, nearly nothing below 1 degree.

    People who look into the camera seem to be turned by 1.8 degrees (deviation); that much is as well their asymmetry.
    """
    return sine**4 / (sine**4 + UNSURE**4)


def find_turn(odd: Array, field: NDArray[np.floating], mask: NDArray[np.floating]) -> Turn:
    """Find the turn of a head by the odd displacement of its face.

    Args:
        odd: (17, 17, 2) in normalized face coordinates.
        field: Z, the same; zeros know no turn.
        mask: How much each point belongs to the face, (17, 17) in 0..1.
    """
    if not field.any():
        return Turn(0.0, np.zeros_like(odd))
    x, y = np.moveaxis(control_points(), -1, 0)
    zero, one = np.zeros_like(x), np.ones_like(x)
    fields = np.stack([field, *(np.stack(each, -1) for each in ((y, zero), (one, zero), (-y, x)))])
    weights = counted = mask * (1 - (2 * area_weights(NOSE)).clip(max=1))
    amounts = np.zeros(len(fields))
    for _ in range(ROUNDS):
        amounts = _fit(odd, fields, counted, nod=NOD * max(abs(amounts[0]), SMALLEST))
        off = ((odd - np.tensordot(amounts, fields, 1)) ** 2).sum(-1)
        counted = weights / (1 + off / OWN**2) ** 2
    return Turn(float(amounts[0]), np.tensordot(amounts[:2], fields[:2], 1))


def _fit(odd: Array, fields: Array, weights: Array, nod: float) -> Array:
    """Return how much of each field (4, 17, 17, 2) there is, where the second one's deviation is known."""
    square = np.einsum("ahwc,bhwc,hw->ab", fields, fields, weights)
    square[1, 1] += (NOISE / nod) ** 2
    amounts: Array = np.linalg.solve(square, np.einsum("ahwc,hwc,hw->a", fields, odd, weights))
    return amounts
