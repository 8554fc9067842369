"""Measure the faces of one photo."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from symface_cli.detection.detector import Detection
from symface_cli.detection.selection import Selection
from symface_cli.geometry.frames import Box
from symface_cli.geometry.types import Array, Photo
from symface_cli.inference.symmetrizer import Symmetrizer
from symface_cli.measurement import asymmetry
from symface_cli.measurement.asymmetry import Asymmetry, Estimate, NamedEstimate
from symface_cli.measurement.heatmap import draw_heatmap
from symface_cli.measurement.measures import BY_NAME
from symface_cli.measurement.overlay import draw_overlay
from symface_cli.measurement.points.scheme import Sides, index_of, name_points
from symface_cli.measurement.quantities import SIGNED, MeasureKey
from symface_cli.measurement.scale import NO_SCALE, Scale, Scaler, Scaling

LengthUnit = Literal["%", "mm"]
Unit = Literal["%", "mm", "deg"]
PUPILS = [index_of("pupil", side) for side in range(2)]


@dataclass(frozen=True, kw_only=True)
class MeasuredSides:
    """A named measure of a face.

    Attributes:
        unit: "mm"; "%" of the distance between the pupils; "deg".
        left: Of the left side; None for a measure of the whole face.
        right: Of the right side; None for a measure of the whole face.
        diff: The left one less the right one; of a measure of the whole face, its value, positive towards the left.
        error: Of `diff`, a standard deviation: sensitivity to crop and turn; not a measure of accuracy.
    """

    unit: Unit
    left: float | None
    right: float | None
    diff: float
    error: float


@dataclass(frozen=True, kw_only=True)
class Convention:
    """How a face is measured, and how that is said.

    Attributes:
        raw: Whether the turn of the head is left in; else it is taken out.
        sides: Whose left and right: the person's, or the viewer's.
        scaling: What the scale is taken from.
        heatmaps: Whether to draw heat maps.
        overlays: Whether to draw the points and lines of the named measures on the face.
    """

    raw: bool = False
    sides: Sides = "person"
    scaling: Scaling = NO_SCALE
    heatmaps: bool = False
    overlays: bool = False


USUAL = Convention()


@dataclass(frozen=True, kw_only=True, eq=False)
class FaceMeasurement:
    """How asymmetric one face of a photo is.

    Attributes:
        number: The face's number by size, 1 for the largest.
        box: The detector's box: x, y, width, height in pixels of the photo rolled by `roll_degrees`.
        roll_degrees: The roll of the photo in which the face was found, clockwise; 0 for an upright face.
        eye_distance: In photo pixels: the size of the face, by which displacements are divided.
        is_yaw_too_large: Whether the head is turned so far that the shape asymmetry is not to be trusted.
        sides: Whose left and right: "person" or "viewer".
        values: Value and error of each measurement, by the names of `quantities.NAMES`, such as "whole_shape_pct". The
            error is a standard deviation: sensitivity to crop and turn; not a measure of accuracy.
        measures: The named measures, such as "fai", by the names of `measures.MEASURES`.
        scale: Millimeters per photo pixel, and the standard deviation of that; None without a scale.
        points: Where the points of the named measures are seen, (x, y) in photo pixels, by their names.
        heatmap: Where shape and color differ, (576, 1024, 3) uint8; None if it was not asked for.
        overlay: The face with points and lines of the named measures, (1200, 1200, 3); None if it was not asked for.
    """

    number: int
    box: Box
    roll_degrees: float
    eye_distance: float
    is_yaw_too_large: bool
    sides: Sides
    values: Mapping[str, Estimate]
    measures: Mapping[str, MeasuredSides]
    scale: Scale | None
    points: Mapping[str, tuple[float, float]]
    heatmap: Photo | None = None
    overlay: Photo | None = None


class FaceMeter:
    """Measures faces.

    Args:
        symmetrizer: The loaded network.
        convention: How.
        scaler: Finds the scale; None takes one for the convention's scaling.

    Raises:
        WeightsError: If the scale needs a model that is not here and cannot be downloaded.
    """

    def __init__(self, symmetrizer: Symmetrizer, convention: Convention, scaler: Scaler | None = None) -> None:
        self._symmetrizer = symmetrizer
        self._convention = convention
        self._scaler = Scaler(convention.scaling) if scaler is None else scaler

    def measure_photo(self, photo: Photo, selection: Selection) -> list[FaceMeasurement]:
        """Find the faces of a photo (H, W, 3), and measure them, the largest first.

        Raises:
            NoFaceError: If the photo has none, or none of the number selected.
            WeightsError: If the network gives no warp.
        """
        return self.measure_faces(photo, selection.choose(photo), selection.number or 1)

    def measure_faces(
        self, photo: Photo, found: Sequence[Detection], first: int = 1, given: Sequence[Array | None] | None = None
    ) -> list[FaceMeasurement]:
        """Measure faces of a photo (H, W, 3) that were found before.

        Args:
            photo: The photo.
            found: Its faces.
            first: The number of the first one.
            given: Points of each that are known better, (45, 2) in photo pixels, NaN where they are not.

        Raises:
            WeightsError: If the network gives no warp.
        """
        measured = asymmetry.measure_asymmetry(self._symmetrizer, photo, found, self._convention.raw, given)
        return [self._describe(number, photo, face) for number, face in enumerate(measured, first)]

    def _describe(self, number: int, photo: Photo, face: Asymmetry) -> FaceMeasurement:
        convention = self._convention
        scale = self._scaler.find(photo, face.points[PUPILS], face.pupil_distance)
        factor = 100.0 if scale is None else scale.mm_per_px * face.pupil_distance.value
        unit: LengthUnit = "%" if scale is None else "mm"
        return FaceMeasurement(
            number=number,
            box=face.found.box,
            roll_degrees=face.found.roll_degrees,
            eye_distance=face.eye_distance,
            is_yaw_too_large=face.is_yaw_too_large,
            sides=convention.sides,
            values=name_values(face.values, convention.sides),
            measures={
                name: _for_sides(name, named, convention.sides, factor, unit) for name, named in face.named.items()
            },
            scale=scale,
            points=dict(zip(name_points(convention.sides), map(_as_pair, face.points), strict=True)),
            heatmap=draw_heatmap(photo, face) if convention.heatmaps else None,
            overlay=draw_overlay(photo, face.points) if convention.overlays else None,
        )


def name_values(values: Mapping[MeasureKey, Estimate], sides: Sides) -> dict[str, Estimate]:
    """Name values of which left is the viewer's, for the meaning of left that is wanted."""
    sign = -1 if sides == "person" else 1
    return {
        key.name: Estimate(sign * value + 0.0 if key.quantity in SIGNED else value, error)
        for key, (value, error) in values.items()
    }


def _for_sides(name: str, named: NamedEstimate, sides: Sides, factor: float, unit: LengthUnit) -> MeasuredSides:
    """Return a named measure for the meaning of left that is wanted, lengths multiplied by a factor."""
    measure = BY_NAME[name]
    is_angle = measure.dimension == "angle"
    scale = 1.0 if is_angle else factor
    left, right, diff = named.values.exchanged() if sides == "person" else named.values
    return MeasuredSides(
        unit="deg" if is_angle else unit,
        left=None if math.isnan(left) else scale * left,
        right=None if math.isnan(right) else scale * right,
        diff=scale * diff + 0.0,
        error=scale * named.error,
    )


def _as_pair(point: Array) -> tuple[float, float]:
    return float(point[0]), float(point[1])
