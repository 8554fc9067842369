"""Self-test: makes a face that comes with symface symmetric."""

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.detection.detector import detect
from symface_cli.engines.engine import EngineName
from symface_cli.files import bundled
from symface_cli.geometry.frames import EYE_DISTANCE_FACE, EYES_Y, fit_similarity, pixel_from_normalized
from symface_cli.geometry.sampling import resample
from symface_cli.geometry.types import Array, Photo
from symface_cli.imaging.photo import read_photo
from symface_cli.inference.symmetrizer import Symmetrizer

PORTRAIT = "portrait.jpg"
EYES = ((291.0, 315.0), (388.0, 316.0))  # px, centers of the portrait's eyes, marked by hand
SIZE = 128  # px, side of the gray pictures that are compared
BLUR = 2.0  # px, standard deviation: the VAE draws no finer
OVAL = (0.2, 0.42, 0.55)  # normalized height of the face's middle, half its width and half its height
ALIKE = 0.97  # correlation; right faces have 0.99, the same face 2 % too low 0.88, other persons' up to 0.9


@dataclass(frozen=True)
class Result:
    """Result of the self-test.

    Attributes:
        faces: How many were found; there is one.
        mirror_error: Largest difference between the face and its mirror image, 0 to 255.
        likeness: Correlation of the face with the portrait's symmetric average, and of the decoded face, the lower one.
        seconds: What the portrait took, without loading the network.
    """

    faces: int
    mirror_error: int
    likeness: float
    seconds: float


def portrait() -> Path:
    """Return the path of the portrait: in the package, or beside it in a checkout."""
    return bundled("examples", PORTRAIT)


def run(device: str, engine: EngineName) -> Result:
    """Make the portrait symmetric with the bundled weights, computed by an engine.

    Raises:
        PhotoError: If the portrait cannot be read.
        WeightsError: If the weights cannot be used.
        UsageError: If the device is not there.
    """
    photo = read_photo(portrait())
    symmetrizer = Symmetrizer(device=device, engine=engine)
    start = perf_counter()
    found = detect(photo)
    if not found:
        return Result(0, 0, 0.0, perf_counter() - start)
    face = symmetrizer.symmetrize(photo, found[:1])[0].image
    seconds = perf_counter() - start
    decoded = symmetrizer.symmetrize(photo, found[:1], detail=False)[0].image
    likeness = min(compare(face, photo), compare(decoded, photo))
    return Result(len(found), int(cv2.absdiff(face, face[:, ::-1].copy()).max()), likeness, seconds)


def compare(face: Photo, photo: Photo) -> float:
    """Correlate a face (S, S, 3) in the face frame with the portrait's symmetric average.

    That is the portrait (H, W, 3), leveled by its eyes and averaged with its mirror image; both are compared in gray,
    blurred, inside of an oval.
    """
    eyes = np.array([(-EYE_DISTANCE_FACE / 2, EYES_Y), (EYE_DISTANCE_FACE / 2, EYES_Y)])
    level = _soften(photo, fit_similarity(np.array(EYES), eyes, np.ones(2)))
    drawn = _soften(face, np.linalg.inv(pixel_from_normalized(len(face))))
    y, x = np.meshgrid(*[np.linspace(-1, 1, SIZE)] * 2, indexing="ij")
    middle, width, height = OVAL
    inside = (x / width) ** 2 + ((y - middle) / height) ** 2 < 1
    return float(np.corrcoef((level + level[:, ::-1])[inside], drawn[inside])[0, 1])


def _soften(image: Photo, frame_from_image: NDArray[np.floating]) -> Array:
    """Return the face frame of an image (H, W, 3): (128, 128), gray and blurred."""
    small = resample(image, pixel_from_normalized(SIZE) @ frame_from_image, SIZE)
    gray = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float64)
    return np.asarray(cv2.GaussianBlur(gray, (0, 0), BLUR))
