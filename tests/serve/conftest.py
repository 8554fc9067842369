"""A server of this process, whose own processes start at once: copies of this one."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from symface_cli.parallel.work import one_thread

collect_ignore_glob = [] if find_spec("starlette") and find_spec("httpx") else ["test_*.py"]

KILLING = b"a picture that kills its process"


@pytest.fixture(scope="session", autouse=True)
def one_thread_each() -> Iterator[None]:
    """The libraries have one thread here: a fork of this process would wait for others, which it does not have."""
    with one_thread():
        yield


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Address of a server with two processes, one of which `KILLING` kills."""
    from symface_cli.serve.limits import MIB, Limits
    from symface_cli.serve.server import Server, ServerOptions
    from symface_cli.serve.work import studio

    read = studio.read_picture

    def read_or_die(data: bytes) -> object:
        if data == KILLING:
            os.kill(os.getpid(), signal.SIGKILL)
        return read(data)

    options = ServerOptions(port=0, jobs=2, limits=Limits(upload_bytes=2 * MIB))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(studio, "read_picture", read_or_die)
        server = Server(options, context=multiprocessing.get_context("fork"))
        started = threading.Event()
        thread = threading.Thread(target=server.run, args=(started.set,))
        thread.start()
        assert started.wait(60)
        yield server.address
        server.stop()
        thread.join()
