"""Data sets: whom photos show, and how people are split."""

import os
from collections import Counter
from pathlib import Path

import pytest

from symface_cli.data.datasets import open_dataset, split_of, survey
from symface_cli.errors import DataError
from symface_cli.training.data.labels import photos_to_label
from tests.conftest import SHARED
from tests.data.people import Symface, error_line, make_archive, make_folder, picture


def people_in(folder: Path) -> dict[str, str]:
    """Whom each photo shows."""
    dataset = survey(folder)
    return {dataset.name_of(photo): photo.identity for photo in dataset.photos}


def test_sub_folders_are_people_and_photos_outside_of_any_show_one_each(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "data", ["Ada/1.png", "Ada/2.png", "Cy.png", "Di.png"])
    (folder / "Ada" / "notes.txt").write_text("no photo")
    assert people_in(folder) == {"Ada/1.png": "Ada", "Ada/2.png": "Ada", "Cy.png": "Cy", "Di.png": "Di"}


@pytest.mark.parametrize("inner", ["frontal", "profile", "2021-03-04/morning", "session 2", "smiling/a/b/c"])
def test_the_first_folder_is_the_person_whatever_lies_below(tmp_path: Path, inner: str) -> None:
    """Anna and F0002 are test people by their names."""
    names = ("Anna", "F0002", "F0001", "AJ_Cook")
    folder = make_folder(tmp_path, [f"{name}/{inner}/{i}.png" for name in names for i in (1, 2)])
    assert people_in(folder) == {f"{name}/{inner}/{i}.png": name for name in names for i in (1, 2)}
    assert {photo.split("/")[0] for photo in photos_to_label(survey(folder))} == {"F0001", "AJ_Cook"}


def test_thumbnails_of_a_server_are_no_people(tmp_path: Path) -> None:
    thumbnails = [
        "Anna/@eaDir/1.png/SYNOPHOTO_THUMB_XL.png",
        "@eaDir/2.png/SYNOPHOTO_THUMB_M.png",
        "#recycle/Bob/1.png",
    ]
    assert people_in(make_folder(tmp_path, ["Anna/1.png", *thumbnails])) == {"Anna/1.png": "Anna"}


def test_results_of_symface_are_no_photos_of_a_data_set(tmp_path: Path) -> None:
    results = ["Anna/1.symmetric.png", "Anna/1.symmetric-face-2.png", "Anna/1.asymmetry.png"]
    assert people_in(make_folder(tmp_path, ["Anna/1.png", *results])) == {"Anna/1.png": "Anna"}


@pytest.mark.skipif(os.name != "posix", reason="links are POSIX's")
def test_people_that_are_links_are_people_under_the_names_of_the_links(tmp_path: Path) -> None:
    make_folder(tmp_path / "all", ["0001/1.png", "0001/more/2.png", "0002/1.png"])
    subset = make_folder(tmp_path / "subset", ["Bob/1.png"])
    (subset / "Ada").symlink_to("../all/0001")
    (subset / "Ada again").symlink_to("../all/0001")  # one person is not two, in two splits
    assert people_in(subset) == {"Ada/1.png": "Ada", "Ada/more/2.png": "Ada", "Bob/1.png": "Bob"}


def test_a_name_with_accents_apart_from_their_letters_is_the_same_person(tmp_path: Path) -> None:
    composed, apart = "Andr\u00e9", "Andre\u0301"
    people = people_in(make_folder(tmp_path, [f"{composed}/1.png", f"{apart}/2.png", "Zoe\u0308.png"]))
    assert set(people.values()) == {composed, "Zo\u00eb"}


def test_persons_and_photos_of_each_split_are_counted(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, ["F0001/a.png", "F0001/b.png", "AJ_Cook/a.png", "F0005/x/a.png", "F0002/a.png"])
    assert survey(folder).remarks == ["5 photos of 4 persons (3 train, 1 validation, 1 test)"]
    assert survey(folder / "F0005").remarks == ["1 photo of 1 person (1 train, 0 validation, 0 test)"]


def test_a_data_set_that_is_given_with_a_folder_around_it_is_doubted(tmp_path: Path) -> None:
    make_folder(tmp_path / "data", ["lfw/Ada/1.png", "lfw/Bob/1.png"])
    (count, doubt) = survey(tmp_path / "data").remarks
    assert count.startswith("2 photos of 1 person ")
    assert doubt == (
        f"{tmp_path / 'data'}: the folders in it are taken for persons, not the 2 in these; if those are the persons, "
        f"give {tmp_path / 'data' / 'lfw'}, or a folder with links to all of them"
    )
    make_folder(tmp_path / "data", [f"set {n % 2}/{n}/1.png" for n in range(40)])
    assert len(survey(tmp_path / "data").remarks) == 2
    assert len(survey(tmp_path / "data" / "lfw").remarks) == 1


def test_what_is_passed_over_is_remarked_the_first_by_name(tmp_path: Path) -> None:
    make_folder(tmp_path, ["Ada/1.png", "Ada/1.gif"])
    for number in range(13):
        (tmp_path / f"gone {number:02d}").symlink_to("nowhere")
    _, gifs, *problems = survey(tmp_path).remarks
    assert gifs == "GIF files in folders are passed over, here 1; name those that are meant"
    assert problems[:-1] == [f"cannot read {tmp_path / f'gone {n:02d}'}: it is a link to nothing" for n in range(10)]
    assert problems[-1] == "and 3 more"


def test_a_data_set_of_nothing_but_gif_files_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no photos in it \(GIF files are not taken\); give a folder"):
        survey(make_folder(tmp_path, ["Ada/1.gif"]))


def test_of_bu3dfe_only_frontal_pictures_are_photos_and_the_subject_is_the_person(tmp_path: Path) -> None:
    photos = ["F0001/F0001_AN01WH_F2D.bmp", "F0001/F0001_NE00WH_F2D.bmp", "M0044/M0044_SU04AE_F2D.png"]
    others = ["F0001/F0001_AN01WH_F3D.bmp", "F0001/F0001_AN01WH_F3D.wrl", "F0001/F0001_AN01WH_F3D.bnd"]
    folder = make_folder(tmp_path / "BU_3DFE", [*photos, *others, "M0044/M0044_SU04AE_F3D_depth.png"])
    found = [(photo.path.relative_to(folder).as_posix(), photo.identity) for photo in survey(folder).photos]
    assert found == list(zip(photos, ["F0001", "F0001", "M0044"], strict=True))


def test_bu3dfe_pictures_without_their_folders_show_the_same_people(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "flat", ["F0001_AN01WH_F2D.bmp", "F0001_HA02WH_F2D.bmp", "F0001_HA02WH_F3D.bmp"])
    assert [photo.identity for photo in survey(folder).photos] == ["F0001", "F0001"]


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
    photos = survey(SHARED / "data" / "lfw").photos
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
