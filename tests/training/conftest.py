"""What the tests of training share."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from symface_cli.data.datasets import split_of, survey
from symface_cli.imaging.photo import read_photo
from symface_cli.training import loop
from symface_cli.training.data.prepared import preparation
from tests.training.small import let_the_command_train_small, list_losses


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """Variants of the example portrait under the names of eight people: six to train on, two to validate with."""
    root = tmp_path_factory.mktemp("data")
    portrait = read_photo(Path(__file__).parents[2] / "examples" / "portrait.jpg")
    wanted = {"train": 6, "validation": 2, "test": 1}
    number = 0
    while any(wanted.values()):
        name, number = f"person{number}", number + 1
        if wanted[split_of(name)]:
            wanted[split_of(name)] -= 1
            (root / name).mkdir()
            variant = portrait[:, ::-1] if number % 2 else portrait
            dimmed = (variant * (1 - 0.05 * (number % 7))).astype(np.uint8)
            Image.fromarray(dimmed).resize((320, 320)).save(root / name / "1.png")
    return root


@pytest.fixture(scope="session")
def prepared(data, tmp_path_factory):
    """The photos, prepared for all stages, of which each training gets a copy."""
    folder = tmp_path_factory.mktemp("prepared")
    preparation.prepare(survey(data), folder, "dlib", lambda done, total: None, workers=1)
    return folder


@pytest.fixture(autouse=True)
def quick_curves(monkeypatch):
    """No training draws its curves, which takes longer than the training."""
    monkeypatch.setattr(loop, "draw_curves", list_losses)


@pytest.fixture
def small_network(monkeypatch):
    """`symface train` trains a small network."""
    let_the_command_train_small(monkeypatch)
