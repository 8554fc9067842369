"""What an evaluation has found out, photo by photo, in a file: a stopped one goes on where it was."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symface_cli.data.datasets import DatasetPhoto
from symface_cli.errors import DataError, Hint, OutputError, WeightsError
from symface_cli.evaluation.photos.changes import PhotoChange
from symface_cli.evaluation.protocol import Attempt, EvaluationPlan, Key, PhotoResult
from symface_cli.files import checksum
from symface_cli.landmarks import scheme
from symface_cli.methods.registry import need_weights
from symface_cli.network.weights import choose_weights
from symface_cli.rendering.options import Output
from symface_cli.shards.parts import Parts
from symface_cli.shards.shard import Shard, find_others
from symface_cli.version import __version__

STORE_NAME = "results.sqlite"
STORE_FORMAT = 3  # raised when files of older versions cannot be used any more

# `photo` is the SHA-256 of a photo's file, `version` symface's, `weights` the SHA-256 of the network's weights for the
# methods that use them, else empty; `labels` the SHA-256 of what a photo's pixels show, for whole photos, else empty.
# Numbers are little-endian: landmarks float32 (68, 2), embeddings float64 (D,); `change` is JSON.
TABLES = {
    "photos": "photo TEXT, version TEXT, landmarks BLOB, agreeing INTEGER, PRIMARY KEY (photo, version)",
    "originals": "photo TEXT, version TEXT, recognizer TEXT, embedding BLOB, PRIMARY KEY (photo, version, recognizer)",
    "attempts": "photo TEXT, version TEXT, weights TEXT, labels TEXT, condition TEXT, method TEXT, recognizer TEXT, "
    "output TEXT, found INTEGER, embedding BLOB, mirror_error INTEGER, seconds REAL, change TEXT, "
    "PRIMARY KEY (photo, version, weights, labels, condition, method, recognizer, output)",
}


class SqliteStore:
    """An evaluation's results in a file; for one process.

    Other versions of symface and other weights find nothing of what this one has kept.

    Attributes:
        path: The file.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, weights: str) -> None:
        self.path = path
        self._connection = connection
        self._weights = weights

    def load(self, photo: DatasetPhoto, digest: str, labels: str = "") -> PhotoResult:
        """Load what is known of a photo, given the SHA-256 of its file and of what its pixels show.

        Raises:
            DataError: If the file cannot be read.
        """
        which = (digest, __version__)
        with _refuse_damage(self.path):
            face = self._select("photos", "landmarks, agreeing", which).fetchone()
            originals = self._select("originals", "recognizer, embedding", which).fetchall()
            attempts = self._select_attempts(which, labels).fetchall()
        if face is None:
            return PhotoResult(photo=photo, digest=digest, labels=labels)
        landmarks = _unpack(face[0], "<f4")
        return PhotoResult(
            photo=photo,
            digest=digest,
            labels=labels,
            landmarks=None if landmarks is None else landmarks.reshape(scheme.COUNT, 2),
            agreeing=face[1],
            originals={name: _unpack(embedding, "<f8") for name, embedding in originals},
            attempts={_unpack_key(*row[:4]): _unpack_attempt(*row[4:]) for row in attempts},
        )

    def save(self, result: PhotoResult) -> None:
        """Add what is new about a photo, all of it or, if this process dies, nothing.

        Raises:
            DataError: If the file cannot be written.
        """
        which = (result.digest, __version__)
        originals = [(*which, name, _pack(embedding, "<f8")) for name, embedding in result.originals.items()]
        attempts = [
            self._row(result, key, attempt) for key, attempt in result.attempts.items() if attempt.error is None
        ]
        with _refuse_damage(self.path), self._connection:
            self._insert("photos", [(*which, _pack(result.landmarks, "<f4"), result.agreeing)])
            self._insert("originals", originals)
            self._insert("attempts", attempts)

    def _row(self, result: PhotoResult, key: Key, attempt: Attempt) -> tuple[object, ...]:
        weights = self._weights if need_weights([key.method]) else ""
        labels = result.labels if key.output is Output.PHOTO else ""
        which = (result.digest, __version__, weights, labels, *key[:3], key.output.value)
        embedding, change = _pack(attempt.embedding, "<f8"), _pack_change(attempt.change)
        return (*which, attempt.found, embedding, attempt.mirror_error, attempt.seconds, change)

    def _select(self, table: str, columns: str, which: tuple[str, str]) -> sqlite3.Cursor:
        return self._connection.execute(f"SELECT {columns} FROM {table} WHERE photo = ? AND version = ?", which)

    def _select_attempts(self, which: tuple[str, str], labels: str) -> sqlite3.Cursor:
        return self._connection.execute(
            "SELECT condition, method, recognizer, output, found, embedding, mirror_error, seconds, change "
            "FROM attempts WHERE photo = ? AND version = ? AND weights IN ('', ?) "
            "AND labels = CASE output WHEN 'photo' THEN ? ELSE '' END",
            (*which, self._weights, labels),
        )

    def _insert(self, table: str, rows: Sequence[tuple[object, ...]]) -> None:
        if rows:
            places = ", ".join("?" * len(rows[0]))
            self._connection.executemany(f"INSERT OR IGNORE INTO {table} VALUES ({places})", rows)


