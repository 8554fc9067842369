"""The picture of a face's asymmetry."""

import numpy as np
import pytest

from symface_cli.geometry.frames import pixel_from_normalized
from symface_cli.measurement.asymmetry import HIGHEST, Asymmetry, Estimate
from symface_cli.measurement.heatmap import COVER, LEGEND, PANEL, draw_heatmap
from symface_cli.measurement.points.scheme import COUNT

DARKEST, BRIGHTEST = (68, 1, 84), (253, 231, 37)  # the ends of viridis, as matplotlib publishes it
GRAY = 120
NOSE = PANEL // 2 - 33, PANEL // 2 + 33  # row and column, away from arrows
FOREHEAD_PIXEL = 40, PANEL // 2


def draw(displacement, color=(0.0, 0.0, 0.0)):
    """The heat map of a gray photo in which all points are displaced by so much, and differ by so much in color."""
    photo = np.full((300, 300, 3), GRAY, np.uint8)
    measured = Asymmetry(
        found=None,
        values={},
        named={},
        eye_distance=80.7,
        pupil_distance=Estimate(80.0, 0.1),
        points=np.zeros((COUNT, 2)),
        raw=False,
        displacement=np.broadcast_to(np.array(displacement, float), (17, 17, 2)),
        color=np.broadcast_to(np.array(color, float), (257, 257, 3)),
        mask=np.ones((17, 17), np.float32),
        photo_from_level=pixel_from_normalized(300),
    )
    return draw_heatmap(photo, measured)


def covered_with(color):
    return pytest.approx(GRAY + COVER * (np.array(color) - GRAY), abs=2)


def test_there_is_a_panel_each_for_shape_and_color_with_a_scale_below():
    picture = draw((0, 0)).astype(int)
    assert picture.shape == (PANEL + LEGEND, 2 * PANEL, 3)
    assert (picture[-1] == 255).all()
    assert tuple(picture[PANEL + 8, 42]) == pytest.approx(DARKEST, abs=2)
    assert tuple(picture[PANEL + 8, PANEL - 42]) == pytest.approx(BRIGHTEST, abs=3)


def test_a_symmetric_face_is_dark_all_over_and_its_forehead_is_left_out():
    picture = draw((0, 0))
    for column in (NOSE[1], PANEL + NOSE[1]):
        assert picture[NOSE[0], column] == covered_with(DARKEST)
    assert FOREHEAD_PIXEL[0] < (HIGHEST + 1) / 2 * PANEL - 2
    assert tuple(picture[FOREHEAD_PIXEL]) == (GRAY, GRAY, GRAY)


def test_shape_and_color_have_their_own_panels():
    shape = draw((9, 12))  # 15 %, the end of the scale
    assert shape[NOSE] == covered_with(BRIGHTEST)
    assert shape[NOSE[0], PANEL + NOSE[1]] == covered_with(DARKEST)
    color = draw((0, 0), (10, 10, 5))  # a Delta E of 15
    assert color[NOSE] == covered_with(DARKEST)
    assert color[NOSE[0], PANEL + NOSE[1]] == covered_with(BRIGHTEST)


def test_arrows_point_along_the_displacement():
    plain, moved = draw((0, 0)), draw((10, 0))  # to the right: 2 x 0.1 eye distances = 28 px long
    white = (moved[:PANEL, :PANEL] == 255).all(-1) & (plain[:PANEL, :PANEL] != 255).any(-1)
    row = round((PANEL - 1) / 2)  # that of the control points at height 0
    end = round((PANEL - 1) / 2)
    assert white[row, end - 24 : end - 2].all()
    assert not white[row, end + 3 : end + 20].any()
