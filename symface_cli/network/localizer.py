"""Where a face lies in its crop, and what is there."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from symface_cli.geometry.warps import GRID
from symface_cli.network.architecture import GRAY, Architecture
from symface_cli.network.layers import (
    convolutions,
    halve_by_convolving,
    mirror_convolution,
    mirror_convolution_of_image,
    mirror_maps,
    mirror_norm,
)
from symface_cli.network.maps import CORRECTION_UNIT, CORRECTIONS, FAR
from symface_cli.network.parsing import Parser, level_of_warp, sample_face
from symface_cli.network.warps import compose_warps, halve, identity_warp, rectify


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
    face beside its mirror image, so that it can register the two sides. Of a mirrored crop both say the same, mirrored,
    as long as the weights are kept so.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.coarse = _stack_and_hidden(3, architecture.coarse_widths, 5, architecture.hidden[0], architecture.leak)
        self.coarse_warp = nn.Linear(architecture.hidden[0], GRID * GRID * 2)
        self.fine = _stack_and_hidden(6, architecture.fine_widths, 4, architecture.hidden[1], architecture.leak)
        self.fine_maps = nn.Linear(architecture.hidden[1], GRID * GRID * 3)
        self.parser = Parser(architecture.parser_widths)
        for layer in (self.coarse_warp, self.fine_maps):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        self.keep_mirrored()

    def forward(self, crop: Tensor) -> LocalizerOutput:
        """Locate the face in each crop (B, 3, 160, 160), in the two steps that are trained."""
        coarse = self.guess(crop)
        start = coarse.detach()  # the second step learns from where the first one is, without moving it
        shift, mask = self.correct(rectify(crop, start))
        return self._look(crop, coarse, start, shift, mask)

    def locate(self, crop: Tensor) -> LocalizerOutput:
        """Locate the face in each crop; where a correction was large, the second step is repeated."""
        start = coarse = self.guess(crop)
        shift, mask = self.correct(rectify(crop, start))
        for _ in range(CORRECTIONS - 1):
            far = shift.norm(dim=-1).mean((1, 2)) > FAR
            if not far.any():
                break
            start = torch.where(far[:, None, None, None], compose_warps(start, shift), start)
            shift, mask = self.correct(rectify(crop, start))
        return self._look(crop, coarse, start, shift, mask)

    def _look(self, crop: Tensor, coarse: Tensor, start: Tensor, shift: Tensor, mask: Tensor) -> LocalizerOutput:
        """Look at what crops show, once their faces are found: where a correction takes a start."""
        warp = compose_warps(start, shift)
        level = level_of_warp(warp.detach())
        parts = self.parser(sample_face(crop, level) - GRAY)
        outside = F.relu((shift + identity_warp(shift)).abs() - 1).mean()
        return LocalizerOutput(coarse, warp, mask, parts, level, outside)

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

    @torch.no_grad()
    def keep_mirrored(self) -> None:
        """Mirror the weights, see `network.layers`: to be done after each step of training."""
        for layer in self.modules():
            if isinstance(layer, nn.BatchNorm2d):
                mirror_norm(layer)
        for step in (self.coarse, self.fine):
            first, *others = convolutions(step)
            mirror_convolution_of_image(first)
            for convolution in others:
                mirror_convolution(convolution)
        mirror_maps(self.coarse_warp, GRID, (-1, 1))
        mirror_maps(self.fine_maps, GRID, (-1, 1, 1))
        self.parser.keep_mirrored()


def _stack_and_hidden(channels: int, widths: tuple[int, ...], side: int, hidden: int, leak: float) -> nn.Sequential:
    """Build a stack that ends with features of side x side places, and a hidden layer that sees all of them."""
    return nn.Sequential(
        halve_by_convolving(channels, widths), nn.Conv2d(widths[-1], hidden, side), nn.LeakyReLU(leak), nn.Flatten()
    )
