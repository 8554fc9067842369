"""Labels as a CSV that a person can correct: a line per photo, under COLUMNS.

A photo without a face has a line, too, with empty cells for a person to fill in, and so has one that cannot be read,
with the reason.
"""

from collections.abc import Collection, Sequence
from math import inf, isfinite
from pathlib import Path
from typing import cast, get_args

import numpy as np

from symface_cli.data.photo_table import TableLayout, TableRow, read_rows
from symface_cli.errors import Hint
from symface_cli.files import as_csv, on_one_line
from symface_cli.geometry.frames import Box
from symface_cli.landmarks import scheme
from symface_cli.training.data.labels import Label, find_fault
from symface_cli.training.data.teachers import MESH, NOTHING, MadeOf
from symface_cli.writing import write_file

BOX_COLUMNS = ("box_x", "box_y", "box_width", "box_height")
LANDMARK_COLUMNS = tuple(f"{axis}{number}" for number in range(scheme.COUNT) for axis in "xy")
BLEND_COLUMNS = ("mesh_disagreement", "apart", "made_of", "weight")
COLUMNS = ("photo", "use", "provider", "disagreement", *BLEND_COLUMNS, "fault", *BOX_COLUMNS, *LANDMARK_COLUMNS)
LAYOUT = TableLayout(
    columns=COLUMNS,
    optional=(*BLEND_COLUMNS, "fault"),  # older versions do not write them
    advice="keep the first line as symface label writes it",
    hint=Hint.MAKE_LABELS,
)


def write_labels(path: Path, labels: Sequence[Label], replace: bool = False) -> str | None:
    """Write labels as CSV: pixels and the weight to 2 decimals, disagreements to 4.

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
    measured = [
        "" if value is None else f"{value:.4f}" for value in (label.disagreement, label.mesh_disagreement, label.apart)
    ]
    blend = [label.made_of or "", "" if label.weight is None else f"{label.weight:.2f}"]
    use = "yes" if label.use else "no"
    return [label.photo, use, label.provider, *measured, *blend, label.fault, *box, *places]


def read_labels(path: Path, photos: Collection[str], landmarks: bool = True) -> list[Label]:
    """Read labels, in the file's order, also as spreadsheet programs save them.

    These may write decimal commas, and what `photo_table` says. The columns may have any order, and lines without any
    content are passed over.

    Args:
        path: The CSV.
        photos: Which photos may be in it, by their paths in the data set.
        landmarks: Whether every photo that is used needs them.

    Raises:
        DataError: If it cannot be read, or something in it cannot be right.
    """
    labels: dict[str, Label] = {}
    for row in read_rows(path, LAYOUT):
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


def _numbers(row: TableRow, columns: Sequence[str]) -> list[float] | None:
    """Return the numbers in some columns, None if all of these are empty."""
    texts = [row.cells[column].strip() for column in columns]
    if not any(texts):
        return None
    return [_number(row, column, text) for column, text in zip(columns, texts, strict=True)]


def _find_number(row: TableRow, column: str) -> float | None:
    """Return the number in a column; None if it is empty, or the file does not have it."""
    values = _numbers(row, [column]) if column in row.cells else None
    return None if values is None else values[0]


def _find_word(row: TableRow, column: str, words: Sequence[str]) -> str:
    """Return which of some words is in a column."""
    text = row.cells[column].strip().lower()
    if text not in words:
        raise row.fault(f"{column} is {on_one_line(text)!r}; write {', '.join(words[:-1])} or {words[-1]}")
    return text


def _number(row: TableRow, column: str, text: str) -> float:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = inf
    if not text:
        raise row.fault(f"{column} is empty; fill in all numbers of the box or the landmarks, or none")
    if not isfinite(value):
        raise row.fault(f"{column} is {on_one_line(text)!r}; write a number such as 104.25")
    return value


def label_of(cells: Sequence[str]) -> Label:
    """Read a label from the cells that `cells_of` gave.

    Raises:
        DataError: If something in them cannot be right.
    """
    return _parse(TableRow("", dict(zip(COLUMNS, cells, strict=True))), needs_landmarks=False)


def _parse(row: TableRow, needs_landmarks: bool) -> Label:
    """Read a line's label; refuse what cannot be right."""
    box, places = _numbers(row, BOX_COLUMNS), _numbers(row, LANDMARK_COLUMNS)
    label = Label(
        row.cells["photo"],
        box=None if box is None else Box(*box),
        landmarks=None if places is None else np.array(places).reshape(-1, 2),
        provider=row.cells["provider"].strip(),
        disagreement=_find_number(row, "disagreement"),
        mesh_disagreement=_find_number(row, "mesh_disagreement"),
        apart=_find_number(row, "apart"),
        made_of=_parse_made_of(row),
        weight=_find_number(row, "weight"),
        fault=row.cells.get("fault", ""),
        use=_find_word(row, "use", ("yes", "no")) == "yes",
    )
    _check(row, label, needs_landmarks)
    return label


def _parse_made_of(row: TableRow) -> MadeOf | None:
    if not row.cells.get("made_of", "").strip():
        return None
    return cast(MadeOf, _find_word(row, "made_of", get_args(MadeOf)))


def _check(row: TableRow, label: Label, needs_landmarks: bool) -> None:
    """Refuse a label that cannot be right."""
    if label.box is None and (label.use or label.landmarks is not None):
        raise row.fault("the box is missing; fill in box_x, box_y, box_width and box_height, brows to chin")
    if label.box is not None and min(label.box[2:]) <= 0:
        raise row.fault("the box has no size; correct box_width and box_height, or set use to no and empty the box")
    if label.weight is not None and not 0 <= label.weight <= 1:
        raise row.fault(f"weight is {label.weight:g}; write a number from 0 to 1, or empty it")
    if label.use and needs_landmarks:
        _check_use(row, label)
    if label.box is not None and label.landmarks is not None:
        fault = find_fault(label.box, label.landmarks)
        if fault:
            raise row.fault(f"{fault}; correct it, or empty the landmarks and set use to no")


def _check_use(row: TableRow, label: Label) -> None:
    """Refuse a label that says nothing to learn of a photo that is to be used."""
    if label.landmarks is None and label.made_of != MESH:
        raise row.fault("it is to be used, but has no landmarks; fill them in, or set use to no")
    if label.made_of == NOTHING and not label.is_by_hand:
        raise row.fault(
            "it is to be used, but made_of is nothing; name a teacher there, or correct the landmarks and write hand "
            "as the provider, or set use to no"
        )
