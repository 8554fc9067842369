"""Data sets: which photos they have, whom these show, and which split a person belongs to.

A data set is a folder of photos with a sub-folder per person, such as LFW (Labeled Faces in the Wild) and BU-3DFE, or a
tar or zip archive of such a folder. Archives are unpacked into the cache, once; LFW's can be downloaded.
"""

import hashlib
import re
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from lzma import LZMAError
from pathlib import Path, PureWindowsPath
from typing import IO, BinaryIO

from symface_cli.data.downloads import alone, cache_folder, checksum, fetch, is_offline, on_mirror
from symface_cli.errors import DataError, PhotoError
from symface_cli.imaging.photo import PHOTO_SUFFIXES, find_photos

MOST_MEMBERS = 250_000  # of an archive; LFW has 13,233 photos
MOST_BYTES = 32 << 30  # that an archive may unpack to; LFW has less than 0.3 GiB
ADVICE = "give a folder of photos, one sub-folder per person, or a tar or zip archive of one"

BU3DFE = re.compile(r"(?P<person>[FM]\d{4})_(AN|DI|FE|HA|NE|SA|SU)0[0-4][A-Z]{2}_(?P<kind>.+)")
"""Names of BU-3DFE's files: person, expression, its level (0 for neutral), ethnicity; F2D is the frontal picture."""

Progress = Callable[[str, int, int | None], None]
"""Called with what is being done, with how many bytes it is done, and of how many, None if that is not known."""


@dataclass(frozen=True)
class DatasetPhoto:
    """A photo of a data set, and who it shows."""

    path: Path
    identity: str


@dataclass(frozen=True)
class PublishedArchive:
    """An archive that can be downloaded.

    Attributes:
        name: Of its file.
        sha256: Its checksum.
        addresses: Its home, and a copy for when that does not answer.
        licence: What a user should know before the first download, in one line.
    """

    name: str
    sha256: str
    addresses: tuple[str, str]
    licence: str


# The images that the bundled weights are trained on and that all results are about. The checksum is the one that
# torchvision's prototype data sets pin (pytorch/vision at dec0942c). The home has had no DNS entry since 2025.
LFW = PublishedArchive(
    "lfw-deepfunneled.tgz",
    "08575363d69edaed9a7c3ccb9e2eebd76c91bc1011b2baaf725f8d1284bf3a2f",
    (
        "http://vis-www.cs.umass.edu/lfw/lfw-deepfunneled.tgz",
        "https://web.archive.org/web/20231118124720if_/https://vis-www.cs.umass.edu/lfw/lfw-deepfunneled.tgz",
    ),
    "Labeled Faces in the Wild, deep-funneled, by the University of Massachusetts: photos of real people, for research",
)


def list_photos(data: Path) -> list[DatasetPhoto]:
    """The photos of a data set, sorted by path.

    The folder that a photo lies in is the person; photos outside of any sub-folder show a person each. Of BU-3DFE,
    which is known by its file names, only the frontal pictures are photos.

    Args:
        data: A folder, or an archive of one.

    Raises:
        DataError: If there is no such folder or archive, it holds no photos, or it cannot be unpacked.
    """
    folder = open_dataset(data)
    try:
        named = [(path, _identity_of(path, folder)) for path in find_photos(folder)]
    except PhotoError as error:
        raise DataError(str(error)) from error
    photos = [DatasetPhoto(path, identity) for path, identity in named if identity is not None]
    if not photos:
        raise DataError(f"{data}: no photos in it; {ADVICE}")
    return photos


def _identity_of(path: Path, folder: Path) -> str | None:
    """Who a picture shows; None for BU-3DFE's pictures that are not photos."""
    named = BU3DFE.fullmatch(path.stem)
    if named:
        return named["person"] if named["kind"] == "F2D" else None
    return path.stem if path.parent == folder else path.parent.name


def split_of(identity: str) -> str:
    """The split that a person belongs to, by a hash of the name: "test", "validation" or "train"."""
    digest = hashlib.sha256(f"symface-split:{identity}".encode()).digest()
    u = int.from_bytes(digest[:8], "big") / 2**64
    return "test" if u < 0.154 else "validation" if u < 0.231 else "train"


def fetch_lfw(progress: Progress) -> Path:
    """LFW's archive in the cache, downloaded if it is not there.

    Raises:
        DataError: If it cannot be downloaded.
    """
    target = cache_folder() / "datasets" / LFW.name
    if target.is_file():
        return target

    def get(address: str, by_hand: str) -> None:
        told = partial(progress, f"downloading {on_mirror(address)}")
        fetch(address, target, LFW.sha256, told, by_hand, DataError)

    home, copy = LFW.addresses
    if is_offline() or on_mirror(home) != home:
        get(home, f"put a copy of it at {target}, or {ADVICE}")
        return target
    try:
        get(home, "")
    except DataError:
        get(copy, f"put a copy of {home}, which failed before, at {target}, or {ADVICE}")
    return target


