"""Shifts of points that register a face's sides."""

import numpy as np
import pytest

from symface_cli.geometry.frames import apply
from symface_cli.geometry.warps import control_points
from symface_cli.inference.registration import limit_shifts, move_warp


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
