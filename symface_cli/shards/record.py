"""What a run says of its part, in a file beside its own, NAME.shard: by it, parts are known to fit together."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from symface_cli.errors import DataError
from symface_cli.files import on_one_line
from symface_cli.shards.shard import Shard
from symface_cli.writing import make_folder, write_file

SUFFIX = ".shard"


@dataclass(frozen=True, kw_only=True)
class ShardRecord:
    """What a run says of its part.

    Attributes:
        kind: Of its file: manifest, csv, json, labels or results.
        number: Which part it is, from 1.
        count: Of how many.
        photos: How many photos fall to it.
        of_all: How many there are.
        listing: SHA-256 of the names of all.
        settings: What the results depend on, as JSON can hold it: the same for all parts.
        finished: Whether all of its photos were tried.
    """

    kind: str
    number: int
    count: int
    photos: int
    of_all: int
    listing: str
    settings: Mapping[str, Any]
    finished: bool = False

    @property
    def shard(self) -> Shard:
        """Which part it is."""
        return Shard(self.number, self.count)


def describe_shard(shard: Shard, names: Sequence[str], settings: Mapping[str, object]) -> ShardRecord:
    """Describe a part of photos, given the names of all; its kind is still to be filled in."""
    digest = hashlib.sha256("\0".join(sorted(names)).encode("utf-8", "surrogateescape"))
    return ShardRecord(
        kind="",
        number=shard.number,
        count=shard.count,
        photos=sum(map(shard.has, names)),
        of_all=len(names),
        listing=digest.hexdigest(),
        settings=json.loads(json.dumps(settings)),
    )


def record_of(path: Path) -> Path:
    """Name the record of a part's file."""
    return path.with_name(path.name + SUFFIX)


@contextmanager
def keep_record(record: ShardRecord | None, files: Iterable[tuple[Path, str]]) -> Iterator[None]:
    """Write the record of each file of a part, with its kind; that it is finished when the context ends well.

    Args:
        record: What is said; None to write nothing, for what is not a part.
        files: The part's own files, and their kinds.

    Raises:
        OutputError: If one cannot be written.
    """
    records = [] if record is None else [(path, replace(record, kind=kind)) for path, kind in files]
    for path, begun in records:
        _write(path, begun)
    yield
    for path, begun in records:
        _write(path, replace(begun, finished=True))


def read_record(path: Path) -> ShardRecord:
    """Read the record of a part's file.

    Raises:
        DataError: If there is none that can be read.
    """
    name = on_one_line(str(record_of(path)))
    try:
        value = json.loads(record_of(path).read_bytes())
        return ShardRecord(**{field.name: value[field.name] for field in fields(ShardRecord)})
    except OSError as error:
        raise DataError(f"cannot read {name}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{name}: not the record of a shard; run the shard again") from error


def _write(path: Path, record: ShardRecord) -> None:
    make_folder(path.parent)
    write_file(record_of(path), (json.dumps(asdict(record), indent=1) + "\n").encode("ascii"), replace=True)
