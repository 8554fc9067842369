"""Yaw: exact on a head made by hand, near to what the point model of CLNF says of turned heads."""

import numpy as np
import pytest
from numpy.typing import NDArray

from symface_cli.landmarks import scheme
from symface_cli.landmarks.pdm import Pose, load_points
from symface_cli.landmarks.pose import find_yaw
from tests.conftest import SHARED

ANGLES = (-40.0, -20.0, -5.0, 0.0, 10.0, 30.0)


def head(degrees: float) -> NDArray[np.float64]:
    """68 landmarks (68, 2) of a head that turns by so many degrees to the viewer's right.

    The eyes are 1 apart, the ears beside the axis of the turn, and the nose's ridge 1 / 0.49 in front of them.
    """
    solid = np.zeros((scheme.COUNT, 3))
    solid[scheme.LEFT_EYE], solid[scheme.RIGHT_EYE] = (-0.5, 0, 1.2), (0.5, 0, 1.2)
    solid[0], solid[16] = (-1.1, 0.2, 0), (1.1, 0.2, 0)
    solid[27:31] = [(0, y, 1 / 0.49) for y in (0.1, 0.3, 0.5, 0.7)]
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.column_stack([c * solid[:, 0] + s * solid[:, 2], solid[:, 1]])


@pytest.mark.parametrize("degrees", ANGLES)
def test_yaw_of_a_head_made_by_hand_is_exact(degrees: float) -> None:
    assert find_yaw(head(degrees)) == pytest.approx(degrees)


def test_yaw_does_not_depend_on_place_size_and_tilt() -> None:
    c, s = np.cos(0.4), np.sin(0.4)
    moved = 37 * head(25) @ np.array([[c, s], [-s, c]]) + [120, 80]
    assert find_yaw(moved) == pytest.approx(25)


def test_mirrored_face_is_turned_to_the_other_side(landmarks: NDArray[np.float64]) -> None:
    assert find_yaw(landmarks) == pytest.approx(0)
    assert find_yaw((head(15) * [-1, 1])[scheme.MIRROR]) == pytest.approx(-15)


@pytest.mark.shared
def test_yaw_follows_the_point_model_of_clnf() -> None:
    # The model's mean has a nose less deep than the faces that CLNF fits to photos: the angles are a quarter smaller.
    model = load_points(SHARED / "models" / "pdm" / "Multi-PIE_aligned_PDM_68.txt")
    turns = np.array([-40.0, -25, -10, 0, 10, 25, 40])
    found = []
    for turn in turns:
        pose = Pose(2.0, np.radians([5, -turn, 0]), np.array([90, 70]))
        found.append(find_yaw(model.project(pose, np.zeros(model.modes))))
    assert np.corrcoef(turns, found)[0, 1] > 0.99
    assert 0.7 < np.polyfit(turns, found, 1)[0] < 1
