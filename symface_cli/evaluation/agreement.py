"""How sure symface's detector is of a face."""

import cv2
import numpy as np

from symface_cli.detection import search, shrink
from symface_cli.evaluation.recognisers import centre_of
from symface_cli.images import Photo


def count_agreeing(photo: Photo) -> int:
    """Windows of symface's detector that agree on the upright face nearest to the photo's centre; 0 without a face."""
    small = shrink(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY))
    middle = centre_of(small)
    nearest = min(search(small), key=lambda hit: float(np.linalg.norm(hit.box.centre - middle)), default=None)
    return 0 if nearest is None else nearest.agreeing
