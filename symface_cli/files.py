"""Finds and reads files; the standard streams as bytes."""

import csv
import errno
import hashlib
import io
import os
import re
import stat
import sys
import unicodedata
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from symface_cli.errors import OutputError, PhotoError, ReaderGoneError
from symface_cli.storage.address import Address

Progress = Callable[[int, int | None], None]
"""Called with how much is done, in bytes or photos, and how much there is to do; None if that is not known."""

PHOTO_SUFFIXES: frozenset[str] = frozenset(
    {".jpg", ".jpeg", ".jfif", ".png", ".webp", ".avif", ".heic", ".heif", ".hif", ".tif", ".tiff", ".bmp"}
)
"""Suffixes of photos in a folder that is searched; a file that is named may have any suffix, GIF included."""

FILM_SUFFIXES: frozenset[str] = frozenset(
    {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".wmv", ".3gp", ".ogv"}
)
"""Suffixes by which films are told from photos."""

JOINERS = "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"

SERVICE_FOLDERS: frozenset[str] = frozenset(
    {
        *("@eadir", "@tmp", "#recycle", "#snapshot"),  # Synology: thumbnails, uploads, what was deleted, old versions
        *("@__thumb", "@recycle", "@recently-snapshot"),  # QNAP: the same
        *("$recycle.bin", "recycler", "recycled", "system volume information"),  # Windows, on every disk
        *("__macosx", "network trash folder"),  # macOS, in zip archives and on servers; its others begin with a dot
        *("lost+found", "~snapshot"),  # disks of Linux; NetApp
    }
)
"""Folders that systems make beside people's own, in lower case: what looks like photos there are copies of others."""

_RESULT = re.compile(r"\.(symmetric|asymmetry)(-[a-z0-9-]+)?\.\w+$")

_SPECIAL = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_BLOCK = 1 << 20  # bytes read at a time


def contents(source: str | os.PathLike[str] | bytes) -> tuple[bytes, str]:
    """Return the contents of a file, and its name for messages.

    Raises:
        PhotoError: If it cannot be read, or is a pipe or a device, which might never end.
    """
    if isinstance(source, bytes):
        return source, "the given bytes"
    name = on_one_line(os.fspath(source))
    try:
        if isinstance(source, Address):
            return source.read_bytes(), name
        problem = _find_special(Path(source))
        if problem is None:
            return Path(source).read_bytes(), name
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise PhotoError(f"cannot read {name}: {getattr(error, 'strerror', None) or error}") from error
    raise problem


def look_up(path: Path) -> os.stat_result | None:
    """Return what the system knows of a file, links followed; None if there is none.

    Raises:
        OSError: If that cannot be told: a folder may not be entered, or the name is too long. `Path.exists` raises this
            or hides it, by the version of Python.
    """
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None


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


