"""What of a warp is the head's pose, and what the face's own asymmetry.

With S the similarity that a warp W has at the face frame's edge, write W(u) = S(u + e(u)), and split e with u' the
mirror image of u and M the reflection about the midline:

    even(u) = (e(u) + M e(u')) / 2,    odd(u) = (e(u) - M e(u')) / 2

Of a symmetric face seen from the front, odd is 0. Of a symmetric face that is turned, it is t Z(u): Z is how far the
face's points move sideways, by their depth, and t the sine of the turn. The first principal component of the odd parts
of photos holds 94 % of their variance, and follows the turn: it is Z. So

    pose(u) = even(u) + t Z(u)    is how a symmetric face in this pose would lie,
    odd(u) - t Z(u)               is what is asymmetric about it.

An asymmetry that moves a face in just the way a turn does, such as a nose bent like that, is taken for a turn.
"""

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry.frames import apply
from symface_cli.geometry.sampling import enlarge_planes
from symface_cli.geometry.types import Array
from symface_cli.geometry.warping import remap
from symface_cli.geometry.warps import control_points, slope_matrix

ROUNDS = 12  # at most, in which a pose is inverted; at 25 degrees, an error of 0.01 is left
INVERSE_SIZE = 33  # points along each side at which it is inverted
FINE_SIZE = 129  # points along each side at which it is sampled: OpenCV rounds to 1/32 of their distance
CONVERGED = 0.03  # of this distance, by which nothing changes any more


class Pose(NamedTuple):
    """The pose of a head, in a photo."""

    displacement: Array
    """By how much the points of the face frame lie elsewhere than under the similarity, photo pixels (17, 17, 2)."""
    turn: float
    """Sine of the turn that this needs."""
    share: float
    """Of the odd displacement in the face, how much this explains, 0..1, as a share of the sum of squares."""

    @property
    def yaw_degrees(self) -> float:
        """The turn as an angle, positive when the nose points to the viewer's right."""
        return math.degrees(math.asin(min(max(self.turn, -1.0), 1.0)))


def pose_of_warp(
    photo_from_face: Array, photo_from_level: Array, mask: NDArray[np.floating], field: NDArray[np.floating]
) -> Pose:
    """Split a warp.

    Args:
        photo_from_face: The warp, (17, 17, 2) in photo pixels.
        photo_from_level: Its similarity, as a matrix.
        mask: How much each point belongs to the face and can be trusted, (17, 17) in 0..1.
        field: Z, (17, 17, 2) in normalized face coordinates; zeros know no pose.
    """
    even, odd = split_odd(photo_from_face, photo_from_level)
    turn, share = project_on(odd, field, mask)
    return Pose((even + turn * field) @ photo_from_level[:2, :2].T, turn, share)


def split_odd(photo_from_face: Array, photo_from_level: Array) -> tuple[Array, Array]:
    """Return the even and the odd part (17, 17, 2) of a warp's displacement, in normalized face coordinates."""
    moved = (photo_from_face - apply(photo_from_level, control_points())) @ np.linalg.inv(photo_from_level[:2, :2]).T
    mirrored = moved[:, ::-1] * [-1, 1]
    return (moved + mirrored) / 2, (moved - mirrored) / 2


def project_on(odd: Array, field: NDArray[np.floating], mask: NDArray[np.floating]) -> tuple[float, float]:
    """Return how much of a field (17, 17, 2) an odd displacement (17, 17, 2) holds, and which share of it that is."""
    weight = mask[..., None]
    square, product = float((weight * field**2).sum()), float((weight * odd * field).sum())
    whole = float((weight * odd**2).sum())
    if square == 0 or whole == 0:
        return 0.0, 0.0
    return product / square, product**2 / (square * whole)


def face_from_level(displacement: Array, photo_from_level: Array) -> Array:
    """Return which point of the face frame a posed head shows at the points of the level frame, (33, 33, 2).

    That is the inverse of u -> u + d(u), both in normalized coordinates, by steps of level - u - d(u). Where the near
    side is stretched, they would go too far, and are as much shorter; where the far side turns away from the camera
    there is no inverse, and the points lie near.

    Args:
        displacement: Of the pose, photo pixels (17, 17, 2).
        photo_from_level: The similarity, as a matrix.
    """
    planes = np.linalg.inv(photo_from_level[:2, :2]) @ displacement.reshape(-1, 2).T
    moves = planes.reshape(2, *displacement.shape[:2])
    scale = np.float32((FINE_SIZE - 1) / 2)  # pixels of the finer grid
    fields = cv2.merge(list(enlarge_planes(np.concatenate([moves * scale, 1 / _stretch(*moves)]), FINE_SIZE)))
    level = (control_points(INVERSE_SIZE).astype(np.float32) + 1) * scale
    face = level
    for _ in range(ROUNDS):
        moved_x, moved_y, *shares = cv2.split(remap(fields, face, cv2.INTER_LINEAR, cv2.BORDER_REPLICATE))
        step = cv2.multiply(cv2.merge(shares), level - face - cv2.merge([moved_x, moved_y]))
        face = face + step
        if cv2.norm(step, cv2.NORM_INF) < CONVERGED:
            break
    return np.asarray(face / scale - 1, np.float64)


def _stretch(x: Array, y: Array) -> Array:
    """Return by how much u -> u + (x(u), y(u)) stretches the frame along x and along y, at least 1, (2, 17, 17)."""
    slopes = slope_matrix(len(x)) * (len(x) - 1) / 2  # in normalized coordinates
    stretch: Array = np.maximum(1 + np.stack([x @ slopes.T, slopes @ y]), 1)
    return stretch
