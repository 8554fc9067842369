"""Unpacks archives: once, safely, and completely or not at all."""

import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from lzma import LZMAError
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, BinaryIO

from symface_cli.data.downloads import cache_folder, locked
from symface_cli.errors import DataError
from symface_cli.files import PHOTO_SUFFIXES, Progress, checksum, is_passed_over

MOST_MEMBERS = 250_000  # files in an archive; LFW has 13,233 photos
MOST_BYTES = 32 << 30  # unpacked; LFW has less than 0.3 GiB
ADVICE = "give a folder of photos, one sub-folder per person, or a tar or zip archive of one"


def unpack_once(archive: Path, progress: Progress) -> Path:
    """Return the folder of the cache that an archive is unpacked to; it is named by the archive's checksum.

    Raises:
        DataError: If the archive cannot be read or unpacked, or is unsafe.
    """
    try:
        folder = cache_folder() / "datasets" / checksum(archive)[:16]
        if folder.is_dir():
            return folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        with locked(folder.parent):
            if not folder.is_dir():  # another process may have unpacked it while this one waited
                _unpack(archive, folder, progress)
    except OSError as error:
        raise DataError(
            f"{archive}: cannot be unpacked ({error.strerror}); set SYMFACE_HOME to another folder, or {ADVICE}"
        ) from error
    return folder


def _unpack(archive: Path, folder: Path, progress: Progress) -> None:
    """Unpack into a temporary folder, emptied of what a killed attempt left there, and rename it."""
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
    """Unpack the photos of an archive; check its other files, too, and skip them.

    Raises:
        DataError: If it is no archive, damaged, too large or unsafe.
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
            progress(stream.tell(), size)
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
        name: Its path in the archive.
        size: Bytes, unpacked.
        is_plain: Whether it is a file or a folder, not a link or a device.
        open: Opens its content; returns None for a folder.
    """

    name: str
    size: int
    is_plain: bool
    open: Callable[[], IO[bytes] | None]


def _members_of(stream: BinaryIO) -> Iterator[_Member]:
    """Yield the members of an archive in its order; read each before you ask for the next."""
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
    """Refuse a member that is neither file nor folder, or whose path leads out of the target folder.

    This is stricter than `tarfile.data_filter`, which has no say about zip archives, lets links pass that stay inside,
    and, except on Windows, takes Windows paths for plain names.

    Raises:
        DataError: If it is unsafe.
    """
    path = PureWindowsPath(member.name)  # what leads out on any system does so on Windows
    problem = None
    if not member.is_plain:
        problem = "is a link or a device"
    elif path.drive or path.root or ".." in path.parts:
        problem = "would be written outside the target folder"
    if problem is not None:
        raise DataError(f"{archive}: unsafe archive: member {member.name!r} {problem}; get it from a place you trust")


def _write_photo(member: _Member, folder: Path) -> None:
    """Write a member to its place in the folder, if it is a photo that a folder would be searched for."""
    path = folder / member.name
    if path.suffix.lower() not in PHOTO_SUFFIXES or any(map(is_passed_over, PurePosixPath(member.name).parts)):
        return
    content = member.open()
    if content is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with content, path.open("wb") as file:
        shutil.copyfileobj(content, file)
