"""What several test files share."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from symface_cli.cli.app import main

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips what cannot run here, and says why."""
    for item in items:
        if item.get_closest_marker("shared") and not (SHARED / "data").is_dir():
            item.add_marker(pytest.mark.skip(reason="the photos of ../shared/data are not here"))
        if item.get_closest_marker("landmarks") and importlib.util.find_spec("dlib") is None:
            item.add_marker(pytest.mark.skip(reason="the landmarks extra is not installed"))


@dataclass(frozen=True)
class Finished:
    """What a run of the command line left behind."""

    status: int
    out: str
    err: str


@pytest.fixture
def symface(capsys: pytest.CaptureFixture[str]) -> Callable[..., Finished]:
    """Runs the command line in this process: `symface("symmetrize", photo)`."""

    def run(*arguments: object) -> Finished:
        status = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Finished(status, captured.out, captured.err)

    return run


@pytest.fixture
def portrait() -> Path:
    """A photo with one face, of a person who does not exist."""
    return ROOT / "examples" / "portrait.jpg"


@pytest.fixture
def pair() -> Path:
    """A photo with two faces, of people who do not exist."""
    return ROOT / "examples" / "pair.jpg"


@pytest.fixture
def landmarks() -> NDArray[np.float64]:
    """68 landmarks (68, 2) of an exactly symmetric face with a vertical midline at x = 100; eye distance 60."""
    left = np.zeros((68, 2))
    angles = np.linspace(np.pi, np.pi / 2, 9)  # the jaw is half an ellipse
    left[0:9] = np.column_stack([65 * np.cos(angles), 110 * np.sin(angles)])
    left[17:22] = np.column_stack([np.linspace(-55, -12, 5), [-22, -29, -31, -29, -25]])
    left[27:31] = np.column_stack([np.zeros(4), [0, 14, 28, 42]])
    left[31:34] = [(-13, 50), (-6, 52), (0, 54)]
    left[36:42] = [(-43, 1), (-35, -5), (-25, -5), (-17, 2), (-25, 4), (-35, 3)]
    left[48:52] = [(-25, 75), (-15, 71), (-5, 69), (0, 70)]
    left[57:60] = [(0, 85), (-5, 84), (-14, 81)]
    left[60:63] = [(-20, 75), (-6, 74), (0, 75)]
    left[66:68] = [(0, 79), (-6, 78)]
    pairs = [(16 - i, i) for i in range(8)] + [(26 - i, 17 + i) for i in range(5)]
    pairs += [(35, 31), (34, 32), (45, 36), (44, 37), (43, 38), (42, 39), (47, 40), (46, 41)]
    pairs += [(54, 48), (53, 49), (52, 50), (55, 59), (56, 58), (64, 60), (63, 61), (65, 67)]
    for right, its_left in pairs:
        left[right] = left[its_left] * [-1, 1]
    return left + np.array([100, 90])
