"""Shifts of points that register a face's sides."""

import math

import cv2
import numpy as np
import pytest

from symface_cli.geometry.frames import apply
from symface_cli.geometry.warps import control_points
from symface_cli.inference.registration import limit_shifts, move_warp, register_sides


def test_long_shifts_are_shortened_and_short_ones_are_not():
    shifts = np.array([[[0.001, 0], [0, -0.3]], [[0.03, 0.04], [0, 0]]])
    limited = limit_shifts(shifts, 0.05)
    assert limited[0, 0] == pytest.approx([0.001, 0], rel=1e-3)
    assert limited[0, 1] == pytest.approx([0, -0.05], abs=1e-6)
    assert limited[1, 0] == pytest.approx([0.6 * 0.05 * np.tanh(1), 0.8 * 0.05 * np.tanh(1)])
    assert not limited[1, 1].any()


def test_a_warp_moves_along_with_its_points():
    affine = np.array([[90.0, 8, 50], [-5, 110, 70], [0, 0, 1]])
    shift = np.broadcast_to([0.02, -0.03], (17, 17, 2))
    assert move_warp(apply(affine, control_points()), shift) == pytest.approx(apply(affine, control_points() + shift))


# ---- what is believed

EVERYWHERE = np.ones((17, 17), np.float32)
NOT_MOVED = np.zeros((17, 17, 2))


@pytest.fixture(scope="module")
def unlike():
    """A picture, (129, 129, 3), whose sides have nothing in common."""
    noise = cv2.GaussianBlur(np.random.default_rng(5).normal(size=(129, 129)), (0, 0), 2)
    gray = (128 + 40 * noise / noise.std()).clip(0, 255).astype(np.uint8)
    return np.repeat(gray[..., None], 3, axis=2)


def mean_length(shifts):
    return np.hypot(*np.moveaxis(shifts, -1, 0)).mean()


def test_sides_that_do_not_look_alike_are_moved_less_the_less_is_expected(unlike):
    apart = (math.inf, 0.03, 0.01, 0.003)
    lengths = [mean_length(register_sides(unlike, EVERYWHERE, NOT_MOVED, deviation)) for deviation in apart]
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[-1] < 0.1 * lengths[0]


def test_what_earlier_rounds_have_moved_is_taken_back_where_nothing_is_expected(unlike):
    moved = np.broadcast_to([0.01, -0.02], (17, 17, 2))
    assert register_sides(unlike, EVERYWHERE, moved, 1e-5) == pytest.approx(-moved, abs=1e-4)


def test_without_an_expectation_earlier_rounds_count_for_next_to_nothing(unlike):
    first, second = (register_sides(unlike, EVERYWHERE, moved, math.inf) for moved in (NOT_MOVED, NOT_MOVED + 0.01))
    assert second == pytest.approx(first, abs=1e-3)


@pytest.mark.parametrize("apart", [0.01, math.inf])
def test_a_picture_that_equals_its_mirror_image_is_not_moved(unlike, apart):
    symmetric = np.maximum(unlike, unlike[:, ::-1])
    assert register_sides(symmetric, EVERYWHERE, NOT_MOVED, apart) == pytest.approx(NOT_MOVED, abs=1e-7)


@pytest.mark.parametrize("apart", [0.01, math.inf])
def test_points_are_moved_by_the_opposite_of_the_mirror_image_of_their_partners_shifts(unlike, apart):
    shifts = register_sides(unlike, EVERYWHERE, NOT_MOVED, apart)
    assert shifts == pytest.approx(-shifts[:, ::-1] * [-1, 1], abs=1e-6)
    assert mean_length(shifts) > 1e-4
