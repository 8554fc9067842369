"""The geometry of the network for one face, in NumPy: what `network.warps` and `network.parsing` compute in torch.

Images are planes (C, H, W) in 0..1; warps are (17, 17, 2), (x, y) in normalized crop coordinates at the face frame's
control points. Unlike OpenCV's, the places at which images are sampled are not rounded.
"""

import cv2
import numpy as np

from symface_cli.geometry.frames import apply
from symface_cli.geometry.sampling import enlarge, enlarge_planes
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
    """Return the planes of a crop (H, W, C), in 0..1."""
    planes: Floats = np.stack(cv2.split(crop)) / np.float32(255)
    return planes


def halve(crop: Photo) -> Floats:
    """Return the planes of the means of 2 x 2 pixels of a crop (H, W, C), in 0..1."""
    half = cv2.resize(crop / np.float32(255), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return np.stack(cv2.split(half))


def rectify(crop: Floats, warp: Floats) -> Floats:
    """Sample the crop (C, H, W) through the warp: return the face in its frame, (C, 128, 128)."""
    return sample(crop, *enlarge_planes(np.moveaxis(warp, -1, 0), FACE_SIZE))


def sample(image: Floats, across: Floats, down: Floats) -> Floats:
    """Sample an image (C, H, W) linearly at normalized points (h, w); reflected beyond its edges."""
    channels, height, width = image.shape
    x, y = _reflect(across, width), _reflect(down, height)
    left, above = np.minimum(np.floor(x), width - 2), np.minimum(np.floor(y), height - 2)
    across, down = x - left, y - above
    at = (above * width + left).astype(np.intp)
    sampled = np.empty((channels, *at.shape), np.float32)
    for plane, pixels in zip(sampled, image.reshape(channels, -1), strict=True):  # one by one, and in place: faster
        lower = pixels[width:].take(at, mode="clip")
        pixels.take(at, out=plane, mode="clip")
        _go_towards(plane, pixels[1:].take(at, mode="clip"), across)
        _go_towards(lower, pixels[width + 1 :].take(at, mode="clip"), across)
        _go_towards(plane, lower, down)
    return sampled


def _go_towards(values: Floats, others: Floats, shares: Floats) -> None:
    """Change values by a share of what they lack to others, which are used up."""
    others -= values
    others *= shares
    values += others


def _reflect(places: Floats, length: int) -> Floats:
    """Turn normalized places into pixels of 0 to length - 1, reflected at both ends."""
    last = np.float32(length - 1)
    pixels: Floats = np.abs((places + 1) * (last / 2))
    furthest = pixels.max()
    if furthest <= last:
        return pixels
    if furthest > 2 * last:
        pixels %= 2 * last
    reflected: Floats = np.minimum(pixels, 2 * last - pixels)
    return reflected


def beside_mirror_image(face: Floats) -> Floats:
    """Return a face (C, H, W) and its mirror image, centered on gray, (2 C, H, W)."""
    centered = face - GRAY
    return np.concatenate([centered, centered[..., ::-1]])


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
    """Blend a rectified face (C, S, S) with its mirror image: q(u) a(u) + q(u') a(u'), exactly symmetric."""
    weighted = enlarge(weights, face.shape[-1]).clip(0, 1) * face
    blended: Floats = weighted + weighted[..., ::-1]
    return blended


def keep_face(face: Floats, mask: Floats) -> Floats:
    """Put a face (C, S, S) on gray: the mask (17, 17) in 0..1 says where it is kept."""
    kept: Floats = GRAY + (face - GRAY) * enlarge(mask, face.shape[-1]).clip(0, 1)
    return kept


def sample_face(half: Floats, crop_from_level: Array) -> Floats:
    """Sample a crop, of which the half (C, H / 2, W / 2) is given, in the level frame, not aliased: (C, 64, 64)."""
    length = 2 * half.shape[-1]
    points = apply(crop_from_level, control_points(PARSING_SIZE)) * ((length - 1) / (length - 2))
    return sample(half, *cv2.split(points.astype(np.float32)))  # the middles of 2 x 2 pixels


def visibility(parts: Floats, warp: Floats, crop_from_level: Array) -> Floats:
    """Return how surely nothing lies in front of the points of a warp, (17, 17), from a parser's probabilities."""
    points = apply(cv2.invertAffineTransform(crop_from_level[:2]), warp).clip(-1, 1)
    seen: Floats = 1 - sample(parts[Part.FRONT, None], *cv2.split(points.astype(np.float32)))[0]
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
    image = np.empty((channels // 4, 2 * height, 2 * width), np.float32)
    for place in range(4):
        image[:, place // 2 :: 2, place % 2 :: 2] = features[place::4]
    return image
