"""Work for several processes, each on one core, with models that are loaded once in each."""

import multiprocessing
import os
from collections.abc import Callable, Generator, Hashable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from typing import TypeVar

from symface_cli.parallel import one_thread, start_worker, until_done

S = TypeVar("S", bound=Hashable)
T = TypeVar("T")
R = TypeVar("R")


def work_through(
    make: Callable[[S], Callable[[T], R]], setup: S, items: Sequence[T], jobs: int
) -> Generator[R, None, None]:
    """Yields `make(setup)(item)` of every item, in order, from `jobs` processes on one core each.

    `make` is called once per process. 0 jobs are one per core; a single one is this process itself.
    """
    jobs = min(jobs or os.cpu_count() or 1, max(len(items), 1))
    return _work_here(make(setup), items) if jobs == 1 else _work_in_pool(partial(_work, make, setup), items, jobs)


def _work_here(work: Callable[[T], R], items: Iterable[T]) -> Generator[R, None, None]:
    with one_thread():
        yield from map(work, items)


def _work_in_pool(work: Callable[[T], R], items: Iterable[T], jobs: int) -> Generator[R, None, None]:
    # Spawned, not forked: a caller may have a progress bar already, whose thread a fork would lose.
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), initializer=start_worker)
    yield from until_done(pool, pool.map(work, items))


def _work(make: Callable[[S], Callable[[T], R]], setup: S, item: T) -> R:
    # Models are loaded here, not in the initializer: an exception there would only say that the pool is broken.
    work: Callable[[T], R] = _made(make, setup)
    return work(item)


@cache
def _made(make: Callable[[S], Callable[[T], R]], setup: S) -> Callable[[T], R]:
    return make(setup)
