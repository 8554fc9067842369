"""Frames, midline, thin-plate spline, symmetric warp."""

import numpy as np
import pytest

from symface_cli.geometry import frames
from symface_cli.geometry.frames import Box
from symface_cli.geometry.spline import fit_spline
from symface_cli.geometry.warps import control_points, enlarging_weights, midline_of_warp
from symface_cli.landmarks import scheme, shape


def turned(points, degrees, center=(100.0, 90.0)):
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


def test_box_center_is_the_middle_of_its_pixels():
    assert Box(10, 20, 4, 4).center.tolist() == [11.5, 21.5]  # pixels 10..13 and 20..23


def test_crop_is_centered_below_the_box_and_as_wide_as_asked():
    matrix = frames.crop_from_box(Box(0, 0, 101, 101), size=161, boxes=161 / 101)  # one crop pixel per photo pixel
    assert frames.apply(matrix, np.array([50.0, 50 + 0.13 * 101])) == pytest.approx([80, 80])
    assert frames.apply(matrix, np.array([51.0, 50 + 0.13 * 101])) == pytest.approx([81, 80])


@pytest.mark.parametrize(("normalized", "pixel"), [(-1, 0), (0, 63.5), (1, 127)])
def test_normalized_coordinates_end_at_pixel_centers(normalized, pixel):
    matrix = frames.pixel_from_normalized(128)
    assert frames.apply(matrix, np.array([normalized, 0.0]))[0] == pixel


@pytest.mark.parametrize("degrees", [-40, 0, 13])
def test_midline_of_a_turned_symmetric_face_is_its_axis(landmarks, degrees):
    center, down = shape.find_midline(turned(landmarks, degrees))
    expected = np.array([-np.sin(np.radians(degrees)), np.cos(np.radians(degrees))])
    assert down == pytest.approx(expected)
    across = np.array([down[1], -down[0]])
    assert (center - [100, 90]) @ across == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("degrees", [-25, 0, 25])
def test_face_frame_puts_the_eyes_where_the_design_says(landmarks, degrees):
    matrix = shape.face_from_image(turned(landmarks, degrees))
    aligned = frames.apply(matrix, turned(landmarks, degrees))
    left, right = scheme.eye_centers(aligned)
    assert left == pytest.approx([-0.27, -0.12])
    assert right == pytest.approx([0.27, -0.12])
    assert aligned[scheme.MIDLINE, 0] == pytest.approx(0, abs=1e-9)


def test_a_foreshortened_face_gets_its_size_from_eyes_to_chin(landmarks):
    narrow = (landmarks - 100) * [0.5, 1] + 100
    aligned = frames.apply(shape.face_from_image(narrow), narrow)
    assert aligned[8, 1] - aligned[36:48, 1].mean() == pytest.approx(0.54 * 1.9)


def test_spline_interpolates_exactly_without_smoothing():
    random = np.random.default_rng(0)
    points, values = random.uniform(-1, 1, (12, 2)), random.normal(size=(12, 2))
    assert fit_spline(points, values, points, smoothing=0) == pytest.approx(values)


def test_spline_reproduces_an_affine_map_everywhere():
    random = np.random.default_rng(1)
    points, elsewhere = random.uniform(-1, 1, (9, 2)), random.uniform(-3, 3, (5, 2))
    matrix, shift = np.array([[2.0, -1], [0.5, 3]]), np.array([4.0, 5])
    found = fit_spline(points, points @ matrix + shift, elsewhere, smoothing=0)
    assert found == pytest.approx(elsewhere @ matrix + shift)


def test_spline_has_the_kernel_of_a_thin_plate():
    points = np.array([[0.0, 0], [1, 0], [0, 1], [1, 1]])
    values = np.array([[0.0], [0], [0], [1]])
    # By hand, with K(r) = r^2 log r, K(1) = 0, K(sqrt 2) = L = log 2: by symmetry the weights are (w, -w, -w, w) and
    # the affine part a + b (x + y). a + w L = 0, a + b - w L = 0, a + 2 b + w L = 1, so w L = 1/4, a = -1/4, b = 1/2.
    # At (0, -1): a - b + w (K(1) - K(sqrt 2) - K(2) + K(sqrt 5)), K(2) = 4 L, K(sqrt 5) = 5/2 log 5.
    expected = -0.75 + (2.5 * np.log(5) / np.log(2) - 5) / 4
    assert fit_spline(points, values, np.array([[0.0, -1]]), smoothing=0) == pytest.approx(expected)


def test_enlarging_keeps_straight_lines_straight_to_the_edge():
    assert enlarging_weights(17, 100) @ np.linspace(-1, 1, 17) == pytest.approx(np.linspace(-1, 1, 100))


def test_enlarging_passes_through_the_values_and_is_cubic_between():
    values = np.array([0.0, 0, 1, 0, 0])
    fine = enlarging_weights(5, 9) @ values
    assert fine == pytest.approx([0, -1 / 16, 0, 9 / 16, 1, 9 / 16, 0, -1 / 16, 0])  # Catmull-Rom at the half


def test_warp_of_a_symmetric_face_is_a_similarity(landmarks):
    tilted = turned(landmarks, 10)
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


def test_the_midline_of_a_warp_is_that_of_its_landmarks_whatever_the_features_do(landmarks):
    crooked = landmarks.copy()
    crooked[27:36, 0] += 8
    crooked[48:, 0] -= 3
    expected = shape.find_midline(turned(crooked, 11.5))
    found = midline_of_warp(shape.symmetric_warp(turned(crooked, 11.5))[0])
    across = np.array([expected.direction[1], -expected.direction[0]])
    assert found.degrees == pytest.approx(expected.degrees, abs=0.1)
    assert abs((found.point - expected.point) @ across) < 0.3


def test_a_similarity_is_found_again(landmarks):
    angle = np.radians(25)
    matrix = np.eye(3)
    matrix[:2, :2] = 1.7 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix[:2, 2] = 30, -12
    found = frames.fit_similarity(landmarks, frames.apply(matrix, landmarks), np.ones(68))
    assert found == pytest.approx(matrix)


def test_points_of_no_weight_do_not_move_a_similarity(landmarks):
    weights = np.ones(68)
    weights[0] = 0
    moved = landmarks.copy()
    moved[0] += 500
    assert frames.fit_similarity(landmarks, moved, weights) == pytest.approx(np.eye(3), abs=1e-9)
