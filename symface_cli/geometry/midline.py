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
