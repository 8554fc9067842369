"""What the parser learns of a training batch: labels in the level frame, with the occluders that were put in front."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from symface_cli.network.maps import PARSING_SIZE, UNKNOWN, Part
from symface_cli.network.parsing import level_grid
from symface_cli.training.data.augmentation import TrainingBatch

IRIS_EDGE = 0.35  # of its radius, over which the label of an iris falls from 1 to 0
SMALLEST = 1e-4  # radius in normalized coordinates, of which nothing is drawn: closed eyes have 0
COVERED = 0.5  # of an occluder's outline, from which on a point shows the occluder


class LevelLabels(NamedTuple):
    """What the points of a level frame show.

    Attributes:
        parts: A `Part`, or UNKNOWN, as all around the crop is, (B, 64, 64) int64.
        inside: 1 where the crop shows the point, else 0, (B, 64, 64).
        iris: How far the point lies in an iris that is seen, (B, 64, 64) in 0..1.
        iris_known: 1 where that is known, else 0, (B, 64, 64).
    """

    parts: Tensor
    inside: Tensor
    iris: Tensor
    iris_known: Tensor


@torch.no_grad()
def label_level(batch: TrainingBatch, level: Tensor) -> LevelLabels:
    """Label the points of level frames, (B, 2, 3) as from `level_of_warp`."""
    points = level_grid(level)
    stored = F.grid_sample(batch.grid.permute(0, 3, 1, 2), points, padding_mode="border", align_corners=True)
    stored = stored.permute(0, 2, 3, 1)
    inside = ((points.abs().amax(-1) <= 1) & (stored.abs().amax(-1) <= 1)).float()
    covered = F.grid_sample(batch.occluder, points, align_corners=True)[:, 0] > COVERED
    segments = F.grid_sample(batch.segments[:, None].float(), stored, mode="nearest", align_corners=True)[:, 0]
    parts = torch.where(inside > 0, segments, UNKNOWN)
    parts = torch.where(covered & (inside > 0), int(Part.FRONT), parts).long()
    iris, known = _irises(batch.irises, stored)
    return LevelLabels(parts, inside, iris * (~covered).float(), known * inside)


def _irises(irises: Tensor, stored: Tensor) -> tuple[Tensor, Tensor]:
    """Draw irises (B, 2, 3) at points (B, 64, 64, 2) of stored crops; say where they are known, by halves of the face.

    The eye that is not known may be anywhere in the other half. Either may be the left one: samples are mirrored.
    """
    known = irises.isfinite().all(-1)
    center, radius = irises.nan_to_num()[..., :2], irises[..., 2].nan_to_num(nan=1.0).clamp(min=SMALLEST)
    apart = (stored[:, None] - center[:, :, None, None]).norm(dim=-1) / radius[..., None, None]  # (B, 2, 64, 64)
    discs = ((1 + IRIS_EDGE / 2 - apart) / IRIS_EDGE).clamp(0, 1) * known[..., None, None]
    is_left = apart.flatten(2).argmin(2) % PARSING_SIZE < PARSING_SIZE // 2  # (B, 2)
    columns = torch.arange(PARSING_SIZE, device=stored.device) < PARSING_SIZE // 2
    halves = ((is_left[..., None] == columns) & known[..., None]).any(1)  # (B, 64)
    return discs.amax(1), halves.float()[:, None].expand(-1, PARSING_SIZE, -1)
