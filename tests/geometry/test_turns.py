"""How far a head is turned, told from what is asymmetric about its face."""

import math

import numpy as np
import pytest

from symface_cli.geometry.turns import Turn, find_turn, sure_share
from symface_cli.geometry.warps import GRID, control_points

X, Y = np.moveaxis(control_points(), -1, 0)
MASK = np.ones((GRID, GRID))


def sideways(amount):
    return np.stack([amount, 0 * amount], -1)


def bump(center, width, height):
    """A bump on the midline, odd when it moves points sideways."""
    return sideways(height * np.exp(-(X**2 + (Y - center) ** 2) / (2 * width**2)))


FIELD = sideways(0.4 - 1.1 * X**2)
"""Of a head that is a parabola from ear to ear."""


@pytest.mark.parametrize("sine", [0.2, -0.05])
def test_a_turn_is_found_whatever_the_shift_and_the_roll(sine):
    roll = 0.03 * np.stack([-Y, X], -1)
    turn = find_turn(sine * FIELD + roll + [0.02, 0], FIELD, MASK)
    assert turn.sine == pytest.approx(sine)
    assert turn.moved == pytest.approx(sine * FIELD)


def test_the_nod_of_a_turned_head_belongs_to_the_turn():
    nodding = 0.3 * (FIELD + 0.1 * sideways(Y))
    assert find_turn(nodding, FIELD, MASK).moved == pytest.approx(nodding, abs=0.003)


def test_a_head_that_is_not_turned_does_not_nod():
    assert find_turn(0.03 * sideways(Y), FIELD, MASK).moved == pytest.approx(0, abs=0.002)


def test_a_bent_nose_is_no_turn():
    assert abs(find_turn(bump(0.15, 0.06, 0.05), FIELD, MASK).sine) < 0.001


def test_what_moves_a_part_of_a_face_counts_little():
    mouth = find_turn(0.1 * FIELD + bump(0.45, 0.1, 0.08), FIELD, MASK)
    assert mouth.sine == pytest.approx(0.1, abs=0.01)


def test_the_mirror_image_is_turned_the_other_way():
    odd = 0.1 * FIELD + bump(0.45, 0.1, 0.03) + 0.02 * np.stack([0 * X, X], -1)
    ours, theirs = (find_turn(each, FIELD, MASK) for each in (odd, -odd))
    assert theirs.sine == pytest.approx(-ours.sine)
    assert theirs.moved == pytest.approx(-ours.moved)


def test_a_head_that_nods_is_turned_the_other_way_in_the_mirror_image():
    odd = 0.1 * (FIELD + 0.2 * sideways(Y)) + bump(0.45, 0.1, 0.03)
    ours, theirs = (find_turn(each, FIELD, MASK) for each in (odd, -odd))
    assert theirs.moved == pytest.approx(-ours.moved)


def test_where_no_field_is_known_there_is_no_turn():
    turn = find_turn(0.1 * FIELD, 0 * FIELD, MASK)
    assert turn.sine == 0
    assert not turn.moved.any()


@pytest.mark.parametrize(("degrees", "share"), [(0.5, 0.002), (2.5, 0.5), (5, 0.941), (-5, 0.941)])
def test_a_turn_is_taken_out_as_far_as_it_is_sure(degrees, share):
    turn = Turn(math.sin(math.radians(degrees)), FIELD)
    assert sure_share(turn.sine) == pytest.approx(share, abs=0.002)
    assert turn.sure_part().sine == pytest.approx(share * turn.sine, abs=0.002)
    assert turn.sure_part().moved == pytest.approx(share * FIELD, abs=0.002)
