"""Several processes train as one: the same losses as one process with all of their samples."""

import csv
import dataclasses
import os
import shutil
import signal
from contextlib import nullcontext, suppress

import numpy as np
import pytest
import torch
from torch import nn

from symface_cli.cli.app import main
from symface_cli.cli.commands.train import ProgressObserver
from symface_cli.errors import DataError, SymfaceError
from symface_cli.network.builder import build_network
from symface_cli.training import loop
from symface_cli.training.checkpoints import load_checkpoint
from symface_cli.training.config import RATES
from symface_cli.training.distributed import FailedElsewhere
from symface_cli.training.normalization import SharedBatchNorm2d, share_statistics
from symface_cli.training.randomness import ShardedRandom
from symface_cli.training.run_folder import RunFolder
from tests.small import SMALL
from tests.training.processes import in_processes, launched
from tests.training.small import Silent, let_the_command_train_small, settings

pytestmark = pytest.mark.slow


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


def _train(joined, data, run, batch_size):
    """All stages in single precision, and the last one in the device's mixed precision, too."""
    with joined as (processes, device):
        for stage in (1, 2, 3):
            folder = RunFolder(run, init=run / "init.safetensors")
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(loop, "mixed_precision", lambda device: nullcontext())
                loop.train(settings(stage, 2, batch_size=batch_size), data, folder, device, Silent(), processes)
        mixed = RunFolder(run / "mixed", init=run / "init.safetensors")
        loop.train(settings(3, 2, batch_size=batch_size), data, mixed, device, Silent(), processes)


def losses_of(run, stage):
    rows = csv.DictReader((run / f"stage-{stage}" / "losses.csv").read_text().splitlines())
    return torch.tensor([[float(value) for value in row.values()] for row in rows])


@pytest.fixture
def run_folder(prepared, tmp_path):
    """Makes the folder of a run, with prepared photos that count differently, and first weights."""

    def make(name):
        for data in (tmp_path / name / "data", tmp_path / name / "mixed" / "data"):
            shutil.copytree(prepared, data)
            np.save(data / "weights.npy", np.linspace(0.2, 1, 8, dtype=np.float32))
        torch.manual_seed(0)
        loop.save_weights(tmp_path / name / "init.safetensors", build_network(SMALL), 1)
        return tmp_path / name

    return make


@pytest.mark.landmarks
def test_two_processes_have_the_losses_of_one_with_the_doubled_batch(data, run_folder):
    """To rounding; in mixed precision, about so."""
    one, two = run_folder("one"), run_folder("two")
    in_processes(1, _train, data, one, 4)
    in_processes(2, _train, data, two, 2)
    for stage in (1, 2, 3):
        assert torch.allclose(losses_of(one, stage), losses_of(two, stage), rtol=1e-4), stage
    assert torch.allclose(losses_of(one / "mixed", 3), losses_of(two / "mixed", 3), rtol=0.03)


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


def _train_undisturbed(joined, data, run):
    with joined as (processes, device):
        folder = RunFolder(run, init=run / "init.safetensors")
        config = settings(3, 3, batch_size=2, lr=RATES[3])
        loop.train(config, data, folder, device, Silent(), processes)


def _train_by_command(data, run):
    """As torchrun starts it; the second process is killed in the second epoch, at its first start."""

    def die(self, epoch, *_):
        if epoch == 2:
            os.kill(os.getpid(), signal.SIGKILL)

    arguments = ["train", data, "--run", run, "--stage", "3", "--init", run / "init.safetensors", "--device", "cpu"]
    with pytest.MonkeyPatch.context() as patch:
        let_the_command_train_small(patch)
        if (os.environ["RANK"], os.environ["TORCHELASTIC_RESTART_COUNT"]) == ("1", "0"):
            patch.setattr(ProgressObserver, "stepped", die)
        return main([str(word) for word in (*arguments, "--epochs", 3, "--batch-size", 2)])


@pytest.mark.landmarks
def test_a_killed_worker_comes_back_and_the_weights_are_those_of_an_undisturbed_run(
    data, run_folder, tmp_path, monkeypatch
):
    monkeypatch.setenv("TORCHELASTIC_SIGNALS_TO_HANDLE", "")  # which the launcher sets
    disturbed, undisturbed = run_folder("disturbed"), run_folder("undisturbed")
    in_processes(2, _train_undisturbed, data, undisturbed)
    options = ["--nproc-per-node", "2", "--max-restarts", "1"]
    assert launched(tmp_path / "logs", options, _train_by_command, data, disturbed) == {0}
    out, err = (
        "".join(path.read_text() for path in (tmp_path / "logs").rglob(f"{name}.log")) for name in ("stdout", "stderr")
    )
    assert out == f"{disturbed / 'stage-3' / 'best.safetensors'}\n"
    assert err.count("stage 3, 3 epochs, on 2 processes") == 2
    assert [err.count(f"epoch {epoch}/3: validation") for epoch in (1, 2, 3)] == [1, 1, 1]
    found, expected = (load_checkpoint(run / "stage-3" / "last.pt") for run in (disturbed, undisturbed))
    assert found["epoch"] == expected["epoch"] == 3
    for name, tensor in expected["network"].items():
        assert torch.equal(found["network"][name], tensor), name
