"""The face at rest: what its movements are measured from, and how much it changes there all the same."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from symface_cli.films.measuring.records import PLACES
from symface_cli.films.measuring.tracks import Track
from symface_cli.geometry.types import Array
from symface_cli.measurement.measures import MEASURES

STILL = 1.0  # s, length of the rest that is looked for
FEWEST = 3  # frames of a rest
DEVIATION = 1.4826  # deviations of a normal distribution to its median distance from the median
_WATCHED = [PLACES[f"{measure.name}_{side}"] for measure in MEASURES if measure.is_sided for side in ("left", "right")]


class Span(NamedTuple):
    """A part of a film, in seconds."""

    start_s: float
    end_s: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Rest:
    """A face at rest.

    Attributes:
        span: When.
        is_given: Whether a person said so; else it is the stillest second.
        frames: Number of frames with the face that count there.
        median: Of each of NUMBERS, (67,).
        noise: Deviation of each there, from the median distance to the median, (67,).
    """

    span: Span
    is_given: bool
    frames: int
    median: Array
    noise: Array

    def median_of(self, name: str) -> float:
        """Return the median of one of NUMBERS."""
        return float(self.median[PLACES[name]])

    def noise_of(self, name: str) -> float:
        """Return the deviation of one of NUMBERS."""
        return float(self.noise[PLACES[name]])


def rest_of(track: Track, given: Span | None) -> Rest | None:
    """Take a part of the film for rest, or the stillest second; None if the face is not seen there.

    The stillest second is that in which the named measures of both sides vary least, as shares of how far they vary in
    all of the film; of several, the first.
    """
    span = _stillest(track) if given is None else given
    if span is None:
        return None
    inside = track.counts & (track.times >= span.start_s) & (track.times <= span.end_s)
    if inside.sum() < (FEWEST if given is None else 1):
        return None
    numbers = track.numbers[inside]
    median = np.median(numbers, 0)
    return Rest(
        span=span,
        is_given=given is not None,
        frames=int(inside.sum()),
        median=median,
        noise=DEVIATION * np.median(np.abs(numbers - median), 0),
    )


def _stillest(track: Track) -> Span | None:
    best, span = np.inf, None
    scale = track.numbers[track.counts][:, _WATCHED]
    spread = scale.std(0) + 1e-6 if len(scale) else np.ones(len(_WATCHED))
    for run in track.stretches:
        times, curves = track.times[run], track.numbers[run][:, _WATCHED] / spread
        ends = np.searchsorted(times, times + STILL + 1e-9, "right")
        whole = (times + STILL <= times[-1] + 1e-9) & (ends - np.arange(len(times)) >= FEWEST)
        for start in np.flatnonzero(whole):
            variance = float(curves[start : ends[start]].var(0).sum())
            if variance < best:
                best, span = variance, Span(float(times[start]), float(times[start]) + STILL)
    return span
