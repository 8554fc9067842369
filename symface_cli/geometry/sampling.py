"""Sample photos under a matrix or through a warp, at native resolution; up-sample warps smoothly."""

from functools import lru_cache
from math import ceil, floor

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry.frames import apply
from symface_cli.geometry.types import Array, Floats, Photo, Sample
from symface_cli.geometry.warping import remap, warp_affine
from symface_cli.geometry.warps import enlarging_weights

SMALLEST_SIDE = 128  # px, of a face made from a photo's own pixels
LARGEST_SIDE = 4096  # px


def resample(photo: Photo, image_from_photo: Array, size: int) -> Photo:
    """Sample a size x size image of the photo (H, W, 3) under a 3 x 3 matrix; reflected beyond the photo's edges.

    Where the matrix shrinks, the photo is averaged over areas first, so that fine patterns do not alias.
    """
    scale = float(np.sqrt(abs(np.linalg.det(image_from_photo[:2, :2]))))
    if scale < 0.75:
        photo, small_from_photo = _shrink_region(photo, np.linalg.inv(image_from_photo), size, scale)
        image_from_photo = image_from_photo @ np.linalg.inv(small_from_photo)
    return warp_affine(photo, image_from_photo, (size, size), cv2.BORDER_REFLECT_101)


def _shrink_region(
    photo: Photo, photo_from_image: NDArray[np.floating], size: int, scale: float
) -> tuple[Photo, Array]:
    """Shrink the part of the photo that the image shows by `scale`; return it and the matrix small_from_photo."""
    corners = apply(photo_from_image, np.array([[0, 0], [size, 0], [0, size], [size, size]], float))
    limit = np.array([photo.shape[1], photo.shape[0]])
    low = np.clip(np.floor(corners.min(0)).astype(int) - 2, 0, limit - 1)
    high = np.clip(np.ceil(corners.max(0)).astype(int) + 2, low + 1, limit)
    if scale <= 0.25:
        high = np.maximum(high - (high - low) % 2, low + 1)  # of which `shrink_areas` leaves nothing out
    region = photo[low[1] : high[1], low[0] : high[0]]
    small = region
    if min(region.shape[:2]) * scale > 2:
        # Sizes, not factors: with factors, OpenCV's result does not end where the region does.
        width, height = (round(scale * int(length)) for length in high - low)
        small = shrink_areas(region, width, height)
    ratio = np.array([small.shape[1] / region.shape[1], small.shape[0] / region.shape[0]])
    matrix = np.diag([ratio[0], ratio[1], 1.0])
    matrix[:2, 2] = (0.5 - low) * ratio - 0.5
    return small, matrix


def shrink_areas(image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Make an image (H, W) or (H, W, 3) smaller: means of areas.

    Much smaller, means of 2 x 2 pixels come first: the same within a gray level, in a third of the time. An odd last
    row or column counts for nothing then.
    """
    half_height, half_width = (length // 2 for length in image.shape[:2])
    if half_height >= 2 * height and half_width >= 2 * width:
        even = image[: 2 * half_height, : 2 * half_width]
        image = cv2.resize(even, (half_width, half_height), interpolation=cv2.INTER_AREA)
    small: NDArray[np.uint8] = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return small


def enlarge(control: NDArray[np.floating], size: int) -> Floats:
    """Up-sample values at the control points (17, 17) or (17, 17, C) smoothly to (size, size) or (size, size, C)."""
    if control.ndim == 2:
        return enlarge_planes(control, size)
    enlarged: Floats = cv2.merge(list(enlarge_planes(control.transpose(2, 0, 1), size)))
    return enlarged.reshape(size, size, -1)


def enlarge_planes(control: NDArray[np.floating], size: int) -> Floats:
    """Up-sample planes of values at the control points, (..., 17, 17), to (..., size, size)."""
    weights = _single_weights(control.shape[-1], size)
    values = np.ascontiguousarray(control, np.float32)
    enlarged: Floats = weights @ values @ weights.T
    return enlarged


@lru_cache(maxsize=64)
def _single_weights(count: int, size: int) -> Floats:
    """Return `enlarging_weights` in single precision; not to be written to."""
    weights = enlarging_weights(count, size).astype(np.float32)
    weights.flags.writeable = False
    return weights


def fade(values: Floats, low: float, high: float) -> Floats:
    """Return 0 at `low` and beyond, 1 at `high` and beyond, smooth between; `high` may be the smaller one."""
    t = ((values - low) / (high - low)).clip(0, 1)
    smooth: Floats = t * t * (3 - 2 * t)
    return smooth


def native_size(photo_from_face: Array) -> int:
    """Return the side in pixels, even, at which the face frame has the photo's own resolution.

    `photo_from_face` (17, 17, 2) holds photo pixels at the control points.
    """
    across = np.linalg.norm(np.diff(photo_from_face, axis=1), axis=-1).mean()
    down = np.linalg.norm(np.diff(photo_from_face, axis=0), axis=-1).mean()
    side = float(max(across, down)) * (len(photo_from_face) - 1)
    return int(np.clip(2 * round(side / 2), SMALLEST_SIDE, LARGEST_SIDE))


def warp_photo(
    photo: NDArray[Sample], photo_from_face: Array, size: int, interpolation: int = cv2.INTER_CUBIC
) -> NDArray[Sample]:
    """Sample the photo (H, W, 3) through its warp: the face in its frame, (size, size, 3).

    `photo_from_face` (17, 17, 2) holds photo pixels at the control points. The photo is reflected beyond its edges.
    """
    columns, rows = (needed(photo_from_face[..., axis], photo.shape[1 - axis]) for axis in (0, 1))
    where = enlarge(photo_from_face - (columns.start, rows.start), size)  # exact as float32
    return remap(photo[rows, columns], where, interpolation, cv2.BORDER_REFLECT_101)


def needed(places: NDArray[np.floating], length: int) -> slice:
    """Return the pixels, of `length`, that cubic interpolation needs at places, or between them."""
    first = min(max(floor(places.min()) - 4, 0), length - 1)
    return slice(first, min(max(ceil(places.max()) + 5, first + 1), length))
