"""Shared by the landmark methods that start from a Viola-Jones box: the detector, and which face is meant."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np

from symface_cli.geometry.frames import Box
from symface_cli.geometry.types import Array, Gray, Landmarks, Photo
from symface_cli.landmarks.scheme import IBUG_68, LandmarkScheme

MIN_FACE = 50  # px, width of a box


@dataclass(frozen=True)
class Detector:
    """Cascade of OpenCV, and how a method's authors call it; a method is trained on the boxes of its detector.

    Attributes:
        cascade: Name of the cascade's file, without its suffix.
        step: Factor from one scale of the search to the next.
        neighbors: Windows that must agree on a face.
    """

    cascade: str
    step: float
    neighbors: int


class BoxLandmarks(ABC):
    """Find 68 landmarks in every face that a Viola-Jones detector finds."""

    scheme: ClassVar[LandmarkScheme] = IBUG_68

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._cascade = cv2.CascadeClassifier(str(Path(cv2.data.haarcascades) / f"{detector.cascade}.xml"))

    @abstractmethod
    def fit(self, gray: Gray, box: Box) -> Landmarks:
        """Find the landmarks (68, 2) in a gray photo (H, W), of the face in a box of this method's own detector."""

    def find_faces(self, photo: Photo) -> list[Landmarks]:
        """Find the landmarks (68, 2) of every face that the detector finds in a photo (H, W, 3)."""
        gray = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
        return [self.fit(gray, box) for box in self._detect(gray)]

    def find_nearest(self, photo: Photo, point: Array) -> Landmarks | None:
        """Find the landmarks of the face whose box is nearest to `point` (2,) of the photo; None without a face."""
        gray = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
        boxes = self._detect(gray)
        nearest = min(boxes, key=lambda box: float(np.linalg.norm(box.center - point)), default=None)
        return None if nearest is None else self.fit(gray, nearest)

    def _detect(self, gray: Gray) -> list[Box]:
        """Return the faces' boxes, the largest first."""
        detector, smallest = self._detector, (MIN_FACE, MIN_FACE)
        found = self._cascade.detectMultiScale(gray, detector.step, detector.neighbors, minSize=smallest)
        boxes = [Box(*map(float, box)) for box in found]
        return sorted(boxes, key=lambda box: (-box.width, box.x, box.y))
