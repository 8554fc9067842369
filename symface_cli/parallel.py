"""Several photos at a time, each on one core."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import cv2
import torch
from threadpoolctl import threadpool_limits

T = TypeVar("T")
R = TypeVar("R")


def work_in_threads(task: Callable[[T], R], items: Sequence[T], jobs: int) -> Iterator[R]:
    """The results of a task in the order of its items, from `jobs` threads on one core each.

    A single job has a thread, too: on a busy machine, the libraries' own threads wait longer for each other than they
    save.
    """
    before = cv2.getNumThreads(), torch.get_num_threads()
    cv2.setNumThreads(1)
    # PyTorch's number of threads is each thread's own, but the last one set is what new threads begin with.
    pool = ThreadPoolExecutor(jobs, "symface", initializer=torch.set_num_threads, initargs=(1,))
    try:
        with threadpool_limits(1, "blas"):
            yield from pool.map(task, items)
    finally:
        pool.shutdown(cancel_futures=True)
        cv2.setNumThreads(before[0])
        torch.set_num_threads(before[1])
