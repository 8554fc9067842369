import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from symface_cli.data.published import FILES
from symface_cli.errors import WeightsError
from symface_cli.geometry.frames import Box
from symface_cli.imaging.photo import read_photo
from symface_cli.landmarks import clm, patches, pdm, scheme
from symface_cli.landmarks.clm import ClmLandmarks, ClnfLandmarks
from symface_cli.landmarks.dlib import DlibLandmarks
from symface_cli.landmarks.sdm import SdmLandmarks, read_matrices
from symface_cli.landmarks.viola_jones import BoxLandmarks
from tests.conftest import SHARED

PROVIDERS = (SdmLandmarks, ClmLandmarks, ClnfLandmarks)


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> None:
    """The published models are taken from ../shared, and nothing is downloaded."""
    monkeypatch.setenv("SYMFACE_MODEL_DIR", str(SHARED / "models"))
    monkeypatch.setenv("SYMFACE_OFFLINE", "1")


def mean_distance(found: NDArray[np.float32], expected: NDArray[np.float32]) -> float:
    """In eye distances of the expected landmarks."""
    return float(np.linalg.norm(found - expected, axis=1).mean()) / scheme.eye_distance(expected)


# The published models


def read_authors(path: Path) -> NDArray[np.float32]:
    """Landmarks (68, 2) that the authors' SimpleCLMImg has written, in pixels from 0.

    It adds 2 to its own, which are counted from 0 (`write_out_landmarks`; the comment there says 1, for Matlab).
    """
    lines = path.read_text().split("{")[1].split("}")[0].split("\n")
    return np.array([line.split() for line in lines if line.strip()], np.float32) - 2


@pytest.mark.shared
def test_clnf_agrees_with_its_authors_program(published: None) -> None:
    finder = ClnfLandmarks()
    distances = []
    for file in sorted((SHARED / "data" / "clnf_reference").glob("*.pts")):
        expected = read_authors(file)
        photo = read_photo(file.with_name(file.name.partition("_det_")[0] + ".jpg"))
        found = finder.find_nearest(photo, expected.mean(0).astype(np.float64))
        assert found is not None
        distances.append(mean_distance(found, expected))
    assert len(distances) == 8
    assert sorted(distances)[6] < 0.01  # the eighth, Obama.jpg, is 0.08 off from our box, 0.01 from one 4 % beside it


@pytest.mark.shared
@pytest.mark.landmarks
@pytest.mark.parametrize("provider", PROVIDERS)
def test_landmarks_lie_near_those_of_dlib(provider: type[BoxLandmarks], published: None, portrait: Path) -> None:
    photo = read_photo(portrait)
    center = np.array(photo.shape[1::-1]) / 2
    found, expected = provider().find_nearest(photo, center), DlibLandmarks().find_nearest(photo, center)
    assert found is not None and expected is not None
    assert found.shape == (68, 2) and found.dtype == np.float32
    assert mean_distance(found, expected) < 0.12


@pytest.mark.shared
@pytest.mark.parametrize("provider", PROVIDERS)
def test_of_two_faces_the_one_nearest_to_the_point_is_taken(
    provider: type[BoxLandmarks], published: None, pair: Path
) -> None:
    finder, photo = provider(), read_photo(pair)
    faces = finder.find_faces(photo)
    assert len(faces) == 2
    for face in faces:
        nearest = finder.find_nearest(photo, face.mean(0).astype(np.float64))
        assert nearest is not None
        np.testing.assert_array_equal(nearest, face)


@pytest.mark.shared
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_photo_without_a_face_has_no_landmarks(provider: type[BoxLandmarks], published: None) -> None:
    finder, photo = provider(), np.full((120, 160, 3), 90, np.uint8)
    assert finder.find_faces(photo) == []
    assert finder.find_nearest(photo, np.array([80.0, 60.0])) is None


@pytest.mark.shared
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_box_over_the_edge_of_a_flat_photo_gives_finite_landmarks(
    provider: type[BoxLandmarks], published: None
) -> None:
    fitted = provider().fit(np.full((90, 100), 128, np.uint8), Box(-30.0, 40.0, 80.0, 80.0))
    assert np.isfinite(fitted).all()


