"""Faces whose warp and pose are known."""

import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry.pose import Pose
from symface_cli.geometry.types import Array, Floats
from symface_cli.geometry.warps import GRID
from symface_cli.inference.face import FaceWarp
from symface_cli.inference.irises import EYE, RADIUS, Irises

HIDDEN = Irises(np.array([[-EYE[0], EYE[1], RADIUS], [*EYE, RADIUS]]), np.zeros(2))
PARSED = 64  # px, side of the map of what the level frame shows


def face_warp(
    photo_from_face: Array,
    mask: NDArray[np.floating] | None = None,
    *,
    weights: Floats | None = None,
    shown: Floats | None = None,
    pose: Pose | None = None,
) -> FaceWarp:
    """A face that fills the frame and is seen everywhere; both sides count the same, no pose is known, no iris seen."""
    ones = np.ones((GRID, GRID), np.float32)
    weights = ones / 2 if weights is None else weights
    return FaceWarp(
        photo_from_face=photo_from_face,
        mask=ones if mask is None else np.asarray(mask, np.float32),
        weights=weights,
        weigh_frame=lambda: weights,
        hidden=0 * ones,
        shown=np.ones((PARSED, PARSED), np.float32) if shown is None else shown,
        pose=Pose(np.zeros((GRID, GRID, 2)), 0.0, 0.0) if pose is None else pose,
        pose_field=np.zeros((GRID, GRID, 2), np.float32),
        irises=HIDDEN,
    )
