"""Runs a task on many items in parallel: in processes or threads, each on one core.

What a system does not offer is done without: processes, then threads, whose numbers may be limited. OpenCV is imported
when there is work to do; PyTorch is not, and limited where it is there.
"""

import multiprocessing
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Hashable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache, partial
from itertools import chain
from multiprocessing.context import BaseContext
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

from symface_cli.errors import WorkerError
from symface_cli.parallel.cores import available_cores, limit_torch
from symface_cli.parallel.pool import Pool

T = TypeVar("T")
R = TypeVar("R")
FORKS = sys.platform.startswith("linux")  # macOS frameworks are not fork-safe; Windows has no fork
MANY = 8  # items per worker from which processes gain more than their start costs


def work_on_cores(
    task: Callable[[T], R],
    items: Sequence[T],
    jobs: int,
    lost: Callable[[T, WorkerError], R],
    fork: bool = True,
) -> Iterator[R]:
    """Yield the results of a task in the order of its items, from `jobs` workers on one core each.

    Workers are processes if there are many items and the system can fork them; else they are threads. Forked processes
    share what the task has loaded, and have an interpreter lock each: waiting for a common one costs two threads a
    sixth of their time, and more threads more.

    Args:
        task: Thread-safe; its results can be pickled.
        items: Its arguments, which can be pickled.
        jobs: Number of workers.
        lost: Makes the result of an item that has killed its process twice.
        fork: Whether processes may be forked; not if the task has loaded something onto a GPU.
    """
    if fork and FORKS and jobs > 1 and len(items) >= MANY * jobs:
        return work_in_processes(task, items, jobs, lost)
    return work_in_threads(task, items, jobs)


def work_in_processes(
    task: Callable[[T], R], items: Sequence[T], jobs: int, lost: Callable[[T, WorkerError], R]
) -> Iterator[R]:
    """Do the same as `work_on_cores` in forked processes, or in threads where the system gives none.

    The first item is done here: what is loaded or compiled at first use is then there for all. The processes start
    before this returns, when no progress bar has a thread yet and those of OpenCV have ended: a forked process would
    wait for threads that it does not have.
    """
    with one_thread():
        first = task(items[0])
        pool = _start_pool(multiprocessing.get_context("fork"), task, jobs)
    if pool is None:
        return chain([first], work_in_threads(task, items[1:], jobs))
    return chain([first], pool.deliver(items[1:], lost))


def _start_pool(context: BaseContext, work: Callable[[Any], Any], jobs: int) -> Pool | None:
    """Start processes; return None where the system does not start so many."""
    try:
        return Pool(context, work, jobs)
    except OSError:
        return None


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


def work_in_threads(task: Callable[[T], R], items: Sequence[T], jobs: int) -> Iterator[R]:
    """Yield the results of a task in the order of its items, from `jobs` threads on one core each.

    A single job has a thread, too: on a busy machine, the libraries' own threads wait longer for each other than they
    save. Where the system starts fewer threads, there are fewer; where it starts none, this one does the work.
    """
    jobs = _count_startable_threads(jobs)
    if not jobs:
        yield from _work_here(task, items)
        return
    with one_thread():
        # PyTorch's number of threads is each thread's own, but the last one set is what new threads begin with.
        pool = ThreadPoolExecutor(jobs, "symface", initializer=limit_torch, initargs=(1,))
        try:
            yield from pool.map(task, items)
        finally:
            pool.shutdown(cancel_futures=True)


def work_on_own_cores(task: Callable[[T], object], items: Sequence[T]) -> None:
    """Do a task with every item, in threads on the cores that this process may use: one where `one_thread` says so.

    Tasks leave Python's lock to each other where they compute in OpenCV and NumPy.
    """
    import cv2

    wanted = min(cv2.getNumThreads(), len(items))
    threads = _count_startable_threads(wanted) if wanted > 1 else 1
    if threads < 2:
        for item in items:
            task(item)
        return
    with ThreadPoolExecutor(threads, "symface") as pool:
        deque(pool.map(task, items), maxlen=0)  # raises what a task raises


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep OpenCV, PyTorch and BLAS to one core each meanwhile."""
    import cv2

    before = cv2.getNumThreads(), limit_torch(1)
    cv2.setNumThreads(1)
    try:
        with threadpool_limits(1, "blas"):
            yield
    finally:
        cv2.setNumThreads(before[0])
        limit_torch(before[1])


S = TypeVar("S", bound=Hashable)


def work_through(
    make: Callable[[S], Callable[[T], R]],
    setup: S,
    items: Sequence[T],
    jobs: int,
    lost: Callable[[T, WorkerError], R],
) -> Generator[R, None, None]:
    """Yield `make(setup)(item)` of every item, in order, from `jobs` processes on one core each.

    `make` is called once per process. 0 jobs are one per core; a single one is this process itself, and so it is where
    the system starts no processes. `lost` makes the result of an item that has killed its process twice.
    """
    jobs = min(jobs or available_cores(), max(len(items), 1))
    if jobs > 1:
        # Spawned, not forked: a caller may have a progress bar already, whose thread a fork would lose.
        pool = _start_pool(multiprocessing.get_context("spawn"), partial(_work_with, make, setup), jobs)
        if pool is not None:
            return pool.deliver(items, lost)
    return _work_here(make(setup), items)


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
