import torch

from symface_cli.geometry.frames import CROP_BOXES
from symface_cli.network.maps import UNKNOWN, Part
from symface_cli.network.parsing import level_of_warp
from symface_cli.network.warps import identity_warp
from symface_cli.training.data.augmentation import UNCHANGED, StoredSamples, make_batch
from symface_cli.training.data.parsing import label_level
from symface_cli.training.data.prepared.targets import STORED_BOXES
from symface_cli.training.randomness import ShardedRandom

RATIO = CROP_BOXES / STORED_BOXES  # of the crop's side to the stored crop's


def labeled(irises, part=Part.SKIN):
    """Label a level frame that is the crop: its left half is hair, its right half another part."""
    segments = torch.full((1, 96, 96), int(part), dtype=torch.uint8)
    segments[:, :, :48] = Part.HAIR
    crops = torch.zeros(1, 192, 192, 3, dtype=torch.uint8)
    masks = torch.zeros(1, 96, 96, dtype=torch.uint8)
    warps = RATIO * identity_warp(torch.zeros(1, 1))
    stored = StoredSamples(crops, warps, masks, segments, irises, torch.ones(len(crops)))
    batch = make_batch(stored, UNCHANGED, ShardedRandom(torch.Generator()))
    return batch, label_level(batch, level_of_warp(batch.warp))


def test_parts_lie_where_the_stored_crop_has_them():
    _, labels = labeled(torch.full((1, 2, 3), torch.nan))
    assert (labels.parts[0, :, :32] == Part.HAIR).all()
    assert (labels.parts[0, :, 32:] == Part.SKIN).all()
    assert labels.inside.all()
    assert not labels.iris_known.any()


def test_irises_are_discs_around_their_centers():
    irises = RATIO * torch.tensor([[[-0.5, 0.0, 0.1], [0.5, 0.25, 0.1]]])
    _, labels = labeled(irises)
    ticks = torch.linspace(-1, 1, 64)
    left = labels.iris[0, :, :32]
    assert abs(float((left * ticks[None, :32]).sum() / left.sum()) + 0.5) < 0.01
    assert abs(float((labels.iris[0, :, 32:] * ticks[:, None]).sum() / labels.iris[0, :, 32:].sum()) - 0.25) < 0.01
    assert abs(float(left.sum() * (2 / 63) ** 2) - 3.1416 * 0.1**2) < 0.003
    assert labels.iris_known.all()


def test_of_one_iris_that_is_known_its_half_is():
    for eye, half in ((0, slice(0, 32)), (1, slice(32, 64))):
        irises = RATIO * torch.tensor([[[-0.5, 0.0, 0.1], [0.5, 0.0, 0.1]]])
        irises[:, 1 - eye] = torch.nan
        _, labels = labeled(irises)
        expected = torch.zeros(1, 64, 64)
        expected[..., half] = 1
        assert torch.equal(labels.iris_known, expected)
        assert torch.equal(labels.iris > 0, (labels.iris > 0) & (expected > 0))


def test_closed_eyes_are_known_to_show_no_iris():
    _, labels = labeled(RATIO * torch.tensor([[[-0.5, 0.0, 0.0], [0.5, 0.25, 0.0]]]))
    assert labels.iris_known.all()
    assert not labels.iris.any()


def test_what_is_put_in_front_covers_parts_and_irises():
    batch, _ = labeled(RATIO * torch.tensor([[[-0.5, 0.0, 0.1], [0.5, 0.0, 0.1]]]))
    batch.occluder[..., :80] = 1
    labels = label_level(batch, level_of_warp(batch.warp))
    assert (labels.parts[0, :, :31] == Part.FRONT).all()
    assert (labels.parts[0, :, 33:] == Part.SKIN).all()
    assert not labels.iris[0, :, :31].any()
    assert labels.iris[0, :, 33:].any()


def test_beyond_the_crop_nothing_is_known():
    batch, _ = labeled(torch.full((1, 2, 3), torch.nan))
    labels = label_level(batch, level_of_warp(2 * batch.warp))
    assert (labels.parts[0, :8] == UNKNOWN).all()
    assert not labels.inside[0, :8].any()
    assert (labels.parts[0, 20:44, 20:44] != UNKNOWN).all()


def test_the_level_frame_of_a_turned_and_scaled_frame_is_this_similarity():
    matrix = torch.tensor([[[0.4, -0.3, 0.1], [0.3, 0.4, -0.2]]])
    warp = (
        torch.einsum("bij,bhwj->bhwi", matrix[..., :2], identity_warp(torch.zeros(1, 1))) + matrix[:, None, None, :, 2]
    )
    bent = warp.clone()
    bent[:, 5:9, 5:9] += 0.3  # inside, where the face is
    assert torch.allclose(level_of_warp(bent), matrix, atol=1e-6)
