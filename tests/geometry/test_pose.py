"""What of a warp is the head's pose, and what the face's own asymmetry."""

import numpy as np
import pytest

from symface_cli.geometry.frames import apply
from symface_cli.geometry.pose import Pose, face_from_level, pose_of_warp
from symface_cli.geometry.warps import GRID, control_points, similarity_of_warp

U = control_points()
ONES = np.ones((GRID, GRID))
LINEAR = 80 * np.array([[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]])
LEVEL = np.vstack([np.hstack([LINEAR, [[200], [150]]]), [0, 0, 1]])
"""The similarity: a face that is tilted by 0.3 in a photo, its frame 160 px high."""


def bump(low, high, points=U):
    """Smooth between two heights and within |x| < 0.8, 0 elsewhere; equal to its mirror image."""
    x, y = points[..., 0], points[..., 1]
    inside = (abs(x) < 0.8) & (low < y) & (y < high)
    return inside * np.cos(x / 0.8 * np.pi / 2) ** 2 * np.sin((y - low) / (high - low) * np.pi) ** 2


def sideways(amount):
    return np.stack([amount, 0 * amount], -1)


FIELD = 0.3 * sideways(bump(-0.8, 0.1))  # to one side on both sides, so that it is odd
EVEN = 0.1 * np.stack([U[..., 0] * bump(-0.8, 0.8), bump(-0.8, 0.8)], -1)  # narrower, and lower
REST = 0.2 * sideways(bump(0.1, 0.8))  # odd, too, but where the field is 0


def warp_of(displacement):
    return apply(LEVEL, U + displacement)


def pose_of(warp, mask, field):
    return pose_of_warp(warp, similarity_of_warp(warp), mask, field)


@pytest.mark.parametrize("turn", [0.4, -0.2])
def test_a_warp_is_split_into_the_parts_that_it_was_made_of(turn):
    pose = pose_of(warp_of(EVEN + turn * FIELD + REST), ONES, FIELD)
    assert pose.turn == pytest.approx(turn)
    assert pose.displacement == pytest.approx((EVEN + turn * FIELD) @ LINEAR.T)
    explained = turn**2 * (FIELD**2).sum()
    assert pose.share == pytest.approx(explained / (explained + (REST**2).sum()))


def test_only_what_the_mask_trusts_is_projected():
    trusted = (U[..., 1] < 0.1).astype(float)
    pose = pose_of(warp_of(0.4 * FIELD + REST), trusted, FIELD + 5 * REST)
    assert pose.turn == pytest.approx(0.4)
    assert pose.share == pytest.approx(1)


def test_a_mirrored_photo_is_turned_the_other_way():
    warp = warp_of(EVEN + 0.4 * FIELD + REST)
    mirrored = warp[:, ::-1] * [-1, 1] + [639, 0]
    ours, theirs = (pose_of(points, ONES, FIELD) for points in (warp, mirrored))
    assert theirs.turn == pytest.approx(-ours.turn)
    assert theirs.share == pytest.approx(ours.share)
    assert theirs.displacement == pytest.approx(ours.displacement[:, ::-1] * [-1, 1])


def test_a_field_of_zeros_knows_no_pose():
    pose = pose_of(warp_of(EVEN + REST), ONES, 0 * FIELD)
    assert (pose.turn, pose.share) == (0, 0)
    assert pose.displacement == pytest.approx(EVEN @ LINEAR.T)


@pytest.mark.parametrize(("turn", "degrees"), [(0, 0), (0.5, 30), (-0.5, -30), (1.2, 90), (-1.2, -90)])
def test_the_yaw_is_the_angle_whose_sine_is_the_turn(turn, degrees):
    assert Pose(0 * FIELD, turn, 1.0).yaw_degrees == pytest.approx(degrees)


def test_a_pose_is_inverted():
    moved = face_from_level((EVEN + 0.7 * FIELD) @ LINEAR.T, LEVEL)
    back = moved + 0.21 * sideways(bump(-0.8, 0.1, moved))
    back += 0.1 * np.stack([moved[..., 0] * bump(-0.8, 0.8, moved), bump(-0.8, 0.8, moved)], -1)
    level = control_points(len(moved))
    assert back == pytest.approx(level, abs=0.005)
    assert np.abs(moved - level).max() > 0.15


def test_the_near_side_of_a_face_is_found_however_much_it_is_stretched():
    """By up to 2.3; the far side is folded over."""
    moved = face_from_level(2.2 * FIELD @ LINEAR.T, LEVEL)
    back = moved + 0.66 * sideways(bump(-0.8, 0.1, moved))
    near = moved[..., 0] < 0
    assert back[near] == pytest.approx(control_points(len(moved))[near], abs=0.02)
    assert near.sum() > 600


def test_without_a_pose_the_level_frame_is_the_face_frame():
    assert face_from_level(0 * FIELD, LEVEL) == pytest.approx(control_points(33))
