"""What the tests of training share."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from symface_cli.data.datasets import split_of
from symface_cli.imaging.photo import read_photo


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
            Image.fromarray(dimmed).save(root / name / "1.png")
    return root
