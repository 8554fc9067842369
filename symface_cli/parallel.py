"""Runs a task on many items in parallel: in processes or threads, each on one core.

What a system does not offer is done without: processes (they need semaphores, which AWS Lambda and some sandboxes do
not have), then threads (whose number may be limited). PyTorch and OpenCV are imported when there is work to do: cores
are counted without them.
"""

import math
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator, Hashable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from functools import cache, partial
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

from symface_cli.errors import Hint, WorkerError

T = TypeVar("T")
R = TypeVar("R")
FORKS = sys.platform.startswith("linux")  # macOS frameworks are not fork-safe; Windows has no fork
MANY = 8  # items per worker from which processes gain more than their start costs
TOGETHER = 4  # most items sent to a process at a time
NO_SEMAPHORES = (ImportError, NotImplementedError, OSError)
"""What making a lock for several processes raises where they are missing, or have no room."""
SPARE = 4  # threads that a pool of processes needs beside its workers, with some to spare
CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUPS = Path("/proc/self/cgroup")


def available_cores() -> int:
    """Return how many cores this process may use: under taskset, Slurm or in a container, fewer than there are."""
    if sys.version_info >= (3, 13):
        cores = os.process_cpu_count() or 1
    elif hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return max(math.ceil(min(cores, _quota())), 1)


def _quota() -> float:
    """Return of how many cores the control groups of this process, a container's, allow the time."""
    try:
        groups = [line.split(":", 2) for line in OWN_CGROUPS.read_text().splitlines()]
    except OSError:  # not Linux
        return math.inf
    quotas = [math.inf]
    for _, controllers, name in groups:
        if controllers in ("", "cpu") or "cpu" in controllers.split(","):
            group = PurePosixPath(name.lstrip("/"))  # inside of a container, that may be its name outside
            root = CGROUPS / "cpu" if controllers else CGROUPS
            quotas += [_quota_of(root / above) for above in (group, *group.parents)]
    return min(quotas)


