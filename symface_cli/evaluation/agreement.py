"""How sure symface's detector is of a face."""

import cv2
import numpy as np

from symface_cli.detection import LONGEST_SIDE, search
from symface_cli.evaluation.recognisers import centre_of
from symface_cli.images import Photo


def count_agreeing(photo: Photo) -> int:
    """Windows of symface's detector that agree on the upright face nearest to the photo's centre; 0 without a face."""
    scale = min(LONGEST_SIDE / max(photo.shape[:2]), 1)
    size = [max(round(side * scale), 1) for side in photo.shape[1::-1]]
    small = cv2.resize(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_AREA)
    middle = centre_of(small)
    nearest = min(search(small), key=lambda hit: float(np.linalg.norm(hit.box.centre - middle)), default=None)
    return 0 if nearest is None else nearest.agreeing
