"""Choose which faces of a photo are meant."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from symface_cli.detection.detector import Detection, detect, face_in_box, face_with_eyes
from symface_cli.errors import Hint, NoFaceError, UsageError
from symface_cli.geometry.frames import Box, apply, crop_from_box
from symface_cli.geometry.types import Array, Photo

LEAST_INSIDE = 0.25  # of a marked face's area, with its middle
ACROSS = 16  # points across a marked face at which that is tested

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which faces of a photo are meant.

    Attributes:
        number: Number by size, 1 for the largest; None for all.
        smallest: Least width of a face's box in photo pixels; None for the detector's own choice.
        box: The one face, where a person has marked it: brows to chin.
        eyes: The one face, by its eyes' centers in photo pixels, the viewer's left and right, each (2,).

    Raises:
        UsageError: If there can be no face of that number.
    """

    number: int | None = None
    smallest: float | None = None
    box: Box | None = None
    eyes: tuple[Array, Array] | None = None

    def __post_init__(self) -> None:
        if self.number is not None and self.number < 1:
            raise UsageError(f"face number {self.number}: faces are numbered by size, from 1")

    @property
    def is_upside_down(self) -> bool:
        """Whether the eyes are given the wrong way round, unless the face is upside down."""
        marked = self._marked()
        return marked is not None and abs(marked.roll_degrees) > 90

    def as_dict(self) -> dict[str, object]:
        """Return the fields as JSON has them."""
        eyes = None if self.eyes is None else [point.tolist() for point in self.eyes]
        return {"number": self.number, "smallest": self.smallest, "box": self.box, "eyes": eyes}

    def choose(self, photo: Photo) -> list[Detection]:
        """Return the faces that are meant in a photo (H, W, 3), the largest first.

        Raises:
            NoFaceError: If there are none, or the one that is marked lies outside of the photo.
        """
        marked = self._marked()
        if marked is not None:
            _refuse_outside(marked, photo)
            return [marked]
        return take_number(detect(photo, self.smallest), self.number)

    def _marked(self) -> Detection | None:
        """Return the face that a person has marked; None if none is."""
        if self.eyes is not None:
            return face_with_eyes(*self.eyes)
        return None if self.box is None else face_in_box(self.box)


def _refuse_outside(marked: Detection, photo: Photo) -> None:
    """Refuse a face that is not in the photo, or hardly: its place is of another size, or of a photo not upright.

    Raises:
        NoFaceError: If so.
    """
    box, ticks = marked.box, (np.arange(ACROSS) + 0.5) / ACROSS
    points = np.stack(np.meshgrid(box.x - 0.5 + box.width * ticks, box.y - 0.5 + box.height * ticks), -1)
    photo_from_rolled = np.linalg.inv(marked.crop_from_photo) @ crop_from_box(box)
    height, width = photo.shape[:2]
    middle, *parts = (
        (abs(2 * apply(photo_from_rolled, places) - [width - 1, height - 1]) <= [width, height]).all(-1)
        for places in (box.center, *points)
    )
    if not middle or np.mean(parts) < LEAST_INSIDE:
        told = f"no face where it is marked: outside of the photo, which has {width} x {height} pixels when upright"
        raise NoFaceError(f"{told}; give its place in these pixels")


def take_number(found: list[T], number: int | None) -> list[T]:
    """Return all faces of a photo, or the one of that number, from 1.

    Raises:
        NoFaceError: If there are none, or not so many.
    """
    if not found:
        raise NoFaceError("no face found; try a larger, brighter or more frontal picture of the face", Hint.MARK_FACE)
    if number is None:
        return found
    if number > len(found):
        raise NoFaceError(f"no face number {number}, only {len(found)} found", Hint.ALL_FACES)
    return [found[number - 1]]
