"""Stored crops made into training batches, on the device: jitter, light, blur, JPEG, occluders.

Occluders, blur and JPEG are in the input only. Colour and light are in the target, too: nobody can tell the light that
was added from the light that was there, and a network that has to try makes all faces flat.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from symface_cli.geometry import CROP_BOXES, CROP_SIZE, EYES_Y
from symface_cli.training.preparation import STORED_BOXES
from symface_cli.warping import mirror_warp, rectify

JPEG_LUMINANCE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
"""Quantisation table of ITU-T T.81, Annex K."""


@dataclass(frozen=True)
class Augmentation:
    """How far training pictures are changed. Shares are of the samples, deviations of normal distributions."""

    angle: float = math.radians(12)  # deviation
    log_scale: float = 0.12  # deviation
    shift: float = 0.07  # deviation, of the crop's half side
    gain: float = 0.15  # deviation of the brightness, shared with the target
    tint: float = 0.07  # deviation of each channel's gain, shared with the target
    side_light: float = 0.35  # share, shared with the target
    blur: float = 0.25  # share
    jpeg: float = 0.25  # share
    occluders: float = 1 / 3  # share


NONE = Augmentation(0, 0, 0, 0, 0, 0, 0, 0, 0)
"""Crops as they are, for validation."""


class Stored(NamedTuple):
    """Prepared samples.

    Attributes:
        crops: (B, 192, 192, 3) uint8.
        warps: (B, 17, 17, 2) float32, face frame -> normalised coordinates of the stored crop.
        masks: (B, 96, 96) uint8, the face region of the stored crop.
    """

    crops: Tensor
    warps: Tensor
    masks: Tensor


class Batch(NamedTuple):
    """A training batch.

    Attributes:
        crop: The input (B, 3, 160, 160), 0..1.
        clean: The same without occluders, blur and JPEG.
        mask: The face region in the crop (B, 1, 160, 160), 0..1.
        warp: The label (B, 17, 17, 2), face frame -> normalised crop coordinates.
        face_mask: The face region at the control points of the face frame (B, 17, 17), symmetric, 0..1.
        visible: 1 where nothing was put in front of the face, at the control points (B, 17, 17).
    """

    crop: Tensor
    clean: Tensor
    mask: Tensor
    warp: Tensor
    face_mask: Tensor
    visible: Tensor


def make_batch(stored: Stored, augmentation: Augmentation, generator: torch.Generator) -> Batch:
    """Makes a batch of stored samples."""
    image = stored.crops.permute(0, 3, 1, 2).float() / 255
    mask = stored.masks[:, None].float() / 255
    stored_from_crop, warp, flip = _jitter(stored.warps, augmentation, generator)
    flip4 = flip[:, None, None, None]
    image, mask = (torch.where(flip4, x.flip(-1), x) for x in (image, mask))
    grid = F.affine_grid(stored_from_crop, [len(image), 3, CROP_SIZE, CROP_SIZE], align_corners=True)
    clean, mask = (F.grid_sample(x, grid, padding_mode="reflection", align_corners=True) for x in (image, mask))
    clean = (clean * _gain(clean, augmentation, generator)).clamp(0, 1)
    clean = _change_light(clean, augmentation, generator)
    occluder = _occluder(warp, augmentation, generator)
    crop = torch.lerp(clean, _occluder_content(clean, generator), occluder)
    crop = _compress(_blur(crop, augmentation, generator), augmentation, generator).clamp(0, 1)
    face_mask = rectify(mask, warp, warp.shape[1])[:, 0]
    visible = 1 - rectify(occluder, warp, warp.shape[1])[:, 0]
    return Batch(crop, clean, mask, warp, (face_mask + face_mask.flip(2)) / 2, visible)


def _chosen(share: float, like: Tensor, generator: torch.Generator) -> Tensor:
    """Which samples of a batch (B, ...) something happens to: bool (B, 1, 1, 1)."""
    return torch.rand(len(like), 1, 1, 1, device=like.device, generator=generator) < share


def _normal(count: int, like: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(len(like), count, device=like.device, generator=generator)


def _uniform(low: float, high: float, like: Tensor, generator: torch.Generator) -> Tensor:
    """Random numbers (B, 1, 1, 1)."""
    return low + (high - low) * torch.rand(len(like), 1, 1, 1, device=like.device, generator=generator)


def _jitter(warps: Tensor, augmentation: Augmentation, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Random stored_from_crop (B, 2, 3), the warps in the jittered crops, and which samples are mirrored."""
    angle = augmentation.angle * _normal(1, warps, generator)[:, 0]
    ratio = CROP_BOXES / STORED_BOXES
    scale = ratio * torch.exp(augmentation.log_scale * _normal(1, warps, generator)[:, 0])
    shift = ratio * augmentation.shift * _normal(2, warps, generator)
    flip = _chosen(0.5 if augmentation.angle else 0, warps, generator)
    c, s = scale * torch.cos(angle), scale * torch.sin(angle)
    rotation = torch.stack([torch.stack([c, -s], -1), torch.stack([s, c], -1)], 1)
    warps = torch.where(flip, mirror_warp(warps), warps)
    warps = torch.einsum("bij,bhwj->bhwi", torch.linalg.inv(rotation), warps - shift[:, None, None])
    return torch.cat([rotation, shift[..., None]], -1), warps, flip[:, 0, 0, 0]


def _gain(image: Tensor, augmentation: Augmentation, generator: torch.Generator) -> Tensor:
    tint = augmentation.tint * _normal(3, image, generator) + augmentation.gain * _normal(1, image, generator)
    return (1 + tint).clamp(0.5, 1.6)[:, :, None, None]


