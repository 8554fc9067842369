"""Weights files: what is saved is loaded, and nothing else is."""

import json
import os
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from symface_cli.errors import WeightsError
from symface_cli.network.architecture import PAPER
from symface_cli.network.builder import build_network
from symface_cli.network.weights import bundled_weights, load_weights, save_weights
from tests.small import SMALL


@pytest.fixture
def saved(tmp_path):
    torch.manual_seed(0)
    network = build_network(SMALL).eval()
    path = tmp_path / "weights.safetensors"
    save_weights(path, network, stage=2)
    return network, path


def rewrite(path, changes=(), **tensors):
    """Replaces some of what the file says of itself, and some of its tensors."""
    data = path.read_bytes()
    about = json.loads(json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]["symface"])
    save_file({**load_file(path), **tensors}, path, {"symface": json.dumps({**about, **dict(changes)})})


def test_a_saved_network_comes_back_in_half_precision(saved):
    network, path = saved
    loaded = load_weights(path)
    assert loaded.stage == 2
    assert loaded.network.architecture == SMALL
    for name, tensor in network.state_dict().items():
        expected = tensor.half().float() if tensor.dim() > 1 else tensor
        assert torch.equal(loaded.network.state_dict()[name], expected), name


def test_loaded_network_computes_in_single_precision_without_training_behavior(saved):
    loaded = load_weights(saved[1]).network
    assert not loaded.training
    assert {p.dtype for p in loaded.parameters()} == {torch.float32}


def test_the_papers_network_is_rebuilt_from_its_file(tmp_path):
    save_weights(tmp_path / "paper.safetensors", build_network(PAPER), stage=3)
    assert load_weights(tmp_path / "paper.safetensors").network.architecture == PAPER


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, such names are not allowed")
def test_a_file_may_have_any_name(saved):
    network, path = saved
    odd = path.rename(path.with_name(os.fsdecode(b"w\xe9 \n.safetensors")))
    assert load_weights(odd).network.architecture == network.architecture


def test_missing_file_is_named(tmp_path):
    with pytest.raises(WeightsError, match=r"none\.safetensors"):
        load_weights(tmp_path / "none.safetensors")


@pytest.mark.parametrize("damage", [lambda d: b"", lambda d: d[: len(d) // 2], lambda d: b"\xff" * 50, lambda d: d[:7]])
def test_damaged_files_are_refused(saved, damage):
    _, path = saved
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(WeightsError, match="damaged"):
        load_weights(path)


def test_a_file_that_says_nothing_of_itself_is_refused(saved):
    save_file(load_file(saved[1]), saved[1])
    with pytest.raises(WeightsError, match="not a file of symface's weights"):
        load_weights(saved[1])


def test_another_version_says_what_was_expected_and_found(saved):
    rewrite(saved[1], {"format": 99})
    with pytest.raises(WeightsError, match="format 99, expected 2"):
        load_weights(saved[1])


def test_an_unknown_architecture_field_is_an_error(saved):
    rewrite(saved[1], {"architecture": {**SMALL.as_dict(), "surprise": 1}})
    with pytest.raises(WeightsError, match="describes"):
        load_weights(saved[1])


def test_a_tensor_of_another_shape_is_an_error(saved):
    rewrite(saved[1], **{"decoder.linear.bias": torch.zeros(3)})
    with pytest.raises(WeightsError, match="describes"):
        load_weights(saved[1])


def test_the_same_network_gives_the_same_bytes(saved, tmp_path):
    network, path = saved
    save_weights(tmp_path / "again.safetensors", network, stage=2)
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("name", ["research", "free"])
def test_bundled_weights_are_there_small_enough_and_of_stage_3(name):
    assert bundled_weights(name).stat().st_size <= 40e6
    loaded = load_weights(Path(name))
    assert loaded.stage == 3
    assert loaded.licenses == (("CC0-1.0", "MIT", "public domain") if name == "free" else ())


def test_a_file_that_is_called_free_is_named_by_a_path(saved, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    saved[1].rename("free")
    assert load_weights(Path("free")).sha256 == load_weights(bundled_weights("free")).sha256
    assert load_weights(Path("./free").absolute()).stage == 2


def test_licenses_are_kept_in_order(saved, tmp_path):
    save_weights(tmp_path / "own.safetensors", saved[0], 1, ["own", "MIT"])
    assert load_weights(tmp_path / "own.safetensors").licenses == ("MIT", "own")
