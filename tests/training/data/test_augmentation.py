"""Training batches: the input is changed, the labels follow, the target stays clean."""

import dataclasses

import pytest
import torch
import torch.nn.functional as F

from symface_cli.network.warps import identity_warp, rectify
from symface_cli.training.data import augmentation
from symface_cli.training.data.asymmetry import random_fields
from symface_cli.training.data.augmentation import UNCHANGED, Augmentation, StoredSamples, make_batch
from symface_cli.training.data.prepared.targets import STORED_BOXES, STORED_SIZE
from symface_cli.training.randomness import ShardedRandom


@pytest.fixture
def stored():
    """Smooth random pictures, so that resampling them twice changes little."""
    torch.manual_seed(0)
    image = F.interpolate(torch.rand(8, 3, 12, 12), size=(STORED_SIZE, STORED_SIZE), mode="bicubic").clamp(0, 1)
    warps = 0.4 * identity_warp(torch.zeros(8, 1)) + 0.02 * torch.randn(8, 17, 17, 2)
    masks = torch.zeros(8, 96, 96, dtype=torch.uint8)
    masks[:, 30:70, 30:70] = 255
    segments = torch.ones(8, 96, 96, dtype=torch.uint8)
    return StoredSamples(
        (image * 255).byte().permute(0, 2, 3, 1), warps, masks, segments, torch.zeros(8, 2, 3), torch.ones(8)
    )


def batch_of(stored, augmentation, seed=0):
    return make_batch(stored, augmentation, ShardedRandom(torch.Generator().manual_seed(seed)))


def test_without_augmentation_the_crop_is_the_middle_of_what_is_stored(stored):
    batch = batch_of(stored, UNCHANGED)
    image = stored.crops.permute(0, 3, 1, 2).float() / 255
    middle = F.interpolate(image[:, :, 16:-16, 16:-16], size=(160, 160))
    assert torch.allclose(batch.crop, middle, atol=0.05)
    assert torch.equal(batch.crop, batch.clean)
    assert not batch.occluder.any()


def test_opencv_samples_crops_as_torch_does(stored):
    """To 1/64 pixel and half a gray level, also beyond the edges, where both reflect."""
    torch.manual_seed(0)
    grid = 1.3 * identity_warp(torch.zeros(8, 1)).permute(0, 3, 1, 2) + 0.02 * torch.randn(8, 2, 1, 1)
    grid = F.interpolate(grid, size=(160, 160), mode="bilinear", align_corners=True).permute(0, 2, 3, 1)
    for pixels in (stored.crops, stored.crops[..., :1]):
        gain = 0.5 + torch.rand(8, pixels.shape[3])
        sampled = F.grid_sample(
            pixels.permute(0, 3, 1, 2).float() / 255, grid, padding_mode="reflection", align_corners=True
        )
        expected = (sampled * gain[..., None, None]).clamp(0, 1)
        assert (augmentation._sample(pixels, grid, gain) - expected).abs().max() < 1.5 * 1.5 / 255


def test_labels_follow_the_jitter(stored):
    """The label finds the same face in the jittered crop as in the stored one, perhaps mirrored."""
    jitter = dataclasses.replace(UNCHANGED, angle=0.2, log_scale=0.1, shift=0.05, flip=0.5)
    batch = batch_of(stored, jitter)
    image = stored.crops.permute(0, 3, 1, 2).float() / 255
    expected, found = rectify(image, stored.warps, 32), rectify(batch.clean, batch.warp, 32)
    straight = (found - expected).abs().mean((1, 2, 3))
    mirrored = (found - expected.flip(-1)).abs().mean((1, 2, 3))
    assert torch.minimum(straight, mirrored).max() < 0.01
    assert (straight < mirrored).any()
    assert (mirrored < straight).any()


def test_occluders_are_in_the_input_alone_and_marked(stored):
    batch = batch_of(stored, dataclasses.replace(UNCHANGED, occluders=1.0))
    changed = (batch.crop - batch.clean).abs().amax(1, keepdim=True)
    assert changed.amax((1, 2, 3)).min() > 0.05
    assert changed[batch.occluder < 0.001].max() < 0.01
    assert (batch.occluder > 0.5).any()


@pytest.mark.parametrize("change", [{"gain": 0.2, "tint": 0.1}, {"side_light": 1.0}])
def test_color_and_light_are_shared_with_the_target(stored, change):
    batch = batch_of(stored, dataclasses.replace(UNCHANGED, **change))
    assert torch.equal(batch.crop, batch.clean)
    plain = batch_of(stored, UNCHANGED)
    assert not torch.allclose(batch.clean, plain.clean, atol=0.02)


