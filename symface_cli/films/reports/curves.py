"""Curves of what was measured over the time of a film, as parts of a panel from 0 to 1, x to the right and y up."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from symface_cli.films.measuring.records import columns_of
from symface_cli.films.measuring.study import WHOLE_SHAPE, PersonStudy
from symface_cli.films.measuring.tracks import Track
from symface_cli.geometry.axes import round_ticks
from symface_cli.geometry.types import Array
from symface_cli.measurement.measures import MEASURES

MOST_UP, MOST_ACROSS = 5, 9  # ticks
MOST_COLUMNS = 800  # parts of the time, in each of which a curve's lowest and highest point are drawn
TITLES = {WHOLE_SHAPE: "Shape of the whole face", "fai": "FAI", "mrd1": "MRD1", "mrd2": "MRD2"}
UNITS = {"%": "% of pupil distance", "mm": "mm", "deg": "degrees"}

Role = Literal["left", "right", "whole"]
BandKind = Literal["missing", "turned", "rest"]


class Tick(NamedTuple):
    """A mark of an axis."""

    place: float
    label: str


class Band(NamedTuple):
    """A part of the time: the face is not found, turned too far, or at rest."""

    kind: BandKind
    start: float
    end: float


class Mark(NamedTuple):
    """The peak of a movement on a curve, and its time."""

    x: float
    y: float
    time_s: float


@dataclass(frozen=True, eq=False)
class Curve:
    """What a side, or what has no sides, does over time.

    Attributes:
        role: Whose it is.
        lines: Its unbroken parts, each (N, 2).
        marks: Peaks of its movements.
    """

    role: Role
    lines: Sequence[Array]
    marks: Sequence[Mark]


@dataclass(frozen=True, kw_only=True, eq=False)
class Panel:
    """A measure over time.

    Attributes:
        name: As in files.
        title: The name for people.
        unit: Of its values.
        up: Round values.
        curves: Both sides, or one.
    """

    name: str
    title: str
    unit: str
    up: tuple[Tick, ...]
    curves: tuple[Curve, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class TimeAxis:
    """What all panels of a person share.

    Attributes:
        start_s: The film's first frame.
        end_s: Its last one.
        ticks: Round times.
        bands: Parts in which the face is not found, turned or at rest.
    """

    start_s: float
    end_s: float
    ticks: tuple[Tick, ...]
    bands: tuple[Band, ...]

    def place(self, time_s: float) -> float:
        """Place a time from 0 to 1."""
        return (time_s - self.start_s) / max(self.end_s - self.start_s, 1e-9)


def title_of(name: str) -> str:
    """Name a measure for people."""
    return TITLES.get(name, name.replace("_", " ").capitalize())


def time_axis(person: PersonStudy) -> TimeAxis:
    """Lay out the time of a film."""
    times = person.track.times
    axis = TimeAxis(start_s=float(times[0]), end_s=float(times[-1]), ticks=(), bands=())
    inside = [time for time in round_ticks(times[0], times[-1], MOST_ACROSS) if axis.start_s <= time <= axis.end_s]
    bands = [
        *_bands(axis, times, ~person.track.is_found, "missing"),
        *_bands(axis, times, person.track.is_turned, "turned"),
    ]
    if person.rest is not None:
        places = [min(max(axis.place(time), 0.0), 1.0) for time in person.rest.span]
        bands.append(Band("rest", *places))
    return TimeAxis(
        start_s=axis.start_s,
        end_s=axis.end_s,
        ticks=tuple(Tick(axis.place(time), write_time(time)) for time in inside),
        bands=tuple(bands),
    )


def write_time(seconds: float, digits: int = 0) -> str:
    """Write a time in seconds, or from a minute on in minutes and seconds; 0 digits are as many as are needed."""
    minutes, rest = divmod(round(seconds, digits or 3), 60)
    text = f"{rest:.{digits}f}" if digits else f"{round(rest, 3):g}"
    if not minutes:
        return f"{text} s"
    return f"{int(minutes)}:{'0' if rest < 10 else ''}{text}"


def _bands(axis: TimeAxis, times: Array, taken: NDArray[np.bool_], kind: BandKind) -> list[Band]:
    """Return the runs of frames that are taken, each up to half-way to its neighbors."""
    edges = np.concatenate([times[:1], (times[1:] + times[:-1]) / 2, times[-1:]])
    steps = np.flatnonzero(np.diff(np.concatenate([[False], taken, [False]]).astype(int)))
    return [
        Band(kind, axis.place(float(edges[start])), axis.place(float(edges[end])))
        for start, end in zip(steps[::2], steps[1::2], strict=True)
    ]


def draw_panels(person: PersonStudy, axis: TimeAxis) -> list[Panel]:
    """Draw the shape of the whole face and each of MEASURES; nothing if the face was nowhere found."""
    if not person.track.is_found.any():
        return []
    panels = [_panel(person, axis, WHOLE_SHAPE, "% of eye distance", {"whole": WHOLE_SHAPE})]
    for measure in MEASURES:
        columns = columns_of(measure)
        roles: dict[Role, str] = (
            {"left": columns[0], "right": columns[1]} if measure.is_sided else {"whole": measure.name}
        )
        panels.append(_panel(person, axis, measure.name, UNITS[person.unit_of(measure)], roles))
    return panels


def _panel(person: PersonStudy, axis: TimeAxis, name: str, unit: str, columns: dict[Role, str]) -> Panel:
    track = person.track
    curves = {role: track.curve(column) for role, column in columns.items()}
    known = np.concatenate([curve[track.counts if track.counts.any() else track.is_found] for curve in curves.values()])
    values = round_ticks(float(known.min()), float(known.max()), MOST_UP)
    low, high = values[0], values[-1]
    drawn = []
    for side, (role, curve) in enumerate(curves.items()):
        heights = (curve - low) / (high - low)
        peaks = [movement.sides[side].peak_s for movement in person.movements.get(name, ())]
        marks = [Mark(axis.place(time), float(heights[_index_of(track, time)]), time) for time in peaks]
        drawn.append(Curve(role, _lines(track, axis, heights), marks))
    return Panel(
        name=name,
        title=title_of(name),
        unit=unit,
        up=tuple(Tick((value - low) / (high - low), f"{value:g}") for value in values),
        curves=tuple(drawn),
    )


def _index_of(track: Track, time_s: float) -> int:
    return int(np.abs(track.times - time_s).argmin())


def _lines(track: Track, axis: TimeAxis, heights: Array) -> list[Array]:
    """Return the unbroken parts of a curve: it is broken where the face is not found, and at cuts.

    Turned heads are drawn, as far as they fit.
    """
    shots = np.array([frame.shot for frame in track.frames])
    found = np.flatnonzero(track.is_found)
    breaks = np.flatnonzero((np.diff(found) > 1) | (np.diff(shots[found]) != 0)) + 1
    places = (track.times - axis.start_s) / max(axis.end_s - axis.start_s, 1e-9)
    points = np.stack([places, heights.clip(-0.05, 1.05)], 1)
    return [_thin_out(points[run]) for run in np.split(found, breaks) if len(run)]


def _thin_out(line: Array) -> Array:
    """Return a line with at most two points in each part of the time, its lowest and highest one there."""
    if len(line) <= 2 * MOST_COLUMNS:
        return line
    parts = (line[:, 0] * MOST_COLUMNS).astype(int)
    kept = []
    for run in np.split(np.arange(len(line)), np.flatnonzero(np.diff(parts)) + 1):
        kept += sorted({int(run[line[run, 1].argmin()]), int(run[line[run, 1].argmax()])})
    thin: Array = line[[0, *(index for index in kept if 0 < index < len(line) - 1), len(line) - 1]]
    return thin
