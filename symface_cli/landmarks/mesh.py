"""The 468 points of MediaPipe's face mesh: which mirrors which, and which are eyes and chin.

Points are (468, 2), (x, y) in pixels of the image they lie in. `left` is the viewer's left.
"""

import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry.types import Array
from symface_cli.landmarks.scheme import LandmarkScheme
from symface_cli.landmarks.shape import face_from_image, warp_to_symmetry

COUNT = 468
MIDLINE = (
    *(0, 1, 2, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19),
    *(94, 151, 152, 164, 168, 175, 195, 197, 199, 200),
)
"""The points on the midline, in the mesh's own order."""
FIRST_RIGHT = 248
"""The mesh numbers the points of the left half, those of the midline among them, below those of the right half."""
LEFT_EYE = np.array([33, 160, 158, 133, 153, 144])  # where the 68 landmarks have theirs
RIGHT_EYE = np.array([263, 387, 385, 362, 380, 373])
JAW = np.array([127, 234, 93, 132, 58, 136, 150, 176, 152, 400, 379, 365, 288, 361, 323, 454, 356])


def _mirror() -> NDArray[np.intp]:
    """Pair the left points with the right ones, which follow from FIRST_RIGHT on in the same order."""
    left = np.setdiff1d(np.arange(FIRST_RIGHT), MIDLINE)
    mirror = np.arange(COUNT)
    mirror[left], mirror[FIRST_RIGHT:] = np.arange(FIRST_RIGHT, COUNT), left
    return mirror


MESH_468 = LandmarkScheme(
    mirror=_mirror(),
    left_eye=LEFT_EYE,
    right_eye=RIGHT_EYE,
    eyes=np.concatenate([LEFT_EYE, RIGHT_EYE]),
    chin=152,
    jaw=JAW,
)

_LEFT = MESH_468.left_of_pair[::2]
_SOME = np.sort(np.concatenate([_LEFT, MESH_468.mirror[_LEFT], MESH_468.midline]))
_MIRROR_OF_SOME = np.searchsorted(_SOME, MESH_468.mirror[_SOME])


def mesh_warp(points: NDArray[np.floating]) -> Array:
    """Compute the warp (17, 17, 2) that makes a face symmetric by its mesh (468, 2), as `symmetric_warp` does.

    The spline goes through every second pair: all of them move the warp by about 0.001 eye distances within the face,
    in four times the time.
    """
    return warp_to_symmetry(points[_SOME], _MIRROR_OF_SOME, face_from_image(points, MESH_468))[0]
