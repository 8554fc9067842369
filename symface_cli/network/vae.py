"""The network: a localizer that finds the face's warp, and a VAE that knows what symmetric faces look like.

`SymmetricFaceVAE` is symface's own network; `paper.PaperVAE` is the paper's, for comparison. Images are float tensors
(B, 3, H, W) in 0..1; warps are (B, 17, 17, 2), (x, y) in normalized crop coordinates at the face frame's control
points; all grids use align_corners=True.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from symface_cli.network.architecture import FACE_SIZE, GRAY, Architecture
from symface_cli.network.device import has_bfloat16
from symface_cli.network.layers import convolve_and_pool, fold_batch_norm, upsample_and_convolve
from symface_cli.network.localizer import Localizer
from symface_cli.network.paper import PaperVAE
from symface_cli.network.warps import (
    blend_sides,
    hidden_on_both_sides,
    keep_face,
    one_side_around_face,
    rectify,
    side_weights,
)

LINEAR_SIZE = 64  # px, side of the faces that the encoder and the linear path work on


class Seen(NamedTuple):
    """What the localizer makes of crops, for inference.

    Attributes:
        warp: (B, 17, 17, 2).
        mask: (B, 17, 17) in 0..1, symmetric.
        visible: (B, 17, 17) in 0..1.
        weights: q, how much each side counts, (B, 17, 17).
        framed_weights: The same in the face, but one side alone around it, (B, 17, 17).
        hidden: How far neither side shows a point of the face, (B, 17, 17) in 0..1, symmetric.
    """

    warp: Tensor
    mask: Tensor
    visible: Tensor
    weights: Tensor
    framed_weights: Tensor
    hidden: Tensor


class Encoder(nn.Module):
    """q(z | x) of Eq. 1-5 on the rectified face: a convolution stack, and a linear path beside it.

    mu = A x + deviation * convolutions(x). The unit of what the convolutions add is the deviation of z that the image
    leaves open (set by the PCA), so that their noise while learning does no harm: it is 0.003 for the first units.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.stack = convolve_and_pool(3, architecture.encoder_widths)  # (B, 192, 4, 4)
        self.statistics = nn.Linear(architecture.encoder_widths[-1] * 16, 2 * architecture.latent)
        self.linear = nn.Linear(3 * LINEAR_SIZE * LINEAR_SIZE // 2, architecture.latent)
        self.register_buffer("deviation", torch.ones(architecture.latent))
        self.deviation: Tensor

    def forward(self, face: Tensor) -> tuple[Tensor, Tensor]:
        """Parameters mu and log_var, each (B, latent), of z for the left half of faces (B, 3, 128, 128)."""
        small = F.avg_pool2d(face, FACE_SIZE // LINEAR_SIZE) - GRAY  # (B, 3, 64, 64)
        mu, log_var = self.statistics(self.stack(small).flatten(1)).float().chunk(2, 1)
        left = small[..., : LINEAR_SIZE // 2].flatten(1)
        return self.linear(left).float() + self.deviation * mu, log_var.clamp(-12, 4)


class Decoder(nn.Module):
    """p(x | z) of Eq. 6-10 for the left half of the face; the right half is its mirror image.

    y = up(B z + b) + convolutions(z, B z + b).
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        first, *others = reversed(architecture.encoder_widths)
        widths = (*others, others[-1])  # (128, 64, 32, 32)
        self.channels = first
        self.start = nn.Linear(architecture.latent, first * 8)
        self.stack = nn.Sequential(*map(upsample_and_convolve, (first, *widths[:-1]), widths))
        self.linear = nn.Linear(architecture.latent, 3 * LINEAR_SIZE * LINEAR_SIZE // 2)
        self.detail = nn.Sequential(
            nn.Conv2d(widths[-1] + 3, widths[-1], 3, padding=1, bias=False),
            nn.BatchNorm2d(widths[-1]),
            nn.ReLU(inplace=True),
            nn.Conv2d(widths[-1], 12, 3, padding=1),
            nn.PixelShuffle(2),
        )

    def forward(self, z: Tensor) -> Tensor:
        """Left halves (B, 3, 128, 64) of the faces of z (B, latent); may exceed 0..1 a little."""
        small = self.linear(z).view(-1, 3, LINEAR_SIZE, LINEAR_SIZE // 2)
        features = self.stack(self.start(z).view(-1, self.channels, 4, 2))  # (B, 32, 64, 32)
        detail = self.detail(torch.cat([features, small.to(features.dtype)], 1)).float()
        whole = F.interpolate(mirror_half(small.float()), scale_factor=2, mode="bilinear")
        left: Tensor = GRAY + whole[..., : FACE_SIZE // 2] + detail
        return left


def mirror_half(half: Tensor) -> Tensor:
    """The whole symmetric image (B, C, H, 2 W) of its left half."""
    return torch.cat([half, half.flip(-1)], -1)


class SymmetricFaceVAE(nn.Module):
    """symface's network: localizer, encoder and decoder."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.localizer = Localizer(architecture)
        self.encoder = Encoder(architecture)
        self.decoder = Decoder(architecture)

    def locate(self, crop: Tensor) -> Seen:
        """Where the faces of crops (B, 3, 160, 160) lie, and what can be seen of them."""
        warp, mask_logits, visible_logits = self.localizer.locate_both_ways(crop)
        mask, visible = mask_logits.sigmoid(), visible_logits.sigmoid()
        mask = (mask + mask.flip(2)) / 2
        weights = side_weights(warp, visible)
        return Seen(warp, mask, visible, weights, one_side_around_face(weights, mask), hidden_on_both_sides(visible))

    def decode_face(self, crop: Tensor, seen: Seen) -> Tensor:
        """Symmetric faces (B, 3, 128, 128), exactly symmetric, gray outside of the mask.

        With z = mu: the same crop gives the same face.
        """
        blended = blend_sides(rectify(crop, seen.warp), seen.weights)
        mu, _ = self.encoder(keep_face(blended, seen.mask * (1 - seen.hidden)))
        face = keep_face(mirror_half(self.decoder(mu)), seen.mask)
        return (face + face.flip(-1)) / 2

    def forward(self, crop: Tensor) -> Tensor:
        """Symmetric faces (B, 3, 128, 128) of crops (B, 3, 160, 160)."""
        return self.decode_face(crop, self.locate(crop))


Network = SymmetricFaceVAE | PaperVAE


def build_network(architecture: Architecture) -> Network:
    """The network that an architecture describes, with fresh weights from torch's global generator."""
    return PaperVAE(architecture) if architecture.kind == "paper" else SymmetricFaceVAE(architecture)


def to_channels_last(network: Network, device: torch.device) -> None:
    """Moves a network to a device, its convolution weights in the layout in which they are fastest."""
    network.to(device)
    for parameter in network.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)


def prepare_for_inference(network: Network, device: torch.device) -> None:
    """Moves a trained network to a device, as `to_channels_last` does, its batch normalization folded.

    Where the device computes in bfloat16, so does the localizer, its weights stored so instead of being converted for
    every face: on a CPU that takes as long as a layer. The VAE stays in float32: its colors would be rounded to half a
    gray level.
    """
    fold_batch_norm(network)
    to_channels_last(network, device)
    if isinstance(network, SymmetricFaceVAE) and has_bfloat16(device):
        for layer in network.localizer.modules():
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                layer.bfloat16()
