"""A measured film as CSV, with a row for each person in each frame, and as JSON, with what was found out of them."""

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TypeAlias

from symface_cli import files
from symface_cli.films.measuring.movement import Movement, SideMovement
from symface_cli.films.measuring.records import NUMBERS, PLACES, FrameMeasurement, columns_of
from symface_cli.films.measuring.rest import Rest
from symface_cli.films.measuring.study import WHOLE_SHAPE, FilmStudy, PersonStudy
from symface_cli.measurement.asymmetry import NOTE
from symface_cli.measurement.measures import MEASURES, Measure
from symface_cli.version import __version__

Cell: TypeAlias = str | int | float | None

FRAME_COLUMNS = ("film", "person", "frame", "time_s", "shot", "found", "turned")
"""Which frame; 1 where the face was found, 1 where it is turned too far (else 0)."""
SETTING_COLUMNS = ("sides", "unit", "scale_mm_per_px", "scale_error", "rest_s", "smooth_s")
"""Whose left, the unit of lengths, the scale, what the changes are from, and how the numbers were smoothed."""
CHANGING = tuple(column for measure in MEASURES for column in columns_of(measure))
CHANGES = tuple(f"{column}_from_rest" for column in CHANGING)
COLUMNS = (*FRAME_COLUMNS, *SETTING_COLUMNS, *NUMBERS, *CHANGES)


def as_csv(studies: Iterable[FilmStudy]) -> bytes:
    """Write a row for each person in each frame: numbers to 4 decimals, empty where the face was not found.

    Changes from rest are there if a person said when the face is at rest.
    """
    return files.as_csv(chain([COLUMNS], *map(_rows, studies)))


def _rows(study: FilmStudy) -> Iterator[list[Cell]]:
    for person in study.persons:
        rest = person.rest if person.rest is not None and person.rest.is_given else None
        for frame in person.track.frames:
            numbers = [None] * len(NUMBERS) if frame.numbers is None else frame.numbers.tolist()
            changes = [_change(frame, rest, column) for column in CHANGING]
            yield [*_frame_cells(study, frame), *_setting_cells(study, frame, rest), *map(_write, numbers + changes)]


def _frame_cells(study: FilmStudy, frame: FrameMeasurement) -> list[Cell]:
    found, turned = int(frame.is_found), int(frame.is_yaw_too_large)
    return [study.name, frame.person, frame.frame, f"{frame.time_s:.6f}", frame.shot, found, turned]


def _setting_cells(study: FilmStudy, frame: FrameMeasurement, rest: Rest | None) -> list[Cell]:
    scale = ("", "") if frame.scale is None else tuple(f"{number:.6f}" for number in frame.scale)
    span = "" if rest is None else "{:g}-{:g}".format(*rest.span)
    return [frame.sides, frame.unit, *scale, span, f"{study.analysis.smooth_s:g}"]


def _change(frame: FrameMeasurement, rest: Rest | None, column: str) -> float | None:
    return None if rest is None or not frame.is_found else frame[column] - float(rest.median[PLACES[column]])


def _write(number: float | None) -> str:
    return "" if number is None else f"{number:.4f}"


def as_json(studies: Sequence[FilmStudy]) -> bytes:
    """Write a document with the rest, the largest asymmetries and the movements, null for what is not known."""
    document = {"note": NOTE, "version": __version__, "films": [_film(study) for study in studies]}
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    return text.encode("utf-8", "backslashreplace")


def _film(study: FilmStudy) -> dict[str, object]:
    return {
        "film": study.name,
        "smooth_s": study.analysis.smooth_s,
        "persons": [_person(person) for person in study.persons],
    }


def _person(person: PersonStudy) -> dict[str, object]:
    track, rest = person.track, person.rest
    first = track.frames[0]
    return {
        "person": track.person,
        "sides": first.sides,
        "unit": first.unit,
        "pupil_distance_mm": None if first.pupils is None else _round(first.pupils.mm),
        "pupil_distance_error": None if first.pupils is None else _round(first.pupils.error),
        "frames": len(track.frames),
        "start_s": _round(track.times[0]),
        "end_s": _round(track.times[-1]),
        "found": int(track.is_found.sum()),
        "turned": int(track.is_turned.sum()),
        "rest": None if rest is None else {**rest.span._asdict(), "frames": rest.frames, "given": rest.is_given},
        "whole_shape_pct": _extreme(person, WHOLE_SHAPE, WHOLE_SHAPE),
        "measures": {measure.name: _measure(person, measure) for measure in MEASURES},
    }


def _extreme(person: PersonStudy, name: str, column: str) -> dict[str, object] | None:
    if name not in person.largest:
        return None
    frame = person.track.frames[person.largest[name]]
    return {"value": _round(frame[column]), "frame": frame.frame, "time_s": _round(frame.time_s)}


def _measure(person: PersonStudy, measure: Measure) -> dict[str, object]:
    rest, columns = person.rest, columns_of(measure)
    sides = {column.removeprefix(f"{measure.name}_") if measure.is_sided else "value": column for column in columns}
    return {
        "unit": person.unit_of(measure),
        "rest": rest and {side: _round(rest.median_of(column)) for side, column in sides.items()},
        "noise": rest and {side: _round(rest.noise_of(column)) for side, column in sides.items()},
        "largest": _extreme(person, measure.name, columns[-1]),
        "movements": [_movement(movement) for movement in person.movements.get(measure.name, ())],
    }


def _movement(movement: Movement) -> dict[str, object]:
    names = ("left", "right") if len(movement.sides) > 1 else ("face",)
    return {
        "start_s": _round(movement.start_s),
        "peak_s": _round(movement.peak_s),
        "end_s": _round(movement.end_s),
        **{name: _side(side) for name, side in zip(names, movement.sides, strict=True)},
        "amplitude_ratio": _round(movement.amplitude_ratio),
        "speed_ratio": _round(movement.speed_ratio),
        "lag_s": _round(movement.lag_s),
    }


def _side(side: SideMovement) -> dict[str, float | None]:
    return {
        "amplitude": _round(side.amplitude),
        "speed_per_s": _round(side.speed),
        "onset_s": _round(side.onset_s),
        "peak_s": _round(side.peak_s),
    }


def _round(number: float | None) -> float | None:
    return None if number is None or math.isnan(number) else round(float(number), 4) + 0.0
