"""Training batches made of stored crops, on the device: jitter, light, blur, JPEG, occluders.

Occluders, blur and JPEG are in the input only. Color and light are in the target, too: nobody can tell the light that
was added from the light that was there, and a network that has to try makes all faces flat.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import torch
import torch.nn.functional as F
from torch import Tensor

from symface_cli.geometry.frames import CROP_BOXES, CROP_SIZE, EYES_Y
from symface_cli.network.warps import mirror_warp, rectify
from symface_cli.training.data.asymmetry import affine_grid, move_faces, random_fields
from symface_cli.training.data.prepared.targets import STORED_BOXES
from symface_cli.training.randomness import ShardedRandom

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
"""Quantization table of ITU-T T.81, Annex K."""

GAINS = (0.5, 1.6)  # of a channel, at least and at most
SIDE_LIGHTS = (0.1, 0.7)  # by how much light from one side changes the gain on either side
REDUCTIONS = (1.5, 4.5)  # how many times smaller blurred faces are
JPEG_COARSENESS = (0.3, 3.0)  # of the quantization table; 3 is JPEG quality 17
BARS = 0.25  # share of occluders that are bars over both eyes
ELLIPSES = 0.5  # share of occluders with a round outline; that of the others is nearly a box
SKIN_COLORED = 0.4  # share of occluders with the color of the photo's middle
FLAT = 0.6  # share of occluders of one color; the others show another sample


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """How far training pictures are changed.

    Attributes:
        angle: Standard deviation of the rotation, in radians.
        log_scale: Standard deviation of the scale's logarithm.
        shift: Standard deviation of the shift, in half sides of the crop.
        flip: Share of samples that are mirrored.
        asymmetry: Share of samples whose faces' sides are moved.
        gain: Standard deviation of the brightness, shared with the target.
        tint: Standard deviation of each channel's gain, shared with the target.
        side_light: Share of samples with light from one side, shared with the target.
        blur: Share of samples that are blurred.
        jpeg: Share of samples with JPEG's loss.
        occluders: Share of samples with something in front of the face.
    """

    angle: float = math.radians(12)
    log_scale: float = 0.12
    shift: float = 0.07
    flip: float = 0.5
    asymmetry: float = 0.5
    gain: float = 0.15
    tint: float = 0.07
    side_light: float = 0.35
    blur: float = 0.25
    jpeg: float = 0.25
    occluders: float = 0.4


UNCHANGED = Augmentation(
    angle=0, log_scale=0, shift=0, flip=0, asymmetry=0, gain=0, tint=0, side_light=0, blur=0, jpeg=0, occluders=0
)
"""Crops as they are, for validation."""


class StoredSamples(NamedTuple):
    """Prepared samples.

    Attributes:
        crops: (B, 192, 192, 3) uint8.
        warps: (B, 17, 17, 2) float32, face frame -> normalized coordinates of the stored crop.
        masks: (B, 96, 96) uint8, the face region of the stored crop.
        segments: (B, 96, 96) uint8, what the stored crop shows: a `Part`, or UNKNOWN.
        irises: (B, 2, 3) float32, x, y and radius in normalized coordinates of the stored crop; NaN where not known.
        weights: (B,) float32, how much the photos count, 0 to 1.
    """

    crops: Tensor
    warps: Tensor
    masks: Tensor
    segments: Tensor
    irises: Tensor
    weights: Tensor


class TrainingBatch(NamedTuple):
    """A training batch: inputs and labels.

    Attributes:
        crop: The input (B, 3, 160, 160), 0..1.
        clean: The same without occluders, blur and JPEG.
        stored_masks: (B, 96, 96) uint8, the face region of the stored crop.
        segments: (B, 96, 96) uint8, what the stored crop shows.
        irises: (B, 2, 3), in normalized coordinates of the stored crop.
        grid: Where the crop's pixels lie in the stored crop, (B, 160, 160, 2) in its normalized coordinates.
        warp: The label (B, 17, 17, 2), face frame -> normalized crop coordinates.
        face_mask: The face region at the control points of the face frame (B, 17, 17), symmetric, 0..1.
        occluder: How far something was put in front of the crop's pixels, (B, 1, 160, 160) in 0..1.
        weight: How much the label counts, (B,), 0 to 1.
    """

    crop: Tensor
    clean: Tensor
    stored_masks: Tensor
    segments: Tensor
    irises: Tensor
    grid: Tensor
    warp: Tensor
    face_mask: Tensor
    occluder: Tensor
    weight: Tensor

    def mask(self) -> Tensor:
        """Return the face region in the crop (B, 1, 160, 160), 0..1; only stage 2 needs it."""
        return _sample(self.stored_masks[..., None], self.grid, torch.ones_like(self.weight)[:, None])


def make_batch(stored: StoredSamples, augmentation: Augmentation, rng: ShardedRandom) -> TrainingBatch:
    """Make a batch of stored samples."""
    asymmetry = augmentation.asymmetry
    shares = (augmentation.side_light, augmentation.occluders, augmentation.blur, augmentation.jpeg, asymmetry)
    lit, covered, blurred, compressed, moved = _choose(shares, stored.warps, rng)
    stored_from_crop, warp = _jitter(stored.warps, augmentation, rng)
    face_mask = _look_up(stored.masks, stored_from_crop, warp)
    grid = affine_grid(stored_from_crop, CROP_SIZE)
    if asymmetry > 0:
        _move_sides(grid, stored_from_crop, warp, moved, rng)
    clean = _sample(stored.crops, grid, _gain(grid, augmentation, rng))
    _light_from_one_side(clean, lit, rng)
    crop, occluder = _cover(clean, warp, covered, rng)
    _blur(crop, blurred, rng)
    _compress(crop, compressed, rng)
    return TrainingBatch(
        crop=crop,
        clean=clean,
        stored_masks=stored.masks,
        segments=stored.segments,
        irises=stored.irises,
        grid=grid,
        warp=warp,
        face_mask=(face_mask + face_mask.flip(2)) / 2,
        occluder=occluder,
        weight=stored.weights,
    )


def _choose(shares: tuple[float, ...], like: Tensor, rng: ShardedRandom) -> list[Tensor]:
    """Choose the samples of a batch (B, ...) to which each of several things happens: return their indices.

    Work is done for these alone. Drawn together, so that a GPU is waited for once.
    """
    chosen = rng.uniform(len(like), len(shares)).cpu() < torch.tensor(shares)
    return [column.nonzero()[:, 0].to(like.device, non_blocking=True) for column in chosen.unbind(1)]


def _chosen(share: float, like: Tensor, rng: ShardedRandom) -> Tensor:
    """Choose the samples of a batch (B, ...) to which something happens: bool (B, 1, 1, 1)."""
    return rng.uniform(len(like), 1, 1, 1) < share


def _uniform(low: float, high: float, like: Tensor, rng: ShardedRandom) -> Tensor:
    """Draw random numbers (B, 1, 1, 1)."""
    return low + (high - low) * rng.uniform(len(like), 1, 1, 1)


def _jitter(warps: Tensor, augmentation: Augmentation, rng: ShardedRandom) -> tuple[Tensor, Tensor]:
    """Draw stored_from_crop (B, 2, 3), mirrored for some samples; return it and the warps in the jittered crops."""
    angle = augmentation.angle * rng.normal(len(warps), 1)[:, 0]
    ratio = CROP_BOXES / STORED_BOXES
    scale = ratio * torch.exp(augmentation.log_scale * rng.normal(len(warps), 1)[:, 0])
    shift = ratio * augmentation.shift * rng.normal(len(warps), 2)
    flip = _chosen(augmentation.flip, warps, rng)
    c, s = scale * torch.cos(angle), scale * torch.sin(angle)
    rotation = torch.stack([torch.stack([c, -s], -1), torch.stack([s, c], -1)], 1)
    warps = torch.where(flip, mirror_warp(warps), warps)
    warps = torch.einsum("bij,bhwj->bhwi", torch.linalg.inv(rotation), warps - shift[:, None, None])
    stored_from_crop = torch.cat([rotation, shift[..., None]], -1)
    stored_from_crop[:, 0] *= torch.where(flip, -1, 1)[:, :, 0, 0]
    return stored_from_crop, warps


def _move_sides(grid: Tensor, stored_from_crop: Tensor, warp: Tensor, chosen: Tensor, rng: ShardedRandom) -> None:
    """Make the chosen samples' faces more asymmetric, in grid and warp."""
    fields = random_fields(warp, chosen, rng)
    if not len(chosen):
        return
    moves, warp[chosen] = move_faces(warp[chosen], fields, stored_from_crop[chosen])
    grid.permute(0, 3, 1, 2).index_add_(0, chosen, moves)  # in planes: in a tenth of the time


