"""The face's two sides blended, what is hidden filled, where the midline lies, and how wide it is from the front."""

import numpy as np
import pytest

from symface_cli.geometry.frames import apply
from symface_cli.geometry.pose import Pose
from symface_cli.geometry.warps import control_points
from symface_cli.inference.face import FacePrediction, blend_photo_sides, fill_hidden, render_face, widen
from symface_cli.inference.irises import EYE
from tests.warps import face_warp

COS_30 = 3**0.5 / 2


def test_blend_is_exactly_symmetric_and_weighted():
    face = np.zeros((32, 32, 3), np.uint8)
    face[:, :16] = 200
    weights = np.full((17, 17), 0.75, np.float32)
    weights[:, 8:] = 0.25
    blend = blend_photo_sides(face, weights)
    assert (blend == blend[:, ::-1]).all()
    assert blend[16, 2, 0] == pytest.approx(150, abs=1)  # 3/4 of 200


def test_what_is_hidden_is_drawn_and_nothing_else():
    hidden = np.zeros((17, 17), np.float32)
    hidden[4:13, 3:14] = 1
    face = fill_hidden(np.full((64, 64, 3), 100, np.float32), np.full((128, 128, 3), 200, np.uint8), hidden)
    assert (face == face[:, ::-1]).all()
    assert face[32, 32, 0] == 200
    assert face[32, 1, 0] == 100
    assert face[2, 32, 0] == 100


@pytest.mark.parametrize(("degrees", "strength"), [(0, 1), (29, 1), (35, 0.75), (-40, 0.5), (50, 0), (-80, 0)])
def test_a_face_is_changed_less_the_farther_its_head_is_turned_beyond_30_degrees(degrees, strength):
    pose = Pose(np.zeros((17, 17, 2)), float(np.sin(np.radians(degrees))), 1.0)
    assert face_warp(control_points(), pose=pose).strength == pytest.approx(strength)


# ---- the midline

TILTED = np.array([[80.0, -60, 300], [60, 80, 200], [0, 0, 1]])
"""A level frame turned by 36.87 degrees, 100 px per unit, around (300, 200)."""
X, Y = np.moveaxis(control_points(), -1, 0)
FEATURES = (np.abs(X) < 1) & (np.abs(Y) < 1) & ((Y < -0.06) | (Y > 0.32) | (np.abs(X) > 0.2))
NOSE = (np.abs(X) < 0.2) & (Y > 0.06) & (Y < 0.28)


def face_with(moved, turn=0.0, turned=0.0):
    """A face in the tilted frame, whose points are moved to the right; by a turn of so many degrees, so far of that."""
    sideways = np.stack([moved, 0 * moved], -1)
    pose = Pose(turned * sideways @ TILTED[:2, :2].T, float(np.sin(np.radians(turn))), 1.0)
    return face_warp(apply(TILTED, control_points() + sideways), pose=pose)


def aside(midline):
    """How far a midline lies to the right of the tilted frame's, in its units."""
    x, _ = apply(np.linalg.inv(TILTED), midline.point)
    return x


def test_the_midline_of_a_symmetric_face_is_that_of_its_frame():
    narrower = face_warp(apply(TILTED, control_points() * np.stack([0.9 + 0 * X, 1 + 0 * Y], -1)))
    for face in (face_with(0 * X), narrower):
        assert aside(face.midline) == pytest.approx(0, abs=1e-9)
        assert face.midline.direction == pytest.approx([-0.6, 0.8])
        assert face.midline.degrees == pytest.approx(36.87, abs=0.01)


def test_the_midline_goes_through_the_features_and_not_with_the_nose():
    assert aside(face_with(0.05 * FEATURES).midline) == pytest.approx(0.05, abs=0.001)
    assert aside(face_with(0.1 * NOSE).midline) == pytest.approx(0, abs=0.001)
    assert face_with(0.05 * FEATURES).midline.direction == pytest.approx([-0.6, 0.8])