@pytest.mark.shared
def test_every_published_file_is_in_the_list_of_checksums() -> None:
    listed = dict(reversed(line.split()) for line in (SHARED / "models" / "SHA256SUMS").read_text().splitlines())
    for file in (FILES[name] for provider in PROVIDERS for name in provider.files):
        assert listed[f"./{file.folder}/{file.name}"] == file.sha256


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_damaged_model_is_refused(
    provider: type[BoxLandmarks], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYMFACE_MODEL_DIR", str(tmp_path))
    for name in FILES:
        (tmp_path / name).write_bytes(b"%YAML:1.0\n---\n" if name.endswith("yml") else b"3 4")
    with pytest.raises(WeightsError, match="not "):
        provider()


def test_sdm_matrices_are_stored_row_after_row() -> None:
    data = struct.pack("<4i6f", 1, 3, 2, 5, 1, 2, 3, 4, 5, 6)
    np.testing.assert_array_equal(read_matrices(data)[0], [[1, 2, 3], [4, 5, 6]])
    with pytest.raises(ValueError, match="too long"):
        read_matrices(data + b"x")


# The point distribution model


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


# The patch experts

VISIBLE = (0, 5)
WINDOW = 7
AREAS = np.random.default_rng(2).uniform(0, 255, (2, WINDOW + 10, WINDOW + 10)).astype(np.float32)
WEIGHTS = np.random.default_rng(3).normal(0.1, 1, (2, 2, 11, 11)).astype(np.float32)


def match(image: NDArray[np.float32], template: NDArray[np.float32]) -> NDArray[np.float32]:
    """OpenCV's own normalized cross-correlation."""
    return cv2.matchTemplate(image, np.ascontiguousarray(template), cv2.TM_CCOEFF_NORMED)


def sigmoid(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return 1 / (1 + np.exp(-values))


def test_correlations_are_those_of_opencv() -> None:
    templates = WEIGHTS.reshape(2, 2, 121)
    templates = templates - templates.mean(2, keepdims=True)
    templates /= np.linalg.norm(templates, axis=2, keepdims=True)
    found = patches.correlate(AREAS, templates)
    for i in range(2):
        for j in range(2):
            expected = match(AREAS[i], WEIGHTS[i, j])
            np.testing.assert_allclose(found[i, j].reshape(WINDOW, WINDOW), expected, atol=1e-5)
    np.testing.assert_array_equal(patches.correlate(np.full_like(AREAS, 77), templates), 0)


def test_svr_experts_multiply_the_responses_of_gray_levels_and_gradient(tmp_path: Path) -> None:
    words = ["# scale\n0.35\n1\n", "3 1 6 0 -20 0\n", "68 1 4 ", *("1 " if i in VISIBLE else "0 " for i in range(68))]
    for i in range(68):
        words.append("\n3 11 11 2")
        for kind in (0, 1):
            matrix = WEIGHTS[VISIBLE.index(i), kind] if i in VISIBLE else np.zeros((11, 11))
            words.append(
                f"\n2 {kind} 0.9 {3 + kind} {kind - 0.5}\n11 11 6 " + " ".join(map(repr, matrix.T.ravel().tolist()))
            )
    path = tmp_path / "svr.txt"
    path.write_text("".join(words))
    experts = patches.load_svr(path)
    assert experts.views.scale == 0.35
    np.testing.assert_allclose(experts.views.centers, np.radians([[0, -20, 0]]))
    assert tuple(np.flatnonzero(experts.views.visible[0])) == VISIBLE
    found = experts.respond(0, AREAS)
    for i, area in enumerate(AREAS):
        gradient = np.zeros_like(area)
        for y in range(1, len(area) - 1):
            for x in range(1, len(area) - 1):
                gradient[y, x] = (area[y, x + 1] - area[y, x - 1]) ** 2 + (area[y + 1, x] - area[y - 1, x]) ** 2
        normalized = (area - area.mean()) / area.std()
        expected = sigmoid(3 * match(normalized, WEIGHTS[i, 0]) - 0.5) * sigmoid(
            4 * match(gradient, WEIGHTS[i, 1]) + 0.5
        )
        np.testing.assert_allclose(found[i], expected, atol=1e-5)


def binary_matrix(matrix: NDArray[np.float32]) -> bytes:
    return struct.pack("<3i", *matrix.shape, 5) + matrix.astype("<f4").tobytes()


def write_ccnf(path: Path, term: NDArray[np.float32]) -> None:
    """Two neurons for each visible landmark, the second too weak to count, and one smoothing term."""
    visible = np.array([[i in VISIBLE] for i in range(68)], "<i4")
    data = struct.pack("<di", 0.25, 1) + struct.pack("<3i3d", 3, 1, 6, 0, 20, 0)
    data += struct.pack("<3i", 68, 1, 4) + visible.tobytes()
    data += struct.pack("<3i", 1, WINDOW, 1) + binary_matrix(term)
    for i in range(68):
        if i not in VISIBLE:
            data += struct.pack("<5i", 5, 0, 0, 0, 0)
            continue
        data += struct.pack("<4i", 5, 11, 11, 2)
        for neuron, alpha in ((0, 0.8), (1, 5e-5)):
            data += struct.pack("<2i3d", 2, 0, 6.0, -1.0, alpha) + binary_matrix(WEIGHTS[VISIBLE.index(i), neuron])
        data += struct.pack("<2d", 0.3, 1.0)
    path.write_bytes(data)


def test_ccnf_experts_smooth_the_responses_of_their_neurons(tmp_path: Path) -> None:
    half = np.random.default_rng(4).normal(size=(WINDOW**2, WINDOW**2)).astype(np.float32)
    term = half @ half.T
    path = tmp_path / "ccnf.txt"
    write_ccnf(path, term)
    experts = patches.load_ccnf(path)
    assert experts.views.scale == 0.25
    for _ in range(2):  # the second time, the covariance is there already
        found = experts.respond(0, AREAS)
        for i, area in enumerate(AREAS):
            neuron = 2 * 0.8 * sigmoid(6 * match(area, WEIGHTS[i, 0]) - 1)
            # As in the authors' program, the weak neuron counts here.
            covariance = np.linalg.inv(2 * ((0.8 + 5e-5) * np.eye(WINDOW**2) + 0.3 * term.astype(np.float64)))
            expected = (covariance @ neuron.ravel()).reshape(WINDOW, WINDOW)
            expected -= min(expected.min(), 0)
            np.testing.assert_allclose(found[i], expected, atol=1e-5)
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(WeightsError, match="too long"):
        patches.load_ccnf(path)


# The fitter


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
