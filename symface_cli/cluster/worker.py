"""A worker of the cluster: has its models loaded, and does one photo after the other."""

import json
import os
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from symface_cli.batch.targets import Target
from symface_cli.cluster.ledger import MOST_DEATHS
from symface_cli.errors import Hint, WorkerError
from symface_cli.parallel.pool import work_on_one_core
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
    """What the workers of a job are for: the task, and the ledger's handle.

    Attributes:
        job: What tells the job from others.
        version: That of the symface that shares out the work.
    """

    task: Task = field(compare=False)
    ledger: Any = field(compare=False)
    job: str = field(default_factory=secrets.token_hex)
    version: str = __version__


def do_block(block: "pyarrow.Table", duty: Duty) -> "pyarrow.Table":
    """Do the photos of a block, a table of `id` and `target`; return one of `id` and `result`, which is JSON.

    Raises:
        WorkerError: If another version of symface is installed here.
    """
    import pyarrow

    names = block["id"].to_pylist()
    return pyarrow.table({"id": names, "result": _employ(duty).do(names, block["target"].to_pylist())})


@lru_cache(maxsize=1)
def _employ(duty: Duty) -> "_Worker":
    """Return this process's worker, which has all loaded, also for the job's next blocks."""
    return _Worker(duty)


class _Worker:
    def __init__(self, duty: Duty) -> None:
        if duty.version != __version__:
            raise WorkerError(f"a worker has symface {__version__}, not {duty.version}; install the same everywhere")
        self._task, self._ledger = duty.task, duty.ledger
        self._name = f"{os.getpid()}-{secrets.token_hex(4)}"
        work_on_one_core()
        self._work = self._task.load()
        self._most = 1

    def do(self, names: Sequence[str], targets: Sequence[str]) -> list[str]:
        """Do photos, as many before the ledger is called again as take about a second; return the results."""
        import ray

        results: list[str] = []
        while len(results) < len(names):
            at = slice(len(results), len(results) + self._most)
            began = time.monotonic()
            count, deaths = ray.get(self._ledger.begin.remote(self._name, names[at]))
            results += [self._do(parse_target(text), deaths) for text in targets[at][:count]]
            self._most = 2 * count if time.monotonic() - began < SPELL / 2 else max(1, count // 2)
        self._ledger.end.remote(self._name)
        return results

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
