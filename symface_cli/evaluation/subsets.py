"""The photos by how hard they are: by how far the head is turned, and by how sure the detector is of the face."""

from collections.abc import Sequence
from dataclasses import dataclass

from symface_cli.detection.settings import SEARCH
from symface_cli.evaluation.protocol import PhotoResult
from symface_cli.landmarks.pose import find_yaw

FRONTAL_YAW, LARGE_YAW = 10, 20  # degrees
SURE = SEARCH.sure_windows
CLEARLY_AGREEING = 30  # windows; more agree on 83 % of LFW's faces, and fewer than SURE on 1.4 %

YAWS = (f"yaw under {FRONTAL_YAW}", f"yaw {FRONTAL_YAW} to {LARGE_YAW}", f"yaw over {LARGE_YAW}", "yaw unknown")
AGREEMENTS = (f"agreeing under {SURE}", f"agreeing {SURE} to {CLEARLY_AGREEING}", f"agreeing over {CLEARLY_AGREEING}")


@dataclass(frozen=True)
class Subset:
    """Some of the photos.

    Attributes:
        name: What they have in common: one of YAWS (degrees, to either side) or AGREEMENTS (windows of the detector).
        members: Their places among all photos, ascending.
    """

    name: str
    members: tuple[int, ...]


def split_by_difficulty(results: Sequence[PhotoResult]) -> tuple[Subset, ...]:
    """Split photos by yaw, then by agreement: each is in one subset of either. Empty ones are left out."""
    members: dict[str, list[int]] = {name: [] for name in (*YAWS, *AGREEMENTS)}
    for place, result in enumerate(results):
        members[name_yaw(result)].append(place)
        members[name_agreement(result)].append(place)
    return tuple(Subset(name, tuple(places)) for name, places in members.items() if places)


def name_yaw(result: PhotoResult) -> str:
    """Name a photo's subset by yaw."""
    under, between, over, unknown = YAWS
    if result.landmarks is None:
        return unknown
    yaw = abs(find_yaw(result.landmarks))
    return under if yaw < FRONTAL_YAW else between if yaw <= LARGE_YAW else over


def name_agreement(result: PhotoResult) -> str:
    """Name a photo's subset by the detector's agreement."""
    under, between, over = AGREEMENTS
    return under if result.agreeing < SURE else between if result.agreeing <= CLEARLY_AGREEING else over
