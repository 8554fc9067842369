"""Warps: control points in the face frame, what a warp says of a face, smooth up-sampling."""

from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry.types import Array

GRID = 17  # control points of the warp along each side of the face frame
DEGREES_PER_LOG = 22.0
"""Degrees that a head is turned per logarithm of the ratio of its sides' areas: fits the yaw of 126 of LFW's validation
photos by their landmarks (`landmarks.pose`)."""


def similarity_of_warp(image_from_face: NDArray[np.floating]) -> Array:
    """Return the similarity, as a matrix, of a warp (17, 17, 2) at the frame's edge: where the symmetric face lies.

    It is that of `geometry.frames.fit_similarity`, by sums over the edge that are the same for all warps.
    """
    (xx, xy), (yx, yy), (x, y) = (_edge_sums() @ image_from_face[_on_edge()]).tolist()
    c, s = xx + yy, xy - yx
    return np.array([[c, -s, x], [s, c, y], [0, 0, 1]])


@cache
def _edge_sums() -> Array:
    """Return the matrix (3, 64) from points on the edge to their slopes along x and y, a half each, and their mean."""
    x, y = control_points()[_on_edge()].T  # 0 in the mean
    sums: Array = np.stack([x / (x**2 + y**2).sum(), y / (x**2 + y**2).sum(), np.full(len(x), 1 / len(x))])
    return sums


def yaw_of_warp(image_from_face: NDArray[np.floating], mask: NDArray[np.floating]) -> float:
    """Return the yaw in degrees, by a warp (17, 17, 2) and mask (17, 17): the near side covers more of the image.

    Positive when the nose points to the viewer's right: their left side of the face is nearer.
    """
    area = mask * np.abs(areas_of_warp(image_from_face))
    half = GRID // 2
    return float(DEGREES_PER_LOG * np.log(area[:, :half].sum() / area[:, -half:].sum()))


def sample_warp(warp: NDArray[np.floating], places: Array) -> Array:
    """Sample a warp, or another field over the face frame, (17, 17, C), at places (N, 2) in normalized coordinates."""
    across, down = (interpolating_weights(len(warp), places[:, axis]) for axis in (0, 1))
    sampled: Array = np.einsum("nr,nc,rck->nk", down, across, warp, optimize=True)
    return sampled


def areas_of_warp(image_from_face: NDArray[np.floating]) -> Array:
    """Return which area of the image a cell around each point of a warp covers, (17, 17); negative where it folds over.

    That is the determinant of the warp's derivative, in squared image units for an interval between control points.
    """
    planes = np.moveaxis(image_from_face, -1, 0).astype(np.float64, order="C")
    slopes = slope_matrix(len(image_from_face))
    across, down = planes @ slopes.T, slopes @ planes
    areas: Array = across[0] * down[1] - across[1] * down[0]
    return areas


@cache
def slope_matrix(count: int) -> Array:
    """Return the matrix (count, count) from values to their slope for each interval; not to be written to.

    Slopes are those of a value's two neighbors; at the ends, where there is one, to it.
    """
    matrix = np.asarray(np.gradient(np.eye(count), axis=0))
    matrix.flags.writeable = False
    return matrix


@cache
def _on_edge() -> NDArray[np.bool_]:
    """Return which control points lie on the frame's edge, (17, 17)."""
    edge: NDArray[np.bool_] = np.abs(control_points()).max(-1) == 1
    return edge


@cache
def control_points(count: int = GRID) -> Array:
    """Return the control points (count, count, 2): (x, y) in normalized face coordinates; not to be written to."""
    ticks = np.linspace(-1, 1, count)
    points: Array = np.stack(np.meshgrid(ticks, ticks), -1)
    points.flags.writeable = False
    return points


@lru_cache(maxsize=64)
def enlarging_weights(count: int, size: int) -> Array:
    """Return the matrix (size, count) that up-samples `count` values to `size` smoothly, from the first to the last.

    Not to be written to.
    """
    matrix = interpolating_weights(count, np.linspace(-1, 1, size))
    matrix.flags.writeable = False
    return matrix


def interpolating_weights(count: int, places: NDArray[np.floating]) -> Array:
    """Return the matrix (N, count) that samples `count` values smoothly at places (N,), -1 the first, 1 the last one.

    Catmull-Rom (cubic convolution with a = -1/2, Keys 1981) with the ends continued in a straight line: unlike the
    cubic kernels of torch and OpenCV it leaves a straight line straight, so that an affine warp stays affine.
    """
    continued = np.zeros((count + 2, count))
    continued[1:-1] = np.eye(count)
    continued[0, :2], continued[-1, -2:] = (2, -1), (-1, 2)
    at = (places + 1) / 2 * (count - 1)
    start = np.clip(at.astype(int), 0, count - 2)
    t = at - start
    weights = np.zeros((len(at), count + 2))
    for offset, weight in enumerate(
        (
            (-t + 2 * t**2 - t**3) / 2,
            (2 - 5 * t**2 + 3 * t**3) / 2,
            (t + 4 * t**2 - 3 * t**3) / 2,
            (-(t**2) + t**3) / 2,
        )
    ):
        weights[np.arange(len(at)), start + offset] = weight
    matrix: Array = weights @ continued
    return matrix
