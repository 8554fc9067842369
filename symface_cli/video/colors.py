"""Colors of films: what their tags say, and how frames become RGB.

Films store brightness Y and two differences of color, Cb and Cr, these at half the size. How they are made of RGB is a
matrix, whose number, and that of the range of the samples, stands in the film. Where it does not, small films have the
matrix of BT.601, and large ones that of BT.709, as players take it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry.types import Array, Floats, Photo
from symface_cli.video.frames import Plane

if TYPE_CHECKING:
    from av import VideoFrame
    from av.video.stream import VideoStream

RGB, BT_709, UNKNOWN, BT_601 = 0, 1, 2, 6  # matrices (ISO/IEC 23091-2)
HD_HEIGHT = 720  # px, from which on films without a tag have the matrix of BT.709
LUMA = {BT_709: (0.2126, 0.0722), 4: (0.30, 0.11), 7: (0.212, 0.087), 9: (0.2627, 0.0593)}
"""Shares of red and blue in Y, by matrix: BT.709, FCC, SMPTE 240M, BT.2020; all others are those of BT.601."""
LUMA_601 = (0.299, 0.114)
SCALER_601 = 5  # FFmpeg's scaler has its own number for that matrix alone
TELEVISION, FULL = 1, 2  # ranges: samples of 16 to 235, and 240 for colors; or of 0 to 255
GRAY = 128  # Cb and Cr of what has no color
HDR = {16: "PQ", 18: "HLG"}
"""Transfers of HDR: what they make brighter than white has no place in 8 bits."""
EXACT = 0x2 | 0x2000 | 0x40000
"""Of FFmpeg's scaler: bilinear, colors at full width, rounded. By default it makes everything a gray level darker."""


@dataclass(frozen=True, kw_only=True)
class ColorTags:
    """What a film says of its colors, in the numbers of ISO/IEC 23091-2.

    Attributes:
        primaries: What red, green and blue are.
        transfer: Which light a value stands for.
        matrix: How Y, Cb and Cr are made of RGB.
        range: Which values samples take; 0 if it does not say.
    """

    primaries: int
    transfer: int
    matrix: int
    range: int

    @classmethod
    def of(cls, stream: "VideoStream") -> "ColorTags":
        """Read those of a stream."""
        context = stream.codec_context
        return cls(
            primaries=int(context.color_primaries),
            transfer=int(context.color_trc),
            matrix=int(context.colorspace),
            range=int(context.color_range),
        )

    @property
    def hdr(self) -> str | None:
        """The name of the transfer, if it is one of HDR."""
        return HDR.get(self.transfer)

    def stored(self, height: int) -> "ColorTags":
        """Return the tags of the same colors where they are stored as Y, Cb and Cr, in a film of a height in pixels."""
        if self.matrix != RGB:
            return self
        return replace(self, matrix=BT_709 if height >= HD_HEIGHT else BT_601, range=TELEVISION)

    def luma(self, height: int) -> tuple[float, float]:
        """Return the shares of red and blue in Y, for a film of a height in pixels."""
        is_large = self.matrix in (RGB, UNKNOWN) and height >= HD_HEIGHT
        return LUMA[BT_709] if is_large else LUMA.get(self.matrix, LUMA_601)

    def scaler(self, height: int) -> int:
        """Return the number of FFmpeg's scaler for the matrix."""
        luma = self.luma(height)
        return next((number for number, shares in LUMA.items() if shares == luma), SCALER_601)


def matrix_from_rgb(tags: ColorTags, height: int) -> Array:
    """Return the matrix (3, 3) that makes differences of Y, Cb and Cr of those of RGB, all in 8 bits."""
    red, blue = tags.luma(height)
    brightness = np.array([red, 1 - red - blue, blue])
    colors = [(axis - brightness) / (2 * (1 - share)) for axis, share in ((np.eye(3)[2], blue), (np.eye(3)[0], red))]
    scales = [255, 255, 255] if tags.range == FULL else [219, 224, 224]
    return np.stack([brightness, *colors]) * (np.array(scales) / 255)[:, None]


def to_planes(frame: "VideoFrame", tags: ColorTags) -> tuple[Plane, ...]:
    """Return Y, Cb and Cr of a frame, (H, W) and twice (H / 2, W / 2), rounded up; 8 bits, as it is if it has these."""
    if frame.format.name not in ("yuv420p", "yuvj420p"):  # the latter has the range in its name
        frame = _convert(frame, tags)
    return tuple(
        np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width].copy()
        for plane in frame.planes
    )


