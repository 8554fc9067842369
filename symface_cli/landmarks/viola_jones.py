"""What the landmark methods that start from a Viola-Jones box share: the detector, and which face is meant."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry.frames import Box
from symface_cli.geometry.types import Array

Landmarks = NDArray[np.float32]
Gray = NDArray[np.uint8]


@dataclass(frozen=True)
class Detector:
    """A cascade of OpenCV, and how its authors' program calls it; a method is trained on the boxes of its detector.

    Attributes:
        cascade: Name of the cascade's file, without its suffix.
        step: Factor from one scale of the search to the next.
        neighbors: Windows that must agree on a face.
        smallest: px, least width of a face.
    """

    cascade: str
    step: float
    neighbors: int
    smallest: int = 50


class BoxLandmarks(ABC):
    """Finds 68 landmarks in every face that a Viola-Jones detector finds."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._cascade = cv2.CascadeClassifier(str(Path(cv2.data.haarcascades) / f"{detector.cascade}.xml"))

    @abstractmethod
    def fit(self, gray: Gray, box: Box) -> Landmarks:
        """Landmarks (68, 2) in pixels of a gray photo (H, W), of the face in a box of this method's own detector."""

    def find_faces(self, photo: NDArray[np.uint8]) -> list[Landmarks]:
        """Landmarks (68, 2) in photo pixels of every face that the detector finds in a photo (H, W, 3)."""
        gray = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
        return [self.fit(gray, box) for box in self._detect(gray)]

    def find_nearest(self, photo: NDArray[np.uint8], point: Array) -> Landmarks | None:
        """Landmarks of the face whose box is nearest to `point` (2,) of the photo, None if no face is found."""
        gray = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
        boxes = self._detect(gray)
        nearest = min(boxes, key=lambda box: float(np.linalg.norm(box.center - point)), default=None)
        return None if nearest is None else self.fit(gray, nearest)

    def _detect(self, gray: Gray) -> list[Box]:
        """The faces' boxes, the largest first."""
        smallest = (self._detector.smallest, self._detector.smallest)
        found = self._cascade.detectMultiScale(gray, self._detector.step, self._detector.neighbors, minSize=smallest)
        boxes = [Box(*map(float, box)) for box in found]
        return sorted(boxes, key=lambda box: (-box.width, box.x, box.y))
