"""Options that would have no effect are refused, not dropped; what comes from elsewhere is left out."""

import shlex

import pytest
from typer.main import get_command

from symface_cli.cli.app import app
from symface_cli.cli.rules import RULES, check_options
from symface_cli.errors import UsageError
from symface_cli.imaging.photo import read_photo

COMMANDS = get_command(app).commands
VALUES = {
    "shape": "--shape 0.5",
    "color": "--color 0",
    "side": "--side left",
    "detail": "--no-detail",
    "pose": "--pose front",
    "continuum": "--continuum 0:1:0.5",
    "gif": "--gif",
    "compare": "--compare",
    "preview": "--preview",
    "size": "--size 200",
    "background": "--background white",
    "min_face": "--min-face 500",
    "box": "--box 1,2,30,40",
    "eyes": "--eyes 1,2,30,2",
    "check_identity": "--check-identity",
    "measure": "--measure",
    "weights": "--weights x.safetensors",
    "device": "--device cpu",
    "engine": "--engine torch",
    "output": "--output crop",
    "method": "--method vae-left",
    "faces": "--faces 2",
    "download": "--download lfw",
    "init": "--init x.safetensors",
    "teacher": "--teacher blend",
    "split": "--split all",
    "segmentation": "--segmentation labels/",
    "groups": "--groups groups.csv",
    "recognizer": "--recognizer openface",
    "occluder": "--occluder glasses",
    "run": "--run here",
    "resume": "--resume",
    "checksum": "--checksum",
    "report_path": "--report x.html",
    "report": "--report x.html",
    "json_path": "--json x.json",
    "markdown_path": "--markdown x.md",
    "shard": "--shard 1/2",
    "out_path": "-o maps/",
    "heatmap": "--heatmap",
    "overlay": "--overlay",
    "points_path": "--points points.csv",
    "given_path": "--points-from points.csv",
    "photos": "another.jpg",
    "session": "--session visits.csv",
    "jobs": "--jobs 2",
    "person": "--person all",
    "start": "--start 1",
    "end": "--end 2",
    "every": "--every 0.1s",
    "max_yaw": "--max-yaw 10",
    "rest": "--rest 0-1",
    "smooth": "--smooth 0.1s",
    "chart": "--chart x.png",
    "rate": "--rate 25",
    "codec": "--codec hevc",
    "crf": "--crf 20",
    "model_dir": "--model-dir .",
}
"""How an option is given another value than its default."""
CASES = {
    "symmetrize": (
        "--method dlib-left",
        "--method sdm-warp",
        "--preview",
        "--method vae-decode",
        "",
        "--gif --output face",
        "--eyes 1,2,30,2",
        "--box 1,2,30,40",
        "--shard 1/2",
        "talk.mp4",
    ),
    "measure": ("", "--session visits.csv", "--points points.csv", "--video"),
    "label": ("lfw/",),
    "train": ("--stage 1 lfw/", "--stage 1 --resume", "--stage 1", "--stage 2 own/ --clean licenses.csv"),
    "evaluate": ("lfw/", "--midline", "--method dlib-left --method sdm-warp", "lfw/ --shard 1/2"),
}
"""Command lines that make each rule's case."""


def parsed(command, line, **elsewhere):
    """The context of a command line, with a photo where one is needed; some values may come from a file."""
    words = [*shlex.split(line), *(["photo.jpg"] if command in ("symmetrize", "measure") else [])]
    return COMMANDS[command].make_context(command, words, default_map=elsewhere)


def checked(command, line, **elsewhere):
    """The values that are left."""
    context = parsed(command, line, **elsewhere)
    check_options(context)
    return context.params


def refused(command, rule):
    """Command lines with an option that a rule refuses, and how the option is called."""
    for case in CASES[command]:
        for option in rule.options:
            value = "--background transparent" if rule.cause == "gif" else VALUES[option]
            if rule.applies(parsed(command, f"{case} {value}").params):
                yield f"{case} {value}", {"out_path": "--out", "photos": "PHOTO..."}.get(option, value.split()[0])


@pytest.mark.parametrize(
    ("command", "line", "option"),
    [
        (command, line, option)
        for command, rules in RULES.items()
        for rule in rules
        for line, option in refused(command, rule)
    ],
)
def test_an_option_without_effect_is_refused_by_its_name(command, line, option):
    with pytest.raises(UsageError) as refusal:
        checked(command, line)
    assert option in str(refusal.value)


@pytest.mark.parametrize(("command", "rule"), [(command, rule) for command in RULES for rule in RULES[command]])
def test_every_rule_has_a_case_here(command, rule):
    assert any(True for _ in refused(command, rule))


