"""The shape of a face with 68 landmarks: its midline, face frame, symmetric shape and outline."""

import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry.frames import EYE_DISTANCE_FACE, EYES_Y, apply
from symface_cli.geometry.midline import Midline, fit_midline
from symface_cli.geometry.spline import fit_spline
from symface_cli.geometry.types import Array
from symface_cli.geometry.warps import GRID, control_points
from symface_cli.landmarks import scheme

CHIN_RATIO = 1.9  # eye-to-chin over eye distance, of a frontal face; it gives the size under yaw
FOREHEAD = 0.7125  # height of the forehead's top above the eyes, in eye-to-chin distances


def find_midline(landmarks: NDArray[np.floating]) -> Midline:
    """Midline of 68 landmarks (68, 2), fitted to the middles of the mirror pairs and the landmarks of the midline."""
    left = scheme.LEFT_OF_PAIR
    middles = np.vstack([(landmarks[left] + landmarks[scheme.MIRROR[left]]) / 2, landmarks[scheme.MIDLINE]])
    return fit_midline(middles)


def face_from_image(landmarks: NDArray[np.floating]) -> Array:
    """Similarity from the pixels of the landmarks' image to the face frame, in normalized coordinates.

    The midline goes to x = 0 and the eyes' midpoint to y = -0.12. The size comes from the eye distance or, where that
    is foreshortened, from the distance between eyes and chin.
    """
    center, down = find_midline(landmarks)
    eyes = landmarks[scheme.EYES].mean(0)
    middle = center + ((eyes - center) @ down) * down  # the eyes' midpoint, moved onto the midline
    extent = max(scheme.eye_distance(landmarks), abs((landmarks[scheme.CHIN] - eyes) @ down) / CHIN_RATIO)
    scale = EYE_DISTANCE_FACE / extent
    across = np.array([down[1], -down[0]])
    rotation = scale * np.stack([across, down])
    matrix = np.eye(3)
    matrix[:2, :2] = rotation
    matrix[:2, 2] = np.array([0, EYES_Y]) - rotation @ middle
    return matrix


def mirror_shape(shape: NDArray[np.floating]) -> Array:
    """The 68 landmarks (68, 2) of the mirrored face, in normalized face coordinates: partners swapped, x negated."""
    return np.asarray(shape[scheme.MIRROR] * [-1, 1], dtype=np.float64)


def symmetric_warp(landmarks: NDArray[np.floating]) -> tuple[Array, Array]:
    """The warp that makes a face's shape symmetric, from its 68 landmarks (68, 2) in pixels of an image.

    With A the landmarks in the face frame and F their mirror image, the symmetric shape is P = (A + F) / 2; a
    thin-plate spline, pinned to the identity on the frame's edge, takes P to A.

    Returns the warp's control points (17, 17, 2), face frame -> pixels of the image, and P (68, 2) in normalized
    face coordinates.
    """
    face_from_landmarks = face_from_image(landmarks)
    aligned = apply(face_from_landmarks, landmarks)
    symmetric = (aligned + mirror_shape(aligned)) / 2
    edge = control_points(5).reshape(-1, 2)
    edge = edge[np.abs(edge).max(1) == 1]
    moves = np.vstack([aligned - symmetric, np.zeros_like(edge)])
    points = control_points().reshape(-1, 2)
    moved = points + fit_spline(np.vstack([symmetric, edge]), moves, points)
    warp = apply(np.linalg.inv(face_from_landmarks), moved)
    return warp.reshape(GRID, GRID, 2), symmetric


def face_outline(landmarks: NDArray[np.floating]) -> Array:
    """Outline (26, 2) of the face, in the landmarks' own pixels: the jaw, and an arc over the forehead.

    The forehead has no landmarks: its arc rises 0.7125 eye-to-chin distances above the eyes and falls by 0.22 of them
    towards the temples.
    """
    face_from_landmarks = face_from_image(landmarks)
    shape = apply(face_from_landmarks, landmarks)
    height = shape[scheme.CHIN, 1] - EYES_Y
    across = np.linspace(0.98, -0.98, 9)  # from the right temple over to the left one
    left, right = shape[0, 0], shape[16, 0]
    x = (left + right) / 2 + across * (right - left) / 2
    y = EYES_Y - height * (FOREHEAD - 0.22 * across**2)
    return apply(np.linalg.inv(face_from_landmarks), np.vstack([shape[scheme.JAW], np.column_stack([x, y])]))
