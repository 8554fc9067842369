"""Find how far a head is turned to the side, its yaw, from its landmarks alone."""

import numpy as np
from numpy.typing import NDArray

from symface_cli.landmarks import scheme

NOSE = slice(27, 31)  # the ridge, from between the eyes to the tip
EARS = [0, 16]  # the ends of the jaw
EYES_PER_DEPTH = 0.49
"""Eye distance over the depth from the ears to the nose's ridge: 0.465 fits the poses that CLNF finds in photos of LFW
best, 0.51 those of its point model fitted to dlib's landmarks."""


def find_yaw(landmarks: NDArray[np.floating]) -> float:
    """Return the yaw in degrees of 68 landmarks (68, 2), positive when the nose points to the viewer's right.

    By weak perspective, a yaw of t moves the nose's ridge from the middle between the ears by depth * sin(t) along the
    line through the eyes, and leaves cos(t) of the eye distance.
    """
    left, right = scheme.eye_centers(landmarks)
    across = right - left
    moved = (landmarks[NOSE].mean(0) - landmarks[EARS].mean(0)) @ across / (across @ across)
    return float(np.degrees(np.arctan(EYES_PER_DEPTH * moved)))