def _sample(pixels: Tensor, grid: Tensor, gain: Tensor) -> Tensor:
    """Sample stored pixels (B, S, S, C) uint8 in the crops, times the gains (B, C): (B, C, 160, 160), 0..1."""
    if pixels.device.type == "cpu":
        return _remap(pixels, grid, gain)
    pixels = pixels.permute(0, 3, 1, 2).float()
    sampled = F.grid_sample(pixels, grid, padding_mode="reflection", align_corners=True)
    return sampled.mul_(gain[..., None, None] / 255).clamp_(0, 1)


def _remap(pixels: Tensor, grid: Tensor, gain: Tensor) -> Tensor:
    """Do so by OpenCV, in half of the time; places are rounded to 1/32 pixel, and colors to a gray level."""
    half = torch.tensor((pixels.shape[1] - 1) / 2)
    places = torch.addcmul(half, half, grid.permute(0, 3, 1, 2)).numpy()  # x and y as two planes
    tables = (torch.arange(256) / 255 * gain[..., None]).clamp_(0, 1).numpy()  # what becomes of each gray level
    crops = torch.empty(*gain.shape, *grid.shape[1:3])
    for image, (x, y), levels, crop in zip(pixels.numpy(), places, tables, crops.numpy(), strict=True):
        sampled = cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        for channel, table, plane in zip(cv2.split(sampled), levels, crop, strict=True):
            cv2.LUT(channel, table, dst=plane)
    return crops


