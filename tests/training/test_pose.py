"""How a turn moves a face is found from warps of turned faces."""

import numpy as np
import pytest
import torch

from symface_cli.geometry.frames import apply
from symface_cli.geometry.warps import control_points, yaw_of_warp
from symface_cli.network.builder import build_network
from symface_cli.training.data.augmentation import StoredSamples
from symface_cli.training.pose import learn_pose, pose_field
from tests.small import SMALL


@pytest.fixture
def depth():
    """A face bulges out of its frame, which stays: a turn moves its middle aside, most of all."""
    x, y = np.moveaxis(control_points(), -1, 0)
    bulge = (1 - x**2) * (1 - y**2) * 0.2
    return np.stack([bulge, np.zeros_like(bulge)], -1)


def warps_of(depth, turns, noise):
    """Warps of faces that are turned, tilted, large, small, long and asymmetric."""
    random = np.random.default_rng(0)
    warps = []
    for turn in turns:
        angle, scale = random.normal(0, 0.3), random.uniform(0.3, 0.6)
        c, s = scale * np.cos(angle), scale * np.sin(angle)
        level = np.array([[c, -s, random.normal(0, 0.1)], [s, c, random.normal(0, 0.1)], [0, 0, 1]])
        moved = turn * depth + noise * random.normal(size=depth.shape)
        moved[..., 1] += 0.1 * random.normal() * depth[..., 0]
        moved[[0, -1]] = moved[:, [0, -1]] = 0
        warps.append(apply(level, control_points() + moved))
    return np.array(warps)


def test_the_field_is_that_of_the_turn_whatever_else_differs(depth):
    turns = np.random.default_rng(1).normal(0, 0.3, 400)
    warps, masks = warps_of(depth, turns, noise=0.002), np.ones((400, 17, 17))
    found = pose_field(warps, masks)
    cosine = (found * depth).sum() / np.sqrt((found**2).sum() * (depth**2).sum())
    assert cosine > 0.999
    assert np.allclose(found, -found[:, ::-1] * [-1, 1], atol=1e-12)
    sines = np.sin(np.radians([yaw_of_warp(*face) for face in zip(warps, masks, strict=True)]))
    assert np.polyfit(sines, turns, 1)[0] == pytest.approx(np.abs(found).max() / 0.2, rel=0.01)  # per sine of the yaw


def test_faces_none_of_which_is_turned_have_no_field():
    straight = np.broadcast_to(control_points(), (3, 17, 17, 2))
    assert not pose_field(straight, np.ones((3, 17, 17))).any()


class Samples:
    """Three random crops."""

    device = torch.device("cpu")

    def __len__(self):
        return 3

    def take(self, index):
        torch.manual_seed(0)
        crops = torch.randint(0, 256, (3, 192, 192, 3), dtype=torch.uint8)
        masks = torch.full((3, 96, 96), 255, dtype=torch.uint8)
        warps = torch.from_numpy(control_points().astype(np.float32)).expand(3, -1, -1, -1).contiguous()
        stored = StoredSamples(crops, warps, masks, masks, torch.full((3, 2, 3), torch.nan), torch.ones(3))
        return StoredSamples(*(values[index] for values in stored))


@pytest.mark.parametrize("stage", [1, 2, 3])
def test_a_network_learns_its_field_once_it_locates_faces(stage):
    torch.manual_seed(0)
    network = build_network(SMALL).eval()
    torch.nn.init.normal_(network.localizer.fine_maps.weight, std=0.05)
    learn_pose(network, Samples(), stage)
    field = network.pose_field.numpy()
    assert field.any() == (stage > 1)
    assert np.allclose(field, -field[:, ::-1] * [-1, 1], atol=1e-6)
