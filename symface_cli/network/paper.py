"""The paper's own network, for comparison."""

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from symface_cli.network.architecture import FACE_SIZE, GRAY, LOG_VARIANCES, Architecture
from symface_cli.network.face_network import FaceNetwork, Localization


class PaperVAE(FaceNetwork):
    """The paper's own configuration: no localizer, no linear path, the face encoded and decoded in the crop as it is.

    All stages have the same network; in stage 3 its output is the symmetric face.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__(architecture)
        widths = architecture.encoder_widths
        layers: list[nn.Module] = []
        for channels, width in pairwise((3, *widths)):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.MaxPool2d(2), nn.ReLU(inplace=True)]
        self.stack = nn.Sequential(*layers)  # (B, 256, 4, 4)
        self.statistics = nn.Linear(widths[-1] * 16, 2 * architecture.latent)
        self.start = nn.Linear(architecture.latent, widths[-1] * 16)
        layers = []
        for channels, width in zip(widths[::-1], (*widths[-2::-1], widths[0]), strict=True):
            up: nn.Module = nn.Upsample(scale_factor=2) if layers else ZeroUpsample()
            layers += [up, nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
        self.decoder = nn.Sequential(*layers, nn.Conv2d(widths[0], 3, 3, padding=1))

    def locate(self, crop: Tensor) -> Localization | None:
        """Return None: this network does not say where the face lies."""
        return None

    def encode(self, crop: Tensor) -> tuple[Tensor, Tensor]:
        """Return mu and log_var, each (B, latent), of z for crops (B, 3, 160, 160) (Eq. 1-5)."""
        image = F.interpolate(crop, size=(FACE_SIZE, FACE_SIZE), mode="bilinear", antialias=True) - GRAY
        mu, log_var = self.statistics(self.stack(image).flatten(1)).float().chunk(2, 1)
        return mu, log_var.clamp(*LOG_VARIANCES)

    def pixel_logits(self, z: Tensor) -> Tensor:
        """Return the logits (B, 3, 128, 128) of the pixels for z (B, latent) (Eq. 6-10)."""
        width = self.architecture.encoder_widths[-1]
        return self.decoder(self.start(z).view(-1, width, 4, 4)).float()  # type: ignore[no-any-return]

    def reconstruct(self, crop: Tensor) -> Tensor:
        """Return what is decoded of crops (B, 3, 160, 160), with z = mu: (B, 3, 128, 128) in 0..1."""
        mu, _ = self.encode(crop)
        return self.pixel_logits(mu).sigmoid()

    def decode(self, crop: Tensor, localization: Localization | None = None) -> Tensor:
        """Return decoded faces (B, 3, 128, 128) in 0..1, averaged with their mirror image."""
        face = self.reconstruct(crop)
        return (face + face.flip(-1)) / 2


class ZeroUpsample(nn.Module):
    """Up-sample by 2 with zeros between the values, as the paper does with its smallest map."""

    def forward(self, features: Tensor) -> Tensor:
        """Up-sample (B, C, H, W) to (B, C, 2 H, 2 W)."""
        batch, channels, height, width = features.shape
        out = features.new_zeros(batch, channels, 2 * height, 2 * width)
        out[:, :, ::2, ::2] = features
        return out
