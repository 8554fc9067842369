"""Whether a face that is followed is still there, as the network sees a face everywhere."""

import math

import cv2
import numpy as np

from symface_cli.films.leash import eyes_of
from symface_cli.geometry.frames import pixel_from_normalized
from symface_cli.geometry.sampling import resample
from symface_cli.geometry.types import Floats, Photo
from symface_cli.inference.face import FaceWarp

CLEAR = 0.15  # clearness of an iris from which on there surely is a face: faces have 0.3 to 0.7, all else up to 0.07
ALIKE = 0.6  # correlation with the face as it surely was, above which it still is
VIEW_SIZE = 32  # px, side of the views of which that is taken
VIEW_BLUR = 3.0  # px, deviation: what is smoother is light, not a face
FLAT = 2.0  # gray levels, deviation: views with less show nothing
LARGEST_SHIFT = 0.8  # eye distances from frame to frame
LARGEST_GROWTH = 1.3  # factor from frame to frame
LEAST_INSIDE, WHOLE = 0.6, 0.8  # share of a face inside of the frame for it to be there still, and anew


class Presence:
    """Remembers what a face looks like, for frames in which it has no clear eyes: closed ones, or dark glasses."""

    def __init__(self) -> None:
        self._view: Floats | None = None

    def remember(self, photo: Photo, warp: FaceWarp) -> None:
        """Take a face for what it looks like, in a frame (H, W, 3) in which it surely is."""
        self._view = _view(photo, warp)

    def is_still_there(self, photo: Photo, warp: FaceWarp, before: FaceWarp) -> bool:
        """Tell whether the face is where it is seen in a frame (H, W, 3), after another one."""
        if not _is_near(warp, before) or _share_inside(photo, warp) < LEAST_INSIDE:
            return False
        if has_eyes(warp):
            self.remember(photo, warp)
            return True
        return self._view is not None and float((_view(photo, warp) * self._view).mean()) >= ALIKE


def has_eyes(warp: FaceWarp) -> bool:
    """Tell whether an eye is seen so clearly that there surely is a face."""
    return float(warp.irises.clearness.max()) >= CLEAR


def is_whole(photo: Photo, warp: FaceWarp) -> bool:
    """Tell whether a face lies inside of a frame (H, W, 3) well enough to be followed."""
    return _share_inside(photo, warp) >= WHOLE


def _is_near(warp: FaceWarp, before: FaceWarp) -> bool:
    """Tell whether a face can have moved so far between two frames."""
    shift = float(np.linalg.norm((eyes_of(warp) - eyes_of(before)).mean(0))) / before.eye_distance
    growth = abs(math.log(warp.eye_distance / before.eye_distance))
    return shift <= LARGEST_SHIFT and growth <= math.log(LARGEST_GROWTH)


def _share_inside(photo: Photo, warp: FaceWarp) -> float:
    """Return which share of a face lies inside of a frame (H, W, 3)."""
    height, width = photo.shape[:2]
    inside = ((warp.photo_from_face >= 0) & (warp.photo_from_face <= [width - 1, height - 1])).all(-1)
    return float((warp.mask * inside).sum() / warp.mask.sum())


def _view(photo: Photo, warp: FaceWarp) -> Floats:
    """Return a small gray view of a face without its light, (32, 32) with a deviation of 1."""
    view_from_photo = pixel_from_normalized(VIEW_SIZE) @ np.linalg.inv(warp.photo_from_level)
    view = resample(photo, view_from_photo, VIEW_SIZE).mean(-1, dtype=np.float32)
    view -= cv2.GaussianBlur(view, (0, 0), VIEW_BLUR)
    normal: Floats = view / max(float(view.std()), FLAT)
    return normal
