"""The record of a batch: `manifest.jsonl`, one JSON object per face or failed photo, appended as photos are done."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from symface_cli.batch.manifest_file import Entry, ManifestFile
from symface_cli.batch.outcomes import Outcome, Pair
from symface_cli.batch.states import FileState, parse_state
from symface_cli.batch.targets import Target, place_of, real_folder
from symface_cli.errors import ExitStatus, Hint, WorkerError
from symface_cli.rendering.records import FaceRecord
from symface_cli.storage.address import Address, parse_path

NAME = "manifest.jsonl"


class _Lines(NamedTuple):
    """The lines of a photo that was done, one for each face, and whether they are of this run's own manifest."""

    lines: tuple[bytes, ...]
    is_own: bool


@dataclass(frozen=True)
class _Success:
    """The same, parsed."""

    entries: Sequence[Entry]
    is_own: bool

    @property
    def names(self) -> list[str]:
        """The names of its results."""
        return [Path(path).name for path in _strings(self.entries[0].get("outputs"))]

    @property
    def states(self) -> list[FileState | None]:
        """The states of its results; None for those of earlier versions, which did not record them."""
        states = self.entries[0].get("output_states")
        known = [parse_state(state) for state in states] if isinstance(states, list) else []
        return known if len(known) == len(self.names) else [None] * len(self.names)


class Manifest:
    """Record of what becomes of photos, in this run and in earlier ones.

    Args:
        path: The file; it is created with the first line, and only ever added to.
        parameters: Everything that results depend on, as JSON can hold it: a photo is done only under the same ones.
        by_contents: Whether to read photos and results even if, by all that the system says, they have not changed.
        others: Manifests in the same folder, which are only read: what of it is relied on is added to this one.

    Raises:
        OutputError: If a file is not a manifest, or cannot be read.
    """

    def __init__(
        self, path: Path, parameters: Mapping[str, object], by_contents: bool = False, others: Sequence[Path] = ()
    ) -> None:
        self._folder = real_folder(path.parent)
        self._parameters = json.loads(json.dumps(parameters))
        self._by_contents = by_contents
        self._file = ManifestFile(path)
        self._foreign: list[_Success] = []  # of other manifests, relied on and not added yet
        self._successes: dict[str, list[_Lines]] = {}
        self._lost: dict[str, Entry] = {}
        for other in others:
            self._find_successes(ManifestFile(other), is_own=False)
        self._find_successes(self._file)

    def find_done(self, target: Target) -> Outcome | None:
        """Return what became of a photo that is done; None if it is not.

        It is, if the photo and its results have the contents that are recorded, whatever else is recorded of it later.
        """
        for success in reversed(self._successes_of(target)):
            if self._holds(success, target):
                if not success.is_own:
                    self._foreign.append(success)
                return past_outcome(success.entries, target)
        return None

    def close(self) -> None:
        """Write what is not in its store yet, if it lies in one.

        Raises:
            OutputError, StoreError: If that fails.
        """
        self._file.close()

    def adopt(self) -> None:
        """Append the lines of other manifests by which photos were found to be done.

        Raises:
            OutputError: If the file cannot be written.
        """
        for success in self._foreign:
            self._file.append(success.entries)
        self._foreign = []

    def find_lost(self, target: Target) -> Outcome | None:
        """Return that a photo has killed the processes that were at it, if that is the latest known of it."""
        entry = self._lost.get(place_of(target.photo))
        if entry is None or entry.get("parameters") != self._parameters:
            return None
        return Outcome(target=target, error=WorkerError(str(entry["reason"])))

    def find_made(self, target: Target) -> set[tuple[Path, str]]:
        """Return which files earlier runs have made of a photo, each with the SHA-256 of its contents."""
        return {
            (target.folder / name, state.sha256)
            for success in self._successes_of(target)
            for name, state in zip(success.names, success.states, strict=True)
            if state is not None
        }

    def add(self, outcome: Outcome) -> None:
        """Append the lines of a photo, all at once; none if its results were not to be overwritten, and are recorded.

        Raises:
            OutputError: If the file cannot be written.
        """
        place = place_of(outcome.photo)
        if outcome.error is not None and outcome.error.hint is Hint.OVERWRITE and place in self._successes:
            return
        common = {
            "input": str(outcome.photo),
            "input_bytes": None if outcome.input_state is None else outcome.input_state.bytes,
            "input_state": state_as_json(outcome.input_state),
            "relative_input": self._relative(place),
            "status": int(outcome.status),
            "reason": None if outcome.error is None else str(outcome.error),
            "traceback": None if outcome.error is None else outcome.error.traceback or None,
            "outputs": [str(path) for path in outcome.written],
            "output_states": [state_as_json(state) for state in outcome.output_states],
            "pairs": [pair_as_json(pair) for pair in outcome.pairs],
            "notes": outcome.notes,
            "faces": len(outcome.faces),
        }
        rest = {"seconds": outcome.seconds, "parameters": self._parameters}
        faces = [{"face": number, **vars(face)} for number, face in enumerate(outcome.faces, 1)]
        self._file.append([{**common, **face, **rest} for face in faces or [{"face": None}]])

    def _find_successes(self, file: ManifestFile, is_own: bool = True) -> None:
        """Keep the lines of what was done, by the places of photos; parsed, those of 50,000 photos take 400 MB."""
        for lines, entry in lines_by_photo(file):
            if entry["status"] == ExitStatus.OK and len(lines) == entry.get("faces"):
                place = place_of_entry(entry, self._folder)
                self._successes.setdefault(place, []).append(_Lines(lines, is_own))
                self._lost.pop(place, None)
            elif entry["status"] == ExitStatus.BUG and not entry.get("traceback"):  # a bug has one
                self._lost[place_of_entry(entry, self._folder)] = entry

    def _successes_of(self, target: Target) -> list[_Success]:
        found = self._successes.get(place_of(target.photo), [])
        return [_Success([json.loads(line) for line in lines], is_own) for lines, is_own in found]

    def _holds(self, success: _Success, target: Target) -> bool:
        """Tell whether a success is one of this run's parameters, and nothing has changed since."""
        paths = [target.folder / name for name in success.names]
        if not paths or success.entries[0].get("parameters") != self._parameters:
            return False
        if not all(map(target.has_result, success.names)):
            return False
        try:
            return self._is_input(success.entries[0], target.photo, paths) and all(
                path.is_file() if state is None else state.is_of(path, self._by_contents)
                for path, state in zip(paths, success.states, strict=True)
            )
        except OSError:
            return False

    def _is_input(self, entry: Entry, photo: Path, results: Sequence[Path]) -> bool:
        if "input_state" in entry:
            state = parse_state(entry["input_state"])
            return state is not None and state.is_of(photo, self._by_contents)
        # Of versions that recorded no more than the size, the times of the results say the rest.
        found = photo.stat()
        older = all(found.st_mtime_ns <= result.stat().st_mtime_ns for result in results)
        return older and found.st_size == entry.get("input_bytes")

    def _relative(self, place: str) -> str:
        if isinstance(parse_path(place), Address) or isinstance(self._folder, Address):
            return place
        try:
            return os.path.relpath(place, self._folder)
        except ValueError:  # on another drive
            return place


