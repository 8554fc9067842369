"""A training that was killed goes on as if it had not been."""

import os
import shutil
import signal

import pytest
import torch

from symface_cli.training import loop
from symface_cli.training.checkpoints import load_checkpoint
from symface_cli.training.run_folder import RunFolder
from tests.training.processes import in_process
from tests.training.small import CPU, Silent, let_the_command_train_small, settings

pytestmark = pytest.mark.slow

CONFIG = settings(1, 3, batch_size=2)  # three epochs of three steps


class Deadly(Silent):
    """Kills the process in the second epoch, after its second step."""

    def stepped(self, epoch, step, *_):
        if (epoch, step) == (2, 2):
            os.kill(os.getpid(), signal.SIGKILL)


def train_until_killed(data, run):
    loop.REPORT_EVERY = 1
    loop.train(CONFIG, data, run, CPU, Deadly())


def contents_of(folder):
    """The bytes of each file; of the checkpoint, those of each tensor: pickle writes the same thing in many ways."""
    contents = {path.name: path.read_bytes() for path in folder.iterdir()}
    return {**contents, "last.pt": as_bytes(load_checkpoint(folder / "last.pt"))}


def as_bytes(value):
    if isinstance(value, dict):
        return {key: as_bytes(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [as_bytes(part) for part in value]
    return value.numpy().tobytes() if isinstance(value, torch.Tensor) else value


def test_a_run_killed_in_an_epoch_and_resumed_equals_an_uninterrupted_one(
    symface, data, prepared, tmp_path, monkeypatch
):
    """Every file does, and nothing half-written stays."""
    straight, stopped = (RunFolder(tmp_path / name) for name in ("straight", "stopped"))
    for run in (straight, stopped):
        shutil.copytree(prepared, run.data)
    assert in_process(train_until_killed, data, stopped) == -signal.SIGKILL
    folder = stopped.stage(1).path
    assert load_checkpoint(folder / "last.pt")["epoch"] == 1
    (folder / ".symface-0123456789abcdef").write_bytes(b"half of a chec")  # as by a kill while it is written
    loop.train(CONFIG, data, straight, CPU, Silent())
    let_the_command_train_small(monkeypatch)
    options = ("--epochs", 3, "--batch-size", 2, "--device", "cpu", "--resume")
    assert symface("train", "--stage", 1, data, "--run", stopped.path, *options).status == 0
    expected, found = (contents_of(run.stage(1).path) for run in (straight, stopped))
    assert found.keys() == expected.keys() > {"best.safetensors", "last.pt", "losses.csv", "epoch-003.png"}
    assert [name for name in expected if found[name] != expected[name]] == []
