"""How a turn of the head moves the points of a face: learned from a network's own warps (see `geometry.pose`)."""

import math

import numpy as np
import torch
from numpy.typing import NDArray

from symface_cli.geometry.pose import split_odd
from symface_cli.geometry.types import Array
from symface_cli.geometry.warps import similarity_of_warp, yaw_of_warp
from symface_cli.network.device import mixed_precision
from symface_cli.network.face_network import FaceNetwork
from symface_cli.network.vae import SymmetricFaceVAE
from symface_cli.training.data.augmentation import UNCHANGED, make_batch
from symface_cli.training.data.samples import SplitSamples
from symface_cli.training.randomness import ShardedRandom

MOST_FACES = 1024  # of which it is learned: 1,000 other ones give the same field but for 1 % of it
FACES_AT_ONCE = 64


def learn_pose(network: FaceNetwork, samples: SplitSamples, stage: int) -> None:
    """Set a network's pose field, if it has one and locates faces: from stage 2 on.

    Args:
        network: In evaluation mode.
        samples: Of the training split.
        stage: The one that is trained.
    """
    if isinstance(network, SymmetricFaceVAE) and stage > 1:
        field = pose_field(*_locate(network, samples))
        network.pose_field.copy_(torch.from_numpy(field))


@torch.no_grad()
def _locate(network: SymmetricFaceVAE, samples: SplitSamples) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the warps (N, 17, 17, 2) and masks (N, 17, 17) of evenly spaced samples."""
    random = ShardedRandom(torch.Generator(samples.device))  # nothing is random without augmentation
    chosen = np.linspace(0, len(samples) - 1, min(len(samples), MOST_FACES)).astype(np.int64)
    warps, masks = [], []
    for part in np.array_split(chosen, math.ceil(len(chosen) / FACES_AT_ONCE)):
        crop = make_batch(samples.take(part), UNCHANGED, random).crop
        with mixed_precision(samples.device):
            located = network.locate(crop)
        warps.append(located.warp.float().cpu().numpy())
        masks.append(located.mask.float().cpu().numpy())
    return np.concatenate(warps), np.concatenate(masks)


def pose_field(warps: NDArray[np.floating], masks: NDArray[np.floating]) -> Array:
    """Return the field Z, (17, 17, 2) in normalized face coordinates, odd, of faces' warps and masks.

    It is the regression of the warps' odd parts on t, the sine of the yaw: sum(t odd) / sum(t^2). On 1,500 photos,
    with the weights of version 0.2, that is their first principal component but for 0.4 % of it. Of 300 other photos it
    explains 93.3 % of the odd parts, as that component does; a second one, 2.7 % more, but that is eyes at different
    heights, and no turn.

    Args:
        warps: (N, 17, 17, 2), into any frame.
        masks: (N, 17, 17) in 0..1.
    """
    odd = np.stack([split_odd(warp, similarity_of_warp(warp))[1] for warp in warps])
    yaw = np.radians([yaw_of_warp(warp, mask) for warp, mask in zip(warps, masks, strict=True)])
    t = np.sin(yaw)
    field: Array = np.tensordot(t, odd, 1) / max(float((t**2).sum()), np.finfo(float).tiny)
    return field
