"""Terms of the training objectives, one function per equation, and how much each counts."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from symface_cli.geometry.frames import EYE_DISTANCE_FACE
from symface_cli.network.maps import PARTS, UNKNOWN, Part
from symface_cli.network.warps import foreshortening
from symface_cli.training.data.parsing import LevelLabels


@dataclass(frozen=True, kw_only=True)
class LossWeights:
    """How much the terms count in the total, which is minimized.

    The warps' terms are about 0.03 eye distances after a training, the midline's 0.02, that of mask and parts 0.1 nats.

    Attributes:
        autoencoder: Per nat of image and KL term, which are about 1,000 nats.
        coarse_warp: Per eye distance, of the localizer's first guess.
        warp: Per eye distance, of the refined warp.
        midline: Per radian and per eye distance.
        outside: Per normalized face coordinate, of what the localizer's second step looks up beyond the frame.
        maps: Per nat, of the mask.
        parts: Per nat, of what each point shows.
        irises: Per nat, of where irises are.
        surroundings: Of a control point outside of the face, in the warps' terms, beside 1 of one in the face: so the
            warp stays sane there.
        pixel_deviation: Standard deviation of Eq. 10's Gaussian at 128 x 128, in 0..1: weighs like 0.015 at 64 x 64.
    """

    autoencoder: float = 1e-3
    coarse_warp: float = 1.0
    warp: float = 2.0
    midline: float = 2.0
    outside: float = 0.5
    maps: float = 0.05
    parts: float = 0.3
    irises: float = 1.0
    surroundings: float = 0.05
    pixel_deviation: float = 0.03


def kl_divergence(mu: Tensor, log_var: Tensor) -> Tensor:
    """Return KL(q(z|x) || N(0, I)) = -1/2 sum(1 + log sigma^2 - mu^2 - sigma^2), in nats (Eq. 13).

    Summed over the latent units (B, latent), averaged over the batch. The paper prints e^sigma where sigma^2 belongs;
    this is the correct form.
    """
    return (-0.5 * (1 + log_var - mu.square() - log_var.exp())).sum(1).mean()


def gaussian_error(y: Tensor, target: Tensor, deviation: float) -> Tensor:
    """Return -log p(x | z) of Eq. 10 up to a constant: squared error / (2 deviation^2), in nats.

    Summed over pixels and channels (B, C, H, W), averaged over the batch.
    """
    return (y - target).square().sum((1, 2, 3)).mean() / (2 * deviation**2)


def cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Return the reconstruction term of Eq. 12: cross entropy of pixels (B, C, H, W) in 0..1, in nats.

    Summed over pixels and channels, averaged over the batch.
    """
    return F.binary_cross_entropy_with_logits(logits, target, reduction="none").sum((1, 2, 3)).mean()


def face_scale(warp: Tensor) -> Tensor:
    """Return how many normalized crop units a unit of the face frame is long, (B,): from the mean area of cells."""
    step = 2 / (warp.shape[1] - 1)
    return foreshortening(warp).mean((1, 2)).sqrt() / step


def warp_error(warp: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Return the mean distance between two warps (B, 17, 17, 2) over the face, in eye distances.

    `weight` (B, 17, 17) says how much each control point of each sample counts.
    """
    eye_distance = EYE_DISTANCE_FACE * face_scale(target)
    length = (warp - target).square().sum(-1).add(1e-10).sqrt()  # at 0 the gradient of the root is infinite
    return (length / eye_distance[:, None, None] * weight).sum() / weight.sum()


def midline_error(warp: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Return how far the midlines of two warps (B, 17, 17, 2) differ: radians plus offset in eye distances.

    The mean over the batch, weighted by `weight` (B,). A label's midline is that of the face frame's edge, which is
    pinned to it: the least-squares line over the frame's height.
    """
    (middle, down), (target_middle, target_down) = map(_midline, (warp, target))
    direction = F.normalize(target_down, dim=1)
    angle = _cross(F.normalize(down, dim=1), direction).abs()
    offset = _cross(middle - target_middle, direction).abs() / (EYE_DISTANCE_FACE * face_scale(target))
    return ((angle + offset) * weight).sum() / weight.sum()


def _midline(warp: Tensor) -> tuple[Tensor, Tensor]:
    """Return a point (B, 2) on the midlines of warps (B, 17, 17, 2), and how it moves per unit down the face."""
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
    """Return the binary cross entropy of a map (B, 17, 17) against probabilities, in nats; weighted mean."""
    loss = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return (loss * weight).sum() / weight.sum().clamp(min=torch.finfo(weight.dtype).eps)


def parts_error(logits: Tensor, labels: LevelLabels) -> Tensor:
    """Return the cross entropy of what points show, in nats: a mean over the points that the crop shows.

    Where nothing is labeled but that nothing was put in front, it is that of this alone.

    Args:
        logits: (B, PARTS + 1, 64, 64), as the parser gives them.
        labels: What is there.
    """
    log = logits[:, :PARTS].log_softmax(1)
    named = -log.gather(1, labels.parts.clamp(max=PARTS - 1)[:, None])[:, 0]
    others = torch.cat([log[:, : Part.FRONT], log[:, Part.FRONT + 1 :]], 1)
    uncovered = -others.logsumexp(1)
    error = torch.where(labels.parts != UNKNOWN, named, uncovered)
    return (error * labels.inside).sum() / labels.inside.sum().clamp(min=1)


def count_matches(logits: Tensor, labels: LevelLabels, part: Part) -> Tensor:
    """Count the points that are found to show a part and do, and those that are found to or do: the F1 score's terms.

    Returns:
        (2,): twice the first, and the sum of the found and the labeled ones; their ratio is F1. Points of which nothing
        is known do not count.
    """
    found = (logits[:, :PARTS].argmax(1) == part) & (labels.parts != UNKNOWN)
    there = labels.parts == part
    return torch.stack([2 * (found & there).sum(), found.sum() + there.sum()]).float()
