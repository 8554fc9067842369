"""Face recognizers: networks that say whether two pictures show the same person."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry.frames import center_of
from symface_cli.geometry.types import Array, Landmarks, Photo
from symface_cli.landmarks.dlib import DlibLandmarks

Embedding = NDArray[np.float64]
"""What a recognizer makes of a face: (D,); the nearer two of them, the more alike the persons."""


@dataclass(frozen=True)
class RecognizedFace:
    """A face as a recognizer sees it.

    Attributes:
        landmarks: (68, 2) in photo pixels.
        embedding: (D,).
    """

    landmarks: Landmarks
    embedding: Embedding


class Recognizer(Protocol):
    """A network for faces, with its own detector.

    Args:
        model_folder: The user's own folder of published models, as for `data.published.find`.

    Attributes:
        thresholds: Distances below which two faces count as the same person: the published one, then stricter ones.
        files: The published model files that it needs, keys of `data.published.FILES`.
    """

    thresholds: ClassVar[tuple[float, ...]]
    files: ClassVar[tuple[str, ...]]

    def __init__(self, model_folder: Path | None = None) -> None: ...

    def find(self, photo: Photo, point: Array | None = None) -> RecognizedFace | None:
        """Find the face nearest to `point` (2,) of the photo, by default its center; None if there is none."""

    def embed(self, photo: Photo, point: Array | None = None) -> Embedding | None:
        """Return the embedding alone of the face that `find` finds."""

    @staticmethod
    def distance(a: Embedding, b: Embedding) -> float:
        """Compare two faces, in the unit of the thresholds."""


class LandmarkRecognizer(ABC):
    """A recognizer of faces that are found and aligned with dlib's detector and 68 landmarks.

    Raises:
        MissingExtraError: If the `landmarks` extra is not installed.
    """

    def __init__(self, model_folder: Path | None = None) -> None:
        self._finder = DlibLandmarks()

    @abstractmethod
    def embed_aligned(self, photo: Photo, landmarks: Landmarks) -> Embedding:
        """Compute the embedding (D,) of the face with these landmarks (68, 2) in the photo (H, W, 3)."""

    def find(self, photo: Photo, point: Array | None = None) -> RecognizedFace | None:
        """Find the face nearest to `point` (2,), by default the center of the photo (H, W, 3).

        It is None if the HOG detector finds no face in the photo, up-sampled once.
        """
        image = np.ascontiguousarray(photo)
        landmarks = self._finder.find_nearest(image, center_of(image) if point is None else point)
        return None if landmarks is None else RecognizedFace(landmarks, self.embed_aligned(image, landmarks))

    def embed(self, photo: Photo, point: Array | None = None) -> Embedding | None:
        """Return the embedding alone of the face that `find` finds."""
        face = self.find(photo, point)
        return None if face is None else face.embedding
