"""Folders of pictures read as films: frame by frame, in the order of their names."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from symface_cli.errors import UNREADABLE, PhotoError
from symface_cli.files import find_photos, is_folder, on_one_line
from symface_cli.imaging.photo import read_photo
from symface_cli.video.frames import Frame
from symface_cli.video.reading import open_film

RATE = Fraction(30)  # frames per second, where nothing else is said


class Frames(Protocol):
    """What is read frame by frame: a film, or a folder of pictures.

    Attributes:
        damage: What is wrong with it, if that was met while it was read.
    """

    damage: str | None

    def frames(self, start: Fraction | None = None, end: Fraction | None = None) -> Iterator[Frame]:
        """Yield its frames from one time in seconds up to, but not with, another; all by default."""

    def count_frames(self, start: Fraction | None = None, end: Fraction | None = None) -> int | None:
        """Estimate how many frames there are between two times in seconds; None if it does not say."""


class FrameFolder:
    """A folder of pictures that are the frames of a film, numbers in their names ordered as numbers.

    Args:
        folder: The folder; it is searched with those in it.
        rate: Frames per second.

    Attributes:
        damage: Which picture could not be read; the frames end before it.

    Raises:
        PhotoError: If it has no picture.
    """

    def __init__(self, folder: Path, rate: Fraction = RATE) -> None:
        self._photos = sorted(find_photos(folder).photos, key=_number_parts)
        self._rate = rate
        self.damage: str | None = None
        if not self._photos:
            raise PhotoError(f"{on_one_line(str(folder))}: a folder without pictures; give one that has the frames")

    def frames(self, start: Fraction | None = None, end: Fraction | None = None) -> Iterator[Frame]:
        """Yield the frames from one time in seconds up to, but not with, another; all by default."""
        self.damage = None
        for index, (time, photo) in enumerate(self._part(start, end)):
            try:
                shown = read_photo(photo)
            except UNREADABLE as error:
                self.damage = f"{error}; what follows is left out"
                return
            yield Frame(index=index, time=time, duration=1 / self._rate, photo=shown)

    def count_frames(self, start: Fraction | None = None, end: Fraction | None = None) -> int:
        """Count the frames between two times in seconds."""
        return len(self._part(start, end))

    def _part(self, start: Fraction | None, end: Fraction | None) -> list[tuple[Fraction, Path]]:
        timed = ((index / self._rate, photo) for index, photo in enumerate(self._photos))
        return [
            (time, photo) for time, photo in timed if (start is None or time >= start) and (end is None or time < end)
        ]


def _number_parts(path: Path) -> list[tuple[int, str]]:
    """Return what a name is sorted by: its texts, and its numbers as numbers."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"([0-9]+)", str(path))]


@contextmanager
def open_frames(path: Path, rate: Fraction = RATE) -> Iterator[Frames]:
    """Open a film, or a folder of pictures with so many frames per second, while the context lasts.

    Raises:
        MissingExtraError: If PyAV is not installed.
        PhotoError: If it cannot be read, is in HDR, or a folder without pictures.
    """
    if is_folder(path):
        yield FrameFolder(path, rate)
        return
    with open_film(path) as film:
        yield film
