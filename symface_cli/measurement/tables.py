"""Measured asymmetries as people and programs read them: text, CSV, JSON."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from symface_cli.measurement.asymmetry import AREAS, NAMES, NOTE, Asymmetry, Estimate
from symface_cli.version import __version__

COLUMNS = (
    "photo",
    "face",
    "eye_distance_px",
    "turned",
    *(column for name in NAMES for column in (name, f"{name}_error")),
)
"""Of the CSV: the path, the face's number by size, the size of the face, 1 where the head is turned too far (else 0),
and each of `measures.NAMES` with its error."""

QUANTITIES = {
    "shape_pct": "shape %",
    "outward_pct": "outward %",
    "lower_pct": "lower %",
    "color_de": "color dE",
    "lightness": "lightness",
}
"""The columns of the text, by the ends of the names."""

CELL = 15  # characters


class Record(NamedTuple):
    """What is kept of a measured face.

    Attributes:
        photo: The photo's path.
        number: The face's number by size, from 1.
        eye_distance: In photo pixels.
        turned: Whether the head is turned too far.
        values: The measurements by the names of `measures.NAMES`.
    """

    photo: str
    number: int
    eye_distance: float
    turned: bool
    values: Mapping[str, Estimate]


def keep(photo: str, number: int, measured: Asymmetry) -> Record:
    """The record of a face."""
    return Record(photo, number, measured.eye_distance, measured.is_yaw_too_large, measured.values)


def as_text(record: Record) -> str:
    """A heading and a table; an empty cell where there is no such number."""
    tilt, turn = record.values["midline_deg"], record.values["yaw_deg"]
    lines = [
        f"{record.photo}, face {record.number}: midline {_cell(tilt)} degrees clockwise, head turned {_cell(turn)} "
        "degrees to the right",
        " " * 6 + "".join(f"{title:>{CELL}}" for title in QUANTITIES.values()),
    ]
    for area in ("whole", *AREAS):
        found = (record.values.get(f"{area}_{quantity}") for quantity in QUANTITIES)
        cells = ("" if estimate is None else _cell(estimate) for estimate in found)
        lines.append(f"{area:6}" + "".join(f"{cell:>{CELL}}" for cell in cells).rstrip())
    return "\n".join(lines)


def _cell(estimate: Estimate) -> str:
    value = round(estimate.value, 2) + 0.0  # no -0.00
    return f"{value:.2f} \N{PLUS-MINUS SIGN} {estimate.error:.2f}"


def as_csv(records: Sequence[Record]) -> str:
    """One line per face under COLUMNS; values to 4 decimals."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for record in records:
        numbers = [f"{number + 0.0:.4f}" for name in NAMES for number in _rounded(record.values[name])]
        writer.writerow(
            [record.photo, record.number, f"{record.eye_distance:.2f}", int(record.turned), *numbers],
        )
    return text.getvalue()


def as_json(records: Sequence[Record]) -> str:
    """All faces, with the note that this is no medical device."""
    faces = [
        {
            "photo": record.photo,
            "face": record.number,
            "eye_distance_px": round(record.eye_distance, 2),
            "turned": record.turned,
            "values": {
                name: dict(zip(("value", "error"), _rounded(estimate), strict=True))
                for name, estimate in record.values.items()
            },
        }
        for record in records
    ]
    return json.dumps({"note": NOTE, "version": __version__, "faces": faces}, indent=2, ensure_ascii=False) + "\n"


def _rounded(estimate: Estimate) -> tuple[float, float]:
    return round(estimate.value, 4) + 0.0, round(estimate.error, 4)
