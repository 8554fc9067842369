"""Frames: boxes, crops, normalized coordinates, similarities."""

import numpy as np
import pytest

from symface_cli.geometry import frames
from symface_cli.geometry.frames import Box


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
