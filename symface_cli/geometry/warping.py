"""OpenCV's warps for images of any size: its own address at most 32,766 columns and rows.

What is larger is warped in parts, each from the window of the image that it needs. Other images are warped as they are.
"""

from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry.frames import apply
from symface_cli.geometry.types import Array, Floats

Value = TypeVar("Value", bound=np.uint8 | np.uint16 | np.float32)
"""Type of a sample, which stays."""

LARGEST = 32_766  # px: OpenCV counts them in short integers
MOST_CHANNELS = 4  # that OpenCV samples at a time; CMYK with transparency has five
MARGIN = 4  # px beyond a point that interpolation may need


def remap(image: NDArray[Value], where: Floats, interpolation: int, border: int) -> NDArray[Value]:
    """Sample an image (h, w) or (h, w, C) at `where` (H, W, 2) in its pixels; `border` says what is beyond it."""
    if image.ndim == 3 and image.shape[2] > MOST_CHANNELS:
        split = np.split(image, [MOST_CHANNELS], axis=2)
        return np.dstack([remap(part, where, interpolation, border) for part in split])
    window = _whole(image) or _window(image, where)
    if window is None or max(where.shape[:2]) > LARGEST:
        axis = int(np.argmax(where.shape[:2]))
        parts = [remap(image, part, interpolation, border) for part in np.array_split(where, 2, axis)]
        return np.concatenate(parts, axis)
    rows, columns = window
    if rows.start or columns.start:
        where = where - np.array([columns.start, rows.start], np.float32)
    sampled: NDArray[Value] = cv2.remap(image[rows, columns], where, None, interpolation, borderMode=border)
    return sampled


def warp_affine(
    image: NDArray[Value], result_from_image: Array, size: tuple[int, int], border: int, value: int = 0
) -> NDArray[Value]:
    """Sample an image (h, w) or (h, w, C) linearly under a 3 x 3 matrix, as a result of `size`: width, height.

    `border` says what is beyond the image; a constant border is `value`.
    """
    window = _whole(image)
    if window is None:
        corners = np.array([[0, 0], [size[0] - 1, 0], [0, size[1] - 1], [size[0] - 1, size[1] - 1]], float)
        window = _window(image, apply(np.linalg.pinv(result_from_image), corners))  # landmarks may lie in a line
    if window is None:
        axis = int(np.argmax(size))
        parts = []
        for start, stop in ((0, size[axis] // 2), (size[axis] // 2, size[axis])):
            part_from_image, part_size = result_from_image.copy(), list(size)
            part_from_image[axis, 2] -= start
            part_size[axis] = stop - start
            parts.append(warp_affine(image, part_from_image, (part_size[0], part_size[1]), border, value))
        return np.concatenate(parts, 1 - axis)
    rows, columns = window
    result_from_window = result_from_image[:2].copy()
    result_from_window[:, 2] += result_from_image[:2, :2] @ [columns.start, rows.start]
    warped: NDArray[Value] = cv2.warpAffine(
        image[rows, columns], result_from_window, size, borderMode=border, borderValue=value
    )
    return warped


def _whole(image: NDArray[Value]) -> tuple[slice, slice] | None:
    """Return all rows and columns of an image; None if OpenCV cannot address as many."""
    height, width = image.shape[:2]
    return None if max(height, width) > LARGEST else (slice(0, height), slice(0, width))


def _window(image: NDArray[Value], points: NDArray[np.floating]) -> tuple[slice, slice] | None:
    """Return rows and columns around points (..., 2) of an image, as many as OpenCV can address; None for too many."""
    height, width = image.shape[:2]
    columns, rows = (_stretch(points[..., axis], length) for axis, length in ((0, width), (1, height)))
    return None if rows is None or columns is None else (rows, columns)


def _stretch(places: NDArray[np.floating], length: int) -> slice | None:
    """Return the pixels, of `length`, around places; None if they are too many."""
    first, last = np.clip([np.floor(places.min()) - MARGIN, np.ceil(places.max()) + MARGIN], 0, length - 1).astype(int)
    if last - first >= LARGEST:
        return None
    start = int(np.clip((first + last + 1 - LARGEST) // 2, 0, max(length - LARGEST, 0)))
    return slice(start, min(start + LARGEST, length))
