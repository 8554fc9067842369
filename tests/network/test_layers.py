"""The layers that networks are made of, and what is made of them for inference."""

import copy

import pytest
import torch
from torch import nn

from symface_cli.network.layers import HalvingMaximum, convolve_and_pool, fold_batch_norm, upsample_and_convolve


def trained(stack):
    """A stack with statistics and scales as a training may leave them."""
    generator = torch.Generator().manual_seed(0)
    for layer in stack.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for values in (layer.weight, layer.running_var):
                values.data = 0.5 + torch.rand(values.shape, generator=generator)
            for values in (layer.bias, layer.running_mean):
                values.data = torch.randn(values.shape, generator=generator)
    return stack.eval()


@pytest.mark.parametrize("size", [(8, 8), (7, 10), (5, 3)])
def test_the_halving_maximum_is_that_of_max_pooling(size):
    features = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(0))
    assert torch.equal(HalvingMaximum()(features), nn.functional.max_pool2d(features, 2))


@pytest.mark.parametrize("stack", [convolve_and_pool(3, (4, 8)), upsample_and_convolve(3, 4)])
@torch.inference_mode()
def test_folded_stacks_compute_the_same(stack):
    image = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    folded = copy.deepcopy(trained(stack))
    fold_batch_norm(folded)
    assert not any(isinstance(layer, (nn.BatchNorm2d, nn.MaxPool2d)) for layer in folded.modules())
    assert torch.allclose(folded(image), stack(image), atol=1e-5)


@torch.inference_mode()
def test_a_negative_scale_is_not_folded():
    """Behind max-pooling it would turn the largest value into the smallest."""
    image = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    stack = trained(convolve_and_pool(3, (4, 8)))
    stack[2].weight.data[1] = -1
    folded = copy.deepcopy(stack)
    fold_batch_norm(folded)
    assert [isinstance(layer, nn.BatchNorm2d) for layer in folded].count(True) == 1
    assert torch.allclose(folded(image), stack(image), atol=1e-5)
