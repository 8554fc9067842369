"""Faces in batches, and an engine that several processes share: each face is what it is alone."""

import os
import sys
import threading
from contextlib import contextmanager
from multiprocessing import AuthenticationError, current_process
from multiprocessing.connection import Client
from queue import SimpleQueue
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from PIL import Image

from symface_cli.engines import loading, shared_engine
from symface_cli.engines.engine import Located
from symface_cli.engines.loading import load_engine
from symface_cli.engines.shared_engine import SharedEngine, introduce, listen, share, start_engine
from symface_cli.engines.torch_engine import BATCH, TorchEngine
from symface_cli.errors import UsageError, WorkerError
from symface_cli.network.builder import build_network
from symface_cli.network.weights import read_weights, save_weights
from symface_cli.parallel import work
from symface_cli.parallel.work import MANY
from tests.conftest import ROOT
from tests.engines.faces import assert_located_alike, known_crops, save_random_weights
from tests.processes import forked, forking
from tests.small import SMALL_PAPER

DEVICES = ("cpu", pytest.param("cuda", marks=pytest.mark.cuda))


@pytest.fixture(scope="module")
def crops():
    return known_crops()


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return save_random_weights(tmp_path_factory.mktemp("weights") / "small.safetensors")


@pytest.fixture(params=DEVICES)
def engine(request, small):
    return TorchEngine(small, request.param)


def are_identical(located, other):
    return all(getattr(located, name).tobytes() == getattr(other, name).tobytes() for name in vars(located))


def test_the_faces_of_a_batch_are_what_they_are_alone(engine, crops):
    together = engine.locate_batch(crops)
    drawn = engine.decode_batch(crops, together)
    for crop, located, face in zip(crops, together, drawn, strict=True):
        assert_located_alike(located, engine.locate(crop))
        assert cv2.absdiff(face, engine.decode(crop, located)).max() <= 1
    assert not are_identical(together[0], together[1])


@pytest.mark.cuda
def test_a_gpu_rounds_a_face_in_the_same_way_whatever_is_beside_it(crops):
    engine = TorchEngine(None, "cuda")
    alone = [engine.locate(crop) for crop in crops]
    faces = [engine.decode(crop, located) for crop, located in zip(crops, alone, strict=True)]
    for order in (range(len(crops)), [4, 2, 0], [*range(len(crops))] * 3, [1] * BATCH):
        chosen = [crops[i] for i in order]
        together = engine.locate_batch(chosen)
        assert all(are_identical(located, alone[i]) for i, located in zip(order, together, strict=True))
        drawn = engine.decode_batch(chosen, together)
        assert all((face == faces[i]).all() for i, face in zip(order, drawn, strict=True))


@pytest.mark.cuda
def test_a_gpu_computes_what_a_cpu_computes(crops):
    engine, other = (TorchEngine(None, device) for device in ("cuda", "cpu"))
    for crop in crops:
        located, its = engine.locate(crop), other.locate(crop)
        assert_located_alike(located, its)
        assert cv2.absdiff(engine.decode(crop, located), other.decode(crop, its)).max() <= 1


@pytest.mark.parametrize("device", DEVICES)
def test_the_papers_network_locates_no_face_of_a_batch_and_decodes_each(device, crops, tmp_path):
    save_weights(tmp_path / "paper.safetensors", build_network(SMALL_PAPER), stage=3)
    engine = TorchEngine(tmp_path / "paper.safetensors", device)
    assert engine.locate_batch(crops) == [None] * len(crops)
    for crop, face in zip(crops, engine.decode_batch(crops, None), strict=True):
        assert cv2.absdiff(face, engine.decode(crop, None)).max() <= 1


# ---- shared by processes


@contextmanager
def shared(engine):
    """Another process that has the engine; gives that process, and an engine which asks it."""
    with listen() as listener, forked(lambda: share(engine, listener)) as (process, _):
        yield process, SharedEngine(introduce(engine, listener))


@forking
def test_processes_and_threads_that_share_an_engine_get_each_its_own_face(small, crops):
    engine = TorchEngine(small, "cpu")
    found = {}
    with shared(engine) as (_, asked):
        asked.locate(crops[-1])  # this thread's connection is copied to forked processes, but not used there

        def see(i):
            found[i] = asked.locate(crops[i])

        def see_and_compare():
            assert_located_alike(asked.locate(crops[0]), engine.locate(crops[0]))
            sys.stdout.write("alike")
            sys.stdout.flush()

        with forked(see_and_compare) as (_, printed):
            threads = [threading.Thread(target=see, args=(i,)) for i in range(len(crops))]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert printed.read() == "alike"
        face = asked.decode(crops[0], found[0])
    for i, crop in enumerate(crops):
        assert_located_alike(found[i], engine.locate(crop))
    assert cv2.absdiff(face, engine.decode(crops[0], found[0])).max() <= 1
    assert (asked.sha256, asked.stage, asked.name) == (read_weights(small).sha256, 2, "torch")


def test_what_waits_is_computed_in_one_batch():
    requests = SimpleQueue()
    for number in range(BATCH + 2):
        requests.put(number)
    assert shared_engine._take_waiting(requests) == [*range(BATCH)]
    assert shared_engine._take_waiting(requests) == [BATCH, BATCH + 1]