def _quota_of(group: Path) -> float:
    """Return the quota of one control group, in cores; infinite if it has none."""
    for names in (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")):  # versions 2 and 1
        with suppress(OSError, ValueError):  # ValueError: "max"
            quota, period = (int(number) for name in names for number in (group / name).read_text().split())
            return quota / period if quota > 0 else math.inf
    return math.inf


def work_on_cores(task: Callable[[T], R], items: Sequence[T], jobs: int, fork: bool = True) -> Iterator[R]:
    """Yield the results of a task in the order of its items, from `jobs` workers on one core each.

    Workers are processes if there are many items and the system can fork them; else they are threads. Forked processes
    share what the task has loaded, and have an interpreter lock each: waiting for a common one costs two threads a
    sixth of their time, and more threads more.

    Args:
        task: Thread-safe; its results can be pickled.
        items: Its arguments, which can be pickled.
        jobs: Number of workers.
        fork: Whether processes may be forked; not if the task has loaded something onto a GPU.

    Raises:
        WorkerError: If a process is killed.
    """
    if fork and FORKS and jobs > 1 and len(items) >= MANY * jobs:
        return work_in_processes(task, items, jobs)
    return work_in_threads(task, items, jobs)


def work_in_processes(task: Callable[[T], R], items: Sequence[T], jobs: int) -> Iterator[R]:
    """Do the same as `work_on_cores` in forked processes, or in threads where the system gives none.

    The first item is done here: what is loaded or compiled at first use is then there for all. The processes start
    before this returns, when no progress bar has a thread yet and those of OpenCV have ended: a forked process would
    wait for threads that it does not have.
    """
    with one_thread():
        first = task(items[0])
        together = min(max(len(items) // (16 * jobs), 1), TOGETHER)
        new_pool = partial(ProcessPoolExecutor, jobs, multiprocessing.get_context("fork"), _start_forked, (task,))
        started = _start_processes(new_pool, jobs, _work, items[1:], together)
    if started is None:
        return chain([first], work_in_threads(task, items[1:], jobs))
    pool, others = started
    return until_done(pool, chain([first], others))


def _start_processes(
    new_pool: Callable[[], ProcessPoolExecutor],
    jobs: int,
    work: Callable[[T], R],
    items: Sequence[T],
    together: int = 1,
) -> tuple[ProcessPoolExecutor, Iterator[R]] | None:
    """Start a pool of processes on the items; return None where the system has no semaphores or starts no more of them.

    Raises:
        WorkerError: If one of them is killed already.
    """
    needed = jobs + SPARE  # processes count like threads; a pool that lacked a thread of its own would wait for ever
    if _count_startable_threads(needed) < needed:
        return None
    others = set(multiprocessing.active_children())
    try:
        pool = new_pool()
    except NO_SEMAPHORES:
        return None
    try:
        return pool, pool.map(work, items, chunksize=together)
    except BrokenProcessPool as error:
        raise _killed() from error
    except (OSError, RuntimeError):  # no more processes, no more threads
        pool.shutdown(wait=False)
        for process in set(multiprocessing.active_children()) - others:
            process.terminate()
        return None


def has_semaphores() -> bool:
    """Return whether the system has what processes need to work together."""
    try:
        multiprocessing.Lock()
    except NO_SEMAPHORES:
        return False
    return True


def _count_startable_threads(most: int) -> int:
    """Return how many threads, up to `most`, the system starts now."""
    wanted = threading.Event()
    threads = [threading.Thread(target=wanted.wait, daemon=True) for _ in range(most)]
    started = []
    with suppress(RuntimeError):
        for thread in threads:
            thread.start()
            started.append(thread)
    wanted.set()
    for thread in started:
        thread.join()
    return len(started)


def until_done(pool: Executor, results: Iterable[R]) -> Generator[R, None, None]:
    """Yield the results of a pool; shut it down after them, or when the caller wants no more.

    Raises:
        WorkerError: If one of its processes is killed.
    """
    try:
        yield from results
    except BrokenProcessPool as error:
        raise _killed() from error
    finally:
        pool.shutdown(cancel_futures=True)


def _killed() -> WorkerError:
    return WorkerError("a process was killed, perhaps for lack of memory", Hint.FEWER_JOBS)


def _start_forked(task: Callable[[Any], Any]) -> None:
    global _task
    _task = task
    start_worker()


def _work(item: Any) -> Any:
    return _task(item)


_task: Callable[[Any], Any]
"""The task of a worker; set when it starts, because a task need not be picklable."""


def start_worker() -> None:
    """Prepare a new process: one core, and no Ctrl-C, which is for the parent: it stops its workers."""
    import cv2
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(RuntimeError):  # no more threads
        threading.Thread(target=_leave_with_parent, daemon=True).start()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    threadpool_limits(1, "blas")


def _leave_with_parent() -> None:
    """End this process when its parent is killed, instead of waiting for ever for its next task."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def work_in_threads(task: Callable[[T], R], items: Sequence[T], jobs: int) -> Iterator[R]:
    """Yield the results of a task in the order of its items, from `jobs` threads on one core each.

    A single job has a thread, too: on a busy machine, the libraries' own threads wait longer for each other than they
    save. Where the system starts fewer threads, there are fewer; where it starts none, this one does the work.
    """
    import torch

    jobs = _count_startable_threads(jobs)
    if not jobs:
        yield from _work_here(task, items)
        return
    with one_thread():
        # PyTorch's number of threads is each thread's own, but the last one set is what new threads begin with.
        pool = ThreadPoolExecutor(jobs, "symface", initializer=torch.set_num_threads, initargs=(1,))
        yield from until_done(pool, pool.map(task, items))


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep OpenCV, PyTorch and BLAS to one core each meanwhile."""
    import cv2
    import torch

    before = cv2.getNumThreads(), torch.get_num_threads()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1, "blas"):
            yield
    finally:
        cv2.setNumThreads(before[0])
        torch.set_num_threads(before[1])


S = TypeVar("S", bound=Hashable)


def work_through(
    make: Callable[[S], Callable[[T], R]], setup: S, items: Sequence[T], jobs: int
) -> Generator[R, None, None]:
    """Yield `make(setup)(item)` of every item, in order, from `jobs` processes on one core each.

    `make` is called once per process. 0 jobs are one per core; a single one is this process itself, and so it is where
    the system starts no processes.
    """
    jobs = min(jobs or available_cores(), max(len(items), 1))
    return _work_here(make(setup), items) if jobs == 1 else _work_in_pool(make, setup, items, jobs)


def _work_in_pool(
    make: Callable[[S], Callable[[T], R]], setup: S, items: Sequence[T], jobs: int
) -> Generator[R, None, None]:
    # Spawned, not forked: a caller may have a progress bar already, whose thread a fork would lose.
    new_pool = partial(ProcessPoolExecutor, jobs, multiprocessing.get_context("spawn"), initializer=start_worker)
    started = _start_processes(new_pool, jobs, partial(_work_with, make, setup), items)
    yield from _work_here(make(setup), items) if started is None else until_done(*started)


def _work_here(work: Callable[[T], R], items: Iterable[T]) -> Generator[R, None, None]:
    with one_thread():
        yield from map(work, items)


def _work_with(make: Callable[[S], Callable[[T], R]], setup: S, item: T) -> R:
    # Models are loaded here, not in the initializer: an exception there would only say that the pool is broken.
    work: Callable[[T], R] = _made(make, setup)
    return work(item)


@cache
def _made(make: Callable[[S], Callable[[T], R]], setup: S) -> Callable[[T], R]:
    return make(setup)
