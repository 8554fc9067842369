"""The line that halves a face."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry.types import Array


class Midline(NamedTuple):
    """The line that halves a face, in pixels of its image."""

    point: Array
    """A point on it, (2,)."""
    direction: Array
    """Its unit direction, (2,), downwards."""

    @property
    def degrees(self) -> float:
        """Its tilt, clockwise from upright."""
        return float(np.degrees(np.arctan2(-self.direction[0], self.direction[1])))


def fit_midline(middles: NDArray[np.floating]) -> Midline:
    """Total-least-squares line through points (N, 2) that should lie on the midline; its point is their mean."""
    points = middles.astype(np.float64)
    center = points.mean(0)
    direction = np.linalg.svd(points - center, full_matrices=False)[2][0]
    return Midline(center, direction if direction[1] > 0 else -direction)
