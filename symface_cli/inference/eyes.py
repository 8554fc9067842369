"""The eyes of an aligned face, which looks straight: irises lie on each other's mirror image, with one highlight.

Where somebody looks aside, the irises of both sides are no mirror images of each other. Blended, they would be doubled,
as highlights are in any face. So what lies between the lids is moved until each iris is in the middle between where
both sides have it; lids and corners stay. Irises are those of the side that shows them better; around them, both sides
are blended, which keeps faces recognizable.
"""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry.sampling import fade
from symface_cli.geometry.types import Array, Floats, Photo
from symface_cli.geometry.warping import remap
from symface_cli.geometry.warps import enlarging_weights
from symface_cli.inference.irises import Irises

MIDDLE = (0.259, -0.133)  # where the middle between the corners of the right eye lies in the face frame
REGION = (0.16, 0.1)  # half width and height of what is drawn around it: less than its distance from the midline
ELLIPSE = (0.14, 0.075)  # half axes of an ellipse with lids and corners, outside of which the face stays as it is
WHOLLY = 0.4  # squared radius, in those of the ellipse, within which the eyes are drawn in full
ALONE = (1.6, 1.0)  # distances from an iris, in its radii, between which both sides' share falls to 0
MOVED = (0.12, 0.085)  # distances from an iris, across and down, at which nothing moves with it any more
BLACK = 2.0  # gray levels that are added before light is compared
MOST_LIGHT = 1.35  # by which an eye is made brighter or darker at most: more, and it would glow


@dataclass(frozen=True)
class _Region:
    """Pixels around the right eye of a face frame of `size` pixels; the left eye is handled as its mirror image."""

    size: int

    @cached_property
    def columns(self) -> slice:
        """Those of the right eye."""
        return self._pixels(0)

    @cached_property
    def mirrored(self) -> slice:
        """Those of the left eye."""
        return slice(self.size - self.columns.stop, self.size - self.columns.start)

    @cached_property
    def rows(self) -> slice:
        """Those of both."""
        return self._pixels(1)

    @cached_property
    def x(self) -> Floats:
        """Of the columns, in normalized coordinates."""
        return self._normalized(self.columns)

    @cached_property
    def y(self) -> Floats:
        """Of the rows, (h, 1), in normalized coordinates."""
        return self._normalized(self.rows)[:, None]

    def _pixels(self, axis: int) -> slice:
        ends = MIDDLE[axis] - REGION[axis], MIDDLE[axis] + REGION[axis]
        first, last = (round((end + 1) * (self.size - 1) / 2) for end in ends)
        return slice(first, last + 1)

    def _normalized(self, pixels: slice) -> Floats:
        ticks = np.arange(pixels.start, pixels.stop, dtype=np.float32)
        return np.asarray(ticks * (2 / (self.size - 1)) - 1, np.float32)


def draw_eyes(
    face: Floats, photo: Photo, photo_from_face: Array, irises: Irises, weights: NDArray[np.floating]
) -> None:
    """Draw the eyes into a blended face (S, S, 3), 0 to 255, which is changed and stays exactly symmetric.

    Nothing changes where no iris is seen.

    Args:
        face: The face.
        photo: The photo that it comes from, (H, W, 3).
        photo_from_face: The warp, (17, 17, 2).
        irises: The irises.
        weights: q over the face frame, (N, N) in 0..1: how much each side counts.
    """
    counted = count_eyes(irises, weights)
    if counted.max() <= 0:
        return
    region = _Region(len(face))
    blended, share = face[region.rows, region.columns], ellipse(region.x, region.y)[..., None]
    eyes = _relight(_sample_eyes(photo, photo_from_face, irises, region), blended, 1 - share)
    better = int(counted.argmax())
    other = counted[1 - better] / counted.sum() * _around_iris(irises, region)
    drawn = eyes[:, :, better] + other * (eyes[:, :, 1 - better] - eyes[:, :, better])
    drawn = blended + share * (drawn - blended)
    face[region.rows, region.columns], face[region.rows, region.mirrored] = drawn, drawn[:, ::-1]


def count_eyes(irises: Irises, weights: NDArray[np.floating]) -> Array:
    """Return how much each iris counts, (2,): how clearly it is seen, and how much its side counts, by q (N, N)."""
    columns, rows = ((irises.places[:, :2].T + 1) * (len(weights) - 1) / 2).round().astype(int)
    counted: Array = irises.clearness * irises.seen * weights[rows, columns]
    return counted


