"""Measure the faces of one photo."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symface_cli.detection.detector import Detection
from symface_cli.detection.selection import Selection
from symface_cli.geometry.frames import Box
from symface_cli.geometry.types import Photo
from symface_cli.inference.symmetrizer import Symmetrizer
from symface_cli.measurement import asymmetry
from symface_cli.measurement.asymmetry import Asymmetry, Estimate
from symface_cli.measurement.heatmap import draw_heatmap


@dataclass(frozen=True, kw_only=True, eq=False)
class FaceMeasurement:
    """How asymmetric one face of a photo is.

    Attributes:
        number: The face's number by size, 1 for the largest.
        box: The detector's box: x, y, width, height in pixels of the photo rolled by `roll_degrees`.
        roll_degrees: The roll of the photo in which the face was found, clockwise; 0 for an upright face.
        eye_distance: In photo pixels: the size of the face, by which displacements are divided.
        is_yaw_too_large: Whether the head is turned so far that the shape asymmetry is not to be trusted.
        values: Value and error of each measurement, by the names of `quantities.NAMES`, such as "whole_shape_pct". The
            error is the standard deviation between readings: sensitivity to the crop; not a measure of accuracy.
        heatmap: Where shape and color differ, (576, 1024, 3) uint8; None if it was not asked for.
    """

    number: int
    box: Box
    roll_degrees: float
    eye_distance: float
    is_yaw_too_large: bool
    values: Mapping[str, Estimate]
    heatmap: Photo | None = None


def measure_photo(
    symmetrizer: Symmetrizer, photo: Photo, selection: Selection | None = None, heatmaps: bool = False
) -> list[FaceMeasurement]:
    """Find the faces of a photo, and measure them.

    Args:
        symmetrizer: The loaded network.
        photo: (H, W, 3).
        selection: Which of its faces; None for all.
        heatmaps: Whether to draw heat maps.

    Returns:
        The faces, the largest first.

    Raises:
        NoFaceError: If the photo has none, or none of the number selected.
        WeightsError: If the network gives no warp.
    """
    selection = selection or Selection()
    found = selection.choose(photo)
    return measure_faces(symmetrizer, photo, found, selection.number or 1, heatmaps)


def measure_faces(
    symmetrizer: Symmetrizer, photo: Photo, found: Sequence[Detection], first: int = 1, heatmaps: bool = False
) -> list[FaceMeasurement]:
    """Measure faces of a photo (H, W, 3) that were found before; `first` is the number of the first one.

    Raises:
        WeightsError: If the network gives no warp.
    """
    measured = asymmetry.measure_asymmetry(symmetrizer, photo, found)
    return [_describe(number, photo, face, heatmaps) for number, face in enumerate(measured, first)]


def _describe(number: int, photo: Photo, face: Asymmetry, heatmap: bool) -> FaceMeasurement:
    return FaceMeasurement(
        number=number,
        box=face.found.box,
        roll_degrees=face.found.roll_degrees,
        eye_distance=face.eye_distance,
        is_yaw_too_large=face.is_yaw_too_large,
        values={measure.name: estimate for measure, estimate in face.values.items()},
        heatmap=draw_heatmap(photo, face) if heatmap else None,
    )
