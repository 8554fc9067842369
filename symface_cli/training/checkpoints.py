"""Checkpoints: everything that a stopped training needs to go on as if it had not been stopped."""

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict, cast

import torch
from torch import Tensor, nn

from symface_cli.errors import DataError, Hint
from symface_cli.network.face_network import FaceNetwork
from symface_cli.training.averaging import RunningMean
from symface_cli.training.config import Settings
from symface_cli.training.data.sources import Sources
from symface_cli.training.distributed import Processes
from symface_cli.training.randomness import ShardedRandom
from symface_cli.writing import write_file

CHECKPOINT_FORMAT = 5  # raised when checkpoints of older versions cannot be resumed any more


class CheckpointState(TypedDict):
    """What a checkpoint holds: tensors and plain values.

    Attributes:
        format: CHECKPOINT_FORMAT.
        config: The configuration, and the number of processes.
        sources: The files that are learned from.
        launch: What torchrun called its launch.
        network: Tensors by name.
        mean: Those of the network's running mean.
        mean_steps: How many steps it has followed.
        optimizer: The optimizer's own state.
        schedule: The schedule's own state.
        order: State of the generator of the data order.
        random: State of the generator of augmentation and sampling.
        epoch: Epochs done.
        best: Lowest validation loss so far.
        rows: One row of losses per epoch.
    """

    format: int
    config: Settings
    sources: Sources
    launch: str
    network: dict[str, Tensor]
    mean: dict[str, Tensor]
    mean_steps: int
    optimizer: dict[str, Any]
    schedule: dict[str, Any]
    order: Tensor
    random: Tensor
    epoch: int
    best: float
    rows: list[dict[str, float]]


@dataclass(kw_only=True)
class Training:
    """The moving parts of a training.

    Attributes:
        network: What is trained.
        mean: Its running mean, which is validated and kept.
        learner: The network with what it learns; gives losses whose gradients are those of all processes.
        optimizer: Changes the weights.
        schedule: Changes the optimizer's learning rate.
        order: Of the training photos.
        random: Of augmentation and sampling; the same state in all processes, as that of `order`.
        processes: Those that train together.
        epoch: Epochs done.
        best: Lowest validation loss so far.
        rows: One row of losses per epoch.
    """

    network: FaceNetwork
    mean: RunningMean
    learner: nn.Module
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    order: torch.Generator
    random: ShardedRandom
    processes: Processes
    epoch: int = 0
    best: float = float("inf")
    rows: list[dict[str, float]] = field(default_factory=list)

    def state(self, config: Settings, sources: Sources) -> CheckpointState:
        """Return everything as tensors and plain values."""
        return {
            "format": CHECKPOINT_FORMAT,
            "config": config,
            "sources": sources,
            "launch": self.processes.launch,
            "network": self.network.state_dict(),
            "mean": self.mean.network.state_dict(),
            "mean_steps": self.mean.steps,
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "order": self.order.get_state(),
            "random": self.random.generator.get_state(),
            "epoch": self.epoch,
            "best": self.best,
            "rows": self.rows,
        }

    def restore(self, state: CheckpointState) -> None:
        """Take over what `state` returned."""
        self.network.load_state_dict(state["network"])
        self.mean.network.load_state_dict(state["mean"])
        self.mean.steps = state["mean_steps"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.order.set_state(state["order"].cpu())
        self.random.generator.set_state(state["random"].cpu())
        self.epoch, self.best, self.rows = state["epoch"], state["best"], state["rows"]


def save_checkpoint(path: Path, state: CheckpointState) -> None:
    """Write a checkpoint; a kill at any moment leaves the old one or the new one."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    write_file(path, buffer.getvalue(), replace=True)


def load_checkpoint(path: Path) -> CheckpointState:
    """Read a checkpoint onto the CPU.

    Raises:
        DataError: If the file is missing, damaged or of another version.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such checkpoint", Hint.START_ANEW)
    try:
        with path.open("rb") as file:  # of the names of files, PyTorch takes those alone that are UTF-8
            state = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file fails in as many ways as there are bytes
        raise DataError(f"{path}: damaged checkpoint ({type(error).__name__})", Hint.START_ANEW) from error
    if not isinstance(state, dict) or state.get("format") != CHECKPOINT_FORMAT:
        raise DataError(f"{path}: not a checkpoint of this version of symface", Hint.START_ANEW)
    return cast(CheckpointState, state)
