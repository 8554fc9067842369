"""Symmetric faces from landmarks: one half mirrored, both averaged, the shape made symmetric."""

from typing import Literal

import numpy as np

from symface_cli.geometry.frames import apply
from symface_cli.geometry.sampling import native_size, warp_photo
from symface_cli.geometry.types import Landmarks, Photo
from symface_cli.geometry.warps import control_points
from symface_cli.landmarks.scheme import IBUG_68, LandmarkScheme
from symface_cli.landmarks.shape import face_from_image, symmetric_warp

CONTEXT = 1.25  # side of a leveled photo in face frames: a detector needs to see something around the face


def level(photo: Photo, landmarks: Landmarks, scheme: LandmarkScheme = IBUG_68) -> Photo:
    """Level a photo on the midline of its landmarks (N, 2), at its own resolution; (S, S, 3) with S even.

    The result is the face frame, seen from a little further away; the photo is reflected beyond its edges.
    """
    photo_from_face = np.linalg.inv(face_from_image(landmarks, scheme))
    where = apply(np.asarray(photo_from_face, np.float64), CONTEXT * control_points())
    return warp_photo(photo, where, native_size(where))


def straighten(photo: Photo, landmarks: Landmarks, scheme: LandmarkScheme = IBUG_68) -> Photo:
    """Warp a photo into the face frame by the symmetric shape of its landmarks (N, 2); (S, S, 3) with S even."""
    where, _ = symmetric_warp(landmarks, scheme)
    return warp_photo(photo, where, native_size(where))


def mirror_half(image: Photo, side: Literal["left", "right"]) -> Photo:
    """Mirror the viewer's left or right half of an image of even width over the other one."""
    middle = image.shape[1] // 2
    if side == "left":
        return np.hstack([image[:, :middle], image[:, middle - 1 :: -1]])
    return np.hstack([image[:, : middle - 1 : -1], image[:, middle:]])


def average(image: Photo) -> Photo:
    """Average an image and its mirror image; .5 is rounded up."""
    total = image.astype(np.uint16) + image[:, ::-1]
    return ((total + 1) // 2).astype(np.uint8)
