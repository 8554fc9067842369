"""Thin-plate splines."""

import numpy as np
import pytest

from symface_cli.geometry.spline import fit_spline


def test_spline_interpolates_exactly_without_smoothing():
    random = np.random.default_rng(0)
    points, values = random.uniform(-1, 1, (12, 2)), random.normal(size=(12, 2))
    assert fit_spline(points, values, points, smoothing=0) == pytest.approx(values)


def test_spline_reproduces_an_affine_map_everywhere():
    random = np.random.default_rng(1)
    points, elsewhere = random.uniform(-1, 1, (9, 2)), random.uniform(-3, 3, (5, 2))
    matrix, shift = np.array([[2.0, -1], [0.5, 3]]), np.array([4.0, 5])
    found = fit_spline(points, points @ matrix + shift, elsewhere, smoothing=0)
    assert found == pytest.approx(elsewhere @ matrix + shift)


def test_spline_has_the_kernel_of_a_thin_plate():
    points = np.array([[0.0, 0], [1, 0], [0, 1], [1, 1]])
    values = np.array([[0.0], [0], [0], [1]])
    # By hand, with K(r) = r^2 log r, K(1) = 0, K(sqrt 2) = L = log 2: by symmetry the weights are (w, -w, -w, w) and
    # the affine part a + b (x + y). a + w L = 0, a + b - w L = 0, a + 2 b + w L = 1, so w L = 1/4, a = -1/4, b = 1/2.
    # At (0, -1): a - b + w (K(1) - K(sqrt 2) - K(2) + K(sqrt 5)), K(2) = 4 L, K(sqrt 5) = 5/2 log 5.
    expected = -0.75 + (2.5 * np.log(5) / np.log(2) - 5) / 4
    assert fit_spline(points, values, np.array([[0.0, -1]]), smoothing=0) == pytest.approx(expected)
