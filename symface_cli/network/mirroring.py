"""Weights with which a network answers a mirrored image by mirrored maps, so that it need not look at both.

Its features' channels are in two halves: what one half says of an image, the other says, mirrored, of its mirror image.
That is the regular representation of the group of two elements (Cohen & Welling 2016, "Group equivariant convolutional
networks"). In such a network each weight is there twice. A step of training moves the two apart; the functions here
take the mean of a layer's weights and their mirrored ones: of all weights that are mirrored, the nearest.

Kernels have to lie the same way in a mirrored image: where they halve it, they are even.
"""

from torch import Tensor, nn

HALFWAY = 0.5


def convolutions(part: nn.Module) -> list[nn.Conv2d]:
    """Return the convolutions of a part, from its beginning to its end."""
    return [layer for layer in part.modules() if isinstance(layer, nn.Conv2d)]


def mirror_convolution(layer: nn.Conv2d, joined: int = 1) -> None:
    """Mirror the weights of a convolution of features, which may be `joined` of several equally wide layers."""
    layer.weight.lerp_(_swap_halves(_swap_halves(layer.weight.flip(-1), 1, joined), 0), HALFWAY)
    if layer.bias is not None:
        layer.bias.lerp_(_swap_halves(layer.bias, 0), HALFWAY)


def mirror_convolution_of_image(layer: nn.Conv2d) -> None:
    """Mirror the weights of a convolution of an image, whose channels have no halves."""
    layer.weight.lerp_(_swap_halves(layer.weight.flip(-1), 0), HALFWAY)


def mirror_convolution_to_pixels(layer: nn.Conv2d, joined: int = 1) -> None:
    """Mirror the weights of a convolution of features that gives the 2 x 2 pixels of `nn.PixelShuffle(2)`."""
    assert layer.bias is not None
    mirrored_weight = _swap_halves(layer.weight.flip(-1), 1, joined)
    for values, mirrored in ((layer.weight, mirrored_weight), (layer.bias, layer.bias)):
        pairs = mirrored.reshape(-1, 2, *mirrored.shape[1:])  # of pixels beside each other
        values.lerp_(pairs.flip(1).reshape(mirrored.shape), HALFWAY)


def mirror_norm(layer: nn.BatchNorm2d) -> None:
    """Mirror the scales, shifts and statistics of features."""
    for values in (layer.weight, layer.bias, layer.running_mean, layer.running_var):
        assert values is not None
        values.lerp_(_swap_halves(values, 0), HALFWAY)


def mirror_maps(layer: nn.Linear, side: int, signs: tuple[int, ...]) -> None:
    """Mirror the weights of what turns features into maps (side, side, C).

    `signs` has -1 for channels that point to the right, as a warp's x does, and 1 for others.
    """
    sign = layer.weight.new_tensor(signs)[:, None]
    for values, mirrored in ((layer.weight, _swap_halves(layer.weight, 1)), (layer.bias[:, None], layer.bias[:, None])):
        maps = mirrored.reshape(side, side, len(signs), -1).flip(1) * sign
        values.lerp_(maps.reshape(mirrored.shape), HALFWAY)


def _swap_halves(values: Tensor, axis: int, joined: int = 1) -> Tensor:
    """Swap the two halves of an axis, or those of each of `joined` parts of it."""
    before, after = values.shape[:axis], values.shape[axis + 1 :]
    halves = values.reshape(*before, joined, 2, -1, *after)
    return halves.flip(axis + 1).reshape(values.shape)
