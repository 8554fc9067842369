"""What a picture shows at each point of a face and around it: skin, hair, glasses, beard, something in front.

It is looked for in the level face: the crop under the similarity that the warp has at the face frame's edge. There the
head is upright and has its size, but keeps its own shape and pose, so that each point has one answer, in the photo too.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from symface_cli.network.layers import (
    convolutions,
    halve_by_convolving,
    mirror_convolution,
    mirror_convolution_of_image,
    mirror_convolution_to_pixels,
    upsample_and_convolve,
)
from symface_cli.network.maps import PARSING_SIZE, PARTS, Part
from symface_cli.network.warps import halve, identity_warp


class Parser(nn.Module):
    """A small U-Net (Ronneberger et al. 2015) that says what each point shows, and where the irises are.

    It sees the level face beside its mirror image; of a mirrored face it says the same, mirrored.
    """

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        channels = (6, *widths)
        self.down = nn.ModuleList(halve_by_convolving(channels[i], (widths[i],)) for i in range(len(widths)))
        below, others = widths[-1], widths[-2::-1]  # 96; 64, 32 and 16, which are joined on the way up
        self.up = nn.ModuleList()
        for width in others:
            self.up.append(upsample_and_convolve(below, width))
            below = 2 * width
        self.logits = nn.Sequential(nn.Conv2d(below, 4 * (PARTS + 1), 3, padding=1), nn.PixelShuffle(2))

    def forward(self, face: Tensor) -> Tensor:
        """Return the logits (B, PARTS + 1, 64, 64) of level faces (B, 3, 64, 64), centered on gray.

        The first PARTS exclude each other; the last one is that of an iris, whatever else is there.
        """
        features = [torch.cat([face, face.flip(-1)], 1)]
        for down in self.down:
            features.append(down(features[-1]))  # (B, 16, 32, 32), (B, 32, 16, 16), (B, 64, 8, 8), (B, 96, 4, 4)
        x = features.pop()
        for up in self.up:
            x = torch.cat([up(x), features.pop()], 1)  # (B, 128, 8, 8), (B, 64, 16, 16), (B, 32, 32, 32)
        logits: Tensor = self.logits(x).float()
        return logits

    def keep_mirrored(self) -> None:
        """Mirror the weights of the convolutions, see `network.layers`."""
        first, *others = convolutions(self.down)
        mirror_convolution_of_image(first)
        below, *joining = convolutions(self.up)
        for convolution in (*others, below):
            mirror_convolution(convolution)
        for convolution in joining:
            mirror_convolution(convolution, joined=2)
        for convolution in convolutions(self.logits):
            mirror_convolution_to_pixels(convolution, joined=2)


def probabilities(logits: Tensor) -> Tensor:
    """Turn a parser's logits (B, PARTS + 1, 64, 64) into probabilities in 0..1."""
    return torch.cat([logits[:, :PARTS].softmax(1), logits[:, PARTS:].sigmoid()], 1)


def level_of_warp(warp: Tensor) -> Tensor:
    """Return the similarity, (B, 2, 3), of warps (B, 17, 17, 2) at the frame's edge: level frame -> crop.

    Both in normalized coordinates; by least squares, as `geometry.warps.similarity_of_warp`.
    """
    points = identity_warp(warp[:1])[0]
    edge = points.abs().amax(-1) == 1
    x, y = points[edge], warp[:, edge].float()  # (64, 2), centered; (B, 64, 2)
    spread = x.square().sum()
    c = (y * x).sum((1, 2)) / spread
    s = (y[..., 1] * x[:, 0] - y[..., 0] * x[:, 1]).sum(1) / spread
    return torch.stack([torch.stack([c, s], 1), torch.stack([-s, c], 1), y.mean(1)], 2)


def sample_level(maps: Tensor, warp: Tensor, level: Tensor) -> Tensor:
    """Sample maps (B, C, S, S) over the level frame where a warp (B, 17, 17, 2) takes its points: (B, C, 17, 17).

    `level` is (B, 2, 3) as from `level_of_warp`.
    """
    points = torch.einsum("bij,bhwi->bhwj", level[..., :2], warp - level[:, None, None, :, 2])
    points = points / level[:, :, 0].square().sum(1)[:, None, None, None]  # the inverse of a similarity
    return F.grid_sample(maps, points, padding_mode="border", align_corners=True)


def visibility(maps: Tensor, warp: Tensor, level: Tensor) -> Tensor:
    """Return how surely nothing lies in front of the points of a warp, (B, 17, 17), from a parser's probabilities."""
    return 1 - sample_level(maps[:, Part.FRONT, None], warp, level)[:, 0]


def sample_face(crop: Tensor, level: Tensor) -> Tensor:
    """Sample crops (B, 3, S, S) in the level frame, not aliased: (B, 3, 64, 64)."""
    grid = level_grid(level) * ((crop.shape[-1] - 1) / (crop.shape[-1] - 2))  # the middles of 2 x 2 pixels
    return F.grid_sample(halve(crop), grid.to(crop.dtype), padding_mode="reflection", align_corners=True)


def level_grid(level: Tensor) -> Tensor:
    """Return where the pixels of level faces lie in the crops, (B, 64, 64, 2) in normalized crop coordinates."""
    return F.affine_grid(level, [len(level), 1, PARSING_SIZE, PARSING_SIZE], align_corners=True)
