"""One reading of a face: its asymmetries and its points, as one crop gives them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry import areas
from symface_cli.geometry.areas import area_weights
from symface_cli.geometry.frames import EYE_DISTANCE_FACE, apply, fit_similarity
from symface_cli.geometry.pose import split_odd
from symface_cli.geometry.turns import NARROWING, Turn, find_turn
from symface_cli.geometry.types import Array, Floats, Photo
from symface_cli.geometry.warps import GRID, control_points, sample_warp, similarity_of_warp, yaw_of_warp
from symface_cli.inference.face import FaceWarp
from symface_cli.inference.registration import THOROUGH, rectify_photo, refine_warp
from symface_cli.measurement.points.fields import field_of_head, load_heads
from symface_cli.measurement.points.places import load_places
from symface_cli.measurement.points.scheme import mirror_points
from symface_cli.measurement.quantities import Area

FACE_SIDE = THOROUGH.sides[-1]  # px, of rectified faces
COLOR_BLUR = 0.03 * FACE_SIDE / 2  # px, deviation: colors are those of a patch, not of single hairs and pores
NO_TURN = Turn(0.0, np.zeros((GRID, GRID, 2)))

AREAS: Mapping[Area, areas.Corners] = {
    Area.BROWS: areas.BROWS,
    Area.EYES: areas.EYES,
    Area.NOSE: areas.NOSE,
    Area.MOUTH: areas.MOUTH,
    Area.JAW: areas.JAW,
}
"""Left halves of the areas that are measured, as corners in normalized face coordinates."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Reading:
    """Asymmetries and points as one reading of a face gives them; in the mirror image, all have the opposite sign.

    Attributes:
        displacement: From each control point's mirrored partner to the point itself, right and down in the leveled
            face, in per cent of the eye distance, (17, 17, 2).
        color: L*, a*, b* of each point less those of its mirror image, (257, 257, 3).
        tilt: Degrees of the midline, clockwise from upright.
        yaw: Degrees of the head, positive when the nose points to the viewer's right.
        removed: What the turn of the head has added to the displacement, and is not in it, (17, 17, 2).
        turn: Sine of the turn that was taken out.
        points: Where the points are seen, (45, 2) in normalized coordinates of the level frame.
        turned: How far the turn has moved them, (45, 2).
    """

    displacement: Array
    color: NDArray[np.floating]
    tilt: float
    yaw: float
    removed: Array
    turn: float
    points: Array
    turned: Array

    @cached_property
    def frontal_points(self) -> Array:
        """The points as from the front, (45, 2): where the turn has not moved them, in a face that is not narrower."""
        width = math.sqrt(1 - min((NARROWING * self.turn) ** 2, 0.75))
        points: Array = (self.points - self.turned) / [width, 1]
        return points

    def mirrored(self) -> "Reading":
        """Return what the mirror image would give."""
        return Reading(
            displacement=-self.displacement,
            color=-self.color,
            tilt=-self.tilt,
            yaw=-self.yaw,
            removed=-self.removed,
            turn=-self.turn,
            points=mirror_points(self.points),
            turned=mirror_points(self.turned),
        )


def take_reading(photo: Photo, warped: FaceWarp, photo_from_level: Array, raw: bool = False) -> Reading:
    """Read the asymmetries and the points of a face in a photo (H, W, 3), once.

    Args:
        photo: The photo.
        warped: The face.
        photo_from_level: The similarity that says where the level frame lies.
        raw: Whether the turn of the head stays in the displacement, and is not known to the points.
    """
    photo_from_face = refine_warp(photo, warped.photo_from_face, warped.mask)
    face = rectify_photo(photo, photo_from_face, warped.mask, FACE_SIDE)
    similarity = similarity_of_warp(photo_from_face)
    _, odd = split_odd(photo_from_face, similarity)
    places = load_places().find(mean_of_sides(face))
    turn = NO_TURN if raw else _surely_turned(odd, warped, places)
    seen = sample_warp(photo_from_face, places)
    displacement = displacement_of(photo_from_face - turn.moved @ similarity[:2, :2].T)
    return Reading(
        displacement=displacement,
        color=color_difference(face),
        tilt=warped.midline.degrees,
        yaw=yaw_of_warp(warped.photo_from_face, warped.mask),
        removed=displacement_of(photo_from_face) - displacement,
        turn=turn.sine,
        points=apply(np.linalg.inv(photo_from_level), seen),
        turned=sample_warp(turn.moved, places),
    )


def _surely_turned(odd: Array, warped: FaceWarp, places: Array) -> Turn:
    """Return what is surely a turn of the odd displacement (17, 17, 2) of a face whose points lie at places (45, 2)."""
    field = field_of_head(warped.pose_field, places, load_heads())
    return find_turn(odd, field, warped.mask).sure_part()


def mean_of_sides(face: Photo) -> Floats:
    """Return the gray mean (S, S) of a rectified face and its mirror image."""
    gray = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)
    return np.asarray((gray.astype(np.float32) + gray[:, ::-1]) / 2, np.float32)


def color_difference(face: Photo) -> Floats:
    """Return L*, a*, b* of each point of a rectified face (257, 257, 3) less those of its mirror image."""
    lab = cv2.cvtColor(face.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    patches = cv2.GaussianBlur(lab, (0, 0), COLOR_BLUR)
    difference: Floats = patches - patches[:, ::-1]
    return difference


def mean_of_readings(readings: Sequence[Reading]) -> Reading:
    """Return the mean of readings."""

    def mean(name: str) -> Array:
        total = np.sum([getattr(reading, name) for reading in readings], axis=0)
        return np.asarray(total / len(readings))

    return Reading(
        displacement=mean("displacement"),
        color=mean("color"),
        tilt=float(mean("tilt")),
        yaw=float(mean("yaw")),
        removed=mean("removed"),
        turn=float(mean("turn")),
        points=mean("points"),
        turned=mean("turned"),
    )


def with_points(reading: Reading, points: Array) -> Reading:
    """Return a reading with points (45, 2) that are known better; NaN for those that are not."""
    return replace(reading, points=np.where(np.isnan(points), reading.points, points))


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
