"""SFace, a recognizer that shares nothing with dlib: OpenCV runs it, on faces that its own detector finds."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np

from symface_cli.data.published import locate
from symface_cli.detection.detector import shrink
from symface_cli.errors import WeightsError
from symface_cli.geometry.frames import center_of
from symface_cli.geometry.types import Array, Floats, Photo
from symface_cli.imaging.switches import silence_opencv
from symface_cli.recognition.recognizer import Embedding

YUNET_FILE = "face_detection_yunet_2023mar.onnx"
SFACE_FILE = "face_recognition_sface_2021dec.onnx"
SFACE_SIZE = 112  # px, side of the network's input
SFACE_NUMBERS = 128  # of its output
LONGEST_SIDE = 400  # px, of the copy that faces are found in: YuNet is for faces of 10 to 300 px (its README)
LEAST_SCORE, SAME_FACE, MOST_BOXES = 0.9, 0.3, 5000  # OpenCV's own: of a face; overlap of its boxes; how many are kept
RUN_BY = (cv2.dnn.DNN_BACKEND_OPENCV, cv2.dnn.DNN_TARGET_CPU)  # what every build of OpenCV has
AGAIN = "remove it, and it is downloaded again"


class SFaceRecognizer:
    """SFace (Zhong et al. 2021) with the detector YuNet (Wu et al. 2023): 128 numbers of unit length per face.

    0.637 is its published threshold, a cosine of 0.363; the stricter ones are ours.

    Raises:
        WeightsError: If a network is not here and cannot be downloaded, or is damaged.
    """

    thresholds: ClassVar[tuple[float, ...]] = (0.637, 0.5, 0.4)
    files: ClassVar[tuple[str, ...]] = (YUNET_FILE, SFACE_FILE)

    def __init__(self, model_folder: Path | None = None) -> None:
        self._detector = load_yunet(locate(YUNET_FILE, model_folder))
        self._network = load_sface(locate(SFACE_FILE, model_folder))

    def embed(self, photo: Photo, point: Array | None = None) -> Embedding | None:
        """Compute the embedding (128,) of the face nearest to `point` (2,), by default the photo's center.

        It is None if YuNet finds no face in the photo (H, W, 3).
        """
        scale = min(1.0, LONGEST_SIDE / max(photo.shape[:2]))
        image = np.ascontiguousarray(shrink(photo, scale)[..., ::-1])  # blue, green, red
        face = self._find_nearest(image, scale * (center_of(photo) if point is None else point))
        if face is None:
            return None
        numbers = self._network.feature(self._network.alignCrop(image, face)).ravel().astype(np.float64)
        unit: Embedding = numbers / np.linalg.norm(numbers)
        return unit

    @staticmethod
    def distance(a: Embedding, b: Embedding) -> float:
        """Return 1 minus the cosine of the angle between the two, 0 to 2."""
        return max(float(1 - a @ b), 0.0)  # of lengths that are rounded

    def _find_nearest(self, image: Photo, point: Array) -> Floats | None:
        """Find YuNet's row (15,) of the face nearest to a point of a BGR image (h, w, 3); None if there is no face."""
        height, width = image.shape[:2]
        self._detector.setInputSize((width, height))
        rows = self._detector.detect(image)[1]
        if rows is None:
            return None
        middles = rows[:, 4:14].reshape(-1, 5, 2).mean(1)  # of eyes, nose and corners of the mouth
        inside = ((middles > -0.5) & (middles < np.array([width, height]) - 0.5)).all(-1)  # not in what YuNet adds
        away = np.linalg.norm(middles - point, axis=-1)
        nearest = min(np.flatnonzero(inside), key=lambda place: float(away[place]), default=None)
        return None if nearest is None else rows[nearest]


def load_yunet(path: Path) -> cv2.FaceDetectorYN:
    """Load the detector.

    Raises:
        WeightsError: If the file is damaged, or another network.
    """
    with _refuse_damage(path):
        detector = cv2.FaceDetectorYN.create(str(path), "", (32, 32), LEAST_SCORE, SAME_FACE, MOST_BOXES, *RUN_BY)
        detector.detect(np.zeros((32, 32, 3), np.uint8))
    return detector


def load_sface(path: Path) -> cv2.FaceRecognizerSF:
    """Load the recognizer.

    Raises:
        WeightsError: If the file is damaged, or another network.
    """
    with _refuse_damage(path):
        network = cv2.FaceRecognizerSF.create(str(path), "", *RUN_BY)
        size = network.feature(np.zeros((SFACE_SIZE, SFACE_SIZE, 3), np.uint8)).size
    if size != SFACE_NUMBERS:
        raise WeightsError(f"{path} is not SFace's network: it gives {size} numbers per face; {AGAIN}")
    return network


@contextmanager
def _refuse_damage(path: Path) -> Iterator[None]:
    """Say in one line that a file is of no use.

    Raises:
        WeightsError: In place of OpenCV's errors.
    """
    try:
        with silence_opencv():
            yield
    except cv2.error as error:
        raise WeightsError(f"{path} is damaged, or another network: OpenCV cannot use it; {AGAIN}") from error
