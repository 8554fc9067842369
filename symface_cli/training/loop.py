"""Training: one stage, epoch after epoch, so that it can be stopped at any moment and resumed to the same result."""

import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, TypedDict

import numpy as np
import torch
from torch import Tensor, nn

from symface_cli.data.datasets import Dataset, survey
from symface_cli.errors import UsageError
from symface_cli.network.builder import build_network, to_channels_last
from symface_cli.network.device import limit_threads, mixed_precision
from symface_cli.network.face_network import FaceNetwork
from symface_cli.network.weights import load_weights, save_weights
from symface_cli.parallel.memory import keep_freed_memory
from symface_cli.training.averaging import RunningMean
from symface_cli.training.checkpoints import CheckpointState, Training, save_checkpoint
from symface_cli.training.config import OptimizerSettings, TrainingConfig
from symface_cli.training.data.augmentation import UNCHANGED, TrainingBatch
from symface_cli.training.data.labels import photos_to_label
from symface_cli.training.data.licenses import describe_licenses, read_licenses
from symface_cli.training.data.prepared.preparation import prepare
from symface_cli.training.data.samples import SplitSamples, refuse_missing_splits
from symface_cli.training.data.sources import Sources, find_sources
from symface_cli.training.distributed import Processes, mean_over_processes
from symface_cli.training.initialization import start_linear_path
from symface_cli.training.normalization import share_statistics
from symface_cli.training.objectives import Learner, Losses, objective_of
from symface_cli.training.pose import learn_pose
from symface_cli.training.randomness import ShardedRandom, seeded
from symface_cli.training.reports.curves import curves_are_possible, draw_curves
from symface_cli.training.reports.sheets import draw_sheet
from symface_cli.training.run_folder import RunFolder

REPORT_EVERY = 10  # steps
SHEET_FACES = 12
DENSE_LAYERS = ("localizer.coarse.1.", "localizer.fine.1.")
"""Names of the localizer's dense layers begin so."""
NO_CURVES = 'matplotlib is not installed: no losses.png is drawn; to have it, try: pip install "symface[train]"'

ALONE = Processes()

Splits = dict[str, SplitSamples]
"""The samples of the splits "train" and "validation"."""


class Observer(Protocol):
    """What is told of a training while it runs."""

    def noted(self, message: str) -> None:
        """Take note of something that a person should know; training goes on."""

    def prepared(self, done: int, total: int) -> None:
        """Take note that `done` of `total` photos are prepared."""

    def stepped(self, epoch: int, step: int, steps: int, rate: float, losses: dict[str, float]) -> None:
        """Take note of `step` of `steps` of an epoch, at `rate` crops per second; `losses` are its means so far."""

    def finished_epoch(self, row: dict[str, float]) -> None:
        """Take note of an epoch; `row` holds its losses, as in the CSV."""


class FirstNetwork(NamedTuple):
    """The network that a stage starts with.

    Attributes:
        network: The network.
        is_new: Whether its linear path has yet to learn the stage's faces.
        licenses: Those of what it has learned from, as in `Weights`.
    """

    network: FaceNetwork
    is_new: bool
    licenses: Sequence[str] = ()


def train(
    config: TrainingConfig,
    data: Path,
    run: RunFolder,
    device: torch.device,
    observer: Observer,
    processes: Processes = ALONE,
) -> Path:
    """Train one stage; write config, losses, pictures, `last.pt` and `best.safetensors` into the stage's folder.

    Stage N starts from stage N-1 of the same run, or from the weights that the run names; stage 1 starts fresh if there
    are none. `data` is a folder of photos, or an archive of one. All processes need the same files; the first one
    writes them.

    Returns:
        The path of the best weights.

    Raises:
        OutputError: If the files of the stage cannot be written.
        DataError: If the data set cannot be used, or is not that of the run that is resumed, the stage before is
            missing, or there is nothing to resume.
        UsageError: If a resumed run was started with other settings, a new one would overwrite one, or the weights to
            start from are of another architecture; if weights for every use are taught or started by what is not.
        WeightsError: If these weights cannot be used, or a network of the labels' teacher is needed and cannot be had.
    """
    if config.clean and config.stage > 1 and config.teacher != "mesh":
        raise UsageError(f"teacher {config.teacher}: it has learned from photos for research alone; use mesh")
    state, weights = run.state_to_resume(config, processes), run.first_weights(config.stage)
    first = first_network(config, weights)  # before the photos are prepared: they take long
    run.lend_temporary_folder()
    dataset = survey(data)
    for remark in dataset.remarks:
        observer.noted(remark)
    sources = _find_sources(dataset, run, config.stage, state)
    licenses = _find_licenses(sources, run, first.licenses, observer)
    limit_threads()
    keep_freed_memory()
    with processes.writer_first():
        run.stage(config.stage).prepare()
        teacher = config.teacher if config.stage > 1 else None
        prepared = prepare(dataset, run.data, teacher, observer.prepared, annotations=run.annotations)
    for remark in prepared.remarks:
        observer.noted(remark)
    splits = {split: SplitSamples(prepared, split, device) for split in ("train", "validation")}
    training = start(config, splits["train"], first, processes)
    if state is not None:
        training.restore(state)
    if processes.is_writer:
        _open_stage(config, run, observer, processes)
    while training.epoch < config.epochs:
        is_best = _run_epoch(training, config, splits, observer)
        if processes.is_writer:
            if is_best:
                _write_best(training, config, splits["train"], run, licenses)
            _write_epoch(training, config, splits["validation"], run)
            _write_checkpoint(training, config, sources, run)
        observer.finished_epoch(training.rows[-1])
    return run.stage(config.stage).best


