"""Find faces in a photo with OpenCV's Viola-Jones detector."""

from dataclasses import dataclass

import cv2
import numpy as np

from symface_cli.detection.cascades import (
    CASCADES,
    Candidate,
    detect_fast,
    most_agreeing,
    pool_cascades,
    search,
)
from symface_cli.detection.settings import SEARCH
from symface_cli.errors import UsageError
from symface_cli.geometry.frames import CROP_SIZE, Box, apply, center_of, crop_from_box
from symface_cli.geometry.sampling import shrink_areas
from symface_cli.geometry.types import Array, Gray, Photo
from symface_cli.geometry.warping import warp_affine

EYE_DISTANCE_BOX = 0.38  # box widths, between the eyes' centers: median of LFW's training photos
EYES_ABOVE_CENTER = 0.098  # box widths, from the box's center up to the eyes


@dataclass(frozen=True)
class Detection:
    """Where a face lies.

    Attributes:
        box: The detector's box, in pixels of the photo after it was turned for the search.
        roll_degrees: By how much it was turned, clockwise; 0 for an upright face.
        crop_from_photo: 3 x 3 matrix from photo pixels to crop pixels; it undoes the roll.
    """

    box: Box
    roll_degrees: float
    crop_from_photo: Array

    @property
    def center(self) -> Array:
        """Center (2,) of the crop in pixels of the photo as it is: the middle of the face."""
        middle = (CROP_SIZE - 1) / 2
        return apply(np.linalg.inv(self.crop_from_photo), np.array([middle, middle]))


def detect(photo: Photo, smallest: float | None = None) -> list[Detection]:
    """Find the faces of a photo (H, W, 3), the largest first.

    A fast search is enough where it finds a sure face. Where it does not, several cascades look for upright faces,
    which may be half covered or turned aside; and, unless they agree, the photo is rolled by quarter turns and by small
    angles. The roll on which most windows agree is taken. A tilted face is rare: one cascade must count more windows on
    it than all together on upright ones. Where nothing is found, upright faces are looked for with more contrast.

    Args:
        photo: It is searched on a copy of at most 640 px, in which boxes are at least 40 px wide.
        smallest: Width of the smallest box to find, in pixels of the photo itself, instead; small faces take longer.
    """
    gray = shrink(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), SEARCH.min_face_px / smallest if smallest else None)
    sure = _find_sure(gray)
    if sure:
        return _locate(sure, photo, gray, 0.0)
    upright = pool_cascades(gray)
    if most_agreeing(upright) >= SEARCH.sure_pooled_windows:
        return _locate(upright, photo, gray, 0.0)
    if most_agreeing(upright) < SEARCH.sure_windows:
        upright = pool_cascades(gray, thorough=True)
    rolled = {angle: detect_fast(_roll(gray, angle), CASCADES[0]) for angle in SEARCH.roll_degrees}
    roll_degrees, tilted = max(rolled.items(), key=lambda item: most_agreeing(item[1]))
    if most_agreeing(tilted) <= most_agreeing(upright):
        return _locate(upright or _detect_by_contrast(gray), photo, gray, 0.0)
    if most_agreeing(tilted) >= SEARCH.sure_windows:
        tilted = [candidate for candidate in tilted if candidate.agreeing >= SEARCH.min_windows_beside_sure]
    return _locate(tilted, photo, gray, roll_degrees)


def detect_sure(photo: Photo) -> list[Detection]:
    """Find faces of a photo (H, W, 3) by the fast search alone, if any is sure, the largest first."""
    gray = shrink(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY))
    return _locate(_find_sure(gray), photo, gray, 0.0)


def _find_sure(gray: Gray) -> list[Candidate]:
    """Find the faces of an image by the fast search, if any of them is sure."""
    candidates = detect_fast(gray, CASCADES[0], strict=True)
    if most_agreeing(candidates) < SEARCH.sure_windows:
        return []
    return [candidate for candidate in candidates if candidate.agreeing >= SEARCH.min_windows_beside_sure]