def open_dataset(data: Path, progress: Progress | None = None) -> Path:
    """The folder of a data set: itself, or where its archive is unpacked, after unpacking it if need be.

    Args:
        data: A folder, or an archive, in which a single folder at the top is the data set.
        progress: Told how much of an archive is unpacked.

    Raises:
        DataError: If there is no such folder or archive, or it cannot be unpacked.
    """
    if data.is_dir():
        return data
    if not data.is_file():
        raise DataError(f"{data}: no such folder or archive; {ADVICE}")
    folder = _unpack_once(data, progress or (lambda what, done, total: None))
    tops = [path for path in folder.iterdir() if path.name != "__MACOSX"]
    return tops[0] if len(tops) == 1 and tops[0].is_dir() else folder


def _unpack_once(archive: Path, progress: Progress) -> Path:
    """A folder of the cache, named by the archive's checksum, and complete if it is there at all."""
    try:
        folder = cache_folder() / "datasets" / checksum(archive)[:16]
        if folder.is_dir():
            return folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        with alone(folder.parent):
            if not folder.is_dir():  # another process may have unpacked it while this one waited
                _unpack(archive, folder, progress)
    except OSError as error:
        raise DataError(
            f"{archive}: cannot be unpacked ({error.strerror}); set SYMFACE_HOME to another folder, or {ADVICE}"
        ) from error
    return folder


def _unpack(archive: Path, folder: Path, progress: Progress) -> None:
    """Unpacks into a temporary folder, in place of what a killed attempt left there, and renames it."""
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir()
        with archive.open("rb") as stream:
            _unpack_photos(archive, stream, part, progress)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _unpack_photos(archive: Path, stream: BinaryIO, folder: Path, progress: Progress) -> None:
    """Unpacks the photos of an archive; its other files are looked at and left.

    Raises:
        DataError: If it is no archive, damaged, too large, or has a member that could do harm.
        OSError: If a photo cannot be written.
    """
    unpacked, size = 0, archive.stat().st_size
    try:
        for count, member in enumerate(_members_of(stream), 1):
            _refuse_unsafe(member, archive)
            unpacked += member.size
            if count > MOST_MEMBERS or unpacked > MOST_BYTES:
                raise DataError(
                    f"{archive}: it unpacks to more than {MOST_MEMBERS:,} files or {MOST_BYTES >> 30} GiB; "
                    "if that is right, unpack it by hand and give the folder"
                )
            _write_photo(member, folder)
            progress(f"unpacking {archive.name}", stream.tell(), size)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, LZMAError, EOFError, RuntimeError, ValueError) as error:
        raise DataError(f"{archive}: {_damage(error)}") from error
    except OSError as error:
        if error.errno is not None:
            raise
        raise DataError(f"{archive}: {_damage(error)}") from error  # what gzip and bz2 say of damaged data


def _damage(error: Exception) -> str:
    return f"no archive, or a damaged one ({error}); try another copy of it, or {ADVICE}"


@dataclass(frozen=True)
class _Member:
    """A member of an archive.

    Attributes:
        name: With its folders.
        size: Bytes, unpacked.
        is_plain: Whether it is a file or a folder, not a link or a device.
        open: Gives its content; None for a folder.
    """

    name: str
    size: int
    is_plain: bool
    open: Callable[[], IO[bytes] | None]


def _members_of(stream: BinaryIO) -> Iterator[_Member]:
    """The members of an archive in its order; each is to be read before the next is asked for."""
    if tarfile.is_tarfile(stream):
        stream.seek(0)
        return _members_of_tar(stream)
    return _members_of_zip(stream)


def _members_of_tar(stream: BinaryIO) -> Iterator[_Member]:
    with tarfile.open(fileobj=stream) as tar:
        for member in tar:
            is_plain = member.isfile() or member.isdir()
            yield _Member(member.name, member.size, is_plain, partial(tar.extractfile, member))
        # tarfile takes a broken header for the end. The real end is zeros; to read it is to check gzip's checksum, too.
        assert tar.fileobj is not None
        tar.fileobj.seek(tar.offset)
        end = tar.fileobj.read(1 << 24)
        if not end or end.strip(b"\0"):
            raise tarfile.ReadError("it ends too early")


def _members_of_zip(stream: BinaryIO) -> Iterator[_Member]:
    with zipfile.ZipFile(stream) as packed:
        for info in packed.infolist():
            is_plain = stat.S_IFMT(info.external_attr >> 16) in (0, stat.S_IFREG, stat.S_IFDIR)
            yield _Member(info.filename, info.file_size, is_plain, partial(_open_in_zip, packed, info))


def _open_in_zip(packed: zipfile.ZipFile, info: zipfile.ZipInfo) -> IO[bytes] | None:
    return None if info.is_dir() else packed.open(info)


def _refuse_unsafe(member: _Member, archive: Path) -> None:
    """Raises DataError for what is no file or folder, or would lie outside of the folder that it is unpacked to."""
    path = PureWindowsPath(member.name)  # what leads out on any system does so on Windows
    problem = None
    if not member.is_plain:
        problem = "is a link or a device"
    elif path.drive or path.root:
        problem = "has an absolute path"
    elif ".." in path.parts:
        problem = "leads out of its folder"
    if problem:
        raise DataError(f"{archive}: refused, its member {member.name!r} {problem}; get it from a place you trust")


def _write_photo(member: _Member, folder: Path) -> None:
    """Writes a member to its place in the folder, if it is a photo."""
    path = folder / member.name
    if path.suffix.lower() not in PHOTO_SUFFIXES:
        return
    content = member.open()
    if content is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with content, path.open("wb") as file:
        shutil.copyfileobj(content, file)
