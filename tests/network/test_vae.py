"""The network's geometry and its guarantees: exact symmetry, mirrored input, the paper's configuration."""

import pytest
import torch
from torch import nn

from symface_cli.network import paper, warps
from symface_cli.network.architecture import PAPER, Architecture
from symface_cli.network.builder import build_network, prepare_for_inference
from symface_cli.network.paper import PaperVAE
from symface_cli.network.vae import SymmetricFaceVAE


@pytest.fixture
def network():
    """A network with random weights everywhere, also in the layers that start at zero."""
    torch.manual_seed(0)
    network = build_network(Architecture()).eval()
    for layer in network.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            nn.init.normal_(layer.weight, std=0.05)
    nn.init.normal_(network.localizer.coarse_warp.weight, std=0.002)
    nn.init.normal_(network.localizer.fine_maps.weight, std=0.01)
    network.keep_mirrored()
    return network


def crops(count=2):
    return torch.rand(count, 3, 160, 160, generator=torch.Generator().manual_seed(1))


def test_the_identity_warp_rectifies_a_crop_to_itself():
    crop = crops(1)
    warp = warps.identity_warp(crop[:, 0, 0])
    assert torch.allclose(warps.rectify(crop, warp, 160), crop, atol=1e-4)


def test_a_shifted_warp_reads_the_crop_beside():
    ramp = torch.linspace(-1, 1, 160).expand(1, 1, 160, 160)  # its value is its x coordinate
    warp = 0.5 * warps.identity_warp(ramp[:, 0, 0]) + torch.tensor([0.25, 0.0])
    face = warps.rectify(ramp, warp, 5)[0, 0]
    assert face[0].tolist() == pytest.approx([-0.25, 0, 0.25, 0.5, 0.75], abs=1e-5)


def test_a_halved_image_has_the_means_of_two_by_two_pixels():
    image = torch.tensor([[[[1.0, 3, 0, 0], [5, 7, 8, 0]]]])
    assert warps.halve(image).tolist() == [[[[4, 2]]]]


def test_mirroring_a_warp_reads_the_mirrored_crop():
    crop = crops(1)
    warp = 0.5 * warps.identity_warp(crop[:, 0, 0]) + 0.02 * torch.randn(1, 17, 17, 2)
    mirrored = warps.rectify(crop.flip(-1), warps.mirror_warp(warp), 32)
    assert torch.allclose(mirrored, warps.rectify(crop, warp, 32).flip(-1), atol=1e-4)


def test_composing_with_a_constant_shift_reads_the_warp_there():
    x = torch.linspace(-1, 1, 17)
    warp = torch.stack(torch.meshgrid(x, x, indexing="xy"), -1)[None] * 0.5
    composed = warps.compose_warps(warp, torch.full((1, 17, 17, 2), 0.125))
    inner = composed[0, :-1, :-1]  # beyond the last control point, the last value holds
    assert torch.allclose(inner, warp[0, :-1, :-1] + 0.0625, atol=1e-5)


def test_a_side_seen_twice_as_large_counts_twice():
    warp = warps.identity_warp(torch.zeros(1, 1)).clone()
    warp[..., 0] = torch.where(warp[..., 0] < 0, 2 * warp[..., 0], warp[..., 0])  # the left side covers twice the area
    weights = warps.side_weights(warp, torch.ones(1, 17, 17))
    assert weights[0, 8, 2].item() == pytest.approx(2 / 3, abs=1e-4)
    assert weights[0, 8, 14].item() == pytest.approx(1 / 3, abs=1e-4)


def test_an_occluded_side_hardly_counts():
    visible = torch.ones(1, 17, 17)
    visible[:, :, :8] = 0
    weights = warps.side_weights(warps.identity_warp(visible), visible)
    assert weights[0, 8, 2] < 0.01
    assert weights[0, 8, 14] > 0.99


@pytest.mark.parametrize(("columns", "expected"), [(slice(0, 8), 0), (slice(9, 17), 0), (slice(0, 17), 1)])
def test_a_point_is_hidden_only_if_neither_side_shows_it(columns, expected):
    visible = torch.ones(1, 17, 17)
    visible[:, 5, columns] = 0.1
    hidden = warps.hidden_on_both_sides(visible)
    assert torch.equal(hidden, hidden.flip(2))
    assert (hidden[0, 5] == expected).all()
    assert (hidden[0, 6] == 0).all()


def test_side_weights_add_up_to_one():
    weights = warps.side_weights(warps.identity_warp(crops()[:, 0, 0]), torch.rand(2, 17, 17))
    assert torch.allclose(weights + weights.flip(2), torch.ones(2, 17, 17))


