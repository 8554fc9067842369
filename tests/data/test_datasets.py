"""Data sets: whom photos show, archives unpacked whole or not at all, hostile ones refused."""

import hashlib
import io
import shutil
import stat
import subprocess
import sys
import tarfile
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from symface_cli.data import archives
from symface_cli.data.datasets import list_photos, open_dataset, split_of
from symface_cli.errors import DataError
from tests.conftest import ROOT, SHARED, Finished

Symface = Callable[..., Finished]

PEOPLE = {"F0001": "train", "AJ_Cook": "train", "F0005": "validation"}
TREE = {f"lfw/{name}/{name}_0001.png": name for name in PEOPLE}
ARCHIVES = {"lfw.tar": "w", "lfw.tgz": "w:gz", "lfw.tar.gz": "w:gz", "lfw.tar.bz2": "w:bz2", "lfw.tar.xz": "w:xz"}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache's folder of data sets, which does not exist yet."""
    monkeypatch.setenv("SYMFACE_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "datasets"


def picture(name: str) -> bytes:
    """A picture file of 43 kB that is different for each name, and shows no face."""
    buffer = io.BytesIO()
    Image.frombytes("RGB", (120, 120), hashlib.shake_256(name.encode()).digest(120 * 120 * 3)).save(buffer, "PNG")
    return buffer.getvalue()


def make_folder(folder: Path, names: list[str]) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture(name))
    return folder


