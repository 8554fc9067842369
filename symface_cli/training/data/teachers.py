"""What the labels of training photos are made of: the warps of a landmark detector, of a mesh, or of both blended.

dlib's landmarks follow a face's asymmetries better around eyes and brows, where MediaPipe's mesh shows a third of them;
the mesh follows the jaw better, and both err independently elsewhere. How far the two are apart says how much a label
is to be trusted.
"""

from functools import cache
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry.frames import EYE_DISTANCE_FACE
from symface_cli.geometry.types import Array
from symface_cli.geometry.warps import control_points, similarity_of_warp

Teacher = Literal["dlib", "blend", "mesh"]
"""dlib's landmarks alone, blended with MediaPipe's mesh, or the mesh alone."""

DLIB: Final = "dlib"
MESH: Final = "mesh"
BOTH: Final = "dlib+mesh"
NOTHING: Final = "nothing"
MadeOf = Literal["dlib", "mesh", "dlib+mesh", "nothing"]
"""What is made of the two teachers: learned from one of them, from both blended, or from neither."""

MOST_APART = 0.12  # eye distances; where the two warps differ more than this in the mean, dlib's is wrong
MOST_SPREAD = 0.03  # eye distances; where the mesh of photo and mirror image differ more, it alone is not to be trusted
USUALLY_APART = 0.05  # eye distances, the median on LFW; where the warps differ less, the label counts fully
MESH_WEIGHT = 0.4  # of a label that is made of the mesh alone: a little less than of two that are MOST_APART
EYES_SHARE, MOUTH_SHARE, JAW_SHARE, FRAME_SHARE = 0.25, 0.4, 0.6, 0.5
"""How much the mesh counts beside dlib around eyes and brows, nose and mouth, along the jaw, and for the face's frame.

By least squares against landmarks placed by hand (102 faces): 0 to 0.3, 0.3 to 0.4, nearly all; and half."""


def choose(apart: float | None, spread: float) -> MadeOf:
    """Choose what is made of the two teachers.

    Args:
        apart: How far their warps are apart, None where dlib has found nothing.
        spread: How much the mesh of photo and mirror image differs, in eye distances.
    """
    if apart is not None and apart <= MOST_APART:
        return BOTH
    return MESH if spread <= MOST_SPREAD else NOTHING


def weigh(made_of: MadeOf, apart: float | None) -> float:
    """Return how much a label counts, 0 to 1: in inverse proportion to how far its teachers are apart, if that is much.

    A label's error is about as large as they are apart. That it is made of dlib's landmarks alone, a person has chosen.
    """
    if made_of == MESH:
        return MESH_WEIGHT
    if made_of == BOTH and apart is not None:
        return USUALLY_APART / max(apart, USUALLY_APART)
    return 0.0 if made_of == NOTHING else 1.0


def blend_warps(by_dlib: NDArray[np.floating], by_mesh: NDArray[np.floating]) -> Array:
    """Blend the warps (17, 17, 2) of dlib and the mesh, each counting where it is better."""
    share = mesh_shares()[..., None]
    return np.asarray((1 - share) * by_dlib + share * by_mesh, np.float64)


@cache
def mesh_shares() -> Array:
    """Return how much the mesh counts at the control points, (17, 17), symmetric; the same all along the frame's edge.

    Not to be written to.
    """
    x, y = np.moveaxis(control_points(), -1, 0)
    # From the eyes to the mouth, and from the mouth to the outline of the jaw, an ellipse around the cheeks.
    inner = EYES_SHARE + (MOUTH_SHARE - EYES_SHARE) * ((y + 0.1) / 0.3).clip(0, 1)
    reach = np.hypot(x / 0.58, y.clip(min=0) / 0.85)
    jaw = ((reach - 0.7) / 0.3).clip(0, 1) * (y > 0)
    face = inner + (JAW_SHARE - inner) * jaw
    outside = ((np.hypot(x / 0.6, (y - 0.15) / 0.68) - 1) / 0.25).clip(0, 1)  # 1 at the edge
    shares: Array = face + (FRAME_SHARE - face) * outside
    shares.flags.writeable = False
    return shares


def warps_apart(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Return the mean distance of two warps (17, 17, 2) over the face, in eye distances of the first."""
    x, y = np.moveaxis(control_points(), -1, 0)
    face = np.hypot(x / 0.6, (y - 0.1) / 0.8) < 1
    scale = EYE_DISTANCE_FACE * np.linalg.norm(similarity_of_warp(first)[:2, 0])
    return float(np.linalg.norm(first - second, axis=-1)[face].mean() / scale)
