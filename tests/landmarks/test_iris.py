"""MediaPipe's network for irises: where it sees them, of the left and of the right eye."""

from pathlib import Path

import numpy as np
import pytest

from symface_cli.data.published import FILES
from symface_cli.errors import WeightsError
from symface_cli.imaging.photo import read_photo
from symface_cli.landmarks.iris import MediaPipeIrises
from symface_cli.landmarks.mediapipe import MediaPipeLandmarks
from symface_cli.landmarks.mesh import MESH_468
from tests.conftest import SHARED


@pytest.fixture
def finder(monkeypatch: pytest.MonkeyPatch) -> MediaPipeIrises:
    """MediaPipe's network, taken from ../shared; nothing is downloaded."""
    monkeypatch.setenv("SYMFACE_OFFLINE", "1")
    return MediaPipeIrises(SHARED / "models")


@pytest.mark.shared
def test_the_file_is_in_the_list_of_checksums() -> None:
    listed = dict(reversed(line.split()) for line in (SHARED / "models" / "SHA256SUMS").read_text().splitlines())
    (name,) = MediaPipeIrises.files
    assert listed[f"./{FILES[name].folder}/{name}"] == FILES[name].sha256


@pytest.mark.shared
def test_irises_are_where_a_person_sees_them_in_the_photo_and_in_its_mirror_image(
    finder: MediaPipeIrises, portrait: Path
) -> None:
    photo = read_photo(portrait)
    (points,) = MediaPipeLandmarks(SHARED / "models").find_faces(photo)
    found = finder.find(photo, points)
    assert found == pytest.approx(np.array([[289.8, 311.3, 9.2], [387.9, 312.0, 9.2]]), abs=1.5)  # by hand
    width = photo.shape[1]
    other = (points[MESH_468.mirror] * [-1, 1] + [width - 1, 0]).astype(np.float32)
    mirrored = finder.find(np.ascontiguousarray(photo[:, ::-1]), other)
    assert mirrored[::-1] * [-1, 1, 1] + [width - 1, 0, 0] == pytest.approx(found, abs=0.1)


@pytest.mark.shared
def test_lids_lie_around_the_irises_from_the_outer_corner_to_the_inner_one(
    finder: MediaPipeIrises, portrait: Path
) -> None:
    photo = read_photo(portrait)
    (points,) = MediaPipeLandmarks(SHARED / "models").find_faces(photo)
    irises, lids = finder.find(photo, points)[:, :2], finder.find_lids(photo, points)
    for eye, inward in enumerate((1, -1)):
        along = inward * lids[eye, :9, 0]
        assert (np.diff(along) > 0).all()
        assert inward * lids[eye, [0, 8], 0] == pytest.approx([along.min(), along.max()])
        assert lids[eye, 4, 1] > irises[eye, 1] > lids[eye, 12, 1]  # below and above


def test_a_damaged_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "iris_landmark.tflite").write_bytes(b"3 4")
    with pytest.raises(WeightsError, match="not a network of MediaPipe"):
        MediaPipeIrises(tmp_path)
