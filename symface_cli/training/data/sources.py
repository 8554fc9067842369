"""What a training learns from: files that a resumed one has to find as they were."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from symface_cli.data.datasets import DatasetPhoto
from symface_cli.data.segmentation import Segmentation, label_file
from symface_cli.files import checksum, is_file, is_folder, on_one_line

FileState = tuple[int, int, str]
"""Size of a file in bytes, time of its last change in nanoseconds, and its SHA-256; zeros where it cannot be read."""

UNREACHABLE: FileState = (0, 0, "")


@dataclass(frozen=True, kw_only=True)
class Annotations:
    """What is known of a data set's photos.

    Attributes:
        labels: Where the faces are, as `symface label` writes it; None if that is not known.
        segmentation: What pixels show, as `Segmentation.open` takes it; None if that is not known.
        licenses: What permits the use of every photo, as `read_licenses` takes it, if the weights are to be for
            everybody's use; None for weights for research.
    """

    labels: Path | None = None
    segmentation: Path | None = None
    licenses: Path | None = None

    def open_segmentation(self) -> Segmentation | None:
        """Open what is known of the pixels.

        Raises:
            DataError: If it cannot be read.
        """
        return None if self.segmentation is None else Segmentation.open(self.segmentation)


UNKNOWN_PHOTOS = Annotations()


class Sources(TypedDict):
    """The files of a training.

    Attributes:
        photos: Those that may be trained on, by their paths in the data set.
        labels: The labels that were given; None without.
        segmentation: The files of pixel labels that were given, by the photos, or under an empty name one for all.
    """

    photos: dict[str, FileState]
    labels: FileState | None
    segmentation: dict[str, FileState]


def find_sources(photos: Mapping[str, DatasetPhoto], annotations: Annotations, known: Sources | None) -> Sources:
    """Look at the files of a training; those with the size and the time that are known are not read again."""
    segmented = {} if annotations.segmentation is None else _label_files(annotations.segmentation, photos)
    return {
        "photos": _states_of({name: photo.path for name, photo in photos.items()}, known and known["photos"]),
        "labels": None if annotations.labels is None else _state_of(annotations.labels, UNREACHABLE),
        "segmentation": _states_of(segmented, known and known["segmentation"]),
    }


def _label_files(segmentation: Path, photos: Iterable[str]) -> dict[str, Path]:
    """Return the files of pixel labels by the photos that have some, or the one file of all."""
    if not is_folder(segmentation):
        return {"": segmentation}
    return {name: file for name in photos if is_file(file := label_file(segmentation, name))}


def _states_of(files: Mapping[str, Path], known: Mapping[str, FileState] | None) -> dict[str, FileState]:
    before = known or {}
    return {name: _state_of(path, before.get(name, UNREACHABLE)) for name, path in files.items()}


def _state_of(path: Path, known: FileState) -> FileState:
    with suppress(OSError):
        found = path.stat()
        if known[:2] == (found.st_size, found.st_mtime_ns):
            return known
        return found.st_size, found.st_mtime_ns, checksum(path)
    return UNREACHABLE


def find_change(known: Sources, now: Sources) -> str | None:
    """Say what has changed of the files; None if their contents are the same, whenever they were written."""
    before, after = ({name: state[2] for name, state in sources["photos"].items()} for sources in (known, now))
    changes = [
        _count(after.keys() - before.keys(), "more"),
        _count(before.keys() - after.keys(), "gone"),
        _count([name for name in before.keys() & after.keys() if before[name] != after[name]], "changed"),
    ]
    if _content_of(known["labels"]) != _content_of(now["labels"]):
        changes.append("other labels")
    before, after = ({name: state[2] for name, state in sources["segmentation"].items()} for sources in (known, now))
    if before != after:
        changes.append("other pixel labels")
    return ", ".join(change for change in changes if change) or None


def _count(names: Iterable[str], what: str) -> str:
    """Count photos, and name the first; empty for none."""
    found = [on_one_line(name) for name in sorted(names)]
    if len(found) < 2:
        return "".join(f"1 photo {what}, {name}" for name in found)
    return f"{len(found):,} photos {what}, such as {found[0]}"


def _content_of(state: FileState | None) -> str | None:
    return None if state is None else state[2]
