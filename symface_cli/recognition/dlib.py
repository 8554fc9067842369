"""dlib's recognizer."""

from pathlib import Path
from typing import ClassVar

import numpy as np

from symface_cli.geometry.types import Landmarks, Photo
from symface_cli.landmarks.dlib import model_file
from symface_cli.recognition.recognizer import Embedding, LandmarkRecognizer


class DlibRecognizer(LandmarkRecognizer):
    """dlib's ResNet (King 2017), 128 numbers per face; 0.6 is its published threshold."""

    thresholds: ClassVar[tuple[float, ...]] = (0.6, 0.5, 0.4)
    files: ClassVar[tuple[str, ...]] = ()  # they come with the `landmarks` extra

    def __init__(self, model_folder: Path | None = None) -> None:
        super().__init__(model_folder)
        import dlib

        self._dlib = dlib
        self._network = dlib.face_recognition_model_v1(str(model_file("dlib_face_recognition_resnet_model_v1.dat")))

    def embed_aligned(self, photo: Photo, landmarks: Landmarks) -> Embedding:
        """Compute the embedding (128,) of the face with these landmarks (68, 2), which dlib takes as whole pixels."""
        points = [self._dlib.point(int(x), int(y)) for x, y in landmarks]
        shape = self._dlib.full_object_detection(self._dlib.rectangle(), points)  # the network does not use the box
        return np.array(self._network.compute_face_descriptor(photo, shape), dtype=np.float64)

    @staticmethod
    def distance(a: Embedding, b: Embedding) -> float:
        """Return the Euclidean distance."""
        return float(np.linalg.norm(a - b))
