"""The face's two sides blended, and what is hidden filled, at the photo's own resolution."""

import numpy as np
import pytest

from symface_cli.geometry.pose import Pose
from symface_cli.geometry.warps import control_points
from symface_cli.inference.face import blend_photo_sides, fill_hidden
from tests.warps import face_warp


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
