"""Training really trains: all stages, resumed runs, the paper's configuration, bad data."""

import csv
import dataclasses
import hashlib
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from symface_cli.cli.hints import explain
from symface_cli.data import lfw
from symface_cli.data.datasets import split_of, survey
from symface_cli.data.lfw import LFW
from symface_cli.errors import DataError, Hint, UsageError, WeightsError
from symface_cli.network.architecture import Architecture
from symface_cli.network.builder import build_network
from symface_cli.network.maps import Part
from symface_cli.network.weights import load_weights
from symface_cli.training import loop
from symface_cli.training.checkpoints import load_checkpoint
from symface_cli.training.config import OptimizerSettings, find_difference
from symface_cli.training.data.augmentation import UNCHANGED, Augmentation, StoredSamples, make_batch
from symface_cli.training.data.prepared import preparation
from symface_cli.training.data.prepared.cached import Cached
from symface_cli.training.data.samples import SplitSamples
from symface_cli.training.initialization import noise_variance, start_as_pca
from symface_cli.training.loop import train
from symface_cli.training.losses import LossWeights
from symface_cli.training.objectives import objective_of
from symface_cli.training.randomness import ShardedRandom
from symface_cli.training.run_folder import RunFolder
from tests.small import SMALL, SMALL_PAPER
from tests.training.small import CPU, Silent, settings

FINDING_FACES = CUTTING_CROPS = [*range(1, 9)]  # what is told of eight photos


def tensors(path):
    return load_checkpoint(path)["network"]


def test_split_is_that_of_the_design():
    """u = int(sha256("symface-split:" + name)[:8], big-endian) / 2^64, by hand for two names."""
    assert split_of("George_W_Bush") == "train"
    counts = {part: sum(split_of(f"n{i}") == part for i in range(4000)) / 4000 for part in ("test", "validation")}
    assert counts["test"] == pytest.approx(0.154, abs=0.02)
    assert counts["validation"] == pytest.approx(0.077, abs=0.015)


@pytest.mark.usefixtures("small_network")
@pytest.mark.landmarks
def test_all_three_stages_from_the_command_line(symface, data, tmp_path):
    run, pixels = tmp_path / "run", tmp_path / "pixels.npz"
    photos = [path.relative_to(data).as_posix() for path in data.glob("*/1.png")]
    np.savez(pixels, photo=photos, label=np.ones((len(photos), 2, 2), np.uint8))
    options = ("--run", run, "--segmentation", pixels, "--epochs", 1, "--batch-size", 3)
    for stage in (1, 2, 3):
        finished = symface("train", "--stage", stage, data, *options)
        assert finished.status == 0, finished.err
        folder = run / f"stage-{stage}"
        assert finished.out == f"{folder / 'best.safetensors'}\n"
        loaded = load_weights(folder / "best.safetensors")
        assert loaded.stage == stage
        assert {path.name for path in folder.iterdir()} == {
            "best.safetensors", "config.json", "epoch-001.png", "last.pt", "losses.csv", "losses.png",
        }  # fmt: skip
        rows = list(csv.DictReader((folder / "losses.csv").read_text().splitlines()))
        assert float(rows[0]["validation_total"]) > 0
        assert ("validation_skin_f1" in rows[0]) == (stage > 1)
        assert json.loads((folder / "config.json").read_text())["stage"] == stage
    assert (np.load(run / "data" / "segments.npy")[:, 48, 48] == Part.SKIN).all()
    photo = tmp_path / "x.png"
    photo.write_bytes(next(data.glob("*/1.png")).read_bytes())
    assert symface("symmetrize", photo, "--weights", run / "stage-3" / "best.safetensors").status == 0


def test_pixel_labels_that_are_not_there_are_refused_before_faces_are_looked_for(symface, data, tmp_path):
    finished = symface("train", "--stage", 1, data, "--run", tmp_path / "run", "--segmentation", tmp_path / "absent")
    assert finished.status == 6
    assert f"{tmp_path / 'absent'}: no such folder or file of pixel labels" in " ".join(finished.err.split())
    assert not list((tmp_path / "run" / "data").glob("*.csv"))


