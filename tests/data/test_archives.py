"""Archives unpacked whole or not at all, hostile ones refused."""

import shutil
import stat
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from symface_cli.data import archives
from symface_cli.data.datasets import open_dataset, survey
from symface_cli.errors import DataError
from tests.data.people import ARCHIVES, PEOPLE, TREE, hostile_tar, make_archive, picture, remains


@pytest.mark.parametrize("name", [*ARCHIVES, "lfw.zip"])
def test_an_archive_is_the_folder_at_its_top_and_is_unpacked_once(name: str, tmp_path: Path, cache: Path) -> None:
    names = [*TREE, "lfw/Outside.png"]
    archive = make_archive(tmp_path / name, *names, "__MACOSX/lfw/._Outside.png")
    told: list[tuple[int, int | None]] = []
    folder = open_dataset(archive, lambda *step: told.append(step))
    photos = survey(archive).photos
    assert {f"lfw/{photo.path.relative_to(folder).as_posix()}": photo.identity for photo in photos} == {
        **TREE,
        "lfw/Outside.png": "Outside",
    }
    assert all(photo.path.read_bytes() == picture(f"lfw/{photo.path.relative_to(folder)}") for photo in photos)
    assert told and all(0 < done <= archive.stat().st_size == total for done, total in told)
    assert len(remains(cache)) == 1
    told.clear()
    assert open_dataset(archive, lambda *step: told.append(step)) == folder
    assert told == []


def test_an_archive_without_a_folder_at_its_top_is_a_data_set_too(tmp_path: Path) -> None:
    archive = make_archive(tmp_path / "lfw.zip", "Ada/1.png", "Bob/1.png", "Cy.png")
    assert [photo.identity for photo in survey(archive).photos] == ["Ada", "Bob", "Cy"]


def test_of_an_archive_only_photos_are_unpacked(tmp_path: Path, cache: Path) -> None:
    archive = make_archive(tmp_path / "lfw.tgz", "lfw/Ada/1.png", "lfw/Ada/run.sh", "lfw/Ada/1.wrl", "lfw/pairs.txt")
    folder = open_dataset(archive)
    assert [path.relative_to(folder).as_posix() for path in folder.rglob("*.*")] == ["Ada/1.png"]


def test_service_folders_of_an_archive_are_not_unpacked(tmp_path: Path, cache: Path) -> None:
    others = [
        "__MACOSX/lfw/Ada/._1.png",
        "lfw/@eaDir/1.png",
        "lfw/Ada/@eaDir/1.png/x.png",
        ".Trashes/1.png",
        "._lfw.png",
    ]
    archive = make_archive(tmp_path / "lfw.zip", "./lfw/Ada/frontal/1.png", "./lfw/Ada/profile/1.png", *others)
    assert [photo.identity for photo in survey(archive).photos] == ["Ada", "Ada"]
    assert sorted(path.parent.name for path in cache.rglob("*.png")) == ["frontal", "profile"]


def hostile_zip(path: Path, name: str, mode: int = stat.S_IFREG) -> Path:
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("lfw/Ada/1.png", picture("Ada"))
        info = zipfile.ZipInfo(name)
        info.create_system, info.external_attr = 3, (mode | 0o777) << 16  # 3: made on Unix
        packed.writestr(info, "../../evil.png")
    return path


OUTSIDE = [
    "../evil.png",
    "lfw/../../evil.png",
    "/tmp/evil.png",
    "C:\\evil.png",
    "lfw\\..\\..\\evil.png",
    "//host/evil.png",
]
LINKS = {"symlink": tarfile.SYMTYPE, "hard link": tarfile.LNKTYPE}
DEVICES = {"device": tarfile.CHRTYPE, "disk": tarfile.BLKTYPE, "pipe": tarfile.FIFOTYPE}


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_an_archive_with_a_member_outside_of_its_folder_is_refused(
    name: str, kind: str, tmp_path: Path, cache: Path
) -> None:
    path = tmp_path / "archives" / "evil"
    path.parent.mkdir()
    archive = hostile_tar(path, tarfile.TarInfo(name)) if kind == "tar" else hostile_zip(path, name)
    with pytest.raises(DataError) as caught:
        survey(archive)
    assert str(archive) in str(caught.value) and repr(name) in str(caught.value)
    assert remains(cache) == []
    assert [found.name for found in tmp_path.rglob("*evil*")] == ["evil"]