@pytest.mark.parametrize("change", ["blur", "jpeg"])
def test_degradations_change_the_input_alone(stored, change):
    batch = batch_of(stored, dataclasses.replace(UNCHANGED, **{change: 1.0}))
    plain = batch_of(stored, UNCHANGED)
    assert torch.equal(batch.clean, plain.clean)
    assert (batch.crop - batch.clean).abs().amax((1, 2, 3)).min() > 1e-3


def test_nothing_is_resized_where_nothing_is_blurred(stored, monkeypatch):
    """CUDA refuses to reduce an empty batch."""
    resize = F.interpolate

    def checked(image, *args, **options):
        assert len(image) > 0
        return resize(image, *args, **options)

    monkeypatch.setattr(F, "interpolate", checked)
    batch = batch_of(stored, UNCHANGED)
    assert torch.equal(batch.crop, batch.clean)


def test_jpeg_leaves_a_gray_picture_gray(stored):
    gray = stored._replace(crops=torch.full_like(stored.crops, 128))
    batch = batch_of(gray, dataclasses.replace(UNCHANGED, jpeg=1.0))
    assert torch.allclose(batch.crop, batch.clean, atol=0.03)


def test_the_same_seed_gives_the_same_batch(stored):
    first, again, other = (batch_of(stored, Augmentation(), seed) for seed in (3, 3, 4))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first.crop, other.crop)


def test_a_batch_shared_out_between_processes_is_that_of_one(stored):
    """Occluders show other samples, so that those have to be of the same process."""
    every = Augmentation(occluders=1, jpeg=0.5, blur=0.5)
    whole = batch_of(stored, every)
    shares = []
    for rank in range(2):
        own = StoredSamples(*(tensor[4 * rank : 4 * rank + 4] for tensor in stored))
        shares.append(make_batch(own, every, ShardedRandom(torch.Generator().manual_seed(0), rank, 2)))
    for expected, *parts in zip(whole, *shares, strict=True):
        assert torch.allclose(torch.cat(parts), expected, atol=1e-5)


def test_face_mask_is_symmetric_and_from_the_stored_mask(stored):
    batch = batch_of(stored._replace(warps=identity_warp(torch.zeros(8, 1)) / 1.2), UNCHANGED)
    assert torch.equal(batch.face_mask, batch.face_mask.flip(2))
    assert batch.face_mask[0, 8, 8] == 1
    assert batch.face_mask[0, 0, 0] == 0
    assert pytest.approx(1.4375 * 1.2) == STORED_BOXES


def test_face_mask_beyond_the_crop_is_that_of_the_stored_crop(stored):
    """Not the reflection of what lies inside: a chin that the crop cuts off is a face."""
    warps = 0.9 * identity_warp(torch.zeros(8, 1))  # in the crop 1.08: outside of it, but inside of what is stored
    masks = torch.zeros(8, 96, 96, dtype=torch.uint8)
    masks[:, 90:] = 255  # from 0.88 of the stored crop's half side downwards
    mask = batch_of(stored._replace(warps=warps, masks=masks), UNCHANGED).face_mask
    assert torch.allclose(mask[:, -1], torch.ones(8, 17))
    assert not mask[:, :-1].any()


def test_labels_follow_faces_whose_sides_are_moved(stored):
    """The label finds the same face in the moved crop as in the stored one."""
    warps = 0.5 * identity_warp(torch.zeros(8, 1)) @ torch.tensor([[0.96, 0.28], [-0.28, 0.96]])
    still = stored._replace(warps=warps)
    batch = batch_of(still, dataclasses.replace(UNCHANGED, asymmetry=1.0))
    image = stored.crops.permute(0, 3, 1, 2).float() / 255
    expected, found = rectify(image, warps, 32), rectify(batch.clean, batch.warp, 32)
    plain = rectify(batch.clean, batch_of(still, UNCHANGED).warp, 32)
    assert (found - expected).abs().mean() < 0.005
    assert (plain - expected).abs().mean() > 2 * (found - expected).abs().mean()


def test_fields_move_both_sides_as_far_the_opposite_way_and_leave_the_midline():
    fields = random_fields(torch.zeros(50, 1), torch.arange(50), ShardedRandom(torch.Generator().manual_seed(0)))
    assert torch.allclose(fields, -fields.flip(2) * torch.tensor([-1.0, 1.0]), atol=1e-6)
    assert not fields[:, [0, -1]].any()
    assert not fields[:, :, [0, -1]].any()
    aside = fields[:, 11:28, 7:26, 0].mean((1, 2))
    assert aside.abs().max() < 0.2 * fields.abs().amax((1, 2, 3)).min()
    assert 0.005 < fields.std() < 0.03
