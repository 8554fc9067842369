"""What a worker process keeps: the loaded network, and the photos that it has worked on last, decoded and predicted."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from symface_cli.detection.detector import Detection, detect
from symface_cli.detection.selection import Selection, take_number
from symface_cli.errors import UsageError
from symface_cli.geometry.frames import resizing_matrix
from symface_cli.geometry.midline import midline_through, motion_between
from symface_cli.geometry.types import Array, Photo
from symface_cli.imaging.picture import Picture, read_picture
from symface_cli.inference.face import FacePrediction
from symface_cli.inference.symmetrizer import Symmetrizer

DECODED_BYTES = 400 * 2**20  # of photos that a process keeps beside the one that it works on: five of 12 megapixels
Face = tuple[Detection, FacePrediction]


@dataclass(frozen=True)
class Upload:
    """A picture's file that was sent.

    Attributes:
        data: Its contents.
        name: What its sender calls it, without a folder.
        key: Under which it is kept; empty if it is not.
    """

    data: bytes
    name: str
    key: str = ""


NO_UPLOAD = Upload(b"", "")


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A face as a person has chosen or corrected it.

    Attributes:
        number: Of the face by size; None of one that was not found, of which the eyes are given.
        eyes: Where its eyes are, the viewer's left and right, each (2,) in photo pixels; None for where they are seen.
        midline: The upper and the lower end of its midline, each (2,); None for where it is seen.
    """

    number: int | None = None
    eyes: tuple[Array, Array] | None = None
    midline: tuple[Array, Array] | None = None


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which faces of a photo are meant: those that are marked, if any are; else those that are selected."""

    selection: Selection = field(default_factory=Selection)
    marks: tuple[Mark, ...] = ()


class OpenPhoto:
    """A photo that is worked on: what was found in it is remembered.

    Attributes:
        picture: The picture.
    """

    def __init__(self, picture: Picture, symmetrizer: Symmetrizer) -> None:
        self.picture = picture
        self._symmetrizer = symmetrizer
        self._predictions: dict[bytes, FacePrediction] = {}
        self._reduced: tuple[int, Picture] | None = None

    @property
    def size(self) -> int:
        """How many bytes it takes."""
        parts = (self.picture.pixels, self.picture.photo, self.picture.alpha)
        return sum(part.nbytes for part in parts if part is not None)

    @cached_property
    def found(self) -> list[Detection]:
        """The faces that are found, the largest first; there may be none."""
        return detect(self.picture.photo)

    def faces(self, choice: Choice) -> list[Face]:
        """Return the faces that are meant, and what the network predicts for them.

        Raises:
            NoFaceError: If there are none.
        """
        if choice.marks:
            return [self._marked(mark) for mark in choice.marks]
        selection = choice.selection
        if selection.box is None and selection.eyes is None and selection.smallest is None:
            return [(found, self.predict(found)) for found in take_number(self.found, selection.number)]
        return [(found, self.predict(found)) for found in selection.choose(self.picture.photo)]

    def detections(self, choice: Choice) -> list[tuple[int, Detection]]:
        """Return the faces that are meant, with their numbers."""
        if choice.marks:
            return [(mark.number or count, self._find(mark)) for count, mark in enumerate(choice.marks, 1)]
        first = choice.selection.number or 1
        return list(enumerate(choice.selection.choose(self.picture.photo), first))

    def _find(self, mark: Mark) -> Detection:
        if mark.eyes is None:
            return take_number(self.found, mark.number)[0]
        return Selection(eyes=mark.eyes).choose(self.picture.photo)[0]

    def _marked(self, mark: Mark) -> Face:
        """Return a face as it is marked: of another midline, all of its warp lies elsewhere."""
        found = self._find(mark)
        prediction = self.predict(found)
        if mark.midline is None or prediction.warp is None:
            return found, prediction
        try:
            midline = midline_through(*mark.midline)
        except ValueError as error:
            raise UsageError(f"marks: {error}") from error
        return found, prediction.moved(motion_between(prediction.warp.midline, midline))

    def predict(self, found: Detection) -> FacePrediction:
        """Return what the network predicts for a face; it is asked once."""
        key = found.crop_from_photo.tobytes()
        if key not in self._predictions:
            self._predictions[key] = self._symmetrizer.predict(self.picture.photo, found)
        return self._predictions[key]

    def on_screen(self, faces: Sequence[Face], side: int) -> tuple[Picture, list[Face]]:
        """Return the photo and its faces with a longer side of at most so many pixels, in sRGB."""
        if self._reduced is None or self._reduced[0] != side:
            self._reduced = side, Picture.from_array(reduce_photo(self.picture.photo, side))
        reduced = self._reduced[1]
        moved = resizing_matrix(self.picture.photo.shape, reduced.photo.shape)
        return reduced, [(found, prediction.moved(moved)) for found, prediction in faces]


def reduce_photo(photo: Photo, side: int) -> Photo:
    """Make a photo smaller whose longer side has more pixels, averaged over areas."""
    scale = side / max(photo.shape)
    if scale >= 1:
        return photo
    height, width = (max(round(length * scale), 1) for length in photo.shape[:2])
    return np.asarray(cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA))


class Studio:
    """A network, and photos that are worked on.

    Args:
        symmetrizer: The network.
        model_folder: The user's own folder of published models.
    """

    def __init__(self, symmetrizer: Symmetrizer, model_folder: Path | None = None) -> None:
        self.symmetrizer = symmetrizer
        self.model_folder = model_folder
        self._photos: OrderedDict[str, OpenPhoto] = OrderedDict()

    def open(self, upload: Upload) -> OpenPhoto:
        """Decode a photo, or take it as it was left; the one used last is kept longest.

        Raises:
            PhotoError: If it cannot be read.
        """
        photo = self._photos.pop(upload.key, None) or OpenPhoto(read_picture(upload.data), self.symmetrizer)
        if upload.key:
            self._photos[upload.key] = photo
            while len(self._photos) > 1 and sum(kept.size for kept in self._photos.values()) > DECODED_BYTES:
                self._photos.popitem(last=False)
        return photo

    def forget(self, key: str) -> None:
        """Drop a photo."""
        self._photos.pop(key, None)
