"""The point distribution model of CLM and CLNF."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from symface_cli.geometry.frames import Box
from symface_cli.landmarks import pdm


@pytest.fixture
def points(landmarks: NDArray[np.float64]) -> pdm.PointModel:
    """A model of three components."""
    generator = np.random.default_rng(1)
    mean = np.vstack([landmarks.T - 100, generator.normal(0, 20, 68)])
    components, _ = np.linalg.qr(generator.normal(size=(204, 3)))
    return pdm.PointModel(mean, components.reshape(3, 68, 3), np.array([400.0, 100.0, 25.0]))


def test_rotations_are_orthonormal_and_their_angles_are_found_again() -> None:
    for turn in np.random.default_rng(0).uniform(-1.5, 1.5, (20, 3)):
        rotation = pdm.rotation_matrix(turn)
        np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
        assert np.linalg.det(rotation) == pytest.approx(1)
        np.testing.assert_allclose(pdm.euler_angles(rotation), turn, atol=1e-9)


@pytest.mark.parametrize(
    ("turn", "expected"),
    [
        ((np.pi / 2, 0, 0), [[1, 0, 0], [0, 0, -1], [0, 1, 0]]),
        ((0, np.pi / 2, 0), [[0, 0, 1], [0, 1, 0], [-1, 0, 0]]),
        ((0, 0, np.pi / 2), [[0, -1, 0], [1, 0, 0], [0, 0, 1]]),
    ],
)
def test_quarter_turns_about_each_axis(turn: tuple[float, float, float], expected: list[list[float]]) -> None:
    np.testing.assert_allclose(pdm.rotation_matrix(np.array(turn)), expected, atol=1e-12)


def test_the_jacobian_is_what_small_moves_do(points: pdm.PointModel) -> None:
    pose = pdm.Pose(0.7, np.array([0.2, -0.4, 0.1]), np.array([50.0, 60.0]))
    weights = np.array([5.0, -3.0, 2.0])
    jacobian = points.jacobian(pose, weights)
    size = 1e-5
    for column in range(9):
        step = np.zeros(9)
        step[column] = size
        difference = points.project(*points.move(pose, weights, step)) - points.project(
            *points.move(pose, weights, -step)
        )
        np.testing.assert_allclose(jacobian[..., column], difference.T / (2 * size), atol=1e-4)


def test_the_start_fills_the_box(points: pdm.PointModel) -> None:
    width, height = np.ptp(points.mean[:2], axis=1)
    shape = points.project(points.start(Box(10, 20, 2 * width, 2 * height)), np.zeros(3))
    np.testing.assert_allclose(shape.min(0), [10, 20])
    np.testing.assert_allclose(shape.max(0), [10 + 2 * width, 20 + 2 * height])


def test_a_move_stays_within_three_standard_deviations(points: pdm.PointModel) -> None:
    step = np.array([0, 0, 0, 0, 0, 0, 100.0, -100.0, 1.0])
    _, weights = points.move(pdm.Pose(1, np.zeros(3), np.zeros(2)), np.zeros(3), step)
    np.testing.assert_allclose(weights, [60, -30, 1])


def test_the_point_model_is_read_as_it_is_written(points: pdm.PointModel, tmp_path: Path) -> None:
    text = ["# comment"]
    for matrix in (points.mean.reshape(204, 1), points.components.reshape(204, 3), points.variances[None]):
        text += [*map(str, (*matrix.shape, 6)), *(" ".join(map(repr, row.tolist())) for row in matrix), "# more"]
    (tmp_path / "model.txt").write_text("\n".join(text))
    read = pdm.load_points(tmp_path / "model.txt")
    np.testing.assert_array_equal(read.mean, points.mean)
    np.testing.assert_array_equal(read.components, points.components)
    np.testing.assert_array_equal(read.variances, points.variances)
