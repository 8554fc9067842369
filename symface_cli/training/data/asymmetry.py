"""Training faces made more asymmetric by known amounts, so that the network does not learn to expect little.

Landmark detectors are drawn towards symmetric faces, and photos show few faces with much asymmetry. A face that is
moved by a known field has a label as exact as before: the field moves the label along.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from symface_cli.geometry.frames import CROP_SIZE, EYE_DISTANCE_FACE
from symface_cli.training.randomness import ShardedRandom

MOVES = CROP_SIZE // 2  # points along each side of a crop at which its displacement is taken; it is smooth
FIELD = 33  # points of a displacement field along each side of the face frame
BUMPS = 5  # places of a face that are moved
CENTERS = ((-0.55, 0.55), (-0.4, 0.75))  # range of x and y of their middles, in normalized face coordinates
WIDTHS = (0.08, 0.3)  # range of their standard deviations, in the same
MOVE = 0.02 * EYE_DISTANCE_FACE  # standard deviation of a move of one side; the other side moves as far, the other way
STRENGTH = (0.3, 2.0)  # range of a sample's factor on all of its moves
FACE = (0.6, -0.35, 0.75)  # half width, top and bottom of what a face covers, in normalized face coordinates
FADE = 0.2  # of the face frame's half side along its edge, where a field fades out
STEPS = 3  # of the label's fixed point; a field's slope is some 0.2, so that 1 % of a move is left


def random_fields(like: Tensor, rng: ShardedRandom) -> Tensor:
    """Draw antisymmetric displacements (B, 33, 33, 2) in normalized face coordinates, for samples (B, ...).

    Mirrored, a displacement is its own negative: both sides move the opposite way, and their mean, the symmetric shape,
    stays. So does the midline. A displacement fades out towards the frame's edge.
    """
    field = _bumps(like, rng)
    field = field - field.flip(2) * field.new_tensor([-1.0, 1.0])
    ticks = _ticks(FIELD, like)
    points = torch.stack(torch.meshgrid(ticks, ticks, indexing="xy"), -1)
    field[..., 0] = _keep_midline(field[..., 0], points)
    return field * ((1 - points.abs().amax(-1)) / FADE).clamp(0, 1)[..., None]


def _bumps(like: Tensor, rng: ShardedRandom) -> Tensor:
    """Draw sums of moves (B, 33, 33, 2) around a few places."""
    low, high = (like.new_tensor(bounds) for bounds in zip(*CENTERS, strict=True))
    centers = low + (high - low) * rng.uniform(len(like), BUMPS, 2)
    widths = WIDTHS[0] + (WIDTHS[1] - WIDTHS[0]) * rng.uniform(len(like), BUMPS)
    strength = STRENGTH[0] + (STRENGTH[1] - STRENGTH[0]) * rng.uniform(len(like), 1, 1)
    moves = MOVE * strength * rng.normal(len(like), BUMPS, 2)
    away = (_ticks(FIELD, like) - centers[..., None]).square()  # (B, 5, 2, 33)
    across, down = (-0.5 * away / widths.square()[..., None, None]).exp().unbind(2)
    return torch.einsum("bky,bkx,bkc->byxc", down, across, moves)


def _keep_midline(aside: Tensor, points: Tensor) -> Tensor:
    """Take out of displacements to the side (B, 33, 33) what shifts or tilts the face: their line over the height."""
    width, top, bottom = FACE
    inside = (points[..., 0].abs() < width) & (points[..., 1] > top) & (points[..., 1] < bottom)
    height = points[..., 1] - points[..., 1][inside].mean()
    mean = aside[:, inside].mean(1)[:, None, None]
    slope = ((aside - mean) * height)[:, inside].sum(1) / height[inside].square().sum()
    return aside - mean - slope[:, None, None] * height


def _ticks(count: int, like: Tensor) -> Tensor:
    return torch.linspace(-1, 1, count, device=like.device)


def move_faces(warp: Tensor, field: Tensor) -> tuple[Tensor, Tensor]:
    """Move the faces of crops by fields in their face frames.

    Args:
        warp: (B, 17, 17, 2), face frame -> normalized crop coordinates; its edge is a similarity.
        field: (B, 33, 33, 2) in normalized face coordinates.

    Returns:
        Where the new crops come from, as displacements (B, 2, 80, 80) over them in normalized crop coordinates, and the
        new warp.
    """
    middle = (warp[:, 0, 0] + warp[:, -1, -1]) / 2
    crop_from_face = torch.stack([warp[:, 0, -1] - warp[:, 0, 0], warp[:, -1, 0] - warp[:, 0, 0]], -1) / 2  # (B, 2, 2)
    face_from_crop = torch.linalg.inv(crop_from_face)
    planes = torch.einsum("bij,bhwj->bihw", -crop_from_face, field)

    def look_up(points: Tensor) -> Tensor:
        places = torch.einsum("bij,bhwj->bhwi", face_from_crop, points - middle[:, None, None])
        return F.grid_sample(planes, places, padding_mode="border", align_corners=True)

    moved = warp
    for _ in range(STEPS):
        moved = warp - look_up(moved).permute(0, 2, 3, 1)
    ticks = _ticks(MOVES, warp)
    points = torch.stack(torch.meshgrid(ticks, ticks, indexing="xy"), -1)
    return look_up(points.expand(len(warp), -1, -1, -1)), moved
