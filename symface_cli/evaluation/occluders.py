"""Things put in front of faces, to see who still recognizes the person: dark glasses, and a hand-sized patch.

Places and sizes are in eye distances of the face. The same seed gives the same picture.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.errors import UsageError
from symface_cli.geometry.frames import EYE_DISTANCE_FACE, EYES_Y, apply
from symface_cli.geometry.types import Array, Photo
from symface_cli.landmarks import scheme
from symface_cli.landmarks.shape import face_from_image

NO_OCCLUDER = "none"
CORNERS = 120  # of an outline
FRACTION = 4  # bits of a pixel to which outlines are drawn
OCCLUDER_REACH = 2.5  # eye distances around the eyes' middle; no occluder reaches further

PATCH_WIDTH, PATCH_HEIGHT = 0.9, 1.2  # eye distances
PATCH_PLACES = ((0.64, 0.1), (0.68, 0.55), (0.6, 1.0))  # eye, cheek, mouth: outwards and down from between the eyes
PATCH_SHIFT = 0.08  # eye distances, at most, in either direction
PATCH_TURN = 20.0  # degrees, at most
PATCH_EDGE = 0.03  # eye distances, standard deviation of the blur
SKIN = ((241, 205, 180), (224, 172, 140), (198, 134, 98), (141, 85, 54), (92, 58, 40))
CLOTH = ((40, 44, 62), (120, 28, 34), (52, 92, 66), (196, 190, 178), (64, 104, 150), (206, 160, 60), (90, 84, 80))

LENS_WIDTH, LENS_HEIGHT = 0.86, 0.66  # eye distances: 54 x 42 mm where the eyes are 63 mm apart
LENS_OUT, LENS_DOWN = 0.54, 0.05  # of a lens's center from between the eyes: a little outside of the eye, and below
GLASS = ((18, 18, 20), (32, 24, 20), (20, 28, 26))
GLASS_OPACITY = 0.96


@dataclass(frozen=True)
class Layer:
    """Something in front of a photo.

    Attributes:
        color: (H, W, 3) float32, 0 to 255.
        cover: (H, W, 1) float32, 0 where the photo is seen to 1 where the layer is.
    """

    color: NDArray[np.float32]
    cover: NDArray[np.float32]

    def put_on(self, photo: Photo) -> Photo:
        """Put the layer in front of a photo (H, W, 3)."""
        mixed: Photo = (photo + self.cover * (self.color - photo)).round().clip(0, 255).astype(np.uint8)
        return mixed


def occlude(photo: Photo, landmarks: NDArray[np.floating], kind: str, seed: int) -> Photo:
    """Put something in front of the face in a photo (H, W, 3).

    Args:
        photo: The photo; it is not changed.
        landmarks: (68, 2) of the face, in pixels of the photo.
        kind: One of CONDITIONS; "none" changes nothing.
        seed: Of colors and, for the patch, side, place and outline.

    Raises:
        UsageError: If there is no such kind.
    """
    find_condition(kind)
    occluded: Photo = photo.copy()
    if kind == NO_OCCLUDER:
        return occluded
    low, high = _surroundings(landmarks, photo.shape)
    region = occluded[low[1] : high[1], low[0] : high[0]]
    if region.size:
        region[:] = OCCLUDERS[kind](region.shape[:2], landmarks - low, Random(seed)).put_on(region)
    return occluded


def find_condition(name: str) -> str:
    """Return the name itself, if it is that of a condition.

    Raises:
        UsageError: If it is not.
    """
    if name not in CONDITIONS:
        raise UsageError(f"unknown occluder {name}; choose from {', '.join(CONDITIONS)}")
    return name


def _surroundings(landmarks: NDArray[np.floating], shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Find the part of a photo that occluders may change.

    Returns:
        Its first and last-plus-one column and row, (2,) integers each.
    """
    photo_from_face = _face_frame(landmarks)
    middle, reach = photo_from_face[:2, 2], OCCLUDER_REACH * np.sqrt(np.linalg.det(photo_from_face[:2, :2]))
    limit = np.array(shape[1::-1])
    low = np.clip(np.floor(middle - reach).astype(int), 0, limit)
    return low, np.clip(np.ceil(middle + reach).astype(int), low, limit)


def draw_glasses(shape: tuple[int, ...], landmarks: NDArray[np.floating], random: Random) -> Layer:
    """Draw dark glasses, tilted with the eyes and foreshortened with their distance."""
    photo_from_eyes = _eye_frame(landmarks)
    outlines = [_lens(-1), _lens(1), _box((0, -0.12), 0.3, 0.09)]
    for side in (-1, 1):
        outer = side * (LENS_OUT + LENS_WIDTH / 2)
        outlines.append(_box((outer, -0.12), 0.12, 0.11))  # the hinges
    cover = _fill([apply(photo_from_eyes, outline) for outline in outlines], shape)
    down = _coordinates(photo_from_eyes, shape)[..., 1]
    light = 1 + 0.5 * np.clip(down / LENS_HEIGHT, -0.5, 0.5)  # a little lighter below, as tinted glass is
    color = light[..., None] * np.array(random.choice(GLASS), np.float32)
    return Layer(color.astype(np.float32), GLASS_OPACITY * cover[..., None])


