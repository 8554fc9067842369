"""Measured asymmetries as CSV: a line for each face, and for each photo that failed."""

import csv
import io
import sys
from collections.abc import Iterable, Mapping

from symface_cli import files
from symface_cli.measurement.asymmetry import Estimate
from symface_cli.measurement.measures import MEASURES, Measure
from symface_cli.measurement.photo import LengthUnit, MeasuredSides
from symface_cli.measurement.quantities import NAMES
from symface_cli.measurement.rows import SIDES, UNITS, FaceRow, PhotoRows, choose, join_faces
from symface_cli.measurement.scale import Scale


def columns_of(measure: Measure) -> tuple[str, ...]:
    """Name a measure's columns; one of the whole face has its value in the first."""
    name = measure.name
    return (
        (f"{name}_left", f"{name}_right", f"{name}_diff", f"{name}_error")
        if measure.is_sided
        else (name, f"{name}_error")
    )


_FACE_COLUMNS = (
    *("face", "eye_distance_px", "turned"),
    *(column for name in NAMES for column in (name, f"{name}_error")),
)
"""The face's number by size, the size of the face, 1 where the head is turned too far (else 0), and each of
`quantities.NAMES` with its error; all empty where a photo failed."""
_STATE_COLUMNS = ("status", "reason", "photo_sha256", "heatmap_sha256", "measured_by")
_MEASURE_COLUMNS = (
    *("sides", "unit", "scale_mm_per_px", "scale_error"),
    *(column for measure in MEASURES for column in columns_of(measure)),
)
"""Whose left and right, the unit of lengths, the scale, and the named measures; all empty where a photo failed."""
COLUMNS = ("photo", *_FACE_COLUMNS, *_STATE_COLUMNS, *_MEASURE_COLUMNS)

_UNDECODABLE = sys.getfilesystemencodeerrors()
"""How the bytes of a name that are not of the system's encoding are kept: as the system does."""


def as_csv(photos: Iterable[PhotoRows]) -> bytes:
    """Write a table: values to 4 decimals, a name's undecodable bytes as they are."""
    return b"".join([files.as_csv([COLUMNS]), *map(csv_lines, photos)])


def csv_lines(photo: PhotoRows) -> bytes:
    """Write a photo's lines."""
    state = (photo.status, photo.reason, photo.sha256)
    rows = [
        (photo.photo, *_face_cells(face), *state, face.heatmap_sha256, photo.measured_by, *_measure_cells(face))
        for face in photo.faces
    ]
    none = (photo.photo, *("" for _ in _FACE_COLUMNS), *state, "", photo.measured_by, *("" for _ in _MEASURE_COLUMNS))
    return files.as_csv(rows or [none])


def read_csv(data: bytes) -> list[PhotoRows]:
    """Read a table; half a last line, which a killed run may leave, is left out with the other lines of its photo.

    Raises:
        ValueError: If it is no such table.
    """
    text = data.decode("utf-8", _UNDECODABLE)
    try:
        header, *rows = csv.reader(io.StringIO(text, newline=""))
    except csv.Error as error:
        raise ValueError(str(error)) from error
    if tuple(header) != COLUMNS:
        raise ValueError("other columns")
    if rows and (len(rows[-1]) < len(header) or not text.endswith("\n")):
        _remove_torn(rows)
    return list(join_faces(_read_row(dict(zip(header, row, strict=True))) for row in rows))


def _face_cells(face: FaceRow) -> tuple[str | int, ...]:
    numbers = (f"{number:.4f}" for name in NAMES for number in face.values[name])
    return face.number, f"{face.eye_distance:.2f}", int(face.turned), *numbers


def _measure_cells(face: FaceRow) -> tuple[str, ...]:
    scale = ("", "") if face.scale is None else tuple(f"{number:.6f}" for number in face.scale)
    numbers = (number for measure in MEASURES for number in _numbers(measure, face.measures[measure.name]))
    return face.sides, face.unit, *scale, *map("{:.4f}".format, numbers)


def _numbers(measure: Measure, values: MeasuredSides) -> tuple[float | None, ...]:
    sides = (values.left, values.right) if measure.is_sided else ()
    return (*sides, values.diff, values.error)


def _remove_torn(rows: list[list[str]]) -> None:
    torn = rows.pop()[:1]
    photo = rows[-1][0] if rows else ""
    while torn and rows and rows[-1][0] == photo and photo.startswith(torn[0]):
        rows.pop()


def _read_row(cells: Mapping[str, str]) -> PhotoRows:
    faces = (_read_face(cells),) if cells["face"] else ()
    return PhotoRows(
        photo=cells["photo"],
        faces=faces,
        status=int(cells["status"]),
        reason=cells["reason"],
        sha256=cells["photo_sha256"],
        measured_by=cells["measured_by"],
    )


def _read_face(cells: Mapping[str, str]) -> FaceRow:
    scale = cells["scale_mm_per_px"], cells["scale_error"]
    unit = choose(cells["unit"], UNITS)
    return FaceRow(
        number=int(cells["face"]),
        eye_distance=float(cells["eye_distance_px"]),
        turned=cells["turned"] == "1",
        sides=choose(cells["sides"], SIDES),
        values={name: Estimate(float(cells[name]), float(cells[f"{name}_error"])) for name in NAMES},
        unit=unit,
        scale=Scale(*map(float, scale)) if all(scale) else None,
        measures={measure.name: _read_measure(measure, cells, unit) for measure in MEASURES},
        heatmap_sha256=cells["heatmap_sha256"],
    )


def _read_measure(measure: Measure, cells: Mapping[str, str], unit: LengthUnit) -> MeasuredSides:
    *sides, diff, error = (float(cells[column]) for column in columns_of(measure))
    left, right = sides or (None, None)
    return MeasuredSides(
        unit="deg" if measure.dimension == "angle" else unit, left=left, right=right, diff=diff, error=error
    )
