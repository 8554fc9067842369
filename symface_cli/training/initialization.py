"""Start of the linear path as probabilistic PCA, the optimum of a linear VAE (Tipping & Bishop 1999)."""

import math

import numpy as np
import torch
from torch import Tensor, nn

from symface_cli.network.architecture import FACE_SIZE
from symface_cli.network.face_network import FaceNetwork
from symface_cli.network.vae import LINEAR_SIZE, SymmetricFaceVAE
from symface_cli.training.data.augmentation import UNCHANGED, make_batch
from symface_cli.training.data.samples import SplitSamples
from symface_cli.training.objectives import left_halves
from symface_cli.training.randomness import ShardedRandom, seeded

SEED = 0  # of svd_lowrank: the PCA is the same whatever was drawn before
FACES_AT_ONCE = 64
SPARE = 64  # components computed beyond those needed, so that the last of those needed are accurate


def start_linear_path(network: FaceNetwork, samples: SplitSamples, stage: int, pixel_deviation: float) -> None:
    """Start a network's linear path, if it has one, as the PCA of the faces that stage 1 or 3 decodes.

    Args:
        network: In the state in which the stage starts.
        samples: Of the training split.
        stage: 1 or 3; stage 2 goes on with the linear path of stage 1.
        pixel_deviation: As in `LossWeights`.
    """
    if isinstance(network, SymmetricFaceVAE) and stage != 2:
        start_as_pca(network, _left_halves_of(network, samples, stage), noise_variance(pixel_deviation))


def noise_variance(pixel_deviation: float) -> float:
    """Return the variance of a pixel at the linear path's resolution, from its deviation at that of the face."""
    return (pixel_deviation * LINEAR_SIZE / FACE_SIZE) ** 2


@torch.no_grad()
def _left_halves_of(network: SymmetricFaceVAE, samples: SplitSamples, stage: int) -> Tensor:
    """Return the left halves (N, 3, 64, 32) of all faces as the stage shows them to the encoder."""
    network.eval()
    random = ShardedRandom(torch.Generator(samples.device))  # nothing is random without augmentation
    parts = np.array_split(np.arange(len(samples)), math.ceil(len(samples) / FACES_AT_ONCE))
    batches = (make_batch(samples.take(part), UNCHANGED, random) for part in parts)
    return torch.cat([left_halves(network, batch, stage) for batch in batches])


@torch.no_grad()
def start_as_pca(network: SymmetricFaceVAE, halves: Tensor, noise: float) -> None:
    """Set encoder and decoder to the probabilistic PCA of left halves (N, 3, 64, 32), centered on gray.

    `noise` is the variance s^2 of a pixel that is not explained.

    With principal components u_k, their variances l_k and the noise s^2: mu_k = sqrt(l_k - s^2) / l_k u_k (x - m),
    sigma_k^2 = s^2 / l_k, and y = m + sum_k sqrt(l_k - s^2) u_k z_k. The convolution stacks keep their weights but
    add nothing at first. With fewer samples than latent units, the last units stay unused.
    """
    x = halves.flatten(1).float()
    mean = x.mean(0)
    latent = network.architecture.latent
    rank = min(latent, *x.shape)
    with seeded(SEED, x.device):
        _, singular, components = torch.svd_lowrank(x - mean, q=min(rank + SPARE, *x.shape), niter=4)
    variance = (singular[:rank].square() / len(x)).clamp(min=1.001 * noise)
    components = components[:, :rank]
    components = components * components.gather(0, components.abs().argmax(0, keepdim=True)).sign()  # whatever threads
    gain = (variance - noise).sqrt()
    into, out = network.encoder.linear, network.decoder.linear
    for layer in (into, out, network.encoder.statistics, network.decoder.detail[3]):
        assert isinstance(layer, (nn.Linear, nn.Conv2d)) and layer.bias is not None
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)
    into.weight[:rank] = (components * gain / variance).T
    into.bias[:rank] = -into.weight[:rank] @ mean
    out.weight[:, :rank] = components * gain
    out.bias.copy_(mean)
    network.encoder.statistics.bias[latent : latent + rank] = (noise / variance).log()
    network.encoder.deviation.fill_(1)
    network.encoder.deviation[:rank] = (noise / variance).sqrt()
