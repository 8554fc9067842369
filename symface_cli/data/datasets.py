"""Data sets: their photos, the persons in them, and the split of each person.

A data set is a folder of photos with a sub-folder per person, such as LFW (Labeled Faces in the Wild) and BU-3DFE, or a
tar or zip archive of such a folder. Archives are unpacked once, into the cache; LFW can be downloaded.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from symface_cli.data.archives import ADVICE, unpack_once
from symface_cli.errors import DataError, PhotoError
from symface_cli.files import Progress, find_photos

BU3DFE = re.compile(r"(?P<person>[FM]\d{4})_(AN|DI|FE|HA|NE|SA|SU)0[0-4][A-Z]{2}_(?P<kind>.+)")
"""BU-3DFE's file names: person, expression, its level (0 for neutral), ethnicity; F2D is the frontal picture."""
TEST_BELOW, VALIDATION_BELOW = 0.154, 0.231
"""Bounds on the hash of a name, of 0 to 1: 15.4 % of the persons are for testing, the next 7.7 % for validation."""


@dataclass(frozen=True)
class DatasetPhoto:
    """A photo of a data set, and the person in it."""

    path: Path
    identity: str


def list_photos(data: Path) -> list[DatasetPhoto]:
    """List the photos of a data set, sorted by path.

    A photo's folder names the person; photos outside of any sub-folder show a person each. Of BU-3DFE, which is known
    by its file names, only the frontal pictures are listed.

    Args:
        data: A folder, or an archive of one.

    Raises:
        DataError: If there is no such folder or archive, it holds no photos, or it cannot be unpacked.
    """
    folder = open_dataset(data)
    try:
        named = [(path, _identity_of(path, folder)) for path in find_photos(folder)]
    except PhotoError as error:
        raise DataError(str(error)) from error
    photos = [DatasetPhoto(path, identity) for path, identity in named if identity is not None]
    if not photos:
        raise DataError(f"{data}: no photos in it; {ADVICE}")
    return photos


def _identity_of(path: Path, folder: Path) -> str | None:
    """Return the person in a picture; None for BU-3DFE's pictures that are not photos."""
    named = BU3DFE.fullmatch(path.stem)
    if named:
        return named["person"] if named["kind"] == "F2D" else None
    return path.stem if path.parent == folder else path.parent.name


def split_of(identity: str) -> str:
    """Return the split of a person, by a hash of the name: "test", "validation" or "train"."""
    digest = hashlib.sha256(f"symface-split:{identity}".encode()).digest()
    u = int.from_bytes(digest[:8], "big") / 2**64
    return "test" if u < TEST_BELOW else "validation" if u < VALIDATION_BELOW else "train"


def open_dataset(data: Path, progress: Progress | None = None) -> Path:
    """Return the folder of a data set; unpack its archive first, if that has not been done.

    Args:
        data: A folder, or an archive; if that has a single folder at its top, this is the data set.
        progress: Called with the bytes of an archive that are unpacked.

    Raises:
        DataError: If there is no such folder or archive, or it cannot be unpacked.
    """
    if data.is_dir():
        return data
    if not data.is_file():
        raise DataError(f"{data}: no such folder or archive; {ADVICE}")
    folder = unpack_once(data, progress or (lambda done, total: None))
    tops = [path for path in folder.iterdir() if path.name != "__MACOSX"]
    return tops[0] if len(tops) == 1 and tops[0].is_dir() else folder
