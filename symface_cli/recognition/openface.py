"""OpenFace's recognizer."""

from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np

from symface_cli.data.published import locate
from symface_cli.errors import WeightsError
from symface_cli.geometry.types import Landmarks, Photo
from symface_cli.geometry.warping import warp_affine
from symface_cli.recognition.recognizer import Embedding, LandmarkRecognizer

OPENFACE_FILE = "nn4.small2.v1.t7"
OPENFACE_SIZE = 96  # px, side of the network's input
OPENFACE_NUMBERS = 128  # of its output
OPENFACE_LANDMARKS = (36, 45, 33)  # outer corners of the eyes, and the nose's base: OUTER_EYES_AND_NOSE
OPENFACE_TEMPLATE = ((0.194157, 0.169267), (0.788859, 0.158171), (0.494951, 0.514441))
"""Where these landmarks lie in the input, in sides: their rows of MINMAX_TEMPLATE in OpenFace's align_dlib.py."""
AGAIN = "remove it, and it is downloaded again"


class OpenFaceRecognizer(LandmarkRecognizer):
    """OpenFace's nn4.small2.v1 (Amos et al. 2016), the paper's recognizer: 128 numbers of unit length per face.

    0.99 is its published threshold, of ten-fold cross-validation on LFW; the stricter ones are ours.

    Raises:
        WeightsError: If the network is not here and cannot be downloaded, or is damaged.
    """

    thresholds: ClassVar[tuple[float, ...]] = (0.99, 0.8, 0.6)
    files: ClassVar[tuple[str, ...]] = (OPENFACE_FILE,)

    def __init__(self, model_folder: Path | None = None) -> None:
        super().__init__(model_folder)
        self._network = load_openface(locate(OPENFACE_FILE, model_folder))

    def embed_aligned(self, photo: Photo, landmarks: Landmarks) -> Embedding:
        """Compute the embedding (128,) of the face with these landmarks (68, 2)."""
        return _run_openface(self._network, align_for_openface(photo, landmarks))

    @staticmethod
    def distance(a: Embedding, b: Embedding) -> float:
        """Return the squared Euclidean distance, 0 to 4."""
        return float(np.sum((a - b) ** 2))


def align_for_openface(photo: Photo, landmarks: Landmarks) -> Photo:
    """Warp a photo (H, W, 3) by the affine map of three landmarks to the template: (96, 96, 3), black beyond it."""
    template = np.array(OPENFACE_TEMPLATE, np.float32) * OPENFACE_SIZE
    corners = landmarks[list(OPENFACE_LANDMARKS)].astype(np.float32)
    aligned_from_photo = np.vstack([cv2.getAffineTransform(corners, template), [0, 0, 1]])
    return warp_affine(photo, aligned_from_photo, (OPENFACE_SIZE, OPENFACE_SIZE), cv2.BORDER_CONSTANT)


def load_openface(path: Path) -> cv2.dnn.Net:
    """Read OpenFace's network with OpenCV's importer.

    Raises:
        WeightsError: If the file is damaged, or another network.
    """
    try:
        network = cv2.dnn.readNetFromTorch(str(path))
        network.setPreferableBackend(cv2.dnn.DNN_BACKEND_OPENCV)  # the one that every build of OpenCV has
        size = len(_run_openface(network, np.zeros((OPENFACE_SIZE, OPENFACE_SIZE, 3), np.uint8)))
    except cv2.error as error:
        raise WeightsError(f"{path} is damaged: OpenCV cannot read it; {AGAIN}") from error
    if size != OPENFACE_NUMBERS:
        raise WeightsError(f"{path} is not OpenFace's network: it gives {size} numbers per face; {AGAIN}")
    return network


def _run_openface(network: cv2.dnn.Net, aligned: Photo) -> Embedding:
    """Run the network on an aligned face (96, 96, 3), given to it as RGB, 0..1."""
    network.setInput(cv2.dnn.blobFromImage(aligned, 1 / 255))
    numbers: Embedding = network.forward().ravel().astype(np.float64)
    return numbers
