"""Movements of a face: where they are in a curve of changes from rest, how large and fast, on either side.

A movement is where the root of the mean square of both sides' changes peaks. Two peaks are two movements if it falls to
half of the lower one between them.
"""

from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from symface_cli.geometry.types import Array

PART = 0.5  # of the lower one of two peaks, to which the movement falls between them
ONSET = 0.1  # of the amplitude, at which a movement begins and ends
NOISES = 5.0  # times the deviation at rest from which on a change is a movement
SIDE_NOISES = 3.0  # times that from which on a side takes part in it
SPEED_WINDOW = 0.1  # s, over which a slope is fitted
FEWEST = 3  # frames for a slope


@dataclass(frozen=True, kw_only=True)
class SideMovement:
    """What a side does in a movement.

    Attributes:
        amplitude: Its largest change from rest, with its sign.
        peak_s: When that is.
        speed: The steepest slope up to then, with the sign of the amplitude, per second; None where too few frames show
            it, or the side does not move.
        onset_s: When a tenth of the amplitude is reached; None where that is not seen.
    """

    amplitude: float
    peak_s: float
    speed: float | None = None
    onset_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Movement:
    """A movement.

    Attributes:
        start_s: When it begins: a tenth of its height.
        peak_s: When it is largest.
        end_s: When it has gone back to a tenth, or when the next one begins, or the face is not seen any more.
        sides: The left one and the right one; or what has no sides, alone.
        noise: Deviation of each at rest.
    """

    start_s: float
    peak_s: float
    end_s: float
    sides: tuple[SideMovement, ...]
    noise: tuple[float, ...]

    @property
    def amplitude_ratio(self) -> float | None:
        """Left amplitude to right one; None without sides, or if the right one is within the noise."""
        return self._divide([side.amplitude for side in self.sides])

    @property
    def speed_ratio(self) -> float | None:
        """Left speed to right one; None without either."""
        return self._divide([side.speed for side in self.sides])

    @property
    def lag_s(self) -> float | None:
        """How much later the left side begins; None if it is not known of both."""
        onsets = [side.onset_s for side in self.sides]
        return None if len(onsets) < 2 or onsets[0] is None or onsets[1] is None else onsets[0] - onsets[1]

    def _divide(self, values: Sequence[float | None]) -> float | None:
        if len(values) < 2 or values[0] is None or not values[1]:
            return None
        return values[0] / values[1] if abs(self.sides[1].amplitude) > SIDE_NOISES * self.noise[1] else None


def find_movements(times: Array, changes: Array, noise: Sequence[float], least: float) -> list[Movement]:
    """Find the movements in one stretch of a film in which the face is seen, in their order.

    Args:
        times: Of its frames in seconds, growing, (N,).
        changes: From rest, (N, 2) for the left and the right side, or (N, 1).
        noise: Deviation of each side at rest.
        least: What is smaller is no movement.
    """
    if len(times) < FEWEST:
        return []
    size = np.sqrt((changes**2).mean(1))
    peaks = _find_peaks(size, max(least, NOISES * max(noise)))
    valleys = [0, *(one + int(size[one : other + 1].argmin()) for one, other in pairwise(peaks))]
    bounds = [*valleys, len(times) - 1]
    return [
        _describe(times, changes, noise, (bounds[number], peak, bounds[number + 1]), size)
        for number, peak in enumerate(peaks)
    ]


def _find_peaks(size: Array, least: float) -> list[int]:
    """Return where a curve peaks: the highest first taken, then those between which and it the curve falls enough."""
    padded = np.concatenate([[-np.inf], size, [-np.inf]])
    candidates = np.flatnonzero((size >= least) & (size > padded[:-2]) & (size >= padded[2:]))
    peaks: list[int] = []
    for candidate in candidates[np.argsort(-size[candidates], kind="stable")].tolist():
        place = bisect(peaks, candidate)
        neighbors = peaks[max(place - 1, 0) : place + 1]
        if all(_valley(size, candidate, other) <= PART * size[candidate] for other in neighbors):
            peaks.insert(place, candidate)
    return peaks


def _valley(size: Array, one: int, other: int) -> float:
    return float(size[min(one, other) : max(one, other) + 1].min())


def _describe(
    times: Array, changes: Array, noise: Sequence[float], bounds: tuple[int, int, int], size: Array
) -> Movement:
    """Describe the movement that peaks in the middle one of three frames, between the valleys at the others."""
    first, peak, last = bounds
    start = _crossing(times[first : peak + 1], size[first : peak + 1], ONSET * size[peak])
    backward = slice(last, peak - 1 if peak else None, -1)
    end = _crossing(times[backward], size[backward], ONSET * size[peak])
    part = slice(first, last + 1)
    return Movement(
        start_s=float(times[first]) if start is None else start,
        peak_s=float(times[peak]),
        end_s=float(times[last]) if end is None else end,
        sides=tuple(
            _describe_side(times[part], changes[part, side], deviation) for side, deviation in enumerate(noise)
        ),
        noise=tuple(noise),
    )


def _describe_side(times: Array, change: Array, noise: float) -> SideMovement:
    peak = int(np.abs(change).argmax())
    amplitude = float(change[peak])
    if abs(amplitude) <= SIDE_NOISES * noise or amplitude == 0:
        return SideMovement(amplitude=amplitude, peak_s=float(times[peak]))
    upward = change[: peak + 1] / amplitude
    onset = _crossing(times[: peak + 1], upward, ONSET)
    slope = _steepest(times, change / amplitude, float(times[0]) if onset is None else onset, float(times[peak]))
    return SideMovement(
        amplitude=amplitude,
        peak_s=float(times[peak]),
        speed=None if slope is None else slope * amplitude,
        onset_s=onset,
    )


def _crossing(times: Array, rising: Array, level: float) -> float | None:
    """Return when values that rise to their last one pass a level for the last time; None if they are above it."""
    below = np.flatnonzero(rising <= level)
    if not len(below):
        return None
    place = int(below[-1])
    if place == len(times) - 1:
        return float(times[place])
    share = (level - rising[place]) / (rising[place + 1] - rising[place])
    return float(times[place] + share * (times[place + 1] - times[place]))


def _steepest(times: Array, rising: Array, start: float, end: float) -> float | None:
    """Return the steepest slope between two times of a straight line that is fitted over SPEED_WINDOW."""
    slopes = []
    for center in times[(times >= start - SPEED_WINDOW / 2) & (times <= end)]:
        near = np.abs(times - center) <= SPEED_WINDOW / 2 + 1e-9
        if near.sum() < FEWEST:  # few frames a second: the nearest ones
            near = np.zeros(len(times), bool)
            near[np.argsort(np.abs(times - center), kind="stable")[:FEWEST]] = True
        apart = times[near] - times[near].mean()
        slopes.append(float(apart @ rising[near] / (apart @ apart)))
    return max(slopes, default=None)
