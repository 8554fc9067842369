"""Named measures follow their formulas, whatever the place, size and roll of a face, and its mirror image."""

import math

import numpy as np
import pytest

from symface_cli.measurement.measures import BY_NAME, MEASURES, crossing, measure_points, upright
from symface_cli.measurement.points.scheme import (
    COUNT,
    MIDDLE,
    MIRROR,
    SIDED,
    index_of,
    mirror_points,
    name_points,
)

RIGHT = {
    "pupil": (50, 0),
    "medial_canthus": (25, 5),
    "lateral_canthus": (75, -5),
    "upper_lid_1": (65, -12),
    "upper_lid_2": (52, -14),
    "upper_lid_3": (36, -10),
    "lower_lid_1": (65, 6),
    "lower_lid_2": (52, 8),
    "lower_lid_3": (36, 8),
    "brow_1": (80, -20),
    "brow_2": (70, -30),
    "brow_3": (60, -36),
    "brow_4": (40, -40),
    "brow_5": (20, -30),
    "ala": (18, 70),
    "commissure": (40, 100),
    "upper_lip_1": (25, 94),
    "upper_lip_2": (10, 90),
    "lower_lip_1": (25, 106),
    "lower_lip_2": (10, 112),
}
MIDLINE = {"nose_tip": (0, 50), "subnasale": (0, 68), "upper_lip": (0, 92), "lower_lip": (0, 114), "chin": (0, 160)}


def points_of(left=(), middle=()):
    """A symmetric face with the pupils 100 apart, but for points of its (viewer's) left side and of the middle."""
    points = np.zeros((COUNT, 2))
    for name, (x, y) in RIGHT.items():
        points[index_of(name, 1)] = x, y
        points[index_of(name, 0)] = -x, y
    for name, place in MIDLINE.items():
        points[index_of(name)] = place
    for name, place in dict(left).items():
        points[index_of(name, 0)] = place
    for name, place in dict(middle).items():
        points[index_of(name)] = place
    return points


def moved(points, degrees=20.0, scale=3.0):
    c, s = scale * math.cos(math.radians(degrees)), scale * math.sin(math.radians(degrees))
    return points @ np.array([[c, s], [-s, c]]) + [300, 200]


def test_every_point_has_a_place_a_partner_and_a_name():
    assert set(RIGHT) == set(SIDED)
    assert set(MIDLINE) == set(MIDDLE)
    assert (MIRROR[MIRROR] == np.arange(COUNT)).all()
    names = name_points("person")
    assert len(set(names)) == COUNT
    assert names[index_of("commissure", 1)] == "commissure_left"  # the right of the image is the person's left
    assert name_points("viewer")[index_of("commissure", 1)] == "commissure_right"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fai", math.hypot(40 - 25, 100 - 5)),
        ("commissure_excursion", math.hypot(40, 114 - 100)),
        ("commissure_height", 100),
        ("smile_angle", 90 + math.degrees(math.atan2(14, 40))),
        ("upper_lip_height", 92 + 2 / 3),  # at x = 20, between (25, 94) and (10, 90)
        ("lower_lip_height", 108),  # at x = 20, between (25, 106) and (10, 112)
        ("mrd1", 14 - 2 * 4 / 16),  # at x = 50, between (52, -14) and (36, -10)
        ("mrd2", 8),
        ("fissure_height", 8 + 14 - 2 * 4 / 16),
        ("brow_height", 38),
    ],
)
def test_a_side_has_the_value_of_its_formula(name, value):
    factor = 1.0 if BY_NAME[name].dimension == "angle" else 0.01
    measured = measure_points(moved(points_of()))[name]
    assert measured.left == pytest.approx(factor * value)
    assert measured.right == pytest.approx(factor * value)
    assert measured.diff == pytest.approx(0, abs=1e-12)


def test_the_difference_is_left_less_right_and_all_directions_go_to_the_left():
    lower = points_of({"commissure": (-40, 104)}, {"subnasale": (-3, 68), "chin": (2, 160)})
    measured = measure_points(moved(lower))
    assert measured["commissure_height"].diff == pytest.approx(0.04)
    assert measured["mouth_cant"].diff == pytest.approx(math.degrees(math.atan2(4, 80)))
    assert measured["nose_deviation"].diff == pytest.approx(0.03)
    assert measured["chin_deviation"].diff == pytest.approx(-0.02)
    assert math.isnan(measured["mouth_cant"].left)


def test_a_mirror_image_has_exactly_the_same_values_with_the_sides_exchanged():
    generator = np.random.default_rng(2)
    points = moved(points_of()) + generator.normal(size=(COUNT, 2))
    mirrored = measure_points(mirror_points(points))
    for name, values in measure_points(points).items():
        left, right, diff = values.exchanged()
        assert mirrored[name].diff == diff
        if BY_NAME[name].is_sided:
            assert (mirrored[name].left, mirrored[name].right) == (left, right)


def test_of_a_symmetric_face_every_difference_is_exactly_0():
    assert [values.diff for values in measure_points(points_of() * 0.0054).values()] == [0] * len(MEASURES)


def test_upright_pupils_are_level_and_one_apart():
    points = upright(moved(points_of()))
    assert points[index_of("pupil", 0)] == pytest.approx([-0.5, 0], abs=1e-12)
    assert points[index_of("pupil", 1)] == pytest.approx([0.5, 0])


@pytest.mark.parametrize(
    ("line", "height"),
    [
        ([(2, 0), (-2, 4)], 2),
        ([(3, 9), (1, 1), (0, 5), (-1, 7)], 5),
        ([(5, 0), (4, 1), (2, 3)], 5),  # ends before: goes on straight
        ([(-1, 3), (-2, 4)], 2),
        ([(0, 3), (0, 5)], 4),
    ],
)
def test_a_line_crosses_the_vertical_where_it_does(line, height):
    assert crossing(np.array(line, float)) == pytest.approx(height)
