"""The network's geometry: faces rectified through warps, and blended with their mirror images.

Images are float tensors (B, C, H, W) in 0..1; warps are (B, 17, 17, 2), (x, y) in normalized crop coordinates at the
face frame's control points; all grids use align_corners=True.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from symface_cli.geometry.warps import GRID, enlarging_weights
from symface_cli.network.architecture import FACE_SIZE, GRAY
from symface_cli.network.maps import LEAST_AREA, LEAST_VISIBLE, SEEN, UNSEEN, VISIBLE_POWER


def enlarge_grid(grid: Tensor, size: int) -> Tensor:
    """Up-sample control values (B, 17, 17, C) smoothly to (B, size, size, C)."""
    weights = torch.tensor(enlarging_weights(grid.shape[1], size), dtype=grid.dtype, device=grid.device)
    with torch.autocast(grid.device.type, enabled=False):  # bfloat16 would place pixels half a pixel beside
        return torch.einsum("yi,bijc,xj->byxc", weights, grid, weights)


def rectify(crop: Tensor, warp: Tensor, size: int = FACE_SIZE) -> Tensor:
    """Sample the crop (B, C, H, W) through the warp: return the face in its frame, (B, C, size, size)."""
    return F.grid_sample(crop, enlarge_grid(warp, size).to(crop.dtype), padding_mode="reflection", align_corners=True)


def halve(image: Tensor) -> Tensor:
    """Return the means of 2 x 2 pixels of images (B, C, H, W); on a CPU in a sixth of the time of `avg_pool2d`."""
    columns = image[..., ::2] + image[..., 1::2]
    return (columns[..., ::2, :] + columns[..., 1::2, :]) / 4


def mirror_warp(warp: Tensor) -> Tensor:
    """Return the warp of the mirrored crop."""
    return warp.flip(2) * warp.new_tensor([-1.0, 1.0])


def compose_warps(warp: Tensor, shift: Tensor) -> Tensor:
    """Return W(u + shift(u)) at the control points u; `shift` (B, 17, 17, 2) is in normalized face coordinates."""
    points = shift + identity_warp(warp)
    composed = F.grid_sample(
        warp.permute(0, 3, 1, 2), points, mode="bicubic", padding_mode="border", align_corners=True
    )
    return composed.permute(0, 2, 3, 1)


def identity_warp(like: Tensor) -> Tensor:
    """Return the warp (B, 17, 17, 2) that takes the whole crop for the face, for as many crops as `like` has."""
    ticks = torch.linspace(-1, 1, GRID, device=like.device, dtype=like.dtype)
    y, x = torch.meshgrid(ticks, ticks, indexing="ij")
    return torch.stack([x, y], -1).expand(len(like), -1, -1, -1)


def foreshortening(warp: Tensor) -> Tensor:
    """Return J(u) = |det dW/du| at the control points, (B, 17, 17): how much of the crop shows each part of the face.

    Its unit is the square of normalized crop coordinates per cell.
    """
    dy, dx = torch.gradient(warp, dim=(1, 2))
    determinant = dx[..., 0] * dy[..., 1] - dx[..., 1] * dy[..., 0]
    smooth = F.avg_pool2d(F.pad(determinant[:, None], (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    return smooth[:, 0].clamp(min=LEAST_AREA)


def side_weights(warp: Tensor, visible: Tensor) -> Tensor:
    """Return q(u) = J(u) v(u) / (J(u) v(u) + J(u') v(u')), (B, 17, 17), with u' the mirror image of u.

    v is a power of the visibility (B, 17, 17).
    """
    amount = foreshortening(warp) * (visible**VISIBLE_POWER + LEAST_VISIBLE)
    return amount / (amount + amount.flip(2))


def hidden_on_both_sides(visible: Tensor) -> Tensor:
    """Return how far neither side shows a point of the face, (B, 17, 17) in 0..1, symmetric."""
    better = torch.maximum(visible, visible.flip(2))
    return ((SEEN - better) / (SEEN - UNSEEN)).clamp(0, 1)


def blend_sides(face: Tensor, weights: Tensor) -> Tensor:
    """Blend the rectified face a (B, 3, S, S) with its mirror image: q(u) a(u) + q(u') a(u'), exactly symmetric.

    `weights` is q at the control points, (B, 17, 17).
    """
    q = enlarge_grid(weights[..., None], face.shape[-1]).permute(0, 3, 1, 2).to(face.dtype)
    weighted = q.clamp(0, 1) * face
    return weighted + weighted.flip(-1)


def keep_face(face: Tensor, mask: Tensor) -> Tensor:
    """Put the face (B, 3, S, S) on gray: `mask` (B, 17, 17) in 0..1 says where it is kept."""
    alpha = enlarge_grid(mask[..., None], face.shape[-1]).permute(0, 3, 1, 2).clamp(0, 1).to(face.dtype)
    return GRAY + (face - GRAY) * alpha
