"""Writes files, each whole or not at all, and none in the place of one that is not meant."""

import errno
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeAlias

from symface_cli.errors import Hint, OutputError
from symface_cli.files import PHOTO_SUFFIXES, look_up, on_one_line
from symface_cli.storage.address import Address
from symface_cli.streams import is_stream_of, open_stream

_FileId: TypeAlias = tuple[int, int] | str

_PICTURES = PHOTO_SUFFIXES | {".gif"}

_REASONS = {
    errno.ENOENT: "its folder does not exist; create it first",
    errno.ENOTDIR: "its folder is a file; choose another folder",
    errno.EISDIR: "it is a folder; give the name of a file",
    errno.EACCES: "permission denied; choose another folder",
    errno.EPERM: "permission denied; choose another folder",
    errno.EROFS: "the file system is read-only; choose another folder",
    errno.ENOSPC: "no space left on the device; free some or choose another folder",
    errno.ENAMETOOLONG: "its name is too long; choose a shorter one",
}
_IRREPLACEABLE = {
    errno.EBUSY,  # a mount point: a single file that a container is given
    errno.EXDEV,
    errno.EACCES,  # no new file in this folder; or on Windows, a file that is open elsewhere
    errno.EPERM,  # a file of somebody else in a folder such as /tmp
    errno.EROFS,  # a file that can be written, mounted in a file system that cannot
}


class Destination(NamedTuple):
    """A file that a user names for something to be written.

    Attributes:
        path: Its path.
        replace: Whether a file that is there may be replaced.
        is_picture: Whether a picture is written. Anything else never replaces one: patterns of the shell put photos
            where a page or a table was meant.
    """

    path: Path
    replace: bool
    is_picture: bool = False

    def write(self, data: bytes) -> str | None:
        """Write it, as `write_file` does."""
        return write_file(self.path, data, self.replace)


class Inputs:
    """The files that are read, which are never written over; a file is known by any of its names and links.

    Args:
        paths: Files, and folders of photos: all photos in them are read.
    """

    def __init__(self, paths: Iterable[Path] = ()) -> None:
        read = list(paths)
        self._files = frozenset(map(_identify, read))
        # os.path: Path.is_dir raises where a folder may not be entered
        self._folders = frozenset(_identify(path) for path in read if os.path.isdir(path))  # noqa: PTH112

    def __contains__(self, path: Path) -> bool:
        if _identify(path) in self._files:
            return True
        if not self._folders or path.suffix.lower() not in PHOTO_SUFFIXES:
            return False
        real = Path(os.path.realpath(path))
        return real.exists() and any(_identify(parent) in self._folders for parent in real.parents)


def is_same(one: Path, other: Path) -> bool:
    """Tell whether two names are of one file or folder, there or not."""
    return _identify(one) == _identify(other)


def prepare_files(destinations: Sequence[Destination], inputs: Inputs) -> None:
    """Check, before the work, that files can be written after it; create their folders.

    Raises:
        OutputError: If one may not be written, as `check_file` has it, would replace a picture without being one, two
            are the same file, or a folder cannot be created or written to.
    """
    seen: set[_FileId] = set()
    for path, replace, is_picture in destinations:
        status, name = check_file(path, replace, inputs), on_one_line(str(path))
        if is_stream_of(path, status):
            continue
        if status is not None and not is_picture and path.suffix.lower() in _PICTURES:
            raise OutputError(f"cannot write {name}: it is a picture; give another name")
        if _identify(path) in seen:
            raise OutputError(f"{name}: named for two results; give each a file of its own")
        seen.add(_identify(path))
    for path, *_ in destinations:
        make_folder(path.parent)
        if look_up(path) is None:  # else it is written in place where the folder allows nothing new
            _try_folder((path if isinstance(path, Address) else Path(os.path.realpath(path))).parent, path)


def prepare_folder(folder: Path) -> None:
    """Check, before the work, that files can be written into a folder after it; create it.

    Raises:
        OutputError: If it cannot be created or written to.
    """
    make_folder(folder)
    _try_folder(folder, folder)
    if isinstance(folder, Address):
        folder.list_all()  # what is there is not asked for one by one


def check_file(path: Path, replace: bool, inputs: Inputs) -> os.stat_result | None:
    """Check that a file may be written; return what the system knows of it, None if it is not there.

    Args:
        path: The file. Devices and pipes may always be written to: nothing is lost.
        replace: Whether a file that is there may be replaced.
        inputs: What is read, and never replaced.

    Raises:
        OutputError: If it is there and may not be replaced, is read, write-protected or a folder, or cannot be reached.
    """
    name = on_one_line(str(path))
    try:
        status = look_up(path)
    except (OSError, ValueError) as error:
        raise _refuse(path, error) from error
    if status is not None and path in inputs:
        raise OutputError(f"cannot write {name}: it is one of the files that are read; give another name")
    if status is None or is_stream_of(path, status):
        return status
    if stat.S_ISDIR(status.st_mode):
        raise OutputError(f"cannot write {name}: {_REASONS[errno.EISDIR]}")
    if not replace:
        raise OutputError(f"{name}: already exists", Hint.OVERWRITE)
    if not isinstance(path, Address) and (not status.st_mode & 0o222 or not _is_writable(path)):
        raise OutputError(f"cannot write {name}: it is write-protected; permit writing or give another name")
    return status


