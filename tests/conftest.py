"""What several test files share."""

import importlib.util
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from symface_cli.cli.app import main
from tests.server import Server, serve

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"


MOST_WORKERS = 4  # each needs a gigabyte, and 10 seconds until its first test

# PyTorch has one thread in each worker, and in each process that a test starts. Two for each of two workers wait for
# each other so long that training takes ten times as long.
os.environ["OMP_NUM_THREADS"] = "1"


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """A worker per core; none for single files, so that they start at once and a debugger stops in them."""
    return 0 if all(".py" in argument for argument in config.args) else min(os.cpu_count() or 1, MOST_WORKERS)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skips what cannot run here, and says why; workers begin with the slow ones, so that none comes last."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.get_closest_marker("slow") is None)
    for item in items:
        if item.get_closest_marker("shared") and not (SHARED / "data").is_dir():
            item.add_marker(pytest.mark.skip(reason="the photos of ../shared/data are not here"))
        if item.get_closest_marker("landmarks") and importlib.util.find_spec("dlib") is None:
            item.add_marker(pytest.mark.skip(reason="the landmarks extra is not installed"))
        if item.get_closest_marker("cuda") and not _has_cuda():
            item.add_marker(pytest.mark.skip(reason="torch can use no GPU here"))


@cache
def _has_cuda() -> bool:
    import torch

    return torch.cuda.is_available()


# ---- what a test does not see


@pytest.fixture(scope="session", autouse=True)
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The home and the variables of somebody who has never used symface, for the session's own fixtures too."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("SYMFACE_", "XDG_", "HF_")) or name.lower().endswith("_proxy"):
                patch.delenv(name)
        for name in ("HOME", "USERPROFILE", "LOCALAPPDATA", "APPDATA"):
            patch.setenv(name, str(home))
        patch.setenv("PYTHONPATH", str(ROOT), prepend=os.pathsep)  # for processes, whose working folder is not this one
        for name in ("cpu_count", "process_cpu_count"):  # a test's few photos are done before others have started
            patch.setattr(os, name, lambda: 1, raising=False)
        patch.setattr(os, "sched_getaffinity", lambda process: {0}, raising=False)
        patch.setattr(socket.socket, "connect", _on_this_machine(socket.socket.connect, 1))
        patch.setattr(socket.socket, "connect_ex", _on_this_machine(socket.socket.connect_ex, 1))
        patch.setattr(socket, "getaddrinfo", _on_this_machine(socket.getaddrinfo, 0))
        yield


def _on_this_machine(function: Callable[..., object], place: int) -> Callable[..., object]:
    """The function, which fails the test if the address, its argument at `place`, is that of another machine."""

    def checked(*arguments: object, **options: object) -> object:
        address = arguments[place]
        host = address[0] if isinstance(address, tuple) else address if place == 0 else None
        if host not in (None, "127.0.0.1", "::1", "localhost"):
            pytest.fail(f"a test wanted to connect to {host}")
        return function(*arguments, **options)

    return checked


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The test's own folder is the working folder, so that no symface.toml is read but the test's."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session", autouse=True)
def loaded_once() -> Iterator[None]:
    """Each weights file is read, and its network prepared, once in the session instead of once a command."""
    loading = sys.modules.get("symface_cli.engines.loading")
    if loading is None:  # no test that was collected needs it at once
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        for name in ("read_weights", "_load_torch"):
            patch.setattr(loading, name, _once_a_file(getattr(loading, name)))
        patch.setattr(loading, "_load_onnxruntime", _once(loading._load_onnxruntime))
        yield


def _once_a_file(load: Callable[..., object]) -> Callable[..., object]:
    """The function, which is called again only if the file, its first argument, has changed."""
    load_state = cache(lambda path, changed, size, *others: load(path, *others))

    def load_again(path: Path | None, *others: object) -> object:
        path = sys.modules["symface_cli.network.weights"].choose_weights(path)
        if not path.is_file():
            return load(path, *others)
        found = path.stat()
        return load_state(path, found.st_mtime_ns, found.st_size, *others)

    return load_again


