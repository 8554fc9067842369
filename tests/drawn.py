"""A drawn face: skin and two eyes, whose irises are where a test wants them."""

import cv2
import numpy as np

from symface_cli.geometry.types import Array, Floats, Photo
from symface_cli.geometry.warps import control_points, similarity_of_warp
from symface_cli.inference.irises import Irises, find_irises

SKIN, WHITE = (200, 150, 130), (235, 225, 220)
RADIUS = 0.043  # of an iris, in the face frame
LIGHT = 0.02  # distance of highlights from an iris's middle, to the right and up
CORE = (0.11, 0.06)  # half axes of an eye's opening
PLACES = np.array([[-0.26, -0.135], [0.26, -0.135]])  # irises that look straight


def draw_face(size: int, irises: Array, colors: tuple[tuple[int, int, int], ...] = ((60, 40, 30),) * 2) -> Photo:
    """Draw a face whose frame is the whole photo, with irises (N, 2) in normalized coordinates, smoothly."""
    ticks = np.linspace(-1, 1, size)
    photo = np.full((size, size, 3), SKIN, np.float64)
    for x, y in PLACES:
        opening = _disc((ticks - x) / CORE[0], (ticks - y) / CORE[1], size * CORE[1])
        photo += opening * (np.array(WHITE) - photo)
    for (x, y), color in zip(irises, colors, strict=False):
        photo += _disc((ticks - x) / RADIUS, (ticks - y) / RADIUS, size * RADIUS) * (np.array(color) - photo)
        light = _disc((ticks - x - LIGHT) * 80, (ticks - y + LIGHT) * 80, size / 80)
        photo += light * (255 - photo)
    return cv2.GaussianBlur(photo, (0, 0), 0.7).round().astype(np.uint8)


def looking(right: float, down: float) -> Array:
    """Return the places of irises (2, 2) that look aside."""
    return np.asarray(PLACES + np.array([right, down]))


def whole_frame(size: int) -> Array:
    """The warp (17, 17, 2) whose face frame is a whole photo."""
    return (control_points() + 1) * (size - 1) / 2


def draw_map(size: int, irises: Array) -> Floats:
    """What a network would say of irises (N, 2): a map (size, size) over the frame."""
    ticks = np.linspace(-1, 1, size)
    discs = [_disc((ticks - x) / RADIUS, (ticks - y) / RADIUS, size * RADIUS) for x, y in irises]
    return np.sum(discs, axis=(0, -1)).astype(np.float32)


def irises_in(photo: Photo, photo_from_face: Array, rough: Floats | None = None) -> Irises:
    """Find the irises of a photo whose warp is, in all its parts, a similarity."""
    return find_irises(photo, photo_from_face, similarity_of_warp(photo_from_face), rough)


def _disc(x: Array, y: Array, pixels: float) -> Array:
    """A disc of radius 1, (h, w, 1), whose edge is two pixels wide, a pixel being 2 / `pixels`."""
    return (0.5 + (1 - np.hypot(x[None], y[:, None])) * pixels / 2).clip(0, 1)[..., None]
