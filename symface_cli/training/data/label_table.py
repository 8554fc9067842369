"""Labels as a CSV that a person can correct: a line per photo, under COLUMNS.

A photo without a face has a line, too, with empty cells for a person to fill in, and so has one that cannot be read,
with the reason.
"""

import csv
import io
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from math import inf, isfinite
from pathlib import Path
from typing import NamedTuple

import numpy as np

from symface_cli.errors import DataError, Hint
from symface_cli.files import as_csv, on_one_line
from symface_cli.geometry.frames import Box
from symface_cli.landmarks import scheme
from symface_cli.training.data.labels import Label, find_fault
from symface_cli.writing import write_file

BOX_COLUMNS = ("box_x", "box_y", "box_width", "box_height")
LANDMARK_COLUMNS = tuple(f"{axis}{number}" for number in range(scheme.COUNT) for axis in "xy")
COLUMNS = ("photo", "use", "provider", "disagreement", "fault", *BOX_COLUMNS, *LANDMARK_COLUMNS)
OPTIONAL_COLUMNS = ("fault",)


def write_labels(path: Path, labels: Sequence[Label], replace: bool = False) -> str | None:
    """Write labels as CSV: pixels to 2 decimals, the disagreement to 4.

    Args:
        path: The file.
        labels: The labels.
        replace: Whether a file that is there may be replaced.

    Returns:
        What a user should know, as `write_file` does.

    Raises:
        OutputError: If it cannot be written.
    """
    return write_file(path, as_csv([COLUMNS, *map(cells_of, labels)]), replace)


def cells_of(label: Label) -> list[str]:
    """Write a label as the cells of its line."""
    box = [""] * 4 if label.box is None else [f"{value:.2f}" for value in label.box]
    places = [""] * (2 * scheme.COUNT)
    if label.landmarks is not None:
        places = [f"{value:.2f}" for value in label.landmarks.ravel()]
    disagreement = "" if label.disagreement is None else f"{label.disagreement:.4f}"
    return [label.photo, "yes" if label.use else "no", label.provider, disagreement, label.fault, *box, *places]


def read_labels(path: Path, photos: Collection[str], landmarks: bool = True) -> list[Label]:
    """Read labels, in the file's order, also as spreadsheet programs save them.

    These may add a byte order mark, separate by semicolons or tabs, and write decimal commas. The columns may have any
    order, and lines without any content are passed over.

    Args:
        path: The CSV.
        photos: Which photos may be in it, by their paths in the data set.
        landmarks: Whether every photo that is used needs them.

    Raises:
        DataError: If it cannot be read, or something in it cannot be right.
    """
    labels: dict[str, Label] = {}
    for row in _read_rows(path):
        label = _parse(row, landmarks)
        if label.photo not in photos:
            raise row.fault(
                f"{on_one_line(label.photo)} is no photo of the data set that may be trained on, which those of test "
                "people are not; correct its path, save the file as UTF-8, or delete the line"
            )
        if label.photo in labels:
            raise row.fault(f"{on_one_line(label.photo)} has a line before; delete one of them")
        labels[label.photo] = label
    return list(labels.values())


class _Row(NamedTuple):
    """A line of the file: where it is, for messages, and its cells by their columns."""

    where: str
    cells: Mapping[str, str]

    def fault(self, message: str) -> DataError:
        return DataError(f"{self.where}: {message}")

    def numbers(self, columns: Sequence[str]) -> list[float] | None:
        """Return the numbers in some columns, None if all of these are empty."""
        texts = [self.cells[column].strip() for column in columns]
        if not any(texts):
            return None
        return [self._number(column, text) for column, text in zip(columns, texts, strict=True)]

    def _number(self, column: str, text: str) -> float:
        try:
            value = float(text.replace(",", "."))
        except ValueError:
            value = inf
        if not text:
            raise self.fault(f"{column} is empty; fill in all numbers of the box or the landmarks, or none")
        if not isfinite(value):
            raise self.fault(f"{column} is {on_one_line(text)!r}; write a number of pixels such as 104.25")
        return value


def _read_rows(path: Path) -> Iterator[_Row]:
    """Yield the lines of a CSV that have any content."""
    try:
        text = path.read_bytes().decode("utf-8-sig", "surrogateescape")
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}", Hint.MAKE_LABELS) from error
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count))
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(path, header)
        for cells in reader:
            if any(map(str.strip, cells)):
                row = _Row(f"{path}: line {reader.line_num}", dict(zip(header, cells, strict=False)))
                if len(cells) != len(header):
                    raise row.fault(f"it has {len(cells)} cells, not the {len(header)} of the first line; correct it")
                yield row
    except csv.Error as error:
        raise DataError(f"{path}: line {reader.line_num}: no CSV ({error}); save it as CSV, UTF-8") from error


def _check_header(path: Path, header: Sequence[str]) -> None:
    """Refuse a first line that is not COLUMNS, in any order; those that older versions do not write may be missing."""
    advice = "keep the first line as symface label writes it"
    for column in Counter(COLUMNS) - Counter([*header, *OPTIONAL_COLUMNS]):
        raise DataError(f"{path}: line 1: the column {column} is missing; {advice}")
    for column in Counter(header) - Counter(COLUMNS):
        raise DataError(f"{path}: line 1: the column {on_one_line(column)!r} is one too many; {advice}")


def label_of(cells: Sequence[str]) -> Label:
    """Read a label from the cells that `cells_of` gave.

    Raises:
        DataError: If something in them cannot be right.
    """
    return _parse(_Row("", dict(zip(COLUMNS, cells, strict=True))), needs_landmarks=False)


def _parse(row: _Row, needs_landmarks: bool) -> Label:
    """Read a line's label; refuse what cannot be right."""
    word = row.cells["use"].strip().lower()
    if word not in ("yes", "no"):
        raise row.fault(f"use is {on_one_line(word)!r}; write yes or no")
    use, box, places = word == "yes", row.numbers(BOX_COLUMNS), row.numbers(LANDMARK_COLUMNS)
    if box is None and (use or places is not None):
        raise row.fault("the box is missing; fill in box_x, box_y, box_width and box_height, brows to chin")
    if box is not None and min(box[2:]) <= 0:
        raise row.fault("the box has no size; correct box_width and box_height, or set use to no and empty the box")
    if use and needs_landmarks and places is None:
        raise row.fault("it is to be used, but has no landmarks; fill them in, or set use to no")
    landmarks = None if places is None else np.array(places).reshape(-1, 2)
    if box is not None and landmarks is not None:
        fault = find_fault(Box(*box), landmarks)
        if fault:
            raise row.fault(f"{fault}; correct it, or empty the landmarks and set use to no")
    disagreement = row.numbers(("disagreement",))
    return Label(
        row.cells["photo"],
        box=None if box is None else Box(*box),
        landmarks=landmarks,
        provider=row.cells["provider"],
        disagreement=None if disagreement is None else disagreement[0],
        fault=row.cells.get("fault", ""),
        use=use,
    )
