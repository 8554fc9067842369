"""What is measured of a face in one frame of a film: a typed record, in little memory."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from symface_cli.geometry.types import Floats
from symface_cli.measurement.measures import MEASURES, Measure
from symface_cli.measurement.photo import LengthUnit, Unit
from symface_cli.measurement.points.scheme import Sides, name_points
from symface_cli.measurement.quantities import NAMES
from symface_cli.measurement.scale import Scale


def columns_of(measure: Measure) -> tuple[str, ...]:
    """Name a measure's numbers; one of the whole face has one."""
    return (
        tuple(f"{measure.name}_{side}" for side in ("left", "right", "diff")) if measure.is_sided else (measure.name,)
    )


SIZES = ("eye_distance_px", "pupil_distance_px")
"""In pixels: between the centers of the eyes of the symmetric face, and between the pupils as from the front."""
NUMBERS = (*SIZES, *NAMES, *(column for measure in MEASURES for column in columns_of(measure)))
"""All numbers of a face in a frame, in the order of files."""
PLACES: Mapping[str, int] = {name: place for place, name in enumerate(NUMBERS)}
_IS_LENGTH = np.array(
    [False] * (len(SIZES) + len(NAMES))
    + [measure.dimension == "length" for measure in MEASURES for _ in columns_of(measure)]
)


class PupilScale(NamedTuple):
    """The distance between a person's pupils in mm, and its standard deviation: a film has one scale for a person."""

    mm: float
    error: float


class SideNumbers(NamedTuple):
    """A named measure of a face in a frame.

    Attributes:
        unit: "mm"; "%" of the distance between the pupils; "deg".
        left: Of the left side; None for a measure of the whole face.
        right: Of the right side; None for a measure of the whole face.
        diff: The left one less the right one; of a measure of the whole face, its value, positive towards the left.
    """

    unit: Unit
    left: float | None
    right: float | None
    diff: float


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class FrameMeasurement:
    """How asymmetric the face of a person is in one frame of a film.

    Attributes:
        frame: The frame's number in the film, from 0.
        time_s: Its time stamp, in seconds from the film's beginning.
        shot: Number of the shot, from 0: one more after each cut.
        person: The person's number, from 1.
        sides: Whose left and right: "person" or "viewer".
        is_yaw_too_large: Whether the head is turned so far that the numbers are not to be trusted.
        pupils: The distance between the person's pupils, the same in all frames; None without a scale.
        numbers: By PLACES, (67,); None if the face was not found.
        places: Where the points of the named measures are seen, (45, 2) in pixels of the frame; None likewise.
    """

    frame: int
    time_s: float
    shot: int
    person: int
    sides: Sides
    is_yaw_too_large: bool = False
    pupils: PupilScale | None = None
    numbers: Floats | None = None
    places: Floats | None = None

    @property
    def is_found(self) -> bool:
        """Whether the face was found."""
        return self.numbers is not None

    @property
    def unit(self) -> LengthUnit:
        """The unit of lengths among the named measures."""
        return "%" if self.pupils is None else "mm"

    @property
    def scale(self) -> Scale | None:
        """Millimeters per pixel at the face; None without a scale."""
        if self.pupils is None or self.numbers is None:
            return None
        apart = self["pupil_distance_px"]
        return Scale(self.pupils.mm / apart, self.pupils.error / apart)

    @property
    def values(self) -> dict[str, float]:
        """The values of areas, tilt and turn, by the names of `quantities.NAMES`; nothing if it was not found."""
        return {name: self[name] for name in NAMES} if self.is_found else {}

    @property
    def measures(self) -> dict[str, SideNumbers]:
        """The named measures, by the names of `measures.MEASURES`; nothing if the face was not found."""
        return {measure.name: self._measured(measure) for measure in MEASURES} if self.is_found else {}

    @property
    def points(self) -> dict[str, tuple[float, float]]:
        """Where the points of the named measures are seen, (x, y) in pixels of the frame, by their names."""
        if self.places is None:
            return {}
        return {name: (float(x), float(y)) for name, (x, y) in zip(name_points(self.sides), self.places, strict=True)}

    def __getitem__(self, name: str) -> float:
        """Return one of NUMBERS; NaN if the face was not found."""
        return math.nan if self.numbers is None else float(self.numbers[PLACES[name]])

    def scaled(self, pupils: PupilScale | None) -> "FrameMeasurement":
        """Return the same, measured in per cent until now, in millimeters."""
        if pupils is None:
            return self
        factor = np.where(_IS_LENGTH, pupils.mm / 100, 1).astype(np.float32)
        return replace(self, pupils=pupils, numbers=None if self.numbers is None else self.numbers * factor)

    def _measured(self, measure: Measure) -> SideNumbers:
        *sides, diff = (self[column] for column in columns_of(measure))
        left, right = sides or (None, None)
        return SideNumbers("deg" if measure.dimension == "angle" else self.unit, left, right, diff)
