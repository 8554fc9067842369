"""Data sets: whom photos show, and how people are split."""

from collections import Counter
from pathlib import Path

import pytest

from symface_cli.data.datasets import list_photos, open_dataset, split_of
from tests.conftest import SHARED
from tests.data.people import Symface, error_line, make_archive, make_folder, picture


def test_sub_folders_are_people_and_photos_outside_of_any_show_one_each(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "data", ["Ada/1.png", "Ada/2.png", "Bob/more/1.png", "Cy.png", "Di.png"])
    (folder / "Ada" / "notes.txt").write_text("no photo")
    found = [(photo.path.relative_to(folder).as_posix(), photo.identity) for photo in list_photos(folder)]
    assert found == [
        ("Ada/1.png", "Ada"),
        ("Ada/2.png", "Ada"),
        ("Bob/more/1.png", "more"),
        ("Cy.png", "Cy"),
        ("Di.png", "Di"),
    ]


def test_of_bu3dfe_only_frontal_pictures_are_photos_and_the_subject_is_the_person(tmp_path: Path) -> None:
    photos = ["F0001/F0001_AN01WH_F2D.bmp", "F0001/F0001_NE00WH_F2D.bmp", "M0044/M0044_SU04AE_F2D.png"]
    others = ["F0001/F0001_AN01WH_F3D.bmp", "F0001/F0001_AN01WH_F3D.wrl", "F0001/F0001_AN01WH_F3D.bnd"]
    folder = make_folder(tmp_path / "BU_3DFE", [*photos, *others, "M0044/M0044_SU04AE_F3D_depth.png"])
    found = [(photo.path.relative_to(folder).as_posix(), photo.identity) for photo in list_photos(folder)]
    assert found == list(zip(photos, ["F0001", "F0001", "M0044"], strict=True))


def test_bu3dfe_pictures_without_their_folders_show_the_same_people(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "flat", ["F0001_AN01WH_F2D.bmp", "F0001_HA02WH_F2D.bmp", "F0001_HA02WH_F3D.bmp"])
    assert [photo.identity for photo in list_photos(folder)] == ["F0001", "F0001"]


@pytest.mark.parametrize(
    ("name", "u", "split"),
    [
        ("Colin_Powell", 0.055562, "test"),  # from the first 16 digits that `sha256sum` prints
        ("F0002", 0.122771, "test"),
        ("F0005", 0.172995, "validation"),
        ("George_W_Bush", 0.312456, "train"),
        ("F0001", 0.599828, "train"),
    ],
)
def test_people_are_split_by_a_hash_of_their_name(name: str, u: float, split: str) -> None:
    assert split_of(name) == split
    assert split == ("test" if u < 0.154 else "validation" if u < 0.231 else "train")


@pytest.mark.shared
def test_the_splits_of_lfw_are_those_of_the_design() -> None:
    photos = list_photos(SHARED / "data" / "lfw")
    assert Counter(split_of(photo.identity) for photo in photos) == {"train": 9142, "validation": 895, "test": 2050}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "no such folder or archive"),
        ("empty", "no photos in it"),
        (b"", "no archive"),
        (b"some text\n" * 100, "no archive"),
        (picture("photo"), "no archive"),
    ],
)
def test_what_is_no_data_set_exits_6_and_says_what_would_be_one(
    symface: Symface, data: bytes | str | None, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "my data"
    if data == "empty":
        path.mkdir()
    elif isinstance(data, bytes):
        path.write_bytes(data)
    finished = symface("train", "--stage", 1, path, "--run", tmp_path / "run")
    assert finished.status == 6
    line = error_line(finished)
    assert str(path) in line and said in line and "give a folder of photos, one sub-folder per person" in line


def test_an_archive_without_photos_exits_6(symface: Symface, tmp_path: Path) -> None:
    archive = make_archive(tmp_path / "lfw.tgz", "lfw/readme.txt")
    finished = symface("train", "--stage", 1, archive, "--run", tmp_path / "run")
    assert finished.status == 6
    assert f"{archive}: no photos in it" in error_line(finished).replace(str(open_dataset(archive)), str(archive))