def ellipse(x: Floats, y: Floats) -> Floats:
    """Return how far points of the face frame lie in the right eye, with its lids and corners, in 0..1."""
    squared = ((x - MIDDLE[0]) / ELLIPSE[0]) ** 2 + ((y - MIDDLE[1]) / ELLIPSE[1]) ** 2
    return fade(squared, 1, WHOLLY)


def _sample_eyes(photo: Photo, photo_from_face: Array, irises: Irises, region: _Region) -> Floats:
    """Sample both eyes as right ones, each iris moved to the middle between both, (h, w, 2, 3)."""
    low = (np.floor(photo_from_face.reshape(-1, 2).min(0)).astype(int) - 4).clip(0)
    weights = enlarging_weights(len(photo_from_face), region.size)
    across = np.concatenate([weights[region.mirrored][::-1], weights[region.columns]])  # (2 w, 17)
    rows = weights[region.rows] @ (photo_from_face - low).reshape(len(photo_from_face), -1)
    where = (across @ rows.reshape(len(rows), -1, 2)).astype(np.float32)  # (h, 2 w, 2), exact
    if irises.seen.all():
        where = remap(where, _moved_pixels(irises, region), cv2.INTER_LINEAR, cv2.BORDER_REPLICATE)
    eyes = remap(photo[low[1] :, low[0] :], where, cv2.INTER_CUBIC, cv2.BORDER_REFLECT_101)
    sides: Floats = eyes.reshape(len(rows), 2, -1, 3).swapaxes(1, 2).astype(np.float32)
    return sides


def _moved_pixels(irises: Irises, region: _Region) -> Floats:
    """Return which pixel of both eyes' regions, side by side, each is to show, (h, 2 w, 2)."""
    shares = share_of_shift(irises, region.x, region.y)
    shift_x, shift_y = (shift_to_middle(irises) * (region.size - 1) / 2).tolist()
    rows, columns = np.indices((len(shares), 2 * shares.shape[1]), np.float32)
    signed = np.hstack([shares, -shares])
    return np.dstack([columns + shift_x * signed, rows + shift_y * signed])


def shift_to_middle(irises: Irises) -> Array:
    """Return how far the left iris, seen as a right one, lies from the middle between both, (2,): right, down.

    The right one lies as far on the other side.
    """
    left, right = _as_right(irises)[:, :2]
    return np.asarray((left - right) / 2)


def share_of_shift(irises: Irises, x: Floats, y: Floats) -> Floats:
    """Return how far points of the face frame move as the right iris does, to the middle between both, in 0..1."""
    middle_x, middle_y, radius = _middle(irises)
    return fade(np.abs(y - middle_y), MOVED[1], radius) * fade(np.abs(x - middle_x), MOVED[0], radius)


def _around_iris(irises: Irises, region: _Region) -> Floats:
    """Return how far each pixel of the region is not of the iris, (h, w, 1) in 0..1."""
    x, y, radius = _middle(irises)
    far, near = ALONE
    return 1 - fade(np.hypot(region.x - x, region.y - y) / radius, far, near)[..., None]


def _middle(irises: Irises) -> tuple[float, float, float]:
    """Return x, y and radius of the iris in the middle between both, as a right one."""
    x, y, radius = _as_right(irises).mean(0).tolist()
    return x, y, radius


def _as_right(irises: Irises) -> Array:
    """Return the places of both irises, (2, 3), the left one mirrored."""
    return irises.places * [[-1, 1, 1], [1, 1, 1]]


def _relight(eyes: Floats, blended: Floats, around: Floats) -> Floats:
    """Give eyes (h, w, 2, 3) the light of the face around them: that of `blended`, where `around` (h, w, 1) is not 0.

    Light is compared in the region's four corners, and interpolated between them.
    """
    height, width = blended.shape[:2]
    down, across = (np.linspace(0, 1, length, dtype=np.float32) for length in (height, width))
    near = np.stack([np.outer(y, x).ravel() for y in (1 - down, down) for x in (1 - across, across)])  # to a corner
    counted = near * around.reshape(-1)  # (4, h w)
    counted /= counted.sum(1, keepdims=True)
    wanted, seen = (counted @ light.reshape(height * width, -1) + BLACK for light in (blended, eyes))  # (4, 3), (4, 6)
    gain = (np.tile(wanted, 2) / seen).clip(1 / MOST_LIGHT, MOST_LIGHT)
    lit: Floats = (eyes * (near.T @ gain).reshape(eyes.shape)).clip(0, 255)
    return lit
