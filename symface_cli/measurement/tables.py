"""Measured asymmetries as people and programs read them: text, CSV, JSON."""

import csv
import io
import json
from collections.abc import Sequence
from typing import NamedTuple

from symface_cli.measurement.asymmetry import NOTE, Estimate
from symface_cli.measurement.photo import FaceMeasurement
from symface_cli.measurement.quantities import NAMES, Area, MeasureKey, Quantity
from symface_cli.version import __version__

COLUMNS = (
    "photo",
    "face",
    "eye_distance_px",
    "turned",
    *(column for name in NAMES for column in (name, f"{name}_error")),
)
"""Of the CSV: the path, the face's number by size, the size of the face, 1 where the head is turned too far (else 0),
and each of `quantities.NAMES` with its error."""

QUANTITIES = {
    Quantity.SHAPE: "shape %",
    Quantity.OUTWARD: "outward %",
    Quantity.LOWER: "lower %",
    Quantity.COLOR: "color dE",
    Quantity.LIGHTNESS: "lightness",
}
"""The columns of the text."""

CELL = 15  # characters


class Record(NamedTuple):
    """A measured face, and the path of its photo."""

    photo: str
    face: FaceMeasurement


def as_text(record: Record) -> str:
    """Write a heading and a table; an empty cell where there is no such number."""
    face = record.face
    tilt, yaw = (face.values[quantity.value] for quantity in (Quantity.TILT, Quantity.YAW))
    lines = [
        f"{record.photo}, face {face.number}: midline {_cell(tilt)} degrees clockwise, head turned {_cell(yaw)} "
        "degrees to the right",
        " " * 6 + "".join(f"{title:>{CELL}}" for title in QUANTITIES.values()),
    ]
    for area in Area:
        found = (face.values.get(MeasureKey(quantity, area).name) for quantity in QUANTITIES)
        cells = ("" if estimate is None else _cell(estimate) for estimate in found)
        lines.append(f"{area.value:6}" + "".join(f"{cell:>{CELL}}" for cell in cells).rstrip())
    return "\n".join(lines)


def _cell(estimate: Estimate) -> str:
    value = round(estimate.value, 2) + 0.0  # no -0.00
    return f"{value:.2f} \N{PLUS-MINUS SIGN} {estimate.error:.2f}"


def as_csv(records: Sequence[Record]) -> str:
    """Write one line per face under COLUMNS; values to 4 decimals."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for photo, face in records:
        numbers = [f"{number + 0.0:.4f}" for name in NAMES for number in _rounded(face.values[name])]
        writer.writerow([photo, face.number, f"{face.eye_distance:.2f}", int(face.is_yaw_too_large), *numbers])
    return text.getvalue()


def as_json(records: Sequence[Record]) -> str:
    """Write all faces, with the note that this is no medical device."""
    faces = [
        {
            "photo": photo,
            "face": face.number,
            "eye_distance_px": round(face.eye_distance, 2),
            "turned": face.is_yaw_too_large,
            "values": {
                name: dict(zip(("value", "error"), _rounded(estimate), strict=True))
                for name, estimate in face.values.items()
            },
        }
        for photo, face in records
    ]
    return json.dumps({"note": NOTE, "version": __version__, "faces": faces}, indent=2, ensure_ascii=False) + "\n"


def _rounded(estimate: Estimate) -> tuple[float, float]:
    return round(estimate.value, 4) + 0.0, round(estimate.error, 4)
