"""The two sides of a face laid over each other to the point, where the network's warp brings them close.

The network was trained on landmarks, which say little about small asymmetries: of a brow raised on one side only, its
warp follows two fifths. What is left is seen directly, as motion between the warped face and its mirror image.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.compositing import enlarge, resample, warp_photo
from symface_cli.geometry import GRID, Array, apply, control_points, fit_similarity, pixel_from_normalised
from symface_cli.images import Photo

FACE_SIDE = 257  # px, so that the control points lie on pixels
CONTROL = slice(None, None, (FACE_SIDE - 1) // (GRID - 1))  # which pixels those are
SURROUNDINGS = 1.25  # side of what is sampled first, in face frames
VIEW_SIDE = 321  # px, of the same: 257 px are one face frame
CONTRAST_BLUR = 0.02 * FACE_SIDE  # px, deviation: what is smoother is light, not a feature
CONTRAST_FLOOR = 4.0  # grey levels: noise below is not made a feature
WINDOW = 21  # px, over which motion is taken to be the same: 0.3 of the eye distance
SMOOTHING = 0.015 * FACE_SIDE  # px, deviation
ROUNDS = 2  # of registration: after one, 8 % of an asymmetry are left


def refine_warp(photo: Photo, photo_from_face: Array, mask: NDArray[np.floating]) -> Array:
    """The warp (17, 17, 2) of a photo (H, W, 3), changed so that both sides of the face lie on each other.

    `mask` is how much each control point belongs to the face, (17, 17) in 0..1, symmetric.
    """
    for _ in range(ROUNDS):
        face = rectify_photo(photo, photo_from_face, mask)
        photo_from_face = move_warp(photo_from_face, register_sides(face, mask))
    return photo_from_face


def rectify_photo(photo: Photo, photo_from_face: Array, mask: NDArray[np.floating]) -> Photo:
    """The face of a photo (H, W, 3) in its frame, (257, 257, 3), sampled through its warp (17, 17, 2) without aliasing.

    `mask` is how much each control point belongs to the face, (17, 17) in 0..1.
    """
    photo_from_level = fit_similarity(control_points(), photo_from_face, mask)
    narrower = np.diag([1 / SURROUNDINGS, 1 / SURROUNDINGS, 1.0])
    view_from_photo = pixel_from_normalised(VIEW_SIDE) @ narrower @ np.linalg.inv(photo_from_level)
    view = resample(photo, view_from_photo, VIEW_SIDE)
    return warp_photo(view, apply(view_from_photo, photo_from_face), FACE_SIDE)


def register_sides(face: Photo, mask: NDArray[np.floating]) -> Array:
    """How far points of the face frame move so that the face is nearest to its mirror image, (17, 17, 2), normalised.

    The shifts of a point and of its mirror image are mirror images of each other with the sign changed. They come from
    Farnebäck's optical flow (2003), and fade out with the mask.

    Args:
        face: A rectified face, (257, 257, 3).
        mask: How much each control point belongs to it, (17, 17) in 0..1, symmetric.
    """
    features = _even_contrast(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY))
    mirrored = np.ascontiguousarray(features[:, ::-1])
    flow = cv2.calcOpticalFlowFarneback(
        features, mirrored, None, 0.5, 3, WINDOW, 3, 5, 1.1, cv2.OPTFLOW_FARNEBACK_GAUSSIAN
    )
    inside = enlarge(mask, FACE_SIDE).clip(0, 1)[..., None]
    counted = cv2.GaussianBlur(inside * (flow - mirror_field(flow)) / 2, (0, 0), SMOOTHING)
    smooth = counted / cv2.GaussianBlur(inside, (0, 0), SMOOTHING).clip(0.05)[..., None]
    # A point and its partner are met half-way; pixels to normalised coordinates.
    shifts: Array = -smooth[CONTROL, CONTROL] / (FACE_SIDE - 1) * (2 * mask).clip(0, 1)[..., None]
    return shifts


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
    difference = grey - cv2.GaussianBlur(grey.astype(np.float32), (0, 0), CONTRAST_BLUR)
    usual = np.sqrt(cv2.GaussianBlur(difference**2, (0, 0), 1.5 * CONTRAST_BLUR)) + CONTRAST_FLOOR
    even: NDArray[np.float32] = 40 * difference / usual
    return even
