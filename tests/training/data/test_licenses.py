"""Weights for every use: photos, labels, teachers and first weights that do not permit it are refused."""

from contextlib import nullcontext
from pathlib import Path

import pytest
import torch

from symface_cli.data.datasets import split_of
from symface_cli.errors import DataError, UsageError
from symface_cli.geometry.frames import Box
from symface_cli.network.builder import build_network
from symface_cli.network.weights import bundled_weights, load_weights, save_weights
from symface_cli.training import loop
from symface_cli.training.config import TrainingConfig
from symface_cli.training.data.labels import Label
from symface_cli.training.data.licenses import describe_licenses, read_licenses, refuse_other_labels
from tests.small import SMALL

BOX = Box(0, 0, 100, 100)


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(("photo,license", *lines)))
    return path


def test_a_photo_has_the_license_of_the_nearest_folder(tmp_path):
    table = write(
        tmp_path / "licenses.csv", "ada,MIT", "ada/private/,own", "ada/private/2.jpg,CC0-1.0", "bob/1.jpg,own"
    )
    photos = ["ada/1.jpg", "ada/private/1.jpg", "ada/private/2.jpg", "bob/1.jpg"]
    found = read_licenses(table, photos)
    assert list(found.values()) == ["MIT", "own", "CC0-1.0", "own"]
    assert describe_licenses(found) == "photos by license: 1 CC0-1.0, 1 MIT, 2 own"


def test_a_line_for_everything_covers_all_photos(tmp_path):
    assert read_licenses(write(tmp_path / "licenses.csv", ".,own"), ["ada/1.jpg"]) == {"ada/1.jpg": "own"}


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("ada,CC-BY-NC-4.0", "line 2: 'CC-BY-NC-4.0' is not known to permit every use"),
        ("ada,", "line 2: '' is not known to permit every use"),
        ("bob,MIT", "no license of ada/1.jpg"),
        ("ada/10.jpg,MIT", "no license of ada/1.jpg"),
    ],
)
def test_photos_without_a_license_that_permits_every_use_are_refused(tmp_path, line, complaint):
    with pytest.raises(DataError, match=complaint):
        read_licenses(write(tmp_path / "licenses.csv", line), ["ada/1.jpg"])


@pytest.mark.parametrize(
    ("what", "is_refused"),
    [
        ({"provider": "dlib", "use": True}, True),
        ({"provider": "dlib", "use": False}, False),
        ({"provider": "dlib", "use": True, "made_of": "mesh"}, True),  # whether dlib agreed was looked at
        ({"provider": "hand", "use": True}, False),
        ({"provider": "hand", "use": True, "made_of": "dlib+mesh"}, False),
    ],
)
def test_labels_of_dlib_are_refused(landmarks, what, is_refused):
    label = Label("ada/1.jpg", box=BOX, landmarks=landmarks, **what)
    refusal = pytest.raises(DataError, match=r"ada/1\.jpg has dlib's landmarks") if is_refused else nullcontext()
    with refusal:
        refuse_other_labels(Path("labels.csv"), [label])


def test_labels_of_the_mesh_alone_are_taken():
    refuse_other_labels(Path("labels.csv"), [Label("ada/1.jpg", box=BOX, made_of="mesh", use=True)])


def test_weights_for_research_are_no_start():
    config = TrainingConfig(
        stage=2, architecture=load_weights().network.architecture, epochs=1, batch_size=2, lr=1e-3, seed=0, clean=True
    )
    with pytest.raises(UsageError, match="weights for research, or of unknown origin"):
        loop.first_network(config, bundled_weights())


@pytest.fixture
def train(symface, data, tmp_path, small_network):
    """Trains a stage for everybody's use, with the licenses of these lines."""

    def run(stage, *lines, options=()):
        table = write(tmp_path / "licenses.csv", *lines)
        common = ("--run", tmp_path / "run", "--epochs", 1, "--batch-size", 2, "--device", "cpu")
        return symface("train", "--stage", stage, data, "--clean", table, *common, *options)

    return run


def test_weights_name_the_licenses_of_all_that_they_learned_from(train, tmp_path):
    finished = train(1, ".,own")
    assert finished.status == 0, finished.err
    assert "photos by license: 8 own" in finished.err
    assert load_weights(tmp_path / "run" / "stage-1" / "best.safetensors").licenses == ("own",)


def test_first_weights_pass_on_their_licenses(train, tmp_path):
    torch.manual_seed(0)
    save_weights(tmp_path / "init.safetensors", build_network(SMALL), 1, ["MIT", "CC0-1.0"])
    finished = train(1, ".,own", options=("--init", tmp_path / "init.safetensors"))
    assert finished.status == 0, finished.err
    found = load_weights(tmp_path / "run" / "stage-1" / "best.safetensors").licenses
    assert found == ("CC0-1.0", "MIT", "own")


def test_the_command_refuses_what_does_not_permit_every_use(train, data, tmp_path):
    name = next(folder.name for folder in sorted(data.iterdir()) if split_of(folder.name) != "test")
    torch.manual_seed(0)
    save_weights(tmp_path / "init.safetensors", build_network(SMALL), 1)
    for status, stage, lines, options, complaint in (
        (6, 1, (f"{name},own",), (), "no license of"),
        (6, 1, (".,research",), (), "'research' is not known to permit every use"),
        (2, 1, (".,own",), ("--init", tmp_path / "init.safetensors"), "weights for research, or of unknown origin"),
        (2, 2, (".,own",), ("--init", tmp_path / "init.safetensors"), "teacher dlib: it has learned from photos for"),
        (2, 1, (".,own",), ("--segmentation", tmp_path), "--segmentation does not go with --clean"),
    ):
        finished = train(stage, *lines, options=options)
        assert finished.status == status, finished.err
        assert complaint in finished.err
        assert not (tmp_path / "run" / f"stage-{stage}" / "best.safetensors").exists()
