"""Several photos at a time."""

import errno
import multiprocessing
import os
import signal
import sys
import threading
import time
from multiprocessing import synchronize
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits

import symface_cli
from symface_cli.errors import WorkerError
from symface_cli.parallel import cores, pool
from symface_cli.parallel.cores import available_cores
from symface_cli.parallel.work import (
    MANY,
    one_thread,
    work_in_processes,
    work_in_threads,
    work_on_cores,
    work_on_own_cores,
)
from tests.processes import forked, forking


class Lost(NamedTuple):
    """The result of an item that has killed its process twice."""

    item: object
    error: WorkerError


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


def where(_):
    time.sleep(0.05)
    return os.getpid(), threading.current_thread().name


@forking
def test_many_items_are_for_processes_and_few_or_those_of_a_gpu_for_threads():
    here = os.getpid()
    processes = {process for process, _ in list(work_on_cores(where, range(2 * MANY), jobs=2, lost=Lost))[1:]}
    assert len(processes) == 2
    assert here not in processes
    for few in (
        work_on_cores(where, range(2 * MANY - 1), jobs=2, lost=Lost),
        work_on_cores(where, range(2 * MANY), jobs=2, lost=Lost, fork=False),
        work_on_cores(where, range(2 * MANY), jobs=1, lost=Lost),
    ):
        assert {process for process, _ in few} == {here}


@forking
@pytest.mark.parametrize("count", [2, 7, 100])
def test_processes_give_results_in_the_order_of_the_items(count):
    def task(number):  # cannot be pickled, and need not be
        time.sleep(0.2 if number == 1 else 0)
        return number**2

    assert list(work_in_processes(task, range(count), jobs=3, lost=Lost)) == [number**2 for number in range(count)]


@forking
def test_processes_have_what_was_made_for_the_first_item():
    made = []

    def task(number):
        made.append(number)
        return made[0]

    assert list(work_in_processes(task, range(5), jobs=2, lost=Lost)) == [0] * 5


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
    for *sums, opencv, pytorch, blas in work_in_processes(compute, range(6), jobs=2, lost=Lost):
        assert sums == pytest.approx(expected, rel=1e-4)
        assert (opencv, pytorch, blas) == (1, 1, {1})
    assert (cv2.getNumThreads(), torch.get_num_threads()) == before


def die():
    os.kill(os.getpid(), signal.SIGKILL)


@forking
@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_an_item_that_kills_its_process_twice_is_lost_and_no_other(jobs, tmp_path):
    """The first of three killers, as with memory that others needed, kills once alone."""

    def task(number):
        (tmp_path / f"{number}-{time.monotonic_ns()}").touch()
        if number in (5, 6) or (number == 4 and len(list(tmp_path.glob("4-*"))) == 1):
            die()
        return number

    results = list(work_in_processes(task, range(20), jobs, Lost))
    assert [result.item if isinstance(result, Lost) else result for result in results] == list(range(20))
    assert [result.item for result in results if isinstance(result, Lost)] == [5, 6]
    assert "killed" in str(results[5].error)
    tries = [len(list(tmp_path.glob(f"{number}-*"))) for number in range(20)]
    assert tries == [2 if number in (4, 5, 6) else 1 for number in range(20)]  # nothing that was done is done again


@forking
def test_an_item_is_tried_again_while_nothing_else_is_done(tmp_path):
    def task(number):
        log = tmp_path / "log"
        with log.open("a") as file:
            file.write(f"begin {number}\n")
        if number == 3:
            die()
        time.sleep(0.02)
        with log.open("a") as file:
            file.write(f"end {number}\n")

    list(work_in_processes(task, range(12), 2, Lost))
    lines = (tmp_path / "log").read_text().splitlines()
    again = [i for i, line in enumerate(lines) if line == "begin 3"][1]
    begun, ended = ({line.split()[1] for line in lines[:again] if line.startswith(word)} for word in ("begin", "end"))
    assert begun - ended == {"3"}


@forking
def test_processes_that_are_killed_whatever_they_do_end_the_work_with_one_line(monkeypatch):
    monkeypatch.setattr(pool, "MOST_DEATHS", 3)
    with pytest.raises(WorkerError, match="killed"):
        list(work_in_processes(lambda number: number and die(), range(10), 2, Lost))