def broken(**methods):
    """An engine that fails."""
    return SimpleNamespace(sha256="", stage=3, **methods)


@forking
def test_what_goes_wrong_with_a_batch_is_raised_where_it_was_asked_for(crops):
    def fail(*_):
        raise MemoryError("no memory on the GPU")

    with shared(broken(locate_batch=fail)) as (_, asked):
        for _ in range(2):
            with pytest.raises(MemoryError, match="on the GPU"):
                asked.locate(crops[0])


@forking
def test_a_process_that_is_killed_with_the_engine_is_an_error_of_each_photo(crops):
    with shared(broken(locate_batch=lambda _: os._exit(1))) as (_, asked):
        for _ in range(2):
            with pytest.raises(WorkerError, match="was killed"):
                asked.locate(crops[0])


@forking
def test_who_goes_away_or_is_a_stranger_keeps_nobody_waiting(small, crops):
    with shared(TorchEngine(small, "cpu")) as (_, asked):
        with pytest.raises(AuthenticationError):
            Client(asked._address, authkey=b"guessed")
        gone = Client(asked._address, authkey=current_process().authkey)
        gone.send(shared_engine.Request("locate", crops[0]))
        gone.close()
        assert isinstance(asked.locate(crops[0]), Located)


@forking
@pytest.mark.slow
def test_an_engine_is_shared_only_on_a_gpu_that_is_there(small):
    assert start_engine(small, "cpu") is None
    with pytest.raises(UsageError, match="cuda:77"):
        start_engine(small, "cuda:77")


@forking
@pytest.mark.parametrize(
    ("device", "there", "expected"),
    [
        ("cuda", False, ["cuda"]),
        ("auto", True, ["auto"]),
        ("auto", False, []),
        ("cpu", True, []),
    ],
)
def test_a_gpu_is_left_to_a_process_of_its_own_if_others_are_forked(monkeypatch, device, there, expected):
    started, loaded = [], []
    monkeypatch.setattr(shared_engine, "start_engine", lambda weights, device: started.append(device) or "shared")
    monkeypatch.setattr(loading, "_load_torch", lambda weights, device: loaded.append(device) or "own")
    monkeypatch.setattr(loading.os.path, "exists", lambda path: there)
    assert load_engine(None, device, "torch", forked=True) == ("shared" if expected else "own")
    assert load_engine(None, device, "torch") == "own"
    assert started == expected


@forking
def test_without_a_gpu_behind_its_driver_torch_computes_on_the_cpu(monkeypatch):
    monkeypatch.setattr(shared_engine, "start_engine", lambda weights, device: None)
    monkeypatch.setattr(loading, "_load_torch", lambda weights, device: "own")
    monkeypatch.setattr(loading.os.path, "exists", lambda path: True)
    assert load_engine(None, "auto", "torch", forked=True) == "own"


# ---- whole photos


def make_photos(folder, count):
    """Make small pictures of faces whose eyes are known; return how to say so."""
    folder.mkdir()
    photo = Image.open(ROOT / "examples/portrait.jpg").crop((89, 89, 589, 589)).reduce(2)
    for number in range(count):
        photo.rotate(number % 5 - 2, Image.Resampling.BICUBIC, center=(125, 113)).save(folder / f"{number:02}.png")
    return "--eyes", "100,113,149,113"


def assert_alike(folder, other, names):
    """Pixels differ by at most a gray level, but for few where a rounding decides which place is sampled."""
    for name in names:
        first, second = (np.array(Image.open(path / f"{name}.symmetric.png")) for path in (folder, other))
        assert (cv2.absdiff(first, second) > 1).mean() < 1e-3


@forking
def test_photos_of_processes_that_share_an_engine_are_what_they_are_alone(tmp_path, symface, monkeypatch):
    monkeypatch.setattr(work, "MANY", 2)  # photos for each process
    eyes = make_photos(tmp_path / "in", 5)
    with shared(TorchEngine(None, "cpu")) as (_, asked):
        monkeypatch.setattr(loading, "_share_gpu", lambda weights, device: asked)
        finished = symface("symmetrize", tmp_path / "in", "-o", tmp_path / "many", *eyes, "--engine=torch", "--jobs=2")
    assert finished.status == 0, finished.err
    symface("symmetrize", tmp_path / "in/02.png", "-o", tmp_path / "one/", *eyes, "--engine=torch", "--device=cpu")
    assert_alike(tmp_path / "many", tmp_path / "one", ["02"])


@pytest.mark.cuda
def test_photos_of_a_batch_on_a_gpu_are_what_they_are_alone_and_on_a_cpu(tmp_path, symface):
    eyes = make_photos(tmp_path / "in", 2 * MANY + 1)
    for name, *options in (
        ("many", "--device=cuda", "--jobs=2"),
        ("few", "--device=cuda", "--jobs=1"),
        ("cpu", "--device=cpu"),
    ):
        finished = symface("symmetrize", tmp_path / "in", "-o", tmp_path / name, *eyes, "--engine=torch", *options)
        assert finished.status == 0, finished.err
    results = {path.name: path.read_bytes() for path in (tmp_path / "many").glob("*.png")}
    assert results == {path.name: path.read_bytes() for path in (tmp_path / "few").glob("*.png")}
    assert_alike(tmp_path / "many", tmp_path / "cpu", [path.stem for path in (tmp_path / "in").iterdir()])
