"""Where a face lies in its crop, and what is there."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from symface_cli.geometry.warps import GRID
from symface_cli.network.architecture import GRAY, Architecture
from symface_cli.network.layers import convolve_and_pool
from symface_cli.network.maps import CORRECTION_UNIT
from symface_cli.network.parsing import Parser, level_of_warp, looks_to_right, sample_face
from symface_cli.network.warps import compose_warps, halve, identity_warp, mirror_warp, rectify


class LocalizerOutput(NamedTuple):
    """The localizer's answer for crops, as it is trained: maps are logits.

    Attributes:
        coarse: First guess of the warp, (B, 17, 17, 2).
        warp: Refined warp, (B, 17, 17, 2).
        mask: Logits (B, 17, 17) of a point of the face frame belonging to the face.
        parts: Logits (B, PARTS + 1, 64, 64) of what each point of the level frame shows.
        level: The level frame, (B, 2, 3), as from `level_of_warp`; without gradient.
        outside: How far beyond the frame the second step looks things up: a scalar, the mean in normalized face
            coordinates. There is nothing, and no gradient that leads back.
    """

    coarse: Tensor
    warp: Tensor
    mask: Tensor
    parts: Tensor
    level: Tensor
    outside: Tensor


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
            nn.LeakyReLU(architecture.leak),
        )
        self.coarse_warp = nn.Linear(hidden, GRID * GRID * 2)
        self.fine = nn.Sequential(
            convolve_and_pool(6, architecture.fine_widths),  # (B, 192, 4, 4)
            nn.Flatten(),
            nn.Linear(architecture.fine_widths[-1] * 16, hidden),
            nn.LeakyReLU(architecture.leak),
        )
        self.fine_maps = nn.Linear(hidden, GRID * GRID * 3)
        self.parser = Parser(architecture.parser_widths)
        for layer in (self.coarse_warp, self.fine_maps):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, crop: Tensor) -> LocalizerOutput:
        """Locate the face in each crop (B, 3, 160, 160)."""
        coarse = self.guess(crop)
        start = coarse.detach()  # the second step learns from where the first one is, without moving it
        shift, mask = self.correct(rectify(crop, start))
        warp = compose_warps(start, shift)
        level = level_of_warp(warp.detach())
        parts = self.parser(sample_face(crop, level) - GRAY)
        outside = F.relu((shift + identity_warp(shift)).abs() - 1).mean()
        return LocalizerOutput(coarse, warp, mask, parts, level, outside)

    def locate_both_ways(self, crop: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return warp, mask, parts and level as in `LocalizerOutput`, the same of the mirror image but mirrored.

        Both steps are averaged over crop and mirror image; the parser sees the one of both that looks to the left.
        """
        count = len(crop)
        guess = self.guess(torch.cat([crop, crop.flip(-1)]))
        coarse = (guess[:count] + mirror_warp(guess[count:])) / 2
        face = rectify(crop, coarse)
        shift, mask = self.correct(torch.cat([face, face.flip(-1)]))
        warp = compose_warps(coarse, (shift[:count] + mirror_warp(shift[count:])) / 2)
        level = level_of_warp(warp)
        face, to_right = sample_face(crop, level) - GRAY, looks_to_right(warp, level)[:, None, None, None]
        parts = self.parser(torch.where(to_right, face.flip(-1), face))
        mask = (mask[:count] + mask[count:].flip(2)) / 2
        return warp, mask, torch.where(to_right, parts.flip(-1), parts), level

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
