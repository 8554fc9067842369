"""The terms of the training objective, one function per equation. Each returns a scalar tensor."""

import torch
import torch.nn.functional as F
from torch import Tensor

from symface_cli.geometry.frames import EYE_DISTANCE_FACE
from symface_cli.network.warps import foreshortening

PIXEL_DEVIATION = 0.03
"""Standard deviation of Eq. 10's Gaussian at 128 x 128, in the 0..1 range: weighs like 0.015 at 64 x 64."""


def kl_divergence(mu: Tensor, log_var: Tensor) -> Tensor:
    """KL(q(z|x) || N(0, I)) = -1/2 sum(1 + log sigma^2 - mu^2 - sigma^2), in nats (Eq. 13).

    Summed over the latent units (B, latent), averaged over the batch. The paper prints e^sigma where sigma^2 belongs;
    this is the correct form.
    """
    return (-0.5 * (1 + log_var - mu.square() - log_var.exp())).sum(1).mean()


def gaussian_error(y: Tensor, target: Tensor, deviation: float = PIXEL_DEVIATION) -> Tensor:
    """-log p(x | z) of Eq. 10 up to a constant: squared error / (2 deviation^2), in nats.

    Summed over pixels and channels (B, C, H, W), averaged over the batch.
    """
    return (y - target).square().sum((1, 2, 3)).mean() / (2 * deviation**2)


def cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """The reconstruction term of Eq. 12: cross entropy of pixels (B, C, H, W) in 0..1, in nats.

    Summed over pixels and channels, averaged over the batch.
    """
    return F.binary_cross_entropy_with_logits(logits, target, reduction="none").sum((1, 2, 3)).mean()


def face_scale(warp: Tensor) -> Tensor:
    """How many normalized crop units a normalized unit of the face frame is long, (B,): from the mean area of cells."""
    step = 2 / (warp.shape[1] - 1)
    return foreshortening(warp).mean((1, 2)).sqrt() / step


def warp_error(warp: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Mean distance between two warps (B, 17, 17, 2) over the face, in eye distances.

    `weight` (B, 17, 17) says how much each control point counts.
    """
    distance = (warp - target).square().sum(-1).add(1e-10).sqrt() / (EYE_DISTANCE_FACE * face_scale(target))[
        :, None, None
    ]
    return (distance * weight).sum() / weight.sum()


def midline_error(warp: Tensor, target: Tensor) -> Tensor:
    """How far the midlines of two warps (B, 17, 17, 2) differ: angle in radians plus offset in eye distances.

    The mean over the batch. A warp's midline is that of the face frame's edge, as for `geometry.midline_of_warp`; here
    it is the least-squares line over the frame's height, which is the same where the edge is a straight frame.
    """
    (middle, down), (target_middle, target_down) = map(_midline, (warp, target))
    direction = F.normalize(target_down, dim=1)
    angle = _cross(F.normalize(down, dim=1), direction).abs()
    offset = _cross(middle - target_middle, direction).abs() / (EYE_DISTANCE_FACE * face_scale(target))
    return (angle + offset).mean()


def _midline(warp: Tensor) -> tuple[Tensor, Tensor]:
    """A point (B, 2) on the midlines of warps (B, 17, 17, 2), and how it moves per normalized unit down the face."""
    count = warp.shape[1]
    middles = (warp + warp.flip(2))[:, :, : (count + 1) // 2] / 2
    on_edge = torch.ones(middles.shape[1:3], dtype=torch.bool, device=warp.device)
    on_edge[1:-1, 1:] = False
    points = middles[:, on_edge]  # (B, N, 2)
    rows = torch.linspace(-1, 1, count, device=warp.device)[:, None].expand_as(on_edge)[on_edge]
    return points.mean(1), (rows[:, None] * points).sum(1) / rows.square().sum()


def _cross(a: Tensor, b: Tensor) -> Tensor:
    return a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]


def map_error(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Binary cross entropy of a map (B, 17, 17) against probabilities in 0..1, in nats; weighted mean."""
    loss = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return (loss * weight).sum() / weight.sum().clamp(min=torch.finfo(weight.dtype).eps)
