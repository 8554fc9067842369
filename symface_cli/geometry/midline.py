"""The line that halves a face."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry.frames import apply
from symface_cli.geometry.types import Array


class Midline(NamedTuple):
    """Line that halves a face, in pixels of its image."""

    point: Array
    """Point on it, (2,)."""
    direction: Array
    """Unit direction, (2,), downwards."""

    @property
    def degrees(self) -> float:
        """Tilt, clockwise from upright."""
        return float(np.degrees(np.arctan2(-self.direction[0], self.direction[1])))


def fit_midline(middles: NDArray[np.floating]) -> Midline:
    """Fit the total-least-squares line through points (N, 2) of the midline; its point is their mean."""
    points = middles.astype(np.float64)
    center = points.mean(0)
    direction = np.linalg.svd(points - center, full_matrices=False)[2][0]
    return Midline(center, direction if direction[1] > 0 else -direction)


def midline_of_level(image_from_level: Array, aside: float = 0.0) -> Midline:
    """Return the line x = `aside` of a level frame, whose similarity is given as a matrix."""
    down = image_from_level[:2, 1]
    return Midline(apply(image_from_level, np.array([aside, 0.0])), down / np.linalg.norm(down))


def motion_between(before: Midline, after: Midline) -> Array:
    """Return the rigid motion, as a 3 x 3 matrix, that lays a midline on another one, its point as near as it comes."""
    angle = np.arctan2(after.direction[1], after.direction[0]) - np.arctan2(before.direction[1], before.direction[0])
    motion = np.eye(3)
    motion[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    nearest = after.point + ((before.point - after.point) @ after.direction) * after.direction
    motion[:2, 2] = nearest - motion[:2, :2] @ before.point
    return motion


def midline_through(upper: Array, lower: Array) -> Midline:
    """Return the line from one point (2,) to another below it.

    Raises:
        ValueError: If both are the same.
    """
    across = lower - upper
    length = float(np.linalg.norm(across))
    if length == 0:
        raise ValueError("both points of the midline are the same")
    return Midline((upper + lower) / 2, across / length)
