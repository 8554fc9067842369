"""Tables of records: columns that know how a value is written, and which value of them is the best."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

Row = TypeVar("Row")
Whole = TypeVar("Whole")
NOTHING = "-"  # where there is nothing to say


@dataclass(frozen=True)
class Cell:
    """A cell of a table as it is shown.

    Attributes:
        text: The value.
        note: What follows it in brackets; empty for nothing.
        kind: "best" for a column's best value, "paper" for what the paper reports.
    """

    text: str
    note: str = ""
    kind: Literal["", "best", "paper"] = ""

    def __str__(self) -> str:
        return f"{self.text} ({self.note})" if self.note else self.text


@dataclass(frozen=True, kw_only=True)
class Column(Generic[Row]):
    """A column of a table.

    Attributes:
        heading: Its heading.
        value: What it says of a row, a number or a text; None where there is nothing to say.
        format: How the value is written, as `str.format` takes it.
        note: What follows the value in brackets; None for nothing.
        best: Picks the best of several values, max or min; None where no value is better than another.
        from_paper: Whether the values are what the paper reports.
    """

    heading: str
    value: Callable[[Row], str | float | None]
    format: str = "{}"
    note: Callable[[Row], str] | None = None
    best: Callable[[Sequence[float]], float] | None = None
    from_paper: bool = False

    def within(self, part: Callable[[Whole], Row]) -> "Column[Whole]":
        """Return the same column for rows that have one of this column's in them; no value of it is the best."""
        note = self.note
        return Column(
            heading=self.heading,
            value=lambda whole: self.value(part(whole)),
            format=self.format,
            note=None if note is None else lambda whole: note(part(whole)),
        )

    def head(self) -> Cell:
        """Return the heading as a cell."""
        return Cell(self.heading, kind=self._kind)

    def cells(self, rows: Sequence[Row]) -> list[Cell]:
        """Write the values of all rows. Values that look the same are equally good; none is best where all are."""
        best = self._best_text(rows)
        return [self._cell(row, best) for row in rows]

    def _cell(self, row: Row, best: str | None) -> Cell:
        text = self._write(self.value(row))
        note = "" if self.note is None else self.note(row)
        return Cell(text, note, "best" if text == best else self._kind)

    @property
    def _kind(self) -> Literal["", "paper"]:
        return "paper" if self.from_paper else ""

    def _best_text(self, rows: Sequence[Row]) -> str | None:
        if self.best is None:
            return None
        numbers = [value for value in map(self.value, rows) if isinstance(value, (int, float))]
        if len(set(map(self._write, numbers))) < 2:
            return None
        return self._write(self.best(numbers))

    def _write(self, value: str | float | None) -> str:
        return NOTHING if value is None else self.format.format(value)


@dataclass(frozen=True)
class Table(Generic[Row]):
    """A table as it is shown; its first column names the rows."""

    title: str
    columns: Sequence[Column[Row]]
    rows: Sequence[Row]

    def header(self) -> list[str]:
        """List the headings of the columns."""
        return [column.heading for column in self.columns]

    def cells(self) -> list[tuple[Cell, ...]]:
        """List the cells, row by row."""
        return list(zip(*(column.cells(self.rows) for column in self.columns), strict=True))

    def texts(self) -> list[list[str]]:
        """List the cells as plain text, row by row."""
        return [[str(cell) for cell in row] for row in self.cells()]

    def as_markdown(self) -> list[str]:
        """Write the table in lines of Markdown, numbers to the right, without the title."""
        ruler = ["---", *["---:"] * (len(self.columns) - 1)]
        rows = [[cell.replace("|", "\\|") for cell in row] for row in (self.header(), ruler, *self.texts())]
        return ["| " + " | ".join(row) + " |" for row in rows]
