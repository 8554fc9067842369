"""Asymmetry of a sample of people, as one record."""

from dataclasses import dataclass

import numpy as np

from symface_cli.errors import DataError
from symface_cli.geometry.types import Array
from symface_cli.morphometrics.anova import AnovaRow, analyze_variance
from symface_cli.morphometrics.exact import Repeatability, find_repeatability, probe_direction
from symface_cli.morphometrics.permutations import Permutations
from symface_cli.morphometrics.sample import Sample
from symface_cli.morphometrics.scores import Scores, directional_asymmetry, mean_of_people, score_people
from symface_cli.morphometrics.superimposition import Superimposed, superimpose

ROUNDING = 1e-12  # of centroid size 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Analysis:
    """What is known of a sample.

    Attributes:
        sample: The landmarks.
        permutations: How many were drawn, and how.
        anova: The lines of the ANOVA.
        repeatability: How well a person's photos agree; None with one photo of each.
        directional: (p, 2) mean displacement between the shapes and their mirror images, right and down on upright
            faces, for centroid size 1.
        directional_p: Share of the permutations, exchanges of the sides of whole people, with one as large.
        scores: Of each person.
    """

    sample: Sample
    permutations: Permutations
    anova: list[AnovaRow]
    repeatability: Repeatability | None
    directional: Array
    directional_p: float
    scores: Scores


def analyze(sample: Sample, permutations: Permutations) -> Analysis:
    """Analyze a sample.

    Raises:
        DataError: If the asymmetry of all faces is exactly the same, or all photos of each person exactly the same.
    """
    shapes = superimpose(sample.coordinates, sample.partner)
    _check_differences(shapes, sample)
    return Analysis(
        sample=sample,
        permutations=permutations,
        anova=analyze_variance(shapes, sample, permutations),
        repeatability=find_repeatability(shapes, sample, permutations),
        directional=directional_asymmetry(shapes),
        directional_p=probe_direction(shapes, sample, permutations),
        scores=score_people(shapes, sample),
    )


def _check_differences(shapes: Superimposed, sample: Sample) -> None:
    """Refuse what has nothing to divide by, apart from rounding."""
    asymmetric = shapes.asymmetric
    if np.abs(asymmetric - asymmetric.mean(axis=0)).max() < ROUNDING:
        raise DataError("the asymmetry of all faces is exactly the same: there is nothing to analyze")
    if (
        sample.has_replicates
        and np.abs(asymmetric - mean_of_people(asymmetric, sample)[sample.owners]).max() < ROUNDING
    ):
        raise DataError("all photos of each person have the same points; give different photos, or one of each")
