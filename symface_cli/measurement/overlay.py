"""Draw the points and lines of the named measures on the photo, to be checked by eye."""

import cv2
import numpy as np

from symface_cli.geometry.types import Array, Photo
from symface_cli.measurement.points.scheme import COUNT, index_of, lines_of

DARK, LINE, POINT, LEVEL = (0, 0, 0), (255, 255, 255), (255, 220, 0), (0, 230, 255)
SHIFT = 4  # bits of a pixel's fraction: points lie between pixels
SCALED = ("commissure", "medial_canthus", "pupil", "subnasale", "chin")
PER_FACE = 150.0  # distances between the pupils in pixels, at which lines are one pixel wide


def draw_overlay(photo: Photo, points: Array) -> Photo:
    """Draw points (45, 2) of a face on a copy of its photo (H, W, 3): outlines, what is measured along, points."""
    pupils = points[[index_of("pupil", side) for side in range(2)]]
    apart = float(np.hypot(*(pupils[1] - pupils[0])))
    width = max(round(apart / PER_FACE), 1)
    drawn: Photo = np.array(photo)
    for side in range(2):
        for outline in lines_of(side):
            _draw_line(drawn, points[outline], LINE, width)
        _draw_line(drawn, points[[index_of("medial_canthus", side), index_of("commissure", side)]], LEVEL, width)
    for line in _level_lines(points, pupils):
        _draw_line(drawn, line, LEVEL, width)
    _draw_line(drawn, points[[index_of("commissure", side) for side in range(2)]], LEVEL, width)
    for point in points[:COUNT]:
        _draw_point(drawn, point, width + 1)
    return drawn


def _level_lines(points: Array, pupils: Array) -> list[Array]:
    """Return the line through the pupils, the midline across it down to the chin, and verticals through the pupils."""
    across = pupils[1] - pupils[0]
    down = np.array([-across[1], across[0]])
    middle = pupils.mean(0)
    length = float((points[index_of("chin")] - middle) @ down / (down @ down))
    lines = [np.stack([pupils[0] - 0.2 * across, pupils[1] + 0.2 * across]), np.stack([middle, middle + length * down])]
    for side, pupil in enumerate(pupils):
        brow, lid = (float((points[index_of(name, side)] - pupil) @ down / (down @ down)) for name in ENDS)
        lines.append(np.stack([pupil + brow * down, pupil + lid * down]))
    return lines


ENDS = ("brow_3", "lower_lid_2")


def _draw_line(photo: Photo, line: Array, color: tuple[int, int, int], width: int) -> None:
    pixels = [(line * 2**SHIFT).round().astype(np.int32)]
    cv2.polylines(photo, pixels, False, DARK, width + 2, cv2.LINE_AA, SHIFT)
    cv2.polylines(photo, pixels, False, color, width, cv2.LINE_AA, SHIFT)


def _draw_point(photo: Photo, point: Array, radius: int) -> None:
    x, y = (point * 2**SHIFT).round().astype(int).tolist()
    cv2.circle(photo, (x, y), (radius + 1) << SHIFT, DARK, -1, cv2.LINE_AA, SHIFT)
    cv2.circle(photo, (x, y), radius << SHIFT, POINT, -1, cv2.LINE_AA, SHIFT)
