"""Which photos are meant, and what their results are called."""

import glob
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from symface_cli.errors import Hint, OutputError, PhotoError, UsageError
from symface_cli.files import SERVICE_FOLDERS, find_photos, is_folder, is_result, may_be_read, on_one_line, remark_gifs
from symface_cli.shards.record import ShardRecord, describe_shard
from symface_cli.shards.shard import Shard
from symface_cli.storage.address import Address, is_server, parse_path, prepare_addresses
from symface_cli.writing import Destination, is_same, prepare_folder

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
        name: Its path below the folder that was named, with slashes; of one that was named itself, its file's name.
    """

    photo: Path
    folder: Path
    stem: str
    exact: Path | None = None
    name: str = ""

    def path(self, label: str, suffix: str) -> Path:
        """Name the file of a result that `label` tells from the photo's others; empty for the main one."""
        if self.exact == STREAM or (self.exact is not None and not label):
            return self.exact
        if self.exact is not None:
            return self.exact.with_name(f"{self.exact.stem}-{label}{suffix}")
        ending = f"-{label}" if label else ""
        return self.folder / f"{self.stem}.symmetric{ending}{suffix}"

    def has_result(self, name: str) -> bool:
        """Tell whether the file of a result could have this name."""
        if self.exact is None:
            return name.startswith(f"{self.stem}.symmetric")
        return name == self.exact.name or name.startswith(f"{self.exact.stem}-")


@dataclass(frozen=True)
class Targets:
    """The photos of a batch.

    Attributes:
        items: Each photo, and what its results are called.
        folder: The folder that was named for all results; None if they lie beside their photos, or in one named file.
        problems: Why what was named, or is in a named folder, is passed over.
        gifs: How many GIF files in named folders are passed over.
        shard: Which part of all photos they are; None for all.
        others: Those of the other parts.
    """

    items: tuple[Target, ...]
    folder: Path | None = None
    problems: tuple[PhotoError, ...] = ()
    gifs: int = 0
    shard: Shard | None = None
    others: tuple[Target, ...] = ()

    def take(self, shard: Shard | None) -> "Targets":
        """Return the part of the photos that falls to a shard; their results are called as if all were there.

        Raises:
            UsageError: If a single file was named for the results.
        """
        if shard is None:
            return self
        if any(target.exact is not None for target in self.items):
            raise UsageError("a shard of photos needs a folder for its results, not a file")
        mine = tuple(target for target in self.items if shard.has(target.name))
        others = tuple(target for target in self.items if not shard.has(target.name))
        return replace(self, items=mine, shard=shard, others=others)

    def own(self, path: Path) -> Path:
        """Name this part's own file, given that of all."""
        return path if self.shard is None or path == STREAM else self.shard.path(path)

    def describe_shard(self, settings: Mapping[str, object]) -> ShardRecord | None:
        """Describe the part that they are, of results that depend on some settings; None if they are all."""
        if self.shard is None:
            return None
        return describe_shard(self.shard, [target.name for target in (*self.items, *self.others)], settings)

    @property
    def remarks(self) -> list[str]:
        """What a user should know before the batch begins: lines about what is passed over."""
        return [*map(str, self.problems), *remark_gifs(self.gifs)]

    @property
    def file(self) -> Path | None:
        """The one file that was named for the result of the only photo, or STREAM."""
        return self.items[0].exact if self.items else None

    @property
    def is_in_memory(self) -> bool:
        """Whether a photo or a result lies in this process's memory, so that no other can do the work."""
        places = {self.folder, *(folder for target in self.items for folder in (target.photo.parent, target.folder))}
        return any(isinstance(place, Address) and place.scheme == "memory" for place in places)

    @property
    def is_single(self) -> bool:
        """Whether there is one photo alone, in this part and all others."""
        return self.count == 1

    @property
    def count(self) -> int:
        """How many photos there are, in this part and all others."""
        return len(self.items) + len(self.others)

    @property
    def photos(self) -> list[Path]:
        """The photos' files, also those of other parts; standard input left out."""
        return [target.photo for target in (*self.items, *self.others) if target.photo != STREAM]

    def prepare_folder(self) -> None:
        """Check, before the work, that results can be written into the folder that was named for them.

        Raises:
            OutputError: If there is one, and they cannot.
        """
        if self.folder is not None:
            prepare_folder(self.folder)

    def refuse_names(self, files: Iterable[Destination]) -> None:
        """Raise OutputError if a file is called as a result of the batch could be."""
        for path, *_ in files:
            if self._may_write(path):
                raise OutputError(f"{on_one_line(str(path))}: a result may get this name; choose another")

    def _may_write(self, path: Path) -> bool:
        return is_result(path.name) and any(
            path.name.startswith((f"{target.stem}.symmetric", f"{target.stem}.asymmetry"))
            and is_same(target.folder, path.parent)
            for target in (*self.items, *self.others)
        )


_Photo = tuple[Path | None, Path]
"""A photo, after the folder that was named and has it; None for a photo that was named itself."""


class _Found(NamedTuple):
    """What an argument stands for."""

    photos: list[_Photo]
    problems: tuple[PhotoError, ...] = ()
    gifs: int = 0


