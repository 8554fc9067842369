"""Face recognisers: networks that say whether two pictures show the same person."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.errors import UsageError, WeightsError
from symface_cli.geometry import Array
from symface_cli.images import Photo
from symface_cli.landmarks.dlib import DlibLandmarks, Landmarks, model_file
from symface_cli.landmarks.models import locate

Embedding = NDArray[np.float64]
"""What a recogniser makes of a face: (D,); the nearer two of them, the more alike the persons."""

OPENFACE_FILE = "nn4.small2.v1.t7"
OPENFACE_SIZE = 96  # px, side of the network's input
OPENFACE_NUMBERS = 128  # of its output
OPENFACE_LANDMARKS = (36, 45, 33)  # outer corners of the eyes, and the nose's base: OUTER_EYES_AND_NOSE
OPENFACE_TEMPLATE = ((0.194157, 0.169267), (0.788859, 0.158171), (0.494951, 0.514441))
"""Where these landmarks lie in the input, in sides: their rows of MINMAX_TEMPLATE in OpenFace's align_dlib.py."""
AGAIN = "remove it, and it is downloaded again"


@dataclass(frozen=True)
class RecognisedFace:
    """A face as a recogniser sees it.

    Attributes:
        landmarks: (68, 2) in photo pixels.
        embedding: (D,).
    """

    landmarks: Landmarks
    embedding: Embedding


class Recogniser(Protocol):
    """A network for faces, with its own detector.

    Attributes:
        thresholds: Distances below which two faces count as the same person: the published one, then stricter ones.
        files: The published model files that it needs, keys of landmarks.models.FILES.
    """

    thresholds: ClassVar[tuple[float, ...]]
    files: ClassVar[tuple[str, ...]]

    def find(self, photo: Photo, point: Array | None = None) -> RecognisedFace | None:
        """The face nearest to `point` (2,) of the photo, by default its centre; None if there is none."""

    def embed(self, photo: Photo, point: Array | None = None) -> Embedding | None:
        """The embedding alone of the face that `find` finds."""

    @staticmethod
    def distance(a: Embedding, b: Embedding) -> float:
        """How different two faces are, in the unit of the thresholds."""


class LandmarkRecogniser(ABC):
    """What recognisers share that look at faces found and aligned with dlib's detector and 68 landmarks.

    Raises:
        DataError: If the `landmarks` extra is not installed.
    """

    def __init__(self) -> None:
        self._finder = DlibLandmarks()

    @abstractmethod
    def describe(self, photo: Photo, landmarks: Landmarks) -> Embedding:
        """Embedding (D,) of the face with these landmarks (68, 2) in the photo (H, W, 3)."""

    def find(self, photo: Photo, point: Array | None = None) -> RecognisedFace | None:
        """The face nearest to `point` (2,), by default the centre of the photo (H, W, 3).

        None if the HOG detector finds no face in the photo, up-sampled once.
        """
        image = np.ascontiguousarray(photo)
        landmarks = self._finder.find_nearest(image, centre_of(image) if point is None else point)
        return None if landmarks is None else RecognisedFace(landmarks, self.describe(image, landmarks))

    def embed(self, photo: Photo, point: Array | None = None) -> Embedding | None:
        """The embedding alone of the face that `find` finds."""
        face = self.find(photo, point)
        return None if face is None else face.embedding


class DlibRecogniser(LandmarkRecogniser):
    """dlib's ResNet (King 2017), 128 numbers per face; 0.6 is its published threshold."""

    thresholds: ClassVar[tuple[float, ...]] = (0.6, 0.5, 0.4)
    files: ClassVar[tuple[str, ...]] = ()  # they come with the `landmarks` extra

    def __init__(self) -> None:
        super().__init__()
        import dlib

        self._dlib = dlib
        self._network = dlib.face_recognition_model_v1(str(model_file("dlib_face_recognition_resnet_model_v1.dat")))

    def describe(self, photo: Photo, landmarks: Landmarks) -> Embedding:
        """Embedding (128,) of the face with these landmarks (68, 2), which dlib takes as whole pixels."""
        points = [self._dlib.point(int(x), int(y)) for x, y in landmarks]
        shape = self._dlib.full_object_detection(self._dlib.rectangle(), points)  # the network does not use the box
        return np.array(self._network.compute_face_descriptor(photo, shape), dtype=np.float64)

    @staticmethod
    def distance(a: Embedding, b: Embedding) -> float:
        """Euclidean distance."""
        return float(np.linalg.norm(a - b))


class OpenFaceRecogniser(LandmarkRecogniser):
    """OpenFace's nn4.small2.v1 (Amos et al. 2016), the paper's recogniser: 128 numbers of unit length per face.

    0.99 is its published threshold, of ten-fold cross-validation on LFW; the stricter ones are ours.

    Raises:
        WeightsError: If the network is not here and cannot be downloaded, or is damaged.
    """

    thresholds: ClassVar[tuple[float, ...]] = (0.99, 0.8, 0.6)
    files: ClassVar[tuple[str, ...]] = (OPENFACE_FILE,)

    def __init__(self) -> None:
        super().__init__()
        self._network = load_openface(locate(OPENFACE_FILE))

    def describe(self, photo: Photo, landmarks: Landmarks) -> Embedding:
        """Embedding (128,) of the face with these landmarks (68, 2)."""
        return _run_openface(self._network, align_for_openface(photo, landmarks))

    @staticmethod
    def distance(a: Embedding, b: Embedding) -> float:
        """Squared Euclidean distance, 0 to 4."""
        return float(np.sum((a - b) ** 2))


def align_for_openface(photo: Photo, landmarks: Landmarks) -> Photo:
    """The photo (H, W, 3) under the affine map of three landmarks to the template: (96, 96, 3), black beyond it."""
    template = np.array(OPENFACE_TEMPLATE, np.float32) * OPENFACE_SIZE
    corners = landmarks[list(OPENFACE_LANDMARKS)].astype(np.float32)
    aligned: Photo = cv2.warpAffine(photo, cv2.getAffineTransform(corners, template), (OPENFACE_SIZE, OPENFACE_SIZE))
    return aligned


def load_openface(path: Path) -> Any:
    """Reads OpenFace's network with OpenCV's importer.

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


def _run_openface(network: Any, aligned: Photo) -> Embedding:
    """What the network makes of an aligned face (96, 96, 3): RGB, 0..1."""
    network.setInput(cv2.dnn.blobFromImage(aligned, 1 / 255))
    numbers: Embedding = network.forward().ravel().astype(np.float64)
    return numbers


RECOGNISERS: dict[str, type[Recogniser]] = {"dlib": DlibRecogniser, "openface": OpenFaceRecogniser}


def find_recogniser(name: str) -> type[Recogniser]:
    """The recogniser of that name; nothing is loaded yet.

    Raises:
        UsageError: If there is none.
    """
    if name not in RECOGNISERS:
        raise UsageError(f"unknown recogniser {name}; choose from {', '.join(RECOGNISERS)}")
    return RECOGNISERS[name]


def centre_of(photo: Photo) -> Array:
    """Centre (2,) of a photo (H, W, 3), in its pixels."""
    return np.array([(photo.shape[1] - 1) / 2, (photo.shape[0] - 1) / 2])