def _detect_by_contrast(gray: Gray) -> list[Candidate]:
    """Find upright faces in an image whose contrast is made the same everywhere: dark faces, and faces in hard light.

    Contrast is raised by at most a limit (CLAHE; Zuiderveld 1994): noise has some, too.
    """
    even = cv2.createCLAHE(SEARCH.contrast_limit, SEARCH.contrast_tiles).apply(gray)
    found = pool_cascades(even, thorough=True)
    return [candidate for candidate in found if candidate.agreeing >= SEARCH.min_windows_by_contrast]


def roll_matrix(width: int, height: int, degrees: float) -> tuple[Array, tuple[int, int]]:
    """Return the matrix that rolls a width x height image clockwise about its center, and the size that holds it."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    size = (round(width * abs(c) + height * abs(s)), round(width * abs(s) + height * abs(c)))
    rotation = np.array([[c, -s], [s, c]])
    matrix = np.eye(3)
    matrix[:2, :2] = rotation
    matrix[:2, 2] = (np.array(size) - 1) / 2 - rotation @ [(width - 1) / 2, (height - 1) / 2]
    return matrix, size


def _roll(gray: Gray, degrees: float) -> Gray:
    matrix, size = roll_matrix(gray.shape[1], gray.shape[0], degrees)
    return warp_affine(gray, matrix, size, cv2.BORDER_REPLICATE)


def shrink(image: Gray | Photo, scale: float | None = None) -> Gray | Photo:
    """Make an image smaller by `scale`, or to a longer side of at most 640 px; never larger."""
    scale = SEARCH.longest_side_px / max(image.shape[:2]) if scale is None else scale
    if scale >= 1:
        return image
    height, width = (max(round(side * scale), 1) for side in image.shape[:2])
    return shrink_areas(image, width, height)


def _locate(candidates: list[Candidate], photo: Photo, searched: Gray, roll_degrees: float) -> list[Detection]:
    """Return the candidates in the photo's own pixels, the largest first."""
    factor = max(photo.shape[:2]) / max(searched.shape)
    rolled_from_photo = roll_matrix(photo.shape[1], photo.shape[0], roll_degrees)[0] if roll_degrees else np.eye(3)
    boxes = sorted(
        (_enlarge(candidate.box, factor) for candidate in candidates), key=lambda box: (-box.width, box.x, box.y)
    )
    return [Detection(box, roll_degrees, crop_from_box(box) @ rolled_from_photo) for box in boxes]


def _enlarge(box: Box, factor: float) -> Box:
    return Box((box.x + 0.5) * factor - 0.5, (box.y + 0.5) * factor - 0.5, box.width * factor, box.height * factor)


def face_in_box(box: Box) -> Detection:
    """Return the upright face that a person marked with a box: brows to chin, as wide as high, like the detector's."""
    return Detection(box, 0.0, crop_from_box(box))


def face_with_eyes(left: Array, right: Array) -> Detection:
    """Return the face whose eyes' centers (2,) a person marked, in photo pixels; `left` is the viewer's.

    Raises:
        UsageError: If both are the same point.
    """
    across = right - left
    width = float(np.linalg.norm(across)) / EYE_DISTANCE_BOX
    if width == 0:
        raise UsageError("both eyes are at the same point; give the viewer's left eye, then the right one")
    roll_degrees = -float(np.degrees(np.arctan2(across[1], across[0])))
    matrix, _ = roll_matrix(1, 1, roll_degrees)
    x, y = apply(matrix, (left + right) / 2) + np.array([0, EYES_ABOVE_CENTER * width])
    box = Box(float(x) - (width - 1) / 2, float(y) - (width - 1) / 2, width, width)
    return Detection(box, roll_degrees, crop_from_box(box) @ matrix)


def count_agreeing(photo: Photo) -> int:
    """Count the detector's windows that agree on the upright face nearest to the photo's center; 0 without a face."""
    small = shrink(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY))
    middle = center_of(small)
    nearest = min(
        search(small), key=lambda candidate: float(np.linalg.norm(candidate.box.center - middle)), default=None
    )
    return 0 if nearest is None else nearest.agreeing
