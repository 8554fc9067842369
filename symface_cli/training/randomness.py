"""Random numbers of a training, the same however many processes share its batches."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's global generators for what is done inside, on the CPU and on a device, and put them back then.

    For what draws from them and takes no generator: initial weights, `torch.svd_lowrank`.
    """
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


@dataclass(frozen=True)
class ShardedRandom:
    """Random numbers for one process's rows of the batch of all processes.

    Every process draws the numbers of all rows, from generators in the same state, and keeps those of its own: numbers
    are cheap, pictures are not. So all generators stay alike, and N processes draw what one would draw for N times the
    rows.

    Attributes:
        generator: Where the numbers come from, and on which device they are.
        rank: This process's number: it has the rows from rank * count on.
        world: The number of processes.
    """

    generator: torch.Generator
    rank: int = 0
    world: int = 1

    def uniform(self, count: int, *shape: int) -> Tensor:
        """Draw numbers from 0 to 1 for `count` rows of this process: (count, *shape)."""
        size = (count * self.world, *shape)
        return self._own(torch.rand(size, device=self.generator.device, generator=self.generator))

    def normal(self, count: int, *shape: int) -> Tensor:
        """Draw numbers from N(0, 1) for `count` rows of this process: (count, *shape)."""
        size = (count * self.world, *shape)
        return self._own(torch.randn(size, device=self.generator.device, generator=self.generator))

    def common(self) -> float:
        """Draw one number from 0 to 1, the same in all processes."""
        return float(torch.rand(1, device=self.generator.device, generator=self.generator))

    def _own(self, rows: Tensor) -> Tensor:
        return rows.chunk(self.world)[self.rank]
