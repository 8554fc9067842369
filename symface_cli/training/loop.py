"""Training: one stage, epoch after epoch, so that it can be stopped at any moment and resumed to the same result."""

import csv
import io
import json
import math
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from symface_cli.errors import DataError, Hint, UsageError
from symface_cli.files import write_atomically
from symface_cli.network.architecture import Architecture
from symface_cli.network.builder import build_network, to_channels_last
from symface_cli.network.device import keep_freed_memory, mixed_precision
from symface_cli.network.face_network import FaceNetwork
from symface_cli.network.vae import SymmetricFaceVAE
from symface_cli.network.weights import load_weights, save_weights
from symface_cli.training.checkpoints import Training, load_checkpoint, save_checkpoint
from symface_cli.training.curves import draw_curves
from symface_cli.training.data.augmentation import NONE, Augmentation, make_batch
from symface_cli.training.data.preparation import prepare
from symface_cli.training.data.samples import Samples
from symface_cli.training.distributed import Processes, mean_over_processes
from symface_cli.training.initialization import start_as_pca
from symface_cli.training.normalization import share_statistics
from symface_cli.training.objectives import OBJECTIVES, Learner, left_halves
from symface_cli.training.randomness import ShardedRandom
from symface_cli.training.sheets import draw_sheet
from symface_cli.training.tensorboard import TensorBoardLog

EPOCHS = {1: 2, 2: 15, 3: 30}  # for LFW: 3, 29 and 54 minutes on one CPU core of two
RATES = {1: 1e-3, 2: 2e-3, 3: 1.2e-3}  # highest learning rates
WARM_UP = 0.05  # share of the steps in which the learning rate rises
CLIP = 5.0  # largest norm of a part's gradient
LINEAR_RATE = 0.01  # learning rate of the linear path relative to the rest: it starts near its optimum
REPORT_EVERY = 10  # steps
SHEET_FACES = 12
FACES_AT_ONCE = 64  # for the PCA
LEFTOVERS = ".symface-*"  # of write_atomically, from a process that was killed in it

ALONE = Processes()


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
    labels: Path | None = None,
    processes: Processes = ALONE,
    log: TensorBoardLog | None = None,
) -> Path:
    """Trains one stage and writes `<run>/stage-<N>/`: config, losses, pictures, `last.pt`, `best.safetensors`.

    Stage N starts from stage N-1 of the same run, or from the weights `init`; stage 1 starts fresh if there are none.
    All processes need the same files; the first one writes them.

    Returns:
        The path of the best weights.

    Raises:
        DataError: If the data set cannot be used, the stage before is missing, or there is nothing to resume.
        UsageError: If a resumed run was started with other settings, or a new one would overwrite one.
    """
    folder = run / f"stage-{config.stage}"
    settings = {**config.as_dict(), "processes": processes.world}
    state = _state_to_resume(folder / "last.pt", settings, resume, processes)
    keep_freed_memory()
    with processes.writer_first():
        prepared = prepare(data, run / "data", config.stage > 1, observer.prepared, labels=labels)
    splits = {split: Samples(prepared, split, device) for split in ("train", "validation")}
    training = start(config, splits["train"], _first_weights(config, run, init), device, processes)
    if state is not None:
        training.restore(state)
    if processes.is_writer:
        _open_folder(folder, settings)
    while training.epoch < config.epochs:
        row, is_best = _run_epoch(training, config, splits, observer)
        if processes.is_writer:
            _write_epoch(training, settings, splits["validation"], folder, is_best, log)
        observer.finished_epoch(row)
    return folder / "best.safetensors"


def _state_to_resume(last: Path, settings: dict[str, Any], resume: bool, processes: Processes) -> dict[str, Any] | None:
    """The checkpoint to go on from, None for a fresh start; processes that were restarted go on from their own."""
    if not resume and not last.exists():
        return None
    state = load_checkpoint(last) if resume or processes.resumes else {}
    if not resume and state.get("launch") != processes.launch:
        raise UsageError(f"{last}: this stage was trained before", Hint.RESUME)
    known = state["config"]
    for key, value in settings.items():
        if known.get(key) != value:
            raise UsageError(f"{last}: started with {key} {known.get(key)}, not {value}; resume with the same settings")
    return state


