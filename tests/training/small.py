"""Trainings that take seconds."""

import torch

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
