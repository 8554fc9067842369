"""Tables wider than the terminal, folded."""

from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from symface_cli.cli.console import out, print_text

WIDEST = 1000  # columns; a table that is not read on a terminal is never folded or divided
BETWEEN = 3  # columns between those of a table


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table, in several parts where the terminal is too narrow, each with the first column."""
    columns = [_measure(column) for column in zip(header, *rows, strict=True)]
    for part in _divide(columns, out.width if out.is_terminal else WIDEST):
        widths, texts = zip(*part, strict=True)
        table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, width=sum(widths) - BETWEEN)
        for i, column in enumerate(texts):
            table.add_column(column[0], justify="right" if i else "left", width=widths[i] - BETWEEN)
        for row in list(zip(*texts, strict=True))[1:]:
            table.add_row(*row)
        print_text(title, table, "")


def _measure(column: Sequence[str]) -> tuple[int, Sequence[str]]:
    """Measure a column with the space beside it; on a terminal, only its heading may be folded, between words."""
    heading, *cells = column
    words = heading.split() if out.is_terminal else [heading]
    return max(map(len, (*words, *cells))) + BETWEEN, column


def _divide(columns: Sequence[tuple[int, Sequence[str]]], width: int) -> Iterator[Sequence[tuple[int, Sequence[str]]]]:
    """Divide the columns into parts of at most that width, with the first column in each, and at least one more."""
    first, *others = columns
    part = [first]
    for column in others:
        if len(part) > 1 and sum(size for size, _ in (*part, column)) - BETWEEN > width:
            yield part
            part = [first]
        part.append(column)
    yield part
