"""Where the parts of a face lie in the face frame.

Left halves, as corners in normalized face coordinates, around where dlib's landmarks lie on average in the symmetric
faces of the Face Research Lab London Set and of LFW's training people; the jaw is a band inside of its outline.
"""

from functools import cache

import cv2
import numpy as np

from symface_cli.geometry.frames import apply, pixel_from_normalized
from symface_cli.geometry.types import Array, Floats
from symface_cli.geometry.warps import GRID

Corners = tuple[tuple[float, float], ...]
"""Corners (x, y) of a polygon in normalized face coordinates."""

BROWS: Corners = ((-0.53, -0.38), (-0.07, -0.38), (-0.07, -0.21), (-0.53, -0.21))
EYES: Corners = ((-0.40, -0.20), (-0.12, -0.20), (-0.12, -0.05), (-0.40, -0.05))
NOSE: Corners = ((0.0, -0.06), (0.0, 0.28), (-0.14, 0.28), (-0.14, 0.18), (-0.07, -0.06))
MOUTH: Corners = ((0.0, 0.37), (0.0, 0.56), (-0.15, 0.52), (-0.25, 0.455), (-0.15, 0.39))
JAW: Corners = (
    *((-0.6, 0.16), (-0.555, 0.39), (-0.5, 0.54), (-0.415, 0.667), (-0.297, 0.77), (-0.158, 0.843), (0.0, 0.866)),
    *((0.0, 0.7), (-0.12, 0.68), (-0.22, 0.62), (-0.32, 0.53), (-0.39, 0.43), (-0.44, 0.3), (-0.46, 0.16)),
)

FINE_SIZE = 257  # points along each side of the frame at which areas are drawn
BLUR = 6.0  # of these points, deviation, by which areas are blurred: control points are 16 apart


@cache
def left_half(corners: Corners, size: int = FINE_SIZE) -> Floats:
    """Return 1 in the left half of an area, (size, size)."""
    pixels = apply(pixel_from_normalized(size), np.array(corners)).round().astype(np.int32)
    half: Floats = cv2.fillPoly(np.zeros((size, size), np.float32), [pixels], 1.0)
    return half


@cache
def area_weights(*areas: Corners) -> Array:
    """Return how much each control point belongs to one of the areas, (17, 17) in 0..1, symmetric."""
    halves = np.stack([left_half(area) for area in areas]).max(0)
    smooth = cv2.GaussianBlur(np.maximum(halves, halves[:, ::-1]), (0, 0), BLUR)
    step = (FINE_SIZE - 1) // (GRID - 1)
    return np.asarray(smooth[::step, ::step], np.float64)
