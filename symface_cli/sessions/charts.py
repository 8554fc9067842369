"""Curves of a measure over time, in the coordinates of a drawing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from symface_cli.geometry.axes import round_ticks
from symface_cli.measurement.photo import MeasuredSides

LEFT, RIGHT, TOP, BOTTOM = 44, 290, 12, 120  # the chart's frame in drawing units, y down
INSET = 10  # between the frame and the first and last date
MOST_TICKS = 4


@dataclass(frozen=True)
class Mark:
    """A point of a curve, or a label of an axis, in drawing units."""

    place: float
    label: str
    height: float = 0.0
    reach: float = 0.0


@dataclass(frozen=True)
class Curve:
    """What a side, or the difference of both, does over time.

    Attributes:
        name: `left`, `right` or `diff`.
        path: SVG path through the dates; it has gaps where nothing was measured.
        points: Each date that was measured: how high, how far its error reaches, and what was measured.
    """

    name: str
    path: str
    points: tuple[Mark, ...]


@dataclass(frozen=True)
class Chart:
    """Curves in their frame.

    Attributes:
        name: Of the measure.
        unit: Of its values.
        across: The first and the last date.
        up: Round values.
        curves: Both sides, or what has no sides.
    """

    name: str
    unit: str
    across: tuple[Mark, ...]
    up: tuple[Mark, ...]
    curves: tuple[Curve, ...]


def draw_chart(name: str, days: Sequence[date], values: Sequence[MeasuredSides | None]) -> Chart:
    """Draw a measure in the unit of its last value, without values in another.

    Args:
        name: Of the measure.
        days: The dates, in their order.
        values: What was measured at each; None for nothing. At least one is not.
    """
    unit = next(value.unit for value in reversed(values) if value is not None)
    values = [value if value is not None and value.unit == unit else None for value in values]
    has_sides = any(value is not None and value.left is not None for value in values)
    lines = {side: [_read(value, side) for value in values] for side in (("left", "right") if has_sides else ("diff",))}
    known = [reading for line in lines.values() for reading in line if reading is not None]
    axis = Axis.around(min(reading.low for reading in known), max(reading.high for reading in known))
    places = place_days(days)
    return Chart(
        name=name,
        unit=unit,
        across=tuple(Mark(place, day.isoformat()) for place, day in {places[0]: days[0], places[-1]: days[-1]}.items()),
        up=tuple(Mark(axis.place(value), f"{value:g}") for value in axis.ticks),
        curves=tuple(_draw_curve(side, line, places, days, axis) for side, line in lines.items()),
    )


@dataclass(frozen=True)
class Axis:
    """Values from the bottom of a chart to its top, and round ones among them."""

    low: float
    high: float
    ticks: tuple[float, ...]

    @classmethod
    def around(cls, low: float, high: float) -> "Axis":
        """Reach over values, to round ones."""
        ticks = round_ticks(low, high, MOST_TICKS)
        return cls(ticks[0], ticks[-1], ticks)

    def place(self, value: float) -> float:
        """Place a value, in drawing units."""
        return round(BOTTOM - (value - self.low) / (self.high - self.low) * (BOTTOM - TOP), 1)


def place_days(days: Sequence[date]) -> list[float]:
    """Place dates as far apart as they are; one alone in the middle."""
    first, span = days[0].toordinal(), (days[-1] - days[0]).days
    low, width = LEFT + INSET, RIGHT - LEFT - 2 * INSET
    return [round(low + (width * (day.toordinal() - first) / span if span else width / 2), 1) for day in days]


class _Reading(NamedTuple):
    """A value, and how far it may be off."""

    value: float
    error: float = 0.0

    @property
    def low(self) -> float:
        return self.value - self.error

    @property
    def high(self) -> float:
        return self.value + self.error


def _read(value: MeasuredSides | None, side: str) -> _Reading | None:
    """Return the value of a side, whose error is not known, or of what has none."""
    if value is None:
        return None
    if side == "diff":
        return _Reading(value.diff, value.error)
    number = value.left if side == "left" else value.right
    return None if number is None else _Reading(number)


def _draw_curve(
    name: str, line: Sequence[_Reading | None], places: Sequence[float], days: Sequence[date], axis: Axis
) -> Curve:
    path, points, is_on = "", [], False
    for reading, place, day in zip(line, places, days, strict=True):
        if reading is not None:
            height = axis.place(reading.value)
            path += f"{'L' if is_on else 'M'}{place:g} {height:g}"
            reach = round(axis.place(reading.low) - height, 1)
            points.append(Mark(place, f"{name} {reading.value:.2f}, {day.isoformat()}", height, reach))
        is_on = reading is not None
    return Curve(name, path, tuple(points))
