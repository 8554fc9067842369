"""The command `symface serve`."""

import queue
import socket
import sys
import webbrowser
from collections.abc import Callable
from pathlib import Path

import pytest

from symface_cli.errors import SymfaceError
from symface_cli.serve import server
from symface_cli.serve.server import Server, ServerOptions
from tests.conftest import Finished

Run = Callable[..., Finished]


class Recorded:
    """A server that only says how it was asked for."""

    options: ServerOptions
    address = "http://127.0.0.1:1/"

    def __init__(self, options: ServerOptions, tell: Callable[[SymfaceError], None]) -> None:
        Recorded.options = options

    def run(self, started: Callable[[], None]) -> None:
        started()


def test_options_reach_the_server_and_its_address_is_printed(symface: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = queue.Queue[str]()
    monkeypatch.setattr(server, "Server", Recorded)
    monkeypatch.setattr(webbrowser, "open", opened.put)
    assert symface("serve", "--no-browser").status == 0
    finished = symface("serve", "--port", 0, "--upload-mb", 7, "--keep", 2, "--time-limit", 9, "--jobs", 3)
    assert (finished.status, finished.out) == (0, "http://127.0.0.1:1/\n")
    assert opened.get(timeout=30) == "http://127.0.0.1:1/"
    assert opened.empty()
    options = Recorded.options
    assert (options.host, options.port, options.token, options.jobs) == ("127.0.0.1", 0, None, 3)
    limits = options.limits
    assert (limits.upload_bytes, limits.kept_seconds, limits.working_seconds) == (7 * 2**20, 120, 9)


def test_a_port_that_is_taken_is_a_usage_error(symface: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        finished = symface("serve", "--port", taken.getsockname()[1])
    assert finished.status == 2
    assert "try another port" in finished.err
    assert finished.err.count("\n") == 1


def test_without_the_extra_it_says_how_to_get_it(symface: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("symface_cli.serve")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "starlette", None)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    finished = symface("serve")
    assert (finished.status, finished.out) == (2, "")
    assert 'pip install "symface[web]"' in finished.err


def test_elsewhere_the_address_has_a_new_token_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    class Nobody:
        jobs = waiting = 0

        def __init__(self, *_: object) -> None:
            pass

        def stop(self) -> None:
            pass

    monkeypatch.setattr(server, "Crew", Nobody)
    addresses = set()
    for _ in range(2):
        made = Server(ServerOptions(host="0.0.0.0", port=0))
        addresses.add(made.address.split("?token=")[1])
        made.close()
    assert len(addresses) == 2
    assert min(map(len, addresses)) >= 24
    here = Server(ServerOptions(port=0, token=None))
    assert "token" not in here.address
    here.close()


def test_weights_that_are_missing_end_it_at_once(symface: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import multiprocessing

    from symface_cli.serve.work import crew

    monkeypatch.setattr(crew, "server_context", lambda: multiprocessing.get_context("fork"))
    finished = symface("serve", "--port", 0, "--jobs", 1, "--weights", tmp_path / "none.safetensors")
    assert finished.status == 5
    assert "none.safetensors" in finished.err
