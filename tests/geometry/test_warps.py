"""Smooth up-sampling of warps."""

import numpy as np
import pytest

from symface_cli.geometry.frames import fit_similarity
from symface_cli.geometry.warps import (
    areas_of_warp,
    control_points,
    enlarging_weights,
    similarity_of_warp,
    slope_matrix,
)


def test_enlarging_keeps_straight_lines_straight_to_the_edge():
    assert enlarging_weights(17, 100) @ np.linspace(-1, 1, 17) == pytest.approx(np.linspace(-1, 1, 100))


def test_enlarging_passes_through_the_values_and_is_cubic_between():
    values = np.array([0.0, 0, 1, 0, 0])
    fine = enlarging_weights(5, 9) @ values
    assert fine == pytest.approx([0, -1 / 16, 0, 9 / 16, 1, 9 / 16, 0, -1 / 16, 0])  # Catmull-Rom at the half


def test_slopes_are_those_of_the_neighbors():
    assert slope_matrix(5) @ np.arange(5.0) ** 2 == pytest.approx([1, 2, 4, 6, 7])


def test_a_cell_of_a_warp_covers_the_area_of_its_parallelogram():
    down, across = np.mgrid[:17, :17]
    warp = np.stack([3 * across + down, 2 * down - across], -1)
    assert areas_of_warp(warp) == pytest.approx(np.full((17, 17), 3 * 2 + 1))
    assert areas_of_warp(warp[:, ::-1]) == pytest.approx(np.full((17, 17), -7))  # folded over


def test_the_similarity_of_a_warp_is_that_of_least_squares_at_its_edge():
    warp = 60 * control_points() + 100 + np.random.default_rng(0).normal(size=(17, 17, 2))
    edge = np.abs(control_points()).max(-1) == 1
    expected = fit_similarity(control_points()[edge], warp[edge], np.ones(64))
    warp[1:-1, 1:-1] += 50  # within, it may be anything
    assert similarity_of_warp(warp) == pytest.approx(expected, abs=1e-9)
