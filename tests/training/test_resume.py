"""A training that was killed goes on as if it had not been."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from symface_cli.data.datasets import survey
from symface_cli.training.checkpoints import load_checkpoint
from symface_cli.training.data import preparation

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture
def start(data, tmp_path):
    """Starts a process that trains stage 1 in the folder `tmp_path / name` for three epochs of three steps."""
    preparation.prepare(survey(data), tmp_path / "data", None, lambda done, total: None, workers=1)

    def start(name, *options):
        if not (tmp_path / name).exists():
            shutil.copytree(tmp_path / "data", tmp_path / name / "data")
        command = [sys.executable, "-m", "symface_cli", "train", "--stage", "1", data, "--run", tmp_path / name]
        settings = ["--epochs", "3", "--batch-size", "2", "--device", "cpu"]
        alone = {**os.environ, "OMP_NUM_THREADS": "1"}
        return subprocess.Popen([*command, *settings, *options], stdout=subprocess.DEVNULL, env=alone)

    return start


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


def test_a_run_killed_in_an_epoch_and_resumed_equals_an_uninterrupted_one(start, tmp_path):
    """Every file does, and nothing half-written stays."""
    straight, stopped = start("straight"), start("stopped")
    folder = tmp_path / "stopped" / "stage-1"
    while not (folder / "last.pt").exists():
        assert stopped.poll() is None
        time.sleep(0.02)
    time.sleep(0.3)
    stopped.kill()
    stopped.wait()
    assert load_checkpoint(folder / "last.pt")["epoch"] < 3
    (folder / ".symface-0123456789abcdef").write_bytes(b"half of a chec")  # as by a kill while it is written
    assert start("stopped", "--resume").wait() == 0
    assert straight.wait() == 0
    expected, found = (contents_of(tmp_path / name / "stage-1") for name in ("straight", "stopped"))
    assert found.keys() == expected.keys() > {"best.safetensors", "last.pt", "losses.csv", "epoch-003.png"}
    assert [name for name in expected if found[name] != expected[name]] == []
