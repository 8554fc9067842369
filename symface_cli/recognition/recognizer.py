"""Face recognizers: networks that say whether two pictures show the same person."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry.frames import center_of
from symface_cli.geometry.types import Array, Landmarks, Photo
from symface_cli.landmarks.dlib import DlibLandmarks

Embedding = NDArray[np.float64]
"""What a recognizer makes of a face: (D,); the nearer two of them, the more alike the persons."""


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

    def embed(self, photo: Photo, point: Array | None = None) -> Embedding | None:
        """Compute the embedding (D,) of a face in the photo (H, W, 3); None if there is no face.

        It is the face nearest to `point` (2,), by default the photo's center.
        """

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

    def embed(self, photo: Photo, point: Array | None = None) -> Embedding | None:
        """Compute the embedding (D,) of the face nearest to `point` (2,), by default the center of the photo (H, W, 3).

        It is None if the HOG detector finds no face in the photo, up-sampled once.
        """
        image = np.ascontiguousarray(photo)
        landmarks = self._finder.find_nearest(image, center_of(image) if point is None else point)
        return None if landmarks is None else self.embed_aligned(image, landmarks)
