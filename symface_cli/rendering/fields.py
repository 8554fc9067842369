"""Sample photos, and fields: images over the face frame that say where pixels come from and how they are mixed.

Fields are smooth. They are evaluated for groups of pixels, and interpolated linearly between the groups' middles.
"""

from collections.abc import Iterator
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry.frames import apply, pixel_from_normalized
from symface_cli.geometry.sampling import fade, needed
from symface_cli.geometry.types import Array, Floats, Pixels, Sample
from symface_cli.geometry.warping import remap

FIELD_SIZE = 129  # px, side at which fields are sampled: fine enough for linear interpolation between 17 points
FRAME_FADE = 0.15  # of the face frame's half side, over which everything fades out towards the frame's edge
STRIP = 1 << 18  # pixels worked on at a time, so that they stay in caches, and memory does not grow with the face


@cache
def fade_to_edge() -> Floats:
    """Return a field that falls from 1 to 0 at the frame's edge, where a mask that reaches beyond it would step.

    Not to be written to.
    """
    inside = 1 - np.abs(np.linspace(-1, 1, FIELD_SIZE, dtype=np.float32))
    ramp = fade(inside, 0, FRAME_FADE)
    field: Floats = np.minimum(ramp[:, None], ramp)
    field.flags.writeable = False
    return field


def sample_field(field: Floats, u: NDArray[np.floating]) -> Floats:
    """Sample a field (S, S) or (S, S, C) at points u (H, W, 2) of the face frame; it is 0 outside of the frame."""
    half = np.float32((len(field) - 1) / 2)
    at = np.asarray(u, np.float32) * half
    at += half  # in pixels of the field
    sampled = remap(field, at, cv2.INTER_LINEAR, cv2.BORDER_CONSTANT)
    values: Floats = sampled.reshape(*u.shape[:2], *field.shape[2:])
    return values


def warp_field(field: Floats, image_from_face: Array, rows: slice, columns: slice) -> Floats:
    """Sample a field (FIELD_SIZE, FIELD_SIZE) at every pixel of some rows and columns of an image, (H, W)."""
    image_from_part = np.array([[1, 0, columns.start], [0, 1, rows.start], [0, 0, 1.0]])
    field_from_part = pixel_from_normalized(FIELD_SIZE) @ np.linalg.inv(image_from_face) @ image_from_part
    warped: Floats = cv2.warpAffine(
        field,
        field_from_part[:2],
        (columns.stop - columns.start, rows.stop - rows.start),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
    )
    return warped


def move(matrix: NDArray[np.floating], points: Floats) -> Floats:
    """Take points (H, W, 2) through an affine matrix, 3 x 3 or 2 x 2, in single precision."""
    moved: Floats = cv2.transform(points, matrix[:2])
    return moved


def scale(vectors: Floats, by: Floats) -> Floats:
    """Multiply vectors (H, W, 2) by numbers (H, W): NumPy takes ten times as long for it."""
    scaled: Floats = cv2.multiply(vectors, cv2.merge([by, by]))
    return scaled


def group_places(matrix: NDArray[np.floating], rows: slice, columns: slice, step: int) -> Floats:
    """Return the middles of groups (`group_pixels`) of rows and columns, taken through an affine matrix, (H, W, 2)."""
    x, y = group_pixels(columns, step), group_pixels(rows, step)[:, None]
    places: Floats = cv2.merge([(a * x + (b * y + c)).astype(np.float32) for a, b, c in matrix[:2]])
    return places


def group_pixels(pixels: slice, step: int) -> Array:
    """Return the middles of groups of `step` pixels that cover a range, with a group more at either end."""
    groups = -(-(pixels.stop - pixels.start) // step)
    middles: Array = pixels.start + (step - 1) / 2 + step * np.arange(-1.0, groups + 1)
    return middles


def refine_groups(values: NDArray[np.floating], step: int, size: tuple[int, int]) -> Floats:
    """Interpolate values at groups of pixels (`group_pixels`) for each of `size` pixels, (H, W) or (H, W, C)."""
    fine = values.astype(np.float32)
    if step > 1:
        fine = cv2.resize(fine, None, fx=step, fy=step, interpolation=cv2.INTER_LINEAR)
    return fine[step : step + size[0], step : step + size[1]]


def sample_pixels(pixels: Pixels, groups: Floats, step: int, size: tuple[int, int], origin: tuple[int, int]) -> Floats:
    """Sample a photo in places, reflected beyond its edges: the planes (C, H, W) of `size` pixels.

    Args:
        pixels: The photo.
        groups: The places of groups of `step` pixels, in pixels of the photo, as for `refine_groups`.
        step: See there.
        size: See there.
        origin: The pixel (x, y) from which they are counted: far from a corner, single precision would be too coarse.
    """
    x, y = cv2.split(groups)
    columns, rows = (needed(x + origin[0], pixels.shape[1]), needed(y + origin[1], pixels.shape[0]))
    region = pixels[rows, columns].transpose(2, 0, 1).astype(np.float32, order="C")  # a copy of as little as is needed
    groups = cv2.subtract(groups, (columns.start - origin[0], rows.start - origin[1], 0, 0))
    where = np.ascontiguousarray(refine_groups(groups, step, size))
    # OpenCV takes twice as long for all planes together.
    return np.stack([remap(plane, where, cv2.INTER_CUBIC, cv2.BORDER_REFLECT_101) for plane in region])


def cut_strips(
    inside: NDArray[np.bool_], image_from_face: Array, shape: tuple[int, ...], step: int = 1
) -> Iterator[tuple[slice, slice]]:
    """Yield the part of an image that a region of the face frame covers, as rows and columns of at most STRIP pixels.

    Args:
        inside: The region, (FIELD_SIZE, FIELD_SIZE).
        image_from_face: Matrix from the face frame to the image.
        shape: Of the image: H, W.
        step: Parts begin at multiples of it, so that groups of pixels are the same ones wherever a region begins.
    """
    if not inside.any():
        return
    columns, rows = (np.flatnonzero(inside.any(axis)) for axis in (0, 1))
    low, high = (np.array([columns[end], rows[end]]) / (FIELD_SIZE - 1) * 2 - 1 for end in (0, -1))
    margin = 2 / (FIELD_SIZE - 1)
    left, top, right, bottom = *(low - margin), *(high + margin)
    corners = apply(image_from_face, np.array([[left, top], [right, top], [right, bottom], [left, bottom]]))
    limit = np.array([shape[1], shape[0]])
    left, top = np.clip(np.floor(corners.min(0)).astype(int), 0, limit)
    right, bottom = np.clip(np.ceil(corners.max(0)).astype(int) + 1, 0, limit)
    if right <= left:
        return
    left, top = left // step * step, top // step * step
    height = max(STRIP // int(right - left) // step, 1) * step
    for start in range(top, bottom, height):
        yield slice(start, min(start + height, bottom)), slice(left, right)


def as_pixels(planes: Floats, dtype: np.dtype[Sample]) -> NDArray[Sample]:
    """Round planes (C, H, W) to the pixels of a dtype, (H, W, C)."""
    depth = cv2.CV_8U if dtype == np.uint8 else cv2.CV_16U
    pixels: NDArray[Sample] = cv2.merge([cv2.add(plane, 0.0, dtype=depth) for plane in planes])  # rounded and clipped
    return pixels.reshape(*planes.shape[1:], -1)
