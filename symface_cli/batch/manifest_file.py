"""The file of a manifest: JSON objects, one in each line, to which lines are only ever added."""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import monotonic
from typing import Any, TypeAlias

from symface_cli.errors import Hint, OutputError
from symface_cli.files import on_one_line
from symface_cli.storage.address import Address
from symface_cli.writing import add_to_file, make_folder, write_file

Entry: TypeAlias = dict[str, Any]
"""What a line says."""

_BEGINNING = b'{"input": "'
"""Of each line; by it, a file that has half a line alone is told from a file of something else."""


LEAST_PAUSE = 1.0  # s between two times that an object in a store is put whole
SHARE = 0.05  # of the time, for putting it again and again


class ManifestFile:
    """A file of entries, which is created with the first ones, and changed by `append` alone.

    A process that is killed may leave half a line: it is removed before the next one is written. An object in a store,
    to which nothing can be added, is put whole now and then, and by `close`.

    Args:
        path: The file; a pipe or a device is only written to.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._size = 0
        self._torn = 0  # bytes of half a line
        self._joint = b""  # what has to stand before the next line
        self._object: bytearray | None = None  # all of an object, as far as it is known
        self._is_put, self._due = True, 0.0

    def read(self) -> Iterator[tuple[bytes, Entry]]:
        """Yield the lines of a file that may be there, and what they say.

        Raises:
            OutputError: If it has anything else, or cannot be read.
        """
        try:
            if not self._path.exists() or not (self._path.is_file() or self._path.is_dir()):
                return
            with self._path.open("rb") as file:
                for number, line in enumerate(file, 1):
                    entry = _parse(line)
                    if entry is None and line.strip():
                        self._pass_over(line, number)
                    self._size += len(line)
                    if entry is not None:
                        self._joint = b"" if line.endswith(b"\n") else b"\n"
                        yield line, entry
        except OSError as error:
            raise self._failure(error) from error

    def append(self, entries: Sequence[Entry]) -> None:
        """Add entries, all at once: those of several processes do not mix.

        Raises:
            OutputError: If the file cannot be written.
        """
        data = "".join(json.dumps(entry) + "\n" for entry in entries).encode("ascii")  # JSON escapes the other bytes
        if isinstance(self._path, Address):
            self._append_to_object(data)
            return
        make_folder(self._path.parent)
        self._remove_torn()
        add_to_file(self._path, self._joint + data)
        self._joint = b""

    def close(self) -> None:
        """Put what is not in its store yet.

        Raises:
            OutputError, StoreError: If that fails.
        """
        if not self._is_put and self._object is not None:
            write_file(self._path, bytes(self._object), replace=True)
            self._is_put = True

    def _append_to_object(self, data: bytes) -> None:
        if self._object is None:
            try:
                self._object = bytearray(self._path.read_bytes() if self._path.is_file() else b"")
            except OSError as error:
                raise self._failure(error) from error
        self._object += self._joint + data
        self._joint, self._is_put = b"", False
        began = monotonic()
        if began >= self._due:
            self.close()
            self._due = monotonic() + max(LEAST_PAUSE, (monotonic() - began) / SHARE)

    def _pass_over(self, line: bytes, number: int) -> None:
        """Take note of half a last line; refuse what else is no entry."""
        torn = not line.endswith(b"\n") and (self._size or line.startswith(_BEGINNING) or _BEGINNING.startswith(line))
        if not torn:
            raise OutputError(f"{on_one_line(str(self._path))}: not a manifest (line {number})", Hint.OTHER_MANIFEST)
        self._torn = len(line)

    def _remove_torn(self) -> None:
        """Remove half a line, unless another process has added to the file, and removed it before."""
        if not self._torn:
            return
        try:
            with self._path.open("r+b") as file:
                if file.seek(0, os.SEEK_END) == self._size:
                    file.truncate(self._size - self._torn)
        except OSError as error:
            raise self._failure(error) from error
        self._torn = 0

    def _failure(self, error: OSError) -> OutputError:
        name = on_one_line(str(self._path))
        return OutputError(f"{name}: this manifest cannot be used ({error.strerror})", Hint.OTHER_MANIFEST)


def _parse(line: bytes) -> Entry | None:
    """Return what a line says; None if it is not one of a manifest."""
    try:
        entry = json.loads(line.decode())
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or not isinstance(entry.get("input"), str) or "status" not in entry:
        return None
    return entry
