"""What others rely on: names of the package, exit statuses, commands and options. A change here is a deliberate one."""

import pytest
from typer.main import get_command

import symface_cli
from symface_cli.cli.app import app
from symface_cli.errors import ExitStatus

COMMANDS = get_command(app).commands

OPTIONS = {
    "symmetrize": (
        "--out --output --continuum --gif --compare --preview --size --background --shape --color --side --detail "
        "--no-detail --pose --faces --min-face --box --eyes --person --start --end --codec --crf --force --resume "
        "--checksum --manifest --report --check-identity --measure --jobs --shard --print0 --method --weights "
        "--device --engine --model-dir --debug"
    ),
    "measure": (
        "--json --csv --heatmap --overlay --points --out --raw --sides --scale --iris-mm --points-from --session "
        "--report --video --person --start --end --every --max-yaw --rest --smooth --chart --rate --faces --force "
        "--resume --jobs --shard --weights --device --engine --model-dir --debug"
    ),
    "asymmetry": "--people --mirror --csv --json --permutations --seed --force",
    "label": "--download --teacher --out --review --force --jobs --shard --debug",
    "cluster": "",
    "merge": "--report --force --debug",
    "train": (
        "--stage --download --labels --segmentation --teacher --run --init --resume --tensorboard --epochs "
        "--batch-size --lr --seed --arch --device --clean --debug"
    ),
    "evaluate": (
        "--download --split --limit --method --baseline --recognizer --occluder --output --segmentation --groups "
        "--midline --json --markdown --report --run --resume --force --jobs --shard --weights --model-dir --debug"
    ),
    "serve": (
        "--port --host --token --browser --no-browser --upload-mb --keep --time-limit --jobs --weights --device "
        "--model-dir --debug"
    ),
    "doctor": "--json --device",
}


def test_the_package_has_these_names_and_each_is_there() -> None:
    names = "FaceMeasurement FrameMeasurement SymmetricFace SymmetricFrame Symmetrizer __version__"
    functions = "measure measure_video symmetric_faces symmetrize symmetrize_video"
    assert sorted(symface_cli.__all__) == f"{names} {functions}".split()
    for name in symface_cli.__all__:
        assert getattr(symface_cli, name).__doc__


def test_exit_statuses_have_these_meanings() -> None:
    assert {status.name: status.value for status in ExitStatus} == {
        "OK": 0,
        "BUG": 1,
        "USAGE": 2,
        "PHOTO": 3,
        "NO_FACE": 4,
        "WEIGHTS": 5,
        "DATA": 6,
        "INTERRUPTED": 130,
    }


def test_these_are_the_commands() -> None:
    assert sorted(COMMANDS) == sorted(OPTIONS)


@pytest.mark.parametrize("name", ["symmetrize", "measure"])
def test_a_command_for_a_cluster_has_the_same_options_and_its_own(name: str) -> None:
    usual, there = COMMANDS[name].params, COMMANDS["cluster"].commands[name].params
    assert {option.name for option in there} == {*(option.name for option in usual), "address", "num_workers"}


@pytest.mark.parametrize("name", OPTIONS)
def test_a_command_has_these_options(name: str) -> None:
    given = [option for parameter in COMMANDS[name].params for option in (*parameter.opts, *parameter.secondary_opts)]
    assert sorted(option for option in given if option.startswith("--")) == sorted(OPTIONS[name].split())
