"""Procrustes ANOVA of object symmetry, in the layout of geomorph's `bilat.symmetry`.

The rows are the superimposed shapes and their mirror images. What is left of them after the terms above is permuted
among all rows, and an F computed from each permutation (residual randomization, RRPP: Collyer, Sekora & Adams 2015).
"""

from typing import NamedTuple

import numpy as np

from symface_cli.geometry.types import Array
from symface_cli.morphometrics.permutations import Blocks, Permutations, deviate, share_as_large
from symface_cli.morphometrics.sample import Sample
from symface_cli.morphometrics.scores import mean_of_people
from symface_cli.morphometrics.superimposition import Superimposed

ROUNDING = 1e-15  # of all squares: less is nothing


class AnovaRow(NamedTuple):
    """A line of the table, named as geomorph names it; None is what a line has not.

    Attributes:
        name: `ind` individuals, `side` directional asymmetry, `ind:side` fluctuating asymmetry, `ind:side:replicate`
            error, `Total`.
        df: Degrees of freedom, in observations.
        ss: Sum of squared Procrustes distances.
        ms: Mean square.
        rsq: Share of the total.
        f: Ratio of mean squares: to `ind:side`, and of that to the error.
        z: Standard deviate of log F among the permutations.
        p: Share of the permutations, the data among them, with an F as large.
    """

    name: str
    df: int
    ss: float
    ms: float | None = None
    rsq: float | None = None
    f: float | None = None
    z: float | None = None
    p: float | None = None


class _Terms(NamedTuple):
    """Sums of squares (P,) of P permutations: of individuals, side, their interaction, and what is left."""

    individual: Array
    side: Array
    interaction: Array
    error: Array


def analyze_variance(shapes: Superimposed, sample: Sample, permutations: Permutations) -> list[AnovaRow]:
    """Make the table; where there is one photo of each person, it has no error."""
    individual, side, interaction = (_permute(rows, sample, permutations) for rows in _residuals(shapes, sample))
    total, people, rows = float(sum(term[0] for term in individual)), len(sample.people), 2 * len(sample.photos)
    between, left = people - 1, rows - 2 * people
    table = [
        _row("ind", individual.individual, between, total, individual.interaction / between),
        _row("side", side.side, 1, total, side.interaction / between),
    ]
    if sample.has_replicates:
        table.append(_row("ind:side", interaction.interaction, between, total, interaction.error / left))
        table.append(_row("ind:side:replicate", interaction.error, left, total))
    else:
        table.append(_row("ind:side", interaction.interaction, between, total))
    return [*table, AnovaRow("Total", rows - 1, total)]


def _residuals(shapes: Superimposed, sample: Sample) -> tuple[Array, Array, Array]:
    """Return what the terms above leave of the rows (2R, 2p): above the individuals, the side, their interaction."""
    both = np.stack([shapes.original, shapes.mirrored])
    centered = both - both.mean(axis=(0, 1))
    within = both - mean_of_people(shapes.symmetric, sample)[sample.owners]
    without_side = within - within.mean(axis=1, keepdims=True)
    count = 2 * len(sample.photos)
    return centered.reshape(count, -1), within.reshape(count, -1), without_side.reshape(count, -1)


def _permute(rows: Array, sample: Sample, permutations: Permutations) -> _Terms:
    """Permute rows whose sum is zero, and return the sums of squares."""
    gram, owners = rows @ rows.T, np.tile(sample.owners, 2)
    blocks, sides = Blocks.of(owners), np.repeat([1.0, -1.0], len(sample.photos))
    opposite = sides[blocks.first] * sides[blocks.second]
    parts = []
    for orders in permutations.draw(len(rows), len(blocks.first)):
        products = blocks.inner_products(gram, orders)
        signs = np.empty(orders.shape)
        np.put_along_axis(signs, orders, np.broadcast_to(sides, orders.shape), axis=1)
        individual, both_sides = products.sum(axis=1), products @ opposite
        side = (signs @ gram * signs).sum(axis=1) / len(rows)
        parts.append((individual, side, both_sides - side, np.trace(gram) - individual - both_sides))
    return _Terms(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _row(name: str, squares: Array, df: int, total: float, below: Array | None = None) -> AnovaRow:
    """Make a line, with a test against the mean squares `below` it."""
    row = AnovaRow(name, df, ss := float(squares[0]), ss / df, ss / total)
    if below is None:
        return row
    ratios = squares / df / np.maximum(below, ROUNDING * total)
    return row._replace(f=float(ratios[0]), z=deviate(ratios), p=share_as_large(ratios))
