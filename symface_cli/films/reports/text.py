"""A measured film as people read it: text."""

from collections.abc import Iterator

from symface_cli.films.measuring.movement import Movement
from symface_cli.films.measuring.records import columns_of
from symface_cli.films.measuring.study import WHOLE_SHAPE, FilmStudy, PersonStudy
from symface_cli.films.reports.curves import write_time
from symface_cli.measurement.measures import MEASURES, Measure

NAME, CELL = 20, 15  # characters
TITLES = ("at rest", "largest", "at", "movements", "left", "right", "left / right")


def as_text(study: FilmStudy) -> str:
    """Write a table for each person: the sides' difference at rest, the largest one, and the largest movement."""
    return "\n\n".join("\n".join(_lines(study, person)) for person in study.persons)


def _lines(study: FilmStudy, person: PersonStudy) -> Iterator[str]:
    track, rest = person.track, person.rest
    found, turned = int(track.is_found.sum()), int(track.is_turned.sum())
    yield (
        f"person {track.person}: face found in {found:,} of {len(track.frames):,} frames, turned too far in "
        f"{turned:,}; left is the {track.frames[0].sides}'s"
    )
    if rest is None:
        yield "no rest is known: no changes from it, and no movements"
    else:
        start, end = (write_time(time, 2) for time in rest.span)
        yield f"at rest from {start} to {end}" + ("" if rest.is_given else ", the stillest second")
    if study.analysis.smooth_s:
        yield f"smoothed over time by {study.analysis.smooth_s:g} s"
    if WHOLE_SHAPE in person.largest:
        frame = track.frames[person.largest[WHOLE_SHAPE]]
        yield f"shape of the whole face: at most {frame[WHOLE_SHAPE]:.2f} %, at {write_time(frame.time_s, 2)}"
        yield " " * NAME + "".join(f"{title:>{CELL}}" for title in TITLES) + "  unit"
        yield from (_row(person, measure) for measure in MEASURES)


def _row(person: PersonStudy, measure: Measure) -> str:
    frame = person.track.frames[person.largest[measure.name]]
    column = columns_of(measure)[-1]
    moves = person.movements.get(measure.name, ())
    cells = [
        "" if person.rest is None else f"{person.rest.median_of(column):.2f}",
        f"{frame[column]:.2f}",
        write_time(frame.time_s, 2),
        str(len(moves)),
        *_amplitudes(max(moves, key=_height, default=None)),
    ]
    return f"{measure.name:{NAME}}" + "".join(f"{cell:>{CELL}}" for cell in cells) + f"  {person.unit_of(measure)}"


def _height(movement: Movement) -> float:
    return max(abs(side.amplitude) for side in movement.sides)


def _amplitudes(movement: Movement | None) -> tuple[str, str, str]:
    if movement is None:
        return "", "", ""
    amplitudes = [f"{side.amplitude:+.2f}" for side in movement.sides]
    ratio = "" if movement.amplitude_ratio is None else f"{movement.amplitude_ratio:.2f}"
    return amplitudes[0], amplitudes[1] if len(amplitudes) > 1 else "", ratio
