"""Mirrored weights: mirrored images give mirrored features, and nothing else of a layer is changed."""

import pytest
import torch
from torch import nn

from symface_cli.network.builder import build_network
from symface_cli.network.layers import (
    halve_by_convolving,
    mirror_convolution,
    mirror_convolution_of_image,
    mirror_convolution_to_pixels,
    mirror_maps,
    mirror_norm,
    upsample_and_convolve,
)
from tests.small import SMALL


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def swapped(features):
    """What mirrored images are to give: the mirrored features of the other half of the channels."""
    return torch.cat(features.chunk(2, 1)[::-1], 1).flip(-1)


@torch.no_grad()
def test_an_image_and_its_mirror_image_give_features_that_are_each_others():
    layer = nn.Conv2d(3, 8, 4, stride=2, padding=1, bias=False)
    mirror_convolution_of_image(layer)
    image = random(1, 3, 6, 6)
    assert torch.allclose(layer(image.flip(-1)), swapped(layer(image)), atol=1e-6)


@torch.no_grad()
@pytest.mark.parametrize("layer", [nn.Conv2d(8, 4, 4, stride=2, padding=1), nn.Conv2d(8, 4, 5)])
def test_features_stay_each_others(layer):
    mirror_convolution(layer)
    features = random(1, 8, 6, 6) if layer.stride == (2, 2) else random(1, 8, 5, 5)
    assert torch.allclose(layer(swapped(features)), swapped(layer(features)), atol=1e-6)


@torch.no_grad()
def test_features_that_are_joined_stay_each_others():
    layer = nn.Conv2d(8, 4, 3, padding=1)
    mirror_convolution(layer, joined=2)
    first, second = random(1, 4, 6, 6), random(1, 4, 6, 6, seed=1)
    whole = layer(torch.cat([first, second], 1))
    assert torch.allclose(layer(torch.cat([swapped(first), swapped(second)], 1)), swapped(whole), atol=1e-6)


@torch.no_grad()
def test_pixels_are_mirrored():
    layer = nn.Sequential(nn.Conv2d(4, 12, 3, padding=1), nn.PixelShuffle(2))
    mirror_convolution_to_pixels(layer[0])
    features = random(1, 4, 5, 5)
    assert torch.allclose(layer(swapped(features)), layer(features).flip(-1), atol=1e-6)


@torch.no_grad()
def test_maps_are_mirrored_and_what_points_right_points_left():
    layer = nn.Linear(6, 3 * 3 * 2)
    mirror_maps(layer, 3, (-1, 1))
    features = random(1, 6)
    maps = layer(features).view(3, 3, 2)
    mirrored = layer(torch.cat(features.chunk(2, 1)[::-1], 1)).view(3, 3, 2)
    assert torch.allclose(mirrored, maps.flip(1) * torch.tensor([-1.0, 1]), atol=1e-6)


def test_what_is_mirrored_already_stays_as_it_is_and_the_rest_meets_halfway():
    norm = nn.BatchNorm2d(4)
    norm.weight.data = torch.tensor([1.0, 2, 1, 4])
    with torch.no_grad():
        mirror_norm(norm)
    assert norm.weight.tolist() == [1, 3, 1, 3]


@torch.no_grad()
@pytest.mark.parametrize("stack", [halve_by_convolving(3, (4, 8)), upsample_and_convolve(3, 4)])
def test_stacks_have_halved_or_doubled_sides(stack):
    factor = stack(random(2, 3, 16, 16)).shape[-1] / 16
    assert factor == (1 / 4 if len(stack) == 6 else 2)


@torch.no_grad()
def test_a_localizer_whose_weights_moved_apart_is_mirrored_again():
    torch.manual_seed(0)
    network = build_network(SMALL).eval()
    for parameter in network.localizer.parameters():
        parameter += 0.1 * torch.randn_like(parameter)
    crop = torch.rand(1, 3, 160, 160, generator=torch.Generator().manual_seed(1))

    def difference():
        seen, mirrored = network.localizer(crop), network.localizer(crop.flip(-1))
        return (seen.parts - mirrored.parts.flip(-1)).abs().max()

    assert difference() > 0.01
    network.keep_mirrored()
    assert difference() < 1e-4
