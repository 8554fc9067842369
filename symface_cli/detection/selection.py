"""Choose which faces of a photo are meant."""

from dataclasses import dataclass
from typing import TypeVar

from symface_cli.detection.detector import Detection, detect, face_in_box, face_with_eyes
from symface_cli.errors import Hint, NoFaceError
from symface_cli.geometry.frames import Box
from symface_cli.geometry.types import Array, Photo

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which faces of a photo are meant.

    Attributes:
        number: Number by size, 1 for the largest; None for all.
        smallest: Least width of a face's box in photo pixels; None for the detector's own choice.
        box: The one face, where a person has marked it: brows to chin.
        eyes: The one face, by its eyes' centers in photo pixels, the viewer's left and right, each (2,).
    """

    number: int | None = None
    smallest: float | None = None
    box: Box | None = None
    eyes: tuple[Array, Array] | None = None

    def as_dict(self) -> dict[str, object]:
        """Return the fields as JSON has them."""
        eyes = None if self.eyes is None else [point.tolist() for point in self.eyes]
        return {"number": self.number, "smallest": self.smallest, "box": self.box, "eyes": eyes}

    def choose(self, photo: Photo) -> list[Detection]:
        """Return the faces that are meant in a photo (H, W, 3), the largest first.

        Raises:
            NoFaceError: If there are none.
        """
        if self.eyes is not None:
            return [face_with_eyes(*self.eyes)]
        if self.box is not None:
            return [face_in_box(self.box)]
        return take_number(detect(photo, self.smallest), self.number)


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
