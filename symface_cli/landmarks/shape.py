"""The shape of a face from its landmarks: midline, face frame, symmetric shape and outline.

Landmarks are (N, 2), those of a `LandmarkScheme`; N is 68 unless another scheme is given.
"""

import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry.frames import EYE_DISTANCE_FACE, EYES_Y, apply
from symface_cli.geometry.midline import Midline, fit_midline
from symface_cli.geometry.spline import fit_spline
from symface_cli.geometry.types import Array
from symface_cli.geometry.warps import GRID, control_points
from symface_cli.landmarks.scheme import IBUG_68, LandmarkScheme

CHIN_RATIO = 1.9  # eye-to-chin over eye distance, of a frontal face; it gives the size under yaw
FOREHEAD_HEIGHT = 0.7125  # of the forehead's top above the eyes, in eye-to-chin distances
TEMPLE_FALL = 0.22  # of the forehead's arc towards the temples, in eye-to-chin distances


def find_midline(landmarks: NDArray[np.floating], scheme: LandmarkScheme = IBUG_68) -> Midline:
    """Fit the midline to the middles of the mirror pairs and the landmarks of the midline."""
    left = scheme.left_of_pair
    middles = np.vstack([(landmarks[left] + landmarks[scheme.mirror[left]]) / 2, landmarks[scheme.midline]])
    return fit_midline(middles)


def face_from_image(landmarks: NDArray[np.floating], scheme: LandmarkScheme = IBUG_68) -> Array:
    """Return the similarity from the pixels of the landmarks' image to the face frame, in normalized coordinates.

    The midline goes to x = 0 and the eyes' midpoint to y = -0.12. The size comes from the eye distance or, where that
    is foreshortened, from the distance between eyes and chin.
    """
    center, down = find_midline(landmarks, scheme)
    eyes = landmarks[scheme.eyes].mean(0)
    middle = center + ((eyes - center) @ down) * down  # the eyes' midpoint, moved onto the midline
    extent = max(scheme.eye_distance(landmarks), abs((landmarks[scheme.chin] - eyes) @ down) / CHIN_RATIO)
    scale = EYE_DISTANCE_FACE / extent
    across = np.array([down[1], -down[0]])
    rotation = scale * np.stack([across, down])
    matrix = np.eye(3)
    matrix[:2, :2] = rotation
    matrix[:2, 2] = np.array([0, EYES_Y]) - rotation @ middle
    return matrix


def mirror_shape(shape: NDArray[np.floating], scheme: LandmarkScheme = IBUG_68) -> Array:
    """Mirror landmarks in normalized face coordinates: partners swapped, x negated."""
    return np.asarray(shape[scheme.mirror] * [-1, 1], dtype=np.float64)


def symmetric_warp(landmarks: NDArray[np.floating], scheme: LandmarkScheme = IBUG_68) -> tuple[Array, Array]:
    """Compute the warp that makes a face's shape symmetric, from its landmarks (N, 2) in pixels of an image.

    With A the landmarks in the face frame and F their mirror image, the symmetric shape is P = (A + F) / 2; a
    thin-plate spline, pinned to the identity on the frame's edge, takes P to A.

    Returns:
        The warp's control points (17, 17, 2), face frame -> pixels of the image, and P (N, 2) in normalized face
        coordinates.
    """
    return warp_to_symmetry(landmarks, scheme.mirror, face_from_image(landmarks, scheme))


def warp_to_symmetry(
    landmarks: NDArray[np.floating], mirror: NDArray[np.intp], face_from_landmarks: Array
) -> tuple[Array, Array]:
    """Compute the same as `symmetric_warp` from some landmarks (N, 2), their partners (N,), and the face frame."""
    aligned = apply(face_from_landmarks, landmarks)
    symmetric = (aligned + aligned[mirror] * [-1, 1]) / 2
    edge = control_points(5).reshape(-1, 2)
    edge = edge[np.abs(edge).max(1) == 1]
    moves = np.vstack([aligned - symmetric, np.zeros_like(edge)])
    points = control_points().reshape(-1, 2)
    moved = points + fit_spline(np.vstack([symmetric, edge]), moves, points)
    warp = apply(np.linalg.inv(face_from_landmarks), moved)
    return warp.reshape(GRID, GRID, 2), symmetric


def face_outline(landmarks: NDArray[np.floating], scheme: LandmarkScheme = IBUG_68) -> Array:
    """Return the outline (26, 2) of the face, in the landmarks' own pixels: the jaw, and an arc over the forehead.

    The forehead has no landmarks: its arc rises 0.7125 eye-to-chin distances above the eyes and falls by 0.22 of them
    towards the temples.
    """
    face_from_landmarks = face_from_image(landmarks, scheme)
    shape = apply(face_from_landmarks, landmarks)
    jaw, height = shape[scheme.jaw], shape[scheme.chin, 1] - EYES_Y
    across = np.linspace(0.98, -0.98, 9)  # from the right temple over to the left one
    left, right = jaw[[0, -1], 0]
    x = (left + right) / 2 + across * (right - left) / 2
    y = EYES_Y - height * (FOREHEAD_HEIGHT - TEMPLE_FALL * across**2)
    return apply(np.linalg.inv(face_from_landmarks), np.vstack([jaw, np.column_stack([x, y])]))
