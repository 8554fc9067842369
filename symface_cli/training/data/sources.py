"""What a training learns from: files that a resumed one has to find as they were."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypedDict

from symface_cli.data.datasets import DatasetPhoto
from symface_cli.files import checksum, on_one_line

FileState = tuple[int, int, str]
"""Size of a file in bytes, time of its last change in nanoseconds, and its SHA-256; zeros where it cannot be read."""

UNREACHABLE: FileState = (0, 0, "")


class Sources(TypedDict):
    """The files of a training.

    Attributes:
        photos: Those that may be trained on, by their paths in the data set.
        labels: The labels that were given; None without.
    """

    photos: dict[str, FileState]
    labels: FileState | None


def find_sources(photos: Mapping[str, DatasetPhoto], labels: Path | None, known: Sources | None) -> Sources:
    """Look at the files of a training; those with the size and the time that are known are not read again."""
    before = {} if known is None else known["photos"]
    return {
        "photos": {name: _state_of(photo.path, before.get(name, UNREACHABLE)) for name, photo in photos.items()},
        "labels": None if labels is None else _state_of(labels, UNREACHABLE),
    }


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
    return ", ".join(change for change in changes if change) or None


def _count(names: Iterable[str], what: str) -> str:
    """Count photos, and name the first; empty for none."""
    found = [on_one_line(name) for name in sorted(names)]
    if len(found) < 2:
        return "".join(f"1 photo {what}, {name}" for name in found)
    return f"{len(found):,} photos {what}, such as {found[0]}"


def _content_of(state: FileState | None) -> str | None:
    return None if state is None else state[2]
