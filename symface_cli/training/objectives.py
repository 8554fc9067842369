"""What each stage learns: one function per stage, from a batch to its losses."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from symface_cli.network.architecture import FACE_SIZE, GRAY
from symface_cli.network.face_network import FaceNetwork
from symface_cli.network.localizer import LocalizerOutput
from symface_cli.network.paper import PaperVAE
from symface_cli.network.vae import LINEAR_SIZE, SymmetricFaceVAE
from symface_cli.network.warps import blend_sides, hidden_on_both_sides, identity_warp, keep_face, rectify, side_weights
from symface_cli.training.data.augmentation import Batch
from symface_cli.training.distributed import mean_over_processes
from symface_cli.training.losses import (
    cross_entropy,
    gaussian_error,
    kl_divergence,
    map_error,
    midline_error,
    warp_error,
)
from symface_cli.training.randomness import ShardedRandom

Losses = dict[str, Tensor]
"""The terms of an objective by name, each a scalar; "total" is what is minimized."""

NATS = 1e-3  # weight of the VAE's terms, which are about 1,000 nats


def reconstruct_crop(network: SymmetricFaceVAE, batch: Batch, rng: ShardedRandom) -> Losses:
    """Stage 1: the crop itself. The decoder gives the left half; random mirroring lets it learn both."""
    face = rectify(batch.clean, identity_warp(batch.warp))
    return autoencode(network, face, face, rng)


def keep_only_face(network: SymmetricFaceVAE, batch: Batch, rng: ShardedRandom) -> Losses:
    """Stage 2: the crop with everything but the face removed; the localizer learns warp, mask and visibility."""
    identity = identity_warp(batch.warp)
    target = rectify(GRAY + (batch.clean - GRAY) * batch.mask(), identity)
    return _sum(
        locate(network.localizer(batch.crop), batch),
        autoencode(network, rectify(batch.crop, identity), target, rng),
    )


def make_symmetric(network: SymmetricFaceVAE, batch: Batch, rng: ShardedRandom) -> Losses:
    """Stage 3: the clean symmetric face, from a rectified and possibly occluded one.

    Both are rectified with the network's own warp, so that input and target show the same face to the pixel.
    """
    found = network.localizer(batch.crop)
    with torch.no_grad():
        visible = found.visible.sigmoid()
        face = symmetric_face(batch.crop, found, visible)
        target = symmetric_face(batch.clean, found, torch.ones_like(visible))
    return _sum(locate(found, batch), autoencode(network, face, target, rng))


def symmetric_face(crop: Tensor, found: LocalizerOutput, visible: Tensor) -> Tensor:
    """The crop's face (B, 3, 128, 128), rectified, blended with its mirror image; gray around and where hidden."""
    mask = found.mask.sigmoid()
    mask = (mask + mask.flip(2)) / 2 * (1 - hidden_on_both_sides(visible))
    return keep_face(blend_sides(rectify(crop, found.warp), side_weights(found.warp, visible)), mask)


