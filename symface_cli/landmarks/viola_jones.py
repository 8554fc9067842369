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
Grey = NDArray[np.uint8]


@dataclass(frozen=True)
class Detector:
    """A cascade of OpenCV, and how its authors' program calls it; a method is trained on the boxes of its detector.

    Attributes:
        cascade: Name of the cascade's file, without its suffix.
        step: Factor from one scale of the search to the next.
        neighbours: Windows that must agree on a face.
        smallest: px, least width of a face.
    """

    cascade: str
    step: float
    neighbours: int
    smallest: int = 50


class BoxLandmarks(ABC):
    """Finds 68 landmarks in every face that a Viola-Jones detector finds."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._cascade = cv2.CascadeClassifier(str(Path(cv2.data.haarcascades) / f"{detector.cascade}.xml"))

    @abstractmethod
    def fit(self, grey: Grey, box: Box) -> Landmarks:
        """Landmarks (68, 2) in pixels of a grey photo (H, W), of the face in a box of this method's own detector."""

    def find_faces(self, photo: NDArray[np.uint8]) -> list[Landmarks]:
        """Landmarks (68, 2) in photo pixels of every face that the detector finds in a photo (H, W, 3)."""
        grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
        return [self.fit(grey, box) for box in self._detect(grey)]

    def find_nearest(self, photo: NDArray[np.uint8], point: Array) -> Landmarks | None:
        """Landmarks of the face whose box is nearest to `point` (2,) of the photo, None if no face is found."""
        grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
        boxes = self._detect(grey)
        nearest = min(boxes, key=lambda box: float(np.linalg.norm(box.centre - point)), default=None)
        return None if nearest is None else self.fit(grey, nearest)

    def _detect(self, grey: Grey) -> list[Box]:
        """The faces' boxes, the largest first."""
        smallest = (self._detector.smallest, self._detector.smallest)
        found = self._cascade.detectMultiScale(grey, self._detector.step, self._detector.neighbours, minSize=smallest)
        boxes = [Box(*map(float, box)) for box in found]
        return sorted(boxes, key=lambda box: (-box.width, box.x, box.y))
