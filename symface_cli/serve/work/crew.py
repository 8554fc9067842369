"""Processes that do jobs for a server: a photo goes to the one that knows it, and one that dies is replaced."""

import asyncio
import multiprocessing
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from multiprocessing.context import BaseContext
from typing import Any

from symface_cli.errors import SymfaceError, WorkerError
from symface_cli.parallel.pool import Worker
from symface_cli.serve.limits import Limits
from symface_cli.serve.problems import BusyError, RefusedError
from symface_cli.serve.work.answers import Answer
from symface_cli.serve.work.jobs import ForgetJob, Job, Setup, StartJob, do
from symface_cli.serve.work.studio import Upload

LOADING_SECONDS = 600  # in which a process has to have loaded the network: a cold disk, a slow machine
PRELOADED = ["symface_cli.serve.work.jobs"]


def server_context() -> BaseContext:
    """Return how processes start: copies of one that has imported everything and has none of the server's connections.

    On Windows, they are new ones.
    """
    if sys.platform == "win32":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


class Seat:
    """A place for a process, and a thread that waits for it; jobs are done in the order in which they come.

    Args:
        start: Starts a process.

    Attributes:
        waiting: Number of jobs that it is at or that wait for it.
    """

    def __init__(self, start: Callable[[], Worker]) -> None:
        self._start = start
        self._worker: Worker | None = None
        self._thread = ThreadPoolExecutor(1, "symface-serve")
        self.waiting = 0

    def submit(self, job: Job, seconds: float) -> "Future[Answer]":
        """Have a job done when it is its turn."""
        return self._thread.submit(self._exchange, job, seconds)

    def _exchange(self, job: Job, seconds: float) -> Answer:
        """Have a job done.

        Raises:
            SymfaceError: If it fails; a WorkerError if the process dies of it.
            RefusedError: If it takes too long.
        """
        if self._worker is not None and not self._worker.process.is_alive():  # killed while it had nothing to do
            self._leave()
        if self._worker is None:
            self._worker = self._start()
        self._worker.send(0, job)
        try:
            received = self._worker.receive(seconds)
        except (EOFError, OSError) as death:
            self._leave()
            raise WorkerError("the process was killed that worked on the photo; make it smaller") from death
        if received is None:
            self._leave()
            raise RefusedError(503, "too-long", "It took too long", f"more than {seconds:g} seconds; make it smaller")
        result, error, _ = received
        if isinstance(result, SymfaceError):
            raise result
        if error is not None:
            raise error
        assert isinstance(result, Answer)
        return result

    def _leave(self) -> None:
        if self._worker is not None:
            self._worker.kill()
        self._worker = None

    def stop(self) -> None:
        """End the process, whatever it is at."""
        if self._worker is not None:
            self._worker.process.kill()
        self._thread.shutdown(cancel_futures=True)
        self._leave()


def _start_alone(lock: threading.Lock, context: BaseContext, work: Callable[[Any], Any]) -> Worker:
    """Start a process while no other is started: forked, it would hold the other's pipe open when that has died."""
    with lock:
        return Worker(context, work)


class Crew:
    """Processes that do jobs.

    Args:
        setup: What they load.
        jobs: How many of them.
        limits: How many jobs may wait, and how long one may take.
        context: How they start; None for the usual way.

    Raises:
        SymfaceError: If they cannot load it.
        OSError: If the system does not start so many.
    """

    def __init__(self, setup: Setup, jobs: int, limits: Limits, context: BaseContext | None = None) -> None:
        start = partial(_start_alone, threading.Lock(), context or server_context(), partial(do, setup))
        self._limits = limits
        self._seats = [Seat(start) for _ in range(jobs)]
        self._seat_of: dict[str, Seat] = {}
        try:
            for loaded in [seat.submit(StartJob(), LOADING_SECONDS) for seat in self._seats]:
                loaded.result()
        except BaseException:
            self.stop()
            raise

    @property
    def jobs(self) -> int:
        """Number of processes."""
        return len(self._seats)

    @property
    def waiting(self) -> int:
        """Number of jobs that are being done or wait."""
        return sum(seat.waiting for seat in self._seats)

    async def do(self, job: Job) -> Answer:
        """Have a job done by the process that knows its photo, else by the one that is the least busy.

        Raises:
            SymfaceError: If it fails.
            BusyError: If too many wait.
            RefusedError: If it takes too long.
        """
        if self.waiting >= self.jobs + self._limits.waiting:
            raise BusyError(f"{self._limits.waiting} requests are waiting")
        return await self._hand_over(job, self._choose(job.upload.key))

    async def forget(self, key: str) -> None:
        """Have a photo dropped where it is known; if that fails, its process is gone."""
        seat = self._seat_of.pop(key, None)
        if seat is not None:
            with suppress(SymfaceError, RefusedError):
                await self._hand_over(ForgetJob(Upload(b"", "", key)), seat)

    def _choose(self, key: str) -> Seat:
        seat = self._seat_of.get(key) or min(self._seats, key=lambda seat: seat.waiting)
        if key:
            self._seat_of[key] = seat
        return seat

    async def _hand_over(self, job: Job, seat: Seat) -> Answer:
        seat.waiting += 1
        done = asyncio.wrap_future(seat.submit(job, self._limits.working_seconds))
        done.add_done_callback(lambda _: self._count_down(seat))
        return await asyncio.shield(done)  # its sender may leave: the process goes on all the same

    @staticmethod
    def _count_down(seat: Seat) -> None:
        seat.waiting -= 1

    def stop(self) -> None:
        """End the processes, whatever they are at."""
        for seat in self._seats:
            seat.stop()