@forking
def test_where_no_process_can_take_the_place_of_one_that_was_killed_the_others_go_on(monkeypatch):
    forks = iter([os.fork] * 3)  # two, and one for the first that is killed
    monkeypatch.setattr(os, "fork", lambda: next(forks, refuse_to_fork)())
    results = list(work_in_processes(lambda number: die() if number == 2 else number, range(6), 2, Lost))
    assert [result.item if isinstance(result, Lost) else result for result in results] == list(range(6))
    assert isinstance(results[2], Lost)


@forking
def test_what_kills_the_last_process_ends_the_work_with_one_line(monkeypatch):
    forks = iter([os.fork] * 2)
    monkeypatch.setattr(os, "fork", lambda: next(forks, refuse_to_fork)())
    with pytest.raises(WorkerError, match="killed"):
        list(work_in_processes(lambda number: die() if number == 2 else number, range(6), 2, Lost))


@forking
def test_processes_end_with_their_killed_parent():
    def start_and_wait():
        for process in work_in_processes(
            lambda number: os.getpid() if number < 3 else time.sleep(60), range(9), 2, Lost
        ):
            sys.stdout.write(f"{process}\n")
            sys.stdout.flush()

    with forked(start_and_wait) as (parent, printed):
        for _ in range(3):
            printed.readline()
        parent.kill()
        began = time.monotonic()
        printed.read()  # ends when neither the parent nor a worker holds it any more
    assert time.monotonic() - began < 20  # they sleep for 60 seconds


@pytest.mark.parametrize(
    ("work", "more"), [(work_in_threads, ()), pytest.param(work_in_processes, (Lost,), marks=forking)]
)
def test_a_bug_in_a_task_is_not_hidden(work, more):
    with pytest.raises(ZeroDivisionError):
        list(work(lambda number: 1 // number, [1, 0], 2, *more))


# ---- systems that lack something


def refuse_semaphores(monkeypatch, error):
    """Locks for several processes fail as they do on AWS Lambda, with a read-only /dev/shm, or a full one."""

    def refuse(*arguments, **options):
        raise error

    monkeypatch.setattr(synchronize.SemLock, "__init__", refuse)


NO_SEMAPHORES = [
    FileNotFoundError(errno.ENOENT, "No such file or directory"),
    OSError(errno.EROFS, "Read-only file system"),
    OSError(errno.ENOSYS, "Function not implemented"),
    OSError(errno.ENOSPC, "No space left on device"),
    PermissionError(errno.EACCES, "Permission denied"),
    ImportError("This platform lacks a functioning sem_open implementation"),
    NotImplementedError("system provides too few semaphores"),
]


def refuse_to_fork():
    raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")


@forking
@pytest.mark.parametrize("error", NO_SEMAPHORES, ids=repr)
def test_processes_need_no_semaphores(error, monkeypatch):
    refuse_semaphores(monkeypatch, error)
    _, *others = list(work_on_cores(lambda _: os.getpid(), range(2 * MANY), 2, Lost))
    assert os.getpid() not in others


@forking
def test_where_no_more_processes_start_threads_work_and_none_is_left_over(monkeypatch):
    forks = iter([os.fork])
    monkeypatch.setattr(os, "fork", lambda: next(forks, refuse_to_fork)())  # one starts, the second does not
    assert list(work_in_processes(lambda _: os.getpid(), range(6), jobs=2, lost=Lost)) == [os.getpid()] * 6
    deadline = time.monotonic() + 10
    while multiprocessing.active_children() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not multiprocessing.active_children()


@pytest.fixture
def start_few(monkeypatch):
    """Lets the system start only so many threads more."""

    def allow(startable):
        running, start = threading.active_count(), threading.Thread.start

        def start_few(thread):
            if threading.active_count() >= running + startable:
                raise RuntimeError("can't start new thread")
            start(thread)

        monkeypatch.setattr(threading.Thread, "start", start_few)

    return allow


@pytest.mark.parametrize(("startable", "expected"), [(0, "MainThread"), (1, "symface_0")])
def test_where_few_threads_start_each_item_is_done_once(startable, expected, start_few):
    start_few(startable)
    done = []
    names = list(work_in_threads(lambda item: done.append(item) or threading.current_thread().name, range(40), jobs=4))
    assert names == [expected] * 40
    assert done == list(range(40))


# ---- cores


@pytest.fixture
def cgroups(tmp_path, monkeypatch):
    """A machine of 16 cores, and the files of its control groups."""
    monkeypatch.setattr(cores, "CGROUPS", tmp_path)
    monkeypatch.setattr(cores, "OWN_CGROUPS", tmp_path / "self")
    for name in ("cpu_count", "process_cpu_count"):
        monkeypatch.setattr(os, name, lambda: 16, raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(16)), raising=False)

    def write(own, files):
        (tmp_path / "self").write_text(own)
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)

    return write


