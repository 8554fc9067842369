"""Tells whether a file is still what it was when it was read or written."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from symface_cli.errors import StoreError
from symface_cli.files import checksum


@dataclass(frozen=True, kw_only=True)
class FileState:
    """A file as it was.

    Attributes:
        bytes: Its size.
        mtime_ns: When its contents were changed, in ns.
        ctime_ns: When anything of it was changed, be it its name or `mtime_ns`; on Windows, when it was made.
        inode: Its number in the file system.
        sha256: Of its contents.
    """

    bytes: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    sha256: str

    def is_of(self, path: Path, by_contents: bool = False) -> bool:
        """Tell whether a file has the contents of this state.

        Args:
            path: The file.
            by_contents: Whether to read it even if, by all that the system says, nothing has changed.
        """
        try:
            now = _stat(path)
            if now[0] != self.bytes:
                return False
            untouched = now == (self.bytes, self.mtime_ns, self.ctime_ns, self.inode)
            return (untouched and not by_contents) or checksum(path) == self.sha256
        except (OSError, StoreError):
            return False

    def as_dict(self) -> dict[str, int | str]:
        """Return it as JSON can hold it."""
        return dict(vars(self))


def find_state(path: Path) -> FileState | None:
    """Return the state of a file; None if it cannot be read, or is a stream or a device.

    The system is asked before the file is read: what is changed meanwhile differs from the state.
    """
    try:
        if not path.is_file():
            return None
        size, mtime, ctime, inode = _stat(path)
        return FileState(bytes=size, mtime_ns=mtime, ctime_ns=ctime, inode=inode, sha256=checksum(path))
    except (OSError, StoreError):
        return None


def parse_state(value: object) -> FileState | None:
    """Return the state that `as_dict` gave; None for anything else, such as what earlier versions recorded."""
    names = [field.name for field in fields(FileState)]
    if not isinstance(value, Mapping) or not all(name in value for name in names):
        return None
    return FileState(**{name: value[name] for name in names})


def _stat(path: Path) -> tuple[int, int, int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino
