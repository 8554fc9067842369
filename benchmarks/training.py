"""How fast stage 3 trains, beside a bare loop over the same network: forward, loss, backward, optimizer step.

    python benchmarks/training.py DATA --run DIR [--steps N] [--rounds N] [--batch-size N] [--device NAME] [--cpu-time]

symface's loop goes through its epoch as in `symface train`: samples of the prepared folder (`DIR/data`, made if it is
not there), augmentation, objective, clipping, optimizer, running means. The bare loop has one batch, ready made. Both
take turns, so that the ratio holds on a noisy machine. Neither depends on weights: the network is a fresh one.
"""

import argparse
import dataclasses
import resource
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import nn

from symface_cli.data.datasets import survey
from symface_cli.network.architecture import Architecture
from symface_cli.network.device import choose_device, mixed_precision
from symface_cli.parallel.memory import keep_freed_memory
from symface_cli.training import loop
from symface_cli.training.averaging import FIRST
from symface_cli.training.checkpoints import Training
from symface_cli.training.config import TrainingConfig
from symface_cli.training.data.augmentation import TrainingBatch, make_batch
from symface_cli.training.data.prepared.preparation import prepare
from symface_cli.training.data.samples import SplitSamples
from symface_cli.training.loop import clip_gradients
from symface_cli.training.objectives import Losses

STAGE = 3
RATE = 1e-5  # learning rate: the network stays where it is
DATA_PATH = ("taking samples", "augmentation")
PARTS = (*DATA_PATH, "localizer", "autoencoder, losses", "backward", "optimizer")


class Silent:
    """An observer that shows nothing."""

    def noted(self, message: str) -> None:
        """Do nothing."""

    def prepared(self, done: int, total: int) -> None:
        """Do nothing."""

    def stepped(self, epoch: int, step: int, steps: int, rate: float, losses: dict[str, float]) -> None:
        """Do nothing."""

    def finished_epoch(self, row: dict[str, float]) -> None:
        """Do nothing."""


class Bench:
    """A stage-3 training of so many steps per epoch, and one ready batch of it."""

    def __init__(self, data: Path, run: Path, config: TrainingConfig, steps: int, device: torch.device) -> None:
        self.clock: Callable[[], float] = time.perf_counter
        prepared = prepare(survey(data), run / "data", "dlib", lambda done, total: None)
        rows = np.flatnonzero(prepared.splits == "train")[: steps * config.batch_size]
        splits = np.full(len(prepared.splits), "unused")
        splits[rows] = "train"
        self.config, self.device = config, device
        self.samples = SplitSamples(dataclasses.replace(prepared, splits=splits), "train", device)
        self.steps = len(self.samples) // config.batch_size
        self.training: Training = loop.start(config, self.samples, loop.first_network(config, None))
        self.training.network.train()
        self.training.mean.steps = FIRST  # as in most of a training

    def learn(self) -> None:
        """Go through an epoch of symface's own loop."""
        loop.learn(self.training, self.config, self.samples, Silent())

    def learn_bare(self, batch: TrainingBatch) -> None:
        """Make as many steps on one batch, and do nothing else."""
        for _ in range(self.steps):
            losses = self.losses(batch)
            self.training.optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(losses["total"])
            self.training.optimizer.step()

    def losses(self, batch: TrainingBatch) -> Losses:
        """Return the losses of the stage's objective."""
        with mixed_precision(self.device):
            losses: Losses = self.training.learner(batch, self.training.random)
            return losses

    def rate_of(self, task: Callable[[], object]) -> float:
        """Return the crops per second of a task that goes through an epoch."""
        self.wait()
        began = self.clock()
        task()
        self.wait()
        return self.steps * self.config.batch_size / (self.clock() - began)

    def wait(self) -> None:
        """Wait until the device has done what it was told."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


class Clock:
    """Seconds that parts of a step take, each with the device's work that it started."""

    def __init__(self, bench: Bench) -> None:
        self._wait = bench.wait
        self._began = 0.0
        self.seconds: dict[str, list[float]] = defaultdict(list)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Measure what is done inside."""
        self._wait()
        began = time.perf_counter()
        yield
        self._wait()
        self.seconds[name].append(time.perf_counter() - began)

    def watch(self, module: nn.Module, name: str) -> None:
        """Measure the module's forward passes."""

        def begin(*_: object) -> None:
            self._wait()
            self._began = time.perf_counter()

        def end(*_: object) -> None:
            self._wait()
            self.seconds[name].append(time.perf_counter() - self._began)

        module.register_forward_pre_hook(begin)
        module.register_forward_hook(end)


def measure_parts(bench: Bench, steps: int) -> dict[str, float]:
    """Return the median seconds of each part of a step, the device waited for after each; the first step warms up."""
    clock = Clock(bench)
    training, size = bench.training, bench.config.batch_size
    clock.watch(training.network.get_submodule("localizer"), "localizer")
    order = torch.randperm(len(bench.samples), generator=training.order).numpy()
    for step in range(steps + 1):
        start = step % bench.steps * size
        with clock.part("taking samples"):
            stored = bench.samples.take(order[start : start + size])
        with clock.part("augmentation"):
            batch = make_batch(stored, bench.config.augmentation, training.random)
        with clock.part("forward"):
            losses = bench.losses(batch)
        with clock.part("backward"):
            training.optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(losses["total"])
        with clock.part("optimizer"):
            clip_gradients(training.network, bench.config.optimizer.clip)
            training.optimizer.step()
            training.mean.update(training.network)
    medians = {name: statistics.median(seconds[1:]) for name, seconds in clock.seconds.items()}
    medians["autoencoder, losses"] = medians["forward"] - medians["localizer"]
    return {name: medians[name] for name in PARTS}


def memory(device: torch.device) -> str:
    """Return the MiB of memory that this process has (Linux), and on a GPU those of its tensors."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    text = f"{pages * resource.getpagesize() / 2**20:.0f} MiB"
    if device.type == "cuda":
        text += f", {torch.cuda.memory_allocated(device) / 2**20:.0f} MiB on the GPU"
    return text


def compare(bench: Bench, rounds: int) -> None:
    """Print the rates of both loops in turn, and the memory after each round."""
    size = bench.config.batch_size
    batch = make_batch(bench.samples.take(np.arange(size)), bench.config.augmentation, bench.training.random)
    ours, bare = [], []
    bench.learn()  # warms up
    bench.learn_bare(batch)
    for number in range(1, rounds + 1):
        ours.append(bench.rate_of(bench.learn))
        bare.append(bench.rate_of(lambda: bench.learn_bare(batch)))
        print(
            f"round {number}: {ours[-1]:7.1f}, bare {bare[-1]:7.1f} crops/s; memory {memory(bench.device)}", flush=True
        )
    loop_rate, bare_rate = statistics.median(ours), statistics.median(bare)
    print(f"symface's loop         {loop_rate:7.1f} crops/s: {loop_rate / bare_rate:.3f} of the bare loop's")
    print(f"bare loop              {bare_rate:7.1f} crops/s")


def show_parts(bench: Bench, steps: int) -> None:
    """Print what each part of a step takes, and for how much of it the network waits for data."""
    parts = measure_parts(bench, steps)
    total = sum(parts.values())
    for name, seconds in parts.items():
        print(f"{name:22} {1000 * seconds:7.1f} ms  {seconds / total:5.1%}")
    waiting = sum(parts[name] for name in DATA_PATH)
    print(f"waiting for data       {1000 * waiting:7.1f} ms  {waiting / total:5.1%} of a step's {1000 * total:.1f} ms")


def main() -> None:
    """Print the measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--run", type=Path, required=True, help="the folder of a training, for its prepared photos")
    parser.add_argument("--steps", type=int, default=100, help="steps of a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--device", default="auto")
    parser.add_argument(
        "--cpu-time", action="store_true", help="rates by processor time, on a core that others use, too"
    )
    options = parser.parse_args()
    device = choose_device(options.device)
    keep_freed_memory()
    config = TrainingConfig(
        stage=STAGE,
        architecture=Architecture(),
        epochs=options.rounds + 1,
        batch_size=options.batch_size,
        lr=RATE,
        seed=0,
    )
    bench = Bench(options.data, options.run, config, options.steps, device)
    if options.cpu_time:
        bench.clock = time.process_time
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else f"{torch.get_num_threads()} threads"
    print(f"{device} ({where}), {bench.steps} steps a round, batches of {options.batch_size}")
    compare(bench, options.rounds)
    show_parts(bench, min(options.steps, 30))


if __name__ == "__main__":
    main()