def place_of(photo: Path) -> str:
    """Return where a photo lies: the same for all ways to name it, and another for a link to it."""
    return str(real_folder(photo.parent) / photo.name)


def real_folder(folder: Path) -> Path:
    """Return a folder's path without links; an address has none."""
    return folder if isinstance(folder, Address) else Path(os.path.realpath(folder))


def choose_targets(arguments: Sequence[Path], out: str | None) -> Targets:
    """Find the photos that files, folders and patterns stand for, and name their results.

    Results lie beside their photos or, if `out` is a folder, in it, in the sub-folders that the photos have in theirs.
    `out` is a folder if it exists as one, ends with a slash, has no suffix and is not there yet, or there are several
    photos. A photo that is named several times, say by its folder, too, is taken once, as where it is named first.

    Raises:
        UsageError: If an argument names no photo, or two photos' results would have one name.
        PhotoError: If there is no photo at all, because of what is passed over.
    """
    if any(isinstance(place, Address) for place in (*arguments, parse_path(out or ""))):
        prepare_addresses([place for place in (*arguments, parse_path(out or "")) if isinstance(place, Address)])
    found = [_find(argument) for argument in arguments]
    photos = _take_once([photo for part in found for photo in part.photos])
    problems = tuple(problem for part in found for problem in part.problems)
    if not photos:
        raise problems[0]
    return replace(_name_results(photos, arguments, out), problems=problems, gifs=sum(part.gifs for part in found))


def _take_once(photos: Sequence[_Photo]) -> list[_Photo]:
    taken: dict[str, _Photo] = {}
    for root, photo in photos:
        taken.setdefault(place_of(photo), (root, photo))
    return list(taken.values())


def _name_results(photos: Sequence[_Photo], arguments: Sequence[Path], out: str | None) -> Targets:
    if out is not None and not _is_folder(out, photos, arguments):
        file = parse_path(out)
        return Targets((Target(photo=photos[0][1], folder=file.parent, stem=file.stem, exact=file),))
    if STREAM in arguments:
        if out is not None or len(photos) > 1:
            raise UsageError("a photo from standard input goes alone, to a file or standard output", Hint.NAME_OUTPUT)
        return Targets((Target(photo=STREAM, folder=Path(), stem="", exact=STREAM),))
    stems = Counter((photo.parent, photo.stem) for _, photo in photos)
    targets = []
    for root, photo in photos:
        stem = photo.stem if stems[photo.parent, photo.stem] == 1 else photo.name  # a.jpg beside a.png
        folder = photo.parent if out is None else parse_path(out) / (photo.parent.relative_to(root) if root else "")
        name = photo.relative_to(root).as_posix() if root else photo.name
        targets.append(Target(photo=photo, folder=folder, stem=stem, name=name))
    _refuse_duplicates(targets)
    return Targets(tuple(targets), None if out is None else parse_path(out))


def _find(argument: Path) -> _Found:
    """Find the photos of an argument; a pipe or device that is named is one that cannot be read."""
    if argument == STREAM or is_server(argument) or (not is_folder(argument) and may_be_read(argument)):
        return _Found([(None, argument)])
    if not is_folder(argument):
        return _Found([(None, photo) for photo in _match(argument)])
    found = find_photos(argument)
    if not found.photos and not found.problems:
        gifs = " but GIF files, which have to be named" if found.gifs else ""
        raise UsageError(f"{argument}: no photos in this folder{gifs}")
    return _Found([(argument, photo) for photo in found.photos], found.problems, len(found.gifs))


def _match(pattern: Path) -> list[Path]:
    """Find the photos that a pattern stands for, where no shell has expanded it.

    Raises:
        UsageError: If there are none; also for an address, for which no patterns are known.
    """
    if isinstance(pattern, Address):
        raise UsageError(f"{pattern}: no such object, and nothing below it")
    matches = sorted(Path(match) for match in glob.glob(str(pattern), recursive=True))  # noqa: PTH207
    photos = [
        match
        for match in matches
        if not is_folder(match)
        and not is_result(match.name)
        and SERVICE_FOLDERS.isdisjoint(part.casefold() for part in match.parts if part not in pattern.parts)
    ]
    if not photos:
        raise UsageError(f"{pattern}: no such file or folder")
    return photos


def _is_folder(out: str, photos: Sequence[_Photo], arguments: Sequence[Path]) -> bool:
    path = parse_path(out)
    several = len(photos) > 1 or is_folder(arguments[0])
    # What is there and no folder is meant as a file: /dev/stdout has no suffix, either.
    is_bare_name = not path.suffix and STREAM not in (path, *arguments) and not may_be_read(path)
    return several or is_folder(path) or out.endswith(("/", os.sep)) or is_bare_name


def _refuse_duplicates(targets: Sequence[Target]) -> None:
    photos: dict[tuple[Path, str], Path] = {}
    for target in targets:
        other = photos.setdefault((target.folder, target.stem), target.photo)
        if other is not target.photo:
            name = target.folder / f"{target.stem}.symmetric"
            raise UsageError(f"the results of {other} and {target.photo} would both be called {name}; give them apart")