@pytest.mark.usefixtures("small_network")
def test_a_downloaded_data_set_is_trained_on(symface, data, tmp_path, server, monkeypatch):
    archive = Path(shutil.make_archive(str(tmp_path / "people"), "gztar", data.parent, data.name))
    server.content = archive.read_bytes()
    checksum = hashlib.sha256(server.content).hexdigest()
    monkeypatch.setattr(lfw, "LFW", dataclasses.replace(LFW, sha256=checksum))
    monkeypatch.setenv("SYMFACE_HOME", str(tmp_path / "home"))
    best = tmp_path / "run" / "stage-1" / "best.safetensors"
    options = ("--run", tmp_path / "run", "--epochs", 1, "--batch-size", 3)
    finished = symface("train", "--stage", 1, "--download", "lfw", *options)
    assert finished.status == 0, finished.err
    assert finished.out == f"{best}\n"
    assert load_weights(best).stage == 1
    assert "photos of real people, for research" in finished.err.splitlines()[0]


@pytest.mark.landmarks
@pytest.mark.parametrize("stage", [1, 2, 3])
def test_the_papers_network_goes_through_the_stages(data, prepared, tmp_path, stage):
    shutil.copytree(prepared, tmp_path / "run" / "data")
    init = None
    if stage > 1:
        init = tmp_path / "init.safetensors"
        torch.manual_seed(0)
        loop.save_weights(init, build_network(SMALL_PAPER), 1)
    observer = Silent()
    config = settings(stage, 4, SMALL_PAPER, augmentation=UNCHANGED)  # so that losses of epochs can be compared
    best = train(config, data, RunFolder(tmp_path / "run", init=init), CPU, observer)
    assert load_weights(best).network.architecture == SMALL_PAPER
    assert observer.rows[-1]["train_total"] < observer.rows[0]["train_total"]


def test_an_interrupted_and_resumed_run_equals_an_uninterrupted_one(data, tmp_path):
    train(settings(1, 3), data, RunFolder(tmp_path / "straight"), CPU, Silent())
    with pytest.raises(KeyboardInterrupt):
        train(settings(1, 3), data, RunFolder(tmp_path / "stopped"), CPU, Silent(stop_after=1))
    assert load_checkpoint(tmp_path / "stopped/stage-1/last.pt")["epoch"] == 1
    train(settings(1, 3), data, RunFolder(tmp_path / "stopped", resume=True), CPU, Silent())
    straight, resumed = (tensors(tmp_path / name / "stage-1/last.pt") for name in ("straight", "stopped"))
    assert all(torch.equal(straight[name], resumed[name]) for name in straight)
    for name in ("best.safetensors", "losses.csv"):
        assert (tmp_path / "straight/stage-1" / name).read_bytes() == (tmp_path / "stopped/stage-1" / name).read_bytes()


def test_weights_of_the_same_stage_are_gone_on_with(data, tmp_path):
    """Only for weights of another stage does the linear path start as PCA, and the correction of mu at zero."""
    torch.manual_seed(0)
    network = build_network(SMALL)
    for stage, is_kept in ((1, True), (2, False)):
        init = tmp_path / f"{stage}.safetensors"
        loop.save_weights(init, network, stage)
        best = train(settings(1, lr=1e-9), data, RunFolder(tmp_path / f"after-{stage}", init=init), CPU, Silent())
        before, after = (load_weights(path).network.encoder.state_dict() for path in (init, best))
        for name in ("linear.weight", "statistics.weight"):
            assert torch.allclose(before[name], after[name], atol=1e-4) == is_kept, name


def test_resuming_with_other_settings_is_refused_and_how_to_train_on_is_said(data, tmp_path):
    train(settings(1), data, RunFolder(tmp_path), CPU, Silent())
    for config, difference in ((settings(1, seed=1), "seed 0, not 1"), (settings(1, 5), "epochs 1, not 5")):
        with pytest.raises(UsageError) as caught:
            train(config, data, RunFolder(tmp_path, resume=True), CPU, Silent())
        assert explain(caught.value) == (
            f"{tmp_path / 'stage-1/last.pt'}: started with {difference}; resume with the same settings, or train on "
            "from best.safetensors beside it: with --init, in another --run, without --resume"
        )


def test_resuming_with_another_loss_weight_is_refused(data, tmp_path):
    train(settings(1), data, RunFolder(tmp_path), CPU, Silent())
    config = settings(1, losses=LossWeights(warp=3))
    with pytest.raises(UsageError, match=r"losses\.warp 2\.0, not 3"):
        train(config, data, RunFolder(tmp_path, resume=True), CPU, Silent())


