"""Which photos are meant, and what their results are called."""

import glob
import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from symface_cli.errors import Hint, UsageError
from symface_cli.files import find_photos

RESULT = re.compile(r"\.(symmetric|asymmetry)(-[a-z0-9-]+)?\.\w+$")
STREAM = Path("-")
"""Standard input as a photo, standard output as a result."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """A photo, and what its results are called.

    Attributes:
        photo: Its path, or STREAM.
        folder: Where its results go.
        stem: What their names begin with.
        exact: The one file that is asked for, or STREAM; None for names made of the stem.
    """

    photo: Path
    folder: Path
    stem: str
    exact: Path | None = None

    def path(self, label: str, suffix: str) -> Path:
        """Name the file of a result that `label` tells from the photo's others; empty for the main one."""
        if self.exact == STREAM or (self.exact is not None and not label):
            return self.exact
        if self.exact is not None:
            return self.exact.with_name(f"{self.exact.stem}-{label}{suffix}")
        ending = f"-{label}" if label else ""
        return self.folder / f"{self.stem}.symmetric{ending}{suffix}"


@dataclass(frozen=True)
class Targets:
    """The photos of a batch.

    Attributes:
        items: Each photo, and what its results are called.
        folder: The folder that was named for all results; None if they lie beside their photos, or in one named file.
    """

    items: tuple[Target, ...]
    folder: Path | None = None

    @property
    def file(self) -> Path | None:
        """The one file that was named for the result of the only photo, or STREAM."""
        return self.items[0].exact


def choose_targets(arguments: Sequence[Path], out: str | None) -> Targets:
    """Find the photos that files, folders and patterns stand for, and name their results.

    Results lie beside their photos or, if `out` is a folder, in it, in the sub-folders that the photos have in theirs.
    `out` is a folder if it exists as one, ends with a slash, or there are several photos.

    Raises:
        UsageError: If an argument names no photo, or two photos' results would have one name.
    """
    photos = [found for argument in arguments for found in _photos_of(argument)]
    if out is not None and not _is_folder(out, photos, arguments):
        file = Path(out)
        return Targets((Target(photo=photos[0][1], folder=file.parent, stem=file.stem, exact=file),))
    if STREAM in arguments:
        if out is not None or len(photos) > 1:
            raise UsageError("a photo from standard input goes alone, to a file or standard output", Hint.NAME_OUTPUT)
        return Targets((Target(photo=STREAM, folder=Path(), stem="", exact=STREAM),))
    stems = Counter((photo.parent, photo.stem) for _, photo in photos)
    targets = []
    for root, photo in photos:
        stem = photo.stem if stems[photo.parent, photo.stem] == 1 else photo.name  # a.jpg beside a.png
        folder = photo.parent if out is None else Path(out, photo.parent.relative_to(root) if root else "")
        targets.append(Target(photo=photo, folder=folder, stem=stem))
    _refuse_duplicates(targets)
    return Targets(tuple(targets), None if out is None else Path(out))


def _photos_of(argument: Path) -> list[tuple[Path | None, Path]]:
    """Find the photos of an argument, each with the folder that was named, None for a photo named itself."""
    if argument == STREAM or argument.is_file():
        return [(None, argument)]
    if argument.is_dir():
        photos = [photo for photo in find_photos(argument) if not RESULT.search(photo.name)]
        if not photos:
            raise UsageError(f"{argument}: no photos in this folder")
        return [(argument, photo) for photo in photos]
    pattern = str(argument)  # where no shell has expanded it
    matches = sorted(Path(match) for match in glob.glob(pattern, recursive=True))  # noqa: PTH207
    photos = [match for match in matches if match.is_file() and not RESULT.search(match.name)]
    if not photos:
        raise UsageError(f"{argument}: no such file or folder")
    return [(None, photo) for photo in photos]


def _is_folder(out: str, photos: Sequence[tuple[Path | None, Path]], arguments: Sequence[Path]) -> bool:
    several = len(photos) > 1 or arguments[0].is_dir()
    return several or Path(out).is_dir() or out.endswith(("/", os.sep))


def _refuse_duplicates(targets: Sequence[Target]) -> None:
    photos: dict[tuple[Path, str], Path] = {}
    for target in targets:
        other = photos.setdefault((target.folder, target.stem), target.photo)
        if other is not target.photo:
            name = target.folder / f"{target.stem}.symmetric"
            raise UsageError(f"the results of {other} and {target.photo} would both be called {name}; give them apart")
