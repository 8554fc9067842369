"""The two sides of a face laid over each other to the point, where the network's warp brings them close.

The network was trained on landmarks, which say little about small asymmetries: of a brow raised on one side only, its
warp follows two fifths. What is left is seen directly, as motion between the warped face and its mirror image.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.compositing import enlarge, resample, warp_photo
from symface_cli.geometry import GRID, Array, apply, control_points, fit_similarity, pixel_from_normalised
from symface_cli.images import Photo

SURROUNDINGS = 1.25  # side of what is sampled first, in face frames
CONTRAST_BLUR = 0.02  # of the face frame's side, deviation: what is smoother is light, not a feature
CONTRAST_FLOOR = 4.0  # grey levels: noise below is not made a feature
SMOOTHING = 0.015  # of the face frame's side, deviation


@dataclass(frozen=True)
class Registration:
    """How thoroughly two sides are registered.

    Attributes:
        side: Of the rectified face, in pixels; 16 n + 1, so that the control points lie on pixels.
        window: Over which motion is taken to be the same, in pixels.
        levels: Of the flow's pyramid.
        iterations: Of the flow on each level.
        rounds: How often the face is rectified and registered.
        limit: Which shift is not exceeded in a round, in normalised face coordinates.
    """

    side: int
    window: int
    levels: int
    iterations: int
    rounds: int
    limit: float


QUICK = Registration(side=129, window=21, levels=2, iterations=1, rounds=1, limit=0.015)
"""For pictures: 3 ms. The limit keeps a nose that is lit from one side from being taken for a narrow one."""

THOROUGH = Registration(side=257, window=21, levels=3, iterations=3, rounds=2, limit=math.inf)
"""For measuring: follows large asymmetries, too. After one round, 8 % of an asymmetry are left."""


def refine_warp(
    photo: Photo, photo_from_face: Array, mask: NDArray[np.floating], registration: Registration = THOROUGH
) -> Array:
    """The warp (17, 17, 2) of a photo (H, W, 3), changed so that both sides of the face lie on each other.

    `mask` is how much each control point belongs to the face and can be seen, (17, 17) in 0..1, symmetric.
    """
    for _ in range(registration.rounds):
        face = rectify_photo(photo, photo_from_face, mask, registration.side)
        shifts = register_sides(face, mask, registration)
        photo_from_face = move_warp(photo_from_face, limit_shifts(shifts, registration.limit))
    return photo_from_face


def rectify_photo(photo: Photo, photo_from_face: Array, mask: NDArray[np.floating], side: int) -> Photo:
    """The face of a photo (H, W, 3) in its frame, (side, side, 3), sampled through its warp (17, 17, 2), not aliased.

    `mask` is how much each control point belongs to the face, (17, 17) in 0..1.
    """
    photo_from_level = fit_similarity(control_points(), photo_from_face, mask)
    narrower = np.diag([1 / SURROUNDINGS, 1 / SURROUNDINGS, 1.0])
    view_side = round(SURROUNDINGS * (side - 1)) + 1
    view_from_photo = pixel_from_normalised(view_side) @ narrower @ np.linalg.inv(photo_from_level)
    view = resample(photo, view_from_photo, view_side)
    return warp_photo(view, apply(view_from_photo, photo_from_face), side)


def register_sides(face: Photo, mask: NDArray[np.floating], registration: Registration) -> Array:
    """How far points of the face frame move so that the face is nearest to its mirror image, (17, 17, 2), normalised.

    The shifts of a point and of its mirror image are mirror images of each other with the sign changed. They come from
    Farnebäck's optical flow (2003), and fade out with the mask.

    Args:
        face: A rectified face, (S, S, 3) with the registration's side.
        mask: How much each control point belongs to it, (17, 17) in 0..1, symmetric.
        registration: How thoroughly; rounds and limit do not matter here.
    """
    side, how = registration.side, (registration.levels, registration.window, registration.iterations)
    features = _even_contrast(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY))
    mirrored = np.ascontiguousarray(features[:, ::-1])
    flow = cv2.calcOpticalFlowFarneback(features, mirrored, None, 0.5, *how, 5, 1.1, cv2.OPTFLOW_FARNEBACK_GAUSSIAN)
    inside = enlarge(mask, side).clip(0, 1)[..., None]
    counted = cv2.GaussianBlur(inside * (flow - mirror_field(flow)) / 2, (0, 0), SMOOTHING * side)
    smooth = counted / cv2.GaussianBlur(inside, (0, 0), SMOOTHING * side).clip(0.05)[..., None]
    # A point and its partner are met half-way; pixels to normalised coordinates.
    control = slice(None, None, (side - 1) // (GRID - 1))
    shifts: Array = -smooth[control, control] / (side - 1) * (2 * mask).clip(0, 1)[..., None]
    return shifts


def limit_shifts(shifts: Array, limit: float) -> Array:
    """Shifts (17, 17, 2) that are at most `limit` long; small ones as they are, longer ones smoothly shortened."""
    if math.isinf(limit):
        return shifts
    length = np.linalg.norm(shifts, axis=-1, keepdims=True)
    limited: Array = shifts * (limit * np.tanh(length / limit) / np.maximum(length, 1e-9))
    return limited


def move_warp(photo_from_face: Array, shifts: Array) -> Array:
    """The warp W(u + shift(u)) to first order, (17, 17, 2); exact for an affine warp.

    `shifts` are in normalised coordinates. They are small, and the warp is nearly affine.
    """
    down, across = np.gradient(photo_from_face, 2 / (GRID - 1), axis=(0, 1))
    moved: Array = photo_from_face + across * shifts[..., :1] + down * shifts[..., 1:]
    return moved


def mirror_field(field: NDArray[np.floating]) -> NDArray[np.floating]:
    """Vectors (..., W, 2) over the face frame, as they are in the mirror image."""
    return field[..., ::-1, :] * np.array([-1, 1], field.dtype)


def _even_contrast(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Differences to the surroundings, in units of what is usual there: light from one side leaves no trace."""
    blur = CONTRAST_BLUR * len(grey)
    difference = grey - cv2.GaussianBlur(grey.astype(np.float32), (0, 0), blur)
    usual = np.sqrt(cv2.GaussianBlur(difference**2, (0, 0), 1.5 * blur)) + CONTRAST_FLOOR
    even: NDArray[np.float32] = 40 * difference / usual
    return even
