"""The example photos, and the network's predictions for their faces."""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.detection.detector import detect
from symface_cli.geometry.frames import pixel_from_normalized
from symface_cli.geometry.sampling import enlarge
from symface_cli.geometry.types import Photo
from symface_cli.geometry.warps import similarity_of_warp
from symface_cli.imaging.photo import read_photo
from symface_cli.inference.face import FaceWarp
from symface_cli.inference.symmetrizer import Symmetrizer
from symface_cli.rendering.renderers import Faces
from tests.conftest import ROOT

REGION = slice(80, 650), slice(50, 660)  # of the portrait: not square, the face not in the middle


@cache
def symmetrizer() -> Symmetrizer:
    return Symmetrizer(device="cpu")


@cache
def predict(photo: str) -> Faces:
    """The faces of an example."""
    pixels = example(photo)
    return [(found, symmetrizer().predict(pixels, found)) for found in detect(pixels)]


@cache
def example(name: str) -> Photo:
    photo = read_photo(ROOT / "examples" / f"{name}.jpg")
    return np.ascontiguousarray(photo[REGION]) if name == "portrait" else photo


def mask_in_photo(warped: FaceWarp, photo: Photo) -> NDArray[np.float32]:
    """How much each pixel of a photo belongs to a face, (H, W)."""
    size = 257
    photo_from_mask = similarity_of_warp(warped.photo_from_face) @ np.linalg.inv(pixel_from_normalized(size))
    return cv2.warpAffine(enlarge(warped.mask, size), photo_from_mask[:2], photo.shape[1::-1])
