"""The network: a localizer that finds the face's warp, and a VAE that knows what symmetric faces look like.

`SymmetricFaceVAE` is symface's own network, `PaperVAE` the paper's, for comparison. Images are float tensors
(B, 3, H, W) in 0..1; warps are (B, 17, 17, 2), (x, y) in normalised crop coordinates at the face frame's control
points; all grids use align_corners=True.
"""

from dataclasses import asdict, dataclass
from functools import cache
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from symface_cli.geometry import GRID, enlarging_weights

FACE_SIZE = 128  # px, side of a decoded face
LINEAR_SIZE = 64  # px, side of the faces that the encoder and the linear path work on
VISIBLE_POWER = 8
SEEN, UNSEEN = 0.8, 0.4  # visibility on the better side from which the photo is trusted, and below which it is not
INSIDE = 0.75  # mask from which on a point surely lies in the face; on its outline the mask is 0.5
GREY = 0.5  # what stands outside of the face


@dataclass(frozen=True)
class Architecture:
    """What a network is, sufficient to build it: stored in checkpoints and weights files.

    Attributes:
        kind: "symface", or "paper" for the paper's own configuration.
        latent: Number of latent units.
        coarse_widths: Channels of the localizer's first stack, on the crop at half size.
        fine_widths: Channels of the localizer's second stack, on the rectified face.
        encoder_widths: Channels of the encoder's stack; the decoder has them in reverse.
        hidden: Units of the localizer's hidden layers.
    """

    kind: Literal["symface", "paper"] = "symface"
    latent: int = 768
    coarse_widths: tuple[int, ...] = (24, 48, 96, 192)
    fine_widths: tuple[int, ...] = (16, 32, 64, 128, 192)
    encoder_widths: tuple[int, ...] = (32, 64, 128, 192)
    hidden: int = 320

    def as_dict(self) -> dict[str, object]:
        """The fields as JSON has them: lists, no tuples."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}


PAPER = Architecture(kind="paper", encoder_widths=(24, 48, 96, 192, 256))


class Located(NamedTuple):
    """What the localizer says of a crop.

    Attributes:
        coarse: First guess of the warp, (B, 17, 17, 2).
        warp: Refined warp, (B, 17, 17, 2).
        mask: Logits (B, 17, 17) of a point of the face frame belonging to the face.
        visible: Logits (B, 17, 17) of nothing lying in front of the face there.
    """

    coarse: Tensor
    warp: Tensor
    mask: Tensor
    visible: Tensor


class Faces(NamedTuple):
    """The path of crops through the network, for inference.

    Attributes:
        warp: (B, 17, 17, 2).
        mask: (B, 17, 17) in 0..1, symmetric.
        visible: (B, 17, 17) in 0..1.
        weights: q, how much each side counts, (B, 17, 17).
        framed_weights: The same in the face, but one side alone around it, (B, 17, 17).
        hidden: How far neither side shows a point of the face, (B, 17, 17) in 0..1, symmetric.
        face: The decoded symmetric face (B, 3, 128, 128), exactly symmetric, grey outside of the mask.
    """

    warp: Tensor
    mask: Tensor
    visible: Tensor
    weights: Tensor
    framed_weights: Tensor
    hidden: Tensor
    face: Tensor


def convolve_and_pool(channels: int, widths: tuple[int, ...]) -> nn.Sequential:
    """The paper's stack (Eq. 1-3): 3 x 3 convolution, ReLU, 2 x 2 max-pooling with stride 2, once per width.

    Deviation: batch normalisation. ReLU and pooling commute, and after pooling both cost a quarter.
    """
    layers: list[nn.Module] = []
    for width in widths:
        layers += [nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.MaxPool2d(2)]
        layers += [nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
        channels = width
    return nn.Sequential(*layers)


def enlarge_grid(grid: Tensor, size: int) -> Tensor:
    """A grid of control values (B, 17, 17, C), up-sampled smoothly to (B, size, size, C)."""
    weights = torch.tensor(_enlarging_weights(grid.shape[1], size), dtype=grid.dtype, device=grid.device)
    return torch.einsum("yi,bijc,xj->byxc", weights, grid, weights)


# Not cached as a tensor: one that was made in inference mode could not be trained with.
_enlarging_weights = cache(enlarging_weights)


def rectify(crop: Tensor, warp: Tensor, size: int = FACE_SIZE) -> Tensor:
    """The crop (B, C, H, W) sampled through the warp: the face in its frame, (B, C, size, size)."""
    return F.grid_sample(crop, enlarge_grid(warp, size).to(crop.dtype), padding_mode="reflection", align_corners=True)


def mirror_warp(warp: Tensor) -> Tensor:
    """The warp of the mirrored crop."""
    return warp.flip(2) * warp.new_tensor([-1.0, 1.0])


def compose_warps(warp: Tensor, shift: Tensor) -> Tensor:
    """W(u + shift(u)) at the control points u; `shift` (B, 17, 17, 2) in normalised face coordinates."""
    points = shift + identity_warp(warp)
    composed = F.grid_sample(
        warp.permute(0, 3, 1, 2), points, mode="bicubic", padding_mode="border", align_corners=True
    )
    return composed.permute(0, 2, 3, 1)


def identity_warp(like: Tensor) -> Tensor:
    """The warp (B, 17, 17, 2) that takes the whole crop for the face, for as many crops as `like` has."""
    ticks = torch.linspace(-1, 1, GRID, device=like.device, dtype=like.dtype)
    y, x = torch.meshgrid(ticks, ticks, indexing="ij")
    return torch.stack([x, y], -1).expand(len(like), -1, -1, -1)


def foreshortening(warp: Tensor) -> Tensor:
    """J(u) = |det dW/du| at the control points, (B, 17, 17): how much of the crop shows this part of the face."""
    dy, dx = torch.gradient(warp, dim=(1, 2))
    determinant = dx[..., 0] * dy[..., 1] - dx[..., 1] * dy[..., 0]
    smooth = F.avg_pool2d(F.pad(determinant[:, None], (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    return smooth[:, 0].clamp(min=1e-5)


def side_weights(warp: Tensor, visible: Tensor) -> Tensor:
    """q(u) = J(u) v(u) / (J(u) v(u) + J(u') v(u')), (B, 17, 17), with u' the mirror image of u.

    v is a power of the visibility: uncovered faces have 0.96 and more, so that less already is a sign.
    """
    amount = foreshortening(warp) * (visible**VISIBLE_POWER + 1e-3)
    return amount / (amount + amount.flip(2))


def hidden_on_both_sides(visible: Tensor) -> Tensor:
    """How far neither side shows a point of the face, (B, 17, 17) in 0..1, symmetric."""
    better = torch.maximum(visible, visible.flip(2))
    return ((SEEN - better) / (SEEN - UNSEEN)).clamp(0, 1)


def one_side_around_face(weights: Tensor, mask: Tensor) -> Tensor:
    """Weights (B, 17, 17) that blend both sides in the face, but show one side's surroundings mirrored.

    Hair, ears and background do not match their mirror image: blended they would be ghosts. The side is the one whose
    face counts more. Its part begins inside the face, so that no background of the other side shines along the jaw.
    """
    half = weights.shape[2] // 2
    counted = weights * mask
    left = counted[..., :half].sum((1, 2)) >= counted[..., -half:].sum((1, 2))
    columns = torch.linspace(1, -1, weights.shape[2], device=weights.device).sign()  # 1 on the left, -1 on the right
    side = (1 + columns * torch.where(left, 1, -1)[:, None]) / 2
    inside = ((mask - INSIDE) / (1 - INSIDE)).clamp(0, 1)
    return torch.lerp(side[:, None].expand_as(weights), weights, inside)


def blend_sides(face: Tensor, weights: Tensor) -> Tensor:
    """q(u) a(u) + q(u') a(u'): the rectified face (B, 3, S, S) blended with its mirror image, exactly symmetric.

    `weights` is q at the control points, (B, 17, 17).
    """
    q = enlarge_grid(weights[..., None], face.shape[-1]).permute(0, 3, 1, 2).to(face.dtype)
    weighted = q.clamp(0, 1) * face
    return weighted + weighted.flip(-1)


def keep_face(face: Tensor, mask: Tensor) -> Tensor:
    """The face (B, 3, S, S) on grey: `mask` (B, 17, 17) in 0..1 says where it is kept."""
    alpha = enlarge_grid(mask[..., None], face.shape[-1]).permute(0, 3, 1, 2).clamp(0, 1).to(face.dtype)
    return GREY + (face - GREY) * alpha


class Localizer(nn.Module):
    """Finds the warp in two steps: a guess from the whole crop, then a correction from the face rectified with it.

    A spatial transformer (Jaderberg et al. 2015). The second step sees the rectified face beside its mirror image, so
    that it can register the two sides.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        hidden = architecture.hidden
        self.coarse = nn.Sequential(
            convolve_and_pool(3, architecture.coarse_widths),  # (B, 192, 5, 5)
            nn.Flatten(),
            nn.Linear(architecture.coarse_widths[-1] * 25, hidden),
            nn.ReLU(),
        )
        self.coarse_warp = nn.Linear(hidden, GRID * GRID * 2)
        self.fine = nn.Sequential(
            convolve_and_pool(6, architecture.fine_widths),  # (B, 192, 4, 4)
            nn.Flatten(),
            nn.Linear(architecture.fine_widths[-1] * 16, hidden),
            nn.ReLU(),
        )
        self.fine_maps = nn.Linear(hidden, GRID * GRID * 4)
        for layer in (self.coarse_warp, self.fine_maps):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, crop: Tensor) -> Located:
        """Locates the face in each crop (B, 3, 160, 160)."""
        half = F.avg_pool2d(crop, 2) - GREY  # (B, 3, 80, 80)
        guess = self.coarse_warp(self.coarse(half)).float().view(-1, GRID, GRID, 2)
        coarse = guess + identity_warp(guess)
        start = coarse.detach()  # the second step learns from where the first one is, without moving it
        face = rectify(crop, start) - GREY
        maps = self.fine_maps(self.fine(torch.cat([face, face.flip(-1)], 1))).float().view(-1, GRID, GRID, 4)
        warp = compose_warps(start, 0.15 * maps[..., :2])  # shifts are small: so outputs are near 1
        return Located(coarse, warp, maps[..., 2], maps[..., 3])