def _find_sources(dataset: Dataset, run: RunFolder, stage: int, state: CheckpointState | None) -> Sources:
    """Look at the files that are learned from, whether they will do, before they are prepared for long.

    Raises:
        DataError: If a split has no photos, or the files are not those of the run that is resumed.
    """
    photos = photos_to_label(dataset)
    refuse_missing_splits(photos.values())
    sources = find_sources(photos, run.annotations, None if state is None else state["sources"])
    if state is not None:
        run.refuse_change(stage, state["sources"], sources)
    return sources


def _find_licenses(sources: Sources, run: RunFolder, first: Sequence[str], observer: Observer) -> list[str]:
    """Return the licenses of all that weights for every use learn from, now and before; none for others.

    Raises:
        DataError: If a photo has none, or one that does not permit every use.
    """
    if run.annotations.licenses is None:
        return []
    licenses = read_licenses(run.annotations.licenses, sources["photos"])
    observer.noted(describe_licenses(licenses))
    return sorted({*licenses.values(), *first})


def _open_stage(config: TrainingConfig, run: RunFolder, observer: Observer, processes: Processes) -> None:
    """Begin the stage's folder, and say once what cannot be written into it."""
    run.stage(config.stage).open(config.settings(processes.world))
    if not curves_are_possible():
        observer.noted(NO_CURVES)


def start(config: TrainingConfig, samples: SplitSamples, first: FirstNetwork, processes: Processes = ALONE) -> Training:
    """Return a training's moving parts before its first step, on the samples' device."""
    device = samples.device
    network, is_new = first.network, first.is_new
    share_statistics(network, processes)
    to_channels_last(network, device)
    if is_new and processes.is_writer:
        start_linear_path(network, samples, config.stage, config.losses.pixel_deviation)
    learner = processes.share_gradients(Learner(network, config.stage, config.losses))
    steps = samples.steps(config.batch_size, processes.world) * config.epochs
    optimizer, schedule = _optimizer_of(network, config.lr, steps, config.optimizer)
    return Training(
        network=network,
        mean=RunningMean(network, config.optimizer.averaging),
        learner=learner,
        optimizer=optimizer,
        schedule=schedule,
        order=torch.Generator().manual_seed(config.seed),
        random=ShardedRandom(torch.Generator(device).manual_seed(config.seed), processes.rank, processes.world),
        processes=processes,
    )


def first_network(config: TrainingConfig, weights: Path | None) -> FirstNetwork:
    """Return the network that a stage starts with: of these weights, or a fresh one.

    Raises:
        WeightsError: If the weights cannot be used.
        UsageError: If they are of another architecture, or for research and the new ones are to be for every use.
    """
    if weights is None:
        with seeded(config.seed, torch.device("cpu")):
            return FirstNetwork(build_network(config.architecture), is_new=True)
    loaded = load_weights(weights)
    if loaded.network.architecture != config.architecture:
        raise UsageError(f"{weights}: weights of another architecture; use those of this one")
    if config.clean and not loaded.licenses:
        raise UsageError(f"{weights}: weights for research, or of unknown origin; start from some for every use")
    return FirstNetwork(loaded.network, loaded.stage != config.stage, loaded.licenses)


