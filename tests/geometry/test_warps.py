"""Smooth up-sampling of warps."""

import numpy as np
import pytest

from symface_cli.geometry.warps import enlarging_weights


def test_enlarging_keeps_straight_lines_straight_to_the_edge():
    assert enlarging_weights(17, 100) @ np.linspace(-1, 1, 17) == pytest.approx(np.linspace(-1, 1, 100))


def test_enlarging_passes_through_the_values_and_is_cubic_between():
    values = np.array([0.0, 0, 1, 0, 0])
    fine = enlarging_weights(5, 9) @ values
    assert fine == pytest.approx([0, -1 / 16, 0, 9 / 16, 1, 9 / 16, 0, -1 / 16, 0])  # Catmull-Rom at the half