def upsample_and_convolve(channels: int, width: int) -> nn.Sequential:
    """Nearest-neighbour up-sampling by 2, 3 x 3 convolution and ReLU (Eq. 6-9), with batch normalisation."""
    return nn.Sequential(
        nn.Upsample(scale_factor=2),
        nn.Conv2d(channels, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(inplace=True),
    )


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
        small = F.avg_pool2d(face, FACE_SIZE // LINEAR_SIZE) - GREY  # (B, 3, 64, 64)
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
        left: Tensor = GREY + whole[..., : FACE_SIZE // 2] + detail
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

    def locate_both_ways(self, crop: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Warp, mask and visibility (0..1) from the crop and from its mirror image, averaged."""
        count = len(crop)
        found = self.localizer(torch.cat([crop, crop.flip(-1)]))
        warp = (found.warp[:count] + mirror_warp(found.warp[count:])) / 2
        mask, visible = (
            (logits[:count] + logits[count:].flip(2)).div(2).sigmoid() for logits in (found.mask, found.visible)
        )
        return warp, (mask + mask.flip(2)) / 2, visible

    def forward(self, crop: Tensor) -> Faces:
        """Symmetric faces of crops (B, 3, 160, 160), with z = mu: the same crop gives the same face."""
        warp, mask, visible = self.locate_both_ways(crop)
        weights, hidden = side_weights(warp, visible), hidden_on_both_sides(visible)
        blended = blend_sides(rectify(crop, warp), weights)
        mu, _ = self.encoder(keep_face(blended, mask * (1 - hidden)))
        face = keep_face(mirror_half(self.decoder(mu)), mask)
        face = (face + face.flip(-1)) / 2
        return Faces(warp, mask, visible, weights, one_side_around_face(weights, mask), hidden, face)


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
        image = F.interpolate(crop, size=(FACE_SIZE, FACE_SIZE), mode="bilinear", antialias=True) - GREY
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
