"""Files of points: CSV, and those of landmark programs: `.tps` (geomorph, webmorphR), `.tem` (WebMorph), `.pts` (iBUG).

A CSV names its points, by the sides of whoever is asked for, and may lack some. The others number them in the order of
`points.scheme`: the viewer's left half, the right half, the middle. A `.tem` or `.pts` file holds one face.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from symface_cli.data.photo_table import TableLayout, TableRow, read_rows
from symface_cli.errors import DataError, UsageError
from symface_cli.files import as_csv, on_one_line
from symface_cli.geometry.types import Array
from symface_cli.measurement.points.scheme import COUNT, Sides, lines_of, name_points

COLUMNS = ("photo", "face", "point", "x", "y")
LAYOUT = TableLayout(columns=COLUMNS, optional=("face",), advice=f"begin the file with a line {','.join(COLUMNS)}")
ONE_FACE = (".tem", ".pts")
"""Forms that hold one face."""


class FacePoints(NamedTuple):
    """The points of a face.

    Attributes:
        photo: The photo's path, or what a file calls it; empty if it does not say.
        face: The face's number by size, from 1.
        points: (45, 2) in photo pixels, NaN for those that are not there.
    """

    photo: str
    face: int
    points: Array


def check_form(path: Path) -> None:
    """Check that a file's name ends as one of the forms does.

    Raises:
        UsageError: If it does not.
    """
    if path.suffix.lower() not in FORMS:
        raise UsageError(
            f"{on_one_line(str(path))}: points are kept in {', '.join(FORMS)}; end its name with one of these"
        )


def write_points(faces: Sequence[FacePoints], suffix: str, sides: Sides) -> bytes:
    """Return a file of faces.

    Raises:
        UsageError: If it is of a form that holds one face, and there are more, or none.
    """
    form = suffix.lower()
    if form in ONE_FACE and len(faces) != 1:
        raise UsageError(f"a {form} file holds one face, not {len(faces)}; take .csv or .tps")
    return FORMS[form](faces, sides)


def read_points(path: Path, sides: Sides) -> list[FacePoints]:
    """Read a file of faces.

    Raises:
        UsageError: If its name ends as that of no form.
        DataError: If it cannot be read, or has other points.
    """
    check_form(path)
    if path.suffix.lower() == ".csv":
        return _read_csv(path, sides)
    try:
        lines = path.read_text("utf-8", "surrogateescape").split("\n")
        return list(_READERS[path.suffix.lower()]([line.strip() for line in lines]))
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, IndexError) as error:
        raise DataError(f"{path}: no file of the {COUNT} points in their order; save it as symface wrote it") from error


def _as_csv(faces: Sequence[FacePoints], sides: Sides) -> bytes:
    rows = [
        (photo, face, name, f"{x:.2f}", f"{y:.2f}")
        for photo, face, points in faces
        for name, (x, y) in zip(name_points(sides), points, strict=True)
    ]
    return as_csv([COLUMNS, *rows])


def _as_tps(faces: Sequence[FacePoints], sides: Sides) -> bytes:
    """Write it as webmorphR does: y grows upward from 0 at the photo's upper edge, and is negative."""
    texts = []
    for photo, face, points in faces:
        lines = [f"{x:.2f} {-y:.2f}" for x, y in points]
        name = photo if face == 1 else f"{photo}#{face}"
        texts.append("\n".join([f"LM={COUNT}", *lines, f"ID={on_one_line(name)}", ""]))
    return "".join(texts).encode("utf-8", "surrogateescape")


def _as_tem(faces: Sequence[FacePoints], sides: Sides) -> bytes:
    outlines = [line for side in range(2) for line in lines_of(side)]
    lines = [str(COUNT), *(f"{x:.2f}\t{y:.2f}" for x, y in faces[0].points), str(len(outlines))]
    for outline in outlines:
        lines += ["0", str(len(outline)), " ".join(map(str, outline))]
    return ("\n".join(lines) + "\n").encode()


def _as_pts(faces: Sequence[FacePoints], sides: Sides) -> bytes:
    """Write it as iBUG does: the first pixel's center is (1, 1)."""
    lines = [f"{x + 1:.2f} {y + 1:.2f}" for x, y in faces[0].points]
    return "\n".join(["version: 1", f"n_points: {COUNT}", "{", *lines, "}", ""]).encode()


FORMS: Mapping[str, Callable[[Sequence[FacePoints], Sides], bytes]] = {
    ".csv": _as_csv,
    ".tps": _as_tps,
    ".tem": _as_tem,
    ".pts": _as_pts,
}
"""What writes a form, by the end of the file's name."""


def _read_csv(path: Path, sides: Sides) -> list[FacePoints]:
    places = {name: place for place, name in enumerate(name_points(sides))}
    found: dict[tuple[str, int], Array] = {}
    for row in read_rows(path, LAYOUT):
        name = row.cells["point"].strip()
        if name not in places:
            raise row.fault(f"there is no point {name}; the names are those that symface writes")
        key = row.cells["photo"], _number(row)
        points = found.setdefault(key, np.full((COUNT, 2), np.nan))
        points[places[name]] = _place(row)
    return [FacePoints(photo, face, points) for (photo, face), points in found.items()]


def _number(row: TableRow) -> int:
    text = row.cells.get("face", "1").strip()
    if not text.isdecimal() or int(text) < 1:
        raise row.fault(f"{text} is no number of a face; correct it")
    return int(text)


def _place(row: TableRow) -> tuple[float, float]:
    try:
        x, y = (float(row.cells[name]) for name in ("x", "y"))
    except ValueError as error:
        raise row.fault("x and y are not both numbers; correct it") from error
    if not np.isfinite([x, y]).all():
        raise row.fault("x and y are not both numbers; correct it")
    return x, y


def _read_tps(lines: Sequence[str]) -> Iterator[FacePoints]:
    starts = [number for number, line in enumerate(lines) if line.upper().startswith("LM=")]
    if not starts:
        raise ValueError
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        points = _read_numbers(lines[start + 1 : start + 1 + _count(lines[start].partition("=")[2])])
        names = [line.partition("=")[2] for line in lines[start:end] if line.upper().startswith("ID=")]
        photo, _, face = (names or [""])[0].rpartition("#")
        known = (photo, int(face)) if photo and face.isdecimal() else ((names or [""])[0], 1)
        yield FacePoints(*known, points * [1, -1])


def _read_tem(lines: Sequence[str]) -> Iterator[FacePoints]:
    yield FacePoints("", 1, _read_numbers(lines[1 : 1 + _count(lines[0])]))


def _read_pts(lines: Sequence[str]) -> Iterator[FacePoints]:
    start, end = lines.index("{"), lines.index("}")
    yield FacePoints("", 1, _read_numbers(lines[start + 1 : start + 1 + _count(str(end - start - 1))]) - 1)


def _count(text: str) -> int:
    """Return the number of points, which has to be ours."""
    if int(text) != COUNT:
        raise ValueError
    return COUNT


def _read_numbers(lines: Sequence[str]) -> Array:
    """Return the points (45, 2) of lines with two numbers each."""
    points = np.array([[float(number) for number in line.split()] for line in lines], np.float64)
    if points.shape != (COUNT, 2) or not np.isfinite(points).all():
        raise ValueError
    return points


_READERS: Mapping[str, Callable[[Sequence[str]], Iterator[FacePoints]]] = {
    ".tps": _read_tps,
    ".tem": _read_tem,
    ".pts": _read_pts,
}
