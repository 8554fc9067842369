"""The photos by how hard they are: by how far the head is turned, and by how sure the detector is of the face."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from symface_cli.detection.settings import SEARCH
from symface_cli.evaluation.protocol import PhotoResult
from symface_cli.landmarks.pose import find_yaw

SURE = SEARCH.sure_windows
CLEARLY_AGREEING = 30  # windows; more agree on 83 % of LFW's faces, and fewer than SURE on 1.4 %

YAWS: dict[str, tuple[float, float]] = {
    "yaw under 5": (0, 5),
    "yaw 5 to 10": (5, 10),
    "yaw 10 to 20": (10, 20),
    "yaw 20 to 30": (20, 30),
    "yaw over 30": (30, inf),
    "yaw over 10": (10, inf),
}
"""Subsets by yaw, in degrees to either side: from the first bound, below the second."""
UNKNOWN_YAW = "yaw unknown"
AGREEMENTS = (f"agreeing under {SURE}", f"agreeing {SURE} to {CLEARLY_AGREEING}", f"agreeing over {CLEARLY_AGREEING}")


@dataclass(frozen=True)
class Subset:
    """Some of the photos.

    Attributes:
        name: What they have in common: one of YAWS, UNKNOWN_YAW, or AGREEMENTS (windows of the detector).
        members: Their places among all photos, ascending.
    """

    name: str
    members: tuple[int, ...]


def split_by_difficulty(results: Sequence[PhotoResult]) -> tuple[Subset, ...]:
    """Split photos by yaw, then by agreement. Empty subsets are left out.

    Each photo is in one subset of either, and what is turned by more than 10 degrees also in that of all these.
    """
    members: dict[str, list[int]] = {name: [] for name in (*YAWS, UNKNOWN_YAW, *AGREEMENTS)}
    for place, result in enumerate(results):
        for name in (*name_yaws(result), name_agreement(result)):
            members[name].append(place)
    return tuple(Subset(name, tuple(places)) for name, places in members.items() if places)


def name_yaws(result: PhotoResult) -> list[str]:
    """Name a photo's subsets by yaw."""
    if result.landmarks is None:
        return [UNKNOWN_YAW]
    yaw = abs(find_yaw(result.landmarks))
    return [name for name, (low, high) in YAWS.items() if low <= yaw < high]


def name_agreement(result: PhotoResult) -> str:
    """Name a photo's subset by the detector's agreement."""
    under, between, over = AGREEMENTS
    return under if result.agreeing < SURE else between if result.agreeing <= CLEARLY_AGREEING else over
