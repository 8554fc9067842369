"""The example photos, and the network's predictions for their faces."""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.detection.detector import detect
from symface_cli.geometry.frames import pixel_from_normalized
from symface_cli.geometry.pose import face_from_level
from symface_cli.geometry.sampling import enlarge
from symface_cli.geometry.types import Photo
from symface_cli.imaging.photo import read_photo
from symface_cli.inference.face import FaceWarp
from symface_cli.inference.symmetrizer import Symmetrizer
from symface_cli.rendering.fields import sample_field
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
    """How much each pixel of a photo belongs to a face in its pose, (H, W)."""
    size, photo_from_level = 257, warped.photo_from_level
    face = enlarge(face_from_level(warped.pose.displacement, photo_from_level), size)
    mask = sample_field(enlarge(warped.mask, size), face)
    return cv2.warpAffine(mask, (photo_from_level @ np.linalg.inv(pixel_from_normalized(size)))[:2], photo.shape[1::-1])
