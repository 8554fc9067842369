"""Training: one stage, epoch after epoch, so that it can be stopped at any moment and resumed to the same result."""

import csv
import io
import json
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from symface_cli.architecture import Architecture
from symface_cli.device import keep_freed_memory, training_autocast
from symface_cli.errors import DataError, UsageError
from symface_cli.images import write_atomically
from symface_cli.training.augmentation import NONE, Augmentation, Batch
from symface_cli.training.checkpoints import Training, load_checkpoint, save_checkpoint
from symface_cli.training.initialisation import start_as_pca
from symface_cli.training.objectives import OBJECTIVES, left_halves
from symface_cli.training.preparation import prepare
from symface_cli.training.samples import Samples
from symface_cli.training.sheets import draw_sheet
from symface_cli.vae import Network, SymmetricFaceVAE, build_network, to_channels_last
from symface_cli.weights import load_weights, save_weights

EPOCHS = {1: 3, 2: 26, 3: 26}  # about 3, 40 and 40 minutes for LFW on two CPU cores
RATES = {1: 1e-3, 2: 2e-3, 3: 2e-3}  # highest learning rates
WARM_UP = 0.05  # share of the steps in which the learning rate rises
CLIP = 5.0  # largest norm of a part's gradient
LINEAR_RATE = 0.01  # learning rate of the linear path relative to the rest: it starts near its optimum
REPORT_EVERY = 10  # steps
SHEET_FACES = 12


@dataclass(frozen=True)
class TrainingConfig:
    """What a run does, apart from where its data and results lie.

    Attributes:
        stage: 1, 2 or 3.
        architecture: The network.
        epochs: Passes over the training split.
        batch_size: Crops per step.
        lr: Highest learning rate of the one-cycle schedule.
        seed: Of weights, data order, augmentation and sampling.
    """

    stage: int
    architecture: Architecture
    epochs: int
    batch_size: int
    lr: float
    seed: int

    def as_dict(self) -> dict[str, Any]:
        """The fields as JSON has them."""
        return {**vars(self), "architecture": self.architecture.as_dict()}


class Observer(Protocol):
    """What is told of a training while it runs."""

    def prepared(self, done: int, total: int) -> None:
        """`done` of `total` photos are prepared."""

    def stepped(self, epoch: int, step: int, steps: int, rate: float, losses: dict[str, float]) -> None:
        """`step` of `steps` of an epoch is done, at `rate` crops per second; `losses` are its means so far."""

    def finished_epoch(self, row: dict[str, float]) -> None:
        """An epoch is done; `row` holds its losses, as in the CSV."""


def train(
    config: TrainingConfig,
    data: Path,
    run: Path,
    device: torch.device,
    observer: Observer,
    init: Path | None = None,
    resume: bool = False,
) -> Path:
    """Trains one stage and writes `<run>/stage-<N>/`: config, losses, sheets, `last.pt`, `best.safetensors`.

    Stage N starts from stage N-1 of the same run, or from the weights `init`; stage 1 starts fresh if there are none.

    Returns:
        The path of the best weights.

    Raises:
        DataError: If the data set cannot be used, the stage before is missing, or there is nothing to resume.
        UsageError: If a resumed run was started with other settings, or a new one would overwrite one.
    """
    folder = run / f"stage-{config.stage}"
    state = _state_to_resume(folder, config, resume)
    keep_freed_memory()
    prepared = prepare(data, run / "data", labels=config.stage > 1, progress=observer.prepared)
    splits = {split: Samples(prepared, split, device) for split in ("train", "validation")}
    training = _start(config, splits["train"], _first_weights(config, run, init), device)
    if state is not None:
        training.restore(state)
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "config.json", json.dumps(config.as_dict(), indent=2).encode())
    while training.epoch < config.epochs:
        _run_epoch(training, config, splits, folder, observer)
    return folder / "best.safetensors"


def _state_to_resume(folder: Path, config: TrainingConfig, resume: bool) -> dict[str, Any] | None:
    last = folder / "last.pt"
    if not resume:
        if last.exists():
            raise UsageError(f"{last}: this stage was trained before; use --resume, or another --run")
        return None
    state = load_checkpoint(last)
    known = state["config"]
    for key, value in config.as_dict().items():
        if known.get(key) != value:
            raise UsageError(f"{last}: started with {key} {known.get(key)}, not {value}; resume with the same settings")
    return state


def _first_weights(config: TrainingConfig, run: Path, init: Path | None) -> Path | None:
    """Where a stage starts from: `init`, or the stage before; None for a fresh start."""
    if init is not None or config.stage == 1:
        return init
    before = run / f"stage-{config.stage - 1}" / "best.safetensors"
    if not before.is_file():
        raise DataError(f"{before}: stage {config.stage - 1} is missing; train it first, or give --init WEIGHTS")
    return before


