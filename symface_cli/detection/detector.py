"""Faces in a photo, found with OpenCV's Viola-Jones detector."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.detection.cascades import (
    CASCADES,
    SMALLEST_FACE,
    Candidate,
    detect_fast,
    most_agreeing,
    pool_cascades,
    search,
)
from symface_cli.errors import UsageError
from symface_cli.geometry.frames import CROP_SIZE, Box, apply, center_of, crop_from_box
from symface_cli.geometry.types import Array, Photo

LONGEST_SIDE = 640  # px; larger photos are searched on a copy of this size
SURE = 12  # windows; so many agree on 97 % of LFW's faces, but hardly ever on anything in photos on their side
BESIDE_SURE = 6  # windows that must agree on a face in a photo that has a sure one
SURE_TOGETHER = 40  # windows of all cascades on an upright face, after which no tilted one is looked for
EYE_DISTANCE_BOX = 0.38  # box widths, between the eyes' centers: median of LFW's training photos
EYES_ABOVE = 0.098  # box widths, from the box's center up to the eyes
ROLLS = (90.0, -90.0, 180.0, -20.0, 20.0, -40.0, 40.0)  # degrees clockwise, tried where no upright face is sure


@dataclass(frozen=True)
class Detection:
    """Where a face lies.

    Attributes:
        box: The detector's box, in pixels of the photo after the turn at which the face was found.
        degrees: That turn, clockwise; 0 for an upright face.
        crop_from_photo: 3 x 3 matrix from photo pixels to crop pixels, which undoes the turn.
    """

    box: Box
    degrees: float
    crop_from_photo: Array

    @property
    def center(self) -> Array:
        """The crop's center (2,) in pixels of the photo as it is: the middle of the face."""
        middle = (CROP_SIZE - 1) / 2
        return apply(np.linalg.inv(self.crop_from_photo), np.array([middle, middle]))


def detect(photo: NDArray[np.uint8], smallest: float | None = None) -> list[Detection]:
    """Finds the faces of a photo (H, W, 3), the largest first.

    A fast search is enough where it finds a sure face. Where it does not, several cascades look for upright faces,
    which may be half covered or turned aside; and, unless they agree, the photo is turned by quarter turns and by small
    angles. The turn on which most windows agree is taken. A tilted face is rare: one cascade must count more windows on
    it than all together on upright ones.

    Args:
        photo: It is searched on a copy of at most 640 px, in which boxes are at least 40 px wide.
        smallest: Least width of a box in pixels of the photo itself, instead; smaller faces take longer.
    """
    gray = shrink(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), SMALLEST_FACE / smallest if smallest else None)
    candidates = detect_fast(gray, CASCADES[0])
    if most_agreeing(candidates) >= SURE:
        return _locate([candidate for candidate in candidates if candidate.agreeing >= BESIDE_SURE], photo, gray, 0.0)
    upright = pool_cascades(gray)
    if most_agreeing(upright) >= SURE_TOGETHER:
        return _locate(upright, photo, gray, 0.0)
    if most_agreeing(upright) < SURE:
        upright = pool_cascades(gray, thorough=True)
    turned = {angle: detect_fast(_turn(gray, angle), CASCADES[0]) for angle in ROLLS}
    degrees, tilted = max(turned.items(), key=lambda item: most_agreeing(item[1]))
    if most_agreeing(tilted) <= most_agreeing(upright):
        return _locate(upright, photo, gray, 0.0)
    if most_agreeing(tilted) >= SURE:
        tilted = [candidate for candidate in tilted if candidate.agreeing >= BESIDE_SURE]
    return _locate(tilted, photo, gray, degrees)


def roll_matrix(width: int, height: int, degrees: float) -> tuple[Array, tuple[int, int]]:
    """Matrix that turns a width x height image clockwise about its center, and the size that then holds it."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    size = (round(width * abs(c) + height * abs(s)), round(width * abs(s) + height * abs(c)))
    rotation = np.array([[c, -s], [s, c]])
    matrix = np.eye(3)
    matrix[:2, :2] = rotation
    matrix[:2, 2] = (np.array(size) - 1) / 2 - rotation @ [(width - 1) / 2, (height - 1) / 2]
    return matrix, size


def _turn(gray: NDArray[np.uint8], degrees: float) -> NDArray[np.uint8]:
    matrix, size = roll_matrix(gray.shape[1], gray.shape[0], degrees)
    turned: NDArray[np.uint8] = cv2.warpAffine(gray, matrix[:2], size, borderMode=cv2.BORDER_REPLICATE)
    return turned


def shrink(gray: NDArray[np.uint8], scale: float | None = None) -> NDArray[np.uint8]:
    """The image made smaller by `scale`, or to a longer side of at most 640 px; never larger."""
    scale = LONGEST_SIDE / max(gray.shape) if scale is None else scale
    if scale >= 1:
        return gray
    size = [max(round(side * scale), 1) for side in gray.shape[::-1]]
    small: NDArray[np.uint8] = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
    return small


def _locate(
    candidates: list[Candidate], photo: NDArray[np.uint8], searched: NDArray[np.uint8], degrees: float
) -> list[Detection]:
    """The candidates in the photo's own pixels, the largest first."""
    factor = max(photo.shape[:2]) / max(searched.shape)
    turned_from_photo, _ = roll_matrix(photo.shape[1], photo.shape[0], degrees)
    boxes = sorted(
        (_enlarge(candidate.box, factor) for candidate in candidates), key=lambda box: (-box.width, box.x, box.y)
    )
    return [Detection(box, degrees, crop_from_box(box) @ turned_from_photo) for box in boxes]


def _enlarge(box: Box, factor: float) -> Box:
    return Box((box.x + 0.5) * factor - 0.5, (box.y + 0.5) * factor - 0.5, box.width * factor, box.height * factor)


def face_in_box(box: Box) -> Detection:
    """The upright face that a person marked with a box: brows to chin, as wide as high, as the detector's are."""
    return Detection(box, 0.0, crop_from_box(box))


def face_with_eyes(left: Array, right: Array) -> Detection:
    """The face whose eyes' centers (2,) a person marked, in photo pixels; `left` is the viewer's.

    Raises:
        UsageError: If both are the same point.
    """
    across = right - left
    width = float(np.linalg.norm(across)) / EYE_DISTANCE_BOX
    if width == 0:
        raise UsageError("both eyes are at the same point; give the viewer's left eye, then the right one")
    degrees = -float(np.degrees(np.arctan2(across[1], across[0])))
    matrix, _ = roll_matrix(1, 1, degrees)
    x, y = apply(matrix, (left + right) / 2) + np.array([0, EYES_ABOVE * width])
    box = Box(float(x) - (width - 1) / 2, float(y) - (width - 1) / 2, width, width)
    return Detection(box, degrees, crop_from_box(box) @ matrix)


def count_agreeing(photo: Photo) -> int:
    """Windows of symface's detector that agree on the upright face nearest to the photo's center; 0 without a face."""
    small = shrink(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY))
    middle = center_of(small)
    nearest = min(
        search(small), key=lambda candidate: float(np.linalg.norm(candidate.box.center - middle)), default=None
    )
    return 0 if nearest is None else nearest.agreeing
