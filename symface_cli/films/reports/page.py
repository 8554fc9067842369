"""A measured film as one HTML file that fetches nothing: the face beside its curves, movements, and the numbers."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from symface_cli.films.measuring.movement import Movement, SideMovement
from symface_cli.films.measuring.records import FrameMeasurement, columns_of
from symface_cli.films.measuring.study import WHOLE_SHAPE, FilmStudy, PersonStudy
from symface_cli.films.reports.curves import Panel, TimeAxis, draw_panels, time_axis, title_of, write_time
from symface_cli.films.reports.pictures import SIDE, FacePicture, choose_moments
from symface_cli.geometry.types import Array
from symface_cli.measurement.measures import BY_NAME, MEASURES, Measure
from symface_cli.measurement.points.scheme import lines_of
from symface_cli.pages import load_template

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 152, 44, 8, 8, 24  # of a chart in drawing units, and its margins
Pictures = Mapping[tuple[int, int], FacePicture]
"""By frame and person."""


@dataclass(frozen=True)
class Moment:
    """A time that is led to, and what is there."""

    label: str
    time_s: float
    name: str = ""

    @property
    def text(self) -> str:
        """The time in words."""
        return write_time(self.time_s, 2)


@dataclass(frozen=True)
class Line:
    """A curve as an SVG path, and its peaks."""

    role: str
    path: str
    peaks: tuple[tuple[float, float], ...]


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A measure over time, in drawing units."""

    name: str
    title: str
    unit: str
    summary: str
    up: tuple[tuple[float, str], ...]
    lines: tuple[Line, ...]
    moments: tuple[Moment, ...]


@dataclass(frozen=True)
class Row:
    """A movement in the table: its measure, its peak, and the numbers of it."""

    name: str
    peak: Moment
    cells: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PersonView:
    """What the page shows of a person."""

    number: int
    facts: tuple[tuple[str, str], ...]
    moments: tuple[Moment, ...]
    charts: tuple[Chart, ...]
    across: tuple[tuple[float, str], ...]
    bands: tuple[tuple[str, float, float], ...]
    rows: tuple[Row, ...]
    still: FacePicture | None
    data: Markup


def film_as_html(study: FilmStudy, pictures: Pictures) -> bytes:
    """Write the page; the same numbers and pictures give the same bytes."""
    first = study.persons[0].track.frames[0]
    page = load_template(__package__, "film.html.jinja").render(
        name=study.title,
        sides=first.sides,
        smooth_s=study.analysis.smooth_s,
        persons=[_view(person, pictures) for person in study.persons],
        frame={"width": WIDTH, "height": HEIGHT, "left": LEFT, "right": WIDTH - RIGHT, "top": TOP}
        | {"bottom": HEIGHT - BOTTOM},
        side=SIDE,
    )
    return page.encode()


def _view(person: PersonStudy, pictures: Pictures) -> PersonView:
    axis = time_axis(person)
    shown = [person.track.frames[index] for index in choose_moments(person)]
    largest = _largest(person, WHOLE_SHAPE)
    still = None if largest is None else pictures.get((largest.frame, person.track.person))
    return PersonView(
        number=person.track.person,
        facts=tuple(_facts(person)),
        moments=tuple(_moments(person)),
        charts=tuple(_chart(person, panel) for panel in draw_panels(person, axis)),
        across=tuple((_x(tick.place), tick.label) for tick in axis.ticks),
        bands=tuple((band.kind, _x(band.start), round(_x(band.end) - _x(band.start), 1)) for band in axis.bands),
        rows=tuple(_rows(person)),
        still=still,
        data=_data(person, axis, shown, pictures),
    )


def _facts(person: PersonStudy) -> Iterator[tuple[str, str]]:
    track, rest = person.track, person.rest
    yield "frames", f"{len(track.frames):,}, {write_time(track.times[0], 2)} to {write_time(track.times[-1], 2)}"
    yield "face found in", f"{int(track.is_found.sum()):,}"
    if track.is_turned.any():
        yield "turned too far in", f"{int(track.is_turned.sum()):,}"
    if rest is None:
        yield "rest", "not known: no change from it, and no movements"
    else:
        what = "" if rest.is_given else ": the stillest second; say when the face is at rest if that is wrong"
        yield "rest", f"{write_time(rest.span.start_s, 2)} to {write_time(rest.span.end_s, 2)}{what}"
    pupils = track.frames[0].pupils
    if pupils is not None:
        yield "pupils", f"{pupils.mm:.1f} ± {pupils.error:.1f} mm apart"


def _largest(person: PersonStudy, name: str) -> FrameMeasurement | None:
    return person.track.frames[person.largest[name]] if name in person.largest else None


