"""Several photos at a time."""

import os
import signal
import subprocess
import sys
import threading
import time

import cv2
import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from symface_cli.errors import WorkerError
from symface_cli.parallel import FORKS, MANY, work_in_processes, work_in_threads, work_on_cores


def test_results_come_in_the_order_of_the_items_although_the_first_takes_longest():
    def task(number):
        time.sleep(0.1 if number == 0 else 0)
        return number, threading.current_thread().name

    results = list(work_in_threads(task, range(6), jobs=3))
    assert [number for number, _ in results] == list(range(6))
    assert threading.current_thread().name not in {name for _, name in results}


@pytest.fixture
def two_threads():
    """OpenCV, PyTorch and NumPy have two threads, as on a computer with two cores."""
    before = cv2.getNumThreads(), torch.get_num_threads()
    cv2.setNumThreads(2)
    torch.set_num_threads(2)
    with threadpool_limits(2, "blas"):
        yield
    cv2.setNumThreads(before[0])
    torch.set_num_threads(before[1])


@pytest.mark.usefixtures("two_threads")
def test_each_thread_has_one_core_and_all_is_as_before_at_the_end():
    threads = list(work_in_threads(lambda _: (cv2.getNumThreads(), torch.get_num_threads()), [0, 1], jobs=1))
    assert threads == [(1, 1), (1, 1)]
    assert (cv2.getNumThreads(), torch.get_num_threads()) == (2, 2)


def blas_threads():
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


@pytest.mark.usefixtures("two_threads")
def test_numpy_has_one_thread_in_a_batch_and_all_of_its_own_after_it():
    assert blas_threads() == {2}
    assert list(work_in_threads(lambda _: blas_threads(), [0, 1], jobs=2)) == [{1}, {1}]
    assert blas_threads() == {2}


forking = pytest.mark.skipif(not FORKS, reason="this system does not fork processes")


def where(_):
    time.sleep(0.05)
    return os.getpid(), threading.current_thread().name


@forking
def test_many_items_are_for_processes_and_few_or_those_of_a_gpu_for_threads():
    here = os.getpid()
    processes = {process for process, _ in list(work_on_cores(where, range(2 * MANY), jobs=2))[1:]}
    assert len(processes) == 2
    assert here not in processes
    for few in (
        work_on_cores(where, range(2 * MANY - 1), jobs=2),
        work_on_cores(where, range(2 * MANY), jobs=2, fork=False),
        work_on_cores(where, range(2 * MANY), jobs=1),
    ):
        assert {process for process, _ in few} == {here}


@forking
@pytest.mark.parametrize("count", [2, 7, 100])
def test_processes_give_results_in_the_order_of_the_items(count):
    def task(number):  # cannot be pickled, and need not be
        time.sleep(0.2 if number == 1 else 0)
        return number**2

    assert list(work_in_processes(task, range(count), jobs=3)) == [number**2 for number in range(count)]


@forking
def test_processes_have_what_was_made_for_the_first_item():
    made = []

    def task(number):
        made.append(number)
        return made[0]

    assert list(work_in_processes(task, range(5), jobs=2)) == [0] * 5


@forking
@pytest.mark.usefixtures("two_threads")
def test_libraries_that_have_had_threads_of_their_own_work_in_one_thread_after_a_fork():
    """OpenCV and OpenMP would wait for ever for threads that a forked process does not have."""
    cv2.setNumThreads(4)
    image = np.random.default_rng(0).random((600, 600), np.float32)

    def compute(_):
        smooth = cv2.GaussianBlur(cv2.resize(image, (900, 900)), (0, 0), 9)
        product = torch.from_numpy(image) @ torch.from_numpy(image)
        return float(smooth.sum()), float(product.sum()), cv2.getNumThreads(), torch.get_num_threads(), blas_threads()

    before = cv2.getNumThreads(), torch.get_num_threads()
    expected = compute(0)[:2]
    for *sums, opencv, pytorch, blas in work_in_processes(compute, range(6), jobs=2):
        assert sums == pytest.approx(expected, rel=1e-4)
        assert (opencv, pytorch, blas) == (1, 1, {1})
    assert (cv2.getNumThreads(), torch.get_num_threads()) == before


@forking
def test_a_killed_process_ends_the_work_with_one_line():
    def task(number):
        if number == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return number

    with pytest.raises(WorkerError, match="killed"):
        list(work_in_processes(task, range(6), jobs=2))


@forking
def test_processes_end_with_their_killed_parent():
    code = """if True:
        import os, time
        from symface_cli.parallel import work_in_processes
        for process in work_in_processes(lambda number: os.getpid() if number < 3 else time.sleep(60), range(9), 2):
            print(process, flush=True)
    """
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        for _ in range(3):
            parent.stdout.readline()
        parent.kill()
        began = time.monotonic()
        parent.stdout.read()  # ends when neither the parent nor a worker holds it any more
    assert time.monotonic() - began < 20  # they sleep for 60 seconds


@pytest.mark.parametrize("work", [work_in_threads, pytest.param(work_in_processes, marks=forking)])
def test_a_bug_in_a_task_is_not_hidden(work):
    with pytest.raises(ZeroDivisionError):
        list(work(lambda number: 1 // number, [1, 0], jobs=2))
