"""A person through a film: the numbers of all frames as curves, in stretches without gaps; smoothed if wanted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from symface_cli.films.measuring.records import NUMBERS, PLACES, FrameMeasurement
from symface_cli.geometry.types import Array

GAP = 0.25  # s without the face that a movement may have
GAP_FRAMES = 2.5  # usual distances between frames that it may have, if that is longer
REACH = 3.0  # deviations of the smoothing window to either side


@dataclass(frozen=True, eq=False)
class Track:
    """What was measured of a person.

    Attributes:
        person: The person's number.
        frames: A record for each frame of the film, in their order.
    """

    person: int
    frames: tuple[FrameMeasurement, ...]

    @cached_property
    def times(self) -> Array:
        """Of all frames in seconds, (N,)."""
        return np.array([frame.time_s for frame in self.frames], np.float64)

    @cached_property
    def numbers(self) -> Array:
        """Of all frames, (N, 67); NaN where the face was not found."""
        nothing = np.full(len(NUMBERS), np.nan)
        rows = [nothing if frame.numbers is None else frame.numbers for frame in self.frames]
        return np.array(rows, np.float64).reshape(-1, len(NUMBERS))

    @cached_property
    def is_found(self) -> NDArray[np.bool_]:
        """In which frames the face was found, (N,)."""
        return np.array([frame.is_found for frame in self.frames], bool)

    @cached_property
    def is_turned(self) -> NDArray[np.bool_]:
        """In which frames it is turned too far, (N,)."""
        return np.array([frame.is_yaw_too_large for frame in self.frames], bool)

    @property
    def counts(self) -> NDArray[np.bool_]:
        """Which frames are looked at for rest and movements, (N,): the face is found, and not turned too far."""
        return np.asarray(self.is_found & ~self.is_turned)

    def curve(self, name: str) -> Array:
        """Return one of NUMBERS over time, (N,)."""
        curve: Array = self.numbers[:, PLACES[name]]
        return curve

    @cached_property
    def stretches(self) -> list[NDArray[np.intp]]:
        """The frames that count, as runs of indices that neither a cut nor a longer gap interrupts."""
        return self._runs(self.counts)

    def _runs(self, taken: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
        indices = np.flatnonzero(taken)
        if not len(indices):
            return []
        shots = np.array([self.frames[index].shot for index in indices])
        longest = max(GAP, GAP_FRAMES * float(np.median(np.diff(self.times)))) if len(self.times) > 1 else GAP
        breaks = (np.diff(self.times[indices]) > longest) | (np.diff(shots) != 0)
        return np.split(indices, np.flatnonzero(breaks) + 1)

    def smoothed(self, seconds: float) -> "Track":
        """Return the track with all numbers smoothed over time, each stretch for itself; points stay as they are.

        At each frame, a straight line is fitted to those around it, weighted by a Gaussian with this deviation: a
        steady movement is not dulled, and does not lag.
        """
        if not seconds:
            return self
        frames = list(self.frames)
        for run in self._runs(self.is_found):
            smooth = _fit_lines(self.times[run], self.numbers[run], seconds).astype(np.float32)
            for index, numbers in zip(run, smooth, strict=True):
                frames[index] = replace(frames[index], numbers=numbers)
        return Track(self.person, tuple(frames))


def _fit_lines(times: Array, numbers: Array, deviation: float) -> Array:
    """Return numbers (N, M) as local straight lines have them."""
    smooth = np.empty_like(numbers)
    starts = np.searchsorted(times, times - REACH * deviation, "left")
    ends = np.searchsorted(times, times + REACH * deviation, "right")
    for index, (start, end) in enumerate(zip(starts, ends, strict=True)):
        apart = times[start:end] - times[index]
        weights = np.exp(-((apart / deviation) ** 2) / 2)
        weights /= weights.sum()
        mean = float(weights @ apart)
        spread = float(weights @ (apart - mean) ** 2)
        if spread > 0:
            weights = weights * (1 - mean * (apart - mean) / spread)  # the line's value at the frame itself
        smooth[index] = weights @ numbers[start:end]
    return smooth


def tracks_of(frames: Sequence[FrameMeasurement]) -> list[Track]:
    """Sort the records of a film by persons."""
    persons: dict[int, list[FrameMeasurement]] = {}
    for frame in frames:
        persons.setdefault(frame.person, []).append(frame)
    return [Track(person, tuple(found)) for person, found in sorted(persons.items())]