@pytest.mark.parametrize("kind", [*LINKS, *DEVICES])
@pytest.mark.parametrize("target", ["/etc/passwd", "../../outside.png", "1.png"])
def test_an_archive_with_a_link_or_a_device_is_refused(kind: str, target: str, tmp_path: Path, cache: Path) -> None:
    member = tarfile.TarInfo("lfw/Ada/evil.png")
    member.type, member.linkname = (LINKS | DEVICES)[kind], target
    with pytest.raises(DataError, match=r"evil\.tgz.*'lfw/Ada/evil\.png' is a link or a device"):
        survey(hostile_tar(tmp_path / "evil.tgz", member))
    assert remains(cache) == []


def test_a_zip_archive_with_a_symlink_is_refused(tmp_path: Path, cache: Path) -> None:
    with pytest.raises(DataError, match=r"evil\.zip.*'lfw/Ada/link\.png' is a link"):
        survey(hostile_zip(tmp_path / "evil.zip", "lfw/Ada/link.png", stat.S_IFLNK))
    assert remains(cache) == []


def test_an_archive_that_claims_to_unpack_to_a_terabyte_is_refused(tmp_path: Path, cache: Path) -> None:
    with tarfile.open(tmp_path / "bomb.tgz", "w:gz") as tar:
        member = tarfile.TarInfo("lfw/Ada/1.png")
        member.size = 1 << 40
        tar.fileobj.write(member.tobuf(tarfile.GNU_FORMAT))
    with pytest.raises(DataError, match=r"bomb\.tgz.*more than .* 32 GiB"):
        survey(tmp_path / "bomb.tgz")
    assert remains(cache) == []


def test_a_zip_bomb_is_refused_before_it_fills_the_disk(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MOST_BYTES", 1 << 20)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("Ada/1.png", bytes(1 << 19))
        packed.writestr("Ada/2.png", bytes((1 << 19) + 1))
    with pytest.raises(DataError, match="unpacks to more than"):
        survey(tmp_path / "bomb.zip")
    assert remains(cache) == []


@pytest.mark.parametrize("name", ["lfw.tgz", "lfw.zip"])
def test_an_archive_of_very_many_files_is_refused(
    name: str, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MOST_MEMBERS", 2)
    with pytest.raises(DataError, match="more than 2 files"):
        survey(make_archive(tmp_path / name, *TREE))
    assert remains(cache) == []


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def cut_after_a_member(content: bytes) -> bytes:
    return content[: content.index(b"lfw/", 1)]  # where the second header starts


def garble(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0x10]) + content[middle + 1 :]


def garble_the_second_header(content: bytes) -> bytes:
    second = content.index(b"lfw/", 1)
    return content[:second] + b"garbage" + content[second + 7 :]


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        *((name, cut) for name in (*ARCHIVES, "lfw.zip")),
        *((name, garble) for name in ("lfw.tgz", "lfw.tar.bz2", "lfw.tar.xz", "lfw.zip")),
        ("lfw.tar", cut_after_a_member),
        ("lfw.tar", garble_the_second_header),
    ],
)
def test_a_damaged_archive_gives_no_data_set_at_all(
    name: str, damage: Callable[[bytes], bytes], tmp_path: Path, cache: Path
) -> None:
    archive = make_archive(tmp_path / name, *TREE)
    archive.write_bytes(damage(archive.read_bytes()))
    with pytest.raises(DataError, match=rf"{name}.*damaged.*try another copy"):
        survey(archive)
    assert remains(cache) == []


def test_a_killed_unpacking_leaves_nothing_that_is_taken_for_complete(tmp_path: Path, cache: Path) -> None:
    archive = make_archive(tmp_path / "lfw.tgz", *TREE)
    script = (
        "import os, pathlib, sys; from symface_cli.data.datasets import open_dataset;"
        "open_dataset(pathlib.Path(sys.argv[1]), lambda *step: os._exit(9))"  # after the first photo
    )
    assert subprocess.run([sys.executable, "-c", script, archive], check=False).returncode == 9
    assert len(list(cache.rglob("*.png"))) == 1
    assert [photo.identity for photo in survey(archive).photos] == sorted(PEOPLE)
    assert len(remains(cache)) == 1


def test_an_interrupted_unpacking_cleans_up(tmp_path: Path, cache: Path) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    archive = make_archive(tmp_path / "lfw.tgz", *TREE)
    with pytest.raises(KeyboardInterrupt):
        open_dataset(archive, interrupt)
    assert remains(cache) == []


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(*_: object) -> None:
        raise OSError(28, "No space left on device")

    archive = make_archive(tmp_path / "lfw.zip", *TREE)
    monkeypatch.setattr(shutil, "copyfileobj", fill)
    with pytest.raises(DataError, match=r"lfw\.zip.*No space left on device.*SYMFACE_HOME"):
        survey(archive)
    assert remains(cache) == []
