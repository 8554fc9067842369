"""MediaPipe's mesh: its points, and where its networks find them."""

from pathlib import Path

import numpy as np
import pytest

from symface_cli.data.published import FILES
from symface_cli.detection.detector import detect
from symface_cli.errors import WeightsError
from symface_cli.geometry.midline import midline_of_level
from symface_cli.geometry.warps import control_points, similarity_of_warp
from symface_cli.imaging.photo import read_photo
from symface_cli.landmarks.dlib import DlibLandmarks
from symface_cli.landmarks.mediapipe import MediaPipeLandmarks
from symface_cli.landmarks.mesh import MESH_468, MIDLINE, mesh_warp
from symface_cli.landmarks.scheme import IBUG_68
from symface_cli.landmarks.shape import find_midline, symmetric_warp
from tests.conftest import SHARED


@pytest.fixture
def finder(monkeypatch: pytest.MonkeyPatch) -> MediaPipeLandmarks:
    """MediaPipe's networks, taken from ../shared; nothing is downloaded."""
    monkeypatch.setenv("SYMFACE_OFFLINE", "1")
    return MediaPipeLandmarks(SHARED / "models")


@pytest.mark.shared
def test_partners_are_those_of_the_published_list() -> None:
    assert np.array_equal(MESH_468.mirror, np.load(SHARED / "models" / "mediapipe" / "mirror_468.npy"))


@pytest.mark.shared
def test_files_are_in_the_list_of_checksums() -> None:
    listed = dict(reversed(line.split()) for line in (SHARED / "models" / "SHA256SUMS").read_text().splitlines())
    for name in MediaPipeLandmarks.files:
        assert listed[f"./{FILES[name].folder}/{name}"] == FILES[name].sha256


def test_partners_are_each_others() -> None:
    mirror = MESH_468.mirror
    assert np.array_equal(mirror[mirror], np.arange(468))
    assert MESH_468.midline.tolist() == list(MIDLINE)
    assert np.array_equal(mirror[MESH_468.left_eye], MESH_468.right_eye)
    assert np.array_equal(mirror[MESH_468.jaw], np.asarray(MESH_468.jaw)[::-1])


@pytest.mark.shared
@pytest.mark.landmarks
def test_eyes_and_chin_lie_where_dlib_finds_them(finder: MediaPipeLandmarks, portrait: Path) -> None:
    photo = read_photo(portrait)
    center = np.array(photo.shape[1::-1]) / 2
    found, expected = finder.find_nearest(photo, center), DlibLandmarks().find_nearest(photo, center)
    assert found is not None and expected is not None
    apart = IBUG_68.eye_distance(expected)
    assert found.shape == (468, 2) and found.dtype == np.float32
    for eye, other in zip(MESH_468.eye_centers(found), IBUG_68.eye_centers(expected), strict=True):
        assert np.linalg.norm(eye - other) < 0.04 * apart
    assert np.linalg.norm(found[MESH_468.chin] - expected[8]) < 0.1 * apart
    assert np.linalg.norm(found[MESH_468.jaw] - expected[:17], axis=1).mean() < 0.12 * apart


@pytest.mark.shared
def test_both_faces_of_a_photo_are_found(finder: MediaPipeLandmarks, pair: Path) -> None:
    photo = read_photo(pair)
    faces = finder.find_faces(photo)
    assert len(faces) == 2
    for face in faces:
        nearest = finder.find_nearest(photo, face.mean(0).astype(np.float64))
        assert nearest is not None and np.array_equal(nearest, face)


@pytest.mark.shared
def test_no_face_is_found_where_none_is(finder: MediaPipeLandmarks) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8)
    assert finder.find_faces(noise) == []
    assert finder.find_nearest(noise, np.zeros(2)) is None


@pytest.mark.shared
def test_labels_of_a_mirrored_photo_are_mirrored(finder: MediaPipeLandmarks, portrait: Path) -> None:
    photo = read_photo(portrait)
    mirrored = np.ascontiguousarray(photo[:, ::-1])
    box = detect(photo)[0].box
    other = box._replace(x=photo.shape[1] - box.x - box.width)
    first, second = finder.label(photo, box), finder.label(mirrored, other)
    assert first is not None and second is not None
    expected = second[0][MESH_468.mirror] * [-1, 1] + [photo.shape[1] - 1, 0]
    assert np.linalg.norm(first[0] - expected, axis=1).max() < 0.02 * MESH_468.eye_distance(first[0])
    assert 0 < first[1] < 0.05


@pytest.mark.shared
def test_half_of_the_pairs_say_the_warp_and_the_whole_mesh_the_midline(
    finder: MediaPipeLandmarks, portrait: Path
) -> None:
    (points,) = finder.find_faces(read_photo(portrait))
    warp, (expected, _) = mesh_warp(points), symmetric_warp(points, MESH_468)
    apart = MESH_468.eye_distance(points)
    x, y = np.moveaxis(control_points(), -1, 0)
    face = np.hypot(x / 0.6, (y - 0.1) / 0.8) < 1
    assert np.linalg.norm(warp - expected, axis=-1)[face].mean() < 0.003 * apart
    midline = find_midline(points, MESH_468)
    assert midline_of_level(similarity_of_warp(warp)).degrees == pytest.approx(midline.degrees, abs=0.1)


def test_a_damaged_model_is_refused(tmp_path: Path) -> None:
    for name in MediaPipeLandmarks.files:
        (tmp_path / name).write_bytes(b"3 4")
    with pytest.raises(WeightsError, match="not a network of MediaPipe"):
        MediaPipeLandmarks(tmp_path)
