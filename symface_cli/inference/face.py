"""The network's prediction for one face, and rendering it in the face frame, as if it looked to the front.

The face frame follows a face's height. In it, a head that is turned by the yaw t is too narrow: a point at the distance
x from the midline lies at x cos t, whatever its depth, which moves both sides alike (`geometry.pose`). An aligned face
has the width that it has from the front.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry.areas import BROWS, EYES, JAW, MOUTH, area_weights
from symface_cli.geometry.frames import EYE_DISTANCE_FACE, apply
from symface_cli.geometry.midline import Midline, midline_of_level
from symface_cli.geometry.pose import Pose
from symface_cli.geometry.sampling import enlarge, native_size, warp_photo
from symface_cli.geometry.types import Array, Floats, Photo
from symface_cli.geometry.warps import GRID, interpolating_weights, similarity_of_warp
from symface_cli.inference.eyes import draw_eyes
from symface_cli.inference.irises import Irises

UNLIKE_TURNS = (8.0, 18.0)  # degrees of yaw over which the two sides of a face come to look too different to be blended
FAR_TURNS = (30.0, 50.0)  # degrees of yaw over which a head is too far turned to be made symmetric
FRONTAL_TURN = 3.0  # degrees of yaw: 94 % of the London Set's people, who look into the camera, are turned by less

Side = Literal["both", "left", "right"]
"""Which side of a face a result is made of; left and right are the viewer's."""


@dataclass(frozen=True, kw_only=True)
class FaceWarp:
    """Where the symmetric face lies in a photo, at the face frame's control points.

    Attributes:
        photo_from_face: The warp: photo pixels (x, y), (17, 17, 2).
        mask: How much each point belongs to the face, (17, 17) in 0..1, symmetric.
        weights: q, how much each side counts, (65, 65) in 0..1.
        weigh_frame: Returns `framed_weights`, which whole photos do without.
        hidden: How far a point of the face is to be drawn by the VAE, as neither side shows it and what they show
            differs, (17, 17) in 0..1, symmetric.
        shown: How surely each point of the level frame shows the face: skin, glasses or beard; (64, 64) in 0..1.
        pose: The pose of the head.
        pose_field: How far a turn moves the points of a face by its sine, (17, 17, 2) in normalized face coordinates;
            zeros if it is not known.
        irises: The irises, which may be hidden.
    """

    photo_from_face: Array
    mask: Floats
    weights: Floats
    weigh_frame: Callable[[], Floats]
    hidden: Floats
    shown: Floats
    pose: Pose
    pose_field: Floats
    irises: Irises

    @cached_property
    def framed_weights(self) -> Floats:
        """The weights of an aligned face: q in the face, but one side alone around it, (65, 65) in 0..1."""
        return self.weigh_frame()

    @cached_property
    def photo_from_level(self) -> Array:
        """Matrix of the similarity that the warp has at the face frame's edge: where the symmetric face lies."""
        return similarity_of_warp(self.photo_from_face)

    @cached_property
    def midline(self) -> Midline:
        """The face's midline in the photo.

        It is upright in the level frame, and runs through the middles of brows, eyes, mouth and jaw, as that of
        landmarks which people place all over a face. The middle of the frame itself follows the nose. Where a head is
        turned, both lie aside by their depth: what a turn beyond FRONTAL_TURN does to the features is taken out.
        """
        level_from_photo = np.linalg.inv(self.photo_from_level)
        points = apply(level_from_photo, self.photo_from_face)
        turned = self.pose.displacement @ level_from_photo[:2, :2].T
        beyond = 1 - FRONTAL_TURN / max(abs(self.pose.yaw_degrees), FRONTAL_TURN)
        aside = (points - beyond * turned)[..., 0]
        weights = area_weights(BROWS, EYES, MOUTH, JAW)
        return midline_of_level(self.photo_from_level, float((aside * weights).sum() / weights.sum()))

    @property
    def strength(self) -> float:
        """How far a face that keeps its pose is made symmetric, 0..1: less where the far side is hardly seen."""
        return self._nearly_frontal(FAR_TURNS)

    @property
    def likeness(self) -> float:
        """How alike both sides of a face that keeps its pose look, 0..1: in perspective, their detail differs."""
        return self._nearly_frontal(UNLIKE_TURNS)

    @property
    def width(self) -> float:
        """How wide the face lies in its frame, as a share of its width from the front: the cosine of the yaw."""
        return math.cos(math.radians(min(abs(self.pose.yaw_degrees), FAR_TURNS[0])))

    def widened(self) -> "FaceWarp":
        """Return the warp of this face in a frame in which it is as wide as from the front, and not turned."""
        return replace(
            self,
            photo_from_face=widen(self.photo_from_face, self.width),
            mask=_widen_map(self.mask, self.width),
            weights=_widen_map(self.weights, self.width),
            weigh_frame=lambda: _widen_map(self.framed_weights, self.width),
            hidden=_widen_map(self.hidden, self.width),
            irises=replace(self.irises, places=self.irises.places / [self.width, 1, 1]),
            pose=Pose(np.zeros_like(self.pose.displacement), turn=0.0, share=0.0),
        )

    def moved(self, new_from_photo: Array) -> "FaceWarp":
        """Return the warp of this face in a photo whose pixels lie elsewhere, by a 3 x 3 matrix."""
        return replace(
            self,
            photo_from_face=apply(new_from_photo, self.photo_from_face),
            pose=self.pose._replace(displacement=self.pose.displacement @ new_from_photo[:2, :2].T),
        )

    def _nearly_frontal(self, turns: tuple[float, float]) -> float:
        """Return 1 up to the first of two yaws in degrees, 0 from the second one on, and in between what lies there."""
        turned = (abs(self.pose.yaw_degrees) - turns[0]) / (turns[1] - turns[0])
        return 1 - min(max(turned, 0.0), 1.0)

    @property
    def eye_distance(self) -> float:
        """Distance between the eyes' centers of the symmetric face, in photo pixels."""
        return float(EYE_DISTANCE_FACE * np.linalg.norm(self.photo_from_level[:2, 0]))


