"""Faces for the engines: crops of pictures whose eyes are known, so that no detector is needed, and any weights."""

from pathlib import Path

import numpy as np
import torch

from symface_cli.detection.detector import face_with_eyes
from symface_cli.geometry.frames import CROP_SIZE, EYE_DISTANCE_FACE
from symface_cli.geometry.sampling import resample
from symface_cli.imaging.photo import read_photo
from symface_cli.network.builder import build_network
from symface_cli.network.weights import save_weights
from tests.conftest import ROOT
from tests.small import SMALL

MAPS = ("mask", "parts", "visible", "weights", "hidden", "pose_field")
EYES = {
    "portrait.jpg": (289, 315, 388, 316),
    "people/female_28.jpg": (310, 193, 406, 195),
    "people/female_42.jpg": (314, 246, 423, 236),
    "people/female_69.jpg": (271, 273, 376, 272),
    "people/male_15.jpg": (273, 189, 385, 197),
}
"""x and y of the viewer's left eye and the right one, in example pictures."""


def known_crops():
    """The crop of each picture in EYES."""
    crops = []
    for name, (*left, x, y) in EYES.items():
        found = face_with_eyes(np.array(left), np.array([x, y]))
        crops.append(resample(read_photo(ROOT / "examples" / name), found.crop_from_photo, CROP_SIZE))
    return crops


def save_random_weights(path: Path) -> Path:
    """Save the weights of a network whose every tensor is random, batch statistics and pose field, too."""
    torch.manual_seed(0)
    network = build_network(SMALL).eval()
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point():
            tensor.copy_(torch.rand_like(tensor) + 0.5 if "running_var" in name else 0.3 * torch.randn_like(tensor))
    save_weights(path, network, stage=2)
    return path


def assert_located_alike(located, other):
    """Warps differ by less than 0.0001 eye distances, maps by less than 0.001."""
    eyes = EYE_DISTANCE_FACE / 2 * np.linalg.norm(located.warp[:, -1] - located.warp[:, 0], axis=-1).mean()
    assert np.linalg.norm(located.warp - other.warp, axis=-1).max() < 1e-4 * eyes
    for name in MAPS:
        assert np.abs(getattr(located, name) - getattr(other, name)).max() < 1e-3, name
