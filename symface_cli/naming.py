"""Which photos are meant, and what their results are called."""

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from symface_cli.errors import PhotoError, UsageError
from symface_cli.images import find_photos

RESULT = re.compile(r"\.symmetric(-\d+)?\.png$")


@dataclass(frozen=True)
class Target:
    """A photo, and the file that its one result becomes; several are numbered."""

    photo: Path
    result: Path

    def results(self, count: int) -> list[Path]:
        """The names of `count` results."""
        if count == 1:
            return [self.result]
        return [self.result.with_name(f"{self.result.stem}-{i}{self.result.suffix}") for i in range(1, count + 1)]


def choose_targets(arguments: Sequence[Path], out: str | None) -> list[Target]:
    """The photos that files and folders stand for, and their results.

    Results lie beside their photos or, if `out` is a folder, in it, in the sub-folders that the photos have in theirs.
    `out` is a folder if it exists as one, ends with a slash, or there are several photos.

    Raises:
        UsageError: If an argument names no photo, or two results would have one name.
    """
    photos = [(argument, photo) for argument in arguments for photo in _photos_of(argument)]
    if out is not None and not _is_folder(out, arguments):
        if not out.lower().endswith(".png"):
            raise UsageError(
                f"-o {out}: the result is a PNG; end its name with .png, or with a slash if it is a folder"
            )
        return [Target(photos[0][1], Path(out))]
    stems = Counter((photo.parent, photo.stem) for _, photo in photos)
    targets = []
    for argument, photo in photos:
        name = photo.stem if stems[photo.parent, photo.stem] == 1 else photo.name  # a.jpg beside a.png
        folder = photo.parent
        if out is not None:
            folder = Path(out, photo.parent.relative_to(argument) if argument.is_dir() else "")
        targets.append(Target(photo, folder / f"{name}.symmetric.png"))
    _refuse_duplicates(targets)
    return targets


def refuse_existing(paths: Sequence[Path]) -> None:
    """Raises PhotoError if one of the files is there already."""
    for path in paths:
        if path.exists():
            raise PhotoError(f"{path}: already exists; use --force to overwrite it")


def make_folder(folder: Path) -> None:
    """Creates a folder for results, and those above it.

    Raises:
        PhotoError: If that cannot be done.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PhotoError(f"{folder}: this folder cannot be created ({error.strerror}); choose another") from error


def _photos_of(argument: Path) -> list[Path]:
    if argument.is_file():
        return [argument]
    if not argument.is_dir():
        raise UsageError(f"{argument}: no such file or folder")
    photos = [photo for photo in find_photos(argument) if not RESULT.search(photo.name)]
    if not photos:
        raise UsageError(f"{argument}: no photos in this folder")
    return photos


def _is_folder(out: str, arguments: Sequence[Path]) -> bool:
    several = len(arguments) > 1 or arguments[0].is_dir()
    return several or Path(out).is_dir() or out.endswith(("/", os.sep))


def _refuse_duplicates(targets: Sequence[Target]) -> None:
    photos: dict[Path, Path] = {}
    for target in targets:
        other = photos.setdefault(target.result, target.photo)
        if other is not target.photo:
            raise UsageError(f"{other} and {target.photo} would both become {target.result}; give them separately")