def _once(load: Callable[[object], object]) -> Callable[[object], object]:
    """The function, which is called once for each argument; none of them ends before the session."""
    loaded: dict[int, tuple[object, object]] = {}

    def load_again(argument: object) -> object:
        if id(argument) not in loaded:
            loaded[id(argument)] = argument, load(argument)
        return loaded[id(argument)][1]

    return load_again


@pytest.fixture(scope="session", autouse=True)
def dlib_loaded_once() -> Iterator[None]:
    """Each model of dlib's, of up to 100 MB, is read once in the session by each thread."""
    with pytest.MonkeyPatch.context() as patch:
        if importlib.util.find_spec("dlib") is not None:
            import dlib

            for name in ("shape_predictor", "face_recognition_model_v1"):
                patch.setattr(dlib, name, _once_a_thread(getattr(dlib, name)))
        yield


def _once_a_thread(load: Callable[[str], object]) -> Callable[[str], object]:
    load_in = cache(lambda path, thread: load(path))
    return lambda path: load_in(path, threading.get_ident())


# ---- what a test is given


@dataclass(frozen=True)
class Finished:
    """What a run of the command line left behind."""

    status: int
    out: str
    err: str


@pytest.fixture
def symface(capsys: pytest.CaptureFixture[str]) -> Callable[..., Finished]:
    """Runs the command line in this process: `symface("symmetrize", photo)`."""

    def run(*arguments: object) -> Finished:
        status = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Finished(status, captured.out, captured.err)

    return run


@pytest.fixture
def no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user whom nobody knows, as a container may be run by: no HOME, no entry in passwd."""
    for name in ("HOME", "USERPROFILE", "HOMEDRIVE", "HOMEPATH", "LOCALAPPDATA", "SYMFACE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)


@pytest.fixture
def portrait() -> Path:
    """A photo with one face, of a person who does not exist."""
    return ROOT / "examples" / "portrait.jpg"


@pytest.fixture
def pair() -> Path:
    """A photo with two faces, of people who do not exist."""
    return ROOT / "examples" / "pair.jpg"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A mirror of everything, which serves one small file."""
    server = Server()
    with serve(server) as address:
        monkeypatch.setenv("SYMFACE_MIRROR", address)
        yield server


@pytest.fixture
def landmarks() -> NDArray[np.float64]:
    """68 landmarks (68, 2) of an exactly symmetric face with a vertical midline at x = 100; eye distance 60."""
    left = np.zeros((68, 2))
    angles = np.linspace(np.pi, np.pi / 2, 9)  # the jaw is half an ellipse
    left[0:9] = np.column_stack([65 * np.cos(angles), 110 * np.sin(angles)])
    left[17:22] = np.column_stack([np.linspace(-55, -12, 5), [-22, -29, -31, -29, -25]])
    left[27:31] = np.column_stack([np.zeros(4), [0, 14, 28, 42]])
    left[31:34] = [(-13, 50), (-6, 52), (0, 54)]
    left[36:42] = [(-43, 1), (-35, -5), (-25, -5), (-17, 2), (-25, 4), (-35, 3)]
    left[48:52] = [(-25, 75), (-15, 71), (-5, 69), (0, 70)]
    left[57:60] = [(0, 85), (-5, 84), (-14, 81)]
    left[60:63] = [(-20, 75), (-6, 74), (0, 75)]
    left[66:68] = [(0, 79), (-6, 78)]
    pairs = [(16 - i, i) for i in range(8)] + [(26 - i, 17 + i) for i in range(5)]
    pairs += [(35, 31), (34, 32), (45, 36), (44, 37), (43, 38), (42, 39), (47, 40), (46, 41)]
    pairs += [(54, 48), (53, 49), (52, 50), (55, 59), (56, 58), (64, 60), (63, 61), (65, 67)]
    for right, its_left in pairs:
        left[right] = left[its_left] * [-1, 1]
    return left + np.array([100, 90])