def test_blending_by_hand():
    face = torch.tensor([0.2, 0.8]).view(1, 1, 1, 2).expand(1, 3, 2, 2)
    weights = torch.full((1, 17, 17), 0.75)
    weights[:, :, 8:] = 0.25
    assert warps.blend_sides(face, weights)[0, 0, 0].tolist() == pytest.approx([0.35, 0.35])  # 3/4 0.2 + 1/4 0.8


def test_face_is_exactly_symmetric(network):
    face = network(crops())
    assert face.shape == (2, 3, 128, 128)
    assert torch.equal(face, face.flip(-1))
    assert face.std() > 0.01


def test_mirrored_crop_gives_the_mirrored_warp_and_the_same_face(network):
    crop = crops()
    seen, mirrored = network.locate(crop), network.locate(crop.flip(-1))
    assert torch.allclose(mirrored.warp, warps.mirror_warp(seen.warp), atol=1e-5)
    assert torch.allclose(mirrored.visible, seen.visible.flip(2), atol=1e-5)
    assert torch.allclose(network(crop.flip(-1)), network(crop), atol=1e-3)


def test_the_same_crop_gives_the_same_face(network):
    assert torch.equal(network(crops()), network(crops()))


def test_face_is_gray_outside_of_the_mask():
    face = warps.keep_face(torch.ones(1, 3, 128, 128), torch.zeros(1, 17, 17))
    assert torch.equal(face, torch.full_like(face, 0.5))


@torch.inference_mode()
def test_faces_are_located_in_single_precision(network):
    crop = crops(1)
    prepared = prepare_for_inference(network, torch.device("cpu"))
    found = prepared.locate(crop)
    assert (found.warp - network.locate(crop).warp).abs().max() < 1e-5
    assert all(parameter.dtype == torch.float32 for parameter in prepared.parameters())


def test_paper_network_is_plain_and_its_face_symmetric():
    network = build_network(PAPER).eval()
    assert isinstance(network, PaperVAE)
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in network.modules())
    face = network(crops())
    assert face.shape == (2, 3, 128, 128)
    assert torch.equal(face, face.flip(-1))


@pytest.mark.parametrize("architecture", [Architecture(), PAPER])
@torch.inference_mode()
def test_every_network_decodes_what_it_locates_and_reconstructs_the_crop(architecture):
    torch.manual_seed(0)
    network = build_network(architecture).eval()
    crop = crops(1)
    located = network.locate(crop)
    assert (located is None) == (architecture.kind == "paper") == (not network.localizing_parts())
    assert torch.equal(network.decode(crop, located), network(crop))
    assert network.reconstruct(crop).shape == (1, 3, 128, 128)


@pytest.mark.parametrize("architecture", [Architecture(), PAPER])
def test_preparing_for_inference_leaves_the_network_as_it_was(architecture):
    torch.manual_seed(0)
    network = build_network(architecture).eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    prepared = prepare_for_inference(network, torch.device("cpu"))
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in prepared.modules())
    after = network.state_dict()
    assert after.keys() == before.keys()
    assert all(tensor.dtype == before[name].dtype for name, tensor in after.items())
    assert all(torch.equal(tensor, before[name]) for name, tensor in after.items())


def test_zero_upsampling_puts_zeros_between_the_values():
    up = paper.ZeroUpsample()(torch.tensor([[[[1.0, 2.0]]]]))
    assert up.tolist() == [[[[1, 0, 2, 0], [0, 0, 0, 0]]]]


def test_network_on_one_crop_is_small_enough_to_bundle():
    network = SymmetricFaceVAE(Architecture())
    assert sum(p.numel() for p in network.parameters()) * 2 < 40e6  # bytes in half precision


@torch.inference_mode()
def test_a_face_that_is_far_from_its_guess_is_corrected_again_and_the_others_are_not(network, monkeypatch):
    crop, localizer = crops(), network.localizer
    corrections = iter([(0.3, 0.01), (0.1, 0.01), (0.02, 0.01)])  # of both faces, in face coordinates, to the right

    def correct(face):
        lengths = torch.tensor(next(corrections))
        shift = torch.stack([lengths.view(2, 1, 1).expand(2, 17, 17), torch.zeros(2, 17, 17)], -1)
        return shift, torch.zeros(2, 17, 17)

    monkeypatch.setattr(localizer, "guess", lambda crop: 0.5 * warps.identity_warp(crop))
    monkeypatch.setattr(localizer, "correct", correct)
    middles = localizer.locate(crop).warp[:, 8, 8, 0].tolist()
    assert middles == pytest.approx([0.5 * (0.3 + 0.1 + 0.02), 0.5 * 0.01], abs=3e-3)
    assert next(corrections, None) is None
