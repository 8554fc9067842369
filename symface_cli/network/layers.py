"""Layers of the networks, and their folding for inference."""

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def convolve_and_pool(channels: int, widths: tuple[int, ...]) -> nn.Sequential:
    """Build the paper's stack (Eq. 1-3): 3 x 3 convolution, ReLU, 2 x 2 max-pooling with stride 2, once per width.

    Deviation: batch normalization. ReLU and pooling commute, and after pooling both cost a quarter.
    """
    layers: list[nn.Module] = []
    for width in widths:
        layers += [nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.MaxPool2d(2)]
        layers += [nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
        channels = width
    return nn.Sequential(*layers)


def halve_by_convolving(channels: int, widths: tuple[int, ...]) -> nn.Sequential:
    """Build a stack of 4 x 4 convolutions with stride 2, batch normalization and ReLU, one per width.

    Next to `convolve_and_pool`, a quarter of the places are computed, and mirrored images give mirrored features:
    the kernel is even.
    """
    layers: list[nn.Module] = []
    for width in widths:
        layers += [nn.Conv2d(channels, width, 4, stride=2, padding=1, bias=False)]
        layers += [nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
        channels = width
    return nn.Sequential(*layers)


def upsample_and_convolve(channels: int, width: int) -> nn.Sequential:
    """Build nearest-neighbor up-sampling by 2, 3 x 3 convolution and ReLU (Eq. 6-9), with batch normalization."""
    return nn.Sequential(
        nn.Upsample(scale_factor=2),
        nn.Conv2d(channels, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
    )


class HalvingMaximum(nn.Module):
    """What `nn.MaxPool2d(2)` computes, on a CPU in a third of the time; for inference."""

    def forward(self, features: Tensor) -> Tensor:
        """Return the largest of 2 x 2 values of (B, C, H, W): (B, C, H // 2, W // 2)."""
        columns = torch.maximum(features[..., :-1:2], features[..., 1::2])
        return torch.maximum(columns[..., :-1:2, :], columns[..., 1::2, :])


def fold_batch_norm(network: nn.Module) -> None:
    """Fold each BatchNorm into the preceding convolution; inference then needs no normalization layers.

    The network must be in evaluation mode. Max-pooling between the two does not matter unless a scale is negative;
    such a layer stays as it is.
    """
    for stack in network.modules():
        if isinstance(stack, nn.Sequential):
            for place, layer in enumerate(stack):
                if isinstance(layer, nn.BatchNorm2d):
                    _fold_into_convolution(stack, place, layer)


def _fold_into_convolution(stack: nn.Sequential, place: int, norm: nn.BatchNorm2d) -> None:
    """Fold the normalization at a place in a stack into the convolution before it, if that computes the same."""
    pooled = isinstance(stack[place - 1], nn.MaxPool2d)
    if pooled and bool((norm.weight < 0).any()):
        return
    before = place - 2 if pooled else place - 1
    convolution = stack[before]
    assert isinstance(convolution, nn.Conv2d)
    stack[before], stack[place] = fuse_conv_bn_eval(convolution, norm), nn.Identity()
    if pooled:
        stack[place - 1] = HalvingMaximum()
