"""Measure how asymmetric a face is: in shape and in color, as a whole and by area, and by named measures of its points.

Everything comes from the warp W, which takes the face frame to the photo, and from the photo's colors; there is no
landmark detector. With S the similarity nearest to W in the areas, and u' the mirror image of u, the shape asymmetry at
u is how far the mirror image of W(u') lies from W(u), seen upright through S. The color asymmetry is the difference in
CIELAB between the photo's colors at W(u) and W(u'). Points lie at W(p), where p is their place in a symmetric face
(`measurement.points.places`).

A head that is turned looks asymmetric, by 2 % of the eye distance at the nose for each degree. What the displacement
has of a turn (`geometry.turns`) is taken out.

A measurement is the mean over readings through crops moved a little, each at the photo and at its mirror image, where
every asymmetry has the opposite sign: what the network, the detector or a filter prefer on one side cancels, and a
photo that equals its mirror image measures 0. The error is the standard deviation between those readings, and a fifth
of what the turn had added: sensitivity to crop and turn; not a measure of accuracy. How near it comes to the truth:
benchmarks/calibration.py, named_measures.py, turned.py, repeatability.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from symface_cli.detection.detector import Detection, detect, face_with_eyes
from symface_cli.errors import WeightsError
from symface_cli.geometry.areas import NOSE, left_half
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
from symface_cli.geometry.warps import control_points
from symface_cli.inference.face import FaceWarp
from symface_cli.inference.symmetrizer import Symmetrizer
from symface_cli.measurement.measures import SideValues, measure_points, pupil_distance
from symface_cli.measurement.points.scheme import mirror_points
from symface_cli.measurement.quantities import AREA_MEASURES, Area, MeasureKey, Quantity
from symface_cli.measurement.reading import AREAS, FACE_SIDE, Reading, mean_of_readings, take_reading, with_points

NOTE = "symface is not a medical device; its measurements are for research, not for diagnosis or treatment."
MAX_YAW_MEASURE = 15.0  # degrees, up to which known asymmetries of turned heads are followed
MAX_YAW_RAW = 5.0  # degrees, from which a turn that is left in moves the nose by more than most people's asymmetry
HIGHEST = -0.38  # normalized height above which the face is not measured: hair, and little to see
TURN_ERROR = 0.2  # of what a turn adds: heads differ in depth (docs/experiments.md, 26)
MOVED = 0.02  # px, from which on a point that is given is another one than that which was found
CROP_JITTERS = (
    (0.02, 0.015, 1.03, 3.0),
    (-0.02, 0.015, 0.97, -3.0),
    (0.02, -0.015, 0.97, 3.0),
    (-0.02, -0.015, 1.03, -3.0),
)
"""Shifts right and down (in crops), scale, and clockwise roll in degrees of the crops for the readings."""


class Estimate(NamedTuple):
    """Measured value, and how much it changes with the crop and by the turn: a standard deviation."""

    value: float
    error: float


class NamedEstimate(NamedTuple):
    """Values of a named measure, the viewer's left first, and the error of their difference."""

    values: SideValues
    error: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Asymmetry:
    """How asymmetric a face is.

    Attributes:
        found: Where the detector found the face.
        values: All of quantities.MEASURES; left is the viewer's.
        named: All of measures.MEASURES, lengths in distances between the pupils; left is the viewer's.
        eye_distance: In photo pixels: the size of the face, by which displacements are divided.
        pupil_distance: In photo pixels as from the front, and its error: by this named measures are divided.
        points: Where the points are seen, (45, 2) in photo pixels.
        raw: Whether the turn of the head was left in.
        displacement: From each control point's mirrored partner to the point itself, right and down in the leveled
            face, in per cent of the eye distance, (17, 17, 2).
        color: L*, a*, b* of each point of the face less those of its mirror image, (257, 257, 3).
        mask: How much each control point belongs to the face, (17, 17) in 0..1.
        photo_from_level: Similarity from the face frame to photo pixels: where the face lies.
    """

    found: Detection
    values: Mapping[MeasureKey, Estimate]
    named: Mapping[str, NamedEstimate]
    eye_distance: float
    pupil_distance: Estimate
    points: Array
    raw: bool
    displacement: Array
    color: NDArray[np.floating]
    mask: NDArray[np.floating]
    photo_from_level: Array

    @property
    def is_yaw_too_large(self) -> bool:
        """Whether the head is turned so far that the shape asymmetry is not to be trusted."""
        limit = MAX_YAW_RAW if self.raw else MAX_YAW_MEASURE
        return abs(self.values[MeasureKey(Quantity.YAW)].value) > limit


