"""Files are read, and folders are searched for photos."""

import errno
import hashlib
import io
import os
import socket
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from symface_cli import files
from symface_cli.errors import PhotoError
from symface_cli.files import find_photos, look_up
from symface_cli.imaging.photo import encode_png, read_photo

UPRIGHT = (np.arange(36, dtype=np.uint8) * 7).reshape(3, 4, 3)  # all samples different
posix = pytest.mark.skipif(os.name != "posix", reason="links, pipes and devices are POSIX's")


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


def test_checksums_are_those_of_the_whole_file(tmp_path: Path) -> None:
    content = bytes(range(256)) * 10_000  # more than a block
    (tmp_path / "large.bin").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    assert files.checksum(tmp_path / "large.bin") == files.checksum(content) == digest


def make_tree(folder: Path, *names: str) -> Path:
    """Empty files."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def names_in(folder: Path) -> list[str]:
    """The photos that are found, by their paths in the folder."""
    return [path.relative_to(folder).as_posix() for path in find_photos(folder).photos]


def problems_in(folder: Path) -> list[str]:
    return [str(problem).replace(str(folder), "ROOT") for problem in find_photos(folder).problems]


def test_photos_are_found_sorted_and_by_their_suffix(tmp_path: Path) -> None:
    wanted = ["B.JPG", "a.jpeg", "b/c.png", "b/d/e.TiFf", "ä.webp"]
    others = [".hidden.jpg", ".cache/a.jpg", "b/.git/a.png", "b/._c.png", "notes.txt", "jpg", "b/a.jpg.part"]
    results = ["a.symmetric.jpg", "b/a.symmetric-face-2.png", "b/c.asymmetry.png", "b/c.symmetric.gif"]
    folder = make_tree(tmp_path / ".hidden but named", *wanted, *others, *results, "movie.gif")
    (folder / "folder.jpg").mkdir()
    assert names_in(folder) == wanted
    assert find_photos(folder).gifs == (folder / "movie.gif",)
    assert find_photos(folder).problems == ()
    assert find_photos(folder / "folder.jpg").photos == ()


@pytest.mark.parametrize(
    "service",
    [
        "@eaDir/1.jpg",  # Synology has a folder per photo there
        "#recycle", "#snapshot", "@Recycle", "@Recently-Snapshot", ".@__thumb", "@__thumb",
        "$RECYCLE.BIN", "$Recycle.Bin/S-1-5-21", "RECYCLER", "System Volume Information",
        "__MACOSX", ".Trashes/501", ".Spotlight-V100", "Network Trash Folder",
        "lost+found", ".Trash-1000/files", ".thumbnails", "~snapshot/hourly.0",
    ],
)  # fmt: skip
def test_service_folders_are_passed_over_at_any_depth(tmp_path: Path, service: str) -> None:
    make_tree(tmp_path, "1.jpg", "Ada/2.jpg", f"{service}/x.jpg", f"Ada/{service}/SYNOPHOTO_THUMB_XL.jpg")
    assert names_in(tmp_path) == ["1.jpg", "Ada/2.jpg"]


def test_a_service_folder_that_is_named_is_searched(tmp_path: Path) -> None:
    assert names_in(make_tree(tmp_path / "lost+found", "#123/a.jpg", "b.jpg")) == ["#123/a.jpg", "b.jpg"]


@posix
def test_links_are_followed_and_each_folder_is_entered_once(tmp_path: Path) -> None:
    make_tree(tmp_path / "all", "Ada/1.jpg", "Bob/1.jpg", "Bob/old/2.jpg", "Cy/1.jpg", "loose.jpg")
    subset = make_tree(tmp_path / "subset", "Own/1.jpg")
    links = {"Ada": "../all/Ada", "Bob": "../all/Bob", "Again": "Own", "Own/up": "..", "Own/self": ".", "photo.jpg": ""}
    for name, target in links.items():
        (subset / name).symlink_to(target or "../all/loose.jpg")
    (tmp_path / "all" / "Bob" / "loop").symlink_to("../../subset")
    (subset / "everything").symlink_to("..")  # a folder above
    assert names_in(subset) == ["Ada/1.jpg", "Bob/1.jpg", "Bob/old/2.jpg", "Own/1.jpg", "photo.jpg"]
    assert problems_in(subset) == []
    (tmp_path / "linked").symlink_to("subset")
    assert names_in(tmp_path / "linked") == names_in(subset)


@posix
def test_a_link_that_sorts_first_does_not_take_the_photos_of_a_folder(tmp_path: Path) -> None:
    make_tree(tmp_path, "zoe/deep/1.jpg")
    (tmp_path / "a link").symlink_to("zoe/deep")
    assert names_in(tmp_path) == ["zoe/deep/1.jpg"]


@posix
def test_what_cannot_be_a_photo_is_named_and_passed_over(tmp_path: Path) -> None:
    make_tree(tmp_path, "good.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    os.mkfifo(tmp_path / "control")
    for name, target in {
        "gone.jpg": "nowhere.jpg",
        "Gone": "nowhere",
        "me.png": "me.png",
        "zero.png": "/dev/zero",
    }.items():
        (tmp_path / name).symlink_to(target)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket.png")  # in the working folder, which is this one: a path may have 107 bytes
        assert names_in(tmp_path) == ["good.jpg"]
        assert problems_in(tmp_path) == [
            "cannot read ROOT/Gone: it is a link to nothing",
            "cannot read ROOT/gone.jpg: it is a link to nothing",
            f"cannot read ROOT/me.png: {os.strerror(errno.ELOOP)}",
            "cannot read ROOT/pipe.jpg: it is a named pipe, not a file; give a copy of the photo",
            "cannot read ROOT/socket.png: it is a socket, not a file; give a copy of the photo",
            "cannot read ROOT/zero.png: it is a device, not a file; give a copy of the photo",
        ]


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch) -> None:
    """No folder called "locked" can be listed, which root could."""
    scan = os.scandir

    def refuse(folder: Path) -> object:
        if Path(folder).name == "locked":
            raise PermissionError(errno.EACCES, "Permission denied", str(folder))
        return scan(folder)

    monkeypatch.setattr(files.os, "scandir", refuse)


@pytest.mark.usefixtures("locked")
def test_folders_that_cannot_be_listed_are_named_and_the_others_searched(tmp_path: Path) -> None:
    make_tree(tmp_path, "Ada/1.jpg", "Ada/locked/2.jpg", "locked/1.jpg", "z.jpg")
    assert names_in(tmp_path) == ["Ada/1.jpg", "z.jpg"]
    reason = "Permission denied"
    assert problems_in(tmp_path) == [
        f"cannot list the folder ROOT/{name}: {reason}" for name in ("locked", "Ada/locked")
    ]
    assert problems_in(tmp_path / "locked") == [f"cannot list the folder ROOT: {reason}"]


def test_a_folder_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    assert problems_in(tmp_path / "missing") == ["cannot list the folder ROOT: No such file or directory"]


@posix
def test_a_pipe_or_a_device_is_not_read(tmp_path: Path) -> None:
    """Else this would wait for ever."""
    os.mkfifo(tmp_path / "photo.jpg")
    for path, kind in {tmp_path / "photo.jpg": "a named pipe", Path("/dev/zero"): "a device"}.items():
        with pytest.raises(PhotoError, match=f"cannot read {path}: it is {kind}"):
            read_photo(path)


@pytest.mark.parametrize("name", ["missing", "missing/below", "file/below", "dangling"])
def test_file_that_is_not_there_is_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to("nowhere")
    assert look_up(tmp_path / name) is None
    assert look_up(tmp_path / "file") == (tmp_path / "file").stat()


def test_name_that_cannot_be_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="too long"):
        look_up(tmp_path / ("x" * 300))