V1 = "9:memory:/\n4:cpu,cpuacct:/docker/3f2a\n0::/\n"


@pytest.mark.parametrize(
    ("own", "files", "expected"),
    [
        ("0::/\n", {}, 16),
        ("0::/\n", {"cpu.max": "max 100000"}, 16),
        ("0::/\n", {"cpu.max": "200000 100000"}, 2),
        ("0::/\n", {"cpu.max": "150000 100000"}, 2),  # docker run --cpus=1.5
        ("0::/\n", {"cpu.max": "10000 100000"}, 1),
        ("0::/\n", {"cpu.max": "6400000 100000"}, 16),
        ("0::/slurm/job_7/step\n", {"slurm/job_7/cpu.max": "400000 100000", "cpu.max": "max 100000"}, 4),
        ("0::/pod/a\n", {"pod/a/cpu.max": "800000 100000", "pod/cpu.max": "300000 100000"}, 3),
        (V1, {"cpu/cpu.cfs_quota_us": "300000", "cpu/cpu.cfs_period_us": "100000"}, 3),  # as seen in the container
        (V1, {"cpu/docker/3f2a/cpu.cfs_quota_us": "50000", "cpu/docker/3f2a/cpu.cfs_period_us": "25000"}, 2),
        (V1, {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 16),
        ("0::/\n", {"cpu.max": "nonsense"}, 16),
    ],
)
def test_cores_are_at_most_those_of_the_container(own, files, expected, cgroups):
    cgroups(own, files)
    assert available_cores() == expected


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="os.process_cpu_count says it")
def test_cores_are_those_that_the_job_may_use(cgroups, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {2, 5, 6}, raising=False)
    assert available_cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")  # macOS, Windows
    assert available_cores() == 16


def test_nothing_counts_the_cores_of_the_machine():
    """Under taskset, Slurm or in a container, there would be a worker for each core of the host."""
    package = Path(symface_cli.__file__).parent
    callers = [path.name for path in package.rglob("*.py") if "cpu_count()" in path.read_text("utf-8")]
    assert callers == ["cores.py"]


def test_work_within_a_photo_uses_the_cores_of_this_process(monkeypatch):
    monkeypatch.setattr(cv2, "getNumThreads", lambda: 2)
    together, threads = threading.Barrier(2, timeout=60), set()

    def work(item):
        together.wait()  # two at a time
        threads.add(threading.get_ident())

    work_on_own_cores(work, range(4))
    assert len(threads) == 2


def test_work_within_a_photo_stays_in_its_thread_where_each_has_one_core():
    threads = set()
    with one_thread():
        work_on_own_cores(lambda item: threads.add(threading.get_ident()), range(4))
    assert threads == {threading.get_ident()}


@pytest.mark.parametrize("startable", [0, 1])
def test_work_within_a_photo_is_done_here_where_no_two_threads_start(startable, start_few, monkeypatch):
    monkeypatch.setattr(cv2, "getNumThreads", lambda: 2)
    start_few(startable)
    done = []
    work_on_own_cores(lambda item: done.append((item, threading.current_thread().name)), range(3))
    assert done == [(item, "MainThread") for item in range(3)]


def test_what_goes_wrong_in_a_thread_is_raised(monkeypatch):
    monkeypatch.setattr(cv2, "getNumThreads", lambda: 2)
    with pytest.raises(ZeroDivisionError):
        work_on_own_cores(lambda item: 1 / item, [2, 1, 0, 1])
