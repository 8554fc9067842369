"""Where a face lies in its crop, and what lies in front of it."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from symface_cli.geometry.warps import GRID
from symface_cli.network.architecture import GRAY, Architecture
from symface_cli.network.layers import convolve_and_pool, upsample_and_convolve
from symface_cli.network.warps import compose_warps, halve, identity_warp, mirror_warp, rectify

VISIBILITY_SIZE = 64  # px, side of the rectified faces in which is looked for what lies in front
CORRECTION_UNIT = 0.15  # normalized face coordinates; corrections are small: so the layer's outputs are near 1


class LocalizerOutput(NamedTuple):
    """The localizer's answer for crops, as it is trained: maps are logits.

    Attributes:
        coarse: First guess of the warp, (B, 17, 17, 2).
        warp: Refined warp, (B, 17, 17, 2).
        mask: Logits (B, 17, 17) of a point of the face frame belonging to the face.
        visible: Logits (B, 17, 17) of nothing lying in front of the face there.
        outside: How far beyond the frame the second step looks things up: a scalar, the mean in normalized face
            coordinates. There is nothing, and no gradient that leads back.
    """

    coarse: Tensor
    warp: Tensor
    mask: Tensor
    visible: Tensor
    outside: Tensor


class Visibility(nn.Module):
    """A small U-Net (Ronneberger et al. 2015) that finds what lies in front of a face.

    It sees the rectified face beside its mirror image at half size, and keeps the place of what it finds.
    """

    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        channels = (6, *widths)
        self.down = nn.ModuleList(convolve_and_pool(channels[i], (widths[i],)) for i in range(len(widths)))
        below, others = widths[-1], widths[-2:0:-1]  # 96; 64 and 32, which are joined on the way up
        self.up = nn.ModuleList()
        for width in others:
            self.up.append(upsample_and_convolve(below, width))
            below = 2 * width
        self.logits = nn.Conv2d(below, 1, 3, padding=1)

    def forward(self, face: Tensor) -> Tensor:
        """Return the logits (B, 17, 17) of nothing lying in front of faces (B, 3, 64, 64), centered on gray."""
        features = [torch.cat([face, face.flip(-1)], 1)]
        for down in self.down:
            features.append(down(features[-1]))  # (B, 16, 32, 32), (B, 32, 16, 16), (B, 64, 8, 8), (B, 96, 4, 4)
        x = features.pop()
        for up in self.up:
            x = torch.cat([up(x), features.pop()], 1)  # (B, 128, 8, 8), (B, 64, 16, 16)
        logits = self.logits(x).float()
        return F.interpolate(logits, size=(GRID, GRID), mode="bilinear", align_corners=True)[:, 0]


class Localizer(nn.Module):
    """A spatial transformer (Jaderberg et al. 2015) that finds the warp in two steps.

    A guess from the whole crop, then a correction from the face rectified with it. The second step sees the rectified
    face beside its mirror image, so that it can register the two sides.
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
        self.fine_maps = nn.Linear(hidden, GRID * GRID * 3)
        self.visibility = Visibility(architecture.visibility_widths)
        for layer in (self.coarse_warp, self.fine_maps):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, crop: Tensor) -> LocalizerOutput:
        """Locate the face in each crop (B, 3, 160, 160)."""
        coarse = self.guess(crop)
        start = coarse.detach()  # the second step learns from where the first one is, without moving it
        shift, mask = self.correct(rectify(crop, start))
        warp = compose_warps(start, shift)
        visible = self.visibility(rectify(crop, warp.detach(), VISIBILITY_SIZE) - GRAY)
        outside = F.relu((shift + identity_warp(shift)).abs() - 1).mean()
        return LocalizerOutput(coarse, warp, mask, visible, outside)

    def locate_both_ways(self, crop: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return warp, mask and visibility as in `LocalizerOutput`, each step averaged over crop and mirror image."""
        count = len(crop)
        guess = self.guess(torch.cat([crop, crop.flip(-1)]))
        coarse = (guess[:count] + mirror_warp(guess[count:])) / 2
        face = rectify(crop, coarse)
        shift, mask = self.correct(torch.cat([face, face.flip(-1)]))
        warp = compose_warps(coarse, (shift[:count] + mirror_warp(shift[count:])) / 2)
        face = rectify(crop, warp, VISIBILITY_SIZE) - GRAY
        visible = self.visibility(torch.cat([face, face.flip(-1)]))
        mask, visible = ((maps[:count] + maps[count:].flip(2)) / 2 for maps in (mask, visible))
        return warp, mask, visible

    def guess(self, crop: Tensor) -> Tensor:
        """Return a first guess of the warp, (B, 17, 17, 2), from crops (B, 3, 160, 160)."""
        half = halve(crop) - GRAY  # (B, 3, 80, 80)
        guess: Tensor = self.coarse_warp(self.coarse(half)).float().view(-1, GRID, GRID, 2)
        return guess + identity_warp(guess)

    def correct(self, face: Tensor) -> tuple[Tensor, Tensor]:
        """Return the correction of a guess, and the mask's logits, from the faces rectified with it.

        Args:
            face: (B, 3, 128, 128) in 0..1.

        Returns:
            The correction (B, 17, 17, 2) in normalized face coordinates, and the logits (B, 17, 17).
        """
        face = face - GRAY
        maps = self.fine_maps(self.fine(torch.cat([face, face.flip(-1)], 1))).float().view(-1, GRID, GRID, 3)
        return CORRECTION_UNIT * maps[..., :2], maps[..., 2]