def _convert(frame: "VideoFrame", tags: ColorTags) -> "VideoFrame":
    """Return a frame with 8 bits and colors of half the size."""
    scaler = tags.scaler(frame.height)
    stored = FULL if tags.stored(frame.height).range == FULL else TELEVISION
    return frame.reformat(
        format="yuv420p",
        interpolation=EXACT,
        src_colorspace=scaler,
        dst_colorspace=scaler,
        src_color_range=FULL if tags.matrix == RGB else stored,
        dst_color_range=stored,
    )


def show_planes(planes: Sequence[Plane], tags: ColorTags) -> Photo:
    """Return what planes show, (H, W, 3) uint8 RGB; exact to a gray level. FFmpeg's own way takes three times as long.

    Args:
        planes: Y, Cb and Cr, as `to_planes` gives them.
        tags: What is said of them.
    """
    height, width = planes[0].shape
    colors = (cv2.resize(plane, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR) for plane in planes[1:])
    stored = cv2.merge([planes[0], *(plane[:height, :width] for plane in colors)])
    rgb_from_stored = np.linalg.inv(matrix_from_rgb(tags, height))
    black = np.array([_black(tags), GRAY, GRAY])
    photo: Photo = cv2.transform(stored, np.column_stack([rgb_from_stored, -rgb_from_stored @ black]))
    return photo


def change_planes(planes: Sequence[Plane], before: Photo, after: Photo, matrix: Array) -> tuple[Plane, ...]:
    """Return planes as `to_planes` gives them, changed by what differs between two photos (H, W, 3).

    Only the difference goes through the matrix: what is the same in both stays as it is stored, to the bit.

    Args:
        planes: Y, Cb and Cr of the frame.
        before: What it shows.
        after: What it is to show.
        matrix: From differences of RGB to those of the planes, `matrix_from_rgb`.
    """
    part = find_changes(before, after)
    changed = tuple(plane.copy() for plane in planes)
    if part is None:
        return changed
    rows, columns = part
    difference = cv2.subtract(after[rows, columns], before[rows, columns], dtype=cv2.CV_32F)
    brightness, *colors = cv2.split(cv2.transform(difference, matrix.astype(np.float32)))
    _add(changed[0][rows, columns], brightness)
    for plane, values in zip(changed[1:], colors, strict=True):
        part_of_colors = plane[_halve(rows), _halve(columns)]
        _add(part_of_colors, cv2.resize(values, part_of_colors.shape[::-1], interpolation=cv2.INTER_AREA))
    return changed


def find_changes(before: Photo, after: Photo) -> tuple[slice, slice] | None:
    """Return the rows and columns, from even numbers on, in which photos (H, W, 3) differ; None if they do not."""
    differs = cv2.absdiff(before, after).reshape(len(before), -1)
    rows = _span(cv2.reduce(differs, 1, cv2.REDUCE_MAX).ravel())
    if rows is None:
        return None
    columns = _span(differs[rows].max(0).reshape(-1, 3).max(1))
    return None if columns is None else (rows, columns)


def _span(changed: NDArray[np.uint8]) -> slice | None:
    """Return the part of pixels outside of which nothing has changed, from an even number on; None for no part."""
    places = np.flatnonzero(changed)
    if not len(places):
        return None
    return slice(int(places[0]) // 2 * 2, min(int(places[-1]) // 2 * 2 + 2, len(changed)))


def plain_planes(size: tuple[int, int], tags: ColorTags) -> tuple[Plane, ...]:
    """Return the planes of a black frame of a width and height."""
    width, height = size
    colors = np.full(((height + 1) // 2, (width + 1) // 2), GRAY, np.uint8)
    return np.full((height, width), _black(tags), np.uint8), colors, colors


def _black(tags: ColorTags) -> int:
    """Return the Y of black."""
    return 0 if tags.range == FULL else 16


def _add(plane: Plane, values: Floats) -> None:
    """Add to samples, rounded; 0 changes nothing."""
    plane[...] = cv2.add(plane, values, dtype=cv2.CV_8U)


def _halve(part: slice) -> slice:
    return slice(part.start // 2, (part.stop + 1) // 2)