def make_archive(path: Path, *names: str) -> Path:
    """A zip or tar archive, by its name, of pictures."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as packed:
            for name in names:
                packed.writestr(name, picture(name))
        return path
    with tarfile.open(path, ARCHIVES[path.name]) as tar:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(picture(name))
            tar.addfile(member, io.BytesIO(picture(name)))
    return path


def remains(folder: Path) -> list[str]:
    """What lies in a folder, if it exists, without the lock."""
    return sorted(path.name for path in folder.glob("*") if path.name != ".lock")


def error_line(finished: Finished) -> str:
    (line,) = [line for line in finished.err.splitlines() if line.startswith("symface: ")]
    assert finished.err.endswith(line + "\n")
    return line


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


@pytest.mark.parametrize("name", [*ARCHIVES, "lfw.zip"])
def test_an_archive_is_the_folder_at_its_top_and_is_unpacked_once(name: str, tmp_path: Path, cache: Path) -> None:
    names = [*TREE, "lfw/Outside.png"]
    archive = make_archive(tmp_path / name, *names, "__MACOSX/lfw/._Outside.png")
    told: list[tuple[str, int, int | None]] = []
    folder = open_dataset(archive, lambda *step: told.append(step))
    photos = list_photos(archive)
    assert {f"lfw/{photo.path.relative_to(folder).as_posix()}": photo.identity for photo in photos} == {
        **TREE,
        "lfw/Outside.png": "Outside",
    }
    assert all(photo.path.read_bytes() == picture(f"lfw/{photo.path.relative_to(folder)}") for photo in photos)
    assert {what for what, _, _ in told} == {f"unpacking {name}"}
    assert all(0 < done <= total == archive.stat().st_size for _, done, total in told if total)
    assert len(remains(cache)) == 1
    told.clear()
    assert open_dataset(archive, lambda *step: told.append(step)) == folder
    assert told == []


def test_an_archive_without_a_folder_at_its_top_is_a_data_set_too(tmp_path: Path) -> None:
    archive = make_archive(tmp_path / "lfw.zip", "Ada/1.png", "Bob/1.png", "Cy.png")
    assert [photo.identity for photo in list_photos(archive)] == ["Ada", "Bob", "Cy"]


def test_of_an_archive_only_photos_are_unpacked(tmp_path: Path, cache: Path) -> None:
    archive = make_archive(tmp_path / "lfw.tgz", "lfw/Ada/1.png", "lfw/Ada/run.sh", "lfw/Ada/1.wrl", "lfw/pairs.txt")
    folder = open_dataset(archive)
    assert [path.relative_to(folder).as_posix() for path in folder.rglob("*.*")] == ["Ada/1.png"]


def hostile_tar(path: Path, member: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for info, content in ((tarfile.TarInfo("lfw/Ada/1.png"), picture("Ada")), (member, b"evil")):
            info.size = len(content) if info.isfile() else 0
            tar.addfile(info, io.BytesIO(content))
    return path


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
        list_photos(archive)
    assert str(archive) in str(caught.value) and repr(name) in str(caught.value)
    assert remains(cache) == []
    assert [found.name for found in tmp_path.rglob("*evil*")] == ["evil"]


@pytest.mark.parametrize("kind", [*LINKS, *DEVICES])
@pytest.mark.parametrize("target", ["/etc/passwd", "../../outside.png", "1.png"])
def test_an_archive_with_a_link_or_a_device_is_refused(kind: str, target: str, tmp_path: Path, cache: Path) -> None:
    member = tarfile.TarInfo("lfw/Ada/evil.png")
    member.type, member.linkname = (LINKS | DEVICES)[kind], target
    with pytest.raises(DataError, match=r"evil\.tgz.*'lfw/Ada/evil\.png' is a link or a device"):
        list_photos(hostile_tar(tmp_path / "evil.tgz", member))
    assert remains(cache) == []


def test_a_zip_archive_with_a_symlink_is_refused(tmp_path: Path, cache: Path) -> None:
    with pytest.raises(DataError, match=r"evil\.zip.*'lfw/Ada/link\.png' is a link"):
        list_photos(hostile_zip(tmp_path / "evil.zip", "lfw/Ada/link.png", stat.S_IFLNK))
    assert remains(cache) == []


def test_an_archive_that_claims_to_unpack_to_a_terabyte_is_refused(tmp_path: Path, cache: Path) -> None:
    with tarfile.open(tmp_path / "bomb.tgz", "w:gz") as tar:
        member = tarfile.TarInfo("lfw/Ada/1.png")
        member.size = 1 << 40
        tar.fileobj.write(member.tobuf(tarfile.GNU_FORMAT))
    with pytest.raises(DataError, match=r"bomb\.tgz.*more than .* 32 GiB"):
        list_photos(tmp_path / "bomb.tgz")
    assert remains(cache) == []


def test_a_zip_bomb_is_refused_before_it_fills_the_disk(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MOST_BYTES", 1 << 20)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("Ada/1.png", bytes(1 << 19))
        packed.writestr("Ada/2.png", bytes((1 << 19) + 1))
    with pytest.raises(DataError, match="unpacks to more than"):
        list_photos(tmp_path / "bomb.zip")
    assert remains(cache) == []


@pytest.mark.parametrize("name", ["lfw.tgz", "lfw.zip"])
def test_an_archive_of_very_many_files_is_refused(
    name: str, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MOST_MEMBERS", 2)
    with pytest.raises(DataError, match="more than 2 files"):
        list_photos(make_archive(tmp_path / name, *TREE))
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
        list_photos(archive)
    assert remains(cache) == []


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


def test_a_killed_unpacking_leaves_nothing_that_is_taken_for_complete(tmp_path: Path, cache: Path) -> None:
    archive = make_archive(tmp_path / "lfw.tgz", *TREE)
    script = (
        "import os, pathlib, sys; from symface_cli.data.datasets import open_dataset;"
        "open_dataset(pathlib.Path(sys.argv[1]), lambda *step: os._exit(9))"  # after the first photo
    )
    assert subprocess.run([sys.executable, "-c", script, archive], cwd=ROOT, check=False).returncode == 9
    assert len(list(cache.rglob("*.png"))) == 1
    assert [photo.identity for photo in list_photos(archive)] == sorted(PEOPLE)
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
        list_photos(archive)
    assert remains(cache) == []
