"""Face recognisers: networks that say whether two pictures show the same person."""

from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from symface_cli.errors import UsageError
from symface_cli.geometry import Array
from symface_cli.images import Photo
from symface_cli.landmarks.dlib import model_file

Embedding = NDArray[np.float64]
"""What a recogniser makes of a face: (D,); the nearer two of them, the more alike the persons."""


class Recogniser(Protocol):
    """A network for faces, with its own detector.

    Attributes:
        thresholds: Distances below which two faces count as the same person: the published one, then stricter ones.
    """

    thresholds: ClassVar[tuple[float, ...]]

    def embed(self, photo: Photo, point: Array | None = None) -> Embedding | None:
        """Embedding of the face nearest to `point` (2,) of the photo, by default its centre; None if there is none."""

    @staticmethod
    def distance(a: Embedding, b: Embedding) -> float:
        """How different two faces are, in the unit of the thresholds."""


class DlibRecogniser:
    """dlib's ResNet (King 2017), 128 numbers per face; 0.6 is its published threshold.

    Raises:
        DataError: If the `landmarks` extra is not installed.
    """

    thresholds: ClassVar[tuple[float, ...]] = (0.6, 0.5, 0.4)

    def __init__(self) -> None:
        predictor = model_file("shape_predictor_68_face_landmarks.dat")
        network = model_file("dlib_face_recognition_resnet_model_v1.dat")
        import dlib

        self._detector = dlib.get_frontal_face_detector()
        self._predictor = dlib.shape_predictor(str(predictor))
        self._network = dlib.face_recognition_model_v1(str(network))

    def embed(self, photo: Photo, point: Array | None = None) -> Embedding | None:
        """Embedding (128,) of the face nearest to `point` (2,), by default the photo's centre.

        None if the HOG detector finds no face in the photo (H, W, 3), up-sampled once.
        """
        image = np.ascontiguousarray(photo)
        rectangles = self._detector(image, 1)
        if not rectangles:
            return None
        wanted = centre_of(image) if point is None else point

        def remoteness(rectangle: Any) -> float:
            middle = rectangle.center()
            return float(np.hypot(middle.x - wanted[0], middle.y - wanted[1]))

        shape = self._predictor(image, min(rectangles, key=remoteness))
        return np.array(self._network.compute_face_descriptor(image, shape), dtype=np.float64)

    @staticmethod
    def distance(a: Embedding, b: Embedding) -> float:
        """Euclidean distance."""
        return float(np.linalg.norm(a - b))


RECOGNISERS: dict[str, type[Recogniser]] = {"dlib": DlibRecogniser}


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
