"""Tests of the asymmetric part of shapes alone, by permutations that are exact.

geomorph's table permutes rows that are not quite exchangeable (a shape and its mirror image have the symmetric part in
common), and has one error for symmetric and asymmetric differences between photos: a smile, which is symmetric, hides
the asymmetry in it.
"""

from typing import NamedTuple

import numpy as np

from symface_cli.morphometrics.permutations import Blocks, Permutations, share_as_large
from symface_cli.morphometrics.sample import Sample
from symface_cli.morphometrics.superimposition import Superimposed


class Repeatability(NamedTuple):
    """How well several photos of a person agree on the asymmetry, whatever the symmetric shape does.

    Attributes:
        f: Mean square of the fluctuating asymmetry to that of the asymmetric part of the error alone.
        p: Share of the permutations, of photos among people, with an F as large.
        icc: Intraclass correlation of the asymmetry in one photo.
    """

    f: float
    p: float
    icc: float


def probe_direction(shapes: Superimposed, sample: Sample, permutations: Permutations) -> float:
    """Return p of the directional asymmetry: the share of random exchanges of people's sides with one as large."""
    sums = np.add.reduceat(shapes.asymmetric, sample.starts, axis=0).reshape(len(sample.people), -1)
    signs = np.random.default_rng(permutations.seed).choice([-1.0, 1.0], (permutations.count, len(sums)))
    signs[0] = 1
    return share_as_large(((signs @ sums) ** 2).sum(axis=1))


def find_repeatability(shapes: Superimposed, sample: Sample, permutations: Permutations) -> Repeatability | None:
    """Compare how asymmetric people are with how the asymmetry of each differs among the photos; None without such."""
    if not sample.has_replicates:
        return None
    rows = (shapes.asymmetric - shapes.asymmetric.mean(axis=0)).reshape(len(sample.photos), -1)
    gram, blocks = rows @ rows.T, Blocks.of(sample.owners)
    drawn = permutations.draw(len(rows), len(blocks.first))
    between = np.concatenate([blocks.inner_products(gram, orders).sum(axis=1) for orders in drawn])
    among = between / (len(sample.people) - 1)
    within = (np.trace(gram) - between) / (len(rows) - len(sample.people))
    ratios = among / within
    photos = (len(rows) - (sample.counts**2).sum() / len(rows)) / (len(sample.people) - 1)  # in the mean, of a person
    icc = (among[0] - within[0]) / (among[0] + (photos - 1) * within[0])
    return Repeatability(float(ratios[0]), share_as_large(ratios), float(icc))