def _look_up(masks: Tensor, stored_from_crop: Tensor, warp: Tensor) -> Tensor:
    """Sample stored masks (B, 96, 96) uint8 at the control points of warps in the crops: (B, 17, 17), 0..1."""
    points = torch.einsum("bij,bhwj->bhwi", stored_from_crop[..., :2], warp) + stored_from_crop[:, None, None, :, 2]
    return rectify(masks[:, None].float(), points, warp.shape[1])[:, 0] / 255


def _gain(like: Tensor, augmentation: Augmentation, rng: ShardedRandom) -> Tensor:
    """Draw the gain of each channel, (B, 3), for samples (B, ...)."""
    tint = augmentation.tint * rng.normal(len(like), 3) + augmentation.gain * rng.normal(len(like), 1)
    return (1 + tint).clamp(*GAINS)


def _ramp(image: Tensor) -> tuple[Tensor, Tensor]:
    """Return normalized coordinates x (1, 1, 1, W) and y (1, 1, H, 1)."""
    ticks = torch.linspace(-1, 1, image.shape[-1], device=image.device)
    return ticks.view(1, 1, 1, -1), ticks.view(1, 1, -1, 1)


def _light_from_one_side(image: Tensor, chosen: Tensor, rng: ShardedRandom) -> None:
    """Change the chosen samples' light: a gain that rises along a random direction."""
    x, y = _ramp(image)
    direction = _uniform(0, 2 * math.pi, image, rng)[chosen]
    strength = _uniform(*SIDE_LIGHTS, image, rng)[chosen]
    ramp = x * (4 * direction.cos()) + y * (4 * direction.sin())
    gain = ramp.sigmoid_().mul_(2 * strength).add_(1 - strength)  # 1 + strength * tanh(ramp / 2), in half of the time
    image[chosen] = image.index_select(0, chosen).mul_(gain).clamp_(0, 1)  # faster than image[chosen]


def _blur(image: Tensor, chosen: Tensor, rng: ShardedRandom) -> None:
    """Make the chosen samples small faces: at a lower resolution, one for the whole batch."""
    smallest, largest = REDUCTIONS
    factor = rng.common() * (largest - smallest) + smallest
    if not len(chosen):  # CUDA cannot reduce an empty batch
        return
    size = round(image.shape[-1] / factor)
    small = F.interpolate(image.index_select(0, chosen), size=(size, size), mode="bilinear", antialias=True)
    image[chosen] = F.interpolate(small, size=image.shape[-2:], mode="bilinear", antialias=True)  # in half of the time


