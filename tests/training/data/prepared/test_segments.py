"""What the stored crops of training photos show: by pixel labels of the whole photos, and by MediaPipe's networks."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from symface_cli.data.datasets import DatasetPhoto, split_of, survey
from symface_cli.detection.detector import detect
from symface_cli.errors import DataError
from symface_cli.geometry.frames import Box
from symface_cli.imaging.photo import read_photo
from symface_cli.network.maps import UNKNOWN, Part
from symface_cli.training.data.label_table import write_labels
from symface_cli.training.data.labels import Label
from symface_cli.training.data.prepared.preparation import Prepared, prepare
from symface_cli.training.data.prepared.segments import MediaPipeSegments, name_parts
from symface_cli.training.data.prepared.targets import LabeledFace
from symface_cli.training.data.sources import Annotations
from tests.conftest import SHARED

Prepare = Callable[..., Prepared]


@pytest.fixture
def names(tmp_path: Path) -> list[str]:
    """Photos of 40 x 20 px of a person to train on and one to validate with, whose faces cover the left half."""
    people = [f"person{i}" for i in range(40)]
    chosen = [next(name for name in people if split_of(name) == split) for split in ("train", "validation")]
    for name in chosen:
        (tmp_path / "data" / name).mkdir(parents=True)
        Image.new("RGB", (40, 20)).save(tmp_path / "data" / name / "1.png")
    return [f"{name}/1.png" for name in chosen]


@pytest.fixture
def prepare_with(tmp_path: Path, names: list[str], landmarks: NDArray[np.float64]) -> Prepare:
    """Prepares them with pixel labels; the stored crop is 20 px wide, from the corner of the photo on."""
    width = 20 / 1.725
    box = Box(9.5 - (width - 1) / 2, 9.5 - 0.13 * width - (width - 1) / 2, width, width)
    points = (landmarks - landmarks.mean(0)) / 20 + [9.5, 9.5]

    def run(segmentation: Path | None, aside: float = 0) -> Prepared:
        moved = {"box": box._replace(x=box.x + aside), "landmarks": points + np.array([aside, 0])}
        write_labels(tmp_path / "faces.csv", [Label(name, use=True, **moved) for name in names], replace=True)
        annotations = Annotations(labels=tmp_path / "faces.csv", segmentation=segmentation)
        data = survey(tmp_path / "data")
        return prepare(data, tmp_path / "prepared", "dlib", lambda done, total: None, 1, annotations)

    return run


def test_labels_are_looked_up_where_the_crop_lies(prepare_with: Prepare, tmp_path: Path, names: list[str]) -> None:
    """A label is 5 px wide: the first four of a row lie in the crop, each over 24 of its 96 places."""
    label = np.full((4, 8), 1, np.uint8)
    label[0, :4] = (2, 4, 9, 255)  # hair, a hat, something in front, not known
    label[1, :4] = (0, 5, 6, 7)  # surroundings
    label[2, :4] = (3, 8, 1, 1)
    label[:, 4:] = 3
    np.savez(tmp_path / "pixels.npz", photo=names[:1], label=label[None])
    found = prepare_with(tmp_path / "pixels.npz").segments
    assert isinstance(found, np.memmap) and found.shape == (2, 96, 96) and found.dtype == np.uint8
    assert found[0, 12::24, 12::24].tolist() == [
        [Part.HAIR, Part.HAIR, Part.FRONT, UNKNOWN],
        4 * [Part.SURROUNDINGS],
        [Part.GLASSES, Part.BEARD, Part.SKIN, Part.SKIN],
        4 * [Part.SKIN],
    ]
    for start in (0, 24, 48, 72):  # up to half a place at the borders, nothing is mixed
        assert (found[0, start + 1 : start + 23, 1:23] == found[0, start + 12, 12]).all()
    assert (found[1] == UNKNOWN).all()


def test_nothing_is_known_beyond_the_photo(prepare_with: Prepare, tmp_path: Path, names: list[str]) -> None:
    """The crop begins 10 of its 20 px left of the photo."""
    np.savez(tmp_path / "pixels.npz", photo=names, label=np.ones((2, 2, 2), np.uint8))
    found = prepare_with(tmp_path / "pixels.npz", aside=-10).segments[0]
    assert (found[:, :47] == UNKNOWN).all()
    assert (found[1:-1, 49:] == Part.SKIN).all()


def test_segments_are_made_anew_when_pixel_labels_change_and_stay_else(
    prepare_with: Prepare, tmp_path: Path, names: list[str]
) -> None:
    def made() -> int:
        return (tmp_path / "prepared" / "segments.npy").stat().st_mtime_ns

    assert (prepare_with(None).segments == UNKNOWN).all()
    assert not (tmp_path / "prepared" / "segments.npy").exists()
    for name in names:
        file = (tmp_path / "pixels" / name).with_suffix(".png")
        file.parent.mkdir(parents=True)
        Image.fromarray(np.ones((2, 2), np.uint8)).save(file)
    assert (prepare_with(tmp_path / "pixels").segments == Part.SKIN).all()
    first = made()
    prepare_with(tmp_path / "pixels")
    assert made() == first
    Image.fromarray(np.full((2, 2), 2, np.uint8)).save(file)
    os.utime(file, (1, 1))
    assert (prepare_with(tmp_path / "pixels").segments[1] == Part.HAIR).all()
    assert made() > first
    assert (prepare_with(None).segments == UNKNOWN).all()


def test_a_photo_whose_pixel_labels_are_damaged_is_named_and_left_out(
    prepare_with: Prepare, tmp_path: Path, names: list[str]
) -> None:
    for name in names:
        (tmp_path / "pixels" / name).parent.mkdir(parents=True)
    Image.fromarray(np.ones((2, 2), np.uint8)).save(tmp_path / "pixels" / names[0])
    (tmp_path / "pixels" / names[1]).write_bytes(b"\x89PNG")
    prepared = prepare_with(tmp_path / "pixels")
    assert prepared.splits.tolist() == ["train", "unused"]
    assert prepared.remarks[1] == "2 of 2 photos have pixel labels"
    assert prepared.remarks[2] == f"{tmp_path / 'pixels' / names[1]}: cannot be read as pixel labels; make it again"


def test_pixel_labels_of_other_photos_are_refused(prepare_with: Prepare, tmp_path: Path, names: list[str]) -> None:
    np.savez(tmp_path / "pixels.npz", photo=["other/1.png"], label=np.ones((1, 2, 2), np.uint8))
    with pytest.raises(DataError, match=rf"pixels\.npz: no labels of these photos; .*{names[0]}"):
        prepare_with(tmp_path / "pixels.npz")


def test_parts_are_named_where_hair_person_and_mesh_agree() -> None:
    hair = np.array([0.7, 0.7, 0.1, 0.1, 0.1, 0.1, 0.5, 0.5], np.float32)
    person = np.array([1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0], np.float32)
    in_face = np.array([1, 0, 1, 0, 0, 0, 1, 0], bool)
    below_eyes = np.array([0, 0, 1, 0, 1, 0, 1, 1], bool)
    assert name_parts(hair, person, in_face, below_eyes).tolist() == [
        Part.HAIR,  # a fringe
        Part.HAIR,
        Part.SKIN,
        Part.SURROUNDINGS,  # background above the head
        Part.SURROUNDINGS,  # an ear, the neck
        UNKNOWN,  # a bald head, or a hat
        UNKNOWN,
        UNKNOWN,
    ]


@pytest.mark.shared
def test_mediapipe_sees_the_parts_of_a_portrait(portrait: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMFACE_MODEL_DIR", str(SHARED / "models"))
    monkeypatch.setenv("SYMFACE_OFFLINE", "1")
    box = detect(read_photo(portrait))[0].box
    face = LabeledFace(Label("a/1.jpg", box=box), box, DatasetPhoto(portrait, "a"))
    (parts,) = MediaPipeSegments()(face)
    assert parts.shape == (96, 96) and parts.dtype == np.uint8
    assert (parts[38:70, 36:60] == Part.SKIN).mean() > 0.95  # from the eyes to the mouth
    assert (parts[38:60, [2, -3]] == Part.SURROUNDINGS).mean() > 0.9  # beside the head
    assert (parts[:20] == Part.HAIR).mean() > 0.2
    assert (parts[60:] == Part.HAIR).mean() < 0.05