def _open_folder(folder: Path, settings: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in folder.glob(LEFTOVERS):
        leftover.unlink()
    write_atomically(folder / "config.json", json.dumps(settings, indent=2).encode())


def _first_weights(config: TrainingConfig, run: Path, init: Path | None) -> Path | None:
    """Where a stage starts from: `init`, or the stage before; None for a fresh start."""
    if init is not None or config.stage == 1:
        return init
    before = run / f"stage-{config.stage - 1}" / "best.safetensors"
    if not before.is_file():
        raise DataError(f"{before}: stage {config.stage - 1} is missing; train it first", Hint.FIRST_WEIGHTS)
    return before


def start(
    config: TrainingConfig,
    samples: Samples,
    weights: Path | None,
    device: torch.device,
    processes: Processes = ALONE,
) -> Training:
    """A training's moving parts before its first step, from weights or fresh.

    Raises:
        UsageError: If the weights are of another architecture.
    """
    torch.manual_seed(config.seed)
    known = None if weights is None else load_weights(weights)
    network = build_network(config.architecture) if known is None else known.network
    if network.architecture != config.architecture:
        raise UsageError(f"{weights}: weights of another architecture; use those of this one")
    share_statistics(network, processes)
    to_channels_last(network, device)
    is_new = known is None or known.stage != config.stage  # else its linear path has learned this stage's faces
    if isinstance(network, SymmetricFaceVAE) and config.stage != 2 and is_new and processes.is_writer:
        start_as_pca(network, _halves(network, samples, config.stage))
    learner = processes.share_gradients(Learner(network, config.stage))
    steps = samples.steps(config.batch_size, processes.world) * config.epochs
    optimizer = torch.optim.AdamW(_parameter_groups(network, config.lr), weight_decay=1e-2, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, [group["lr"] for group in optimizer.param_groups], total_steps=steps, pct_start=WARM_UP
    )
    order = torch.Generator().manual_seed(config.seed)
    random = ShardedRandom(torch.Generator(device).manual_seed(config.seed), processes.rank, processes.world)
    return Training(network, learner, optimizer, schedule, order, random, processes)


def _parameter_groups(network: FaceNetwork, lr: float) -> list[dict[str, Any]]:
    linear = [p for name, p in network.named_parameters() if ".linear." in name]
    others = [p for name, p in network.named_parameters() if ".linear." not in name]
    groups: list[dict[str, Any]] = [{"params": others, "lr": lr}]
    return [*groups, {"params": linear, "lr": lr * LINEAR_RATE}] if linear else groups


@torch.no_grad()
def _halves(network: SymmetricFaceVAE, samples: Samples, stage: int) -> Tensor:
    """The left halves of all training faces as the stage shows them to the encoder, for the PCA."""
    network.eval()
    random = ShardedRandom(torch.Generator(samples.device))  # nothing is random without augmentation
    parts = np.array_split(np.arange(len(samples)), math.ceil(len(samples) / FACES_AT_ONCE))
    batches = (make_batch(samples.take(part), NONE, random) for part in parts)
    return torch.cat([left_halves(network, batch, stage) for batch in batches])


def _run_epoch(
    training: Training, config: TrainingConfig, splits: dict[str, Samples], observer: Observer
) -> tuple[dict[str, float], bool]:
    """One epoch with its validation; its row of losses, and whether it is the best so far."""
    row = {"epoch": training.epoch + 1, "lr": training.optimizer.param_groups[0]["lr"]}
    losses = learn(training, config, splits["train"], observer)
    row |= {f"train_{name}": value for name, value in losses.items()}
    losses = validate(training.network, config, splits["validation"], training.processes)
    row |= {f"validation_{name}": value for name, value in losses.items()}
    training.epoch += 1
    training.rows.append(row)
    is_best = row["validation_total"] < training.best
    if is_best:
        training.best = row["validation_total"]
    return row, is_best


def _write_epoch(
    training: Training,
    settings: dict[str, Any],
    samples: Samples,
    folder: Path,
    is_best: bool,
    log: TensorBoardLog | None,
) -> None:
    """The files of an epoch. The checkpoint is the last: a run killed before does the epoch, and writes it, again."""
    stage = settings["stage"]
    if is_best:
        save_weights(folder / "best.safetensors", training.network, stage)
    write_atomically(folder / "losses.csv", _as_csv(training.rows))
    write_atomically(folder / "losses.png", draw_curves(training.rows))
    sheet = draw_sheet(training.network, samples, stage, SHEET_FACES)
    write_atomically(folder / f"epoch-{training.epoch:03d}.png", sheet)
    if log is not None:
        log.add(training.rows[-1], sheet)
    save_checkpoint(folder / "last.pt", training.state(settings))


def learn(training: Training, config: TrainingConfig, samples: Samples, observer: Observer) -> dict[str, float]:
    """One pass over the training split; the mean losses."""
    training.network.train()
    order = torch.randperm(len(samples), generator=training.order).numpy()
    steps = samples.steps(config.batch_size, training.processes.world)
    began = time.monotonic()
    sums: dict[str, Tensor] = defaultdict(lambda: torch.zeros((), device=samples.device))
    for step, batch in enumerate(samples.batches(order, config.batch_size, Augmentation(), training.random), 1):
        with mixed_precision(samples.device):
            losses = training.learner(batch, training.random)
        training.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(losses["total"])
        for part in training.network.children():
            nn.utils.clip_grad_norm_(part.parameters(), CLIP)
        training.optimizer.step()
        training.schedule.step()
        for name, value in losses.items():
            sums[name] += value.detach()
        if step % REPORT_EVERY == 0 or step == steps:
            means = _means(sums, step)
            rate = step * len(batch.crop) * training.processes.world / (time.monotonic() - began)
            observer.stepped(training.epoch + 1, step, steps, rate, means)
    return means


@torch.no_grad()
def validate(
    network: FaceNetwork, config: TrainingConfig, samples: Samples, processes: Processes = ALONE
) -> dict[str, float]:
    """Mean losses on unchanged crops, with z = mu."""
    network.eval()
    steps = samples.steps(config.batch_size, processes.world)
    objective = OBJECTIVES[config.architecture.kind, config.stage]
    random = ShardedRandom(torch.Generator(samples.device).manual_seed(0), processes.rank, processes.world)
    sums: dict[str, Tensor] = defaultdict(lambda: torch.zeros((), device=samples.device))
    for batch in samples.batches(np.arange(len(samples)), config.batch_size, NONE, random):
        with mixed_precision(samples.device):
            for name, value in objective(network, batch, random).items():
                sums[name] += value
    return _means(sums, steps)


def _means(sums: dict[str, Tensor], steps: int) -> dict[str, float]:
    """The sums of all processes, by the number of steps."""
    values = mean_over_processes(torch.stack(list(sums.values()))).tolist()
    return {name: value / steps for name, value in zip(sums, values, strict=True)}


def _as_csv(rows: list[dict[str, float]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: f"{value:.6g}" for key, value in row.items()} for row in rows)
    return text.getvalue().encode()
