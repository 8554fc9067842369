"""What the pixels of a data set's photos show, as large as the photos."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from symface_cli.data.datasets import DatasetPhoto
from symface_cli.data.segmentation import LabelMap, PixelClass, Segmentation
from symface_cli.geometry.types import Photo


@dataclass(frozen=True)
class LabelSource:
    """Where labels come from.

    Attributes:
        path: The labels, as `Segmentation.open` takes them.
        folder: The data set's; the photos' paths in it name the labels.
    """

    path: Path
    folder: Path


class PhotoLabels:
    """The label maps of a data set's photos.

    Raises:
        DataError: If they cannot be read.
    """

    def __init__(self, source: LabelSource) -> None:
        self._segmentation = Segmentation.open(source.path)
        self._folder = source.folder

    def of(self, photo: DatasetPhoto) -> LabelMap | None:
        """Return what the pixels of a photo show; None without labels.

        Raises:
            DataError: If they cannot be read.
        """
        return self._segmentation.label_of(photo.path.relative_to(self._folder).as_posix())

    def digest(self, photo: DatasetPhoto) -> str:
        """Return the SHA-256 of a photo's label map and its shape, in hexadecimal; empty without labels.

        Raises:
            DataError: If they cannot be read.
        """
        labels = self.of(photo)
        if labels is None:
            return ""
        return hashlib.sha256(f"{labels.shape}".encode() + labels.tobytes()).hexdigest()


def labels_under(labels: LabelMap, pixels: Photo, photo: Photo) -> LabelMap:
    """Enlarge labels (h, w) to a photo (H, W, 3) under a condition; an occluder in it is in front of the face.

    Args:
        labels: What the photo's pixels show; the nearest is taken.
        pixels: The photo as it is, (H, W, 3).
        photo: The same under the condition.
    """
    size = pixels.shape[1], pixels.shape[0]
    enlarged = cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST)
    under: LabelMap = np.where((pixels != photo).any(-1), np.uint8(PixelClass.IN_FRONT), enlarged)
    return under
