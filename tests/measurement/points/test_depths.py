"""How far the parts of a face stand out, told from where its points lie."""

import numpy as np
import pytest
from safetensors.numpy import load

from symface_cli.geometry.warps import GRID
from symface_cli.measurement.points.depths import HALF_GRID, describe_places, find_nearer, load_depths, pack
from symface_cli.measurement.points.places import Regression, unfold
from symface_cli.measurement.points.scheme import COUNT, MIDDLE, SIDED, index_of

HALF = np.random.default_rng(3).uniform(-0.6, 0.6, (len(SIDED) + len(MIDDLE), 2))
HALF[len(SIDED) :, 0] = 0
CHEEK = (8, 4)  # row and column of a control point at (-0.5, 0)


def usual_places():
    """The points of a face of which nothing is unusual."""
    mean = load_depths().mean
    half = np.zeros((len(SIDED) + len(MIDDLE), 2))
    half[: len(SIDED)] = mean[: 2 * len(SIDED)].reshape(-1, 2)
    half[len(SIDED) :, 1] = mean[2 * len(SIDED) :]
    return unfold(half)


def test_a_half_and_the_heights_of_the_midline_are_looked_at():
    looked_at = describe_places(unfold(HALF))
    assert looked_at[: 2 * len(SIDED)] == pytest.approx(HALF[: len(SIDED)].ravel())
    assert looked_at[2 * len(SIDED) :] == pytest.approx(HALF[len(SIDED) :, 1])


def test_a_regression_is_unfolded_to_both_sides():
    weights = np.zeros((45, GRID * HALF_GRID), np.float32)
    weights[0, CHEEK[0] * HALF_GRID + CHEEK[1]] = 2.0
    model = Regression(np.zeros(45, np.float32), weights, np.zeros(GRID * HALF_GRID, np.float32))
    nearer = find_nearer(unfold(HALF), model)
    expected = np.zeros((GRID, GRID))
    expected[CHEEK] = expected[CHEEK[0], GRID - 1 - CHEEK[1]] = 2 * HALF[0, 0]
    assert nearer == pytest.approx(expected)


def test_a_usual_face_is_nearly_an_average_head():
    assert usual_places().shape == (COUNT, 2)
    assert np.abs(find_nearer(usual_places(), load_depths())).max() < 0.05  # of 0.4 by which a nose stands out


def test_of_a_raised_head_what_is_low_lies_nearer_and_what_is_high_farther():
    usual, raised = usual_places(), usual_places()
    raised[index_of("nose_tip"), 1] -= 0.04
    change = find_nearer(raised, load_depths()) - find_nearer(usual, load_depths())
    assert change[14, GRID // 2] > 0.01
    assert change[3, GRID // 2] < -0.01


def test_the_file_holds_the_regression_in_half_precision():
    model = load_depths()
    arrays = load(pack(model))
    assert arrays["weights"].dtype == np.float16
    assert arrays["weights"].astype(np.float32) == pytest.approx(model.weights, abs=1e-6)
