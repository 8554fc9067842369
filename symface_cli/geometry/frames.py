"""Frames and what leads from one to another: photo, crop, face frame, midline, thin-plate spline.

Pixel coordinates are (x, y), x right, y down, (0, 0) the centre of the top-left pixel. Normalised coordinates run from
-1 to 1 between the centres of the first and the last pixel. Transforms are 3 x 3 float64 matrices named
`<to>_from_<from>`, so that in `a_from_b @ b_from_c` the inner names match.
"""

from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
CROP_SIZE = 160  # px, side of the crop
CROP_BOXES = 1.4375  # side of the crop in box widths: 1.15 hold the face, a quarter more its surroundings
CROP_BELOW = 0.13  # box widths from the box's centre down to the crop's: where LFW's landmarks have their centre
GRID = 17  # control points of the warp along each side of the face frame
EYES_Y = -0.12  # normalised height of the eyes' midpoint in the face frame
EYES_APART = 0.54  # normalised distance between the eyes' centres in the face frame, of a frontal face
SPLINE_SMOOTHING = 2.5e-4  # of the thin-plate spline in normalised units: one squared pixel of a 128 px face
DEGREES_PER_LOG = 28.1
"""Degrees that a head is turned per logarithm of the ratio of its sides' areas: fits the yaw of 147 of LFW's training
photos by their landmarks (`evaluation.pose`) with a correlation of 0.99."""


class Box(NamedTuple):
    """A face as the Viola-Jones detector returns it: corner and size in photo pixels."""

    x: float
    y: float
    width: float
    height: float

    @property
    def centre(self) -> Array:
        """Centre (2,) in photo pixels."""
        return np.array([self.x + (self.width - 1) / 2, self.y + (self.height - 1) / 2])


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


def apply(matrix: NDArray[np.floating], points: NDArray[np.floating]) -> Array:
    """Points (..., 2) taken through a 3 x 3 affine matrix."""
    moved: Array = points.reshape(-1, 2) @ matrix[:2, :2].T + matrix[:2, 2]
    return moved.reshape(points.shape)


def pixel_from_normalised(size: int) -> Array:
    """Matrix from normalised coordinates to the pixels of a size x size image."""
    half = (size - 1) / 2
    return np.array([[half, 0, half], [0, half, half], [0, 0, 1.0]])


def crop_from_box(box: Box, size: int = CROP_SIZE, boxes: float = CROP_BOXES) -> Array:
    """Matrix from the pixels of the box's image to those of the size x size crop, a square of `boxes` box widths."""
    scale = size / (boxes * box.width)
    centre = box.centre + np.array([0, CROP_BELOW * box.width])
    shift = (size - 1) / 2 - scale * centre
    return np.array([[scale, 0, shift[0]], [0, scale, shift[1]], [0, 0, 1.0]])


def fit_midline(middles: NDArray[np.floating]) -> Midline:
    """Total-least-squares line through points (N, 2) that should lie on the midline; its point is their mean."""
    points = middles.astype(np.float64)
    centre = points.mean(0)
    direction = np.linalg.svd(points - centre, full_matrices=False)[2][0]
    return Midline(centre, direction if direction[1] > 0 else -direction)


def midline_of_warp(image_from_face: NDArray[np.floating]) -> Midline:
    """Midline of the face that a warp (17, 17, 2) finds: that of the face frame's edge.

    `symmetric_warp` pins the edge to the frame. Inside, a warp follows the features, and its middle those of them that
    lie aside or are turned away.
    """
    middles = ((image_from_face + image_from_face[:, ::-1]) / 2)[_on_edge()]
    return fit_midline(middles)


def similarity_of_warp(image_from_face: NDArray[np.floating]) -> Array:
    """Matrix of the similarity that a warp (17, 17, 2) has at the face frame's edge: where the symmetric face lies."""
    edge = _on_edge()
    return fit_similarity(control_points()[edge], image_from_face[edge], np.ones(edge.sum()))


def turn_of_warp(image_from_face: NDArray[np.floating], mask: NDArray[np.floating]) -> float:
    """Degrees that a head is turned, by its warp (17, 17, 2) and mask (17, 17): the near side covers more of the image.

    Positive where the viewer's left side is nearer.
    """
    down, across = (np.asarray(change) for change in np.gradient(image_from_face, axis=(0, 1)))
    area: Array = mask * np.abs(across[..., 0] * down[..., 1] - across[..., 1] * down[..., 0])
    half = GRID // 2
    return float(DEGREES_PER_LOG * np.log(area[:, :half].sum() / area[:, -half:].sum()))


