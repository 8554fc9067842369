"""Sheets of example pictures: what the network makes of some validation photos after an epoch."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from symface_cli.imaging.photo import encode_png
from symface_cli.network.architecture import FACE_SIZE
from symface_cli.network.paper import PaperVAE
from symface_cli.network.vae import Network
from symface_cli.network.warps import blend_sides, identity_warp, rectify
from symface_cli.training.data.augmentation import NONE, Augmentation, Batch, make_batch
from symface_cli.training.data.samples import Samples
from symface_cli.training.randomness import ShardedRandom


@torch.no_grad()
def draw_sheet(network: Network, samples: Samples, stage: int, count: int) -> bytes:
    """A PNG with one row per sample: clean crops first, then augmented ones."""
    network.eval()
    device = samples.device
    index = np.linspace(0, len(samples) - 1, min(count, len(samples))).astype(np.int64)
    rows = []
    for augmentation in (NONE, Augmentation()):
        batch = make_batch(samples.take(index), augmentation, ShardedRandom(torch.Generator(device).manual_seed(1)))
        pictures = [_small(batch.crop), *_pictures(network, batch, stage)]
        rows += list(torch.cat(pictures, 3))
    half = len(rows) // 2
    sheet = torch.cat([torch.cat(rows[:half], 1), torch.cat(rows[half:], 1)], 2)
    pixels = (sheet.float().clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()
    return encode_png(np.ascontiguousarray(pixels))


def _small(image: Tensor) -> Tensor:
    return F.interpolate(image, size=(FACE_SIZE, FACE_SIZE), mode="bilinear", antialias=True)


def _pictures(network: Network, batch: Batch, stage: int) -> list[Tensor]:
    """Stage 1 and 2: what is decoded from the crop. Stage 3: rectified face, blend, decoded face."""
    if isinstance(network, PaperVAE):
        return [network.decode(network.encode(batch.crop)[0]).sigmoid()]
    if stage < 3:
        face = rectify(batch.crop, identity_warp(batch.warp))
        halves = [network.decoder(network.encoder(x)[0]) for x in (face, face.flip(-1))]
        decoded = [torch.cat([halves[0], halves[1].flip(-1)], 3)]
        return decoded if stage == 1 else [*decoded, rectify(batch.crop, network.locate(batch.crop).warp)]
    seen = network.locate(batch.crop)
    rectified = rectify(batch.crop, seen.warp)
    visible = F.interpolate(seen.visible[:, None], size=(FACE_SIZE, FACE_SIZE)).expand(-1, 3, -1, -1)
    return [rectified, visible, blend_sides(rectified, seen.weights), network.decode_face(batch.crop, seen)]
