"""Frames and what leads from one to another: photo, crop, face frame.

Pixel coordinates are (x, y), x right, y down, (0, 0) the center of the top-left pixel. Normalized coordinates run from
-1 to 1 between the centers of the first and the last pixel. Transforms are 3 x 3 float64 matrices named
`<to>_from_<from>`, so that in `a_from_b @ b_from_c` the inner names match.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry.types import Array

CROP_SIZE = 160  # px, side of the crop
CROP_BOXES = 1.4375  # side of the crop in box widths: 1.15 hold the face, a quarter more its surroundings
CROP_BELOW = 0.13  # box widths from the box's center down to the crop's: where LFW's landmarks have their center
EYES_Y = -0.12  # normalized height of the eyes' midpoint in the face frame
EYE_DISTANCE_FACE = 0.54  # normalized distance between the eyes' centers in the face frame, of a frontal face


class Box(NamedTuple):
    """Face as the Viola-Jones detector returns it: corner and size in photo pixels."""

    x: float
    y: float
    width: float
    height: float

    @property
    def center(self) -> Array:
        """Center (2,) in photo pixels."""
        return np.array([self.x + (self.width - 1) / 2, self.y + (self.height - 1) / 2])


def apply(matrix: NDArray[np.floating], points: NDArray[np.floating]) -> Array:
    """Take points (..., 2) through a 3 x 3 affine matrix."""
    if not points.size:
        return points.astype(np.float64)
    moved: Array = cv2.transform(points.reshape(-1, 1, 2).astype(np.float64), matrix[:2])  # in a tenth of NumPy's time
    return moved.reshape(points.shape)


def pixel_from_normalized(size: int) -> Array:
    """Return the matrix from normalized coordinates to the pixels of a size x size image."""
    half = (size - 1) / 2
    return np.array([[half, 0, half], [0, half, half], [0, 0, 1.0]])


def resizing_matrix(before: tuple[int, ...], after: tuple[int, ...]) -> Array:
    """Return the matrix from pixels of an image of a shape (H, W, ...) to those of the same resized to another."""
    down, across = after[0] / before[0], after[1] / before[1]
    return np.array([[across, 0, (across - 1) / 2], [0, down, (down - 1) / 2], [0, 0, 1.0]])


def crop_from_box(box: Box, size: int = CROP_SIZE, boxes: float = CROP_BOXES) -> Array:
    """Return the matrix from the pixels of the box's image to those of the crop, a square of `boxes` box widths."""
    scale = size / (boxes * box.width)
    center = box.center + np.array([0, CROP_BELOW * box.width])
    shift = (size - 1) / 2 - scale * center
    return np.array([[scale, 0, shift[0]], [0, scale, shift[1]], [0, 0, 1.0]])


def fit_similarity(sources: Array, targets: NDArray[np.floating], weights: NDArray[np.floating]) -> Array:
    """Fit the similarity (no reflection) that takes points (..., 2) nearest to their targets (..., 2), as a matrix.

    Nearest in the sum of squared distances, with weights (...): a linear problem in the matrix's two numbers.
    """
    shares = (weights.astype(np.float64) / weights.sum(dtype=np.float64)).reshape(-1, 1)
    x, y = sources.reshape(-1, 2), targets.reshape(-1, 2)
    x_center, y_center = (shares * x).sum(0), (shares * y).sum(0)
    products = (shares * (y - y_center)).T @ (x - x_center)
    spread = (shares * (x - x_center) ** 2).sum()
    c, s = (products[0, 0] + products[1, 1]) / spread, (products[1, 0] - products[0, 1]) / spread
    matrix = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    matrix[:2, 2] = y_center - matrix[:2, :2] @ x_center
    return matrix


def center_of(photo: NDArray[np.uint8]) -> Array:
    """Return the center (2,) of a photo (H, W, 3), in its pixels."""
    return np.array([(photo.shape[1] - 1) / 2, (photo.shape[0] - 1) / 2])
