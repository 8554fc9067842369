"""The statistics of an evaluation, and how symmetric an image is."""

from math import comb, sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray


def wilson_interval(successes: int, total: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return Wilson's score interval (1927) for a share, without continuity correction.

    It is (0, 1) where nothing was counted.

    Raises:
        ValueError: If the counts are no share, or the confidence does not lie between 0 and 1.
    """
    if not 0 <= successes <= total or not 0 < confidence < 1:
        raise ValueError(f"{successes} of {total} at confidence {confidence}")
    if total == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = successes / total
    scale = 1 + z * z / total
    middle = (share + z * z / (2 * total)) / scale
    half = z / scale * sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    low = middle - half if successes else 0.0  # exact at the ends, where rounding would leave 1e-17
    high = middle + half if successes < total else 1.0
    return low, high


def mcnemar_p(b: int, c: int) -> float:
    """Return the two-sided p of McNemar's exact test: are two paired methods equally good?

    Args:
        b: Pairs in which only the first method succeeds.
        c: Pairs in which only the second does.

    Returns:
        min(1, 2 P(X <= min(b, c))) for X binomial with b + c trials of probability 1/2.

    Raises:
        ValueError: If a count is negative.
    """
    if min(b, c) < 0:
        raise ValueError(f"negative count: {b}, {c}")
    trials = b + c
    tail = sum(comb(trials, k) for k in range(min(b, c) + 1))
    return min(1.0, 2 * tail / (1 << trials))


def mirror_error(image: NDArray[np.uint8]) -> int:
    """Return the largest difference of an image (H, W) or (H, W, C) to its mirror image, in gray levels."""
    signed = image.astype(np.int16)
    return int(np.abs(signed - signed[:, ::-1]).max())
