"""Several processes train as one: the same losses as one process with all of their samples."""

import csv
import dataclasses
import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.multiprocessing.spawn import start_processes

from symface_cli.data.datasets import survey
from symface_cli.errors import DataError, SymfaceError
from symface_cli.network.architecture import Architecture
from symface_cli.network.builder import build_network
from symface_cli.training import loop
from symface_cli.training.checkpoints import load_checkpoint
from symface_cli.training.data import preparation
from symface_cli.training.distributed import FailedElsewhere, join
from symface_cli.training.normalization import SharedBatchNorm2d, share_statistics
from symface_cli.training.randomness import ShardedRandom
from symface_cli.training.run_folder import RunFolder
from tests.small import SMALL
from tests.training.small import Silent, settings

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
LONGEST = 600  # seconds
PRELOADED = ["torch._dynamo", "matplotlib.figure", "symface_cli.training.loop"]  # what takes long to import


@pytest.fixture(scope="module")
def prepared(data, tmp_path_factory):
    """The photos, prepared for all stages, of which each training gets a copy."""
    folder = tmp_path_factory.mktemp("prepared")
    preparation.prepare(survey(data), folder, "dlib", lambda done, total: None, workers=1)
    return folder


def in_processes(count, task, *arguments):
    """Runs `task(join(...), *arguments)` in each of `count` new processes, on one core each as torchrun does."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    multiprocessing.set_forkserver_preload(PRELOADED)  # once, not by each
    start_processes(_join_and_do, (count, port, task, arguments), nprocs=count, start_method="forkserver")


def _join_and_do(rank, count, port, task, arguments):
    torch.set_num_threads(1)
    place = {"RANK": rank, "WORLD_SIZE": count, "LOCAL_RANK": rank, "MASTER_ADDR": "localhost", "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in place.items()})
    task(join("cpu"), *arguments)
    os._exit(0)  # at an interpreter's end, threads of gloo's sometimes abort the process


def test_shares_of_random_numbers_are_those_of_one_process():
    whole, first, second = (ShardedRandom(torch.Generator().manual_seed(0), *place) for place in ((), (0, 2), (1, 2)))
    for draw in ("uniform", "normal"):
        expected, *shares = (getattr(rng, draw)(count, 3) for rng, count in ((whole, 4), (first, 2), (second, 2)))
        assert torch.equal(torch.cat(shares), expected)
    assert whole.common() == first.common() == second.common()


def _compare_normalization(joined):
    """A layer that has seen something, on this process's half of a batch, and torch's own on the whole."""
    with joined as (processes, _):
        torch.manual_seed(0)
        whole, shared = (nn.Sequential(nn.BatchNorm2d(5)) for _ in range(2))
        share_statistics(shared, processes)
        assert isinstance(shared[0], SharedBatchNorm2d)
        for scale in (1.0, 3.0):
            features = (scale * torch.randn(6, 5, 4, 4) + 7).requires_grad_()
            weight = torch.randn(6, 5, 4, 4)
            expected = whole(features)
            (expected * weight).mean().backward()
            mine = slice(3 * processes.rank, 3 * processes.rank + 3)
            own = features.detach()[mine].requires_grad_()
            found = shared(own)
            (found * weight[mine]).mean().backward()
            assert torch.allclose(found, expected[mine], atol=1e-5)
            assert torch.allclose(own.grad / 2, features.grad[mine], atol=1e-6)  # a mean over half as many samples
            assert shared(own.bfloat16()).dtype == torch.bfloat16
            whole(features.detach().bfloat16().float())
        for name, expected in whole.state_dict().items():
            assert torch.allclose(shared.state_dict()[name], expected, rtol=1e-5)
        assert torch.allclose(shared.eval()(own), whole.eval()(features)[mine], atol=1e-5)


def test_batch_normalization_sees_the_samples_of_all_processes():
    in_processes(2, _compare_normalization)


def _fail(joined, failure, folder):
    name = "nothing"
    try:
        with joined as (processes, _):
            if failure == "the same":
                raise DataError("no photos")
            if processes.rank == 1:
                os._exit(0)
            with processes.writer_first():
                pass
    except (SymfaceError, FailedElsewhere) as error:
        name = type(error).__name__
    (folder / os.environ["RANK"]).write_text(name)


@pytest.mark.parametrize(
    ("failure", "raised"), [("the same", ["DataError", "FailedElsewhere"]), ("a lost process", ["WorkerError"])]
)
def test_one_process_alone_tells_of_a_failure(failure, raised, tmp_path):
    in_processes(2, _fail, failure, tmp_path)
    assert sorted(file.read_text() for file in tmp_path.iterdir()) == raised


def _train_all_stages(joined, data, run, batch_size):
    with joined as (processes, device), pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "mixed_precision", lambda device: nullcontext())
        for stage in (1, 2, 3):
            config = settings(stage, 2, batch_size=batch_size)
            folder = RunFolder(run, init=run / "init.safetensors")
            loop.train(config, data, folder, device, Silent(), processes)


def losses_of(run, stage):
    rows = csv.DictReader((run / f"stage-{stage}" / "losses.csv").read_text().splitlines())
    return torch.tensor([[float(value) for value in row.values()] for row in rows])


@pytest.mark.landmarks
def test_two_processes_have_the_losses_of_one_with_the_doubled_batch(data, prepared, tmp_path):
    """In single precision, to rounding."""
    for name in ("one", "two"):
        shutil.copytree(prepared, tmp_path / name / "data")
        torch.manual_seed(0)
        loop.save_weights(tmp_path / name / "init.safetensors", build_network(SMALL), 1)
    in_processes(1, _train_all_stages, data, tmp_path / "one", 4)
    in_processes(2, _train_all_stages, data, tmp_path / "two", 2)
    for stage in (1, 2, 3):
        one, two = (losses_of(tmp_path / name, stage) for name in ("one", "two"))
        assert torch.allclose(one, two, rtol=1e-4), stage


def _train_and_resume(joined, data, run, stop_after):
    """Stage 1 with five photos to train on and three to validate with, since each process needs one."""
    splits = np.array(["train"] * 5 + ["validation"] * 3)
    config = settings(1, 2, batch_size=1)
    with joined as (processes, device), pytest.MonkeyPatch.context() as patch:
        prepare = loop.prepare
        patch.setattr(loop, "prepare", lambda *a, **k: dataclasses.replace(prepare(*a, **k), splits=splits))
        with suppress(KeyboardInterrupt):
            loop.train(config, data, RunFolder(run), device, Silent(stop_after), processes)
        if stop_after:
            loop.train(config, data, RunFolder(run, resume=True), device, Silent(), processes)


@pytest.mark.landmarks  # which are prepared, too
def test_a_run_of_three_processes_resumed_equals_an_uninterrupted_one(data, prepared, tmp_path):
    """From three summands on, sums depend on their order."""
    networks = []
    for name, stop_after in (("straight", 0), ("stopped", 1)):
        shutil.copytree(prepared, tmp_path / name / "data")
        in_processes(3, _train_and_resume, data, tmp_path / name, stop_after)
        state = load_checkpoint(tmp_path / name / "stage-1" / "last.pt")
        assert state["epoch"] == 2
        networks.append(state["network"])
    assert all(torch.equal(networks[0][name], networks[1][name]) for name in networks[0])


@contextmanager
def launched(data, run, count, batch_size, *options):
    """Processes of symface's own network on stage 3, started by torch's launcher, whose process is given."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count), *options]
    settings = ["--epochs", "3", "--batch-size", str(batch_size), "--init", run.parent / "init.safetensors"]
    command = ["-m", "--", "symface_cli", "train", data, "--run", run, "--stage", "3", "--device", "cpu", *settings]
    process = subprocess.Popen([*launcher, *command], env={**os.environ, "OMP_NUM_THREADS": "1"})
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def runs(data, prepared, tmp_path_factory):
    """Prepared runs: "one" by one process, "two" by two with half the batch size, and "disturbed", not yet started."""
    folder = tmp_path_factory.mktemp("runs")
    for name in ("one", "two", "disturbed"):
        shutil.copytree(prepared, folder / name / "data")
    torch.manual_seed(0)
    loop.save_weights(folder / "init.safetensors", build_network(Architecture()), 2)
    with launched(data, folder / "one", 1, 4) as one, launched(data, folder / "two", 2, 2) as two:
        assert one.wait(LONGEST) == two.wait(LONGEST) == 0
    return folder