def as_csv(rows: Iterable[Sequence[object]]) -> bytes:
    """Write rows as CSV, whose lines end with a new line, and names as the bytes they are.

    Python before 3.13 quotes a carriage return in a cell only where lines end with one; unquoted, it ends the line.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    lines = []
    for row in rows:
        writer.writerow(row)
        lines.append(text.getvalue()[:-2] + "\n")
        text.seek(0)
        text.truncate()
    return "".join(lines).encode("utf-8", sys.getfilesystemencodeerrors())


def checksum(source: Path | bytes) -> str:
    """Compute the SHA-256 of a file, or of its contents, in hexadecimal."""
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    digest = hashlib.sha256()
    with source.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def bundled(folder: str, name: str) -> Path:
    """Return where a file that comes with symface lies: in the package, or beside it in a checkout."""
    inside = Path(__file__).parent / folder / name
    return inside if inside.is_file() else Path(__file__).parents[1] / folder / name


@dataclass(frozen=True, kw_only=True)
class FoundPhotos:
    """What is found in a folder and below it.

    Attributes:
        photos: Its photos, sorted.
        gifs: Its GIF files, sorted; they are taken only where they are named.
        problems: What is passed over, though it may be a photo or hold some; the folder itself, if it cannot be listed.
    """

    photos: tuple[Path, ...]
    gifs: tuple[Path, ...]
    problems: tuple[PhotoError, ...]


def find_photos(folder: Path) -> FoundPhotos:
    """Find the photos in a folder and below it.

    Hidden files and folders, service folders and symface's own results are left out. Links are followed, but each
    folder is entered once: a link to one that is searched anyway, or to one above, brings nothing.
    """
    if isinstance(folder, Address):
        return _find_objects(folder)
    search = _Search(folder)
    search.run()
    return FoundPhotos(
        photos=tuple(sorted(search.photos)), gifs=tuple(sorted(search.gifs)), problems=tuple(search.problems)
    )


def _find_objects(folder: Address) -> FoundPhotos:
    """Find the same in a store, by its list of objects."""
    try:
        shown = [found for found in folder.list_all() if not any(map(is_passed_over, found.relative_to(folder).parts))]
    except OSError as error:
        problem = PhotoError(f"cannot list {on_one_line(str(folder))}: {error.strerror}")
        return FoundPhotos(photos=(), gifs=(), problems=(problem,))
    named = [found for found in shown if not is_result(found.name)]
    return FoundPhotos(
        photos=tuple(found for found in named if found.suffix.lower() in PHOTO_SUFFIXES),
        gifs=tuple(found for found in named if found.suffix.lower() == ".gif"),
        problems=(),
    )


class _Search:
    """A search for photos: what is found so far, and the folders that are still to be entered."""

    def __init__(self, root: Path) -> None:
        self.photos: list[Path] = []
        self.gifs: list[Path] = []
        self.problems: list[PhotoError] = []
        self._folders, self._links = deque([root]), deque[Path]()
        # A link to a folder above would bring in everything that lies beside this one.
        self._entered = {_place_of(parent) for parent in Path(os.path.realpath(root)).parents}

    def run(self) -> None:
        """Enter all folders, links last: a photo has the name that leads to it without a link, if there is one."""
        while self._folders or self._links:
            folder = (self._folders or self._links).popleft()
            place = _place_of(folder)
            if place not in self._entered:
                self._entered.add(place)
                self._enter(folder)

    def _enter(self, folder: Path) -> None:
        try:
            with os.scandir(folder) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            self.problems.append(PhotoError(f"cannot list the folder {on_one_line(str(folder))}: {error.strerror}"))
            return
        for entry in listed:
            if not is_passed_over(entry.name):
                self._take(entry)

    def _take(self, entry: os.DirEntry[str]) -> None:
        path = Path(entry.path)
        try:
            if entry.is_dir():
                (self._links if entry.is_symlink() else self._folders).append(path)
            elif entry.is_file():
                self._take_file(path)
            else:
                self._take_special(path)
        except OSError as error:
            reason = "it is a link to nothing" if isinstance(error, FileNotFoundError) else error.strerror
            self.problems.append(PhotoError(f"cannot read {on_one_line(entry.path)}: {reason}"))

    def _take_file(self, path: Path) -> None:
        suffix = path.suffix.lower()
        if suffix in PHOTO_SUFFIXES and not is_result(path.name):
            self.photos.append(path)
        elif suffix == ".gif" and not is_result(path.name):
            self.gifs.append(path)

    def _take_special(self, path: Path) -> None:
        problem = _find_special(path)  # fails for a link to nothing, which may have been one to a folder
        if problem is not None and path.suffix.lower() in PHOTO_SUFFIXES:
            self.problems.append(problem)


def _place_of(folder: Path) -> tuple[int, int] | str:
    """Return what tells a folder from all others, whatever leads to it; its path, where the file system has no more."""
    with suppress(OSError):
        found = folder.stat()
        if found.st_ino:
            return found.st_dev, found.st_ino
    return os.path.realpath(folder)


def is_folder(path: Path) -> bool:
    """Return whether it is a folder; not where the system does not tell, for which `Path.is_dir` raises."""
    if isinstance(path, Address):
        try:
            return path.is_dir()
        except OSError:
            return False
    return os.path.isdir(path)  # noqa: PTH112


def is_file(path: Path) -> bool:
    """Return whether it is a file; not where the system does not tell, for which `Path.is_file` raises."""
    return os.path.isfile(path)  # noqa: PTH113


def may_be_read(path: Path) -> bool:
    """Return whether something is there, or the system does not tell: then reading it says why."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError):  # ValueError: a null byte in the name
        return True
    return True


def is_film(path: Path) -> bool:
    """Tell by its name whether a file is a film."""
    return path.suffix.lower() in FILM_SUFFIXES


def is_passed_over(name: str) -> bool:
    """Return whether a file or folder of this name is hidden, or a service folder."""
    return name.startswith(".") or name.casefold() in SERVICE_FOLDERS


def is_result(name: str) -> bool:
    """Return whether a file of this name is one of symface's own results."""
    return _RESULT.search(name) is not None


def remark_gifs(count: int) -> list[str]:
    """Say that GIF files in folders are not taken, if there are any."""
    return [f"GIF files in folders are passed over, here {count:,}; name those that are meant"] if count else []


def _find_special(path: Path) -> PhotoError | None:
    """Return why what is neither a file nor a folder is not read: a pipe or a device might never end."""
    kind = _SPECIAL.get(stat.S_IFMT(path.stat().st_mode))
    if kind is None:
        return None
    return PhotoError(f"cannot read {on_one_line(str(path))}: it is {kind}, not a file; give a copy of the photo")


def on_one_line(name: str) -> str:
    """Escape what cannot be shown in a file's name: line ends, control characters and undecodable bytes.

    Spaces of all kinds stay, and what joins characters in Persian and Indian scripts and in emojis.
    """
    if name.isprintable():
        return name
    return "".join(char if _is_shown(char) else repr(char)[1:-1] for char in name)


def _is_shown(char: str) -> bool:
    return char.isprintable() or char in JOINERS or unicodedata.category(char) == "Zs"
