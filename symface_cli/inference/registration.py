"""Registration of a face's two sides: the network's warp brings them close, this lays them over each other.

The network was trained on landmarks, which say little about small asymmetries: of a brow raised on one side only, its
warp follows two fifths. What is left is seen directly, as motion between the warped face and its mirror image.
"""

import math
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry.frames import EYE_DISTANCE_FACE, apply, fit_similarity, pixel_from_normalized
from symface_cli.geometry.sampling import enlarge, resample
from symface_cli.geometry.types import Array, Floats, Photo
from symface_cli.geometry.warping import remap
from symface_cli.geometry.warps import GRID, control_points

SURROUNDINGS = 1.25  # side of what is sampled first, in face frames
CONTRAST_BLUR = 0.02  # of the face frame's side, deviation: what is smoother is light, not a feature
CONTRAST_FLOOR = 4.0  # gray levels: noise below is not made a feature
FINEST = 1.5  # px, deviation: what is finer is not followed
MOTION_WINDOW = 4.5  # px, deviation, over which motion is taken to be the same
CONTRAST_UNIT = 40.0  # gray levels: what a contrast as strong as is usual around it becomes; FINEST and DAMPING fit it
DAMPING = 0.1  # squared slope of the contrast, in its gray levels per pixel, below which motion is hardly followed
SAMPLES = (MOTION_WINDOW / FINEST) ** 2  # independent differences in a window: its area, over that of the blur


@dataclass(frozen=True)
class Registration:
    """How thoroughly two sides are registered, and when what is seen is believed.

    Attributes:
        sides: Of the rectified faces, one for each round, in pixels; 16 n + 1, so that the control points lie on them.
        limit: Which shift is not exceeded in a round, in normalized face coordinates.
        apart: How far the two sides are expected to be apart, a deviation in normalized face coordinates. The less they
            look alike once they lie on each other, the less they are moved. If infinite, they are moved all the same.
    """

    sides: tuple[int, ...]
    limit: float
    apart: float


QUICK = Registration(sides=(129,), limit=0.015, apart=math.inf)
"""For pictures. The limit keeps a nose that is lit from one side from being taken for a narrow one."""

THOROUGH = Registration(sides=(129, 257, 257), limit=math.inf, apart=0.025 * EYE_DISTANCE_FACE)
"""For measuring: follows large asymmetries, too, where the two sides look alike. By landmarks placed by hand, areas are
0.5 to 2.7 % of the eye distance apart before (deviations, docs/experiments.md, 23)."""


def refine_warp(
    photo: Photo, photo_from_face: Array, mask: NDArray[np.floating], registration: Registration = THOROUGH
) -> Array:
    """Change the warp (17, 17, 2) of a photo (H, W, 3) so that both sides of the face lie on each other.

    `mask` is how much each control point belongs to the face and can be seen, (17, 17) in 0..1, symmetric.
    """
    moved = np.zeros_like(photo_from_face)
    for side in registration.sides:
        face = rectify_photo(photo, photo_from_face, mask, side)
        shifts = limit_shifts(register_sides(face, mask, moved, registration.apart), registration.limit)
        photo_from_face = move_warp(photo_from_face, shifts)
        moved = moved + shifts
    return photo_from_face


def rectify_photo(photo: Photo, photo_from_face: Array, mask: NDArray[np.floating], side: int) -> Photo:
    """Sample the face of a photo (H, W, 3) through its warp (17, 17, 2): in its frame, (side, side, 3), not aliased.

    `mask` is how much each control point belongs to the face, (17, 17) in 0..1.
    """
    photo_from_level = fit_similarity(control_points(), photo_from_face, mask)
    narrower = np.diag([1 / SURROUNDINGS, 1 / SURROUNDINGS, 1.0])
    view_side = round(SURROUNDINGS * (side - 1)) + 1
    view_from_photo = pixel_from_normalized(view_side) @ narrower @ np.linalg.inv(photo_from_level)
    view = resample(photo, view_from_photo, view_side)
    where = enlarge(apply(view_from_photo, photo_from_face), side)
    return remap(view, where, cv2.INTER_LINEAR, cv2.BORDER_REFLECT_101)


class _Means(NamedTuple):
    """Means over the window around each control point, (17, 17), of products of slopes (x, y) and differences (t)."""

    xx: Floats
    yy: Floats
    xy: Floats
    xt: Floats
    yt: Floats
    tt: Floats