def test_all_that_was_trained_with_is_in_the_configuration_and_the_checkpoint(data, tmp_path):
    config = settings(1, losses=LossWeights(autoencoder=2e-3), augmentation=Augmentation(blur=0.5))
    train(config, data, RunFolder(tmp_path), CPU, Silent())
    written = json.loads((tmp_path / "stage-1/config.json").read_text())
    assert written == load_checkpoint(tmp_path / "stage-1/last.pt")["config"]
    assert written["losses"] == {
        "autoencoder": 2e-3, "coarse_warp": 1, "warp": 2, "midline": 2, "outside": 0.5, "maps": 0.05,
        "parts": 0.3, "irises": 1, "surroundings": 0.05, "pixel_deviation": 0.03,
    }  # fmt: skip
    assert written["augmentation"]["blur"] == 0.5
    assert written["augmentation"].keys() == {field.name for field in dataclasses.fields(Augmentation)}
    assert written["optimizer"] == {
        "warm_up": 0.05, "weight_decay": 0.01, "clip": 5, "linear_rate": 0.01, "dense_rate": 0.1, "averaging": 0.999,
    }  # fmt: skip


def test_resuming_with_other_photos_is_refused_before_they_are_prepared(data, tmp_path, monkeypatch):
    copied, run = shutil.copytree(data, tmp_path / "copied"), tmp_path / "run"
    train(settings(1), copied, RunFolder(run), CPU, Silent())
    person = next(path for path in sorted(copied.iterdir()) if split_of(path.name) == "train")
    shutil.copy(person / "1.png", person / "2.png")
    with monkeypatch.context() as patch, pytest.raises(DataError) as caught:
        patch.delattr(loop, "prepare")
        train(settings(1), copied, RunFolder(run, resume=True), CPU, Silent())
    last = run / "stage-1/last.pt"
    change = f"1 photo more, {person.name}/2.png"
    assert str(caught.value) == f"{last}: the photos or labels have changed: {change}; restore them"
    assert caught.value.hint is Hint.TRAIN_ON
    (person / "2.png").unlink()
    tested = next(path for path in sorted(copied.iterdir()) if split_of(path.name) == "test")
    shutil.rmtree(tested)  # which nobody learns from
    os.utime(person / "1.png", (1, 1))
    assert train(settings(1), copied, RunFolder(run, resume=True), CPU, Silent()).is_file()


@pytest.mark.parametrize("missing", ["train", "validation"])
def test_a_data_set_without_people_of_a_split_is_refused_before_it_is_prepared(data, tmp_path, monkeypatch, missing):
    monkeypatch.delattr(loop, "prepare")
    for person in data.iterdir():
        if split_of(person.name) != missing:
            shutil.copytree(person, tmp_path / "data" / person.name)
    with pytest.raises(DataError, match=f"no usable photos of {missing} identities"):
        train(settings(1), tmp_path / "data", RunFolder(tmp_path / "run"), CPU, Silent())


def test_weights_to_start_from_that_are_not_there_are_refused_before_photos_are_prepared(data, tmp_path, monkeypatch):
    monkeypatch.delattr(loop, "prepare")
    with pytest.raises(WeightsError, match="cannot read the weights"):
        train(settings(2), data, RunFolder(tmp_path, init=tmp_path / "absent.safetensors"), CPU, Silent())


def test_people_photos_and_what_cannot_be_read_are_said_before_training(data, tmp_path):
    copied, observer = shutil.copytree(data, tmp_path / "copied"), Silent()
    person = next(path for path in sorted(copied.iterdir()) if split_of(path.name) == "train")
    (person / "bad.jpg").write_bytes(b"no photo")
    (copied / "Gone").symlink_to("nowhere")
    train(settings(1), copied, RunFolder(tmp_path / "run"), CPU, observer)
    people, link, usable, bad, *_ = observer.notes
    assert people == "10 photos of 9 persons (7 train, 2 validation, 1 test)"
    assert link == f"cannot read {copied / 'Gone'}: it is a link to nothing"
    assert usable == "8 of 9 photos usable; 1 that cannot be read"
    assert bad.startswith(f"cannot read {person / 'bad.jpg'}: ")


