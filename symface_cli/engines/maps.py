"""The geometry of the network for one face, in NumPy: what `network.warps` and `network.parsing` compute in torch.

Images are (H, W, C) in 0..1; warps are (17, 17, 2), (x, y) in normalized crop coordinates at the face frame's control
points. Unlike OpenCV's, the places at which images are sampled are not rounded.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry.frames import apply
from symface_cli.geometry.sampling import enlarge
from symface_cli.geometry.types import Array, Floats, Photo
from symface_cli.geometry.warps import areas_of_warp, control_points
from symface_cli.network.architecture import FACE_SIZE, GRAY
from symface_cli.network.maps import (
    LEAST_AREA,
    LEAST_VISIBLE,
    PARSING_SIZE,
    PARTS,
    SEEN,
    UNSEEN,
    VISIBLE_POWER,
    Part,
)


def normalize(crop: Photo) -> Floats:
    """Return a crop with values in 0..1."""
    return np.asarray(crop / np.float32(255), np.float32)


def rectify(crop: Floats, warp: Floats) -> Floats:
    """Sample the crop (H, W, C) through the warp: return the face in its frame, (128, 128, C)."""
    return sample(crop, enlarge(warp, FACE_SIZE))


def sample(image: Floats, points: NDArray[np.floating]) -> Floats:
    """Sample an image (H, W, C) linearly at normalized points (h, w, 2); reflected beyond its edges."""
    height, width, channels = image.shape
    across, down = cv2.split(np.asarray(points, np.float32))
    x, y = _reflect(across, width), _reflect(down, height)
    left, above = np.minimum(np.floor(x), width - 2), np.minimum(np.floor(y), height - 2)
    across, down = x - left, y - above
    at = (above * width + left).astype(np.intp)
    sampled = np.empty((channels, *at.shape), np.float32)
    for channel, plane in enumerate(cv2.split(image)):  # one by one, and in place: in a fifth of the time
        pixels = plane.ravel()
        upper, upper_right, lower, lower_right = (
            pixels[further:].take(at, mode="clip") for further in (0, 1, width, width + 1)
        )
        _go_towards(upper, upper_right, across)
        _go_towards(lower, lower_right, across)
        _go_towards(upper, lower, down)
        sampled[channel] = upper
    last: Floats = np.moveaxis(sampled, 0, -1)
    return last


def _go_towards(values: Floats, others: Floats, shares: Floats) -> None:
    """Change values by a share of what they lack to others, which are used up."""
    others -= values
    others *= shares
    values += others


def _reflect(places: Floats, length: int) -> Floats:
    """Turn normalized places into pixels of 0 to length - 1, reflected at both ends."""
    last = np.float32(length - 1)
    pixels = np.abs((places + 1) * (last / 2))
    if pixels.max() > 2 * last:
        pixels %= 2 * last
    reflected: Floats = np.minimum(pixels, 2 * last - pixels)
    return reflected


def halve(image: Floats) -> Floats:
    """Return the means of 2 x 2 pixels of an image (H, W, C)."""
    half: Floats = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return half


def foreshortening(warp: Floats) -> Floats:
    """Return J(u) = |det dW/du| at the control points, smoothed, (17, 17)."""
    smooth = cv2.blur(areas_of_warp(warp).astype(np.float32), (3, 3), borderType=cv2.BORDER_REPLICATE)
    area: Floats = np.maximum(smooth, LEAST_AREA)
    return area


def side_weights(warp: Floats, visible: Floats) -> Floats:
    """Return q(u), how much each side counts, (17, 17), as `network.warps.side_weights`."""
    amount = foreshortening(warp) * (visible**VISIBLE_POWER + LEAST_VISIBLE)
    weights: Floats = (amount / (amount + amount[:, ::-1])).astype(np.float32)
    return weights


def hidden_on_both_sides(visible: Floats) -> Floats:
    """Return how far neither side shows a point of the face, (17, 17) in 0..1, symmetric."""
    better = np.maximum(visible, visible[:, ::-1])
    hidden: Floats = ((SEEN - better) / (SEEN - UNSEEN)).clip(0, 1)
    return hidden


def blend_sides(face: Floats, weights: Floats) -> Floats:
    """Blend a rectified face (S, S, 3) with its mirror image: q(u) a(u) + q(u') a(u'), exactly symmetric."""
    weighted = enlarge(weights, len(face)).clip(0, 1)[..., None] * face
    blended: Floats = weighted + weighted[:, ::-1]
    return blended


def keep_face(face: Floats, mask: Floats) -> Floats:
    """Put a face (S, S, 3) on gray: the mask (17, 17) in 0..1 says where it is kept."""
    kept: Floats = GRAY + (face - GRAY) * enlarge(mask, len(face)).clip(0, 1)[..., None]
    return kept


def sample_face(half: Floats, crop_from_level: Array) -> Floats:
    """Sample a crop, of which the half (H / 2, W / 2, 3) is given, in the level frame, not aliased: (64, 64, 3)."""
    length = 2 * len(half)
    points = apply(crop_from_level, control_points(PARSING_SIZE))
    return sample(half, points * ((length - 1) / (length - 2)))  # the middles of 2 x 2 pixels


def visibility(parts: Floats, warp: Floats, crop_from_level: Array) -> Floats:
    """Return how surely nothing lies in front of the points of a warp, (17, 17), from a parser's probabilities."""
    points = apply(cv2.invertAffineTransform(crop_from_level[:2]), warp).clip(-1, 1)
    seen: Floats = 1 - sample(parts[Part.FRONT, ..., None], points)[..., 0]
    return seen


def probabilities(logits: Floats) -> Floats:
    """Turn a parser's logits (PARTS + 1, 64, 64) into probabilities in 0..1."""
    shares = np.exp(logits[:PARTS] - logits[:PARTS].max(0))
    return np.concatenate([shares / shares.sum(0), sigmoid(logits[PARTS:])])


def sigmoid(logits: Floats) -> Floats:
    """Turn logits into probabilities."""
    return np.asarray(1 / (1 + np.exp(-logits)), np.float32)


def shuffle(features: Floats) -> Floats:
    """Make an image (C, 2 H, 2 W) of features (4 C, H, W), as torch's pixel shuffle."""
    channels, height, width = features.shape
    blocks = features.reshape(channels // 4, 2, 2, height, width).transpose(0, 3, 1, 4, 2)
    return np.ascontiguousarray(blocks).reshape(channels // 4, 2 * height, 2 * width)
