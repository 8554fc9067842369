"""Landmarks in the boxes that Viola-Jones finds: SDM, CLM and CLNF with the published models."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from symface_cli.data.published import FILES
from symface_cli.errors import WeightsError
from symface_cli.geometry.frames import Box
from symface_cli.imaging.photo import read_photo
from symface_cli.landmarks import scheme
from symface_cli.landmarks.clm import ClmLandmarks, ClnfLandmarks
from symface_cli.landmarks.dlib import DlibLandmarks
from symface_cli.landmarks.sdm import SdmLandmarks
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