def test_a_field_that_one_side_does_not_know_is_a_difference():
    known = settings(1).settings(1)
    assert find_difference(known, settings(1).settings(1)) is None
    assert find_difference({**known, "losses": {}}, known) == "losses.autoencoder nothing, not 0.001"
    assert find_difference({**known, "surprise": 3}, known) == "surprise 3, not nothing"


def test_a_stage_is_not_trained_twice_by_accident(data, tmp_path):
    train(settings(1), data, RunFolder(tmp_path), CPU, Silent())
    with pytest.raises(UsageError, match="was trained before") as caught:
        train(settings(1), data, RunFolder(tmp_path), CPU, Silent())
    assert caught.value.hint is Hint.RESUME


def test_a_damaged_checkpoint_is_refused(data, tmp_path):
    train(settings(1), data, RunFolder(tmp_path), CPU, Silent())
    last = tmp_path / "stage-1/last.pt"
    last.write_bytes(last.read_bytes()[:5000])
    with pytest.raises(DataError, match="damaged"):
        train(settings(1), data, RunFolder(tmp_path, resume=True), CPU, Silent())


def test_a_stage_needs_the_one_before(symface, data, tmp_path):
    finished = symface("train", "--stage", 3, data, "--run", tmp_path / "run")
    assert finished.status == 6
    assert "stage 2 is missing" in finished.err


@pytest.mark.parametrize("kind", ["missing", "empty", "faceless", "one person"])
def test_data_that_cannot_be_trained_on_exits_6(symface, data, tmp_path, kind):
    folder = tmp_path / "data"
    if kind != "missing":
        (folder / "person1").mkdir(parents=True)
    if kind == "faceless":
        Image.new("RGB", (90, 90)).save(folder / "person1" / "1.png")
    if kind == "one person":
        person = next(path for path in data.iterdir() if split_of(path.name) == "train")
        (folder / person.name).mkdir(exist_ok=True)
        (folder / person.name / "1.png").write_bytes((person / "1.png").read_bytes())
    finished = symface("train", "--stage", 1, folder, "--run", tmp_path / "run")
    assert finished.status == 6
    assert [line for line in finished.err.splitlines() if line.startswith("symface: ")]


def test_test_people_are_never_prepared(data, tmp_path):
    prepared = preparation.prepare(survey(data), tmp_path, teacher=None, progress=lambda done, total: None, workers=1)
    assert len(prepared.splits) == 8
    assert set(prepared.splits) == {"train", "validation"}


def test_an_archive_is_prepared_like_its_folder(data, tmp_path, monkeypatch):
    monkeypatch.setenv("SYMFACE_HOME", str(tmp_path / "home"))
    archive = Path(shutil.make_archive(str(tmp_path / "people"), "gztar", data.parent, data.name))
    calls: list[int] = []
    for source, folder in ((data, "a"), (archive, "b"), (archive, "b")):
        preparation.prepare(survey(source), tmp_path / folder, None, lambda done, total: calls.append(done), workers=1)
    assert calls == 2 * (FINDING_FACES + CUTTING_CROPS)
    assert (tmp_path / "a" / "crops.npy").read_bytes() == (tmp_path / "b" / "crops.npy").read_bytes()


def test_prepared_crops_are_reused_until_a_photo_changes(data, tmp_path):
    calls: list[int] = []
    for _ in range(2):
        preparation.prepare(
            survey(data), tmp_path, teacher=None, progress=lambda done, total: calls.append(done), workers=1
        )
    assert calls == FINDING_FACES + CUTTING_CROPS


def test_cached_files_are_fresh_until_their_source_changes_or_making_them_fails(tmp_path):
    path = tmp_path / "file.npy"
    cached = Cached([path], {"photos": 3})
    assert not cached.is_fresh()
    with cached.renewed():
        path.write_bytes(b"made")
    assert cached.is_fresh()
    assert not Cached([path], {"photos": 4}).is_fresh()
    with pytest.raises(KeyboardInterrupt), cached.renewed():
        raise KeyboardInterrupt
    assert not cached.is_fresh()


