"""The 68 landmarks of the iBUG / 300-W scheme: which is which, and which mirrors which.

Landmarks are float32 arrays (68, 2), (x, y) in pixels of the image they lie in. `left` is the viewer's left.
"""

import numpy as np
from numpy.typing import NDArray

COUNT = 68
JAW = slice(0, 17)
BROWS = slice(17, 27)
LEFT_EYE = slice(36, 42)
RIGHT_EYE = slice(42, 48)
EYES = slice(36, 48)
CHIN = 8

MIRROR = np.array(
    [
        *range(16, -1, -1),  # jaw
        *range(26, 16, -1),  # brows
        *(27, 28, 29, 30),  # bridge of the nose
        *(35, 34, 33, 32, 31),  # nostrils
        *(45, 44, 43, 42, 47, 46),  # left eye <- right eye
        *(39, 38, 37, 36, 41, 40),  # right eye <- left eye
        *(54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55),  # outer lips
        *(64, 63, 62, 61, 60, 67, 66, 65),  # inner lips
    ]
)
"""Index of each landmark's partner under mirroring (itself on the midline)."""

MIDLINE = np.flatnonzero(np.arange(COUNT) == MIRROR)
"""The landmarks that lie on the midline: chin, bridge and base of the nose, middle of the lips."""

LEFT_OF_PAIR = np.flatnonzero(np.arange(COUNT) < MIRROR)
"""The left landmark of each mirror pair; its partner is MIRROR[LEFT_OF_PAIR]."""


def eye_centers(landmarks: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Centers (2,) of the left and the right eye's six landmarks."""
    return landmarks[LEFT_EYE].mean(0), landmarks[RIGHT_EYE].mean(0)


def eye_distance(landmarks: NDArray[np.float32]) -> float:
    """Distance between the eyes' centers, in the landmarks' pixels."""
    left, right = eye_centers(landmarks)
    return float(np.linalg.norm(left - right))
