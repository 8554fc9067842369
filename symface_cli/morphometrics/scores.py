"""How asymmetric each person of a sample is."""

from typing import NamedTuple

import numpy as np

from symface_cli.geometry.types import Array
from symface_cli.morphometrics.sample import Sample
from symface_cli.morphometrics.superimposition import Superimposed


class Scores(NamedTuple):
    """Scores of the n people, as Procrustes distances: centroid size is 1.

    Attributes:
        asymmetry: (n,) distance of a shape from its symmetric part: `calc_as` of facefuns.
        fluctuating: (n,) distance between a shape and its mirror image, beyond what all have: `calc_fa` of facefuns
            (Klingenberg 2015), and of geomorph's component of fluctuating asymmetry from the mean.
        error: (n,) root mean square distance of the asymmetry in a person's photos from its mean, as `asymmetry`; NaN
            with one photo.
    """

    asymmetry: Array
    fluctuating: Array
    error: Array


def mean_of_people(values: Array, sample: Sample) -> Array:
    """Return the mean (n, ...) of each person's photos (R, ...)."""
    sums = np.add.reduceat(values, sample.starts, axis=0)
    return np.asarray(sums / sample.counts.reshape(-1, *([1] * (values.ndim - 1))))


def directional_asymmetry(shapes: Superimposed) -> Array:
    """Return the mean displacement (p, 2) between the shapes and their mirror images."""
    return np.asarray(2 * shapes.asymmetric.mean(axis=0))


def score_people(shapes: Superimposed, sample: Sample) -> Scores:
    """Score each person; of one with several photos, the mean shape."""
    asymmetric = shapes.asymmetric
    own = mean_of_people(asymmetric, sample)
    beyond = ((asymmetric - own[sample.owners]) ** 2).sum(axis=(1, 2))
    degrees = np.where(sample.counts > 1, sample.counts - 1, np.nan)
    return Scores(
        asymmetry=_length(own),
        fluctuating=_length(2 * own - directional_asymmetry(shapes)),
        error=np.sqrt(np.add.reduceat(beyond, sample.starts) / degrees),
    )


def _length(values: Array) -> Array:
    return np.asarray(np.sqrt((values**2).sum(axis=(1, 2))))