@cache
def _on_edge() -> NDArray[np.bool_]:
    """Which control points lie on the frame's edge, (17, 17)."""
    edge: NDArray[np.bool_] = np.abs(control_points()).max(-1) == 1
    return edge


def fit_similarity(sources: Array, targets: NDArray[np.floating], weights: NDArray[np.floating]) -> Array:
    """Matrix of the similarity (no reflection) that takes points (..., 2) nearest to their targets (..., 2).

    Nearest in the sum of squared distances, with weights (...): a linear problem in the matrix's two numbers.
    """
    shares = (weights.astype(np.float64) / weights.sum(dtype=np.float64)).reshape(-1, 1)
    x, y = sources.reshape(-1, 2), targets.reshape(-1, 2)
    x_centre, y_centre = (shares * x).sum(0), (shares * y).sum(0)
    products = (shares * (y - y_centre)).T @ (x - x_centre)
    spread = (shares * (x - x_centre) ** 2).sum()
    c, s = (products[0, 0] + products[1, 1]) / spread, (products[1, 0] - products[0, 1]) / spread
    matrix = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    matrix[:2, 2] = y_centre - matrix[:2, :2] @ x_centre
    return matrix


@cache
def control_points(count: int = GRID) -> Array:
    """The warp's control points (count, count, 2): (x, y) in normalised face coordinates; not to be written to."""
    ticks = np.linspace(-1, 1, count)
    points: Array = np.stack(np.meshgrid(ticks, ticks), -1)
    points.flags.writeable = False
    return points


@lru_cache(maxsize=64)
def enlarging_weights(count: int, size: int) -> Array:
    """Matrix (size, count) that up-samples `count` values to `size` smoothly, from the first value to the last.

    Not to be written to.

    Catmull-Rom (cubic convolution with a = -1/2, Keys 1981) with the ends continued in a straight line: unlike the
    cubic kernels of torch and OpenCV it leaves a straight line straight, so that an affine warp stays affine.
    """
    continued = np.zeros((count + 2, count))
    continued[1:-1] = np.eye(count)
    continued[0, :2], continued[-1, -2:] = (2, -1), (-1, 2)
    at = np.linspace(0, count - 1, size)
    start = np.minimum(at.astype(int), count - 2)
    t = at - start
    weights = np.zeros((size, count + 2))
    for offset, weight in enumerate(
        (
            (-t + 2 * t**2 - t**3) / 2,
            (2 - 5 * t**2 + 3 * t**3) / 2,
            (t + 4 * t**2 - 3 * t**3) / 2,
            (-(t**2) + t**3) / 2,
        )
    ):
        weights[np.arange(size), start + offset] = weight
    matrix: Array = weights @ continued
    matrix.flags.writeable = False
    return matrix


def fit_spline(sources: Array, values: Array, points: Array, smoothing: float = SPLINE_SMOOTHING) -> Array:
    """Thin-plate spline (Bookstein 1989) through `values` (N, D) at `sources` (N, 2), evaluated at `points` (M, 2).

    `smoothing` is added to the kernel's diagonal; 0 interpolates exactly. Returns (M, D).
    """
    n = len(sources)
    system = np.zeros((n + 3, n + 3))
    system[:n, :n] = _spline_kernel(sources, sources) + smoothing * np.eye(n)
    system[:n, n], system[:n, n + 1 :] = 1, sources
    system[n:, :n] = system[:n, n:].T
    weights = np.linalg.solve(system, np.vstack([values, np.zeros((3, values.shape[1]))]))
    affine = np.column_stack([np.ones(len(points)), points])
    return np.asarray(_spline_kernel(points, sources) @ weights[:n] + affine @ weights[n:])


def _spline_kernel(a: Array, b: Array) -> Array:
    squared = ((a[:, None] - b[None]) ** 2).sum(-1)
    return np.where(squared > 0, squared * np.log(np.maximum(squared, 1e-300)) / 2, 0)  # r^2 log r


def centre_of(photo: NDArray[np.uint8]) -> Array:
    """Centre (2,) of a photo (H, W, 3), in its pixels."""
    return np.array([(photo.shape[1] - 1) / 2, (photo.shape[0] - 1) / 2])
