"""A session as CSV and JSON: a row for each pose of each subject at each date, also for those that are missing."""

import json
from typing import TypeAlias

from symface_cli import files
from symface_cli.measurement.asymmetry import NOTE
from symface_cli.measurement.measures import MEASURES, Measure
from symface_cli.measurement.photo import MeasuredSides
from symface_cli.measurement.rows import row_of
from symface_cli.sessions.changes import Comparison, Study
from symface_cli.sessions.plan import Visit
from symface_cli.version import __version__

Number: TypeAlias = float | None

VISIT_COLUMNS = ("subject", "date", "pose", "photo", "status", "reason")
"""Who, when and how; the exit status of a photo, 0 if it did not fail, and why it failed."""
FACE_COLUMNS = ("eye_distance_px", "turned", "sides", "unit", "scale_mm_per_px", "scale_error")
"""As in a table without a session."""


def columns_of(measure: Measure) -> list[str]:
    """Name a measure's columns; one of the whole face has its value in the first."""
    if not measure.is_sided:
        endings = [f"{number}{change}" for change in ("", "_from_rest", "_from_first") for number in ("", "_error")]
    else:
        sides = ("_left", "_right", "_diff", "_error")
        rest, first = ([f"{side}_from_{before}" for side in sides] for before in ("rest", "first"))
        endings = [*sides, "_ratio", *rest, "_ratio_from_rest", *first]
    return [f"{measure.name}{ending}" for ending in endings]


COLUMNS = (*VISIT_COLUMNS, *FACE_COLUMNS, *(column for measure in MEASURES for column in columns_of(measure)))


def as_csv(study: Study) -> bytes:
    """Write a line for each row: values to 4 decimals, empty where there is none."""
    rows = (
        (
            *("" if cell is None else cell for cell in (*_visit_cells(study, visit), *_face_cells(study, visit))),
            *("" if number is None else f"{number:.4f}" for number in _numbers(study, visit)),
        )
        for visit in study.session.visits()
    )
    return files.as_csv([COLUMNS, *rows])


def as_json(study: Study) -> bytes:
    """Write a document with the same, null where there is nothing."""
    names = COLUMNS[len(VISIT_COLUMNS) + len(FACE_COLUMNS) :]
    rows = [
        {
            **dict(zip(VISIT_COLUMNS, _visit_cells(study, visit), strict=True)),
            **dict(zip(FACE_COLUMNS, _face_cells(study, visit), strict=True)),
            "values": dict(zip(names, _numbers(study, visit), strict=True)),
        }
        for visit in study.session.visits()
    ]
    document = {"note": NOTE, "version": __version__, "rows": rows}
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    return text.encode("utf-8", "backslashreplace")


def _visit_cells(study: Study, visit: Visit) -> tuple[str | int | None, ...]:
    photo = study.session.photos.get(visit)
    status, reason = study.failures.get(visit, (None if photo is None else 0, ""))
    return visit.subject, visit.day.isoformat(), visit.pose, "" if photo is None else str(photo), status, reason


def _face_cells(study: Study, visit: Visit) -> tuple[str | int | Number, ...]:
    face = study.measured.get(visit)
    if face is None:
        return (None,) * len(FACE_COLUMNS)
    row = row_of(face)
    scale = (None, None) if row.scale is None else row.scale
    return row.eye_distance, int(row.turned), row.sides, row.unit, *scale


def _numbers(study: Study, visit: Visit) -> list[Number]:
    """Return a number for each column of the measures."""
    compared = study.compare(visit)
    return [number for measure in MEASURES for number in _numbers_of(measure, compared.get(measure.name))]


def _numbers_of(measure: Measure, found: Comparison | None) -> list[Number]:
    if found is None:
        return [None] * len(columns_of(measure))
    value, rest, first = (_parts(measure, sides) for sides in (found.value, found.from_rest, found.from_first))
    if not measure.is_sided:
        return [*value, *rest, *first]
    return [*value, found.ratio, *rest, found.ratio_from_rest, *first]


def _parts(measure: Measure, sides: MeasuredSides | None) -> list[Number]:
    if sides is None:
        return [None] * (4 if measure.is_sided else 2)
    return [*((sides.left, sides.right) if measure.is_sided else ()), sides.diff, sides.error]
