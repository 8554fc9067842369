"""Training faces made more asymmetric by known amounts, so that the network does not learn to expect little.

Landmark detectors are drawn towards symmetric faces, and photos show few faces with much asymmetry. A face that is
moved by a known field has a label as exact as before: the field moves the label along.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from symface_cli.geometry.frames import CROP_SIZE, EYE_DISTANCE_FACE
from symface_cli.training.randomness import ShardedRandom

FIELD = 33  # points of a displacement field along each side of the face frame
BUMPS = 5  # places of a face that are moved
CENTERS = ((-0.55, 0.55), (-0.4, 0.75))  # range of x and y of their middles, in normalized face coordinates
WIDTHS = (0.08, 0.3)  # range of their standard deviations, in the same
MOVE = 0.02 * EYE_DISTANCE_FACE  # standard deviation of a move of one side; the other side moves as far, the other way
STRENGTH = (0.3, 2.0)  # range of a sample's factor on all of its moves
FACE = (0.6, -0.35, 0.75)  # half width, top and bottom of what a face covers, in normalized face coordinates
FADE = 0.2  # of the face frame's half side along its edge, where a field fades out
STEPS = 3  # of the label's fixed point; a field's slope is some 0.2, so that 1 % of a move is left


def random_fields(like: Tensor, chosen: Tensor, rng: ShardedRandom) -> Tensor:
    """Draw antisymmetric displacements (b, 33, 33, 2) in normalized face coordinates, for the chosen samples.

    Mirrored, a displacement is its own negative: both sides move the opposite way, and their mean, the symmetric shape,
    stays. So does the midline. A displacement fades out towards the frame's edge.
    """
    field = _bumps(like, chosen, rng)
    field = field - field.flip(2) * field.new_tensor([-1.0, 1.0])
    ticks = _ticks(FIELD, like)
    points = torch.stack(torch.meshgrid(ticks, ticks, indexing="xy"), -1)
    field[..., 0] = _keep_midline(field[..., 0], points)
    return field * ((1 - points.abs().amax(-1)) / FADE).clamp(0, 1)[..., None]


def _bumps(like: Tensor, chosen: Tensor, rng: ShardedRandom) -> Tensor:
    """Draw sums of moves (b, 33, 33, 2) around a few places."""
    low, high = (like.new_tensor(bounds) for bounds in zip(*CENTERS, strict=True))
    centers = low + (high - low) * rng.uniform(len(like), BUMPS, 2)[chosen]
    widths = WIDTHS[0] + (WIDTHS[1] - WIDTHS[0]) * rng.uniform(len(like), BUMPS)[chosen]
    strength = STRENGTH[0] + (STRENGTH[1] - STRENGTH[0]) * rng.uniform(len(like), 1, 1)[chosen]
    moves = MOVE * strength * rng.normal(len(like), BUMPS, 2)[chosen]
    away = (_ticks(FIELD, like) - centers[..., None]).square()  # (b, 5, 2, 33)
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


def move_faces(warp: Tensor, field: Tensor, stored_from_crop: Tensor) -> tuple[Tensor, Tensor]:
    """Move the faces of crops by fields in their face frames.

    Args:
        warp: (B, 17, 17, 2), face frame -> normalized crop coordinates; its edge is a similarity.
        field: (B, 33, 33, 2) in normalized face coordinates.
        stored_from_crop: (B, 2, 3), between normalized coordinates of crops and of stored crops.

    Returns:
        Where the new crops' pixels come from, as displacements (B, 2, 160, 160) in normalized coordinates of the stored
        crops, and the new warp.
    """
    middle = (warp[:, 0, 0] + warp[:, -1, -1])[..., None] / 2
    crop_from_face = torch.stack([warp[:, 0, -1] - warp[:, 0, 0], warp[:, -1, 0] - warp[:, 0, 0]], -1) / 2  # (B, 2, 2)
    linear = torch.linalg.inv(crop_from_face)
    face_from_crop = torch.cat([linear, -linear @ middle], -1)  # (B, 2, 3)
    planes = torch.einsum("bij,bhwj->bihw", -crop_from_face, field)
    moved = warp
    for _ in range(STEPS):
        points = torch.einsum("bij,bhwj->bhwi", linear, moved) + face_from_crop[:, None, None, :, 2]
        moved = warp - _look_up(planes, points).permute(0, 2, 3, 1)
    planes = torch.einsum("bij,bjhw->bihw", stored_from_crop[..., :2], planes)
    return _look_up(planes, affine_grid(face_from_crop, CROP_SIZE)), moved


def _look_up(planes: Tensor, points: Tensor) -> Tensor:
    """Sample planes (B, 2, 33, 33) over face frames at points (B, h, w, 2) in these: (B, 2, h, w)."""
    return F.grid_sample(planes, points, padding_mode="border", align_corners=True)


def affine_grid(matrix: Tensor, size: int) -> Tensor:
    """Return where affine maps (B, 2, 3) take the pixels of squares: (B, size, size, 2).

    As `F.affine_grid`, in a fifth of the time on a CPU: x and y are two planes.
    """
    ticks = _ticks(size, matrix)
    across, down, shift = matrix[..., None].unbind(2)  # each (B, 2, 1)
    return ((across * ticks)[:, :, None] + (down * ticks + shift)[..., None]).permute(0, 2, 3, 1)