def write_file(path: Path, data: bytes, replace: bool) -> str | None:
    """Write a file whole: whatever happens, its name has either the old contents or all of the new.

    Symbolic links are followed, and a device, a pipe or what the shell has opened (`/dev/stdout`) is written to. A file
    that is replaced leaves its mode and, where the system allows it, its owner to the new one; other hard links to it
    keep the old contents. One that the system does not let be replaced, but written, is written in place.

    Args:
        path: The file; its folder is there.
        data: All of its contents.
        replace: Whether a file that is there may be replaced. If not, one that appears meanwhile is not either.

    Returns:
        What a user should know: that it was written in place; None if nothing.

    Raises:
        OutputError: If it may not be written, as `check_file` has it, or cannot be; nothing is left behind.
    """
    status = check_file(path, replace, Inputs())
    try:
        if isinstance(path, Address):
            path.put(data, replace)
            return None
        if is_stream_of(path, status):
            with open_stream(path) as stream:
                stream.write(data)
            return None
        return _write(Path(os.path.realpath(path)), data, replace, status)
    except OSError as error:
        raise _refuse(path, error) from error


@contextmanager
def written_gradually(path: Path, replace: bool) -> Iterator[Path]:
    """Give the name of a file that is written in the context, which gets its own name when it is whole.

    It lies in the same folder, and has the same suffix. If the context is left with an exception, nothing is left.

    Args:
        path: The file; its folder is there.
        replace: Whether a file that is there may be replaced. If not, one that appears meanwhile is not either.

    Raises:
        OutputError: If it may not be written, as `check_file` has it, or cannot be, or is a pipe or in a store.
    """
    status = check_file(path, replace, Inputs())
    if isinstance(path, Address) or is_stream_of(path, status):
        raise OutputError(f"cannot write {on_one_line(str(path))}: it has to be a file; name one in a folder")
    real = Path(os.path.realpath(path))
    temporary = real.parent / f".symface-{secrets.token_hex(8)}{real.suffix}"
    try:
        temporary.open("xb").close()
        if status is not None:
            _take_over(temporary, real, status)
        yield temporary
        _give_name(temporary, real, replace)
    except OSError as error:
        raise _refuse(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def add_to_file(path: Path, data: bytes) -> None:
    """Add to the end of a file, which is created if need be; what several processes add at once does not mix.

    Raises:
        OutputError: If that fails; a part may have been added.
    """
    try:
        with path.open("ab", buffering=0) as file:
            while data:
                data = data[file.write(data) :]
    except OSError as error:
        raise _refuse(path, error) from error


def make_folder(folder: Path) -> None:
    """Create a folder for results, and those above it.

    Raises:
        OutputError: If that cannot be done.
    """
    if isinstance(folder, Address):
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        name, reason = on_one_line(str(folder)), error.strerror
        raise OutputError(f"{name}: this folder cannot be created ({reason}); choose another") from error


def _write(path: Path, data: bytes, replace: bool, old: os.stat_result | None) -> str | None:
    # A short name of its own: the target's name with something added could be longer than the file system allows.
    temporary = path.parent / f".symface-{secrets.token_hex(8)}"
    try:
        # "x", not tempfile: mkstemp's mode 0600 would stay on the result, this one follows the umask.
        with temporary.open("xb") as file:
            if old is not None:
                _take_over(temporary, path, old)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        _give_name(temporary, path, replace)
    except OSError as error:
        if old is None or error.errno not in _IRREPLACEABLE:
            raise
        _write_in_place(path, data)
        return f"{on_one_line(str(path))} was written in place, because it cannot be replaced ({error.strerror})"
    finally:
        # For KeyboardInterrupt, too. After a replacement, the name is gone.
        with suppress(OSError):
            temporary.unlink()
    return None


def _take_over(temporary: Path, path: Path, old: os.stat_result) -> None:
    """Give a new file the owner and the mode of the one that it is to replace."""
    if hasattr(os, "chown"):
        with suppress(OSError):  # only the administrator may give files away
            os.chown(temporary, old.st_uid, old.st_gid)
    shutil.copymode(path, temporary)


def _give_name(temporary: Path, path: Path, replace: bool) -> None:
    """Rename a file; if none may be replaced, fail where another process has taken the name first."""
    if replace:
        temporary.replace(path)
        return
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links, such as that of memory cards
        path.open("xb").close()
        temporary.replace(path)


def _write_in_place(path: Path, data: bytes) -> None:
    """Write over a file; if that fails, put its old contents back."""
    with path.open("r+b") as file:
        old = file.read()
        try:
            _overwrite(file, data)
        except BaseException:
            _overwrite(file, old)
            raise


def _overwrite(file: BinaryIO, data: bytes) -> None:
    file.seek(0)
    file.write(data)
    file.truncate()
    file.flush()
    os.fsync(file.fileno())


def _try_folder(folder: Path, named: Path) -> None:
    """Create a file without a name in a folder; raise OutputError for what the user has named if that fails."""
    try:
        if isinstance(folder, Address):
            folder.try_putting()
        else:
            tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise _refuse(named, error) from error


def _refuse(path: Path, error: OSError | ValueError) -> OutputError:
    """Say in one line why a file cannot be written."""
    name = on_one_line(str(path))
    if isinstance(error, FileExistsError):
        return OutputError(f"{name}: already exists", Hint.OVERWRITE)
    if isinstance(error, ValueError):  # a null byte in the name
        return OutputError(f"cannot write {name}: {error}")
    reason = _REASONS.get(error.errno or 0) or error.strerror or str(error)
    return OutputError(f"cannot write {name}: {reason}")


def _identify(path: Path) -> _FileId:
    """Return what is the same for all names of a file, and for no other file."""
    if isinstance(path, Address):
        return str(path)
    try:
        status = path.stat()
    except (OSError, ValueError):
        status = None
    if status is None or not status.st_ino:  # not there, or of a file system that does not number its files
        return os.path.normcase(os.path.realpath(path))
    return status.st_dev, status.st_ino


def _is_writable(path: Path) -> bool:
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)
