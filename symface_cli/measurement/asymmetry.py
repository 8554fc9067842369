"""Measure how asymmetric a face is: in shape and in color, as a whole and by area.

Everything comes from the warp W, which takes the face frame to the photo, and from the photo's colors; there are no
landmarks. With S the similarity nearest to W in the areas, and u' the mirror image of u, the shape asymmetry at u is
how far the mirror image of W(u') lies from W(u), seen upright through S. The color asymmetry is the difference in
CIELAB between the photo's colors at W(u) and W(u').

A measurement is the mean over readings through crops moved a little, each at the photo and at its mirror image, where
every asymmetry has the opposite sign: what the network, the detector or a filter prefer on one side cancels, and a
photo that equals its mirror image measures 0. The error is the standard deviation between those readings:
sensitivity to the crop; not a measure of accuracy. How near it comes to the truth: benchmarks/calibration.py. One
degree of yaw moves the nose by 2 % of the eye distance, and asymmetry cannot be told from that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.detection.detector import Detection, detect, face_with_eyes
from symface_cli.errors import WeightsError
from symface_cli.geometry import areas
from symface_cli.geometry.areas import area_weights, left_half
from symface_cli.geometry.frames import (
    CROP_SIZE,
    EYE_DISTANCE_FACE,
    EYES_Y,
    apply,
    fit_similarity,
    pixel_from_normalized,
)
from symface_cli.geometry.sampling import enlarge
from symface_cli.geometry.types import Array, Floats, Photo
from symface_cli.geometry.warps import control_points, yaw_of_warp
from symface_cli.inference.face import FaceWarp
from symface_cli.inference.registration import THOROUGH, rectify_photo, refine_warp
from symface_cli.inference.symmetrizer import Symmetrizer
from symface_cli.measurement.quantities import AREA_MEASURES, Area, MeasureKey, Quantity

NOTE = "symface is not a medical device; its measurements are for research, not for diagnosis or treatment."
MAX_YAW_MEASURE = 5.0  # degrees, from which the yaw moves the nose by more than most people's asymmetry
HIGHEST = -0.38  # normalized height above which the face is not measured: hair, and little to see
FACE_SIDE = THOROUGH.sides[-1]  # px, of rectified faces
COLOR_BLUR = 0.03 * FACE_SIDE / 2  # px, deviation: colors are those of a patch, not of single hairs and pores
CROP_JITTERS = (
    (0.02, 0.015, 1.03, 3.0),
    (-0.02, 0.015, 0.97, -3.0),
    (0.02, -0.015, 0.97, 3.0),
    (-0.02, -0.015, 1.03, -3.0),
)
"""Shifts right and down (in crops), scale, and clockwise roll in degrees of the crops for the readings."""

AREAS: Mapping[Area, areas.Corners] = {
    Area.BROWS: areas.BROWS,
    Area.EYES: areas.EYES,
    Area.NOSE: areas.NOSE,
    Area.MOUTH: areas.MOUTH,
    Area.JAW: areas.JAW,
}
"""Left halves of the areas that are measured, as corners in normalized face coordinates."""


class Estimate(NamedTuple):
    """Measured value, and the standard deviation between readings."""

    value: float
    error: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Asymmetry:
    """How asymmetric a face is.

    Attributes:
        found: Where the detector found the face.
        values: All of MEASURES.
        eye_distance: In photo pixels: the size of the face, by which displacements are divided.
        displacement: From each control point's mirrored partner to the point itself, right and down in the leveled
            face, in per cent of the eye distance, (17, 17, 2).
        color: L*, a*, b* of each point of the face less those of its mirror image, (257, 257, 3).
        mask: How much each control point belongs to the face, (17, 17) in 0..1.
        photo_from_level: Similarity from the face frame to photo pixels: where the face lies.
    """

    found: Detection
    values: Mapping[MeasureKey, Estimate]
    eye_distance: float
    displacement: Array
    color: NDArray[np.floating]
    mask: NDArray[np.floating]
    photo_from_level: Array

    @property
    def is_yaw_too_large(self) -> bool:
        """Whether the head is turned so far that the shape asymmetry is not to be trusted."""
        return abs(self.values[MeasureKey(Quantity.YAW)].value) > MAX_YAW_MEASURE


@dataclass(frozen=True, kw_only=True, eq=False)
class Reading:
    """Asymmetries as one reading of a face gives them; in the mirror image, all have the opposite sign.

    Attributes:
        displacement: As in `Asymmetry`.
        color: L*, a*, b* of each point less those of its mirror image, (257, 257, 3).
        tilt: Degrees of the midline, clockwise from upright.
        yaw: Degrees of the head, positive when the nose points to the viewer's right.
    """

    displacement: Array
    color: NDArray[np.floating]
    tilt: float
    yaw: float


def measure_asymmetry(symmetrizer: Symmetrizer, photo: Photo, found: Sequence[Detection]) -> list[Asymmetry]:
    """Measure faces of a photo (H, W, 3), as `detector.detect` gave them.

    Raises:
        WeightsError: If the network gives no warp.
    """
    mirrored = np.ascontiguousarray(photo[:, ::-1])
    others = detect(mirrored)
    return [_measure_face(symmetrizer, (photo, mirrored), (face, _partner(face, others, photo))) for face in found]


def _partner(found: Detection, others: Sequence[Detection], photo: Photo) -> Detection:
    """Return the face as it was found in the mirrored photo, or its mirrored place where it was not."""
    expected = mirror_found(found, photo.shape[1])

    def distance(other: Detection) -> float:
        return float(np.linalg.norm(other.center - expected.center))

    nearest = min(others, key=distance, default=expected)
    return nearest if distance(nearest) < found.box.width / 2 else expected


def mirror_found(found: Detection, width: int) -> Detection:
    """Mirror a face with its photo of `width` pixels; only its crop counts, its box is as it was."""
    mirror_photo, mirror_crop = (np.array([[-1.0, 0, side - 1], [0, 1, 0], [0, 0, 1]]) for side in (width, CROP_SIZE))
    return Detection(found.box, -found.roll_degrees, mirror_crop @ found.crop_from_photo @ mirror_photo)


def _measure_face(
    symmetrizer: Symmetrizer, photos: tuple[Photo, Photo], found: tuple[Detection, Detection]
) -> Asymmetry:
    """Measure a face in a photo and in its mirror image."""
    centered = [_center(symmetrizer, photo, face) for photo, face in zip(photos, found, strict=True)]
    pairs = []
    for jitter in CROP_JITTERS:
        ours, mirrored = (
            take_reading(photo, predict_warp(symmetrizer, photo, jitter_crop(face, jitter)))
            for photo, face in zip(photos, centered, strict=True)
        )
        pairs.append(combine([ours, mirrored], [0.5, -0.5]))
    warped, other = (predict_warp(symmetrizer, photo, face) for photo, face in zip(photos, centered, strict=True))
    mask = (warped.mask + other.mask) / 2
    mean = combine(pairs, [1 / len(pairs)] * len(pairs))
    singles = [summarize(pair, mask) for pair in pairs]
    values = {
        measure: Estimate(value, float(np.std([single[measure] for single in singles], ddof=1)))
        for measure, value in summarize(mean, mask).items()
    }
    return Asymmetry(
        found=found[0],
        values=values,
        eye_distance=warped.eye_distance,
        displacement=mean.displacement,
        color=mean.color,
        mask=mask,
        photo_from_level=fit_similarity(control_points(), warped.photo_from_face, warped.mask),
    )


def predict_warp(symmetrizer: Symmetrizer, photo: Photo, found: Detection) -> FaceWarp:
    """Predict the warp of a face.

    Raises:
        WeightsError: If the network gives none.
    """
    warped = symmetrizer.predict(photo, found).warp
    if warped is None:
        raise WeightsError("these weights are of the paper's network, which cannot measure; use those of symface's own")
    return warped


def _center(symmetrizer: Symmetrizer, photo: Photo, found: Detection) -> Detection:
    """Move the face to the middle of its crop, level, wherever the detector saw it."""
    warped = predict_warp(symmetrizer, photo, found)
    matrix = fit_similarity(control_points(), warped.photo_from_face, warped.mask)
    left, right = apply(matrix, np.array([[-EYE_DISTANCE_FACE / 2, EYES_Y], [EYE_DISTANCE_FACE / 2, EYES_Y]]))
    return face_with_eyes(left, right)


def jitter_crop(found: Detection, jitter: tuple[float, float, float, float]) -> Detection:
    """Move the crop of a face by shifts, a scale and a roll, as in CROP_JITTERS."""
    right, down, scale, degrees = jitter
    c, s = scale * np.cos(np.radians(degrees)), scale * np.sin(np.radians(degrees))
    in_crops = np.array([[c, -s, 2 * right], [s, c, 2 * down], [0, 0, 1]])
    pixels = pixel_from_normalized(CROP_SIZE)
    return Detection(found.box, found.roll_degrees, pixels @ in_crops @ np.linalg.inv(pixels) @ found.crop_from_photo)


def take_reading(photo: Photo, warped: FaceWarp) -> Reading:
    """Read the asymmetries of a face in a photo (H, W, 3), once."""
    photo_from_face = refine_warp(photo, warped.photo_from_face, warped.mask)
    face = rectify_photo(photo, photo_from_face, warped.mask, FACE_SIDE)
    return Reading(
        displacement=displacement_of(photo_from_face),
        color=color_difference(face),
        tilt=warped.midline.degrees,
        yaw=yaw_of_warp(warped.photo_from_face, warped.mask),
    )


def color_difference(face: Photo) -> Floats:
    """Return L*, a*, b* of each point of a rectified face (257, 257, 3) less those of its mirror image."""
    lab = cv2.cvtColor(face.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    patches = cv2.GaussianBlur(lab, (0, 0), COLOR_BLUR)
    difference: Floats = patches - patches[:, ::-1]
    return difference


def combine(readings: Sequence[Reading], weights: Sequence[float]) -> Reading:
    """Add readings with weights."""
    return Reading(
        displacement=np.tensordot(weights, np.stack([reading.displacement for reading in readings]), 1),
        color=np.tensordot(weights, np.stack([reading.color for reading in readings]), 1),
        tilt=float(np.dot(weights, [reading.tilt for reading in readings])),
        yaw=float(np.dot(weights, [reading.yaw for reading in readings])),
    )


def displacement_of(photo_from_face: Array) -> Array:
    """Return how far W(u) lies from the mirror image of W(u'), in per cent of the eye distance, (17, 17, 2).

    It is seen in the leveled face. The level is that of the areas: cheeks and forehead show little to go by.
    """
    level_from_photo = np.linalg.inv(fit_similarity(control_points(), photo_from_face, area_weights(*AREAS.values())))
    level = apply(level_from_photo, photo_from_face)
    displacement: Array = 100 / EYE_DISTANCE_FACE * (level - mirror_field(level))
    return displacement


def mirror_field(field: NDArray[np.floating]) -> NDArray[np.floating]:
    """Mirror vectors (..., W, 2) over the face frame."""
    return field[..., ::-1, :] * np.array([-1, 1], field.dtype)


def summarize(reading: Reading, mask: NDArray[np.floating]) -> dict[MeasureKey, float]:
    """Return a reading's number for each of MEASURES."""
    right, down = (enlarge(reading.displacement[..., i], FACE_SIDE) for i in range(2))
    fields: Mapping[Quantity, NDArray[np.floating]] = {
        Quantity.SHAPE: np.hypot(right, down),
        Quantity.OUTWARD: -right,
        Quantity.LOWER: down,
        Quantity.COLOR: np.sqrt((reading.color**2).sum(-1)),
        Quantity.LIGHTNESS: reading.color[..., 0],
    }
    whole = face_weights(mask)
    whole[:, FACE_SIDE // 2 + 1 :] = 0
    values = {MeasureKey(Quantity.TILT): reading.tilt, MeasureKey(Quantity.YAW): reading.yaw}
    for quantity, area in AREA_MEASURES:
        weights = whole if area is None or area is Area.WHOLE else left_half(AREAS[area], FACE_SIDE)
        values[MeasureKey(quantity, area)] = float((weights * fields[quantity]).sum() / weights.sum())
    return values


def face_weights(mask: NDArray[np.floating]) -> Floats:
    """Return how much each point is of the face from brows to chin, (257, 257), symmetric: no hair, no background."""
    weights: Floats = (2 * enlarge(mask, FACE_SIDE) - 1).clip(0, 1)  # the mask is 0.5 on the outline
    weights[np.linspace(-1, 1, FACE_SIDE) < HIGHEST] = 0
    return weights
