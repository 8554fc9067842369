"""`--shard` of each command, and `symface merge`."""

import re
from pathlib import Path

import pytest
from PIL import Image

from symface_cli.data.datasets import split_of
from symface_cli.evaluation.store import STORE_NAME
from symface_cli.measurement import asymmetry
from tests.evaluation.known import make_people, register


@pytest.fixture
def faces(tmp_path, portrait):
    """A face in three sizes, and a picture without one."""
    (tmp_path / "in").mkdir()
    image = Image.open(portrait)
    for name, side in (("a", 160), ("b", 180), ("c", 200)):
        image.resize((side, side)).save(tmp_path / "in" / f"{name}.png")
    Image.new("RGB", (90, 90)).save(tmp_path / "in" / "d.png")
    return tmp_path / "in"


def test_symmetrize_in_parts_is_what_it_is_in_one(symface, faces, tmp_path):
    whole = symface("symmetrize", faces, "-o", "whole/")
    for number in (1, 2, 3):
        symface("symmetrize", faces, "-o", "parts/", "--shard", f"{number}/3")
    merged = symface("merge", "parts", "--report", "report.html")
    assert (merged.status, merged.err) == (0, "")
    assert merged.out.split() == ["parts/manifest.jsonl", "report.html"]
    assert len(whole.out.split()) == 3
    for name in "abc":
        file = f"{name}.symmetric.png"
        assert (tmp_path / "parts" / file).read_bytes() == (tmp_path / "whole" / file).read_bytes()
    assert "no face found" in (tmp_path / "report.html").read_text()


def test_measure_in_parts_makes_the_same_table(symface, faces, tmp_path, monkeypatch):
    monkeypatch.setattr(asymmetry, "CROP_JITTERS", asymmetry.CROP_JITTERS[:2])
    symface("measure", faces, "--csv", "whole.csv", "--json", "whole.json")
    for number in (1, 2):
        symface("measure", faces, "--csv", "parts/whole.csv", "--json", "parts/whole.json", "--shard", f"{number}/2")
    assert symface("merge", "parts").status == 0
    for name in ("whole.csv", "whole.json"):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / name).read_bytes()


@pytest.mark.landmarks
def test_label_in_parts_makes_the_same_labels(symface, tmp_path):
    names = [name for name in (f"F{number:04}" for number in range(20)) if split_of(name) != "test"][:4]
    for number, name in enumerate(names):
        (tmp_path / "people" / name).mkdir(parents=True)
        Image.new("RGB", (60, 60), (40 * number, 90, 90)).save(tmp_path / "people" / name / "1.png")
    symface("label", "people", "-o", "whole.csv", "--jobs", 1)
    for number in (1, 2):
        symface("label", "people", "-o", "parts/whole.csv", "--jobs", 1, "--shard", f"{number}/2")
    assert symface("merge", "parts").status == 0
    assert (tmp_path / "parts" / "whole.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert (tmp_path / "whole.csv").read_text().count("\n") == 5


def test_evaluate_in_parts_is_gone_on_with_as_one(symface, tmp_path, monkeypatch, landmarks):
    register(monkeypatch, 0.3 * landmarks)
    make_people(tmp_path / "people")
    options = (
        "people",
        "--split",
        "all",
        "--method",
        "vae",
        "--method",
        "noise",
        "--recognizer",
        "brightness",
        "--jobs",
        1,
    )
    whole = symface("evaluate", *options, "--run", "whole", "--json", "whole.json")
    assert whole.status == 0, whole.err
    for number in (1, 2):
        part = symface("evaluate", *options, "--run", "parts", "--shard", f"{number}/2")
        assert f"shard {number} of 2" in part.err
        assert part.out == ""
    assert symface("merge", "parts").out == f"parts/{STORE_NAME}\n"
    assert symface("evaluate", *options, "--run", "parts", "--resume", "--json", "parts.json").status == 0
    scores, expected = (
        re.sub(r'"milliseconds".*', "", Path(f"{name}.json").read_text()) for name in ("parts", "whole")
    )
    assert scores == expected


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("symmetrize in -o out/ --shard 4/3", "use I/N with I from 1 to N"),
        ("symmetrize in -o out/ --shard slurm", "SLURM_ARRAY_TASK_ID"),
        ("symmetrize in --shard 1/3", "in shards"),
        ("symmetrize in/a.png -o x.png --shard 1/3", "needs a folder"),
        ("symmetrize in -o out/ --shard 1/3 --report x.html", "--report needs all photos"),
        ("measure in --shard 1/3", "--shard needs a table"),
        ("measure in --csv - --shard 1/3", "--shard needs a table"),
        ("evaluate in --json x.json --shard 1/3", "--json needs all photos"),
    ],
)
def test_shards_that_make_no_sense_are_a_usage_error(symface, faces, line, reason):
    finished = symface(*line.split())
    assert finished.status == 2
    assert reason in finished.err
    assert finished.err.count("\n") == 1


def test_what_does_not_fit_together_is_refused(symface, faces, tmp_path):
    symface("symmetrize", faces, "-o", "out/", "--shard", "1/2")
    assert symface("merge", "out").status == 6
    symface("symmetrize", faces, "-o", "out/", "--shard", "2/2", "--output", "face")
    refused = symface("merge", "out")
    assert refused.status == 6
    assert "out/manifest.2-of-2.jsonl: was made with other options than shard 1" in refused.err
    assert refused.err.count("\n") == 1
    assert not Path("out/manifest.jsonl").exists()
