"""symface's own network: a localizer that finds the face's warp, and a VAE that knows what symmetric faces look like.

Images are float tensors (B, 3, H, W) in 0..1; warps are (B, 17, 17, 2), (x, y) in normalized crop coordinates at the
face frame's control points; all grids use align_corners=True.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from symface_cli.geometry.warps import GRID
from symface_cli.network.architecture import FACE_SIZE, GRAY, LOG_VARIANCES, Architecture
from symface_cli.network.face_network import FaceNetwork, Localization
from symface_cli.network.layers import convolve_and_pool, upsample_and_convolve
from symface_cli.network.localizer import Localizer
from symface_cli.network.parsing import probabilities, visibility
from symface_cli.network.warps import (
    blend_sides,
    hidden_on_both_sides,
    identity_warp,
    keep_face,
    rectify,
    side_weights,
)

LINEAR_SIZE = 64  # px, side of the faces that the encoder and the linear path work on


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
        """Return mu and log_var, each (B, latent), of z for the left half of faces (B, 3, 128, 128)."""
        small = F.avg_pool2d(face, FACE_SIZE // LINEAR_SIZE) - GRAY  # (B, 3, 64, 64)
        mu, log_var = self.statistics(self.stack(small).flatten(1)).float().chunk(2, 1)
        left = small[..., : LINEAR_SIZE // 2].flatten(1)
        return self.linear(left).float() + self.deviation * mu, log_var.clamp(*LOG_VARIANCES)


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
        """Return the left halves (B, 3, 128, 64) of the faces of z (B, latent); they may exceed 0..1 a little."""
        small = self.linear(z).view(-1, 3, LINEAR_SIZE, LINEAR_SIZE // 2)
        features = self.stack(self.start(z).view(-1, self.channels, 4, 2))  # (B, 32, 64, 32)
        detail = self.detail(torch.cat([features, small.to(features.dtype)], 1)).float()
        whole = F.interpolate(whole_from_left(small.float()), scale_factor=2, mode="bilinear")
        left: Tensor = GRAY + whole[..., : FACE_SIZE // 2] + detail
        return left


def whole_from_left(left: Tensor) -> Tensor:
    """Return the symmetric image (B, C, H, 2 W) of its left half (B, C, H, W)."""
    return torch.cat([left, left.flip(-1)], -1)


class SymmetricFaceVAE(FaceNetwork):
    """symface's network: localizer, encoder and decoder.

    Attributes:
        pose_field: How the head's turn moves the points of a face, per sine of the yaw: (17, 17, 2), in normalized face
            coordinates, odd; learned in training, see `training.pose`.
    """

    pose_field: Tensor

    def __init__(self, architecture: Architecture) -> None:
        super().__init__(architecture)
        self.localizer = Localizer(architecture)
        self.encoder = Encoder(architecture)
        self.decoder = Decoder(architecture)
        self.register_buffer("pose_field", torch.zeros(GRID, GRID, 2))

    def localizing_parts(self) -> Sequence[nn.Module]:
        """Return the localizer."""
        return (self.localizer,)

    def keep_mirrored(self) -> None:
        """Keep the localizer's weights mirrored."""
        self.localizer.keep_mirrored()

    def locate(self, crop: Tensor) -> Localization:
        """Locate the faces of crops (B, 3, 160, 160)."""
        found = self.localizer.locate(crop)
        warp, mask, parts, level = found.warp, found.mask.sigmoid(), probabilities(found.parts), found.level
        mask = (mask + mask.flip(2)) / 2
        visible = visibility(parts, warp, level)
        weights = side_weights(warp, visible)
        hidden = hidden_on_both_sides(visible)
        return Localization(warp, mask, parts, visible, weights, hidden, self.pose_field)

    def decode(self, crop: Tensor, localization: Localization | None = None) -> Tensor:
        """Return symmetric faces (B, 3, 128, 128), exactly symmetric, gray outside of the mask."""
        located = self.locate(crop) if localization is None else localization
        blended = blend_sides(rectify(crop, located.warp), located.weights)
        mu, _ = self.encoder(keep_face(blended, located.mask * (1 - located.hidden)))
        face = keep_face(whole_from_left(self.decoder(mu)), located.mask)
        return (face + face.flip(-1)) / 2

    def reconstruct(self, crop: Tensor) -> Tensor:
        """Return what is decoded of crops (B, 3, 160, 160) as they are, each half by itself: (B, 3, 128, 128)."""
        face = rectify(crop, identity_warp(crop))
        left, right = (self.decoder(self.encoder(image)[0]) for image in (face, face.flip(-1)))
        return torch.cat([left, right.flip(-1)], 3)
