"""From what the network sees in a face to the pictures that are made of it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry.frames import EYES_APART, GRID, Array, similarity_of_warp
from symface_cli.geometry.sampling import blend_sides, fill_hidden, native_size, warp_photo
from symface_cli.imaging.photo import Photo

Side = Literal["both", "left", "right"]
"""Which side of a face a result is made of; left and right are the viewer's."""


@dataclass(frozen=True)
class Warped:
    """Where the symmetric face lies in a photo, at the face frame's control points.

    Attributes:
        photo_from_face: The warp: photo pixels (x, y), (17, 17, 2).
        mask: How much each point belongs to the face, (17, 17) in 0..1, symmetric.
        weights: q, how much each side counts, (17, 17) in 0..1.
        framed_weights: The same in the face, but one side alone around it.
        hidden: How far a point of the face is to be drawn by the VAE, as neither side shows it and what they show
            differs, (17, 17) in 0..1, symmetric.
    """

    photo_from_face: Array
    mask: NDArray[np.float32]
    weights: NDArray[np.float32]
    framed_weights: NDArray[np.float32]
    hidden: NDArray[np.float32]

    @cached_property
    def photo_from_level(self) -> Array:
        """Where the symmetric face lies: the matrix of the similarity that the warp has at the face frame's edge."""
        return similarity_of_warp(self.photo_from_face)

    @property
    def eye_distance(self) -> float:
        """Distance between the eyes' centres of the symmetric face, in photo pixels."""
        return float(EYES_APART * np.linalg.norm(self.photo_from_level[:2, 0]))


@dataclass(frozen=True)
class SeenFace:
    """What the network sees in a face: all that is needed to draw results.

    Attributes:
        decode: Makes the face as the VAE decodes it.
        warped: Where it lies in the photo; None for the paper's network, which does not say.
    """

    decode: Callable[[], Photo]
    warped: Warped | None

    @cached_property
    def decoded(self) -> Photo:
        """The face as the VAE decodes it, (128, 128, 3), exactly symmetric, grey outside of the face."""
        return self.decode()


def draw_face(photo: Photo, seen: SeenFace, side: Side = "both", size: int | None = None) -> Photo:
    """The symmetric face in its frame, (S, S, 3), made of the photo's own pixels; equal to its mirror image.

    Args:
        photo: The photo that was looked at, (H, W, 3).
        seen: What was seen in it.
        side: What it is made of; each side where it shows more, or one side and its mirror image (a chimeric face,
            but of symmetric shape). Without a warp there are no sides, and the decoded face is the result.
        size: S, instead of the photo's own resolution.
    """
    warped = seen.warped
    if warped is None:
        return seen.decoded
    weights = warped.framed_weights if side == "both" else one_side(side)
    face = warp_photo(photo, warped.photo_from_face, size or native_size(warped.photo_from_face))
    drawn = blend_sides(face, weights)
    if warped.hidden.any():
        drawn = fill_hidden(drawn, seen.decoded, warped.hidden)
    pixels: Photo = drawn.round().clip(0, 255).astype(np.uint8)
    return pixels


def one_side(side: Side) -> NDArray[np.float32]:
    """Weights (17, 17) that take everything from one side."""
    columns = np.sign(np.linspace(1, -1, GRID) if side == "left" else np.linspace(-1, 1, GRID))
    return np.broadcast_to(((1 + columns) / 2).astype(np.float32), (GRID, GRID))
