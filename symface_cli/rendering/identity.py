"""Check whether a symmetric face still shows the same person, by dlib's recognizer (the landmarks extra)."""

import threading

import numpy as np

from symface_cli.detection.detector import Detection
from symface_cli.geometry.frames import CROP_SIZE
from symface_cli.geometry.sampling import resample
from symface_cli.geometry.types import Photo
from symface_cli.inference.face import FacePrediction, render_face
from symface_cli.recognition.dlib import DlibRecognizer

SAME_PERSON = DlibRecognizer.thresholds[0]
REGION_SIZE = 300  # px, side of the region that is shown to the recognizer
REGION_CROPS = 1.5  # its side in sides of the network's crop


class IdentityCheck:
    """Compares the person in the photo and in the symmetric face.

    Raises:
        MissingExtraError: If the `landmarks` extra is not installed.
    """

    def __init__(self) -> None:
        self._recognizer = DlibRecognizer()
        self._alone = threading.Lock()  # dlib's objects are not safe for several threads

    def __call__(self, photo: Photo, found: Detection, prediction: FacePrediction) -> float | None:
        """Return the distance between the two; None if the recognizer finds no face in one of them.

        Args:
            photo: (H, W, 3).
            found: A face of it.
            prediction: What the network predicted for it.
        """
        with self._alone:
            before = self._recognizer.embed(_around(photo, found))
            after = self._recognizer.embed(render_face(photo, prediction))
        return None if before is None or after is None else round(self._recognizer.distance(before, after), 4)


def _around(photo: Photo, found: Detection) -> Photo:
    """Return the face and some of its surroundings, upright, (300, 300, 3)."""
    scale = REGION_SIZE / (REGION_CROPS * CROP_SIZE)
    region_from_crop = np.diag([scale, scale, 1.0])
    region_from_crop[:2, 2] = (REGION_SIZE - 1) / 2 - scale * (CROP_SIZE - 1) / 2
    return resample(photo, region_from_crop @ found.crop_from_photo, REGION_SIZE)
