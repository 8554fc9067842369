"""Which side of a face is shown where."""

import numpy as np
import pytest

from symface_cli.geometry.warps import GRID, control_points
from symface_cli.inference.sides import (
    SIDES_SIZE,
    frame_sides,
    prefer_skin,
    relative_area,
    sample_shown,
    seen_on_both_sides,
    unlike_sides,
    weigh_sides,
)

LEVEL = np.array([[50.0, 0, 60], [0, 50, 60], [0, 0, 1]])
U = control_points()
STRAIGHT = 50 * U + 60
ONES = np.ones((GRID, GRID))
HALF = SIDES_SIZE // 2
EVEN = np.full((SIDES_SIZE, SIDES_SIZE), 0.5, np.float32)
SKIN = np.ones((SIDES_SIZE, SIDES_SIZE), np.float32)


def turned():
    """A warp whose left half covers three times as much of the photo as the right one."""
    x = U[..., 0]
    return np.stack([np.where(x < 0, 1.5 * x, 0.5 * x), U[..., 1]], -1) * 50 + 60


def without(rows, columns):
    """Skin, but for a patch."""
    shown = SKIN.copy()
    shown[rows, columns] = 0
    return shown


def is_shared_out(weights):
    return weights + weights[:, ::-1] == pytest.approx(np.ones_like(weights))


def test_areas_are_told_from_that_of_the_level_frame():
    assert relative_area(STRAIGHT, LEVEL) == pytest.approx(ONES)
    area = relative_area(turned(), LEVEL)
    assert area[:, :6] == pytest.approx(1.5)
    assert area[:, -6:] == pytest.approx(0.5)
    assert relative_area(STRAIGHT * [-1, 1], LEVEL) == pytest.approx(-ONES)


def test_the_nearer_side_counts_more():
    weights = weigh_sides(turned(), LEVEL, ONES)
    assert weights[:, : HALF - 12] == pytest.approx(0.75)
    assert weights[:, HALF] == pytest.approx(0.5)
    assert is_shared_out(weights)


def test_what_is_hidden_counts_little_even_if_it_is_near():
    visible = ONES.copy()
    visible[6:11, 2:6] = 0
    weights = weigh_sides(turned(), LEVEL, visible)
    assert weights[HALF, 16] < 0.01
    assert weights[HALF, -17] > 0.99
    assert weights[4, 16] == pytest.approx(0.75)


def test_a_side_that_folds_over_counts_least():
    folded = STRAIGHT.copy()
    folded[:, 12:] = STRAIGHT[:, 12:][:, ::-1]
    weights = weigh_sides(folded, LEVEL, ONES)
    assert weights[HALF, -9] < 0.01
    assert is_shared_out(weights)


def test_skin_is_shown_where_the_other_side_has_hair():
    weights = prefer_skin(EVEN, without(slice(0, 20), slice(0, HALF)))
    assert weights[10, 10] == pytest.approx(1 / (1 + np.exp(3)), rel=0.01)
    assert weights[10, -11] == pytest.approx(1 - weights[10, 10])
    assert weights[40] == pytest.approx(0.5)
    assert is_shared_out(weights)


@pytest.mark.parametrize("shown", [SKIN, 0 * SKIN])
def test_where_both_sides_show_the_same_they_count_as_before(shown):
    weights = EVEN.copy()
    weights[:, :HALF], weights[:, -HALF:] = 0.7, 0.3
    assert prefer_skin(weights, shown) == pytest.approx(weights)


def test_what_the_level_frame_shows_is_sampled_where_the_face_lies():
    shown = np.zeros((64, 64), np.float32)
    shown[:, 32:] = 1
    straight = sample_shown(shown, STRAIGHT, LEVEL)
    assert (straight[:, : HALF - 1] == 0).all() and (straight[:, HALF + 2 :] == 1).all()
    inside = np.abs(U).max(-1) < 0.8
    moved = sample_shown(shown, STRAIGHT + 12.5 * inside[..., None] * [1, 0], LEVEL)  # a quarter of half the frame
    assert (moved[HALF, 26:] == 1).all()
    assert (moved[HALF, 10:22] == 0).all()


@pytest.mark.parametrize("side", ["left", "right"])
def test_surroundings_are_those_of_the_side_that_counts_more(side):
    weights = EVEN.copy()
    weights[16:48, :HALF], weights[16:48, -HALF:] = (0.6, 0.4) if side == "left" else (0.4, 0.6)
    mask = np.zeros((GRID, GRID))
    mask[4:13, 4:13] = 1
    framed = frame_sides(weights, mask, SKIN)
    assert framed[20:44, 20:44] == pytest.approx(weights[20:44, 20:44])
    assert framed[:8, :HALF] == pytest.approx(float(side == "left"))
    assert framed[:8, -HALF:] == pytest.approx(float(side == "right"))
    assert framed[0, HALF] == 0.5
    assert is_shared_out(framed)


def test_hair_in_the_face_is_one_sides_too_unless_the_other_side_shows_skin():
    weights = EVEN.copy()
    weights[:, :HALF], weights[:, -HALF:] = 0.6, 0.4
    both = without(slice(0, 12), slice(None))
    framed = frame_sides(weights, ONES, both)
    assert framed[4, 4] == 1 and framed[4, -5] == 0
    assert framed[40] == pytest.approx(weights[40])
    one = without(slice(0, 12), slice(0, HALF))
    assert frame_sides(weights, ONES, one) == pytest.approx(weights)


@pytest.mark.parametrize(("columns", "expected"), [((2, 14), 0), ((2,), 0), ((), 1)])
def test_a_point_is_seen_on_both_sides_only_if_each_shows_it(columns, expected):
    visible = np.ones((17, 17), np.float32)
    visible[:, list(columns)] = 0.1
    seen = seen_on_both_sides(visible)
    assert (seen[:, [2, 14]] == expected).all()
    assert (seen[:, 3:14] == 1).all()


@pytest.mark.parametrize(("right", "expected"), [(0.4, 0), (0.42, 0), (0.46, 0.5), (0.6, 1)])
def test_sides_are_unlike_from_a_difference_on(right, expected):
    face = np.full((128, 128, 3), 0.4, np.float32)
    face[:, 64:] = right
    assert unlike_sides(face) == pytest.approx(np.full((17, 17), expected), abs=1e-4)


def test_sides_are_unlike_only_around_what_differs_and_on_both_sides_of_the_midline():
    face = np.full((128, 128, 3), 0.4, np.float32)
    face[52:76, 12:36] = 1
    unlike = unlike_sides(face)
    assert np.array_equal(unlike, unlike[:, ::-1])
    assert unlike[8, 3] == unlike[8, 13] == 1
    assert unlike[:5].max() == unlike[12:].max() == 0
