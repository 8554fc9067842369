"""How a turn moves the parts of a head, told from where its points lie."""

import numpy as np
import pytest
from safetensors.numpy import load

from symface_cli.files import bundled
from symface_cli.geometry.turns import NARROWING
from symface_cli.geometry.warps import GRID, control_points
from symface_cli.measurement.points.fields import (
    HALF_GRID,
    HeadModel,
    describe_places,
    field_of_head,
    find_nearer,
    load_heads,
    pack,
)
from symface_cli.measurement.points.places import Regression, unfold
from symface_cli.measurement.points.scheme import COUNT, MIDDLE, SIDED, index_of

HALF = np.random.default_rng(3).uniform(-0.6, 0.6, (len(SIDED) + len(MIDDLE), 2))
HALF[len(SIDED) :, 0] = 0
CHEEK = (8, 4)  # row and column of a control point at (-0.5, 0)
X, Y = np.moveaxis(control_points(), -1, 0)
FIELD = np.stack([0.4 - X**2, 0.3 * X * Y**2], -1)


def usual_places():
    """The points of a face of which nothing is unusual."""
    mean = load_heads().nearer.mean
    half = np.zeros((len(SIDED) + len(MIDDLE), 2))
    half[: len(SIDED)] = mean[: 2 * len(SIDED)].reshape(-1, 2)
    half[len(SIDED) :, 1] = mean[2 * len(SIDED) :]
    return unfold(half)


def heads(usual, weight=0.0):
    """Heads whose cheeks are nearer by `weight` times the first number that is looked at."""
    weights = np.zeros((45, GRID * HALF_GRID), np.float32)
    weights[0, CHEEK[0] * HALF_GRID + CHEEK[1]] = weight
    nothing = np.zeros(GRID * HALF_GRID, np.float32)
    return HeadModel(usual.astype(np.float32), Regression(np.zeros(45, np.float32), weights, nothing))


def test_a_half_and_the_heights_of_the_midline_are_looked_at():
    looked_at = describe_places(unfold(HALF))
    assert looked_at[: 2 * len(SIDED)] == pytest.approx(HALF[: len(SIDED)].ravel())
    assert looked_at[2 * len(SIDED) :] == pytest.approx(HALF[len(SIDED) :, 1])


def test_depths_are_unfolded_to_both_sides():
    expected = np.zeros((GRID, GRID))
    expected[CHEEK] = expected[CHEEK[0], GRID - 1 - CHEEK[1]] = 2 * HALF[0, 0]
    assert find_nearer(unfold(HALF), heads(FIELD, 2.0)) == pytest.approx(expected)


def test_what_stands_out_more_is_moved_more_by_a_turn():
    places = unfold(HALF)
    change = field_of_head(FIELD, places, heads(FIELD, 2.0)) - field_of_head(FIELD, places, heads(FIELD))
    assert change[..., 0] == pytest.approx(NARROWING * find_nearer(places, heads(FIELD, 2.0)), abs=1e-6)
    assert not change[..., 1].any()


def test_three_quarters_of_what_moves_sideways_and_all_that_moves_down_is_that_of_rendered_heads():
    more = np.stack([Y**2, 0 * X], -1)
    assert field_of_head(FIELD, unfold(HALF), heads(FIELD + more)) == pytest.approx(FIELD + 0.75 * more, abs=1e-6)
    lower = np.stack([0 * X, X * (Y > 0.3)], -1)  # below the eyes: no roll of them
    assert field_of_head(FIELD, unfold(HALF), heads(FIELD + lower)) == pytest.approx(FIELD + lower, abs=1e-6)


def test_by_how_much_rendered_heads_roll_does_not_matter():
    roll = 0.2 * np.stack([-Y, X], -1)
    places = unfold(HALF)
    assert field_of_head(FIELD, places, heads(FIELD + roll)) == pytest.approx(FIELD, abs=1e-6)


def test_where_no_field_is_known_no_head_has_one():
    assert not field_of_head(0 * FIELD, unfold(HALF), load_heads()).any()


def test_a_usual_head_turns_nearly_as_people_do():
    people = load(bundled("models", "symface.safetensors").read_bytes())["pose_field"]
    usual = field_of_head(people, usual_places(), load_heads())
    inner = (np.abs(X) < 0.5) & (np.abs(Y) < 0.8)
    assert usual_places().shape == (COUNT, 2)
    assert np.abs(usual - people)[inner].max() < 0.15  # of 0.6 by which a nose moves


def test_of_a_raised_head_what_is_low_lies_nearer_and_what_is_high_farther():
    usual, raised = usual_places(), usual_places()
    raised[index_of("nose_tip"), 1] -= 0.04
    change = find_nearer(raised, load_heads()) - find_nearer(usual, load_heads())
    assert change[14, GRID // 2] > 0.01
    assert change[3, GRID // 2] < -0.01


def test_the_file_holds_the_regression_in_half_precision():
    model = load_heads()
    arrays = load(pack(model))
    assert arrays["weights"].dtype == np.float16
    assert arrays["weights"].astype(np.float32) == pytest.approx(model.nearer.weights, abs=1e-6)
    assert arrays["usual"] == pytest.approx(model.usual)
