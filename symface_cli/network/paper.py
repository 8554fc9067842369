"""The paper's own network, for comparison."""

import torch.nn.functional as F
from torch import Tensor, nn

from symface_cli.network.architecture import FACE_SIZE, GRAY, Architecture


class PaperVAE(nn.Module):
    """The paper's own configuration: no localizer, no linear path, the face encoded and decoded in the crop as it is.

    All stages have the same network; in stage 3 its output is the symmetric face.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        widths = architecture.encoder_widths
        layers: list[nn.Module] = []
        for channels, width in zip((3, *widths), widths, strict=False):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.MaxPool2d(2), nn.ReLU(inplace=True)]
        self.stack = nn.Sequential(*layers)  # (B, 256, 4, 4)
        self.statistics = nn.Linear(widths[-1] * 16, 2 * architecture.latent)
        self.start = nn.Linear(architecture.latent, widths[-1] * 16)
        layers = []
        for channels, width in zip(widths[::-1], (*widths[-2::-1], widths[0]), strict=True):
            up: nn.Module = nn.Upsample(scale_factor=2) if layers else ZeroUpsample()
            layers += [up, nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(inplace=True)]
        self.decoder = nn.Sequential(*layers, nn.Conv2d(widths[0], 3, 3, padding=1))

    def encode(self, crop: Tensor) -> tuple[Tensor, Tensor]:
        """Parameters mu and log_var, each (B, latent), of z for crops (B, 3, 160, 160) (Eq. 1-5)."""
        image = F.interpolate(crop, size=(FACE_SIZE, FACE_SIZE), mode="bilinear", antialias=True) - GRAY
        mu, log_var = self.statistics(self.stack(image).flatten(1)).float().chunk(2, 1)
        return mu, log_var.clamp(-12, 4)

    def decode(self, z: Tensor) -> Tensor:
        """Logits (B, 3, 128, 128) of the pixels (Eq. 6-10)."""
        width = self.architecture.encoder_widths[-1]
        return self.decoder(self.start(z).view(-1, width, 4, 4)).float()  # type: ignore[no-any-return]

    def forward(self, crop: Tensor) -> Tensor:
        """Decoded faces (B, 3, 128, 128) in 0..1, averaged with their mirror image."""
        face = self.decode(self.encode(crop)[0]).sigmoid()
        return (face + face.flip(-1)) / 2


class ZeroUpsample(nn.Module):
    """Up-sampling by 2 with zeros between the values, as the paper does with its smallest map."""

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, 2 H, 2 W)."""
        batch, channels, height, width = features.shape
        out = features.new_zeros(batch, channels, 2 * height, 2 * width)
        out[:, :, ::2, ::2] = features
        return out