class _View(NamedTuple):
    """A face in a photo or in its mirror image: centered in its crop, predicted, and where its level frame lies."""

    photo: Photo
    found: Detection
    warped: FaceWarp
    photo_from_level: Array


def measure_asymmetry(
    symmetrizer: Symmetrizer,
    photo: Photo,
    found: Sequence[Detection],
    raw: bool = False,
    given: Sequence[Array | None] | None = None,
) -> list[Asymmetry]:
    """Measure faces of a photo (H, W, 3), as `detector.detect` gave them.

    Args:
        symmetrizer: The loaded network.
        photo: The photo.
        found: Its faces.
        raw: Whether the turn of the head is left in.
        given: Points of each face that are known better, (45, 2) in photo pixels; None or NaN for those that are not.

    Raises:
        WeightsError: If the network gives no warp.
    """
    mirrored = np.ascontiguousarray(photo[:, ::-1])
    others = detect(mirrored)
    faces = []
    for face, points in zip(found, given or [None] * len(found), strict=True):
        views = (_view(symmetrizer, photo, face), _view(symmetrizer, mirrored, _partner(face, others, photo)))
        faces.append(_measure_face(symmetrizer, face, views, raw, points))
    return faces


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


def _view(symmetrizer: Symmetrizer, photo: Photo, found: Detection) -> _View:
    """Move the face to the middle of its crop, level, wherever the detector saw it, and predict its warp."""
    left, right = apply(level_of(predict_warp(symmetrizer, photo, found)), EYES)
    centered = face_with_eyes(left, right)
    warped = predict_warp(symmetrizer, photo, centered)
    return _View(photo, centered, warped, level_of(warped))


EYES = np.array([[-EYE_DISTANCE_FACE / 2, EYES_Y], [EYE_DISTANCE_FACE / 2, EYES_Y]])


def level_of(warped: FaceWarp) -> Array:
    """Return the similarity that a warp is nearest to: where the level frame lies in the photo."""
    return fit_similarity(control_points(), warped.photo_from_face, warped.mask)


def _measure_face(
    symmetrizer: Symmetrizer, found: Detection, views: tuple[_View, _View], raw: bool, given: Array | None
) -> Asymmetry:
    """Measure a face as it is seen in a photo and in its mirror image."""
    pairs = [_read_pair(symmetrizer, views, jitter, raw) for jitter in CROP_JITTERS]
    mean = mean_of_readings(pairs)
    points = _place_points(mean.points, views)
    if given is not None:
        pairs = [with_points(pair, _correct(mean.points, given - points, views[0])) for pair in pairs]
        mean = mean_of_readings(pairs)
        points = np.where(_is_moved(given - points), given, points)
    ours, mirrored = (view.warped for view in views)
    mask = (ours.mask + mirrored.mask) / 2
    apart = [pupil_distance(each.frontal_points) for each in (mean, *pairs)]
    pixels = float(np.linalg.norm(views[0].photo_from_level[:2, 0]))
    return Asymmetry(
        found=found,
        values=_estimate(mean, pairs, mask),
        named=_estimate_named(mean, pairs),
        eye_distance=ours.eye_distance,
        pupil_distance=Estimate(pixels * apart[0], pixels * float(np.std(apart[1:], ddof=1))),
        points=points,
        raw=raw,
        displacement=mean.displacement,
        color=mean.color,
        mask=mask,
        photo_from_level=views[0].photo_from_level,
    )


def _read_pair(
    symmetrizer: Symmetrizer, views: tuple[_View, _View], jitter: tuple[float, float, float, float], raw: bool
) -> Reading:
    """Return the mean of what one crop and the mirror image of it say."""
    ours, mirrored = (
        take_reading(
            view.photo,
            predict_warp(symmetrizer, view.photo, jitter_crop(view.found, jitter)),
            view.photo_from_level,
            raw,
        )
        for view in views
    )
    return mean_of_readings([ours, mirrored.mirrored()])