@pytest.fixture
def batch():
    torch.manual_seed(0)
    crops = torch.randint(0, 256, (3, 192, 192, 3), dtype=torch.uint8)
    warps = 0.8 * torch.stack(torch.meshgrid(*[torch.linspace(-1, 1, 17)] * 2, indexing="xy"), -1).expand(3, -1, -1, -1)
    masks = torch.full((3, 96, 96), 255, dtype=torch.uint8)
    stored = StoredSamples(crops, warps.contiguous(), masks, masks, torch.full((3, 2, 3), torch.nan), torch.ones(3))
    return make_batch(stored, UNCHANGED, ShardedRandom(torch.Generator().manual_seed(0)))


@pytest.mark.parametrize("stage", [1, 2, 3])
@pytest.mark.parametrize("kind", ["symface", "paper"])
def test_a_step_lowers_the_loss_and_changes_what_the_stage_learns(batch, kind, stage):
    torch.manual_seed(0)
    network = build_network(SMALL if kind == "symface" else SMALL_PAPER).train()
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    objective = objective_of(network, stage, LossWeights())
    losses = []
    for _ in range(12):
        total = objective(batch, ShardedRandom(torch.Generator().manual_seed(0)))["total"]
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        losses.append(total.item())
    assert losses[-1] < losses[0]
    still = {name.split(".")[0] for name, p in network.named_parameters() if torch.equal(p, before[name])}
    assert still == ({"localizer"} if (kind, stage) == ("symface", 1) else set())


def test_validation_changes_nothing(data, tmp_path):
    prepared = preparation.prepare(survey(data), tmp_path, teacher=None, progress=lambda done, total: None, workers=1)
    samples = SplitSamples(prepared, "validation", CPU)
    network = build_network(SMALL)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    first = loop.validate(network, settings(1), samples)
    assert first == loop.validate(network, settings(1), samples)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_the_linear_path_starts_as_probabilistic_pca():
    """Against the closed form (Tipping & Bishop 1999, Eq. 7 and 8) from a full singular value decomposition."""
    torch.manual_seed(0)
    basis = torch.linalg.qr(torch.randn(6144, 12)).Q
    x = torch.randn(60, 12) * torch.linspace(9, 1, 12) @ basis.T * 0.3 + 0.1
    network = build_network(Architecture(latent=8)).eval()
    noise = noise_variance(LossWeights().pixel_deviation)
    start_as_pca(network, x.view(60, 3, 64, 32), noise)
    mean = x.mean(0)
    _, singular, v = torch.linalg.svd(x - mean, full_matrices=False)
    variance = singular[:8] ** 2 / 60
    w = v[:8].T * (variance - noise).sqrt()
    posterior = torch.linalg.inv(w.T @ w + noise * torch.eye(8))
    expected = (x - mean) @ w @ posterior @ w.T + mean
    found = network.decoder.linear(network.encoder.linear(x))
    assert torch.allclose(found, expected, atol=2e-3)
    log_var = network.encoder.statistics.bias[8:]
    assert torch.allclose(log_var.exp(), noise * posterior.diagonal(), rtol=0.02)


def test_the_linear_path_and_the_first_weights_depend_on_no_global_state_and_leave_it_alone(data, tmp_path):
    prepared = preparation.prepare(survey(data), tmp_path, teacher=None, progress=lambda done, total: None, workers=1)
    samples = SplitSamples(prepared, "train", CPU)
    networks = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        before = torch.get_rng_state()
        networks.append(loop.start(settings(1), samples, loop.first_network(settings(1), None)).network.state_dict())
        assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(networks[0][name], networks[1][name]) for name in networks[0])


def test_dense_layers_of_the_localizer_and_the_linear_path_learn_slowly():
    network = build_network(SMALL)
    names = {parameter: name for name, parameter in network.named_parameters()}
    groups = loop.parameter_groups(network, 1.0, OptimizerSettings())
    rates = {names[parameter]: group["lr"] for group in groups for parameter in group["params"]}
    assert rates.keys() == set(names.values())
    assert {name for name, rate in rates.items() if rate == 0.1} == {
        f"localizer.{stack}.1.{kind}" for stack in ("coarse", "fine") for kind in ("weight", "bias")
    }
    assert {name for name, rate in rates.items() if rate == 0.01} == {
        f"{part}.linear.{kind}" for part in ("encoder", "decoder") for kind in ("weight", "bias")
    }


def test_small_network_has_batch_statistics_that_validation_uses():
    assert any(isinstance(layer, nn.BatchNorm2d) for layer in build_network(SMALL).modules())