def register_sides(face: Photo, mask: NDArray[np.floating], moved: Array, apart: float) -> Array:
    """Find how far points of the face frame move for the face to match its mirror image, (17, 17, 2), normalized.

    One step of Lucas and Kanade's (1981) for the motion m from the face a to its mirror image a': around each control
    point, m minimizes the sum of (grad((a + a') / 2) m + a' - a)^2 over a Gaussian window, in which the face alone
    counts, damped. A point and its partner are met half-way: the shifts of both are mirror images of each other with
    the sign changed.

    What no motion explains is noise: skin and light that differ between the sides. With its variance there, and that
    of the whole motion, which is expected around 0, the motion found is the most probable one.

    Args:
        face: A rectified face, (S, S, 3) with S = 16 n + 1.
        mask: How much each control point belongs to it, (17, 17) in 0..1, symmetric.
        moved: The shifts of earlier rounds, (17, 17, 2), normalized.
        apart: Deviation of the whole motion, normalized; infinite if nothing is expected of it.
    """
    pixels = (len(face) - 1) / 2  # to a unit
    means = _mean_products(face, mask)
    damping = DAMPING + _unexplained(means) / (SAMPLES * (apart * pixels) ** 2)
    motion = _find_motion(means, damping, (-2 * pixels * moved).astype(np.float32))
    shifts: Array = -motion / (2 * pixels) * (2 * mask).clip(0, 1)[..., None]  # half of it, in normalized coordinates
    return shifts


def _mean_products(face: Photo, mask: NDArray[np.floating]) -> _Means:
    """Return what the features of a face and its mirror image say of the motion between them."""
    side = len(face)
    features = cv2.GaussianBlur(even_contrast(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)), (0, 0), FINEST)
    mirrored = features[:, ::-1]
    mean, dt = (features + mirrored) / 2, mirrored - features
    dx, dy = (cv2.Sobel(mean, cv2.CV_32F, *order, ksize=1, scale=0.5) for order in ((1, 0), (0, 1)))
    inside, window = enlarge(mask, side).clip(0, 1), _window(side)
    x, y, t = inside * dx, inside * dy, inside * dt
    products = np.empty((len(_Means._fields), side, side), np.float32)
    for product, (one, other) in zip(products, ((x, dx), (y, dy), (x, dy), (x, dt), (y, dt), (t, dt)), strict=True):
        np.multiply(one, other, out=product)
    return _Means(*(window @ products @ window.T))


def _find_motion(means: _Means, damping: Floats | float, before: Floats) -> Array:
    """Return the motion in pixels, (17, 17, 2), which damping keeps small together with that `before` it."""
    xx, yy, xy = means.xx + damping, means.yy + damping, means.xy
    xt, yt = means.xt + damping * before[..., 0], means.yt + damping * before[..., 1]
    motion: Array = np.stack([xy * yt - yy * xt, xy * xt - xx * yt], -1) / (xx * yy - xy * xy)[..., None]
    return motion


def _unexplained(means: _Means) -> Floats:
    """Return the mean squared difference between the sides that no motion explains, (17, 17)."""
    motion = _find_motion(means, DAMPING, np.zeros((GRID, GRID, 2), np.float32))
    rest: Floats = np.maximum(means.tt + motion[..., 0] * means.xt + motion[..., 1] * means.yt, 0)
    return rest


@cache
def _window(side: int) -> NDArray[np.float32]:
    """Return Gaussian weights (17, side) of the pixels around each control point."""
    apart = np.arange(side) - np.linspace(0, side - 1, GRID)[:, None]
    weights = np.exp(-((apart / MOTION_WINDOW) ** 2) / 2)
    window: NDArray[np.float32] = (weights / weights.sum(1).max()).astype(np.float32)
    return window


def limit_shifts(shifts: Array, limit: float) -> Array:
    """Shorten shifts (17, 17, 2) smoothly to at most `limit`; small ones stay as they are."""
    if math.isinf(limit):
        return shifts
    length = np.linalg.norm(shifts, axis=-1, keepdims=True)
    limited: Array = shifts * (limit * np.tanh(length / limit) / np.maximum(length, 1e-9))
    return limited


def move_warp(photo_from_face: Array, shifts: Array) -> Array:
    """Return the warp W(u + shift(u)) to first order, (17, 17, 2); exact for an affine warp.

    `shifts` are in normalized coordinates. They are small, and the warp is nearly affine.
    """
    down, across = np.gradient(photo_from_face, 2 / (GRID - 1), axis=(0, 1))
    moved: Array = photo_from_face + across * shifts[..., :1] + down * shifts[..., 1:]
    return moved


def even_contrast(gray: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Divide differences to the surroundings by what is usual there: light from one side leaves no trace."""
    blur = CONTRAST_BLUR * len(gray)
    difference = gray - cv2.GaussianBlur(gray.astype(np.float32), (0, 0), blur)
    usual = np.sqrt(cv2.GaussianBlur(difference**2, (0, 0), 1.5 * blur)) + CONTRAST_FLOOR
    even: NDArray[np.float32] = CONTRAST_UNIT * difference / usual
    return even
