"""Sums of squares of permuted rows. They need inner products alone, so that many permutations are done at once."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry.types import Array

Order = NDArray[np.intp]
AT_ONCE = 4_000_000  # numbers in memory, 32 MB
TIE = 1 - 1e-9  # an F that differs by rounding is as large
LEAST_F = 1e-6  # added before the logarithm, as in geomorph: a permutation may have no directional asymmetry at all


@dataclass(frozen=True)
class Permutations:
    """Random orders of rows, the same for the same seed.

    Attributes:
        count: How many, the order as it is among them, which comes first.
        seed: Of the generator.
    """

    count: int
    seed: int

    def draw(self, rows: int, pairs: int) -> Iterator[Order]:
        """Yield orders (P, rows), as many at once as memory takes where each needs so many pairs of rows."""
        generator = np.random.default_rng(self.seed)
        at_once = max(1, AT_ONCE // (rows + pairs))
        for first in range(0, self.count, at_once):
            orders = np.tile(np.arange(rows), (min(at_once, self.count - first), 1))
            moved = orders[first == 0 :]
            generator.permuted(moved, axis=1, out=moved)
            yield orders


@dataclass(frozen=True)
class Blocks:
    """All pairs of rows that belong to one person: of inner products, those that person's mean depends on.

    Attributes:
        first: (K,) numbers of rows.
        second: (K,) those of their partners, among them the row itself.
        weight: (K,) how much their inner product counts in the sum of squares of the means.
    """

    first: Order
    second: Order
    weight: Array

    @classmethod
    def of(cls, owners: Order) -> "Blocks":
        """Take the number of each row's person."""
        first, second = np.nonzero(owners[:, None] == owners)
        return cls(first, second, 1 / np.bincount(owners)[owners[first]])

    def inner_products(self, gram: Array, orders: Order) -> Array:
        """Return the weighted inner products (P, K), from those (N, N) of all rows in their own order."""
        return np.asarray(gram[orders[:, self.first], orders[:, self.second]] * self.weight)


def share_as_large(ratios: Array) -> float:
    """Return the share of F ratios that are as large as the first, which is that of the data."""
    return float(np.mean(ratios >= TIE * ratios[0]))


def deviate(ratios: Array) -> float:
    """Return how many standard deviations the logarithm of the first F ratio lies above the mean of all."""
    logs = np.log(np.maximum(ratios, 0) + LEAST_F)
    return float((logs[0] - logs.mean()) / logs.std(ddof=1))