@pytest.mark.parametrize(
    ("command", "line", "message"),
    [
        ("symmetrize", "--method dlib-left --eyes 1,2,30,2", "--eyes does not go with --method dlib-left"),
        ("symmetrize", "--method dlib-left --no-detail", "--no-detail does not go with --method dlib-left"),
        ("symmetrize", "--method dlib-left --output photo", "--method dlib-left gives --output face alone"),
        ("symmetrize", "--preview --gif", "--gif does not go with --preview"),
        ("symmetrize", "--method vae-left --side right", "--side does not go with --method vae-left"),
        ("symmetrize", "--output crop --size 100", "--size needs --output face"),
        (
            "symmetrize",
            "--output face --gif --background transparent",
            "--background transparent does not go with --gif; give a color",
        ),
        ("symmetrize", "talk.mp4 --gif", "--gif does not go with films"),
        ("symmetrize", "--crf 20", "--crf is for films"),
        ("symmetrize", "--eyes 1,2,30,2 --box 1,2,30,40", "--box does not go with --eyes"),
        (
            "measure",
            "-o maps/",
            "--out is where pictures go: add --heatmap or --overlay, or use --json FILE or --csv FILE",
        ),
        ("evaluate", "lfw/ --download lfw", "--download does not go with DATA"),
        ("evaluate", "--midline --split all", "--split does not go with --midline"),
        ("evaluate", "--method clm-left --weights x", "--weights does not go with landmark methods alone"),
        ("evaluate", "lfw/ --segmentation labels/", "--segmentation needs --output photo"),
        ("train", "--stage 2 --resume --init x", "--init does not go with --resume"),
        ("train", "--stage 1 lfw/ --teacher blend", "--teacher does not go with --stage 1"),
        ("train", "--stage 2 own/ --clean a.csv --segmentation b/", "--segmentation does not go with --clean"),
    ],
)
def test_the_message_names_what_it_does_not_go_with(command, line, message):
    with pytest.raises(UsageError) as refusal:
        checked(command, line)
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    "line",
    [
        "--output face --size 200 --background white --gif --continuum 0:1:0.5 --no-detail",
        "--method dlib-left --output face --faces 2 --force --jobs 2 --report x.html",
        "--method vae-left --side left --shape 0.5 --compare",
        "--preview --min-face 50 --check-identity --measure",
        "--eyes 1,2,30,2 --shape 0.5",
        "--method dlib-left --shape 1 --side both --device auto",  # as it is by default: nothing is lost
        "--preview --faces all",
    ],
)
def test_what_goes_together_is_left_as_it_is(line):
    assert checked("symmetrize", line) == parsed("symmetrize", line).params


def test_what_comes_from_a_file_and_does_not_apply_is_left_out():
    values = checked("symmetrize", "--method dlib-left", eyes="1,2,30,2", shape=0.5, output=["photo"], faces="2")
    assert (values["eyes"], values["shape"], values["output"]) == (None, 1.0, ())
    assert values["faces"] == "2"  # which applies
    assert checked("symmetrize", "--preview", faces="largest", gif=True)["faces"] == "all"
    assert checked("evaluate", "lfw/", download="lfw")["download"] is None
    assert checked("evaluate", "--midline", report="x.html", report_path="x.html")["report_path"] is None


def test_what_comes_from_a_variable_and_does_not_apply_is_left_out(symface, portrait, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, value in (("GIF", "1"), ("SHAPE", "0.5"), ("FACES", "2"), ("SIZE", "99"), ("RESUME", "1")):
        monkeypatch.setenv(f"SYMFACE_SYMMETRIZE_{name}", value)
    assert symface("symmetrize", portrait, "--preview", "-o", tmp_path / "x.jpg").status == 0
    assert read_photo(tmp_path / "x.jpg").shape == (675, 675, 3)


def test_an_option_given_here_is_refused_for_a_value_from_a_file():
    with pytest.raises(UsageError, match="--eyes does not go with --method dlib-left"):
        checked("symmetrize", "--eyes 1,2,30,2", method="dlib-left")


def test_a_value_left_out_makes_no_case():
    """Of two options from a file, the method goes before the preview, which then refuses nothing."""
    assert checked("symmetrize", "--faces 2", method="dlib-left", preview=True)["faces"] == "2"


@pytest.mark.parametrize(
    ("option", "message"), [("--resume", "--resume needs a manifest"), ("--measure", "--measure needs a place")]
)
def test_what_is_recorded_nowhere_is_refused(symface, portrait, tmp_path, option, message):
    finished = symface("symmetrize", portrait, option, "-o", tmp_path / "x.jpg")
    assert finished.status == 2
    assert message in finished.err
    assert not list(tmp_path.iterdir())
