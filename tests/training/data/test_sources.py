"""What has changed of a training's files is found, and when they were written is not."""

import os
from pathlib import Path

import pytest

from symface_cli.data.datasets import DatasetPhoto
from symface_cli.training.data import sources
from symface_cli.training.data.sources import Annotations, Sources, find_change, find_sources


def look(folder: Path, known: Sources | None = None) -> Sources:
    """The files as they are now."""
    photos = {path.name: DatasetPhoto(path, path.stem) for path in folder.glob("*.jpg")}
    labels, pixels = folder / "labels.csv", folder / "pixels"
    annotations = Annotations(
        labels=labels if labels.exists() else None, segmentation=pixels if pixels.exists() else None
    )
    return find_sources(photos, annotations, known)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        (tmp_path / name).write_bytes(name.encode() + 100 * b"x")
    return tmp_path


def test_files_that_are_as_they_were_are_no_change_and_are_not_read_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = look(folder)
    monkeypatch.delattr(sources, "checksum")
    assert look(folder, known) == known
    assert find_change(known, look(folder, known)) is None


def test_a_copy_with_other_times_is_no_change(folder: Path) -> None:
    known = look(folder)
    os.utime(folder / "a.jpg", (1, 1))
    assert find_change(known, look(folder, known)) is None


@pytest.mark.parametrize("keeps_time", [False, True])
def test_a_photo_of_the_same_size_with_another_content_has_changed(folder: Path, keeps_time: bool) -> None:
    """As one whose orientation was changed in place; that its time was set back, only a fresh look tells."""
    known, before = look(folder), (folder / "b.jpg").stat()
    (folder / "b.jpg").write_bytes(b"c.jpg" + 100 * b"x")
    os.utime(folder / "b.jpg", ns=(0, before.st_mtime_ns + (0 if keeps_time else 1)))
    assert find_change(known, look(folder, None if keeps_time else known)) == "1 photo changed, b.jpg"


def test_photos_that_came_went_and_changed_are_counted_and_one_is_named(folder: Path) -> None:
    known = look(folder)
    for name in ("d.jpg", "e.jpg", "f.jpg"):
        (folder / name).touch()
    (folder / "a.jpg").unlink()
    for name in ("b.jpg", "c.jpg"):
        (folder / name).write_bytes(b"other")
    change = "3 photos more, such as d.jpg, 1 photo gone, a.jpg, 2 photos changed, such as b.jpg"
    assert find_change(known, look(folder, known)) == change


def test_labels_that_were_given_changed_or_left_out_are_a_change(folder: Path) -> None:
    without = look(folder)
    (folder / "labels.csv").write_text("photo")
    first = look(folder)
    (folder / "labels.csv").write_text("photo,use")
    second = look(folder, first)
    pairs = [(without, first), (first, second), (second, without)]
    assert [find_change(*pair) for pair in pairs] == 3 * ["other labels"]


def test_other_pixel_labels_are_a_change_and_a_copy_of_them_is_none(folder: Path) -> None:
    without = look(folder)
    (folder / "pixels").mkdir()
    for name in ("a.png", "other.png"):
        (folder / "pixels" / name).write_bytes(b"labels")
    known = look(folder)
    assert find_change(without, known) == "other pixel labels"
    os.utime(folder / "pixels" / "a.png", (1, 1))
    (folder / "pixels" / "other.png").unlink()  # of no photo
    assert find_change(known, look(folder, known)) is None
    (folder / "pixels" / "a.png").write_bytes(b"others")
    assert find_change(known, look(folder, known)) == "other pixel labels"
    (folder / "pixels" / "a.png").unlink()
    (folder / "pixels").rmdir()
    (folder / "pixels").write_bytes(b"all labels in one file")
    assert look(folder)["segmentation"].keys() == {""}
