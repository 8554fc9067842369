"""The record of a batch: `manifest.jsonl`, one JSON object per face or failed photo, appended as photos are done."""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from symface_cli.batch.outcomes import Outcome, Pair
from symface_cli.batch.targets import Target
from symface_cli.errors import ExitStatus, Hint, OutputError
from symface_cli.rendering.records import FaceRecord

NAME = "manifest.jsonl"
BEGINNING = b'{"input": '


def is_manifest(path: Path) -> bool:
    """Tell whether a file can be read, and is a manifest; one that was begun may be empty."""
    try:
        with path.open("rb") as file:
            return file.read(len(BEGINNING)) in (BEGINNING, b"")
    except OSError:
        return False


class Manifest:
    """Record of what becomes of photos, in this run and in an earlier one that is resumed.

    Args:
        path: The file; it is created with the first line.
        parameters: Everything that results depend on, as JSON can hold it: a photo is done only under the same ones.
        resume: Whether to go on with what the file says; else it is begun anew.

    Raises:
        OutputError: If the file cannot be read or written.
    """

    def __init__(self, path: Path, parameters: Mapping[str, object], resume: bool) -> None:
        self._path = path
        self._parameters = json.loads(json.dumps(parameters))
        self._done: dict[str, list[dict[str, object]]] = {}
        try:
            if resume and path.exists():
                if not is_manifest(path):
                    raise OutputError(f"{path}: not a manifest", Hint.OTHER_MANIFEST)
                self._read()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(b"")
        except OSError as error:
            raise OutputError(f"{path}: this manifest cannot be used ({error.strerror}); choose another") from error

    def _read(self) -> None:
        text = self._path.read_text("utf-8")
        whole = text[: text.rfind("\n") + 1]  # a killed run may have left half a line
        if whole != text:
            self._path.write_text(whole, "utf-8")
        for line in whole.splitlines():
            try:
                entry = json.loads(line)
                self._done.setdefault(entry["input"], []).append(entry)
            except (ValueError, KeyError, TypeError) as error:
                raise OutputError(f"{self._path}: not a manifest", Hint.OTHER_MANIFEST) from error

    def is_done(self, target: Target) -> bool:
        """Tell whether the photo, as it is now, has results of the same parameters that are still there."""
        entries = self._latest(target)
        return bool(entries) and all(
            entry.get("status") == ExitStatus.OK
            and entry.get("parameters") == self._parameters
            and entry.get("input_bytes") == _size(target.photo)
            and all(Path(path).is_file() for path in _strings(entry.get("outputs")))
            for entry in entries
        )

    def outcome(self, target: Target) -> Outcome:
        """Return what became of a photo that is done."""
        entries = self._latest(target)
        names = [field.name for field in fields(FaceRecord)]
        faces = [FaceRecord(**{name: entry.get(name) for name in names}) for entry in entries]  # type: ignore[arg-type]
        written = tuple(map(Path, _strings(entries[0].get("outputs"))))
        pairs: Any = entries[0].get("pairs", [])
        return Outcome(
            target=target,
            written=written,
            faces=tuple(faces),
            pairs=tuple(map(_pair, pairs)),
            notes=tuple(_strings(entries[0].get("notes"))),
        )

    def _latest(self, target: Target) -> list[dict[str, object]]:
        """Return the lines of a photo's last run."""
        entries = self._done.get(str(target.photo), [])
        return entries[-_count(entries[-1]) :] if entries else []

    def add(self, outcome: Outcome) -> None:
        """Append the lines of a photo, all at once.

        Raises:
            OutputError: If the file cannot be written.
        """
        common = {
            "input": str(outcome.photo),
            "input_bytes": _size(outcome.photo),
            "status": int(outcome.status),
            "reason": None if outcome.error is None else str(outcome.error),
            "traceback": None if outcome.error is None else outcome.error.traceback or None,
            "outputs": [str(path) for path in outcome.written],
            "pairs": [_as_json(pair) for pair in outcome.pairs],
            "notes": outcome.notes,
            "faces": len(outcome.faces),
        }
        rest = {"seconds": outcome.seconds, "parameters": self._parameters}
        faces = [{"face": number, **asdict(face)} for number, face in enumerate(outcome.faces, 1)]
        lines = [json.dumps({**common, **face, **rest}) + "\n" for face in faces or [{"face": None}]]
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write("".join(lines))
        except OSError as error:
            raise OutputError(f"{self._path}: this manifest cannot be written ({error.strerror})") from error


def _as_json(pair: Pair) -> dict[str, object]:
    where = None if pair.photo_from_image is None else pair.photo_from_image.tolist()
    return {"path": str(pair.path), "face": pair.face, "photo_from_image": where}


def _pair(value: Mapping[str, Any]) -> Pair:
    where = value["photo_from_image"]
    return Pair(Path(value["path"]), value["face"], None if where is None else np.array(where))


def _size(photo: Path) -> int | None:
    try:
        return photo.stat().st_size
    except OSError:
        return None


def _count(entry: Mapping[str, object]) -> int:
    """Count the lines that a photo has."""
    faces = entry.get("faces")
    return faces if isinstance(faces, int) and faces > 0 else 1


def _strings(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []
