"""How large the edges are that a change in a photo draws along its outline."""

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry.types import Floats, Photo

INSIDE = 0.2  # eye distances that the outline reaches into what changed
OUTSIDE = 2  # px beyond it
NEAR = 1 / 6  # eye distances from which an edge of the photo may have moved: 7 px of LFW's photos
GAP = 5  # px, side of what is closed: pixels that keep their colors amid others that change
NEARLY_LARGEST = 99.9  # percentile


def outline_step(photo: Photo, result: Photo, eye_distance: float) -> float:
    """Return the largest step along the outline of what changed, beyond the photo's own steps near by, in gray levels.

    A step is the difference between neighboring pixels in the channel that differs most. 0 if nothing changed, or no
    step is larger than the photo's.

    Args:
        photo: (H, W, 3).
        result: The same, changed.
        eye_distance: In pixels.
    """
    outline = _outline((photo != result).any(-1), eye_distance)
    if not outline.any():
        return 0.0
    nearby = cv2.dilate(_steps(photo), _square(max(round(NEAR * eye_distance), 2)))
    excess = (_steps(result) - nearby)[outline]
    return max(float(np.percentile(excess, NEARLY_LARGEST)), 0.0)


def _outline(changed: NDArray[np.bool_], eye_distance: float) -> NDArray[np.bool_]:
    """Return the strip, (H, W), along the outline of what changed (H, W)."""
    whole = cv2.morphologyEx(changed.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((GAP, GAP), np.uint8))
    inner = cv2.erode(whole, _square(max(round(INSIDE * eye_distance), 3)))
    outer = cv2.dilate(whole, _square(OUTSIDE))
    strip: NDArray[np.bool_] = (outer > 0) & (inner == 0)
    return strip


def _square(reach: int) -> NDArray[np.uint8]:
    """Return a kernel that reaches so many pixels to every side."""
    return np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)


def _steps(photo: Photo) -> Floats:
    """Return the largest difference of each pixel to the next one, right or down, (H, W)."""
    padded = np.pad(photo.astype(np.float32), ((0, 1), (0, 1), (0, 0)), "edge")
    across, down = np.abs(np.diff(padded, axis=1))[:-1], np.abs(np.diff(padded, axis=0))[:, :-1]
    steps: Floats = np.maximum(across, down).max(-1)
    return steps
