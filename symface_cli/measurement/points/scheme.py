"""Which points of a face are found: those that the named measures are made of.

Arrays of points have those of the viewer's left half first, then those of the right half in the same order, then those
in the middle.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from symface_cli.geometry.types import Array

Sides = Literal["person", "viewer"]
"""Whose left and right names and values go by."""

SIDED = (
    *("pupil", "medial_canthus", "lateral_canthus"),
    *("upper_lid_1", "upper_lid_2", "upper_lid_3", "lower_lid_1", "lower_lid_2", "lower_lid_3"),
    *("brow_1", "brow_2", "brow_3", "brow_4", "brow_5"),
    *("ala", "commissure", "upper_lip_1", "upper_lip_2", "lower_lip_1", "lower_lip_2"),
)
"""Points that either side has; numbers run from the outside in."""
MIDDLE = ("nose_tip", "subnasale", "upper_lip", "lower_lip", "chin")
"""Points on the midline."""
COUNT = 2 * len(SIDED) + len(MIDDLE)
MIRROR = np.array(
    [*range(len(SIDED), 2 * len(SIDED)), *range(len(SIDED)), *range(2 * len(SIDED), COUNT)],
)
"""The partner of each point under mirroring, (45,); those in the middle are their own."""

LINES: tuple[tuple[str, ...], ...] = (
    ("lateral_canthus", "upper_lid_1", "upper_lid_2", "upper_lid_3", "medial_canthus"),
    ("lateral_canthus", "lower_lid_1", "lower_lid_2", "lower_lid_3", "medial_canthus"),
    ("brow_1", "brow_2", "brow_3", "brow_4", "brow_5"),
    ("commissure", "upper_lip_1", "upper_lip_2", "upper_lip"),
    ("commissure", "lower_lip_1", "lower_lip_2", "lower_lip"),
)
"""Outlines of either side, from the outside in."""


def name_points(sides: Sides) -> tuple[str, ...]:
    """Name the points in files: `commissure_left`, and without a side in the middle."""
    first, second = ("right", "left") if sides == "person" else ("left", "right")
    return (*(f"{name}_{first}" for name in SIDED), *(f"{name}_{second}" for name in SIDED), *MIDDLE)


def lines_of(side: int) -> list[list[int]]:
    """Return the outlines of one side as indices: 0 for the viewer's left one, 1 for the right one."""
    return [[index_of(name, side) for name in line] for line in LINES]


def index_of(name: str, side: int = 0) -> int:
    """Return where a point of one side (0 for the viewer's left), or in the middle, stands in the arrays."""
    if name in MIDDLE:
        return 2 * len(SIDED) + MIDDLE.index(name)
    return side * len(SIDED) + SIDED.index(name)


def mirror_points(points: Array) -> Array:
    """Mirror points (45, 2) over x = 0: each becomes its partner's place."""
    mirrored: Array = points[MIRROR] * [-1, 1]
    return mirrored


def half_of(points: Array, side: int, names: Sequence[str]) -> Array:
    """Return points of one side and the middle, (N, 2), with x growing outward."""
    outward = np.array([-1.0 if side == 0 else 1.0, 1.0])
    return np.asarray(points[[index_of(name, side) for name in names]] * outward, np.float64)
