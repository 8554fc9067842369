"""What has changed in many photos, in a few numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from symface_cli.evaluation.photos.changes import OVERWRITTEN, PhotoChange

MUCH = 0.05  # squared eye distances: as much as an eye and its lids


@dataclass(frozen=True)
class OverwrittenArea:
    """How much of one class is overwritten.

    Attributes:
        mean: Mean area over the labeled photos, in squared eye distances.
        much: Share of them with more than MUCH.
    """

    mean: float
    much: float


@dataclass(frozen=True, kw_only=True)
class ChangeScore:
    """What has changed in photos.

    Attributes:
        photos: How many were changed.
        labeled: Those of them whose labels are known.
        overwritten: By names of `changes.OVERWRITTEN` in lower case; empty without labels.
        outline_step: Mean of the photos' largest steps, in gray levels.
        asymmetry_before: Mean asymmetry of the faces in the photos, in per cent of the eye distance.
        asymmetry: That of the results.
    """

    photos: int
    labeled: int
    overwritten: Mapping[str, OverwrittenArea]
    outline_step: float
    asymmetry_before: float
    asymmetry: float


def summarize_changes(changes: Sequence[PhotoChange]) -> ChangeScore | None:
    """Summarize what has changed in photos; None without any."""
    if not changes:
        return None
    labeled = [change.overwritten for change in changes if change.overwritten]
    names = [kind.name.lower() for kind in OVERWRITTEN] if labeled else []
    return ChangeScore(
        photos=len(changes),
        labeled=len(labeled),
        overwritten={name: _summarize_areas([areas[name] for areas in labeled]) for name in names},
        outline_step=float(np.mean([change.outline_step for change in changes])),
        asymmetry_before=float(np.mean([change.asymmetry_before for change in changes])),
        asymmetry=float(np.mean([change.asymmetry for change in changes])),
    )


def _summarize_areas(areas: Sequence[float]) -> OverwrittenArea:
    return OverwrittenArea(float(np.mean(areas)), sum(area > MUCH for area in areas) / len(areas))
