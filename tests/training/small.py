"""Trainings that take seconds."""

from dataclasses import replace

import pytest
import torch

from symface_cli.network.architecture import Architecture
from symface_cli.training import loop
from symface_cli.training.config import TrainingConfig
from tests.small import SMALL

CPU = torch.device("cpu")


class Silent:
    """An observer that only remembers, and may interrupt."""

    def __init__(self, stop_after: int = 0) -> None:
        self.rows: list[dict[str, float]] = []
        self.notes: list[str] = []
        self.stop_after = stop_after

    def noted(self, message):
        self.notes.append(message)

    def prepared(self, done, total):
        pass

    def stepped(self, epoch, step, steps, rate, losses):
        if self.stop_after and epoch > self.stop_after:
            raise KeyboardInterrupt

    def finished_epoch(self, row):
        self.rows.append(row)


def settings(stage, epochs=1, architecture=SMALL, **changes):
    values = {"batch_size": 3, "lr": 1e-3, "seed": 0, **changes}
    return TrainingConfig(stage=stage, architecture=architecture, epochs=epochs, **values)


def list_losses(rows: list[dict[str, float]]) -> bytes:
    """What a training writes instead of its curves."""
    return repr(rows).encode()


def let_the_command_train_small(patch: pytest.MonkeyPatch) -> None:
    """Has `symface train`, which asks for symface's own network, train a small one."""
    train = loop.train

    def train_small(config, *arguments):
        assert config.architecture == Architecture()
        return train(replace(config, architecture=SMALL), *arguments)

    patch.setattr(loop, "train", train_small)
