"""A part of the photos, told by a hash of their names: the same one on every machine, whatever else runs."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from symface_cli.errors import UsageError

MOST = 1_000_000  # parts; more are surely a mistake
_NAME = re.compile(r"(?P<stem>.+)\.(?P<number>\d+)-of-(?P<count>\d+)(?P<suffix>(\.\w+)?)")
_ARRAY = "SLURM_ARRAY_TASK_"


@dataclass(frozen=True)
class Shard:
    """One part of the photos.

    Attributes:
        number: Which, from 1.
        count: Of how many.
    """

    number: int
    count: int

    def __str__(self) -> str:
        return f"{self.number} of {self.count}"

    def has(self, name: str) -> bool:
        """Tell whether a photo falls to this part, by its path below the folder that was named, with slashes."""
        digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
        return int.from_bytes(digest[:8], "big") % self.count == self.number - 1

    def path(self, path: Path) -> Path:
        """Name this part's own file, such as manifest.2-of-7.jsonl for manifest.jsonl."""
        return path.with_name(f"{path.stem}.{self.number}-of-{self.count}{path.suffix}")


def split_name(name: str) -> tuple[str, Shard] | None:
    """Return the name of the whole, and which part it is, for the name of a part's file; None for any other."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    return found["stem"] + found["suffix"], Shard(int(found["number"]), int(found["count"]))


def find_others(path: Path, shard: Shard | None) -> list[Path]:
    """List the files beside a part's own that may know its photos: the whole, and parts of other numbers of parts.

    Args:
        path: The file of the whole, there or not.
        shard: The part; None for the whole, whose photos every part may know.
    """
    parts = []
    for other in sorted(path.parent.glob("*-of-*")):
        found = split_name(other.name)
        if found is not None and found[0] == path.name and (shard is None or found[1].count != shard.count):
            parts.append(other)
    return parts if shard is None else [path, *parts]


def parse_shard(text: str, environment: Mapping[str, str]) -> Shard:
    """Return the part that a text means: I/N, or slurm for what a task of a Slurm array is given.

    Raises:
        UsageError: If it means none.
    """
    if text == "slurm":
        return _slurm_shard(environment)
    found = re.fullmatch(r"(\d{1,7})/(\d{1,7})", text, re.ASCII)
    if found is None or not 1 <= int(found[1]) <= int(found[2]) <= MOST:
        raise UsageError(f"shard {text}: use I/N with I from 1 to N, such as 2/7, or slurm in an array of Slurm's")
    return Shard(int(found[1]), int(found[2]))


def _slurm_shard(environment: Mapping[str, str]) -> Shard:
    """Return the part of a task of an array: its place in it, wherever the array begins and in what steps it goes."""
    try:
        task, count, first, last = (int(environment[_ARRAY + name]) for name in ("ID", "COUNT", "MIN", "MAX"))
        step = int(environment.get(_ARRAY + "STEP", "1"))
    except (KeyError, ValueError) as error:
        raise UsageError(
            f"shard slurm: {_ARRAY}ID, _COUNT, _MIN and _MAX are not all set to numbers; submit an array of jobs, or "
            "use I/N"
        ) from error
    tasks = range(first, last + 1, max(step, 1))
    if len(tasks) != count or task not in tasks:
        raise UsageError(
            f"shard slurm: task {task} of an array with gaps ({count} tasks from {first} to {last}) has no place of "
            "its own; use I/N"
        )
    return Shard(tasks.index(task) + 1, count)