@pytest.mark.landmarks
def test_two_launched_processes_have_about_the_losses_of_one_in_mixed_precision(runs):
    one, two = (losses_of(runs / name, 3) for name in ("one", "two"))
    assert torch.allclose(one, two, rtol=0.03)


def find_worker(run, rank):
    """The process id of a worker, from what the system knows of all processes."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command, environment = ((process / name).read_bytes() for name in ("cmdline", "environ"))
            if str(run).encode() in command and f"\0RANK={rank}\0".encode() in environment:
                return int(process.name)
    raise AssertionError("no such worker")


@pytest.mark.landmarks
@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="workers are found in /proc")
def test_a_killed_worker_comes_back_and_the_weights_are_those_of_an_undisturbed_run(data, runs, capfd):
    last = runs / "disturbed" / "stage-3" / "last.pt"
    with launched(data, runs / "disturbed", 2, 2, "--max-restarts", "1") as launcher:
        while not last.exists():
            assert launcher.poll() is None
            time.sleep(0.05)
        os.kill(find_worker(runs / "disturbed", 1), signal.SIGKILL)
        assert launcher.wait(LONGEST) == 0
    shown = capfd.readouterr()
    assert shown.out == f"{last.parent / 'best.safetensors'}\n"
    assert shown.err.count("stage 3, 3 epochs, on 2 processes") == 2
    assert shown.err.count("epoch 1/3: validation") <= 1
    disturbed, undisturbed = (load_checkpoint(runs / name / "stage-3" / "last.pt") for name in ("disturbed", "two"))
    assert disturbed["epoch"] == undisturbed["epoch"] == 3
    for name, tensor in undisturbed["network"].items():
        assert torch.equal(disturbed["network"][name], tensor), name
