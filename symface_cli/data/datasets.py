"""Data sets: their photos, the persons in them, and the split of each person.

A data set is a folder of photos with a sub-folder per person, such as LFW (Labeled Faces in the Wild) and BU-3DFE, or a
tar or zip archive of such a folder. Archives are unpacked once, into the cache; LFW can be downloaded.
"""

import hashlib
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from symface_cli.data.archives import ADVICE, unpack_once
from symface_cli.errors import DataError, Hint, PhotoError, UsageError
from symface_cli.files import Progress, find_photos, is_passed_over, on_one_line, remark_gifs

BU3DFE = re.compile(r"(?P<person>[FM]\d{4})_(AN|DI|FE|HA|NE|SA|SU)0[0-4][A-Z]{2}_(?P<kind>.+)")
"""BU-3DFE's file names: person, expression, its level (0 for neutral), ethnicity; F2D is the frontal picture."""
TEST_BELOW, VALIDATION_BELOW = 0.154, 0.231
"""Bounds on the hash of a name, of 0 to 1: 15.4 % of the persons are for testing, the next 7.7 % for validation."""
SPLITS = ("test", "validation", "train", "all")
MANY_FOLDERS = 10  # of a person; more in the mean, and persons are likely to be in them
MOST_NAMED = 10  # problems that are named, of more


@dataclass(frozen=True)
class DatasetPhoto:
    """A photo of a data set, and the person in it."""

    path: Path
    identity: str


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A data set.

    Attributes:
        folder: Its folder.
        photos: Its photos, sorted by path.
        gifs: How many GIF files in it are passed over.
        problems: Why other folders and files are.
    """

    folder: Path
    photos: tuple[DatasetPhoto, ...]
    gifs: int
    problems: tuple[PhotoError, ...]

    def name_of(self, photo: DatasetPhoto) -> str:
        """Return a photo's path in the data set, with slashes."""
        return photo.path.relative_to(self.folder).as_posix()

    @property
    def remarks(self) -> list[str]:
        """What a user should know before the work: how many persons it shows, and what is passed over."""
        photos, persons = len(self.photos), len({photo.identity for photo in self.photos})
        splits = Counter(split_of(photo.identity) for photo in self.photos)
        parts = ", ".join(f"{splits[split]:,} {split}" for split in ("train", "validation", "test"))
        count = f"{photos:,} photo{'s'[: photos > 1]} of {persons:,} person{'s'[: persons > 1]} ({parts})"
        problems = name_first([str(problem) for problem in self.problems])
        return [count, *self._doubts(persons), *remark_gifs(self.gifs), *problems]

    def _doubts(self, persons: int) -> list[str]:
        """Say if persons seem to be in folders below those that are taken for them."""
        inner = {parts[:2] for photo in self.photos if len(parts := photo.path.relative_to(self.folder).parts) > 2}
        if len(inner) <= (1 if persons == 1 else MANY_FOLDERS * persons):
            return []
        first, example = on_one_line(str(self.folder)), on_one_line(str(self.folder.joinpath(*min(inner)[:1])))
        return [
            f"{first}: the folders in it are taken for persons, not the {len(inner):,} in these; if those are the "
            f"persons, give {example}, or a folder with links to all of them"
        ]


def name_first(problems: list[str]) -> list[str]:
    """Return the first of some problems, and a line that says how many more there are."""
    more = len(problems) - MOST_NAMED
    return [*problems[:MOST_NAMED], *([f"and {more:,} more"] if more > 0 else [])]


def survey(data: Path) -> Dataset:
    """Find the photos of a data set, and the persons in them.

    The first folder below the data set names the person, whatever folders there are in it; photos outside of any show
    a person each. Of BU-3DFE, which is known by its file names, only the frontal pictures are taken.

    Args:
        data: A folder, or an archive of one.

    Raises:
        DataError: If there is no such folder or archive, it holds no photos, or it cannot be unpacked.
    """
    folder = open_dataset(data)
    found = find_photos(folder)
    named = [(path, _identity_of(path, folder)) for path in found.photos]
    photos = tuple(DatasetPhoto(path, identity) for path, identity in named if identity is not None)
    if not photos:
        reasons = [str(problem) for problem in found.problems[:1]] + (["GIF files are not taken"] if found.gifs else [])
        raise DataError(f"{data}: no photos in it{''.join(f' ({reason})' for reason in reasons)}; {ADVICE}")
    return Dataset(folder=folder, photos=photos, gifs=len(found.gifs), problems=found.problems)


def _identity_of(path: Path, folder: Path) -> str | None:
    """Return the person in a picture; None for BU-3DFE's pictures that are not photos.

    Names are composed (NFC): macOS writes accents apart from their letters, and a copy elsewhere has the same person.
    """
    named = BU3DFE.fullmatch(path.stem)
    if named:
        return named["person"] if named["kind"] == "F2D" else None
    first, *rest = path.relative_to(folder).parts
    return unicodedata.normalize("NFC", first if rest else path.stem)


def split_of(identity: str) -> str:
    """Return the split of a person, by a hash of the name: "test", "validation" or "train"."""
    digest = hashlib.sha256(f"symface-split:{identity}".encode("utf-8", "surrogateescape")).digest()
    u = int.from_bytes(digest[:8], "big") / 2**64
    return "test" if u < TEST_BELOW else "validation" if u < VALIDATION_BELOW else "train"


def choose_photos(data: Dataset, split: str = "test", limit: int | None = None) -> list[DatasetPhoto]:
    """List the photos of a data set's test, validation or train persons, or of all, sorted by path.

    Args:
        data: The data set.
        split: One of SPLITS.
        limit: Take this many only, evenly spaced; None for all.

    Raises:
        UsageError: If there is no such split, or the limit is below 1.
        DataError: If there is no such photo.
    """
    check_choice(split, limit)
    photos = [photo for photo in data.photos if split in ("all", split_of(photo.identity))]
    if not photos:
        raise DataError(f"{data.folder}: no photos of {split} persons in it", Hint.ALL_SPLITS)
    count = len(photos) if limit is None else min(limit, len(photos))
    return [photos[i * len(photos) // count] for i in range(count)]


def check_choice(split: str, limit: int | None) -> None:
    """Check that photos can be chosen so, before they are searched for.

    Raises:
        UsageError: If there is no such split, or the limit is below 1.
    """
    if split not in SPLITS:
        raise UsageError(f"unknown split {split}; choose from {', '.join(SPLITS)}")
    if limit is not None and limit < 1:
        raise UsageError(f"a limit of {limit} photos leaves nothing to evaluate; give at least 1")


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
    tops = [path for path in folder.iterdir() if not is_passed_over(path.name)]
    return tops[0] if len(tops) == 1 and tops[0].is_dir() else folder
