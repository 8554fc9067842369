"""Midlines, and the motions that lay one on another."""

import numpy as np
import pytest

from symface_cli.geometry.frames import apply, resizing_matrix
from symface_cli.geometry.midline import Midline, midline_through, motion_between


def upright(x: float, y: float = 0.0) -> Midline:
    return Midline(np.array([x, y]), np.array([0.0, 1.0]))


def test_a_midline_through_two_points_has_its_point_between_them() -> None:
    midline = midline_through(np.array([3.0, 0.0]), np.array([0.0, 4.0]))
    assert midline.point.tolist() == [1.5, 2.0]
    assert midline.direction.tolist() == [-0.6, 0.8]
    assert midline.degrees == pytest.approx(36.87, abs=0.01)
    with pytest.raises(ValueError, match="same"):
        midline_through(np.array([1.0, 2.0]), np.array([1.0, 2.0]))


def test_a_line_beside_is_reached_by_a_shift_across_alone() -> None:
    motion = motion_between(upright(10, 7), upright(13, 100))
    assert apply(motion, np.array([[10.0, 7.0], [0.0, 0.0]])).tolist() == [[13.0, 7.0], [3.0, 0.0]]


def test_a_tilted_line_is_reached_by_a_turn_about_the_point() -> None:
    tilted = Midline(np.array([0.0, 0.0]), np.array([-1.0, 0.0]))  # a quarter turn, clockwise on the screen
    motion = motion_between(upright(0, 0), tilted)
    np.testing.assert_allclose(apply(motion, np.array([[0.0, 1.0], [1.0, 0.0]])), [[-1, 0], [0, 1]], atol=1e-12)


def test_a_motion_to_the_same_line_moves_nothing() -> None:
    np.testing.assert_allclose(motion_between(upright(5, 3), upright(5, -8)), np.eye(3), atol=1e-12)


def test_resized_pixels_cover_the_same_area() -> None:
    matrix = resizing_matrix((10, 20, 3), (5, 5, 3))
    corners = np.array([[-0.5, -0.5], [19.5, 9.5]])  # the outer edges of the first and the last pixel
    np.testing.assert_allclose(apply(matrix, corners), [[-0.5, -0.5], [4.5, 4.5]])
