"""Named measures: what clinicians measure of a face, by its points.

Lengths and heights are measured upright: the line through the pupils is level, what is above it is up, and the midline
is the line across it halfway between the pupils (as Emotrics does). The unit is the distance between the pupils.
A measure of a side is the same formula for either side, with x growing outward: in the mirror image, the sides are
exchanged.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from symface_cli.geometry.types import Array
from symface_cli.measurement.points.scheme import LINES, half_of, index_of

Dimension = Literal["length", "angle"]
UPPER_LID, LOWER_LID, BROW, UPPER_LIP, LOWER_LIP = LINES


class SideValues(NamedTuple):
    """A measure of the viewer's left side, of the right one, and the left one less the right one.

    Of a measure of the whole face, `left` and `right` are NaN, and `diff` is its value: towards the viewer's left.
    """

    left: float
    right: float
    diff: float

    def exchanged(self) -> "SideValues":
        """Return the values for the other meaning of left and right."""
        return SideValues(self.right, self.left, -self.diff)


class Half:
    """One side of a face, and its middle: points with x growing outward, y downward, in distances between the pupils.

    Args:
        points: Upright points (45, 2), see `upright`.
        side: 0 for the viewer's left side, 1 for the right one.
    """

    def __init__(self, points: Array, side: int) -> None:
        self._points = points
        self._side = side

    def __call__(self, name: str) -> Array:
        """Return a point (2,)."""
        point: Array = half_of(self._points, self._side, [name])[0]
        return point

    def height_at(self, x: float, line: tuple[str, ...]) -> float:
        """Return the height at which the line through points crosses the vertical at x."""
        return crossing(half_of(self._points, self._side, line) - [x, 0])

    def height_across(self, x: float, line: tuple[str, ...]) -> float:
        """Return the same for an outline that goes on over the middle on the other side."""
        other = half_of(self._points, 1 - self._side, line[-2::-1]) * [-1, 1]
        own = half_of(self._points, self._side, line)
        return crossing(np.concatenate([own, other]) - [x, 0])


def crossing(line: Array) -> float:
    """Return the height at which a line (N, 2) that runs inward crosses x = 0; its ends go on straight."""
    last = len(line) - 2
    start = next((i for i in range(last) if line[i + 1, 0] <= 0), last)
    (x0, y0), (x1, y1) = line[start], line[start + 1]
    return float((y1 * x0 - y0 * x1) / (x0 - x1)) if x0 != x1 else float((y0 + y1) / 2)


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A named measure.

    Attributes:
        name: As in files.
        dimension: Whether it is a length, in per cent of the distance between the pupils or in mm, or degrees.
        of_side: Its value for a side; None for a measure of the whole face.
        of_face: Its value towards the viewer's left, from the two sides; None for a measure of either side.
    """

    name: str
    dimension: Dimension
    of_side: Callable[[Half], float] | None = None
    of_face: Callable[[Half, Half], float] | None = None

    @property
    def is_sided(self) -> bool:
        """Whether either side has a value."""
        return self.of_side is not None


def _distance(first: str, second: str) -> Callable[[Half], float]:
    return lambda half: float(np.hypot(*(half(first) - half(second))))


def _lip_middle(half: Half) -> Array:
    """Return where the lower lip's outline crosses the midline, (2,)."""
    return np.array([0.0, half.height_across(0.0, LOWER_LIP)])


def _excursion(half: Half) -> float:
    return float(np.hypot(*(half("commissure") - _lip_middle(half))))


def _smile_angle(half: Half) -> float:
    lower = half("commissure")[1] - _lip_middle(half)[1]
    return 90 - math.degrees(math.asin(lower / _excursion(half)))


def _lip_height(line: tuple[str, ...]) -> Callable[[Half], float]:
    return lambda half: half.height_across(half("commissure")[0] / 2, line)


def _above_pupil(line: tuple[str, ...]) -> Callable[[Half], float]:
    return lambda half: half("pupil")[1] - half.height_at(half("pupil")[0], line)


def _fissure(half: Half) -> float:
    x = (half("medial_canthus")[0] + half("lateral_canthus")[0]) / 2
    return half.height_at(x, LOWER_LID) - half.height_at(x, UPPER_LID)


def _cant(left: Half, right: Half) -> float:
    lower = left("commissure")[1] - right("commissure")[1]
    return math.degrees(math.atan2(lower, left("commissure")[0] + right("commissure")[0]))


def _aside(name: str) -> Callable[[Half, Half], float]:
    return lambda left, _: float(left(name)[0])


def _sided(name: str, of_side: Callable[[Half], float], dimension: Dimension = "length") -> Measure:
    return Measure(name=name, dimension=dimension, of_side=of_side)


MEASURES = (
    _sided("fai", _distance("medial_canthus", "commissure")),
    _sided("commissure_excursion", _excursion),
    _sided("commissure_height", lambda half: float(half("commissure")[1])),
    _sided("smile_angle", _smile_angle, "angle"),
    Measure(name="mouth_cant", dimension="angle", of_face=_cant),
    _sided("upper_lip_height", _lip_height(UPPER_LIP)),
    _sided("lower_lip_height", _lip_height(LOWER_LIP)),
    _sided("mrd1", _above_pupil(UPPER_LID)),
    _sided("mrd2", lambda half: -_above_pupil(LOWER_LID)(half)),
    _sided("fissure_height", _fissure),
    _sided("brow_height", _above_pupil(BROW)),
    Measure(name="nose_deviation", dimension="length", of_face=_aside("subnasale")),
    Measure(name="chin_deviation", dimension="length", of_face=_aside("chin")),
)
"""All named measures, in the order of files."""
BY_NAME: Mapping[str, Measure] = {measure.name: measure for measure in MEASURES}


def pupil_distance(points: Array) -> float:
    """Return the distance between the pupils of points (45, 2), in their unit."""
    return float(np.hypot(*(points[index_of("pupil", 1)] - points[index_of("pupil", 0)])))


def upright(points: Array) -> Array:
    """Return points (45, 2) so that the pupils lie level at (-0.5, 0) and (0.5, 0)."""
    left, right = points[index_of("pupil", 0)], points[index_of("pupil", 1)]
    (x, y), moved = (right - left) / pupil_distance(points) ** 2, points - (left + right) / 2
    turned: Array = np.stack([x * moved[:, 0] + y * moved[:, 1], x * moved[:, 1] - y * moved[:, 0]], -1)
    return turned


def measure_points(points: Array) -> dict[str, SideValues]:
    """Measure points (45, 2) of any place, size and roll; lengths are in distances between the pupils."""
    left, right = (Half(upright(points), side) for side in range(2))
    values = {}
    for measure in MEASURES:
        if measure.of_side is not None:
            sides = measure.of_side(left), measure.of_side(right)
            values[measure.name] = SideValues(*sides, sides[0] - sides[1])
        elif measure.of_face is not None:
            values[measure.name] = SideValues(math.nan, math.nan, measure.of_face(left, right))
    return values
