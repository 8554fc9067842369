"""One manifest, and one page, of the manifests of all parts."""

import json
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import NamedTuple

from symface_cli.batch.manifest import lines_by_photo, past_outcome, place_of_entry
from symface_cli.batch.manifest_file import Entry, ManifestFile
from symface_cli.batch.outcomes import Outcome
from symface_cli.batch.targets import Target, real_folder
from symface_cli.errors import ExitStatus, PhotoError
from symface_cli.shards.parts import Parts
from symface_cli.shards.record import ShardRecord
from symface_cli.storage.address import parse_path
from symface_cli.writing import write_file


class PhotoLines(NamedTuple):
    """The latest lines of a photo, and its path."""

    lines: tuple[bytes, ...]
    photo: str


def merge_manifests(parts: Parts, replace: bool = False) -> list[PhotoLines]:
    """Write one manifest of the latest lines of each photo, sorted by the photos' paths; return them.

    Raises:
        DataError: If the parts do not fit together.
        OutputError: If a file is not a manifest, or the one cannot be written, or is there and may not be lost.
    """
    read = [_read_latest(*part) for part in zip(parts.files, parts.records, strict=True)]
    parts.check_counts(read)
    photos = sorted((photo for found in read for photo in found.values()), key=lambda photo: PurePath(photo.photo))
    write_file(parts.whole, b"".join(line for photo in photos for line in photo.lines), replace)
    return photos


def read_outcomes(photos: Sequence[PhotoLines]) -> list[Outcome]:
    """Return what became of the photos, for a page."""
    return [_outcome([json.loads(line) for line in photo.lines]) for photo in photos]


def _read_latest(path: Path, record: ShardRecord) -> dict[str, PhotoLines]:
    """Return the latest lines of each photo that were made with the settings of a part, by where it lies."""
    folder = real_folder(path.parent)
    return {
        place_of_entry(entry, folder): PhotoLines(tuple(line.rstrip(b"\n") + b"\n" for line in lines), entry["input"])
        for lines, entry in lines_by_photo(ManifestFile(path))
        if entry.get("parameters") == record.settings
    }


def _outcome(entries: Sequence[Entry]) -> Outcome:
    first = entries[0]
    outputs = [parse_path(path) for path in first["outputs"]]
    target = Target(photo=parse_path(first["input"]), folder=outputs[0].parent if outputs else Path(), stem="")
    if first["status"] == ExitStatus.OK:
        return past_outcome(entries, target)
    return Outcome(target=target, error=PhotoError(first["reason"]))
