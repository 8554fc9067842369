"""Layers of the networks, their mirroring in training, and their folding for inference.

A network with mirrored weights answers a mirrored image by mirrored maps, so that it need not look at both. Its
features' channels are in two halves: what one half says of an image, the other says, mirrored, of its mirror image.
That is the regular representation of the group of two elements (Cohen & Welling 2016, "Group equivariant convolutional
networks"). Each weight is there twice. A step of training moves the two apart; the functions here take the mean of a
layer's weights and their mirrored ones: of all weights that are mirrored, the nearest. Kernels have to lie the same way
in a mirrored image: where they halve it, they are even.
"""

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

HALFWAY = 0.5  # from weights to their mirrored ones


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


def convolutions(part: nn.Module) -> list[nn.Conv2d]:
    """Return the convolutions of a part, from its beginning to its end."""
    return [layer for layer in part.modules() if isinstance(layer, nn.Conv2d)]


def mirror_convolution(layer: nn.Conv2d, joined: int = 1) -> None:
    """Mirror the weights of a convolution of features, which may be `joined` of several equally wide layers."""
    _, inputs, *kernel = layer.weight.shape
    halves = (2, -1, joined, 2, inputs // joined // 2, *kernel)
    layer.weight.lerp_(_flip(layer.weight, halves, (0, 3, -1)), HALFWAY)
    if layer.bias is not None:
        layer.bias.lerp_(_flip(layer.bias, (2, -1), (0,)), HALFWAY)


def mirror_convolution_of_image(layer: nn.Conv2d) -> None:
    """Mirror the weights of a convolution of an image, whose channels have no halves."""
    layer.weight.lerp_(_flip(layer.weight, (2, -1, *layer.weight.shape[1:]), (0, -1)), HALFWAY)


def mirror_convolution_to_pixels(layer: nn.Conv2d, joined: int = 1) -> None:
    """Mirror the weights of a convolution of features that gives the 2 x 2 pixels of `nn.PixelShuffle(2)`."""
    assert layer.bias is not None
    _, inputs, *kernel = layer.weight.shape
    pairs_and_halves = (-1, 2, joined, 2, inputs // joined // 2, *kernel)  # pairs of pixels beside each other
    layer.weight.lerp_(_flip(layer.weight, pairs_and_halves, (1, 3, -1)), HALFWAY)
    layer.bias.lerp_(_flip(layer.bias, (-1, 2), (1,)), HALFWAY)


def mirror_norm(layer: nn.BatchNorm2d) -> None:
    """Mirror the scales, shifts and statistics of features."""
    for values in (layer.weight, layer.bias, layer.running_mean, layer.running_var):
        assert values is not None
        values.lerp_(_flip(values, (2, -1), (0,)), HALFWAY)


def mirror_maps(layer: nn.Linear, side: int, signs: tuple[int, ...]) -> None:
    """Mirror the weights of what turns features into maps (side, side, C).

    `signs` has -1 for channels that point to the right, as a warp's x does, and 1 for others.
    """
    maps, sign = (side, side, len(signs)), layer.weight.new_tensor(signs).repeat(side * side)
    layer.weight.lerp_(_flip(layer.weight, (*maps, 2, -1), (1, 3)) * sign[:, None], HALFWAY)
    layer.bias.lerp_(_flip(layer.bias, maps, (1,)) * sign, HALFWAY)


def _flip(values: Tensor, shape: tuple[int, ...], axes: tuple[int, ...]) -> Tensor:
    """Return values with some axes flipped that they have in another shape.

    Weights are large: all axes at once take a sixth of the time that they take one after the other.
    """
    return values.reshape(shape).flip(axes).reshape(values.shape)
