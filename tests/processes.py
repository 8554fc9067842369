"""Processes that start at once: copies of this one, in which everything is imported and loaded."""

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from typing import IO

import pytest

from symface_cli.parallel.work import FORKS, one_thread

forking = pytest.mark.skipif(not FORKS, reason="this system does not fork processes")


@contextmanager
def forked(task: Callable[[], object]) -> Iterator[tuple[BaseProcess, IO[str]]]:
    """Does something in another process; gives that, and what it prints. What the task changes, it changes there."""
    reader, writer = os.pipe()
    process = multiprocessing.get_context("fork").Process(target=_run, args=(task, writer))
    with one_thread():  # a fork would wait for threads of the libraries that it does not have
        process.start()
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as printed:
        try:
            yield process, printed
        finally:
            process.kill()
            process.join()


def _run(task: Callable[[], object], writer: int) -> None:
    os.dup2(writer, 1)
    os.close(writer)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8")
    task()
