"""Processes that work for the server: one may die or hang, and the next job is done."""

import asyncio
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from functools import partial

import pytest

from symface_cli.errors import PhotoError, SymfaceError, WorkerError
from symface_cli.parallel.pool import Worker
from symface_cli.serve.limits import Limits
from symface_cli.serve.problems import BusyError, RefusedError
from symface_cli.serve.work import crew as crews
from symface_cli.serve.work.answers import Answer
from symface_cli.serve.work.crew import Crew, Seat
from symface_cli.serve.work.jobs import DescribeJob, Job, Setup
from symface_cli.serve.work.studio import Upload
from tests.processes import forking

pytestmark = forking
FORK = multiprocessing.get_context("fork") if "fork" in multiprocessing.get_all_start_methods() else None


def act(setup: Setup, job: Job) -> Answer | SymfaceError:
    """Does what a picture says."""
    word = job.upload.data
    if word == b"die":
        os.kill(os.getpid(), signal.SIGKILL)
    if word == b"hang":
        time.sleep(60)
    if word == b"wait":
        time.sleep(0.2)
    if word == b"fail":
        return PhotoError("cannot be read")
    if word == b"bug":
        raise ZeroDivisionError
    return Answer(str(os.getpid()).encode(), ".json")


def job(word: bytes, key: str = "") -> DescribeJob:
    return DescribeJob(Upload(word, "a.jpg", key))


@pytest.fixture
def seat() -> Iterator[Seat]:
    seat = Seat(partial(Worker, FORK, partial(act, Setup())))
    yield seat
    seat.stop()


def test_a_job_that_kills_its_process_fails_and_the_next_is_done(seat: Seat) -> None:
    before = seat.submit(job(b""), 30).result().content
    with pytest.raises(WorkerError):
        seat.submit(job(b"die"), 30).result()
    after = seat.submit(job(b""), 30).result().content
    assert before != after


def test_a_process_that_was_killed_while_idle_costs_nothing(seat: Seat) -> None:
    before = int(seat.submit(job(b""), 30).result().content)
    os.kill(before, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while before in (child.pid for child in multiprocessing.active_children()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert int(seat.submit(job(b""), 30).result().content) != before


def test_a_job_that_hangs_is_ended_and_the_next_is_done(seat: Seat) -> None:
    start = time.monotonic()
    with pytest.raises(RefusedError) as failure:
        seat.submit(job(b"hang"), 0.1).result()
    assert time.monotonic() - start < 30
    assert failure.value.status == 503
    assert seat.submit(job(b""), 30).result().content


def test_failures_come_back_as_they_are(seat: Seat) -> None:
    with pytest.raises(PhotoError, match="cannot be read"):
        seat.submit(job(b"fail"), 30).result()
    with pytest.raises(ZeroDivisionError):
        seat.submit(job(b"bug"), 30).result()
    assert seat.submit(job(b""), 30).result().content


def test_a_photo_goes_to_the_process_that_knows_it_and_too_many_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crews, "do", act)
    crew = Crew(Setup(), 2, Limits(waiting=3), FORK)

    async def ask() -> list[object]:
        kept = [crew.do(job(word, "kept")) for word in (b"wait", b"", b"")]
        return await asyncio.gather(*kept, crew.do(job(b"", "other")), crew.do(job(b"")), return_exceptions=True)

    try:
        first, second, third, other, _ = asyncio.run(ask())
        assert first == second == third
        assert isinstance(other, Answer)
        assert other != first
        assert crew.waiting == 0
        assert [type(answer) for answer in asyncio.run(crowd(crew))].count(BusyError) == 3
        assert crew.waiting == 0
    finally:
        crew.stop()


async def crowd(crew: Crew) -> list[object]:
    """Asks for eight things at once, of which two are done and three wait."""
    return await asyncio.gather(*(crew.do(job(b"wait")) for _ in range(8)), return_exceptions=True)


def test_processes_that_cannot_load_the_network_say_why(tmp_path) -> None:
    with pytest.raises(SymfaceError, match=r"nothing\.safetensors"):
        Crew(Setup(weights=tmp_path / "nothing.safetensors"), 1, Limits(), FORK)
