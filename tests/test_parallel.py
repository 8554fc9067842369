"""Several photos at a time."""

import subprocess
import sys
import threading
import time

import cv2
import pytest
import torch
from threadpoolctl import threadpool_info

from symface_cli.parallel import work_in_threads


def test_results_come_in_the_order_of_the_items_although_the_first_takes_longest():
    def task(number):
        time.sleep(0.1 if number == 0 else 0)
        return number, threading.current_thread().name

    results = list(work_in_threads(task, range(6), jobs=3))
    assert [number for number, _ in results] == list(range(6))
    assert threading.current_thread().name not in {name for _, name in results}


def test_each_thread_has_one_core_and_all_is_as_before_at_the_end():
    before = cv2.getNumThreads(), torch.get_num_threads()
    threads = list(work_in_threads(lambda _: (cv2.getNumThreads(), torch.get_num_threads()), [0, 1], jobs=1))
    assert threads == [(1, 1), (1, 1)]
    assert (cv2.getNumThreads(), torch.get_num_threads()) == before


def blas_threads():
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_numpy_has_one_thread_in_a_batch_and_all_of_its_own_after_it():
    before = blas_threads()
    assert before  # numpy's
    assert list(work_in_threads(lambda _: blas_threads(), [0, 1], jobs=2)) == [{1}, {1}]
    assert blas_threads() == before


def test_a_process_that_has_not_computed_yet_keeps_its_threads():
    """PyTorch asks for the number of threads when it computes first; a training does after its photos are prepared."""
    prepare = "from symface_cli.parallel import work_in_threads; list(work_in_threads(str, [0], 1)); "
    ask = "import torch; print(torch.get_num_threads())"
    fresh, after = (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        for code in (ask, prepare + ask)
    )
    assert after == fresh


def test_a_bug_in_a_task_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        list(work_in_threads(lambda number: 1 // number, [1, 0], jobs=2))
