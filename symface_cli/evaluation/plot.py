"""Curves of the share of photos below each threshold, in the coordinates of a drawing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Literal

import numpy as np

from symface_cli.evaluation.scores import ScoreTable
from symface_cli.geometry.types import Array
from symface_cli.recognition.registry import find_recognizer

LEFT, RIGHT, TOP, BOTTOM = 50, 650, 40, 370  # the plot's frame in drawing units, y down
MOST_TICKS = 8


@dataclass(frozen=True)
class Tick:
    """A mark of an axis, in drawing units."""

    place: float
    label: str


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A method's curves, as SVG paths; `mismatched`, with other persons' photos, is empty where there are none."""

    method: str
    number: int
    own: str
    mismatched: str


@dataclass(frozen=True, kw_only=True)
class Plot:
    """Curves in their frame."""

    caption: str
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    published: Tick
    curves: tuple[Curve, ...]


@dataclass(frozen=True)
class Axis:
    """The distance thresholds from the plot's left edge to its right one."""

    low: float
    high: float

    def place(self, threshold: float) -> float:
        """Place a threshold, in drawing units."""
        return LEFT + (threshold - self.low) / (self.high - self.low) * (RIGHT - LEFT)

    def ticks(self) -> list[float]:
        """List round thresholds on the axis, evenly spaced, at most 9."""
        span = self.high - self.low
        decade: float = 10.0 ** floor(log10(span))
        step = next(part * decade for part in (0.2, 0.5, 1, 2) if span / (part * decade) <= MOST_TICKS)
        first, last = np.ceil(self.low / step - 1e-9), np.floor(self.high / step + 1e-9)
        return [round(float(number * step), 10) for number in np.arange(first, last + 1)]


def axis_around(published: float) -> Axis:
    """Reach from a third of the published threshold to a third more: 0.2 to 0.8 for dlib's 0.6."""
    return Axis(published / 3, published * 4 / 3)


def draw_plot(caption: str, table: ScoreTable, methods: Sequence[str]) -> Plot:
    """Draw the curves of some of a table's methods."""
    published = find_recognizer(table.recognizer).thresholds[0]
    axis = axis_around(published)
    curves = []
    for number, method in enumerate(methods):
        others = table.mismatched[method]
        own = step_path(table.distances[method], axis)
        mismatched = step_path(others, axis) if others else ""
        curves.append(Curve(method=method, number=number, own=own, mismatched=mismatched))
    across = tuple(Tick(axis.place(threshold), f"{threshold:g}") for threshold in axis.ticks())
    up = tuple(Tick(height_of(tenths / 10), f"{tenths / 10:g}") for tenths in range(0, 11, 2))
    mark = Tick(axis.place(published), f"{published:g}")
    return Plot(caption=caption, across=across, up=up, published=mark, curves=tuple(curves))


def height_of(share: float) -> float:
    """Place a share, 0..1, in drawing units."""
    return BOTTOM - share * (BOTTOM - TOP)


def step_path(distances: Sequence[float], axis: Axis) -> str:
    """Draw the share of distances below each threshold as an SVG path: every step where it is, to half a unit.

    Args:
        distances: At least one; infinite ones lie below no threshold, but count.
        axis: The thresholds.
    """
    ordered = np.sort(np.asarray(distances, np.float64))
    steps = dict(_steps(ordered, axis))  # of steps at one place, the last counts
    parts = [f"H{across:g}V{down:g}" for across, down in steps.items()]
    return "".join([f"M{LEFT} {_down(ordered, axis.low, 'left'):g}", *parts, f"H{RIGHT}"])


def _steps(ordered: Array, axis: Axis) -> Iterator[tuple[float, float]]:
    """Yield the place and new height of each step of the share of sorted distances."""
    for threshold in np.unique(ordered[(ordered >= axis.low) & (ordered < axis.high)]):
        yield round(2 * axis.place(float(threshold))) / 2, _down(ordered, threshold, "right")


def _down(ordered: Array, threshold: float, side: Literal["left", "right"]) -> float:
    """Place the curve before (left) or after (right) a threshold, to a tenth of a unit."""
    return round(height_of(float(np.searchsorted(ordered, threshold, side)) / len(ordered)), 1)