def _optimizer_of(
    network: FaceNetwork, lr: float, steps: int, settings: OptimizerSettings
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """Return an optimizer for a number of steps, and its schedule; some layers have learning rates of their own."""
    groups = parameter_groups(network, lr, settings)
    rates = [group["lr"] for group in groups]
    optimizer = torch.optim.AdamW([dict(group) for group in groups], weight_decay=settings.weight_decay, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rates, total_steps=steps, pct_start=settings.warm_up)
    return optimizer, schedule


class ParameterGroup(TypedDict):
    """Parameters with one learning rate."""

    params: list[nn.Parameter]
    lr: float


def parameter_groups(network: nn.Module, lr: float, settings: OptimizerSettings) -> list[ParameterGroup]:
    """Group a network's parameters by their highest learning rates: the rest, the linear path, dense layers."""
    rest = ParameterGroup(params=[], lr=lr)
    linear = ParameterGroup(params=[], lr=lr * settings.linear_rate)
    dense = ParameterGroup(params=[], lr=lr * settings.dense_rate)
    for name, parameter in network.named_parameters():
        group = linear if ".linear." in name else dense if name.startswith(DENSE_LAYERS) else rest
        group["params"].append(parameter)
    return [group for group in (rest, linear, dense) if group["params"]]


def _run_epoch(training: Training, config: TrainingConfig, splits: Splits, observer: Observer) -> bool:
    """Train and validate for one epoch, and add its row of losses; return whether it is the best so far."""
    row = {"epoch": training.epoch + 1, "lr": training.optimizer.param_groups[0]["lr"]}
    losses = learn(training, config, splits["train"], observer)
    row |= {f"train_{name}": value for name, value in losses.items()}
    losses = validate(training.mean.network, config, splits["validation"], training.processes)
    row |= {f"validation_{name}": value for name, value in losses.items()}
    training.epoch += 1
    training.rows.append(row)
    is_best = row["validation_total"] < training.best
    if is_best:
        training.best = row["validation_total"]
    return bool(is_best)


def _write_best(
    training: Training, config: TrainingConfig, samples: SplitSamples, run: RunFolder, licenses: Sequence[str]
) -> None:
    """Write the weights of an epoch, with the pose field that belongs to them, of the training split's `samples`."""
    learn_pose(training.mean.network, samples, config.stage)
    save_weights(run.stage(config.stage).best, training.mean.network, config.stage, licenses)


def _write_epoch(training: Training, config: TrainingConfig, samples: SplitSamples, run: RunFolder) -> None:
    """Write the reports of an epoch, with faces of the validation split's `samples`."""
    folder = run.stage(config.stage)
    folder.write_losses(training.rows, draw_curves(training.rows) if curves_are_possible() else None)
    sheet = draw_sheet(training.mean.network, samples, config, SHEET_FACES)
    folder.write_sheet(training.epoch, sheet)
    if run.log is not None:
        run.log.add(training.rows[-1], sheet)


def _write_checkpoint(training: Training, config: TrainingConfig, sources: Sources, run: RunFolder) -> None:
    """Write the last file of an epoch: a run killed before does the epoch, and writes its files, again."""
    state = training.state(config.settings(training.processes.world), sources)
    save_checkpoint(run.stage(config.stage).last, state)


def learn(training: Training, config: TrainingConfig, samples: SplitSamples, observer: Observer) -> dict[str, float]:
    """Go through the training split once; return the mean losses."""
    training.network.train()
    order = torch.randperm(len(samples), generator=training.order).numpy()
    steps = samples.steps(config.batch_size, training.processes.world)
    began = time.monotonic()
    sums: Losses = defaultdict(lambda: torch.zeros((), device=samples.device))
    for step, batch in enumerate(samples.batches(order, config.batch_size, config.augmentation, training.random), 1):
        for name, value in take_step(training, batch, config.optimizer.clip).items():
            sums[name] += value
        if step % REPORT_EVERY == 0 or step == steps:
            means = _means(sums, step)
            rate = step * len(batch.crop) * training.processes.world / (time.monotonic() - began)
            observer.stepped(training.epoch + 1, step, steps, rate, means)
    return means


def take_step(training: Training, batch: TrainingBatch, clip: float) -> Losses:
    """Change the weights by the gradients of a batch; return its losses."""
    with mixed_precision(batch.crop.device):
        losses: Losses = training.learner(batch, training.random)
    training.optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(losses["total"])
    clip_gradients(training.network, clip)
    training.optimizer.step()
    training.network.keep_mirrored()
    training.mean.update(training.network)
    training.schedule.step()
    return {name: value.detach() for name, value in losses.items()}


def clip_gradients(network: nn.Module, largest: float) -> None:
    """Shorten the gradient of each of a network's parts to a largest norm."""
    for part in network.children():
        nn.utils.clip_grad_norm_(part.parameters(), largest)


@torch.no_grad()
def validate(
    network: FaceNetwork, config: TrainingConfig, samples: SplitSamples, processes: Processes = ALONE
) -> dict[str, float]:
    """Return the mean losses on unchanged crops, with z = mu."""
    network.eval()
    steps = samples.steps(config.batch_size, processes.world)
    objective = objective_of(network, config.stage, config.losses)
    random = ShardedRandom(torch.Generator(samples.device).manual_seed(0), processes.rank, processes.world)
    sums: Losses = defaultdict(lambda: torch.zeros((), device=samples.device))
    for batch in samples.batches(np.arange(len(samples)), config.batch_size, UNCHANGED, random):
        with mixed_precision(samples.device):
            for name, value in objective(batch, random).items():
                sums[name] += value
    return _means(sums, steps)


def _means(sums: dict[str, Tensor], steps: int) -> dict[str, float]:
    """Return the mean over all processes and a number of steps."""
    values = mean_over_processes(torch.stack(list(sums.values()))).tolist()
    return {name: value / steps for name, value in zip(sums, values, strict=True)}
