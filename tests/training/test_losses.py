"""Each term against an oracle: torch.distributions, or a calculation by hand."""

import math

import pytest
import torch
from torch.distributions import Independent, Normal, kl_divergence

from symface_cli.network.maps import PARTS, UNKNOWN, Part
from symface_cli.network.warps import identity_warp
from symface_cli.training import losses
from symface_cli.training.data.parsing import LevelLabels

ONE = torch.ones(1)
"""The weight of a single sample."""


def test_kl_is_that_of_torch_distributions():
    torch.manual_seed(0)
    mu, log_var = torch.randn(5, 7), torch.randn(5, 7)
    q = Independent(Normal(mu, (0.5 * log_var).exp()), 1)
    p = Independent(Normal(torch.zeros(5, 7), torch.ones(5, 7)), 1)
    assert losses.kl_divergence(mu, log_var).item() == pytest.approx(kl_divergence(q, p).mean().item(), rel=1e-5)


def test_gaussian_error_is_the_log_density_up_to_its_constant():
    torch.manual_seed(0)
    y, target = torch.rand(2, 3, 4, 4), torch.rand(2, 3, 4, 4)
    density = Normal(y, 0.1).log_prob(target).sum((1, 2, 3)).mean()
    constant = -48 * math.log(0.1 * math.sqrt(2 * math.pi))
    assert losses.gaussian_error(y, target, 0.1).item() == pytest.approx(constant - density.item(), rel=1e-4)


def test_cross_entropy_of_two_pixels_by_hand():
    logits = torch.tensor([0.0, math.log(3)]).view(1, 1, 1, 2)  # probabilities 1/2 and 3/4
    target = torch.tensor([1.0, 0.0]).view(1, 1, 1, 2)
    assert losses.cross_entropy(logits, target).item() == pytest.approx(math.log(2) + math.log(4))


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_warp_error_is_in_eye_distances_whatever_the_size(scale):
    target = scale * identity_warp(torch.zeros(1, 1))
    weight = torch.ones(1, 17, 17)
    moved = target + scale * torch.tensor([0.0, 0.054])  # a tenth of 0.54, the eye distance in the face frame
    assert losses.warp_error(moved, target, weight).item() == pytest.approx(0.1, rel=1e-3)


def test_warp_error_counts_only_where_there_is_weight():
    target = identity_warp(torch.zeros(1, 1))
    moved = target.clone()
    moved[:, 0] += 1
    weight = torch.ones(1, 17, 17)
    weight[:, 0] = 0
    assert losses.warp_error(moved, target, weight).item() < 1e-4


def test_midline_error_is_the_angle_and_the_offset_in_eye_distances():
    angle, scale = 0.3, 0.6
    c, s = math.cos(angle), math.sin(angle)
    frame = scale * identity_warp(torch.zeros(1, 1))
    target = frame @ torch.tensor([[c, s], [-s, c]]) + torch.tensor([0.1, 0.2])
    across, along = torch.tensor([c, s]), torch.tensor([-s, c])
    assert losses.midline_error(target + 0.054 * scale * across, target, ONE).item() == pytest.approx(0.1, rel=1e-3)
    assert losses.midline_error(target + 0.2 * along, target, ONE).item() < 1e-5  # the midline moves in itself
    c, s = math.cos(0.02), math.sin(0.02)
    tilted = (target - torch.tensor([0.1, 0.2])) @ torch.tensor([[c, s], [-s, c]]) + torch.tensor([0.1, 0.2])
    assert losses.midline_error(tilted, target, ONE).item() == pytest.approx(0.02, rel=1e-3)


def test_midline_error_looks_at_the_edge_alone():
    target = identity_warp(torch.zeros(1, 1))
    moved = target.clone()
    moved[:, 1:-1, 1:-1] += torch.rand(1, 15, 15, 2)
    assert losses.midline_error(moved, target, ONE).item() < 1e-6


def test_samples_count_as_much_as_their_labels():
    target = identity_warp(torch.zeros(1, 1)).expand(2, -1, -1, -1)
    moved = target + torch.tensor([[0.054, 0.0], [0.0, 0.0]])[:, None, None]  # the first by a tenth of 0.54
    for weight, expected in (((1, 1), 0.05), ((1, 3), 0.025), ((0.2, 0.2), 0.05)):
        each = torch.tensor(weight, dtype=torch.float32)
        points = torch.ones(2, 17, 17) * each[:, None, None]
        assert losses.warp_error(moved, target, points).item() == pytest.approx(expected, rel=2e-3)
        assert losses.midline_error(moved, target, each).item() == pytest.approx(expected, rel=1e-3)


def test_map_error_by_hand():
    logits = torch.tensor([[0.0, 100.0]])
    target = torch.tensor([[1.0, 1.0]])
    assert losses.map_error(logits, target, torch.tensor([[1.0, 3.0]])).item() == pytest.approx(math.log(2) / 4)


def level_labels(parts):
    """Four points, the last of which the crop does not show; no irises are known."""
    parts = torch.tensor([[parts]])
    nothing = torch.zeros(1, 1, 4)
    return LevelLabels(parts, torch.tensor([[[1.0, 1, 1, 0]]]), nothing, nothing)


def test_parts_error_by_hand():
    """Skin with a probability of a half; nothing in front, of which nothing else is known, with 3 / 4."""
    chances = torch.tensor([[0.1, 0.5, 0.1, 0.1, 0.1, 0.1], [0.15, 0.15, 0.15, 0.15, 0.15, 0.25]]).log().T
    logits = torch.zeros(1, PARTS + 1, 1, 4)
    logits[0, :PARTS, 0, :2] = chances
    found = losses.parts_error(logits, level_labels([Part.SKIN, UNKNOWN, Part.HAIR, UNKNOWN]))
    assert found.item() == pytest.approx((math.log(2) + math.log(4 / 3) + math.log(6)) / 3)


def test_matches_count_where_something_is_known():
    logits = torch.zeros(1, PARTS + 1, 1, 4)
    logits[0, Part.SKIN] = 1
    labels = level_labels([Part.SKIN, UNKNOWN, Part.HAIR, UNKNOWN])
    assert losses.count_matches(logits, labels, Part.SKIN).tolist() == [2, 3]  # F1 = 2 / 3
    assert losses.count_matches(logits, labels, Part.HAIR).tolist() == [0, 1]
