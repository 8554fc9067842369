"""The fitter of CLM and CLNF."""

import numpy as np
from numpy.typing import NDArray

from symface_cli.landmarks import clm


def test_a_similarity_is_found_from_what_it_did(landmarks: NDArray[np.float64]) -> None:
    matrix = 1.7 * np.array([[np.cos(0.5), -np.sin(0.5)], [np.sin(0.5), np.cos(0.5)]])
    np.testing.assert_allclose(clm.similarity(landmarks, landmarks @ matrix.T + [3, -8]), matrix, atol=1e-9)


def test_areas_are_pieces_of_the_photo_which_goes_on_beyond_its_edges() -> None:
    photo = np.random.default_rng(5).integers(0, 256, (30, 40), np.uint8)
    areas = clm.sample_areas(photo, np.array([[20.0, 15.0], [1.0, 28.0]]), np.eye(2), 5)
    np.testing.assert_array_equal(areas[0], photo[13:18, 18:23])
    np.testing.assert_array_equal(areas[1], np.pad(photo, 2, "edge")[28:33, 1:6])
    quarter = clm.sample_areas(photo, np.array([[20.0, 15.0]]), np.array([[0.0, -1.0], [1.0, 0.0]]), 5)
    np.testing.assert_array_equal(quarter[0], np.rot90(photo[13:18, 18:23]))


def test_a_landmark_is_pulled_to_the_only_place_that_its_expert_likes(landmarks: NDArray[np.float64]) -> None:
    visible = np.arange(68) == 30
    maps = np.zeros((1, 9, 9), np.float32)
    maps[0, 3, 6] = 0.5  # 2 right of the middle, 1 above
    responses = clm.Responses(maps=maps, visible=visible, base=landmarks, window_from_photo=0.5 * np.eye(2))
    np.testing.assert_allclose(clm.mean_shifts(responses, landmarks), [[4, -2]])
    np.testing.assert_allclose(clm.mean_shifts(responses, landmarks + np.array([2, 0])), [[2, -2]])
    nothing = clm.Responses(maps=0 * maps, visible=visible, base=landmarks, window_from_photo=np.eye(2))
    np.testing.assert_array_equal(clm.mean_shifts(nothing, landmarks), 0)
