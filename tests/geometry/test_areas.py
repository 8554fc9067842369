"""Where the parts of a face lie in its frame."""

import numpy as np
import pytest

from symface_cli.geometry.areas import BROWS, EYES, JAW, MOUTH, NOSE, area_weights, left_half
from symface_cli.geometry.warps import control_points

X, Y = np.moveaxis(control_points(), -1, 0)


def test_an_area_is_drawn_where_its_corners_are():
    rows, columns = np.nonzero(left_half(EYES, 101))  # 50 px per unit, (0, 0) at 50
    assert (columns.min(), columns.max()) == (30, 44)
    assert (rows.min(), rows.max()) == (40, 48)  # -2.5 px is rounded to -2


@pytest.mark.parametrize("area", [BROWS, EYES, NOSE, MOUTH, JAW])
def test_the_left_half_of_an_area_lies_on_the_left(area):
    assert left_half(area)[:, :129].sum() > 500
    assert not left_half(area)[:, 129:].any()


def test_weights_are_symmetric_and_those_of_the_areas_that_are_named():
    weights = area_weights(BROWS, MOUTH)
    assert weights == pytest.approx(weights[:, ::-1])
    assert weights.min() >= 0 and weights.max() <= 1
    brow, lips, nose_tip, edge = (
        (np.abs(X) == 0.375) & (Y == -0.25),
        (X == 0) & (Y == 0.5),
        (X == 0) & (Y == 0.125),
        np.maximum(np.abs(X), np.abs(Y)) == 1,
    )
    assert weights[brow] == pytest.approx(np.full(2, weights[brow][0])) and weights[brow][0] > 0.7
    assert weights[lips][0] > 0.7
    assert weights[nose_tip | edge].max() < 0.01
    assert area_weights(BROWS, MOUTH, NOSE)[nose_tip][0] > 0.7
