"""Results are written whole or not at all, and folders are searched for photos."""

import errno
import hashlib
import io
import os
import stat
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from symface_cli import files
from symface_cli.errors import OutputError, PhotoError
from symface_cli.files import find_photos, write_atomically
from symface_cli.imaging.photo import encode_png

UPRIGHT = (np.arange(36, dtype=np.uint8) * 7).reshape(3, 4, 3)  # all samples different
posix = pytest.mark.skipif(os.name != "posix", reason="modes, links and pipes are POSIX's")


def test_png_has_the_pixels_and_the_text() -> None:
    text = {"Software": "symface", "Comment": "größer 子"}
    data = encode_png(UPRIGHT, text)
    image = Image.open(io.BytesIO(data))
    np.testing.assert_array_equal(np.asarray(image), UPRIGHT)
    assert {keyword: image.info[keyword] for keyword in text} == text
    assert b"tEXtSoftware\0symface" in data


def test_same_photo_gives_the_same_png() -> None:
    one = encode_png(UPRIGHT, {"a": "1", "b": "2"})
    assert one == encode_png(np.asfortranarray(UPRIGHT), {"b": "2", "a": "1"})
    assert one != encode_png(UPRIGHT) == encode_png(UPRIGHT, {})


@pytest.mark.parametrize("name", ["new.png", "old.png", "x" * 251 + ".png"])
def test_file_is_written_or_replaced(tmp_path: Path, name: str) -> None:
    (tmp_path / "old.png").write_bytes(b"old and longer")
    write_atomically(tmp_path / name, b"new")
    assert (tmp_path / name).read_bytes() == b"new"
    assert {path.name for path in tmp_path.iterdir()} == {name, "old.png"}


@posix
@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o077, 0o600)])
def test_mode_of_a_written_file_follows_the_umask(tmp_path: Path, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        write_atomically(tmp_path / "result.png", b"data")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "result.png").stat().st_mode) == mode


FAILURES = [(errno.ENOSPC, "no space left"), (errno.EIO, os.strerror(errno.EIO)), (errno.EACCES, "permission denied")]


@pytest.mark.parametrize(("number", "reason"), FAILURES)
@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_failed_write_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str, number: int, reason: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    target = tmp_path / "result.png"
    target.write_bytes(b"old")
    monkeypatch.setattr(files.os, function, fail)
    with pytest.raises(OutputError, match=reason) as caught:
        write_atomically(target, b"new")
    assert str(caught.value).startswith(f"cannot write {target}: ")
    assert [path.name for path in tmp_path.iterdir()] == ["result.png"]
    assert target.read_bytes() == b"old"


def test_interrupted_write_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: int) -> None:
        assert [path.name[0] for path in tmp_path.iterdir()] == ["."]
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "result.png", b"new")
    assert list(tmp_path.iterdir()) == []


@posix
@pytest.mark.parametrize(
    ("name", "reason"),
    [("folder", "it is a folder"), ("missing/a.png", "its folder does not"), ("file/a.png", "its folder is a file")],
)
def test_name_that_cannot_be_written_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"old")
    with pytest.raises(OutputError, match=reason):
        write_atomically(tmp_path / name, b"new")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder"]


@posix
def test_link_is_followed_and_pipe_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "link.png").symlink_to("real.png")
    write_atomically(tmp_path / "link.png", b"data")
    assert (tmp_path / "link.png").is_symlink() and (tmp_path / "real.png").read_bytes() == b"data"
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_atomically(tmp_path / "pipe", b"data")
    assert os.read(reader, 100) == b"data" and (tmp_path / "pipe").is_fifo()
    os.close(reader)


def test_checksums_are_those_of_the_whole_file(tmp_path: Path) -> None:
    content = bytes(range(256)) * 10_000  # more than a block
    (tmp_path / "large.bin").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    assert files.checksum(tmp_path / "large.bin") == files.checksum(content) == digest


def test_photos_are_found_sorted_and_by_their_suffix(tmp_path: Path) -> None:
    folder = tmp_path / ".hidden but named"
    wanted = ["B.JPG", "a.jpeg", "b/c.png", "b/d/e.TiFf", "ä.webp"]
    others = [".hidden.jpg", ".cache/a.jpg", "b/.git/a.png", "notes.txt", "jpg", "movie.gif", "b/a.jpg.part"]
    for name in wanted + others:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    (folder / "folder.jpg").mkdir()
    assert [path.relative_to(folder).as_posix() for path in find_photos(folder)] == wanted
    assert find_photos(folder / "folder.jpg") == []


def test_folder_that_cannot_be_listed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match=r"cannot list the folder .*missing"):
        find_photos(tmp_path / "missing")
