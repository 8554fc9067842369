"""Tables about a data set's photos that people make or correct: CSV with a first line that names the columns.

Spreadsheet programs may add a byte order mark, and separate by semicolons or tabs.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from symface_cli.errors import DataError, Hint
from symface_cli.files import on_one_line


@dataclass(frozen=True, kw_only=True)
class TableLayout:
    """What a table has.

    Attributes:
        columns: Its columns; a file may have them in any order.
        optional: Those of them that it may lack.
        advice: What to do about a first line that is different.
        hint: What to try if there is no table; None for nothing.
    """

    columns: Sequence[str]
    optional: Sequence[str] = ()
    advice: str
    hint: Hint | None = None


class TableRow(NamedTuple):
    """A line of a table: where it is, for messages, and its cells by their columns."""

    where: str
    cells: Mapping[str, str]

    def fault(self, message: str) -> DataError:
        """Return the exception that says what is wrong with the line, and where that is."""
        return DataError(f"{self.where}: {message}")


def read_rows(path: Path, layout: TableLayout) -> Iterator[TableRow]:
    """Yield the lines of a table that have any content, its first line aside; what is not UTF-8 is kept escaped.

    Raises:
        DataError: If it cannot be read, lacks a column or has one too many, or a line has more or fewer cells.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig", "surrogateescape")
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}", layout.hint) from error
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count))
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(path, header, layout)
        for cells in reader:
            if any(map(str.strip, cells)):
                row = TableRow(f"{path}: line {reader.line_num}", dict(zip(header, cells, strict=False)))
                if len(cells) != len(header):
                    raise row.fault(f"it has {len(cells)} cells, not the {len(header)} of the first line; correct it")
                yield row
    except csv.Error as error:
        raise DataError(f"{path}: line {reader.line_num}: no CSV ({error}); save it as CSV, UTF-8") from error


def _check_header(path: Path, header: Sequence[str], layout: TableLayout) -> None:
    for column in Counter(layout.columns) - Counter([*header, *layout.optional]):
        raise DataError(f"{path}: line 1: the column {column} is missing; {layout.advice}")
    for column in Counter(header) - Counter(layout.columns):
        raise DataError(f"{path}: line 1: the column {on_one_line(column)!r} is one too many; {layout.advice}")
