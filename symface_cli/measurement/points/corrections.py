"""Points that a person has corrected, found again by photo and face."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from symface_cli.geometry.types import Array
from symface_cli.measurement.points.files import FacePoints


class Corrections:
    """Corrected points of faces.

    A photo is known by its path, or else by its name without folder and suffix, as other programs keep it. What a file
    does not name is of any photo.
    """

    def __init__(self, faces: Iterable[FacePoints]) -> None:
        self._faces = {(_place(face.photo), face.face): face.points for face in faces}
        self._stems = {(Path(face).stem, number): points for (face, number), points in self._faces.items()}

    @property
    def is_of_any_photo(self) -> bool:
        """Whether the file does not say whose the points are."""
        return ("", 1) in self._faces

    def find(self, photo: Path, face: int) -> Array | None:
        """Return the points (45, 2) of a face of a photo, NaN for those that are not corrected; None for no face."""
        for key in ((_place(str(photo)), face), ("", face)):
            if key in self._faces:
                return self._faces[key]
        return self._stems.get((photo.stem, face))

    def are_of(self, photos: Sequence[Path]) -> bool:
        """Tell whether any of the photos has one."""
        numbers = {number for _, number in self._faces}
        return any(self.find(photo, number) is not None for photo in photos for number in numbers)


def _place(name: str) -> str:
    return os.path.realpath(name) if name else ""