def _start(config: TrainingConfig, samples: Samples, weights: Path | None, device: torch.device) -> Training:
    torch.manual_seed(config.seed)
    network = build_network(config.architecture) if weights is None else load_weights(weights).network
    if network.architecture != config.architecture:
        raise UsageError(f"{weights}: weights of another architecture; use those of this one")
    to_channels_last(network, device)
    random = torch.Generator(device).manual_seed(config.seed)
    if isinstance(network, SymmetricFaceVAE) and config.stage != 2:
        start_as_pca(network, _halves(network, samples, config, random))
    steps = max(len(samples) // config.batch_size, 1) * config.epochs
    optimiser = torch.optim.AdamW(_parameter_groups(network, config.lr), weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, [group["lr"] for group in optimiser.param_groups], total_steps=steps, pct_start=WARM_UP
    )
    order = torch.Generator().manual_seed(config.seed)
    return Training(network, optimiser, schedule, order, random)


def _parameter_groups(network: Network, lr: float) -> list[dict[str, Any]]:
    linear = [p for name, p in network.named_parameters() if ".linear." in name]
    others = [p for name, p in network.named_parameters() if ".linear." not in name]
    groups: list[dict[str, Any]] = [{"params": others, "lr": lr}]
    return [*groups, {"params": linear, "lr": lr * LINEAR_RATE}] if linear else groups


@torch.no_grad()
def _halves(network: SymmetricFaceVAE, samples: Samples, config: TrainingConfig, random: torch.Generator) -> Tensor:
    """The left halves of all training faces as the stage shows them to the encoder, for the PCA."""
    network.eval()
    order = np.arange(len(samples))
    batches = samples.batches(order, min(config.batch_size, len(samples)), NONE, random)
    return torch.cat([left_halves(network, batch, config.stage) for batch in batches])


def _run_epoch(
    training: Training, config: TrainingConfig, splits: dict[str, Samples], folder: Path, observer: Observer
) -> None:
    """One epoch with its validation, row of losses, sheet of pictures and checkpoint."""
    row = {"epoch": training.epoch + 1, "lr": training.optimiser.param_groups[0]["lr"]}
    row |= {f"train_{name}": value for name, value in _learn(training, config, splits["train"], observer).items()}
    row |= {
        f"validation_{name}": value for name, value in validate(training.network, config, splits["validation"]).items()
    }
    training.epoch += 1
    training.rows.append(row)
    if row["validation_total"] < training.best:
        training.best = row["validation_total"]
        save_weights(folder / "best.safetensors", training.network, config.stage)
    write_atomically(folder / "losses.csv", _as_csv(training.rows))
    sheet = draw_sheet(training.network, splits["validation"], config.stage, SHEET_FACES)
    write_atomically(folder / f"epoch-{training.epoch:03d}.png", sheet)
    save_checkpoint(folder / "last.pt", training.state(config.as_dict()))
    observer.finished_epoch(row)


def _learn(training: Training, config: TrainingConfig, samples: Samples, observer: Observer) -> dict[str, float]:
    """One pass over the training split; the mean losses."""
    training.network.train()
    objective = OBJECTIVES[config.architecture.kind, config.stage]
    order = torch.randperm(len(samples), generator=training.order).numpy()
    steps = max(len(samples) // config.batch_size, 1)
    began = time.monotonic()
    sums: dict[str, Tensor] = defaultdict(lambda: torch.zeros((), device=samples.device))
    for step, batch in enumerate(samples.batches(order, config.batch_size, Augmentation(), training.random), 1):
        with training_autocast(samples.device):
            losses = objective(training.network, channels_last(batch), training.random)
        training.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(losses["total"])
        for part in training.network.children():
            nn.utils.clip_grad_norm_(part.parameters(), CLIP)
        training.optimiser.step()
        training.schedule.step()
        for name, value in losses.items():
            sums[name] += value.detach()
        if step % REPORT_EVERY == 0 or step == steps:
            means = {name: value.item() / step for name, value in sums.items()}
            rate = step * len(batch.crop) / (time.monotonic() - began)
            observer.stepped(training.epoch + 1, step, steps, rate, means)
    return means


@torch.no_grad()
def validate(network: Network, config: TrainingConfig, samples: Samples) -> dict[str, float]:
    """Mean losses on unchanged crops, with z = mu."""
    network.eval()
    objective = OBJECTIVES[config.architecture.kind, config.stage]
    random = torch.Generator(samples.device).manual_seed(0)
    size = min(config.batch_size, len(samples))
    sums: dict[str, float] = defaultdict(float)
    count = 0
    for batch in samples.batches(np.arange(len(samples)), size, NONE, random):
        count += 1
        with training_autocast(samples.device):
            for name, value in objective(network, channels_last(batch), random).items():
                sums[name] += value.item()
    return {name: value / count for name, value in sums.items()}


def channels_last(batch: Batch) -> Batch:
    """The batch with its crops in the memory layout in which convolutions are fastest."""
    return batch._replace(crop=batch.crop.contiguous(memory_format=torch.channels_last))


def _as_csv(rows: list[dict[str, float]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: f"{value:.6g}" for key, value in row.items()} for row in rows)
    return text.getvalue().encode()
