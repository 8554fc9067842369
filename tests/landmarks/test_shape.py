"""The shape of a face from its landmarks: midline, face frame, symmetric warp, outline."""

import numpy as np
import pytest

from symface_cli.geometry import frames
from symface_cli.geometry.midline import midline_of_level
from symface_cli.geometry.warps import control_points, similarity_of_warp
from symface_cli.landmarks import scheme, shape
from symface_cli.landmarks.scheme import LandmarkScheme


def rolled(points, degrees, center=(100.0, 90.0)):
    a = np.radians(degrees)
    rotation = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    return (points - center) @ rotation.T + center


def test_mirroring_the_landmark_scheme_twice_gives_it_back():
    assert (scheme.MIRROR[scheme.MIRROR] == np.arange(68)).all()
    assert scheme.MIDLINE.tolist() == [8, 27, 28, 29, 30, 33, 51, 57, 62, 66]
    assert len(scheme.LEFT_OF_PAIR) * 2 + len(scheme.MIDLINE) == 68


def test_the_fixtures_face_is_symmetric_about_100(landmarks):
    mirrored = landmarks[scheme.MIRROR] * [-1, 1] + [200, 0]
    assert np.allclose(mirrored, landmarks)
    assert scheme.eye_distance(landmarks) == pytest.approx(60)


@pytest.mark.parametrize("degrees", [-40, 0, 13])
def test_midline_of_a_rolled_symmetric_face_is_its_axis(landmarks, degrees):
    center, down = shape.find_midline(rolled(landmarks, degrees))
    expected = np.array([-np.sin(np.radians(degrees)), np.cos(np.radians(degrees))])
    assert down == pytest.approx(expected)
    across = np.array([down[1], -down[0]])
    assert (center - [100, 90]) @ across == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("degrees", [-25, 0, 25])
def test_face_frame_puts_the_eyes_where_the_design_says(landmarks, degrees):
    matrix = shape.face_from_image(rolled(landmarks, degrees))
    aligned = frames.apply(matrix, rolled(landmarks, degrees))
    left, right = scheme.eye_centers(aligned)
    assert left == pytest.approx([-0.27, -0.12])
    assert right == pytest.approx([0.27, -0.12])
    assert aligned[scheme.MIDLINE, 0] == pytest.approx(0, abs=1e-9)


def test_a_foreshortened_face_gets_its_size_from_eyes_to_chin(landmarks):
    narrow = (landmarks - 100) * [0.5, 1] + 100
    aligned = frames.apply(shape.face_from_image(narrow), narrow)
    assert aligned[8, 1] - aligned[36:48, 1].mean() == pytest.approx(0.54 * 1.9)


def test_warp_of_a_symmetric_face_is_a_similarity(landmarks):
    tilted = rolled(landmarks, 10)
    warp, symmetric = shape.symmetric_warp(tilted)
    matrix = np.linalg.inv(shape.face_from_image(tilted))
    assert warp == pytest.approx(frames.apply(matrix, control_points()), abs=1e-6)
    assert shape.mirror_shape(symmetric) == pytest.approx(symmetric)


def test_warp_takes_the_symmetric_shape_to_the_landmarks(landmarks):
    face = landmarks.copy()
    face[48:68, 0] += 4  # the mouth is shifted to the right by a fifteenth of the eye distance
    warp, symmetric = shape.symmetric_warp(face)
    assert shape.mirror_shape(symmetric) == pytest.approx(symmetric)
    # bilinear reading of the control points is close to the spline itself
    at = (symmetric[48:60] + 1) / 2 * 16
    low = np.floor(at).astype(int)
    u, v = (at - low).T[:, :, None]
    x, y = low.T
    top = (1 - u) * warp[y, x] + u * warp[y, x + 1]
    bottom = (1 - u) * warp[y + 1, x] + u * warp[y + 1, x + 1]
    read = (1 - v) * top + v * bottom
    assert np.linalg.norm(read - face[48:60], axis=1).max() < 0.02 * 60


def test_outline_is_the_jaw_and_a_forehead_above_the_brows(landmarks):
    outline = shape.face_outline(landmarks)
    assert outline[:17] == pytest.approx(landmarks[:17])
    assert outline[17:, 1].min() < landmarks[17:27, 1].min()
    assert outline[17:, 0].min() > landmarks[0, 0]


def test_the_frame_of_a_warp_stands_on_the_midline_of_its_landmarks_whatever_the_features_do(landmarks):
    crooked = landmarks.copy()
    crooked[27:36, 0] += 8
    crooked[48:, 0] -= 3
    expected = shape.find_midline(rolled(crooked, 11.5))
    found = midline_of_level(similarity_of_warp(shape.symmetric_warp(rolled(crooked, 11.5))[0]))
    across = np.array([expected.direction[1], -expected.direction[0]])
    assert found.degrees == pytest.approx(expected.degrees, abs=0.1)
    assert abs((found.point - expected.point) @ across) < 0.3


def test_landmarks_of_another_scheme_have_the_same_shape(landmarks):
    """The same landmarks in another order, and without the inner lips."""
    order = np.random.default_rng(0).permutation(60)
    place = np.argsort(order)  # of each of the 60 landmarks
    eyes = place[36:42], place[42:48]
    other = LandmarkScheme(
        mirror=place[scheme.MIRROR[order]],
        left_eye=eyes[0],
        right_eye=eyes[1],
        eyes=np.concatenate(eyes),
        chin=int(place[8]),
        jaw=place[:17],
    )
    face = rolled(landmarks, 7)
    face[36:42] += (2, -3)
    face[54] -= 4
    assert other.count == 60 and sorted(order[other.midline]) == [8, 27, 28, 29, 30, 33, 51, 57]
    assert other.eye_distance(face[order]) == pytest.approx(scheme.eye_distance(face))
    assert shape.face_outline(face[order], other)[:17] == pytest.approx(face[:17])
    warp, symmetric = shape.symmetric_warp(face[order], other)
    assert shape.mirror_shape(symmetric, other) == pytest.approx(symmetric)
    expected, _ = shape.symmetric_warp(face)  # the inner lips, left out, are symmetric
    assert np.abs(warp - expected).max() < 1