@pytest.mark.parametrize(
    ("turn", "turned", "expected"),
    [
        (2, 1, 0.08),  # as good as frontal
        (12, 1, 0.02),  # three of twelve degrees count
        (-12, 1, 0.02),
        (12, 0.5, 0.05),  # half of it is the face's own
        (0, 1, 0.08),
    ],
)
def test_what_a_far_turn_does_to_the_midline_is_taken_out(turn, turned, expected):
    assert aside(face_with(0.08 * FEATURES, turn, turned).midline) == pytest.approx(expected, abs=0.001)


def test_the_mirrored_face_has_the_mirrored_midline():
    random = np.random.default_rng(0)
    warp = apply(TILTED, control_points() + random.normal(0, 0.05, (17, 17, 2)))
    displacement = random.normal(0, 5, (17, 17, 2))
    ours = face_warp(warp, pose=Pose(displacement, 0.2, 1.0)).midline
    mirrored = face_warp(warp[:, ::-1] * [-1, 1] + [639, 0], pose=Pose(displacement[:, ::-1] * [-1, 1], -0.2, 1.0))
    assert mirrored.midline.point == pytest.approx(ours.point * [-1, 1] + [639, 0], abs=1e-6)
    assert mirrored.midline.direction == pytest.approx(ours.direction * [-1, 1], abs=1e-9)


# ---- as from the front


def turned(degrees, mask=None):
    """A face in the middle of a photo of 101 x 101 pixels, whose head is turned."""
    pose = Pose(np.zeros((17, 17, 2)), float(np.sin(np.radians(degrees))), 1.0)
    return face_warp(50 + 40 * control_points(), mask, pose=pose)


def nothing_decoded():
    return np.zeros((128, 128, 3), np.uint8)


@pytest.mark.parametrize(("degrees", "width"), [(0, 1), (30, COS_30), (-30, COS_30), (70, COS_30)])
def test_a_turned_face_is_made_as_wide_as_from_the_front(degrees, width):
    x, y = np.moveaxis(control_points(), -1, 0)
    frontal = FacePrediction(nothing_decoded, turned(degrees, mask=1 - x**2)).frontal.warp
    assert frontal.photo_from_face == pytest.approx(50 + 40 * np.stack([width * x, y], -1))
    assert frontal.mask == pytest.approx(1 - (width * x) ** 2, abs=1e-4)
    assert frontal.irises.places[:, 0] == pytest.approx([-EYE[0] / width, EYE[0] / width])
    assert frontal.pose.yaw_degrees == 0


def test_what_is_as_wide_as_from_the_front_is_not_made_wider():
    photo = np.random.default_rng(0).integers(0, 256, (101, 101, 3), np.uint8)
    once = FacePrediction(nothing_decoded, turned(30)).frontal
    assert (render_face(photo, once) == render_face(photo, FacePrediction(nothing_decoded, turned(30)))).all()
    assert (once.frontal.warp.photo_from_face == once.warp.photo_from_face).all()


def test_a_decoded_face_is_as_wide_too_and_exactly_symmetric():
    decoded = nothing_decoded()
    decoded[:, 32:96] = 200
    wide = FacePrediction(lambda: decoded, turned(30)).frontal.decoded
    assert (wide == wide[:, ::-1]).all()
    edge = 63.5 - 32 / COS_30  # 26.5: between this column and the next one
    assert wide[:, : int(edge)].max() < 40 and wide[:, int(edge) + 2 : 64].min() > 160
    assert (FacePrediction(lambda: decoded, turned(0)).frontal.decoded == decoded).all()


def test_widening_keeps_straight_lines_straight():
    line = np.tile(np.linspace(-1, 1, 17), (5, 1))
    assert widen(line, 0.5) == pytest.approx(line / 2)
    assert widen(line, 1.0) == pytest.approx(line)
