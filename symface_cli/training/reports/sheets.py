"""Sheets of examples: what the network makes of some validation photos after an epoch."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from symface_cli.imaging.photo import encode_png
from symface_cli.network.architecture import FACE_SIZE
from symface_cli.network.face_network import FaceNetwork
from symface_cli.network.warps import blend_sides, rectify
from symface_cli.training.config import TrainingConfig
from symface_cli.training.data.augmentation import UNCHANGED, TrainingBatch, make_batch
from symface_cli.training.data.samples import SplitSamples
from symface_cli.training.randomness import ShardedRandom


@torch.no_grad()
def draw_sheet(network: FaceNetwork, samples: SplitSamples, config: TrainingConfig, count: int) -> bytes:
    """Draw a PNG with one row per sample: clean crops on the left, augmented ones on the right."""
    network.eval()
    device = samples.device
    index = np.linspace(0, len(samples) - 1, min(count, len(samples))).astype(np.int64)
    rows = []
    for augmentation in (UNCHANGED, config.augmentation):
        batch = make_batch(samples.take(index), augmentation, ShardedRandom(torch.Generator(device).manual_seed(1)))
        pictures = [_small(batch.crop), *_pictures(network, batch, config.stage)]
        rows += list(torch.cat(pictures, 3))
    half = len(rows) // 2
    sheet = torch.cat([torch.cat(rows[:half], 1), torch.cat(rows[half:], 1)], 2)
    pixels = (sheet.float().clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()
    return encode_png(np.ascontiguousarray(pixels))


def _small(image: Tensor) -> Tensor:
    """Return crops (B, 3, 160, 160) at the size of faces, (B, 3, 128, 128)."""
    return F.interpolate(image, size=(FACE_SIZE, FACE_SIZE), mode="bilinear", antialias=True)


def _pictures(network: FaceNetwork, batch: TrainingBatch, stage: int) -> list[Tensor]:
    """Return what a stage makes of crops: pictures (B, 3, 128, 128).

    Stage 1 and 2: the decoded crop; of a network that locates faces, stage 2 also has the rectified face, and stage 3
    rectified face, visibility, blend, decoded face.
    """
    localization = network.locate(batch.crop) if stage > 1 else None
    if localization is None:
        return [network.reconstruct(batch.crop)]
    rectified = rectify(batch.crop, localization.warp)
    if stage == 2:
        return [network.reconstruct(batch.crop), rectified]
    visible = F.interpolate(localization.visible[:, None], size=(FACE_SIZE, FACE_SIZE)).expand(-1, 3, -1, -1)
    blended = blend_sides(rectified, localization.weights)
    return [rectified, visible, blended, network.decode(batch.crop, localization)]
