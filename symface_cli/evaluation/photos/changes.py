"""What making a face symmetric changes in its photo: what is overwritten around it, and the asymmetry that is left.

Areas and lengths are in units of the eye distance of the photo's face.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from symface_cli.data.segmentation import LabelMap, PixelClass
from symface_cli.evaluation.photos.asymmetry import asymmetry_left
from symface_cli.evaluation.photos.outline import outline_step
from symface_cli.geometry.types import Photo
from symface_cli.methods.provider import PredictedFace

CHANGED = 10  # gray levels, in the channel that changes most: what is more is seen, and JPEG's noise is less
MARGIN = 0.1  # eye distances from another class, within which labels are not sure: 4 px of LFW's photos
OVERWRITTEN = (PixelClass.BACKGROUND, PixelClass.HAIR, PixelClass.HAT, PixelClass.IN_FRONT, PixelClass.CLOTHES)
"""What is to stay as it is in a photo."""


@dataclass(frozen=True, kw_only=True)
class PhotoChange:
    """What has changed in a photo whose face was made symmetric.

    Attributes:
        overwritten: By names of OVERWRITTEN in lower case: the area of its pixels that changed, in squared eye
            distances; empty without labels.
        outline_step: Largest step along the outline of what changed, in gray levels, as `outline.outline_step`.
        asymmetry_before: Asymmetry of the face in the photo, in per cent of the eye distance, as
            `asymmetry.asymmetry_left`.
        asymmetry: The same of the result.
    """

    overwritten: Mapping[str, float]
    outline_step: float
    asymmetry_before: float
    asymmetry: float


def measure_change(photo: Photo, result: Photo, face: PredictedFace, labels: LabelMap | None) -> PhotoChange:
    """Measure what has changed in a photo (H, W, 3).

    Args:
        photo: The photo.
        result: The same with a symmetric face, (H, W, 3).
        face: This face in the photo.
        labels: What the photo's pixels show, (H, W); None if that is not known.
    """
    warp, left = face.prediction.warp, face.predict(result).warp
    assert warp is not None and left is not None  # without one, there would be no result
    return PhotoChange(
        overwritten={} if labels is None else overwritten_areas(photo, result, labels, warp.eye_distance),
        outline_step=outline_step(photo, result, warp.eye_distance),
        asymmetry_before=asymmetry_left(warp),
        asymmetry=asymmetry_left(left),
    )


def overwritten_areas(photo: Photo, result: Photo, labels: LabelMap, eye_distance: float) -> dict[str, float]:
    """Return the areas of OVERWRITTEN that changed, by name, in squared eye distances.

    Args:
        photo: (H, W, 3).
        result: The same, changed.
        labels: What the photo's pixels show, (H, W).
        eye_distance: In pixels.
    """
    changed = cv2.absdiff(photo, result).max(-1) > CHANGED
    near = np.ones((2 * round(MARGIN * eye_distance) + 1,) * 2, np.uint8)
    areas = {}
    for kind in OVERWRITTEN:
        sure = cv2.erode((labels == kind).astype(np.uint8), near) > 0
        areas[kind.name.lower()] = float(np.count_nonzero(sure & changed)) / eye_distance**2
    return areas
