"""The linear path started as probabilistic PCA, the optimum of a linear VAE (Tipping & Bishop 1999)."""

import torch
from torch import Tensor, nn

from symface_cli.network.architecture import FACE_SIZE
from symface_cli.network.vae import LINEAR_SIZE, SymmetricFaceVAE
from symface_cli.training.losses import PIXEL_DEVIATION

NOISE = (PIXEL_DEVIATION * LINEAR_SIZE / FACE_SIZE) ** 2  # variance of a pixel at the linear path's resolution
SPARE = 64  # components computed beyond those needed, so that the last of those needed are accurate


@torch.no_grad()
def start_as_pca(network: SymmetricFaceVAE, halves: Tensor) -> None:
    """Sets encoder and decoder to the probabilistic PCA of left halves (N, 3, 64, 32), centered on gray.

    With principal components u_k, their variances l_k and the noise s^2: mu_k = sqrt(l_k - s^2) / l_k u_k (x - m),
    sigma_k^2 = s^2 / l_k, and y = m + sum_k sqrt(l_k - s^2) u_k z_k. The convolution stacks keep their weights but
    add nothing at first. With fewer samples than latent units, the last units stay unused.
    """
    x = halves.flatten(1).float()
    mean = x.mean(0)
    latent = network.architecture.latent
    rank = min(latent, *x.shape)
    torch.manual_seed(0)  # svd_lowrank draws from the global generator
    _, singular, components = torch.svd_lowrank(x - mean, q=min(rank + SPARE, *x.shape), niter=4)
    variance = (singular[:rank].square() / len(x)).clamp(min=1.001 * NOISE)
    components = components[:, :rank]
    components = components * components.gather(0, components.abs().argmax(0, keepdim=True)).sign()  # whatever threads
    gain = (variance - NOISE).sqrt()
    into, out = network.encoder.linear, network.decoder.linear
    for layer in (into, out, network.encoder.statistics, network.decoder.detail[3]):
        assert isinstance(layer, (nn.Linear, nn.Conv2d)) and layer.bias is not None
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)
    into.weight[:rank] = (components * gain / variance).T
    into.bias[:rank] = -into.weight[:rank] @ mean
    out.weight[:, :rank] = components * gain
    out.bias.copy_(mean)
    network.encoder.statistics.bias[latent : latent + rank] = (NOISE / variance).log()
    network.encoder.deviation.fill_(1)
    network.encoder.deviation[:rank] = (NOISE / variance).sqrt()
