"""Draw the points and lines of the named measures on the face, to be checked by eye."""

import cv2
import numpy as np

from symface_cli.geometry.frames import apply
from symface_cli.geometry.sampling import resample
from symface_cli.geometry.types import Array, Photo
from symface_cli.measurement.points.scheme import index_of, lines_of

SIDE = 1200  # px, of the picture
AROUND = 1.25  # side of what is drawn, in heights from the brows to the chin
DARK, OUTLINE, MEASURED, POINT = (0, 0, 0), (255, 255, 255), (0, 230, 255), (255, 220, 0)
WIDTH, RADIUS = 2, 4  # px, of lines and points
FRACTION = 4  # bits of a pixel's fraction: points lie between pixels
PUPILS = [index_of("pupil", side) for side in range(2)]
COMMISSURES = [index_of("commissure", side) for side in range(2)]


def draw_overlay(photo: Photo, points: Array) -> Photo:
    """Draw points (45, 2) on the part of a photo (H, W, 3) with the face, (1200, 1200, 3).

    White are the outlines; blue what is measured along: the line through the pupils, the midline, the verticals from
    the brows through the pupils to the lower lids, from the corners of the eyes to those of the mouth, and across it.
    """
    low, high = points.min(0), points.max(0)
    scale = SIDE / (AROUND * float((high - low).max()))
    shift = (SIDE - 1) / 2 - scale * (low + high) / 2
    image_from_photo = np.array([[scale, 0, shift[0]], [0, scale, shift[1]], [0, 0, 1]])
    drawn: Photo = np.array(resample(photo, image_from_photo, SIDE))
    places = apply(image_from_photo, points)
    for side in range(2):
        for outline in lines_of(side):
            _draw_line(drawn, places[outline], OUTLINE)
    for line in _measured_lines(places):
        _draw_line(drawn, line, MEASURED)
    for place in places:
        _draw_point(drawn, place)
    return drawn


def _measured_lines(places: Array) -> list[Array]:
    """Return the lines that are measured along, by the points' places (45, 2)."""
    pupils = places[PUPILS]
    across, middle = pupils[1] - pupils[0], pupils.mean(0)
    down = np.array([-across[1], across[0]]) / (across @ across)

    def below(start: Array, name: str, side: int = 0) -> Array:
        """Return the point straight below or above `start` that is as low as a point."""
        lower = (places[index_of(name, side)] - start) @ down
        return np.asarray(start + lower * down * (across @ across), np.float64)

    lines = [pupils, np.stack([middle, below(middle, "chin")]), places[COMMISSURES]]
    for side in range(2):
        lines.append(np.stack([below(pupils[side], "brow_3", side), below(pupils[side], "lower_lid_2", side)]))
        lines.append(places[[index_of("medial_canthus", side), COMMISSURES[side]]])
    return lines


def _draw_line(picture: Photo, line: Array, color: tuple[int, int, int]) -> None:
    pixels = [(line * 2**FRACTION).round().astype(np.int32)]
    for drawn_in, width in ((DARK, WIDTH + 2), (color, WIDTH)):
        cv2.polylines(picture, pixels, False, drawn_in, width, cv2.LINE_AA, FRACTION)


def _draw_point(picture: Photo, place: Array) -> None:
    x, y = (place * 2**FRACTION).round().astype(int).tolist()
    for drawn_in, radius in ((DARK, RADIUS + 1), (POINT, RADIUS)):
        cv2.circle(picture, (x, y), radius << FRACTION, drawn_in, -1, cv2.LINE_AA, FRACTION)
