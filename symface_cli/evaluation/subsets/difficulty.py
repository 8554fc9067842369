"""The photos by how hard they are: by how far the head is turned, and by how sure the detector is of the face."""

from collections.abc import Sequence
from math import inf

from symface_cli.detection.settings import SEARCH
from symface_cli.evaluation.protocol import PhotoResult
from symface_cli.evaluation.subsets.subset import Subset, split_by
from symface_cli.landmarks.pose import find_yaw

SURE = SEARCH.sure_windows
CLEARLY_AGREEING = 30  # windows; more agree on 83 % of LFW's faces, and fewer than SURE on 1.4 %

YAW, AGREEING = ATTRIBUTES = ("yaw", "agreeing")
"""In degrees to either side; windows of the detector."""
YAWS: dict[str, tuple[float, float]] = {
    "under 5": (0, 5),
    "5 to 10": (5, 10),
    "10 to 20": (10, 20),
    "20 to 30": (20, 30),
    "over 30": (30, inf),
    "over 10": (10, inf),
}
"""Values of YAW: from the first bound, below the second."""
UNKNOWN_YAW = "unknown"
AGREEMENTS = (f"under {SURE}", f"{SURE} to {CLEARLY_AGREEING}", f"over {CLEARLY_AGREEING}")


def split_by_difficulty(results: Sequence[PhotoResult]) -> tuple[Subset, ...]:
    """Split photos by yaw, then by agreement. Empty subsets are left out.

    Each photo is in one subset of either, and what is turned by more than 10 degrees also in that of all these.
    """
    return (
        *split_by(YAW, (*YAWS, UNKNOWN_YAW), [yaws_of(result) for result in results]),
        *split_by(AGREEING, AGREEMENTS, [(agreement_of(result),) for result in results]),
    )


def yaws_of(result: PhotoResult) -> list[str]:
    """List a photo's values of YAW."""
    if result.landmarks is None:
        return [UNKNOWN_YAW]
    yaw = abs(find_yaw(result.landmarks))
    return [name for name, (low, high) in YAWS.items() if low <= yaw < high]


def agreement_of(result: PhotoResult) -> str:
    """Return a photo's value of AGREEING."""
    under, between, over = AGREEMENTS
    return under if result.agreeing < SURE else between if result.agreeing <= CLEARLY_AGREEING else over
