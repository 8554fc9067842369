"""Draw pictures to judge results by: a face's versions side by side, and a photo with what was found in it."""

from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from symface_cli.detection.detector import Detection
from symface_cli.geometry.frames import apply, crop_from_box, resizing_matrix
from symface_cli.geometry.sampling import native_size
from symface_cli.geometry.types import Array, Photo
from symface_cli.inference.face import FacePrediction, FaceWarp, render_face
from symface_cli.measurement.heatmap import draw_shape
from symface_cli.measurement.reading import take_reading
from symface_cli.rendering.morphing import Amounts, Morph
from symface_cli.rendering.renderers import warp_of

PANEL = 512  # px, largest side of a panel
GAP = 1 / 32  # panel sides between panels
CAPTION = 1 / 16  # panel sides, height of a caption's letters
SMALLEST_TEXT = 12  # px
DARK, BOX, MIDLINE = (20, 20, 20), (255, 255, 255), (255, 208, 0)


def draw_comparison(photo: Photo, found: Detection, prediction: FacePrediction) -> Photo:
    """Draw the leveled photo, left-left, right-right, symmetric and heat map of a face, side by side with captions.

    Args:
        photo: (H, W, 3).
        found: One of its faces.
        prediction: What the network predicted there.

    Raises:
        WeightsError: If the network gives no warp.
    """
    warp = warp_of(prediction)
    small, warped = _reduce(photo, warp)
    face = FacePrediction(prediction.decode, warped).frontal
    size = min(native_size(warped.photo_from_face), PANEL)
    return _lay_out(
        {
            "photo": Morph(small, warp_of(face), face.decode, pose="front").in_frame(Amounts(0, 0), size),
            "left-left": render_face(small, face, "left", size),
            "right-right": render_face(small, face, "right", size),
            "symmetric": render_face(small, face, size=size),
            "heat map": _draw_heatmap(photo, warp, size),
        }
    )


def draw_preview(photo: Photo, faces: Sequence[tuple[Detection, FacePrediction]]) -> Photo:
    """Draw the photo with each face's box, number and midline; without faces, the photo alone.

    Args:
        photo: (H, W, 3).
        faces: Numbered from 1 in this order; without a warp they have no midline.
    """
    width = max(round(max(photo.shape) / 500), 1)
    drawn = photo.copy()
    for found, prediction in faces:
        _draw_lines(drawn, box_corners(found), width, BOX, closed=True)
        if prediction.warp is not None:
            _draw_lines(drawn, midline_ends(prediction.warp), width, MIDLINE)
    image = Image.fromarray(drawn)
    for number, (found, _) in enumerate(faces, 1):
        _draw_number(image, str(number), box_corners(found), width)
    return np.array(image)


def _reduce(photo: Photo, warped: FaceWarp) -> tuple[Photo, FaceWarp]:
    """Make the photo so small that the face fits a panel, averaged over areas so that fine patterns do not alias."""
    scale = PANEL / native_size(warped.photo_from_face)
    if scale >= 1:
        return photo, warped
    small: Photo = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return small, warped.moved(resizing_matrix(photo.shape, small.shape))


def _draw_heatmap(photo: Photo, warped: FaceWarp, size: int) -> Photo:
    """Draw how far each point lies from the mirror image of its partner, by one reading, (size, size, 3)."""
    reading = take_reading(photo, warped, warped.photo_from_level, raw=True)
    shape = draw_shape(photo, reading.displacement, warped.mask, warped.photo_from_level)
    small: Photo = cv2.resize(shape, (size, size), interpolation=cv2.INTER_AREA)
    return small


def _lay_out(panels: dict[str, Photo]) -> Photo:
    """Lay out panels of one size beside each other on white, each under its caption."""
    size = len(next(iter(panels.values())))
    gap, letters = round(GAP * size), max(round(CAPTION * size), SMALLEST_TEXT)
    top = 2 * gap + letters
    sheet = Image.new("RGB", (len(panels) * (size + gap) + gap, top + size + gap), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(letters)
    for i, (caption, panel) in enumerate(panels.items()):
        left = gap + i * (size + gap)
        draw.text((left + size / 2, gap + letters / 2), caption, DARK, font, anchor="mm")
        sheet.paste(Image.fromarray(panel), (left, top))
    return np.array(sheet)


def box_corners(found: Detection) -> Array:
    """Return the corners (4, 2) of a face's box in photo pixels; a tilted face has a tilted box."""
    box = found.box
    left, top, right, bottom = np.array([box.x, box.y, box.x + box.width, box.y + box.height]) - 0.5
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    return apply(np.linalg.inv(found.crop_from_photo) @ crop_from_box(box), corners)


def midline_ends(warped: FaceWarp) -> Array:
    """Return where a midline meets the upper and the lower edge of the face frame, (2, 2) in photo pixels."""
    point, direction = warped.midline
    edges = warped.photo_from_face[[0, -1]].mean(1)
    ends: Array = point + ((edges - point) @ direction)[:, None] * direction
    return ends


def _draw_lines(photo: Photo, points: Array, width: int, color: tuple[int, int, int], closed: bool = False) -> None:
    """Draw lines that can be seen on any background: bright ones with dark edges."""
    at = [np.round(points * 16).astype(np.int32)]  # with four fractional bits
    cv2.polylines(photo, at, closed, DARK, width + 2 * max(width // 2, 1), cv2.LINE_AA, shift=4)
    cv2.polylines(photo, at, closed, color, width, cv2.LINE_AA, shift=4)


def _draw_number(image: Image.Image, number: str, corners: Array, width: int) -> None:
    """Draw a face's number on a dark field in the upper left corner of its box, or as near to it as the photo goes."""
    side = float(np.linalg.norm(corners[1] - corners[0]))
    font = ImageFont.load_default(max(side / 7, SMALLEST_TEXT))
    draw = ImageDraw.Draw(image)
    _, _, right, bottom = draw.textbbox((0, 0), number, font)
    field = np.array([right, bottom]) + 4 * width
    x, y = np.clip(corners[corners.sum(1).argmin()], 0, np.maximum(np.array(image.size) - field, 0))
    draw.rectangle((x, y, x + field[0], y + field[1]), DARK)
    draw.text((x + field[0] / 2, y + field[1] / 2), number, BOX, font, anchor="mm")
