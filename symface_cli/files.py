"""Finds and reads files, and writes them whole or not at all."""

import errno
import hashlib
import os
import secrets
import sys
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from symface_cli.errors import OutputError, PhotoError, ReaderGoneError

Progress = Callable[[int, int | None], None]
"""Called with how much is done, in bytes or photos, and how much there is to do; None if that is not known."""

PHOTO_SUFFIXES: frozenset[str] = frozenset(
    {".jpg", ".jpeg", ".jfif", ".png", ".webp", ".avif", ".heic", ".heif", ".hif", ".tif", ".tiff", ".bmp"}
)
"""Suffixes of photos in a folder that is searched; a file that is named may have any suffix, GIF included."""

JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
_BLOCK = 1 << 20  # bytes read at a time
_WRITE_REASONS = {
    errno.ENOENT: "its folder does not exist; create it first",
    errno.ENOTDIR: "its folder is a file; choose another folder",
    errno.EISDIR: "it is a folder; give the name of a file",
    errno.EACCES: "permission denied; choose another folder",
    errno.ENOSPC: "no space left on the device; free some or choose another folder",
}


def contents(source: str | os.PathLike[str] | bytes) -> tuple[bytes, str]:
    """Return the contents of a file, and its name for messages.

    Raises:
        PhotoError: If it cannot be read.
    """
    if isinstance(source, bytes):
        return source, "the given bytes"
    name = on_one_line(os.fspath(source))
    try:
        return Path(source).read_bytes(), name
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise PhotoError(f"cannot read {name}: {getattr(error, 'strerror', None) or error}") from error


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file whole: whatever happens, its name has either the old contents or all of the new.

    Symbolic links are followed; a device or pipe (`/dev/stdout`) is written to, not replaced.

    Raises:
        OutputError: If it cannot be written; nothing is left behind.
    """
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            path.write_bytes(data)
        else:
            _write_and_replace(Path(os.path.realpath(path)), data)
    except OSError as error:
        reason = _WRITE_REASONS.get(error.errno or 0) or error.strerror or str(error)
        raise OutputError(f"cannot write {on_one_line(str(path))}: {reason}") from error


def read_stdin() -> bytes:
    """Read standard input to its end.

    Raises:
        PhotoError: If it is closed or cannot be read.
    """
    try:
        return _stream("stdin").buffer.read()
    except OSError as error:
        raise PhotoError(f"cannot read standard input: {error.strerror or error}") from error


def write_to_stdout(data: bytes) -> None:
    """Write to standard output, now.

    Raises:
        OutputError: If it is closed or cannot be written; a ReaderGoneError if it is a pipe that nobody reads.
    """
    try:
        stream = _stream("stdout")
        stream.flush()
        if hasattr(stream, "buffer"):
            stream.buffer.write(data)
        else:  # of text alone, as a notebook's
            stream.write(data.decode("utf-8", "surrogateescape"))
        stream.flush()
    except OSError as error:
        discard_output(sys.stdout)
        kind = ReaderGoneError if isinstance(error, BrokenPipeError) else OutputError
        raise kind(f"cannot write to standard output: {error.strerror or error}") from error


def _stream(name: str) -> TextIO:
    stream: TextIO | None = getattr(sys, name)
    if stream is None or stream.closed:
        raise OSError(errno.EBADF, "it is closed")
    return stream


def discard_output(stream: TextIO | None) -> None:
    """Let what a stream could not write, and still holds, go nowhere when the process ends."""
    with suppress(OSError, AttributeError):  # none at all, or none of a file
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())  # type: ignore[union-attr]
        os.close(nowhere)


def checksum(source: Path | bytes) -> str:
    """Compute the SHA-256 of a file, or of its contents, in hexadecimal."""
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    digest = hashlib.sha256()
    with source.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def find_photos(folder: Path) -> list[Path]:
    """List the photos in a folder and below it, sorted; skip hidden files and folders.

    Folders that are symbolic links are not entered: they may form a loop.

    Raises:
        PhotoError: If the folder, or one below it, cannot be listed.
    """

    def refuse(error: OSError) -> None:
        raise PhotoError(f"cannot list the folder {on_one_line(str(error.filename))}: {error.strerror}") from error

    found = []
    for parent, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [
            Path(parent, name)
            for name in files
            if not name.startswith(".") and Path(name).suffix.lower() in PHOTO_SUFFIXES
        ]
    return sorted(found)


def on_one_line(name: str) -> str:
    """Escape what cannot be shown in a file's name: line ends, control characters and undecodable bytes.

    Spaces of all kinds stay, and what joins characters in Persian and Indian scripts and in emojis.
    """
    return "".join(char if _is_shown(char) else repr(char)[1:-1] for char in name)


def _is_shown(char: str) -> bool:
    return char.isprintable() or char in JOINERS or unicodedata.category(char) == "Zs"


def _write_and_replace(path: Path, data: bytes) -> None:
    # A short name of its own: the target's name with something added could be longer than the file system allows.
    temporary = path.parent / f".symface-{secrets.token_hex(8)}"
    try:
        # "x", not tempfile: mkstemp's mode 0600 would stay on the result, this one follows the umask.
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        # For KeyboardInterrupt, too. After the replacement, the name is gone.
        with suppress(OSError):
            temporary.unlink()
