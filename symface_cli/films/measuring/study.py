"""A film that was measured: of each person the curves, the rest, the movements, and where the asymmetry is largest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from symface_cli.files import on_one_line
from symface_cli.films.measuring.movement import Movement, find_movements
from symface_cli.films.measuring.records import FrameMeasurement, columns_of
from symface_cli.films.measuring.rest import Rest, Span, rest_of
from symface_cli.films.measuring.tracks import Track, tracks_of
from symface_cli.geometry.types import Array
from symface_cli.measurement.measures import MEASURES, Measure
from symface_cli.measurement.photo import Unit

WHOLE_SHAPE = "whole_shape_pct"
LEAST: Mapping[Unit, float] = {"%": 1.0, "mm": 0.6, "deg": 1.0}
"""What is smaller is no movement; 1 % of the distance between the pupils is about 0.6 mm."""


@dataclass(frozen=True)
class Analysis:
    """What is to be found out of a film.

    Attributes:
        rest: When the face is at rest; None for the stillest second.
        smooth_s: Deviation of the window over which numbers are smoothed; 0 for not at all.
    """

    rest: Span | None = None
    smooth_s: float = 0.0


@dataclass(frozen=True, eq=False)
class PersonStudy:
    """A person in a film.

    Attributes:
        track: The numbers of all frames.
        rest: The face at rest; None if it is not seen then, or nowhere still for long enough.
        movements: Of each of MEASURES, by their names, in their order in time; none without a rest.
        largest: Index of the frame in which the sides differ most, of WHOLE_SHAPE and each of MEASURES; nothing if the
            face is nowhere seen from the front.
    """

    track: Track
    rest: Rest | None
    movements: Mapping[str, Sequence[Movement]]
    largest: Mapping[str, int]

    @property
    def unit(self) -> Unit:
        """The unit of lengths."""
        return self.track.frames[0].unit

    def unit_of(self, measure: Measure) -> Unit:
        """Return the unit of a measure."""
        return "deg" if measure.dimension == "angle" else self.unit


@dataclass(frozen=True, kw_only=True, eq=False)
class FilmStudy:
    """A film.

    Attributes:
        name: Its path.
        analysis: What was to be found out.
        persons: The persons in it; none if no face was found in any frame.
    """

    name: str
    analysis: Analysis
    persons: tuple[PersonStudy, ...]

    @property
    def title(self) -> str:
        """The film's name without its folder, for people."""
        return on_one_line(Path(self.name).name)


def study_film(name: str, frames: Sequence[FrameMeasurement], analysis: Analysis) -> FilmStudy:
    """Study what was measured in a film."""
    tracks = [track.smoothed(analysis.smooth_s) for track in tracks_of(frames)]
    persons = tuple(_study_person(track, analysis) for track in tracks)
    return FilmStudy(name=name, analysis=analysis, persons=persons)


def _study_person(track: Track, analysis: Analysis) -> PersonStudy:
    rest = rest_of(track, analysis.rest)
    unit = track.frames[0].unit
    movements = {} if rest is None else {measure.name: _moves(track, rest, measure, unit) for measure in MEASURES}
    return PersonStudy(track, rest, movements, _find_largest(track))


def _moves(track: Track, rest: Rest, measure: Measure, unit: Unit) -> list[Movement]:
    columns = columns_of(measure)[:2]  # both sides, or the value of the face
    changes = np.stack([track.curve(column) - rest.median_of(column) for column in columns], 1)
    noise = [rest.noise_of(column) for column in columns]
    least = LEAST["deg" if measure.dimension == "angle" else unit]
    return [move for run in track.stretches for move in find_movements(track.times[run], changes[run], noise, least)]


def _find_largest(track: Track) -> dict[str, int]:
    """Return the frame with the largest difference between the sides, of all that is measured."""
    if not track.counts.any():
        return {}
    columns = {WHOLE_SHAPE: WHOLE_SHAPE} | {measure.name: columns_of(measure)[-1] for measure in MEASURES}
    return {name: _largest(track.curve(column), track) for name, column in columns.items()}


def _largest(curve: Array, track: Track) -> int:
    return int(np.argmax(np.where(track.counts, np.abs(curve), -1.0)))
