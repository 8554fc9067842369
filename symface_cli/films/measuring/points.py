"""The points of a face followed from one frame of a film, the reference, to all others.

A look at a frame finds points to a per cent of the distance between the pupils, but of a movement it sees what the
network and the registration of both sides see, which is a part (docs/video.md). What has moved from the reference is
seen directly, in the small patches around the points: by Lucas and Kanade's method (1981), which begins where the look
has found them. Points go back to what the look says the more, the less a patch looks like that of the reference: where
an eye is closed, or teeth are shown. Along an edge, which looks the same all along, they stay with the look.
"""

from collections.abc import Sequence
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry.frames import apply, pixel_from_normalized
from symface_cli.geometry.sampling import fade, resample
from symface_cli.geometry.types import Array, Gray, Photo
from symface_cli.geometry.warping import remap
from symface_cli.inference.registration import even_contrast

VIEW_SIDE = 400  # px, of the view of the level frame: about 86 px between the pupils
AROUND = 1.25  # side of the view in level frames
WINDOWS = (31, 15)  # px, of the patches: the first finds the way, the second is not dulled by what is around
BACK = (1.5, 0.5)  # px that the way there and back may be off: from which on it is not believed, up to which it is
ALIKE = (0.5, 0.8)  # correlation of patches, likewise
APART = (20.0, 10.0)  # px from where the look has found a point, likewise
CLEAR = 12.0  # squared slope of the contrast across a patch, of which half of a way is believed; corners have 50 to 200
GRAY = 128  # of a view without contrast
_STEPS = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 20, 0.005)


class View:
    """A face of a frame, level, its contrast the same everywhere: light that changes leaves no trace.

    Args:
        photo: The frame (H, W, 3), or a part of it.
        photo_from_level: Where the level frame lies.
        points: Where a look has found the points, (45, 2) in the level frame.
    """

    def __init__(self, photo: Photo, photo_from_level: Array, points: Array) -> None:
        self._view_from_level = pixel_from_normalized(VIEW_SIDE) @ np.diag([1 / AROUND, 1 / AROUND, 1.0])
        shown = resample(photo, self._view_from_level @ np.linalg.inv(photo_from_level), VIEW_SIDE)
        contrast = even_contrast(cv2.cvtColor(shown, cv2.COLOR_RGB2GRAY))
        self.image: Gray = (contrast + GRAY).round().clip(0, 255).astype(np.uint8)
        self.places = apply(self._view_from_level, points)

    def follow_from(self, reference: "View") -> Array:
        """Return where the points of a reference are seen here, (45, 2) in this level frame."""
        places: Array = self.places
        for number, window in enumerate(WINDOWS):
            places = _flow(reference.image, self.image, reference.places, places, (window, 1 - number))
        back = _flow(self.image, reference.image, places, reference.places, (WINDOWS[-1], 0))
        belief = (
            _fade(np.linalg.norm(back - reference.places, axis=-1), BACK)
            * _fade(np.linalg.norm(places - self.places, axis=-1), APART)
            * _fade(_correlate(reference.image, self.image, reference.places, places), ALIKE)
        )
        moves = (reference.clearness @ (places - self.places)[..., None])[..., 0]
        return apply(np.linalg.inv(self._view_from_level), self.places + belief[:, None] * moves)

    @cached_property
    def clearness(self) -> Array:
        """How much of a way is believed at each point, in each direction, (45, 2, 2): 1 across edges, 0 along them.

        With the mean squares M of the contrast's slopes in the patch around a point, it is M^2 (M^2 + CLEAR^2)^-1.
        """
        dx, dy = (cv2.Sobel(self.image, cv2.CV_32F, *order, ksize=1, scale=0.5) for order in ((1, 0), (0, 1)))
        size, where = (WINDOWS[-1], WINDOWS[-1]), self.places.astype(np.float32)[:, None]
        xx, yy, xy = (
            remap(cv2.boxFilter(product, -1, size), where, cv2.INTER_LINEAR, cv2.BORDER_REPLICATE)
            for product in (dx * dx, dy * dy, dx * dy)
        )
        means = np.concatenate([xx, xy, xy, yy], 1).astype(np.float64).reshape(-1, 2, 2)
        squares = means @ means
        return np.asarray(np.linalg.solve(squares + CLEAR**2 * np.eye(2), squares), np.float64)


def _flow(before: Gray, after: Gray, places: Array, guessed: Array, scale: tuple[int, int]) -> Array:
    """Return where places (N, 2) of a view lie in another, near a guess; a window in px, and how often it is halved."""
    window, halvings = scale
    found, is_found, _ = cv2.calcOpticalFlowPyrLK(
        before,
        after,
        places.astype(np.float32)[:, None],
        guessed.astype(np.float32)[:, None].copy(),
        winSize=(window, window),
        maxLevel=halvings,
        criteria=_STEPS,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    return np.where(is_found > 0, found[:, 0], guessed).astype(np.float64)


def _correlate(before: Gray, after: Gray, places: Array, others: Array) -> Array:
    """Return how alike the patches around places of two views look, (N,), -1 to 1."""
    return np.array(
        [_alike(_patch(before, one), _patch(after, other)) for one, other in zip(places, others, strict=True)]
    )


def _patch(view: Gray, place: Array) -> NDArray[np.float32]:
    x, y = (float(number) for number in place)
    patch: NDArray[np.float32] = cv2.getRectSubPix(view, (WINDOWS[-1], WINDOWS[-1]), (x, y), patchType=cv2.CV_32F)
    return patch


def _alike(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    one, other = one - one.mean(), other - other.mean()
    return float((one * other).sum() / (np.linalg.norm(one) * np.linalg.norm(other) + 1e-6))


def _fade(values: Array, limits: Sequence[float]) -> Array:
    return fade(values.astype(np.float32), *limits).astype(np.float64)
