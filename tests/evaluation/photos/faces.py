"""Faces of photos that are known, without a network."""

from functools import partial

import numpy as np

from symface_cli.detection.detector import Detection
from symface_cli.geometry.frames import Box, crop_from_box
from symface_cli.geometry.pose import pose_of_warp
from symface_cli.geometry.types import Array, Photo
from symface_cli.geometry.warps import GRID, control_points, similarity_of_warp
from symface_cli.inference.face import FacePrediction, FaceWarp
from symface_cli.methods.network import OURS
from symface_cli.methods.provider import PredictedFace, ProvidedFace
from tests.warps import face_warp

INNER = np.pad(np.ones((GRID - 4, GRID - 4), np.float32), 2)
"""Mask of a face whose edge stays where it is."""


def warp_to(photo_from_face: Array, field: Array | None = None) -> FaceWarp:
    """A face whose warp (17, 17, 2) is known, and how a turn moves it; both sides count alike, nothing is hidden."""
    known = np.zeros((GRID, GRID, 2)) if field is None else field
    pose = pose_of_warp(photo_from_face, similarity_of_warp(photo_from_face), INNER, known)
    return face_warp(photo_from_face, INNER, pose=pose)


def whole_photo(size: int) -> FaceWarp:
    """A face whose frame is a square photo; its eyes are 0.27 sides apart."""
    return warp_to((control_points() + 1) * ((size - 1) / 2))


class WholePhotos:
    """`vae` finds a face in every photo: the photo is its frame."""

    def find(self, photo: Photo, point: object = None) -> list[ProvidedFace]:
        box = Box(0, 0, len(photo), len(photo))
        found = Detection(box, 0.0, crop_from_box(box))
        prediction = self._predict(photo)
        face = PredictedFace(found, prediction, self._predict)
        return [ProvidedFace({"vae": partial(OURS.render, photo, prediction)}, None, face)]

    def _predict(self, photo: Photo) -> FacePrediction:
        return FacePrediction(lambda: np.zeros((128, 128, 3), np.uint8), whole_photo(len(photo)))
