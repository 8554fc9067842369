"""The parts of a whole that lie in a folder: found by their records, and only taken if they fit together."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from symface_cli.errors import DataError
from symface_cli.files import on_one_line
from symface_cli.shards.record import SUFFIX, ShardRecord, read_record
from symface_cli.shards.shard import Shard, split_name


@dataclass(frozen=True, kw_only=True)
class Parts:
    """All parts of a whole, in order.

    Attributes:
        whole: The file that they make together.
        files: The file of each; one to which no photo falls may not be there.
        records: What is said of each.
    """

    whole: Path
    files: tuple[Path, ...]
    records: tuple[ShardRecord, ...]

    @property
    def kind(self) -> str:
        """What they are, as `ShardRecord.kind`."""
        return self.records[0].kind

    def check_counts(self, photos: Iterable[Iterable[str]]) -> None:
        """Check that each part has the photos that fall to it, and that none is in two of them.

        Args:
            photos: What tells each part's photos from all others.

        Raises:
            DataError: If they do not.
        """
        seen: dict[str, Path] = {}
        for file, record, names in zip(self.files, self.records, map(set, photos), strict=True):
            if len(names) != record.photos:
                raise DataError(
                    f"{_show(file)}: has {len(names):,} photos, its run had {record.photos:,}; it is not of that run, "
                    "or photos were removed or renamed: run the shard again, anew"
                )
            for name in names:
                if seen.setdefault(name, file) != file:
                    raise DataError(f"{on_one_line(name)}: is in both {seen[name].name} and {file.name}; run one again")


def find_parts(folder: Path) -> list[Parts]:
    """Find what was made in parts in a folder, each complete.

    Raises:
        DataError: If there is nothing, or parts are missing, not finished, copies, or do not fit together.
    """
    found: dict[str, dict[Shard, Path]] = defaultdict(dict)
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        raise DataError(f"cannot list the folder {_show(folder)}: {error.strerror}") from error
    wholes = {part[0] for name in names if name.endswith(SUFFIX) and (part := split_name(name[: -len(SUFFIX)]))}
    for name in names:
        part = split_name(name.removesuffix(SUFFIX))
        if part is not None and part[0] in wholes:
            found[part[0]][part[1]] = folder / name.removesuffix(SUFFIX)
    if not found:
        raise DataError(f"{_show(folder)}: nothing in it was made in shards")
    return [_check(folder / whole, files) for whole, files in found.items()]


def _check(whole: Path, files: dict[Shard, Path]) -> Parts:
    counts = sorted({shard.count for shard in files})
    if len(counts) > 1:
        several = " and ".join(map(str, counts))
        raise DataError(f"{_show(whole)}: there are shards of {several}; move away those of all numbers but one")
    for number in range(1, counts[0] + 1):
        if Shard(number, counts[0]) not in files:
            missing = Shard(number, counts[0])
            raise DataError(f"{_show(missing.path(whole))}: shard {missing} is missing; run it first")
    ordered = sorted(files.items(), key=lambda item: item[0].number)
    if len(ordered) > counts[0]:
        raise DataError(f"{_show(ordered[-1][1])}: there is no shard {ordered[-1][0]}; move it away")
    parts = Parts(
        whole=whole,
        files=tuple(file for _, file in ordered),
        records=tuple(read_record(file) for _, file in ordered),
    )
    for (shard, file), record in zip(ordered, parts.records, strict=True):
        _check_part(shard, file, record, parts.records[0])
    if sum(record.photos for record in parts.records) != parts.records[0].of_all:
        raise DataError(f"{_show(whole)}: the shards do not add up to all photos; run them again")
    return parts


def _check_part(shard: Shard, file: Path, record: ShardRecord, first: ShardRecord) -> None:
    name = _show(file)
    if record.shard != shard:
        raise DataError(f"{name}: is a copy of shard {record.shard}; run shard {shard}")
    if not record.finished:
        raise DataError(f"{name}: shard {shard} is not finished; go on with it first")
    if record.photos and not file.is_file():
        raise DataError(f"{name}: is gone; run shard {shard} again")
    if record.kind != first.kind:
        raise DataError(f"{name}: is of another kind than shard 1; move it away")
    for key in sorted({*record.settings, *first.settings}):
        if record.settings.get(key) != first.settings.get(key):
            raise DataError(f"{name}: was made with other {key} than shard 1; run one of them again")
    if record.listing != first.listing:
        raise DataError(
            f"{name}: is of other photos than shard 1, {record.of_all:,} instead of {first.of_all:,}, or of other "
            "names; go on with the shards, each on all photos"
        )


def _show(path: Path) -> str:
    return on_one_line(str(path))