def left_halves(network: SymmetricFaceVAE, batch: Batch, stage: int) -> Tensor:
    """What stage 1 or 3 decodes of clean crops, for the linear path's PCA: (N, 3, 64, 32), centered on gray.

    Stage 1 decodes the left half of crops and of mirrored crops.
    """
    if stage == 1:
        face = rectify(batch.clean, identity_warp(batch.warp))
        faces = torch.cat([face, face.flip(-1)])
    else:
        found = network.localizer(batch.clean)
        faces = symmetric_face(batch.clean, found, torch.ones_like(found.visible))
    return F.avg_pool2d(faces, FACE_SIZE // LINEAR_SIZE)[..., : LINEAR_SIZE // 2] - GRAY


def imitate_paper(network: PaperVAE, batch: Batch, rng: ShardedRandom, stage: int) -> Losses:
    """The paper's stages for its own network: Eq. 12, cross entropy + KL, with the stage's target; in nats."""
    target = batch.clean
    if stage == 2:
        target = GRAY + (batch.clean - GRAY) * batch.mask()
    if stage == 3:
        weights = side_weights(batch.warp, torch.ones_like(batch.face_mask))
        target = keep_face(blend_sides(rectify(batch.clean, batch.warp), weights), batch.face_mask)
    target = F.interpolate(target, size=(FACE_SIZE, FACE_SIZE), mode="bilinear").clamp(0, 1)
    mu, log_var = network.encode(batch.clean if stage == 1 else batch.crop)
    z = _draw(mu, log_var, rng) if network.training else mu
    image = cross_entropy(network.pixel_logits(z), target)
    kl = kl_divergence(mu, log_var)
    return {"total": NATS * (image + kl), "image": image, "kl": kl}


def locate(found: LocalizerOutput, batch: Batch) -> Losses:
    """The localizer's terms: both warps against the label, midline, mask and visibility.

    "warp" is in eye distances, "midline" in radians and eye distances.
    """
    face = batch.face_mask + 0.05  # the surroundings count a little, so that the warp stays sane there
    coarse = _share(face) * warp_error(found.coarse, batch.warp, face)
    warp = _share(face) * warp_error(found.warp, batch.warp, face)
    midline = midline_error(found.warp, batch.warp)
    mask = map_error(found.mask, batch.face_mask, torch.ones_like(face))
    visible = _share(batch.face_mask) * map_error(found.visible, batch.visible, batch.face_mask)
    total = coarse + 2 * warp + 2 * midline + 0.05 * (mask + visible)
    return {"total": total, "warp": warp, "midline": midline, "mask": mask, "visible": visible}


def _share(weight: Tensor) -> Tensor:
    """What a mean weighted with `weight` counts in the mean over the processes; 1 if there is only one."""
    total = weight.sum() + 1e-6  # there may be no face at all
    return total / mean_over_processes(total)


def autoencode(network: SymmetricFaceVAE, face: Tensor, target: Tensor, rng: ShardedRandom) -> Losses:
    """Eq. 12-14 for the left half of `target` (B, 3, 128, 128), decoded from `face`; in nats."""
    mu, log_var = network.encoder(face.contiguous(memory_format=torch.channels_last))
    z = _draw(mu, log_var, rng) if network.training else mu
    image = gaussian_error(network.decoder(z), target[..., : FACE_SIZE // 2])
    kl = kl_divergence(mu, log_var)
    return {"total": NATS * (image + kl), "image": image, "kl": kl}


def _draw(mu: Tensor, log_var: Tensor, rng: ShardedRandom) -> Tensor:
    """Z = mu + sigma * epsilon, epsilon from N(0, I) (Eq. 5)."""
    return mu + rng.normal(*mu.shape) * (0.5 * log_var).exp()


def _sum(first: Losses, second: Losses) -> Losses:
    return {**first, **second, "total": first["total"] + second["total"]}


Objective = Callable[[Any, Batch, ShardedRandom], Losses]

OBJECTIVES: dict[tuple[str, int], Objective] = {
    ("symface", 1): reconstruct_crop,
    ("symface", 2): keep_only_face,
    ("symface", 3): make_symmetric,
    ("paper", 1): partial(imitate_paper, stage=1),
    ("paper", 2): partial(imitate_paper, stage=2),
    ("paper", 3): partial(imitate_paper, stage=3),
}
"""The objective of each architecture's stages."""


class Learner(nn.Module):
    """A stage's objective with the network that it trains, as a module: its gradients can be shared.

    Only what the stage trains requires gradients.
    """

    def __init__(self, network: FaceNetwork, stage: int) -> None:
        super().__init__()
        self.network = network
        self._objective = OBJECTIVES[network.architecture.kind, stage]
        for part in network.localizing_parts():
            part.requires_grad_(stage > 1)

    def forward(self, batch: Batch, rng: ShardedRandom) -> Losses:
        """The losses of a batch."""
        return self._objective(self.network, batch, rng)