def _place_points(points: Array, views: tuple[_View, _View]) -> Array:
    """Return where points (45, 2) of the level frame lie in the photo: the mean of what both views say."""
    ours, mirrored = views
    last = ours.photo.shape[1] - 1
    in_mirror = mirror_points(apply(mirrored.photo_from_level, mirror_points(points)))
    return np.asarray((apply(ours.photo_from_level, points) + in_mirror + [last, 0]) / 2, np.float64)


def _correct(points: Array, moves: Array, view: _View) -> Array:
    """Return points of the level frame moved in the photo by `moves`, (45, 2); NaN for those that are not moved."""
    moved = points + moves @ np.linalg.inv(view.photo_from_level[:2, :2]).T
    return np.where(_is_moved(moves), moved, np.nan)


def _is_moved(moves: Array) -> NDArray[np.bool_]:
    """Tell which points are moved, (45, 1); those that are not known are not."""
    moved: NDArray[np.bool_] = np.nan_to_num(np.abs(moves)).max(-1, keepdims=True) > MOVED
    return moved


def predict_warp(symmetrizer: Symmetrizer, photo: Photo, found: Detection) -> FaceWarp:
    """Predict the warp of a face.

    Raises:
        WeightsError: If the network gives none.
    """
    warped = symmetrizer.predict(photo, found).warp
    if warped is None:
        raise WeightsError("these weights are of the paper's network, which cannot measure; use those of symface's own")
    return warped


def jitter_crop(found: Detection, jitter: tuple[float, float, float, float]) -> Detection:
    """Move the crop of a face by shifts, a scale and a roll, as in CROP_JITTERS."""
    right, down, scale, degrees = jitter
    c, s = scale * np.cos(np.radians(degrees)), scale * np.sin(np.radians(degrees))
    in_crops = np.array([[c, -s, 2 * right], [s, c, 2 * down], [0, 0, 1]])
    pixels = pixel_from_normalized(CROP_SIZE)
    return Detection(found.box, found.roll_degrees, pixels @ in_crops @ np.linalg.inv(pixels) @ found.crop_from_photo)


def _estimate(mean: Reading, pairs: Sequence[Reading], mask: NDArray[np.floating]) -> dict[MeasureKey, Estimate]:
    singles = [summarize(pair, mask) for pair in pairs]
    turned = summarize(replace(mean, displacement=mean.displacement + mean.removed), mask)
    estimates = {}
    for key, value in summarize(mean, mask).items():
        added = value if key.quantity is Quantity.TURN else turned[key] - value
        estimates[key] = Estimate(value, _error([single[key] for single in singles], added))
    return estimates


def _estimate_named(mean: Reading, pairs: Sequence[Reading]) -> dict[str, NamedEstimate]:
    singles, turned = [measure_points(pair.frontal_points) for pair in pairs], measure_points(mean.points)
    return {
        name: NamedEstimate(values, _error([single[name].diff for single in singles], turned[name].diff - values.diff))
        for name, values in measure_points(mean.frontal_points).items()
    }


def _error(readings: Sequence[float], added: float) -> float:
    """Return the error of a value, by its readings and by what the turn had added to it."""
    return float(np.hypot(np.std(readings, ddof=1), TURN_ERROR * added))


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
    nose = left_half(NOSE, FACE_SIDE)
    removed = -(nose * enlarge(reading.removed[..., 0], FACE_SIDE)).sum() / nose.sum()
    values[MeasureKey(Quantity.TURN)] = float(removed) + 0.0
    return values


def face_weights(mask: NDArray[np.floating]) -> Floats:
    """Return how much each point is of the face from brows to chin, (257, 257), symmetric: no hair, no background."""
    weights: Floats = (2 * enlarge(mask, FACE_SIDE) - 1).clip(0, 1)  # the mask is 0.5 on the outline
    weights[np.linspace(-1, 1, FACE_SIDE) < HIGHEST] = 0
    return weights