def _moments(person: PersonStudy) -> Iterator[Moment]:
    if person.rest is not None:
        yield Moment("Rest", sum(person.rest.span) / 2)
    largest = _largest(person, WHOLE_SHAPE)
    if largest is not None:
        yield Moment("Largest", largest.time_s, "Largest asymmetry")


def _chart(person: PersonStudy, panel: Panel) -> Chart:
    moves, largest = person.movements.get(panel.name, ()), _largest(person, panel.name)
    moments = [] if largest is None else [Moment("largest", largest.time_s)]
    moments += [
        Moment(f"peak {number}" if len(moves) > 1 else "peak", move.peak_s) for number, move in enumerate(moves, 1)
    ]
    lines = (
        Line(curve.role, "".join(map(_path, curve.lines)), tuple((_x(mark.x), _y(mark.y)) for mark in curve.marks))
        for curve in panel.curves
    )
    return Chart(
        name=panel.name,
        title=panel.title,
        unit=panel.unit,
        summary=f"{panel.title} over time, in {panel.unit}. {_summarize(person, panel.name)}",
        up=tuple((_y(tick.place), tick.label) for tick in panel.up),
        lines=tuple(lines),
        moments=tuple(moments),
    )


def _summarize(person: PersonStudy, name: str) -> str:
    """Say in words what a chart shows."""
    largest = _largest(person, name)
    if largest is None:
        return "The face is not seen from the front."
    column = name if name == WHOLE_SHAPE else columns_of(BY_NAME[name])[-1]
    count = len(person.movements.get(name, ()))
    told = f"The sides differ most at {write_time(largest.time_s, 2)}, by {largest[column]:.2f}."
    return f"{told} {count} movement{'' if count == 1 else 's'}."


def _rows(person: PersonStudy) -> Iterator[Row]:
    for measure in MEASURES:
        for move in person.movements.get(measure.name, ()):
            yield Row(title_of(measure.name), Moment("", move.peak_s), _cells(move, person, measure))


def _cells(move: Movement, person: PersonStudy, measure: Measure) -> tuple[str, ...]:
    unit = {"deg": "°"}.get(person.unit_of(measure), f" {person.unit_of(measure)}")
    sides: list[SideMovement | None] = [*move.sides] if len(move.sides) > 1 else [move.sides[0], None]
    amplitudes = ("" if side is None else f"{side.amplitude:+.2f}{unit}" for side in sides)
    speeds = ("" if side is None or side.speed is None else f"{side.speed:+.1f}{unit}/s" for side in sides)
    onsets = ("" if side is None or side.onset_s is None else write_time(side.onset_s, 2) for side in sides)
    return (*amplitudes, _ratio(move.amplitude_ratio), *speeds, _ratio(move.speed_ratio), *onsets)


def _ratio(number: float | None) -> str:
    return "" if number is None else f"{number:.2f}"


def _data(person: PersonStudy, axis: TimeAxis, shown: Iterable[FrameMeasurement], pictures: Pictures) -> Markup:
    """Write what the page's script shows at each moment, as JSON that no text can end."""
    outlines = [line for side in range(2) for line in lines_of(side)]
    frames = [_frame_data(frame, pictures.get((frame.frame, person.track.person))) for frame in shown]
    document = {"start": axis.start_s, "end": axis.end_s, "outlines": outlines, "frames": frames}
    return Markup(json.dumps(document, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"))


def _frame_data(frame: FrameMeasurement, picture: FacePicture | None) -> dict[str, object]:
    document: dict[str, object] = {"t": round(frame.time_s, 4), "n": frame.frame, "turned": frame.is_yaw_too_large}
    if frame.is_found:
        names = {WHOLE_SHAPE: (WHOLE_SHAPE,)} | {measure.name: columns_of(measure) for measure in MEASURES}
        document["v"] = [[round(frame[column], 2) + 0.0 for column in columns] for columns in names.values()]
    if picture is not None:
        document["src"] = picture.image.address
        document["p"] = [round(number, 1) for number in picture.points.ravel().tolist()]
    return document


def _path(line: Array) -> str:
    (x, y), *others = [(_x(x), _y(y)) for x, y in line.tolist()]
    return f"M{x:g} {y:g}" + ("".join(f"L{x:g} {y:g}" for x, y in others) or "h0")


def _x(place: float) -> float:
    return round(LEFT + place * (WIDTH - RIGHT - LEFT), 1)


def _y(place: float) -> float:
    return round(HEIGHT - BOTTOM - place * (HEIGHT - BOTTOM - TOP), 1)
