"""Runs a task on many items in parallel: in processes or threads, each on one core."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator, Hashable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import cache, partial
from itertools import chain
from typing import Any, TypeVar

import cv2
import torch
from threadpoolctl import threadpool_limits

from symface_cli.errors import Hint, WorkerError

T = TypeVar("T")
R = TypeVar("R")
FORKS = sys.platform.startswith("linux")  # macOS frameworks are not fork-safe; Windows has no fork
MANY = 8  # items per worker from which processes gain more than their start costs
TOGETHER = 4  # most items sent to a process at a time


def work_on_cores(task: Callable[[T], R], items: Sequence[T], jobs: int, fork: bool = True) -> Iterator[R]:
    """Yield the results of a task in the order of its items, from `jobs` workers on one core each.

    Workers are processes if there are many items and the system can fork; else they are threads. Forked processes share
    what the task has loaded, and have an interpreter lock each: waiting for a common one costs two threads a sixth of
    their time, and more threads more.

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
    """Do the same as `work_on_cores` in forked processes.

    The first item is done here: what is loaded or compiled at first use is then there for all. The processes start
    before this returns, when no progress bar has a thread yet and those of OpenCV have ended: a forked process would
    wait for threads that it does not have.
    """
    with one_thread():
        first = task(items[0])
        pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("fork"), _start_forked, (task,))
        together = min(max(len(items) // (16 * jobs), 1), TOGETHER)
        others = pool.map(_work, items[1:], chunksize=together)
    return until_done(pool, chain([first], others))


def until_done(pool: Executor, results: Iterable[R]) -> Generator[R, None, None]:
    """Yield the results of a pool; shut it down after them, or when the caller wants no more.

    Raises:
        WorkerError: If one of its processes is killed.
    """
    try:
        yield from results
    except BrokenProcessPool as error:
        raise WorkerError("a process was killed, perhaps for lack of memory", Hint.FEWER_JOBS) from error
    finally:
        pool.shutdown(cancel_futures=True)


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
    signal.signal(signal.SIGINT, signal.SIG_IGN)
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
    save.
    """
    with one_thread():
        # PyTorch's number of threads is each thread's own, but the last one set is what new threads begin with.
        pool = ThreadPoolExecutor(jobs, "symface", initializer=torch.set_num_threads, initargs=(1,))
        yield from until_done(pool, pool.map(task, items))


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep OpenCV, PyTorch and BLAS to one core each meanwhile."""
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

    `make` is called once per process. 0 jobs are one per core; a single one is this process itself.
    """
    jobs = min(jobs or os.cpu_count() or 1, max(len(items), 1))
    return _work_here(make(setup), items) if jobs == 1 else _work_in_pool(partial(_work_with, make, setup), items, jobs)


def _work_here(work: Callable[[T], R], items: Iterable[T]) -> Generator[R, None, None]:
    with one_thread():
        yield from map(work, items)


def _work_in_pool(work: Callable[[T], R], items: Iterable[T], jobs: int) -> Generator[R, None, None]:
    # Spawned, not forked: a caller may have a progress bar already, whose thread a fork would lose.
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), initializer=start_worker)
    yield from until_done(pool, pool.map(work, items))


def _work_with(make: Callable[[S], Callable[[T], R]], setup: S, item: T) -> R:
    # Models are loaded here, not in the initializer: an exception there would only say that the pool is broken.
    work: Callable[[T], R] = _made(make, setup)
    return work(item)


@cache
def _made(make: Callable[[S], Callable[[T], R]], setup: S) -> Callable[[T], R]:
    return make(setup)
