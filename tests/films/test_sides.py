"""Sides that are chosen do not flicker."""

from dataclasses import replace

import numpy as np
import pytest

from symface_cli.detection.detector import detect
from symface_cli.films.sides import SteadySides
from symface_cli.inference.face import FaceWarp
from symface_cli.inference.symmetrizer import Symmetrizer
from tests.films.made import example

HALF = 32


@pytest.fixture(scope="module")
def warp() -> FaceWarp:
    photo = example()
    found = Symmetrizer().predict(photo, detect(photo)[0]).warp
    assert found is not None
    return replace(found, shown=np.ones((64, 64), np.float32))


def leaning(warp: FaceWarp, left: float) -> FaceWarp:
    """The face, its left side counting so much of both."""
    weights = np.full((65, 65), 0.5, np.float32)
    weights[:, :HALF], weights[:, HALF + 1 :] = left, 1 - left
    return replace(warp, weights=weights)


def left_around(warp: FaceWarp) -> float:
    """How much of the surroundings is the left side's."""
    return float(warp.framed_weights[0, 0])


def test_surroundings_stay_one_sides_while_both_are_about_equal(warp: FaceWarp) -> None:
    sides = SteadySides()
    shares = [0.52, 0.47, 0.55, 0.42, 0.53]
    assert [left_around(sides.choose(leaning(warp, share), 1, place / 25)) for place, share in enumerate(shares)] == [
        1
    ] * 5


def test_surroundings_go_over_to_a_side_that_is_clearly_better(warp: FaceWarp) -> None:
    sides = SteadySides()
    sides.choose(leaning(warp, 0.6), 1, 0.0)
    going = [left_around(sides.choose(leaning(warp, 0.3), 1, tenth / 10)) for tenth in (1, 2, 3, 4)]
    assert going == pytest.approx([2 / 3, 1 / 3, 0, 0], abs=1e-6)  # in 0.3 s
    assert left_around(sides.choose(leaning(warp, 0.6), 2, 0.5)) == 1  # another face


def test_the_iris_that_is_drawn_changes_only_for_a_clearer_one(warp: FaceWarp) -> None:
    sides = SteadySides()
    drawn = []
    for place, clearness in enumerate(([0.5, 0.45], [0.45, 0.5], [0.5, 0.6], [0.3, 0.6], [0.5, 0.6])):
        seen = replace(leaning(warp, 0.5), irises=replace(warp.irises, clearness=np.array(clearness)))
        drawn.append(int(sides.choose(seen, 1, place / 25).irises.clearness.argmax()))
    assert drawn == [0, 0, 0, 1, 1]
