"""Labels the photos of a data set into a file; a run that was stopped is gone on with."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from symface_cli.data.datasets import DatasetPhoto
from symface_cli.data.photo_table import read_rows
from symface_cli.errors import DataError, OutputError
from symface_cli.files import as_csv, on_one_line
from symface_cli.shards.parts import Parts
from symface_cli.training.data.label_table import COLUMNS, LAYOUT, cells_of, label_of, write_labels
from symface_cli.training.data.labels import Label, label_photos
from symface_cli.training.data.teachers import Teacher
from symface_cli.version import __version__
from symface_cli.writing import add_to_file, write_file

Photos = Mapping[str, DatasetPhoto]
_BEGINNING = b'\n{"labeled_by": '
"""Of each line, a line end before it: half a line that a killed process has left does not spoil the next."""


class Labeled(NamedTuple):
    """Labels that were written.

    Attributes:
        labels: In the order of the photos.
        note: What a user should know of the file, as `write_file` says it.
    """

    labels: list[Label]
    note: str | None


def label_into(
    path: Path,
    photos: Photos,
    progress: Callable[[int, int], None],
    workers: int = 0,
    teacher: Teacher | None = "dlib",
    replace: bool = False,
) -> Labeled:
    """Label photos as `label_photos` does, and write the labels to a file.

    Meanwhile, what is found is kept in a file beside it, NAME.part, from which the next run takes what an interrupted
    one has found.

    Args:
        path: The file of all labels.
        photos: By their paths in the data set.
        progress: Told of every photo.
        workers: Processes to use; 0 for one per core.
        teacher: What is wanted beside faces.
        replace: Whether a file that is there may be replaced.

    Raises:
        OutputError: If a file cannot be written, or NAME.part is something else.
        MissingExtraError, WeightsError: As `label_photos`.
    """
    part = _Part(path.with_name(path.name + ".part"), teacher)
    found = part.read(photos)
    known = len(found)
    left = {name: photo for name, photo in photos.items() if name not in found}

    def show(done: int, _: int) -> None:
        progress(known + done, len(photos))

    for label in label_photos(left, show, workers, teacher):
        found[label.photo] = label
        part.add(label, photos[label.photo])
    labels = [found[name] for name in photos]
    note = write_labels(path, labels, replace)
    part.remove()
    return Labeled(labels, note)


def describe_labeling(teacher: Teacher | None) -> dict[str, object]:
    """Say what labels depend on, as JSON can hold it."""
    return {"version": __version__, "teacher": teacher}


def merge_labels(parts: Parts, replace: bool = False) -> str | None:
    """Write one file of the labels of all parts, with what a person has corrected in them.

    Raises:
        DataError: If a file cannot be read, or the parts do not fit together.
        OutputError: If the file cannot be written, or there is one that may not be lost.
    """
    files = [list(read_rows(file, LAYOUT)) if file.is_file() else [] for file in parts.files]
    parts.check_counts([row.cells["photo"] for row in rows] for rows in files)
    rows = sorted((row for rows in files for row in rows), key=lambda row: PurePosixPath(row.cells["photo"]))
    cells = ([row.cells.get(column, "") for column in COLUMNS] for row in rows)
    return write_file(parts.whole, as_csv([COLUMNS, *cells]), replace)


class _Part:
    """Labels of a run that has not come to its end, each in a line of JSON.

    They count for photos of the size and time that they had, and for the same teacher and version of symface.
    """

    def __init__(self, path: Path, teacher: Teacher | None) -> None:
        self._path = path
        self._labeled_by = [__version__, teacher]

    def read(self, photos: Photos) -> dict[str, Label]:
        """Return the labels that are known of photos.

        Raises:
            OutputError: If the file cannot be read, or is something else.
        """
        found = {}
        for line in self._lines():
            with suppress(ValueError, TypeError, LookupError, DataError):  # half a line, other photos
                entry = json.loads(line)
                label = label_of(entry["cells"])
                state = state_of(label.photo, photos[label.photo].path)
                if (entry["labeled_by"], entry["photo"]) == (self._labeled_by, list(state)):
                    found[label.photo] = label
        return found

    def _lines(self) -> Iterator[bytes]:
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return iter(())
        except OSError as error:
            raise OutputError(f"cannot read {on_one_line(str(self._path))}: {error.strerror}") from error
        if not data.startswith(_BEGINNING[: len(data)]):
            name = on_one_line(str(self._path))
            raise OutputError(f"{name}: not the labels of an interrupted run; move it, or name other labels")
        return iter(data.splitlines())

    def add(self, label: Label, photo: DatasetPhoto) -> None:
        """Add a label, unless something went wrong that may not go wrong again."""
        if not label.fault:
            state = state_of(label.photo, photo.path)
            entry = {"labeled_by": self._labeled_by, "photo": state, "cells": cells_of(label)}
            add_to_file(self._path, f"\n{json.dumps(entry)}".encode("ascii"))

    def remove(self) -> None:
        """Remove the file: all labels are in another."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)


def state_of(name: str, path: Path) -> tuple[str, int, int]:
    """Return what tells that a photo's file has changed; zeros while nobody is permitted to read it."""
    with suppress(OSError):
        if os.access(path, os.R_OK):
            stat = path.stat()
            return name, stat.st_size, stat.st_mtime_ns
    return name, 0, 0
