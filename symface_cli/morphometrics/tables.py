"""The asymmetry of a sample as text, CSV and JSON."""

import json
import math
from collections.abc import Iterator

import numpy as np

from symface_cli import files
from symface_cli.morphometrics.analysis import Analysis
from symface_cli.morphometrics.anova import AnovaRow
from symface_cli.morphometrics.scores import Scores
from symface_cli.version import __version__

NOTE = "for research; not a medical device"
COLUMNS = ("person", "photos", *Scores._fields)
"""Of the table of scores."""
ANOVA_HEADER = ("", "Df", "SS", "MS", "Rsq", "F", "Z", "Pr(>F)")
"""As geomorph prints it."""


def anova_texts(rows: list[AnovaRow]) -> list[tuple[str, ...]]:
    """Write the lines of the ANOVA, to five significant digits."""
    return [(row.name, str(row.df), *("" if number is None else f"{number:.5g}" for number in row[2:])) for row in rows]


def describe(analysis: Analysis) -> list[str]:
    """Say in a few lines what was analyzed, and what the table has not."""
    sample, scores = analysis.sample, analysis.scores
    directional = math.sqrt(float((analysis.directional**2).sum()))
    lines = [
        f"{len(sample.people)} people, {len(sample.photos)} photos, {len(sample.points)} points; "
        f"{analysis.permutations.count} permutations, seed {analysis.permutations.seed}",
        f"directional asymmetry {directional:.4f}, p {analysis.directional_p:.4g} by exchanging sides of whole people",
        f"fluctuating asymmetry {scores.fluctuating.mean():.4f} in the mean of the people",
    ]
    if analysis.repeatability is not None:
        f, p, icc = analysis.repeatability
        lines[-1] += (
            f"; against the asymmetric part of the error F {f:.5g}, p {p:.4g} by exchanging photos among people, "
            f"intraclass correlation {icc:.3f}"
        )
    return lines


def scores_as_csv(analysis: Analysis) -> bytes:
    """Write a line for each person: scores to 8 decimals."""
    rows = (
        (*first, *("" if number is None else f"{number:.8f}" for number in scores))
        for *first, scores in _scores(analysis)
    )
    return files.as_csv([COLUMNS, *rows])


def as_json(analysis: Analysis) -> bytes:
    """Write all numbers."""
    sample, repeatability = analysis.sample, analysis.repeatability
    document = {
        "note": NOTE,
        "version": __version__,
        "permutations": analysis.permutations.count,
        "seed": analysis.permutations.seed,
        "photos": list(sample.photos),
        "anova": [row._asdict() for row in analysis.anova],
        "repeatability": None if repeatability is None else repeatability._asdict(),
        "directional_p": analysis.directional_p,
        "directional": [
            {"point": point, "mirror": sample.points[partner], "x": x, "y": y}
            for point, partner, (x, y) in zip(sample.points, sample.partner, analysis.directional.tolist(), strict=True)
        ],
        "people": [
            {"person": person, "photos": photos, **dict(zip(Scores._fields, scores, strict=True))}
            for person, photos, scores in _scores(analysis)
        ],
    }
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    return text.encode("utf-8", "backslashreplace")


def _scores(analysis: Analysis) -> Iterator[tuple[str, int, list[float | None]]]:
    """Return name, number of photos and scores of each person; None for a score that there is not."""
    lines = np.column_stack(analysis.scores).tolist()
    scores = ([None if math.isnan(number) else number for number in line] for line in lines)
    return zip(analysis.sample.people, analysis.sample.counts.tolist(), scores, strict=True)
