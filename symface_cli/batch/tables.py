"""Tables of measurements, which are written while they grow: whatever ends a run, they have what was measured."""

from collections.abc import Callable, Collection
from pathlib import Path
from time import monotonic
from typing import BinaryIO, NamedTuple, Protocol

from symface_cli.batch.targets import STREAM
from symface_cli.errors import OutputError
from symface_cli.files import on_one_line, write_to_stdout
from symface_cli.measurement.csv_table import as_csv, csv_lines, read_csv
from symface_cli.measurement.json_table import as_json, read_json
from symface_cli.measurement.rows import PhotoRows
from symface_cli.storage.address import Address
from symface_cli.streams import is_stream, open_stream
from symface_cli.writing import add_to_file, write_file

LEAST_PAUSE = 1.0  # s between two times that a file is written whole
SHARE = 0.05  # of the time of a run, for writing a file whole again and again


class Format(NamedTuple):
    """A form of tables.

    Attributes:
        whole: Writes a table.
        lines: Writes what a photo adds to a table; None if it has an end, after which nothing can be added.
        read: Reads a table; raises ValueError if it is none.
    """

    whole: Callable[[Collection[PhotoRows]], bytes]
    lines: Callable[[PhotoRows], bytes] | None
    read: Callable[[bytes], list[PhotoRows]]


CSV = Format(as_csv, csv_lines, read_csv)
JSON = Format(as_json, None, read_json)


class Table(Protocol):
    """A table that grows: it is begun, added to, and ended whatever happens."""

    notes: set[str]
    """What a user should know of how it was written."""

    def begin(self, rows: Collection[PhotoRows], done: Collection[PhotoRows]) -> None:
        """Write what is known before, or what of it stays as it is: `done`."""

    def add(self, new: PhotoRows, rows: Callable[[], Collection[PhotoRows]]) -> None:
        """Write what is new; `rows` returns all."""

    def end(self, rows: Collection[PhotoRows]) -> None:
        """Write what is not written yet."""


def open_table(path: Path, form: Format, replace: bool) -> Table:
    """Return the table that is written to a file, a pipe, or standard output for STREAM.

    Args:
        path: Where it goes.
        form: Its form.
        replace: Whether a file that is there may be replaced.
    """
    return StreamTable(path, form) if path == STREAM or is_stream(path) else FileTable(path, form, replace)


def read_table(path: Path, form: Format) -> list[PhotoRows]:
    """Read what a table has; nothing where there is no file, or an empty one.

    Raises:
        OutputError: If the file is no such table, or cannot be read.
    """
    if path == STREAM or is_stream(path):
        return []
    name = on_one_line(str(path))
    try:
        data = path.read_bytes()
        return form.read(data) if data else []
    except FileNotFoundError:
        return []
    except ValueError as error:
        raise OutputError(f"{name}: not a table of measurements; choose another file") from error
    except OSError as error:
        raise OutputError(f"cannot read {name}: {error.strerror}; choose another file") from error


class FileTable:
    """A table in a file, which is valid at any time: lines are added to it, or it is replaced whole."""

    def __init__(self, path: Path, form: Format, replace: bool) -> None:
        self._path = path
        self._form = form
        self._replace = replace
        self._is_in_order = True
        self._grows = form.lines is not None and not isinstance(path, Address)  # an object is put whole
        self._due = 0.0
        self.notes: set[str] = set()

    def begin(self, rows: Collection[PhotoRows], done: Collection[PhotoRows]) -> None:
        """Write the file whole, with all that is known: nothing goes before there is something better."""
        self._write(rows)
        self._replace = True
        self._is_in_order = not rows

    def add(self, new: PhotoRows, rows: Callable[[], Collection[PhotoRows]]) -> None:
        """Add lines, or write the file whole now and then."""
        if self._form.lines is not None and self._grows:
            add_to_file(self._path, self._form.lines(new))
        elif monotonic() >= self._due:
            began = monotonic()
            self._write(rows())
            ended = monotonic()
            self._due = ended + max(LEAST_PAUSE, (ended - began) / SHARE)

    def end(self, rows: Collection[PhotoRows]) -> None:
        """Write the file whole, unless its lines are what was added to it, in their order."""
        if not self._grows or not self._is_in_order:
            self._write(rows)

    def _write(self, rows: Collection[PhotoRows]) -> None:
        note = write_file(self._path, self._form.whole(rows), self._replace)
        self.notes.update([] if note is None else [note])


class StreamTable:
    """A table that goes to standard output or a pipe: line by line, or at the end."""

    def __init__(self, path: Path, form: Format) -> None:
        self._path = path
        self._form = form
        self._pipe: BinaryIO | None = None
        self.notes: set[str] = set()

    def begin(self, rows: Collection[PhotoRows], done: Collection[PhotoRows]) -> None:
        """Write what stays as it is, if lines can be added to it."""
        if self._path != STREAM:
            self._pipe = open_stream(self._path)
        if self._form.lines is not None:
            self._write(self._form.whole(done))

    def add(self, new: PhotoRows, rows: Callable[[], Collection[PhotoRows]]) -> None:
        """Write lines, if there are any."""
        if self._form.lines is not None:
            self._write(self._form.lines(new))

    def end(self, rows: Collection[PhotoRows]) -> None:
        """Write what has an end."""
        if self._form.lines is None:
            self._write(self._form.whole(rows))
        if self._pipe is not None:
            self._pipe.close()

    def _write(self, data: bytes) -> None:
        if self._pipe is None:
            write_to_stdout(data)
            return
        try:
            self._pipe.write(data)
            self._pipe.flush()
        except OSError as error:
            raise OutputError(f"cannot write {on_one_line(str(self._path))}: {error.strerror}") from error