@dataclass(frozen=True)
class FacePrediction:
    """What the network predicts for a face: all that is needed to render results.

    Attributes:
        decode: Decodes the face; `decoded` does so once.
        warp: Where it lies in the photo; None for the paper's network, which does not say.
    """

    decode: Callable[[], Photo]
    warp: FaceWarp | None

    @cached_property
    def decoded(self) -> Photo:
        """The face as the network decodes it, (128, 128, 3), exactly symmetric, gray outside of the face."""
        return self.decode()

    def moved(self, new_from_photo: Array) -> "FacePrediction":
        """Return the same of a photo whose pixels lie elsewhere, by a 3 x 3 matrix."""
        return FacePrediction(lambda: self.decoded, None if self.warp is None else self.warp.moved(new_from_photo))

    @cached_property
    def frontal(self) -> "FacePrediction":
        """The same of the face as it is from the front; without a warp, there is no telling."""
        if self.warp is None or self.warp.width == 1:
            return self
        return FacePrediction(partial(_decode_widened, self, self.warp.width), self.warp.widened())


def _decode_widened(prediction: FacePrediction, width: float) -> Photo:
    wide = widen(prediction.decoded, width)
    symmetric: Photo = ((wide + wide[:, ::-1]) / 2).round().clip(0, 255).astype(np.uint8)
    return symmetric


def _widen_map(values: Floats, width: float) -> Floats:
    return np.asarray(widen(values, width).clip(0, 1), np.float32)


def widen(values: NDArray[np.floating] | Photo, width: float) -> Array:
    """Stretch values over a face frame, (H, N) or (H, N, C), sideways from `width` of it to all of it."""
    count = values.shape[1]
    weights = interpolating_weights(count, width * np.linspace(-1, 1, count))
    return np.moveaxis(np.tensordot(weights, np.asarray(values, np.float64), (1, 1)), 0, 1)


def render_face(photo: Photo, prediction: FacePrediction, side: Side = "both", size: int | None = None) -> Photo:
    """Render the symmetric face as from the front, (S, S, 3), from the photo's own pixels; it equals its mirror image.

    Args:
        photo: The photo, (H, W, 3).
        prediction: What the network predicted for one of its faces.
        side: What it is made of; each side where it shows more, or one side and its mirror image (a chimeric face,
            but of symmetric shape). Without a warp there are no sides, and the decoded face is the result.
        size: S, instead of the photo's own resolution.
    """
    prediction = prediction.frontal
    warp = prediction.warp
    if warp is None:
        return prediction.decoded
    weights = warp.framed_weights if side == "both" else one_side(side)
    warped = warp_photo(photo, warp.photo_from_face, size or native_size(warp.photo_from_face))
    face = blend_photo_sides(warped, weights)
    draw_eyes(face, photo, warp.photo_from_face, warp.irises, weights)
    if warp.hidden.any():
        face = fill_hidden(face, prediction.decoded, warp.hidden)
    pixels: Photo = face.round().clip(0, 255).astype(np.uint8)
    return pixels


def one_side(side: Side) -> NDArray[np.float32]:
    """Return weights (17, 17) that take everything from one side."""
    columns = np.sign(np.linspace(1, -1, GRID) if side == "left" else np.linspace(-1, 1, GRID))
    return np.broadcast_to(((1 + columns) / 2).astype(np.float32), (GRID, GRID))


def blend_photo_sides(face: NDArray[np.uint8], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Blend a face with its mirror image: q(u) a(u) + q(u') a(u'), exactly symmetric (S, S, 3), 0 to 255.

    u' is the mirror image of u.

    Args:
        face: The warped photo a, (S, S, 3).
        weights: q over the face frame, (N, N).
    """
    q = enlarge(weights, face.shape[0]).clip(0, 1)
    q = q / np.maximum(q + q[:, ::-1], 1e-6)
    weighted: NDArray[np.float32] = face * q[..., None]
    return weighted + weighted[:, ::-1]


def fill_hidden(
    face: NDArray[np.float32], decoded: NDArray[np.uint8], hidden: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Replace what neither side of the photo shows by what the VAE decodes; the result is exactly symmetric.

    Args:
        face: The blended face (S, S, 3), 0 to 255.
        decoded: The face that the VAE decodes, (128, 128, 3).
        hidden: How far each control point is to be drawn, (17, 17), 0..1.
    """
    size = len(face)
    amount = enlarge(hidden, size).clip(0, 1)[..., None]
    large = cv2.resize(decoded, (size, size), interpolation=cv2.INTER_CUBIC)
    filled = face + amount * (large - face)
    symmetric: NDArray[np.float32] = (filled + filled[:, ::-1]) / 2
    return symmetric
