"""A pool of processes that do the same task; one that is killed costs at most the item that it was at."""

import multiprocessing.connection
import os
import pickle
import signal
import threading
import traceback
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from functools import partial
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from typing import Any, TypeVar, cast

from threadpoolctl import threadpool_limits

from symface_cli.errors import Hint, WorkerError
from symface_cli.parallel.cores import limit_torch
from symface_cli.parallel.memory import keep_freed_memory

T = TypeVar("T")
R = TypeVar("R")
AHEAD = 2  # items that a process has been sent: the one that it is at, and the next
KEPT = 256 * 2**20  # bytes of freed memory that a process keeps for the next photo
MOST_DEATHS = 20  # of processes before there is any result: then it is not the items


class _InWorker(Exception):  # noqa: N818
    """The traceback of an exception, from the process in which it was raised."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


class Worker:
    """A process that does a task on one item after the other, as they come through a pipe.

    Pipes need no semaphores, and one process for each pipe tells which item has killed it.

    Attributes:
        process: The process.
        connection: The pipe.
        places: Of the items that it has been sent and not done; it is at the first.

    Raises:
        OSError: If the system starts no more processes.
    """

    def __init__(self, context: BaseContext, work: Callable[[Any], Any]) -> None:
        self.connection, other = context.Pipe()
        self.places: deque[int] = deque()
        self.process = context.Process(target=_serve, args=(other, work), daemon=True)  # type: ignore[attr-defined]
        try:
            self.process.start()
        except OSError:
            self.connection.close()
            raise
        finally:
            other.close()

    def send(self, place: int, item: object) -> None:
        """Let it do one more item. That it has died is known when its results are asked for."""
        self.places.append(place)
        with suppress(OSError):
            self.connection.send_bytes(pickle.dumps(item))

    def receive(self, seconds: float | None = None) -> tuple[Any, Exception | None, str] | None:
        """Return the result of what it is at, or the exception and its traceback; None if that takes too long.

        Raises:
            EOFError, OSError: If it has died.
        """
        if seconds is not None and not self.connection.poll(seconds):
            return None
        received: tuple[Any, Exception | None, str] = pickle.loads(self.connection.recv_bytes())
        self.places.popleft()
        return received

    def kill(self) -> None:
        """End the process at once, if it has not ended."""
        self.process.kill()
        self.process.join()
        self.connection.close()

    def stop(self) -> None:
        """End the process when it has done what it has been sent."""
        with suppress(EOFError, OSError):
            self.connection.send_bytes(b"")
            for _ in self.places:
                self.connection.recv_bytes()
        self.process.join()
        self.connection.close()


def _serve(connection: Connection, work: Callable[[Any], Any]) -> None:
    """Work on items, as they come, in a process of its own; nothing is the end."""
    start_worker()
    with suppress(EOFError, OSError):  # the parent is gone
        while data := connection.recv_bytes():
            connection.send_bytes(_work_on(work, data))


def _work_on(work: Callable[[Any], Any], data: bytes) -> bytes:
    try:
        return pickle.dumps((work(pickle.loads(data)), None, ""))
    except Exception as error:  # noqa: BLE001 (the parent raises it)
        return pickle.dumps((None, error, traceback.format_exc()))


class Pool:
    """Processes that do the same task on items; one that is killed is replaced.

    An item that was being done when its process was killed is tried once more, while nothing else is: memory that was
    lacking may be there. Forked after the start, a new process comes from one that may have threads, a progress bar's;
    it needs nothing that they could have locked.

    Args:
        context: How processes start.
        work: The task.
        jobs: How many of them.

    Raises:
        OSError: If the system does not start so many.
    """

    def __init__(self, context: BaseContext, work: Callable[[Any], Any], jobs: int) -> None:
        self._start = partial(Worker, context, work)
        self._workers: list[Worker] = []
        self._suspects: list[int] = []  # places of items that have killed a process once
        self._deaths = 0
        self._has_results = False
        try:
            for _ in range(jobs):
                self._workers.append(self._start())
        except OSError:
            self.stop()
            raise

    def deliver(self, items: Sequence[T], lost: Callable[[T, WorkerError], R]) -> Generator[R, None, None]:
        """Yield the results in the order of the items; `lost` makes that of an item that kills its process twice.

        Raises:
            WorkerError: If processes are killed before there is any result, or no new one can be started.
        """
        waiting, done = deque(range(len(items))), dict[int, R]()
        try:
            for place in range(len(items)):
                while place not in done:
                    self._feed(items, waiting)
                    killers = self._receive(waiting, done)
                    done |= {killer: lost(items[killer], _killed()) for killer in killers}
                yield done.pop(place)
        finally:
            self.stop()

    def _feed(self, items: Sequence[T], waiting: deque[int]) -> None:
        """Send items to the processes: two each, so that none waits for the next; a suspect alone."""
        if self._suspects:
            if not any(worker.places for worker in self._workers):
                self._workers[0].send(self._suspects[0], items[self._suspects[0]])
            return
        for count in range(1, AHEAD + 1):
            for worker in self._workers:
                if waiting and len(worker.places) < count:
                    place = waiting.popleft()
                    worker.send(place, items[place])

    def _receive(self, waiting: deque[int], done: dict[int, R]) -> list[int]:
        """Wait for results; return the places of items that have killed their process twice."""
        killers = []
        busy = {worker.connection: worker for worker in self._workers if worker.places}
        for connection in multiprocessing.connection.wait(list(busy)):
            worker = busy[cast(Connection, connection)]
            place = worker.places[0]
            try:
                received = worker.receive()
            except (EOFError, OSError):
                killers += self._bury(worker, waiting)
                continue
            assert received is not None  # it waits without a limit
            result, error, trace = received
            if error is not None:
                raise error from _InWorker(trace)
            done[place], self._has_results = result, True
            with suppress(ValueError):
                self._suspects.remove(place)
        return killers

    def _bury(self, worker: Worker, waiting: deque[int]) -> list[int]:
        """Replace a process that was killed; return the place of what it was doing, if that was for the second time."""
        worker.process.join()
        worker.connection.close()
        self._workers.remove(worker)
        with suppress(OSError):
            self._workers.append(self._start())
        self._deaths += 1
        if not self._workers or (self._deaths > MOST_DEATHS and not self._has_results):
            raise _killed()
        place, *others = worker.places
        waiting.extendleft(reversed(others))
        if place in self._suspects:
            self._suspects.remove(place)
            return [place]
        self._suspects.append(place)
        return []

    def stop(self) -> None:
        """End all processes when they have done what they are at."""
        for worker in self._workers:
            worker.stop()


def _killed() -> WorkerError:
    return WorkerError("a process was killed, perhaps for lack of memory", Hint.FEWER_JOBS)


def start_worker() -> None:
    """Prepare a new process: one core, and no Ctrl-C, which is for the parent: it stops its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(RuntimeError):  # no more threads
        threading.Thread(target=_leave_with_parent, daemon=True).start()
    work_on_one_core()


def work_on_one_core() -> None:
    """Keep this process to one core from now on, and let it keep memory that it frees for its next photo."""
    import cv2

    cv2.setNumThreads(1)
    os.environ["OMP_NUM_THREADS"] = "1"  # for PyTorch, if it is loaded later
    limit_torch(1)
    threadpool_limits(1, "blas")
    keep_freed_memory(KEPT)


def _leave_with_parent() -> None:
    """End this process when its parent is killed, instead of waiting for ever for its next task."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