@contextmanager
def open_store(
    run: Path, plan: EvaluationPlan, resume: bool = False, replace: bool = False, shard: Shard | None = None
) -> Iterator[SqliteStore]:
    """Open the results in the folder of a run, which is created.

    Args:
        run: The folder.
        plan: What is evaluated.
        resume: Whether to go on with the results that are there, also with those of other numbers of shards.
        replace: Whether those that are there may be lost otherwise.
        shard: The part of the photos that is evaluated, which has a file of its own; None for all.

    Raises:
        OutputError: If there are results, and nothing says what is to become of them.
        DataError: If there is nothing to resume, or the file cannot be read or written, or is none of ours.
        WeightsError: If the plan needs weights that cannot be read.
    """
    path = run / STORE_NAME if shard is None else shard.path(run / STORE_NAME)
    others = [other for other in find_others(run / STORE_NAME, shard) if other.is_file()] if resume else []
    if resume and not (path.is_file() or others):
        raise DataError(f"{path}: no results to go on with", Hint.START_ANEW)
    weights = _digest_weights(plan)
    goes_on = resume and path.is_file()
    with _refuse_damage(path):
        run.mkdir(parents=True, exist_ok=True)
        connection = _connect(path)
    with closing(connection):
        with _refuse_damage(path):
            if goes_on:
                _check_format(path, connection)
            else:
                _refuse_results(path, connection, replace)
                _create_tables(connection)
        for other in others:
            _take_over(connection, other)
        yield SqliteStore(path, connection, weights)


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path.absolute(), uri=True)  # so that files that are attached may be given by URIs


def describe_plan(plan: EvaluationPlan) -> dict[str, object]:
    """Say what results depend on, as JSON can hold it."""
    return {
        "version": __version__,
        "weights": _digest_weights(plan),
        "methods": plan.methods,
        "recognizers": plan.recognizers,
        "occluders": plan.conditions,
        "outputs": [output.value for output in plan.outputs],
        "segmentation": plan.labels is not None,
    }


def merge_stores(parts: Parts, replace: bool = False) -> Path:
    """Make one file of the results of all parts; return it.

    Raises:
        OutputError: If there are results already that may not be lost.
        DataError: If a file cannot be read or written.
    """
    path = parts.whole
    with _refuse_damage(path), closing(_connect(path)) as connection:
        _refuse_results(path, connection, replace)
        _create_tables(connection)
        for part in parts.files:
            _take_over(connection, part)
    return path


def _take_over(connection: sqlite3.Connection, other: Path) -> None:
    """Add the results of another file, which is only read."""
    with _refuse_damage(other):
        connection.execute("ATTACH DATABASE ? AS other", (f"{other.absolute().as_uri()}?mode=ro",))
        try:
            found = connection.execute("PRAGMA other.user_version").fetchone()[0]
            if found != STORE_FORMAT:
                raise DataError(f"{other}: not the results of this version of symface", Hint.START_ANEW)
            with connection:
                for table in TABLES:
                    connection.execute(f"INSERT OR IGNORE INTO main.{table} SELECT * FROM other.{table}")
        finally:
            connection.execute("DETACH DATABASE other")


@contextmanager
def _refuse_damage(path: Path) -> Iterator[None]:
    """Say in one line what is wrong with a file of results.

    Raises:
        DataError: In place of the errors of SQLite and of the system.
    """
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise DataError(f"{path}: cannot be used for results ({error}); remove it", Hint.OTHER_RUN) from error


def _refuse_results(path: Path, connection: sqlite3.Connection, replace: bool) -> None:
    """Raise OutputError if the file has anything to lose, which may not be lost."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    lost = bool(tables - set(TABLES)) or any(
        connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() for table in tables
    )
    if lost and not replace:
        raise OutputError(f"{path}: has the results of an earlier evaluation", Hint.RESUME_OR_OVERWRITE)


def _create_tables(connection: sqlite3.Connection) -> None:
    """Empty the file, rather than replacing it: another evaluation that writes to it by mistake does no harm."""
    with connection:
        for table, columns in TABLES.items():
            connection.execute(f"DROP TABLE IF EXISTS {table}")
            connection.execute(f"CREATE TABLE {table} ({columns})")
        connection.execute(f"PRAGMA user_version = {STORE_FORMAT}")


def _check_format(path: Path, connection: sqlite3.Connection) -> None:
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found != STORE_FORMAT:
        raise DataError(f"{path}: not the results of this version of symface", Hint.START_ANEW)


def _digest_weights(plan: EvaluationPlan) -> str:
    """Return the SHA-256 of the weights; empty if no method of the plan uses them."""
    if not need_weights(plan.methods):
        return ""
    path = choose_weights(plan.weights)
    try:
        return checksum(path)
    except OSError as error:
        raise WeightsError(f"{path}: cannot read the weights ({error.strerror})") from error


def _pack(numbers: NDArray[np.floating] | None, dtype: str) -> bytes | None:
    return None if numbers is None else numbers.astype(dtype).tobytes()


def _unpack(data: bytes | None, dtype: str) -> NDArray[Any] | None:
    return None if data is None else np.frombuffer(data, dtype)


def _pack_change(change: PhotoChange | None) -> str | None:
    return None if change is None else json.dumps(asdict(change))


def _unpack_key(condition: str, method: str, recognizer: str, output: str) -> Key:
    return Key(condition, method, recognizer, Output(output))


def _unpack_attempt(
    found: int, embedding: bytes | None, mirror_error: int | None, seconds: float, change: str | None
) -> Attempt:
    return Attempt(
        found=bool(found),
        embedding=_unpack(embedding, "<f8"),
        mirror_error=mirror_error,
        seconds=seconds,
        change=None if change is None else PhotoChange(**json.loads(change)),
    )
