"""What each stage learns: one function per stage, from a batch to its losses."""

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from symface_cli.network.architecture import FACE_SIZE, GRAY
from symface_cli.network.face_network import FaceNetwork
from symface_cli.network.localizer import LocalizerOutput
from symface_cli.network.maps import PARTS, Part
from symface_cli.network.paper import PaperVAE
from symface_cli.network.parsing import probabilities, visibility
from symface_cli.network.vae import LINEAR_SIZE, SymmetricFaceVAE
from symface_cli.network.warps import blend_sides, hidden_on_both_sides, identity_warp, keep_face, rectify, side_weights
from symface_cli.training.data.augmentation import TrainingBatch
from symface_cli.training.data.parsing import LevelLabels, label_level
from symface_cli.training.distributed import mean_over_processes
from symface_cli.training.losses import (
    LossWeights,
    count_matches,
    cross_entropy,
    gaussian_error,
    kl_divergence,
    map_error,
    midline_error,
    parts_error,
    warp_error,
)
from symface_cli.training.randomness import ShardedRandom

Losses = dict[str, Tensor]
"""The terms of an objective by name, each a scalar, and scores beside them; "total" is what is minimized."""

Objective = Callable[[TrainingBatch, ShardedRandom], Losses]
"""From a batch to the losses of a network."""


def reconstruct_crop(
    network: SymmetricFaceVAE, weights: LossWeights, batch: TrainingBatch, rng: ShardedRandom
) -> Losses:
    """Stage 1: return the losses of the crop itself.

    The decoder gives the left half; random mirroring lets it learn both.
    """
    face = rectify(batch.clean, identity_warp(batch.warp))
    return autoencoder_losses(network, weights, (face, face), rng)


def keep_only_face(network: SymmetricFaceVAE, weights: LossWeights, batch: TrainingBatch, rng: ShardedRandom) -> Losses:
    """Stage 2: return the losses of the crop with everything but the face removed, and those of the localizer."""
    identity = identity_warp(batch.warp)
    target = rectify(GRAY + (batch.clean - GRAY) * batch.mask(), identity)
    return _add(
        localizer_losses(network.localizer(batch.crop), weights, batch),
        autoencoder_losses(network, weights, (rectify(batch.crop, identity), target), rng),
    )


def make_symmetric(network: SymmetricFaceVAE, weights: LossWeights, batch: TrainingBatch, rng: ShardedRandom) -> Losses:
    """Stage 3: return the losses of the clean symmetric face, from a rectified and possibly occluded one.

    Both are rectified with the network's own warp, so that input and target show the same face to the pixel.
    """
    located = network.localizer(batch.crop)
    with torch.no_grad():
        visible = visibility(probabilities(located.parts), located.warp, located.level)
        face = symmetric_face(batch.crop, located, visible)
        target = symmetric_face(batch.clean, located, torch.ones_like(visible))
    return _add(localizer_losses(located, weights, batch), autoencoder_losses(network, weights, (face, target), rng))


def imitate_paper(
    network: PaperVAE, stage: int, weights: LossWeights, batch: TrainingBatch, rng: ShardedRandom
) -> Losses:
    """Return the losses of the paper's own network: Eq. 12, cross entropy + KL, with the stage's target; in nats."""
    mu, log_var = network.encode(batch.clean if stage == 1 else batch.crop)
    z = _sample_latent(mu, log_var, rng) if network.training else mu
    image = cross_entropy(network.pixel_logits(z), _target_of_paper(stage, batch))
    kl = kl_divergence(mu, log_var)
    return {"total": weights.autoencoder * (image + kl), "image": image, "kl": kl}


def _target_of_paper(stage: int, batch: TrainingBatch) -> Tensor:
    """Return what the paper's network is to decode in a stage, (B, 3, 128, 128) in 0..1."""
    target = batch.clean
    if stage == 2:
        target = GRAY + (batch.clean - GRAY) * batch.mask()
    if stage == 3:
        side = side_weights(batch.warp, torch.ones_like(batch.face_mask))
        target = keep_face(blend_sides(rectify(batch.clean, batch.warp), side), batch.face_mask)
    return F.interpolate(target, size=(FACE_SIZE, FACE_SIZE), mode="bilinear").clamp(0, 1)


STAGES = {1: reconstruct_crop, 2: keep_only_face, 3: make_symmetric}
"""What symface's own network learns in each stage."""


def objective_of(network: FaceNetwork, stage: int, weights: LossWeights) -> Objective:
    """Return what a network learns in a stage.

    Training reaches into a network's parts: here alone, and in `start_linear_path`, it matters of which kind it is.

    Raises:
        TypeError: If nothing is known of such a network.
    """
    if isinstance(network, SymmetricFaceVAE):
        return partial(STAGES[stage], network, weights)
    if isinstance(network, PaperVAE):
        return partial(imitate_paper, network, stage, weights)
    raise TypeError(f"no objective for {type(network).__name__}")


def symmetric_face(crop: Tensor, located: LocalizerOutput, visible: Tensor) -> Tensor:
    """Return the crop's face (B, 3, 128, 128), rectified and blended with its mirror image.

    It is gray around the face, and where both sides are hidden by `visible` (B, 17, 17) in 0..1.
    """
    mask = located.mask.sigmoid()
    mask = (mask + mask.flip(2)) / 2 * (1 - hidden_on_both_sides(visible))
    return keep_face(blend_sides(rectify(crop, located.warp), side_weights(located.warp, visible)), mask)