def _compress(image: Tensor, chosen: Tensor, rng: ShardedRandom) -> None:
    """Give the chosen samples JPEG's loss: 8 x 8 cosine transform, coefficients rounded to the quality's multiples."""
    quality = _uniform(*JPEG_COARSENESS, image, rng)[chosen]
    size = image.shape[-1]
    table = torch.tensor(JPEG_LUMINANCE, dtype=image.dtype, device=image.device).repeat(2, size // 8) / 255 * quality
    k = torch.arange(8, dtype=image.dtype, device=image.device)
    block = torch.cos(math.pi / 8 * (k + 0.5) * k[:, None]) * torch.where(k > 0, 0.5, 0.125**0.5)[:, None]
    two = torch.kron(torch.eye(2, dtype=k.dtype, device=k.device), block)  # at a time: faster than one
    bands = image.index_select(0, chosen).sub_(0.5).view(len(chosen), 3 * size // 16, 16, size)
    coefficients = ((two @ bands).view(-1, 16) @ two.T).view_as(bands)
    coefficients.div_(table).round_().mul_(table)
    bands = two.T @ (coefficients.view(-1, 16) @ two).view_as(bands)
    image[chosen] = bands.add_(0.5).clamp_(0, 1).view(-1, *image.shape[1:])


def _cover(clean: Tensor, warp: Tensor, chosen: Tensor, rng: ShardedRandom) -> tuple[Tensor, Tensor]:
    """Copy pictures with something in front of the chosen ones' faces; return them and its outlines."""
    occluder, content = _occluder(warp, chosen, rng), _occluder_content(clean, chosen, rng)
    covered = clean.index_select(0, chosen).lerp_(content, occluder)
    outlines = torch.zeros_like(clean[:, :1])
    return clean.index_copy(0, chosen, covered), outlines.index_copy_(0, chosen, occluder)


def _occluder(warp: Tensor, chosen: Tensor, rng: ShardedRandom) -> Tensor:
    """Draw the outlines of what lies in front of the chosen faces: (b, 1, 160, 160), 0..1.

    They are superellipses, ellipses or nearly boxes; some are bars over both eyes.
    """
    bar = _chosen(BARS, warp, rng)[:, :, 0, 0]
    shape = torch.where(bar, _bar_over_eyes(warp, rng), _blob_anywhere(warp, rng))[chosen]
    center_x, center_y, angle, width, height = shape[..., None, None, None].unbind(1)  # each (b, 1, 1, 1)
    ticks = torch.linspace(-1, 1, CROP_SIZE, device=warp.device)
    x, y = ticks.view(1, 1, 1, -1) - center_x, ticks.view(1, 1, -1, 1) - center_y
    cos, sin = angle.cos(), angle.sin()
    u = (x * (cos / width) + y * (sin / width)).square_()
    v = (y * (cos / height) - x * (sin / height)).square_()
    is_ellipse = _chosen(ELLIPSES, warp, rng)[chosen]
    inside = 1 - torch.where(is_ellipse, u + v, u.square_().square_() + v.square_().square_())  # 2, or 8: nearly a box
    return inside.mul_(12).sigmoid_()


def _blob_anywhere(warp: Tensor, rng: ShardedRandom) -> Tensor:
    """Draw center x and y, angle, half width and half height (B, 5), in normalized crop coordinates."""
    low = warp.new_tensor([-0.6, -0.6, 0, 0.07, 0.12])
    high = warp.new_tensor([0.6, 0.6, math.pi, 0.5, 0.5])
    return low + (high - low) * rng.uniform(len(warp), 5)


def _bar_over_eyes(warp: Tensor, rng: ShardedRandom) -> Tensor:
    """Draw the same for a bar along the line through the eyes, about as wide as the face."""
    row = round((EYES_Y + 1) / 2 * (warp.shape[1] - 1))
    across = warp[:, row, -5] - warp[:, row, 4]  # half of the face frame's width
    width = across.norm(dim=1) * _uniform(0.5, 0.65, warp, rng)[:, 0, 0, 0]
    height = width * _uniform(0.25, 0.5, warp, rng)[:, 0, 0, 0]
    angle = torch.atan2(across[:, 1], across[:, 0])
    return torch.stack([*warp[:, row, warp.shape[2] // 2].unbind(1), angle, width, height], 1)


def _occluder_content(image: Tensor, chosen: Tensor, rng: ShardedRandom) -> Tensor:
    """Make what occluders show: any color, or one like the photo's middle, with shading; or another sample upside down.

    For the chosen samples: (b, 3, 160, 160). The other sample is the other one of a pair, so that a batch can be shared
    out between processes.
    """
    color = rng.uniform(len(image), 3, 1, 1)[chosen]
    is_alike, is_flat = _chosen(SKIN_COLORED, image, rng)[chosen], _chosen(FLAT, image, rng)[chosen]
    middle = image.shape[-1] // 4
    skin = image[..., middle:-middle, middle:-middle].index_select(0, chosen).mean((2, 3), keepdim=True)
    alike = skin * (0.6 + 0.7 * color[:, :1]) * (0.9 + 0.2 * color)
    color = torch.where(is_alike, alike, color)
    x, y = _ramp(image)
    flat = color + 0.2 * torch.sin(3 * x + 6 * color[:, :1]) * torch.cos(2 * y + 6 * color[:, 1:2])
    other = (chosen ^ 1).clamp(max=len(image) - 1)  # an odd one has no other
    return image.index_select(0, other).flip(2).lerp_(flat.clamp_(0, 1), is_flat.to(flat.dtype))
