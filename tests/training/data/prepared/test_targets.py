"""What is learned of a photo: labels of dlib's landmarks, and of these and MediaPipe's mesh blended."""

import shutil

import numpy as np
import pytest

from symface_cli.data.datasets import split_of, survey
from symface_cli.detection.detector import detect
from symface_cli.geometry.midline import midline_of_level
from symface_cli.geometry.sampling import enlarge
from symface_cli.geometry.warps import similarity_of_warp
from symface_cli.imaging.photo import read_photo
from symface_cli.landmarks.dlib import DlibLandmarks
from symface_cli.landmarks.mediapipe import MediaPipeLandmarks
from symface_cli.landmarks.mesh import mesh_warp
from symface_cli.landmarks.scheme import IBUG_68
from symface_cli.landmarks.shape import find_midline, symmetric_warp
from symface_cli.training.data import teachers
from symface_cli.training.data.label_table import write_labels
from symface_cli.training.data.labels import Label
from symface_cli.training.data.prepared import preparation
from symface_cli.training.data.sources import Annotations
from tests.conftest import SHARED


@pytest.fixture
def published(monkeypatch):
    """MediaPipe's networks are taken from ../shared; nothing is downloaded."""
    monkeypatch.setenv("SYMFACE_MODEL_DIR", str(SHARED / "models"))
    monkeypatch.setenv("SYMFACE_OFFLINE", "1")


@pytest.mark.shared
@pytest.mark.landmarks
def test_both_teachers_agree_on_a_face_seen_from_the_front(published, portrait):
    photo = read_photo(portrait)
    box = detect(photo)[0].box
    points, landmarks = MediaPipeLandmarks().label(photo, box)[0], DlibLandmarks().label(photo, box)[0]
    first, second = symmetric_warp(landmarks.astype(np.float64))[0], mesh_warp(points)
    assert 0 < teachers.warps_apart(first, second) < 0.06
    blended = teachers.blend_warps(first, second)
    assert abs(midline_of_level(similarity_of_warp(blended)).degrees - find_midline(landmarks).degrees) < 1.5
    gap = np.linalg.norm(first - second, axis=-1)
    assert (np.linalg.norm(blended - first, axis=-1) < 0.7 * gap + 1e-9).all()


def test_the_frame_of_a_blend_is_half_of_both():
    """So that it stays a similarity, as `similarity_of_warp` takes it for."""
    shares = teachers.mesh_shares()
    edge = np.concatenate([shares[0], shares[-1], shares[:, 0], shares[:, -1]])
    assert np.allclose(edge, teachers.FRAME_SHARE)
    assert np.array_equal(shares, shares[:, ::-1])
    assert shares[7, 8] == pytest.approx(teachers.EYES_SHARE)  # between the eyes


@pytest.fixture
def prepare(published, tmp_path, portrait):
    """Prepares copies of the portrait, as of four people, by a teacher, from labels that differ.

    They are dlib's; moved to one side; missing; and there, but turned down by a person.
    """
    names = [name for name in map("person{}".format, range(30)) if split_of(name) == "train"][:4]
    for name in names:
        (tmp_path / "data" / name).mkdir(parents=True)
        shutil.copy(portrait, tmp_path / "data" / name / "1.jpg")
    photo = read_photo(portrait)
    box = detect(photo)[0].box
    landmarks = DlibLandmarks().label(photo, box)[0].astype(np.float64)
    moved = landmarks + np.array([0.15 * IBUG_68.eye_distance(landmarks), 0])
    first, second, third, fourth = (f"{name}/1.jpg" for name in names)
    by_dlib = {"box": box, "provider": "dlib", "disagreement": 0.01}
    labels = [
        Label(first, landmarks=landmarks, use=True, **by_dlib),
        Label(second, landmarks=moved, use=True, **by_dlib),
        Label(third, box=box),
        Label(fourth, landmarks=landmarks, use=False, **by_dlib),
    ]
    write_labels(tmp_path / "labels.csv", labels)

    def run(teacher):
        data, folder = survey(tmp_path / "data"), tmp_path / teacher
        annotations = Annotations(labels=tmp_path / "labels.csv")
        return preparation.prepare(data, folder, teacher, lambda done, total: None, workers=2, annotations=annotations)

    return run


@pytest.mark.shared
@pytest.mark.landmarks
def test_the_mesh_stands_in_where_dlib_finds_nothing_or_something_else(prepare):
    by_dlib, blended = prepare("dlib"), prepare("blend")
    assert by_dlib.splits.tolist() == ["train", "train", "unused", "unused"]
    assert blended.splits.tolist() == ["train", "train", "train", "unused"]
    near = teachers.warps_apart(by_dlib.warps[0], blended.warps[0])
    assert 0 < near < 0.05
    assert np.array_equal(blended.warps[1], blended.warps[2])  # the mesh alone
    assert np.array_equal(by_dlib.weights[:2], [1, 1])
    assert blended.weights[:3] == pytest.approx([1, 0.4, 0.4])
    assert near < teachers.warps_apart(by_dlib.warps[0], blended.warps[2]) < 0.1
    assert teachers.warps_apart(by_dlib.warps[1], blended.warps[1]) > 0.1
    assert np.isnan(by_dlib.irises).all()
    irises = blended.irises[0]
    assert np.allclose(irises, blended.irises[2])
    width = np.linalg.norm(irises[1, :2] - irises[0, :2])
    assert irises[:, 2] / width == pytest.approx(0.093, abs=0.01)  # 11.7 of 63 mm, halved
    eyes = enlarge(blended.warps[0], 201)[88, [73, 127]]  # at (-0.27, -0.12) and (0.27, -0.12)
    assert np.abs(irises[:, :2] - eyes).max() < 0.1 * width
    outline = (by_dlib.masks[0] > 127) != (blended.masks[2] > 127)
    assert outline.sum() < 0.1 * (by_dlib.masks[0] > 127).sum()


@pytest.mark.shared
@pytest.mark.landmarks
def test_another_teacher_makes_targets_anew_and_the_same_one_does_not(prepare, tmp_path):
    prepare("blend")
    file = tmp_path / "blend" / "warps.npy"
    before = file.stat().st_ino
    prepare("blend")
    assert file.stat().st_ino == before
    (tmp_path / "blend").rename(tmp_path / "dlib")
    assert np.array_equal(prepare("dlib").splits, ["train", "train", "unused", "unused"])
    assert (tmp_path / "dlib" / "warps.npy").stat().st_ino != before
