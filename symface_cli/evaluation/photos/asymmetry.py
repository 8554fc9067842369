"""The asymmetry of a face's shape as the network sees it, the head's pose taken out."""

import numpy as np

from symface_cli.geometry.frames import apply
from symface_cli.geometry.warps import control_points
from symface_cli.inference.face import FaceWarp


def asymmetry_left(warp: FaceWarp) -> float:
    """Return how far a face's points lie from their mirrored partners in the mean, in per cent of the eye distance.

    That is the mean, over the mask, of twice what is left of the warp's displacement once its pose is taken out: a
    point is moved as far to one side as its partner is to the other.
    """
    level = apply(warp.photo_from_level, control_points())
    left = np.linalg.norm(warp.photo_from_face - level - warp.pose.displacement, axis=-1)
    return float(200 * np.average(left, weights=warp.mask) / warp.eye_distance)