def _ramp(image: Tensor) -> tuple[Tensor, Tensor]:
    """Normalised coordinates x (1, 1, 1, W) and y (1, 1, H, 1)."""
    ticks = torch.linspace(-1, 1, image.shape[-1], device=image.device)
    return ticks.view(1, 1, 1, -1), ticks.view(1, 1, -1, 1)


def _change_light(image: Tensor, augmentation: Augmentation, generator: torch.Generator) -> Tensor:
    """Light from one side: a gain that rises along a random direction."""
    x, y = _ramp(image)
    direction = _uniform(0, 2 * math.pi, image, generator)
    strength = _uniform(0.1, 0.7, image, generator) * _chosen(augmentation.side_light, image, generator)
    return (image * (1 + strength * torch.tanh(2 * (x * direction.cos() + y * direction.sin())))).clamp(0, 1)


def _blur(image: Tensor, augmentation: Augmentation, generator: torch.Generator) -> Tensor:
    """Small faces: part of the samples at a lower resolution, one for the whole batch."""
    factor = torch.rand(1, device=image.device, generator=generator).item() * 3 + 1.5
    size = round(image.shape[-1] / factor)
    small = F.interpolate(image, size=(size, size), mode="bilinear", antialias=True)
    back = F.interpolate(small, size=image.shape[-2:], mode="bilinear")
    return torch.where(_chosen(augmentation.blur, image, generator), back, image)


def _compress(image: Tensor, augmentation: Augmentation, generator: torch.Generator) -> Tensor:
    """JPEG's loss: 8 x 8 cosine transform, coefficients rounded to multiples of the quality's table."""
    chosen = _chosen(augmentation.jpeg, image, generator)[:, 0, 0, 0].nonzero()[:, 0]
    if not len(chosen):
        return image
    quality = _uniform(0.3, 3.0, image, generator)[chosen, :, :, :, None, None]  # 3: JPEG quality about 17
    table = torch.tensor(JPEG_LUMINANCE, dtype=image.dtype, device=image.device) / 255 * quality
    k = torch.arange(8, dtype=image.dtype, device=image.device)
    transform = torch.cos(math.pi / 8 * (k + 0.5) * k[:, None]) * torch.where(k > 0, 0.5, 0.125**0.5)[:, None]
    count = image.shape[-1] // 8
    blocks = image[chosen].view(-1, 3, count, 8, count, 8).transpose(3, 4)  # (b, 3, 20, 20, 8, 8)
    coefficients = transform @ (blocks - 0.5) @ transform.T
    blocks = transform.T @ ((coefficients / table).round() * table) @ transform + 0.5
    out = image.clone()
    out[chosen] = blocks.transpose(3, 4).reshape(-1, *image.shape[1:])
    return out


def _occluder(warp: Tensor, augmentation: Augmentation, generator: torch.Generator) -> Tensor:
    """Where something lies in front of the face: (B, 1, 160, 160), 0..1; zero for samples without an occluder.

    It is a superellipse, from an ellipse to nearly a box; a quarter of them are bars over both eyes.
    """
    bar = _chosen(0.25, warp, generator)[:, :, 0, 0]
    shape = torch.where(bar, _bar_over_eyes(warp, generator), _blob_anywhere(warp, generator))
    centre_x, centre_y, angle, width, height = shape[..., None, None, None].unbind(1)  # each (B, 1, 1, 1)
    ticks = torch.linspace(-1, 1, CROP_SIZE, device=warp.device)
    x, y = ticks.view(1, 1, 1, -1) - centre_x, ticks.view(1, 1, -1, 1) - centre_y
    u = (x * angle.cos() + y * angle.sin()) / width
    v = (y * angle.cos() - x * angle.sin()) / height
    power = torch.where(_chosen(0.5, warp, generator), 2.0, 8.0)
    inside = torch.sigmoid(12 * (1 - u.abs().clamp(max=4) ** power - v.abs().clamp(max=4) ** power))
    return inside * _chosen(augmentation.occluders, warp, generator)


def _blob_anywhere(warp: Tensor, generator: torch.Generator) -> Tensor:
    """Centre x and y, angle, half width and half height (B, 5), in normalised crop coordinates."""
    low = warp.new_tensor([-0.6, -0.6, 0, 0.12, 0.12])
    high = warp.new_tensor([0.6, 0.6, math.pi, 0.5, 0.5])
    return low + (high - low) * torch.rand(len(warp), 5, device=warp.device, generator=generator)


def _bar_over_eyes(warp: Tensor, generator: torch.Generator) -> Tensor:
    """The same for a bar along the line through the eyes, about as wide as the face."""
    row = round((EYES_Y + 1) / 2 * (warp.shape[1] - 1))
    across = warp[:, row, -5] - warp[:, row, 4]  # half of the face frame's width
    width = across.norm(dim=1) * _uniform(0.5, 0.65, warp, generator)[:, 0, 0, 0]
    height = width * _uniform(0.25, 0.5, warp, generator)[:, 0, 0, 0]
    angle = torch.atan2(across[:, 1], across[:, 0])
    return torch.stack([*warp[:, row, warp.shape[2] // 2].unbind(1), angle, width, height], 1)


def _occluder_content(image: Tensor, generator: torch.Generator) -> Tensor:
    """What occluders show: a flat colour with a little shading, or the upside-down photo of the next sample."""
    colour = torch.rand(len(image), 3, 1, 1, device=image.device, generator=generator)
    x, y = _ramp(image)
    flat = colour + 0.2 * torch.sin(3 * x + 6 * colour[:, :1]) * torch.cos(2 * y + 6 * colour[:, 1:2])
    return torch.where(_chosen(0.5, image, generator), flat, image.roll(1, 0).flip(2)).clamp(0, 1)
