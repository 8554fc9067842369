"""What is measured is drawn where it is."""

import numpy as np

from symface_cli.measurement.overlay import AROUND, MEASURED, POINT, SIDE, draw_overlay
from symface_cli.measurement.points.scheme import index_of
from tests.measurement.test_measures import moved, points_of

GRAY = 120


def place_in(points, name, side=0):
    """The pixel (row, column) of a point in the drawing."""
    low, high = points.min(0), points.max(0)
    scale = SIDE / (AROUND * (high - low).max())
    x, y = scale * (points[index_of(name, side)] - (low + high) / 2) + (SIDE - 1) / 2
    return round(y), round(x)


def test_points_and_lines_are_drawn_on_the_face():
    points = moved(points_of(), degrees=0, scale=1.0)
    picture = draw_overlay(np.full((500, 600, 3), GRAY, np.uint8), points)
    assert picture.shape == (SIDE, SIDE, 3)
    for name, side in (("pupil", 0), ("chin", 0), ("commissure", 1), ("nose_tip", 0)):
        assert tuple(picture[place_in(points, name, side)]) == POINT
    row, column = place_in(points, "nose_tip")
    assert tuple(picture[row + 30, column]) == MEASURED  # the midline
    assert tuple(picture[row, column + 60]) == (GRAY, GRAY, GRAY)


def test_the_photo_stays_as_it_is():
    photo = np.full((SIDE, SIDE, 3), GRAY, np.uint8)
    draw_overlay(photo, moved(points_of(), degrees=5, scale=4.0))
    assert (photo == GRAY).all()
