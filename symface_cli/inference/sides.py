"""Which side of a face is shown where: the nearer one, the one that is seen, the one that is skin."""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry.frames import apply, pixel_from_normalized
from symface_cli.geometry.sampling import enlarge
from symface_cli.geometry.types import Array, Floats
from symface_cli.geometry.warping import remap
from symface_cli.geometry.warps import GRID, areas_of_warp
from symface_cli.network.maps import LEAST_VISIBLE, SEEN, UNSEEN, VISIBLE_POWER

SIDES_SIZE = 65  # points along each side of the face frame at which the sides are weighed
SKIN_LEAD = 3.0  # logarithm of how much more skin counts than what is none
SKIN_BLUR = 2.0  # points, deviation: so far beyond its hairline a side still counts more
LEAST_AREA = 6e-4  # of foreshortening, where a warp folds over; 1 is that of the level frame
SIDES_ALIKE, SIDES_DIFFERENT = 0.03, 0.09  # mean difference of a patch to its mirror image, in 0..1
OUTLINE = 0.5  # mask on the face's outline
SHOWN, NOT_SHOWN = 0.65, 0.35  # probability of face from which on a point surely shows it, and below which it does not


def weigh_sides(photo_from_face: Array, photo_from_level: Array, visible: NDArray[np.floating]) -> Floats:
    """Return q(u), how much each side counts beside its mirror image, (65, 65) in 0..1.

    q(u) = a(u) / (a(u) + a(u')), a(u) = J(u) v(u), u' the mirror image of u: J is the foreshortening, v a power of the
    visibility.

    Args:
        photo_from_face: The warp, (17, 17, 2).
        photo_from_level: Its similarity, as a matrix.
        visible: How surely nothing lies in front of the control points, (17, 17) in 0..1.
    """
    seen = enlarge(visible, SIDES_SIZE).clip(0, 1) ** VISIBLE_POWER + LEAST_VISIBLE
    area = relative_area(photo_from_face, photo_from_level)
    amount = enlarge(area, SIDES_SIZE).clip(LEAST_AREA) * seen
    weights: Floats = np.asarray(amount / (amount + amount[:, ::-1]), np.float32)
    return weights


def seen_on_both_sides(visible: Floats) -> Floats:
    """Return how far both sides show a point of the face, (17, 17) in 0..1, symmetric."""
    worse = np.minimum(visible, visible[:, ::-1])
    seen: Floats = ((worse - UNSEEN) / (SEEN - UNSEEN)).clip(0, 1)
    return seen


def unlike_sides(face: Floats) -> Floats:
    """Measure how far a rectified face (S, S, 3) in 0..1 differs from its mirror image around each control point.

    Returns:
        (17, 17) in 0..1, symmetric: 0 where both sides show the same, as the lenses of dark glasses do.
    """
    means = _patch_means(len(face))
    around = (means @ np.abs(face - face[:, ::-1]).mean(-1) @ means.T).astype(np.float32)
    around = (around + around[:, ::-1]) / 2  # rounding differs
    smooth = cv2.blur(around, (3, 3), borderType=cv2.BORDER_REPLICATE)
    unlike: Floats = ((smooth - SIDES_ALIKE) / (SIDES_DIFFERENT - SIDES_ALIKE)).clip(0, 1)
    return unlike


@cache
def _patch_means(size: int) -> Floats:
    """Return the matrix (17, size) that takes means over as many patches, which cover all values and may overlap."""
    matrix = np.zeros((GRID, size), np.float32)
    for place in range(GRID):
        patch = slice(place * size // GRID, -(-(place + 1) * size // GRID))
        matrix[place, patch] = 1 / (patch.stop - patch.start)
    return matrix


def prefer_skin(weights: Floats, shown: Floats) -> Floats:
    """Return weights (65, 65) that show skin where one side has hair and the other one skin.

    q is multiplied by exp(k f), f the share of the surroundings that is face. So the border is the hairline of the side
    that shows more, and what lies beyond it is that side's, too.

    Args:
        weights: q, (65, 65).
        shown: How surely each point shows the face, (65, 65) in 0..1.
    """
    amount = weights * np.exp(SKIN_LEAD * cv2.GaussianBlur(shown, (0, 0), SKIN_BLUR))
    preferred: Floats = np.asarray(amount / (amount + amount[:, ::-1]), np.float32)
    return preferred


def sample_shown(shown: Floats, photo_from_face: Array, photo_from_level: Array) -> Floats:
    """Sample what the level frame shows, (S, S), at the points of the face frame: (65, 65) in 0..1."""
    points = apply(pixel_from_normalized(len(shown)) @ np.linalg.inv(photo_from_level), photo_from_face)
    return remap(shown, enlarge(points, SIDES_SIZE), cv2.INTER_LINEAR, cv2.BORDER_REPLICATE)


def frame_sides(weights: Floats, mask: NDArray[np.floating], shown: Floats, left: float | None = None) -> Floats:
    """Return weights (65, 65) that blend both sides in the face, but show one side's surroundings mirrored.

    Hair, ears and background do not match their mirror image: blended they would be ghosts. The side is the one whose
    face counts more. Its part begins inside the face, so that no background of the other side shines along the jaw.

    Args:
        weights: q, (65, 65).
        mask: How much each control point belongs to the face, (17, 17) in 0..1.
        shown: How surely each point shows the face, (65, 65) in 0..1.
        left: How much of the surroundings is the left side's, in 0..1; None for all or nothing, as above.
    """
    inside = _well_inside(mask, shown)
    if left is None:
        left = float(share_of_left(weights, mask, shown) >= 0.5)
    ticks = np.sign(np.linspace(-1, 1, SIDES_SIZE))
    columns = (1 + ticks * (1 - 2 * left)) / 2
    framed: Floats = np.asarray(columns * (1 - inside) + weights * inside, np.float32)
    return framed


def share_of_left(weights: Floats, mask: NDArray[np.floating], shown: Floats) -> float:
    """Return how much the left side of a face counts, as a share of both, given what `frame_sides` is."""
    counted, half = weights * _well_inside(mask, shown), SIDES_SIZE // 2
    left, right = float(counted[:, :half].sum()), float(counted[:, -half:].sum())
    return left / (left + right) if left + right else 0.5


def _well_inside(mask: NDArray[np.floating], shown: Floats) -> Floats:
    """Return how far points are inside of the face, and one of the sides shows it there, (65, 65) in 0..1."""
    inside = ((enlarge(mask, SIDES_SIZE) - OUTLINE) / (1 - OUTLINE)).clip(0, 1)
    shown_there: Floats = ((np.maximum(shown, shown[:, ::-1]) - NOT_SHOWN) / (SHOWN - NOT_SHOWN)).clip(0, 1)
    return inside * shown_there


def relative_area(photo_from_face: Array, photo_from_level: Array) -> Array:
    """Return J(u) = det dW/du over that of the similarity, smoothed, (17, 17); negative where a warp folds over."""
    interval = 2 / (len(photo_from_face) - 1)
    relative = areas_of_warp(photo_from_face) / (interval**2 * np.linalg.det(photo_from_level[:2, :2]))
    smooth: Array = cv2.blur(relative, (3, 3), borderType=cv2.BORDER_REPLICATE)
    return smooth
