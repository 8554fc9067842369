"""What landmarks mean: which is which, and which mirrors which. `left` is the viewer's left.

The constants are those of the 68 landmarks of the iBUG / 300-W scheme. What needs only a symmetric shape takes a
`LandmarkScheme`, so that other sets of landmarks can be used, too.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry.types import Landmarks

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

Indices: TypeAlias = slice | NDArray[np.intp]


@dataclass(frozen=True, kw_only=True, eq=False)
class LandmarkScheme:
    """What a set of N landmarks means; all attributes are indices.

    Attributes:
        mirror: Partner of each landmark under mirroring, itself on the midline, (N,).
        left_eye: Landmarks whose mean is the left eye's center.
        right_eye: The same of the right eye.
        eyes: Those of both eyes.
        chin: The lowest landmark of the midline.
        jaw: From the left temple along the chin to the right temple.
    """

    mirror: NDArray[np.intp]
    left_eye: Indices
    right_eye: Indices
    eyes: Indices
    chin: int
    jaw: Indices

    @property
    def count(self) -> int:
        """Number N of landmarks."""
        return len(self.mirror)

    @property
    def midline(self) -> NDArray[np.intp]:
        """Landmarks that lie on the midline."""
        return np.flatnonzero(np.arange(self.count) == self.mirror)

    @property
    def left_of_pair(self) -> NDArray[np.intp]:
        """Left landmark of each mirror pair."""
        return np.flatnonzero(np.arange(self.count) < self.mirror)

    def eye_centers(self, landmarks: Landmarks) -> tuple[Landmarks, Landmarks]:
        """Return the centers (2,) of the left and the right eye."""
        return landmarks[self.left_eye].mean(0), landmarks[self.right_eye].mean(0)

    def eye_distance(self, landmarks: Landmarks) -> float:
        """Return the distance between the eyes' centers, in the landmarks' pixels."""
        left, right = self.eye_centers(landmarks)
        return float(np.linalg.norm(left - right))


IBUG_68 = LandmarkScheme(mirror=MIRROR, left_eye=LEFT_EYE, right_eye=RIGHT_EYE, eyes=EYES, chin=CHIN, jaw=JAW)
eye_centers = IBUG_68.eye_centers
eye_distance = IBUG_68.eye_distance
MIDLINE = IBUG_68.midline
"""The landmarks that lie on the midline: chin, bridge and base of the nose, middle of the lips."""
LEFT_OF_PAIR = IBUG_68.left_of_pair
"""The left landmark of each mirror pair; its partner is MIRROR[LEFT_OF_PAIR]."""
