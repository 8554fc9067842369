"""What an evaluation has found out, photo by photo, in a file: a stopped one goes on where it was."""

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symface_cli.data.datasets import DatasetPhoto
from symface_cli.errors import DataError, WeightsError
from symface_cli.evaluation.protocol import Attempt, EvaluationPlan, ExaminedPhoto, Key
from symface_cli.landmarks import scheme
from symface_cli.methods.registry import OURS, provider_of
from symface_cli.network.weights import bundled_weights
from symface_cli.version import __version__

NAME = "results.sqlite"
FORMAT = 2  # raised when files of older versions cannot be used any more

# `photo` is the SHA-256 of a photo's file, `version` symface's, `weights` the SHA-256 of the network's weights for the
# methods that use them, else empty. Numbers are little-endian: landmarks float32 (68, 2), embeddings float64 (D,).
TABLES = {
    "photos": "photo TEXT, version TEXT, landmarks BLOB, agreeing INTEGER, PRIMARY KEY (photo, version)",
    "originals": "photo TEXT, version TEXT, recognizer TEXT, embedding BLOB, PRIMARY KEY (photo, version, recognizer)",
    "attempts": "photo TEXT, version TEXT, weights TEXT, condition TEXT, method TEXT, recognizer TEXT, found INTEGER, "
    "embedding BLOB, mirror_error INTEGER, seconds REAL, "
    "PRIMARY KEY (photo, version, weights, condition, method, recognizer)",
}


class Store:
    """An evaluation's results in a file; for one process.

    Other versions of symface and other weights find nothing of what this one has kept.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, weights: str) -> None:
        self._path = path
        self._connection = connection
        self._weights = weights

    def recall(self, photo: DatasetPhoto, digest: str) -> ExaminedPhoto:
        """What is known of a photo, given the SHA-256 of its file.

        Raises:
            DataError: If the file cannot be read.
        """
        where, which = "WHERE photo = ? AND version = ?", (digest, __version__)
        with explained(self._path):
            face = self._connection.execute(f"SELECT landmarks, agreeing FROM photos {where}", which).fetchone()
            originals = self._connection.execute(f"SELECT recognizer, embedding FROM originals {where}", which)
            attempts = self._connection.execute(
                "SELECT condition, method, recognizer, found, embedding, mirror_error, seconds FROM attempts "
                f"{where} AND weights IN ('', ?)",
                (*which, self._weights),
            )
            if face is None:
                return ExaminedPhoto(photo, digest)
            landmarks = _unpack(face[0], "<f4")
            return ExaminedPhoto(
                photo,
                digest,
                None if landmarks is None else landmarks.reshape(scheme.COUNT, 2),
                face[1],
                {name: _unpack(embedding, "<f8") for name, embedding in originals},
                {
                    Key(*names): Attempt(bool(found), _unpack(embedding, "<f8"), error, seconds)
                    for *names, found, embedding, error, seconds in attempts
                },
            )

    def keep(self, examined: ExaminedPhoto) -> None:
        """Adds what is new about a photo, all of it or, if this process dies, nothing.

        Raises:
            DataError: If the file cannot be written.
        """
        which = (examined.digest, __version__)
        originals = [(*which, name, _pack(embedding, "<f8")) for name, embedding in examined.originals.items()]
        attempts = [self._row(which, key, attempt) for key, attempt in examined.attempts.items()]
        with explained(self._path), self._connection:
            self._insert("photos", [(*which, _pack(examined.landmarks, "<f4"), examined.agreeing)])
            self._insert("originals", originals)
            self._insert("attempts", attempts)

    def _row(self, which: tuple[str, str], key: Key, attempt: Attempt) -> tuple[object, ...]:
        weights = self._weights if provider_of(key.method) == OURS else ""
        embedding = _pack(attempt.embedding, "<f8")
        return (*which, weights, *key, attempt.found, embedding, attempt.mirror_error, attempt.seconds)

    def _insert(self, table: str, rows: Sequence[tuple[object, ...]]) -> None:
        if rows:
            places = ", ".join("?" * len(rows[0]))
            self._connection.executemany(f"INSERT OR IGNORE INTO {table} VALUES ({places})", rows)


@contextmanager
def open_store(run: Path, plan: EvaluationPlan, resume: bool) -> Iterator[Store]:
    """The results in the folder of a run, which is created; without `resume`, what they were before is lost.

    Raises:
        DataError: If there is nothing to resume, or the file cannot be read or written, or is none of ours.
        WeightsError: If the plan needs weights that cannot be read.
    """
    path = run / NAME
    if resume and not path.is_file():
        raise DataError(f"{path}: no results to go on with; start without --resume")
    weights = _digest_weights(plan)
    with explained(path):
        run.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path)
    with closing(connection):
        with explained(path):
            (_check if resume else _start)(path, connection)
        yield Store(path, connection, weights)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Says in one line what is wrong with a file of results.

    Raises:
        DataError: In place of the errors of SQLite and of the system.
    """
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise DataError(f"{path}: cannot be used for results ({error}); remove it, or choose another --run") from error


def _start(path: Path, connection: sqlite3.Connection) -> None:
    """Empties the file, rather than replacing it: another evaluation that writes to it by mistake does no harm."""
    with connection:
        for table, columns in TABLES.items():
            connection.execute(f"DROP TABLE IF EXISTS {table}")
            connection.execute(f"CREATE TABLE {table} ({columns})")
        connection.execute(f"PRAGMA user_version = {FORMAT}")


def _check(path: Path, connection: sqlite3.Connection) -> None:
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found != FORMAT:
        raise DataError(f"{path}: not the results of this version of symface; start without --resume")


def _digest_weights(plan: EvaluationPlan) -> str:
    """SHA-256 of the weights, empty if no method of the plan uses them."""
    if not any(provider_of(method) == OURS for method in plan.methods):
        return ""
    path = plan.weights or bundled_weights()
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise WeightsError(f"{path}: cannot read the weights ({error.strerror})") from error


def _pack(numbers: NDArray[np.floating] | None, dtype: str) -> bytes | None:
    return None if numbers is None else numbers.astype(dtype).tobytes()


def _unpack(data: bytes | None, dtype: str) -> NDArray[Any] | None:
    return None if data is None else np.frombuffer(data, dtype)
