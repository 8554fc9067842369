"""Measured asymmetries as CSV: a line for each face, and for each photo that failed."""

import csv
import io
import sys
from collections.abc import Iterable, Mapping

from symface_cli import files
from symface_cli.measurement.asymmetry import Estimate
from symface_cli.measurement.quantities import NAMES
from symface_cli.measurement.rows import FaceRow, PhotoRows, join_faces

_FACE_COLUMNS = (
    "face",
    "eye_distance_px",
    "turned",
    *(column for name in NAMES for column in (name, f"{name}_error")),
)
"""The face's number by size, the size of the face, 1 where the head is turned too far (else 0), and each of
`quantities.NAMES` with its error; all empty where a photo failed."""
_FIRST_COLUMNS = ("photo", *_FACE_COLUMNS)
"""All that earlier versions wrote."""
COLUMNS = (*_FIRST_COLUMNS, "status", "reason", "photo_sha256", "heatmap_sha256", "measured_by")

_UNDECODABLE = sys.getfilesystemencodeerrors()
"""How the bytes of a name that are not of the system's encoding are kept: as the system does."""


def as_csv(photos: Iterable[PhotoRows]) -> bytes:
    """Write a table: values to 4 decimals, a name's undecodable bytes as they are."""
    return b"".join([files.as_csv([COLUMNS]), *map(csv_lines, photos)])


def csv_lines(photo: PhotoRows) -> bytes:
    """Write a photo's lines."""
    failure = (photo.status, photo.reason, photo.sha256)
    rows = [(photo.photo, *_face_cells(face), *failure, face.heatmap_sha256, photo.measured_by) for face in photo.faces]
    return files.as_csv(rows or [(photo.photo, *("" for _ in _FACE_COLUMNS), *failure, "", photo.measured_by)])


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
    if tuple(header) not in (COLUMNS, _FIRST_COLUMNS):
        raise ValueError("other columns")
    if rows and (len(rows[-1]) < len(header) or not text.endswith("\n")):
        _remove_torn(rows)
    return list(join_faces(_read_row(dict(zip(header, row, strict=True))) for row in rows))


def _face_cells(face: FaceRow) -> tuple[str | int, ...]:
    numbers = (f"{number:.4f}" for name in NAMES for number in face.values[name])
    return face.number, f"{face.eye_distance:.2f}", int(face.turned), *numbers


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
        status=int(cells.get("status", "0")),
        reason=cells.get("reason", ""),
        sha256=cells.get("photo_sha256", ""),
        measured_by=cells.get("measured_by", ""),
    )


def _read_face(cells: Mapping[str, str]) -> FaceRow:
    return FaceRow(
        number=int(cells["face"]),
        eye_distance=float(cells["eye_distance_px"]),
        turned=cells["turned"] == "1",
        values={name: Estimate(float(cells[name]), float(cells[f"{name}_error"])) for name in NAMES},
        heatmap_sha256=cells.get("heatmap_sha256", ""),
    )