def draw_patch(shape: tuple[int, ...], landmarks: NDArray[np.floating], random: Random) -> Layer:
    """Draw something of a hand's size and color, or of cloth's, in front of one side of the face."""
    side = random.choice((-1, 1))
    out, down = random.choice(PATCH_PLACES)
    shift = [random.uniform(-PATCH_SHIFT, PATCH_SHIFT) for _ in range(2)]
    center = np.array([side * out + shift[0], down + shift[1]])
    photo_from_face = _face_frame(landmarks)
    outline = center + _irregular_outline(random) @ _turn(random.uniform(-PATCH_TURN, PATCH_TURN)).T
    cover = _fill([apply(photo_from_face, outline)], shape)
    pixels = float(np.sqrt(np.linalg.det(photo_from_face[:2, :2])))  # per eye distance
    cover = cv2.GaussianBlur(cover, (0, 0), max(PATCH_EDGE * pixels, 0.5))
    where = _coordinates(photo_from_face, shape) - center
    base = random.choice(random.choice((SKIN, CLOTH)))
    color = _shading(where, random)[..., None] * np.array(base, np.float32)
    return Layer(color.astype(np.float32), cover[..., None])


Drawing = Callable[[tuple[int, ...], NDArray[np.floating], Random], Layer]
OCCLUDERS: dict[str, Drawing] = {"glasses": draw_glasses, "patch": draw_patch}
"""Every kind of occluder."""

CONDITIONS = (NO_OCCLUDER, *OCCLUDERS)
"""What an evaluation may put in front of faces."""


def _face_frame(landmarks: NDArray[np.floating]) -> Array:
    """Return the matrix to photo pixels from eye distances: x right, y down from between the eyes, on the midline."""
    face_from_units = np.array([[EYE_DISTANCE_FACE, 0, 0], [0, EYE_DISTANCE_FACE, EYES_Y], [0, 0, 1.0]])
    return np.asarray(np.linalg.inv(face_from_image(landmarks)) @ face_from_units, np.float64)


def _eye_frame(landmarks: NDArray[np.floating]) -> Array:
    """Return the matrix to photo pixels from eye distances: x along the eyes, as foreshortened, from their middle."""
    left, right = (np.asarray(center, np.float64) for center in scheme.eye_centers(landmarks.astype(np.float32)))
    across = right - left
    size = float(np.sqrt(np.linalg.det(_face_frame(landmarks)[:2, :2])))  # the eye distance without foreshortening
    down = np.array([-across[1], across[0]]) * size / np.linalg.norm(across)
    matrix = np.eye(3)
    matrix[:2] = np.column_stack([across, down, (left + right) / 2])
    return matrix


def _lens(side: int) -> Array:
    """Return the outline (N, 2) of the left (-1) or right (1) lens: rounded, its outer lower corner drawn in."""
    points = _superellipse(3.0) * [LENS_WIDTH / 2, LENS_HEIGHT / 2]
    points[:, 0] *= 1 - 0.12 * (points[:, 1] / LENS_HEIGHT + 0.5)
    return np.asarray(points + np.array([side * LENS_OUT, LENS_DOWN]), np.float64)


def _box(center: tuple[float, float], width: float, height: float) -> Array:
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * [width / 2, height / 2]
    return np.asarray(corners + center, np.float64)


def _superellipse(power: float) -> Array:
    """Return the outline (N, 2) between an ellipse (2) and a square (infinity), from -1 to 1."""
    angles = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    circle = np.column_stack([np.cos(angles), np.sin(angles)])
    return np.asarray(np.sign(circle) * np.abs(circle) ** (2 / power), np.float64)


def _irregular_outline(random: Random) -> Array:
    """Return the outline (N, 2) of the patch around its center, upright; it bulges in and out by up to 6 %."""
    angles = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    radius = np.ones(CORNERS)
    for waves in (2, 3, 4):
        radius += random.uniform(-0.02, 0.02) * np.cos(waves * angles + random.uniform(0, 2 * np.pi))
    return _superellipse(3.0) * radius[:, None] * [PATCH_WIDTH / 2, PATCH_HEIGHT / 2]


def _shading(where: Array, random: Random) -> Array:
    """Shade (H, W) something rounded at `where` (H, W, 2), in eye distances from its center: about 0.6 to 1.15."""
    angle = random.uniform(0, 2 * np.pi)
    lit = np.tanh(where[..., 0] * np.cos(angle) + where[..., 1] * np.sin(angle))
    edge = np.clip((2 * where[..., 0] / PATCH_WIDTH) ** 2 + (2 * where[..., 1] / PATCH_HEIGHT) ** 2, 0, 2)
    direction, phase = random.uniform(0, np.pi), random.uniform(0, 2 * np.pi)
    folds = np.sin(14 * (where[..., 0] * np.cos(direction) + where[..., 1] * np.sin(direction)) + phase)
    return np.asarray(1 + 0.15 * lit - 0.12 * edge + 0.06 * folds, np.float64)


def _turn(degrees: float) -> Array:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s], [s, c]])


def _coordinates(photo_from_frame: Array, shape: tuple[int, ...]) -> Array:
    """Return the frame's coordinates (H, W, 2) of every pixel."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    return apply(np.linalg.inv(photo_from_frame), np.stack([x, y], -1))


def _fill(outlines: list[Array], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return how much of each pixel (H, W) lies within any of the outlines (N, 2), 0..1."""
    cover = np.zeros(shape, np.uint8)
    for outline in outlines:
        corners = np.round(outline * 2**FRACTION).astype(np.int32)
        cv2.fillPoly(cover, [corners], 255, cv2.LINE_AA, FRACTION)
    share: NDArray[np.float32] = cover.astype(np.float32) / np.float32(255)
    return share
