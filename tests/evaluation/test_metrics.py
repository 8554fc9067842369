"""Confidence intervals, the paired test and the mirror error, against published values and by hand."""

import math
from typing import Any

import numpy as np
import pytest

from symface_cli.evaluation.metrics import mcnemar_p, mirror_error, wilson_interval


@pytest.mark.parametrize(
    ("successes", "total", "low", "high"),
    [
        (8, 10, 0.4902, 0.9433),
        (81, 263, 0.2553, 0.3662),  # Newcombe 1998, table I, method 3
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (20, 20, 0.8389, 1.0),  # the mirror image of 0 of 20
    ],
)
def test_wilson_interval_is_the_published_one(successes: int, total: int, low: float, high: float) -> None:
    assert wilson_interval(successes, total) == pytest.approx((low, high), abs=5e-5)


def test_wilson_interval_of_half_at_one_standard_deviation() -> None:
    # With z = 1, the 2 of 4 give the middle 1/2 and the half width (1 / 1.25) sqrt(1/16 + 1/64).
    confidence = math.erf(1 / math.sqrt(2))
    half = math.sqrt(5 / 64) / 1.25
    assert wilson_interval(2, 4, confidence) == pytest.approx((0.5 - half, 0.5 + half))


def test_wilson_interval_of_nothing_is_everything() -> None:
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_wilson_interval_of_more_successes_than_trials_is_a_bug() -> None:
    with pytest.raises(ValueError):
        wilson_interval(3, 2)


@pytest.mark.parametrize(
    ("b", "c", "p"),
    [
        (1, 5, 2 * (1 + 6) / 2**6),
        (5, 1, 2 * (1 + 6) / 2**6),
        (0, 3, 2 / 2**3),
        (2, 2, 1.0),  # twice the tail would be 1.375
        (0, 0, 1.0),
    ],
)
def test_mcnemar_is_the_exact_binomial_test(b: int, c: int, p: float) -> None:
    assert mcnemar_p(b, c) == p


def test_mcnemar_takes_large_counts() -> None:
    assert mcnemar_p(2000, 0) == pytest.approx(2.0**-1999, abs=0)
    assert mcnemar_p(1500, 1500) == 1.0


@pytest.mark.parametrize(
    ("image", "error"),
    [
        ([[1, 2, 2, 1]], 0),
        ([[1, 2, 9, 1]], 7),
        ([[0, 7, 255]], 255),  # would be 1 in uint8
        ([[[3, 4], [3, 5]]], 1),  # two channels
    ],
)
def test_mirror_error_is_the_largest_difference(image: list[Any], error: int) -> None:
    assert mirror_error(np.array(image, np.uint8)) == error
