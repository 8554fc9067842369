"""Cuts of a film, seen in the frames themselves: small copies that are suddenly unlike those before."""

from collections import deque

import cv2
import numpy as np

from symface_cli.geometry.types import Floats, Photo

COPY_SIZE = (48, 27)  # px, of the copies
LOOKED_AT = 10  # px along each side of a frame that become one of a copy
REACH = (6, 4)  # px by which the picture may move between frames, an eighth of it
LEAST_SPREAD = 4.0  # gray levels, deviation: what has less shows nothing
UNLIKE = 0.15  # 1 less the correlation of copies: those of different pictures have 0.3 to 0.9
USUAL = 3.0  # times what was usual before, which a cut exceeds
REMEMBERED = 5  # frames of which that is known


class CutFinder:
    """Finds the first frames of shots.

    Copies are laid on each other as they fit best, and compared without their brightness and contrast: neither a moved
    camera nor a light that is switched on is a cut. Where everything moves about, frames are unlike each other for some
    time; a cut is unlike more than that.
    """

    def __init__(self) -> None:
        self._last: Floats | None = None
        self._usual: deque[float] = deque(maxlen=REMEMBERED)

    def is_cut(self, photo: Photo) -> bool:
        """Tell whether the next frame (H, W, 3) is the first of a shot; the first frame of all is none."""
        copy = _copy(photo)
        last, self._last = self._last, copy
        if last is None:
            return False
        unlike = _compare(last, copy)
        is_cut = unlike > UNLIKE and unlike > USUAL * max(self._usual, default=0.0)
        self._usual.append(unlike if not is_cut else 0.0)
        return is_cut


def _copy(photo: Photo) -> Floats:
    """Return a small copy of a frame; of large ones, not all pixels are looked at."""
    step = max(min(photo.shape[1] // COPY_SIZE[0], photo.shape[0] // COPY_SIZE[1]) // LOOKED_AT, 1)
    copy: Floats = cv2.resize(photo[::step, ::step].copy(), COPY_SIZE, interpolation=cv2.INTER_AREA).astype(np.float32)
    return copy


def _compare(last: Floats, copy: Floats) -> float:
    """Return 1 less the correlation of a copy's middle with the other copy, where they fit best."""
    middle = copy[REACH[1] : -REACH[1], REACH[0] : -REACH[0]]
    shown = [float((image - image.mean((0, 1))).std()) >= LEAST_SPREAD for image in (last, middle)]
    if not all(shown):
        return float(any(shown))
    return 1 - float(cv2.matchTemplate(last, middle, cv2.TM_CCOEFF_NORMED).max())
