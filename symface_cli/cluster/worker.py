"""A worker of the cluster: has its models loaded, and does one photo after the other."""

import json
import os
import secrets
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from symface_cli.batch.targets import Target
from symface_cli.cluster.ledger import MOST_DEATHS
from symface_cli.errors import Hint, WorkerError
from symface_cli.parallel.work import one_thread
from symface_cli.storage.address import parse_path
from symface_cli.version import __version__

if TYPE_CHECKING:
    import pyarrow

SPELL = 1.0  # s, about, for which a worker does photos before it tells of them


class Task(Protocol):
    """What is done with each photo; it can be pickled, and loads what it needs where it is done."""

    def load(self) -> Callable[[Target], object]:
        """Load it, and return what does a photo and says the result, as JSON can hold it."""

    def lose(self, target: Target, error: WorkerError) -> object:
        """Return the result of a photo that has killed its workers."""


@dataclass(frozen=True)
class Duty:
    """What a worker is for: the task, the ledger's handle, and the version of symface that shares out the work."""

    task: Task
    ledger: Any
    version: str = __version__


class Worker:
    """Does the task on photos, given as tables of `id` and `target`; returns tables of `id` and `result`.

    Raises:
        WorkerError: If another version of symface is installed here.
    """

    def __init__(self, duty: Duty) -> None:
        if duty.version != __version__:
            raise WorkerError(f"a worker has symface {__version__}, not {duty.version}; install the same everywhere")
        self._task, self._ledger = duty.task, duty.ledger
        self._name = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._threads = ExitStack()
        self._threads.enter_context(one_thread())
        self._work = self._task.load()
        self._most = 1

    def __call__(self, block: "pyarrow.Table") -> "pyarrow.Table":
        """Do a block's photos; the results are JSON."""
        import pyarrow
        import ray

        names, targets, results = block["id"].to_pylist(), block["target"].to_pylist(), list[str]()
        while len(results) < len(names):
            at = slice(len(results), len(results) + self._most)
            began = time.monotonic()
            count, deaths = ray.get(self._ledger.begin.remote(self._name, names[at]))
            results += [self._do(parse_target(text), deaths) for text in targets[at][:count]]
            self._most = 2 * count if time.monotonic() - began < SPELL / 2 else max(1, count // 2)
        self._ledger.end.remote(self._name)
        return pyarrow.table({"id": names, "result": results})

    def _do(self, target: Target, deaths: int) -> str:
        if deaths < MOST_DEATHS:
            return json.dumps(self._work(target))
        reason = f"it has killed {MOST_DEATHS} workers, perhaps for lack of memory; it is left out"
        return json.dumps(self._task.lose(target, WorkerError(reason, Hint.FEWER_JOBS)))


def describe_target(target: Target) -> str:
    """Write a photo, and where its results go, as JSON, for other working folders; what is not UTF-8 is escaped."""
    return json.dumps([str(target.photo.absolute()), str(target.folder.absolute()), target.stem, target.name])


def parse_target(text: str) -> Target:
    """Read what `describe_target` wrote."""
    photo, folder, stem, name = json.loads(text)
    return Target(photo=parse_path(photo), folder=parse_path(folder), stem=stem, name=name)