def left_halves(network: SymmetricFaceVAE, batch: TrainingBatch, stage: int) -> Tensor:
    """Return what stage 1 or 3 decodes of clean crops, for the linear path's PCA: (N, 3, 64, 32), centered on gray.

    Stage 1 decodes the left half of crops and of mirrored crops.
    """
    if stage == 1:
        face = rectify(batch.clean, identity_warp(batch.warp))
        faces = torch.cat([face, face.flip(-1)])
    else:
        located = network.localizer(batch.clean)
        faces = symmetric_face(batch.clean, located, torch.ones_like(located.mask))
    return F.avg_pool2d(faces, FACE_SIZE // LINEAR_SIZE)[..., : LINEAR_SIZE // 2] - GRAY


def localizer_losses(located: LocalizerOutput, weights: LossWeights, batch: TrainingBatch) -> Losses:
    """Return the localizer's terms: both warps against the label, midline, mask, frame; and those of its parser.

    Warps and midline of a sample count as much as its label does. "warp" is in eye distances, "midline" in radians and
    eye distances; "mask" is in nats.
    """
    points = (batch.face_mask + weights.surroundings) * batch.weight[:, None, None]
    coarse = _share(points) * warp_error(located.coarse, batch.warp, points)
    warp = _share(points) * warp_error(located.warp, batch.warp, points)
    midline = _share(batch.weight) * midline_error(located.warp, batch.warp, batch.weight)
    mask = map_error(located.mask, batch.face_mask, torch.ones_like(points))
    parser = parser_losses(located.parts, weights, label_level(batch, located.level))
    total = weights.coarse_warp * coarse + weights.warp * warp + weights.midline * midline
    total = total + weights.maps * mask + weights.outside * located.outside
    return _add({"total": total, "warp": warp, "midline": midline, "mask": mask}, parser)


def parser_losses(logits: Tensor, weights: LossWeights, labels: LevelLabels) -> Losses:
    """Return the parser's terms: what points show, irises; and how well skin and hair are found, in F1 scores.

    "parts" and "irises" are in nats. The scores are not part of the total, and 0 where nothing is labeled.

    Args:
        logits: (B, PARTS + 1, 64, 64), as the parser gives them.
        weights: How much the terms count.
        labels: What is there.
    """
    parts = _share(labels.inside) * parts_error(logits, labels)
    irises = _share(labels.iris_known) * map_error(logits[:, PARTS], labels.iris, labels.iris_known)
    with torch.no_grad():
        skin, hair = (mean_over_processes(count_matches(logits, labels, part)) for part in (Part.SKIN, Part.HAIR))
    return {
        "total": weights.parts * parts + weights.irises * irises,
        "parts": parts,
        "irises": irises,
        "skin_f1": skin[0] / skin[1].clamp(min=1),
        "hair_f1": hair[0] / hair[1].clamp(min=1),
    }


def _share(weight: Tensor) -> Tensor:
    """Return what a mean weighted with `weight` counts in the mean over the processes; 1 if there is only one."""
    total = weight.sum() + 1e-6  # there may be no face at all
    return total / mean_over_processes(total)


def autoencoder_losses(
    network: SymmetricFaceVAE, weights: LossWeights, faces: tuple[Tensor, Tensor], rng: ShardedRandom
) -> Losses:
    """Return Eq. 12-14 for the left half of what is to be decoded, in nats.

    Args:
        network: The network.
        weights: How much the terms count.
        faces: What is encoded, and what is to be decoded from it; each (B, 3, 128, 128) in 0..1.
        rng: Samples z in training; in evaluation z = mu.
    """
    face, target = faces
    mu, log_var = network.encoder(face.contiguous(memory_format=torch.channels_last))
    z = _sample_latent(mu, log_var, rng) if network.training else mu
    image = gaussian_error(network.decoder(z), target[..., : FACE_SIZE // 2], weights.pixel_deviation)
    kl = kl_divergence(mu, log_var)
    return {"total": weights.autoencoder * (image + kl), "image": image, "kl": kl}


def _sample_latent(mu: Tensor, log_var: Tensor, rng: ShardedRandom) -> Tensor:
    """Sample z = mu + sigma * epsilon, epsilon from N(0, I) (Eq. 5)."""
    return mu + rng.normal(*mu.shape) * (0.5 * log_var).exp()


def _add(first: Losses, second: Losses) -> Losses:
    """Return the terms of both, with the sum of their totals."""
    return {**first, **second, "total": first["total"] + second["total"]}


class Learner(nn.Module):
    """A stage's objective with the network that it trains, as a module: its gradients can be shared.

    Only what the stage trains requires gradients.
    """

    def __init__(self, network: FaceNetwork, stage: int, weights: LossWeights) -> None:
        super().__init__()
        self.network = network
        self._objective = objective_of(network, stage, weights)
        for part in network.localizing_parts():
            part.requires_grad_(stage > 1)

    def forward(self, batch: TrainingBatch, rng: ShardedRandom) -> Losses:
        """Return the losses of a batch."""
        return self._objective(batch, rng)