def lines_by_photo(file: ManifestFile) -> Iterator[tuple[tuple[bytes, ...], Entry]]:
    """Yield the lines of each photo as they are complete, with what the last one says.

    Raises:
        OutputError: If the file is not a manifest, or cannot be read.
    """
    lines: tuple[bytes, ...] = ()
    for line, entry in file.read():
        lines = (line,) if entry.get("face") in (None, 1) else (*lines, line)
        if entry["status"] != ExitStatus.OK or len(lines) == entry.get("faces"):
            yield lines, entry


def place_of_entry(entry: Entry, folder: Path) -> str:
    """Return where the photo of a line lies, as `place_of`, given the real path of the manifest's folder."""
    relative = entry.get("relative_input")
    if isinstance(relative, str):
        return relative if isinstance(parse_path(relative), Address) else os.path.normpath(folder / relative)
    return place_of(parse_path(entry["input"]))


def past_outcome(entries: Sequence[Entry], target: Target) -> Outcome:
    """Return what the lines of a photo that was done say; its results lie in the target's folder."""
    names = [field.name for field in fields(FaceRecord)]
    faces = [FaceRecord(**{name: entry.get(name) for name in names}) for entry in entries]  # type: ignore[arg-type]
    return Outcome(
        target=target,
        written=tuple(target.folder / Path(path).name for path in _strings(entries[0].get("outputs"))),
        faces=tuple(faces),
        pairs=tuple(parse_pair(value, target.folder) for value in entries[0].get("pairs", [])),
        notes=tuple(_strings(entries[0].get("notes"))),
    )


def pair_as_json(pair: Pair) -> dict[str, object]:
    """Write a pair as JSON can hold it."""
    where = None if pair.photo_from_image is None else pair.photo_from_image.tolist()
    return {"path": str(pair.path), "face": pair.face, "photo_from_image": where}


def parse_pair(value: Mapping[str, Any], folder: Path) -> Pair:
    """Read what `pair_as_json` wrote; its file lies in a folder."""
    where = value["photo_from_image"]
    return Pair(folder / Path(value["path"]).name, value["face"], None if where is None else np.array(where))


def state_as_json(state: FileState | None) -> dict[str, int | str] | None:
    """Write a state as JSON can hold it."""
    return None if state is None else state.as_dict()


def _strings(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []
