"""`symface asymmetry` as a user meets it."""

import csv
import io
import json

import pytest

from tests.morphometrics.samples import sample_of


@pytest.fixture
def points(tmp_path):
    """A table with two photos of each of four people."""
    sample, path = sample_of([2, 2, 2, 2]), tmp_path / "points.csv"
    rows = ["photo,person,point,x,y"]
    for photo, owner, shape in zip(sample.photos, sample.owners, sample.coordinates, strict=True):
        person = sample.people[owner]
        rows += [f"{photo},{person},{name},{x},{y}" for name, (x, y) in zip(sample.points, shape, strict=True)]
    path.write_text("\n".join(rows) + "\n")
    return path


def test_a_table_goes_to_standard_output_and_what_was_counted_to_standard_error(symface, points):
    finished = symface("asymmetry", points, "--permutations", 100)
    assert finished.status == 0
    title, header, _, *lines = finished.out.rstrip().split("\n")
    assert title == "Procrustes ANOVA"
    assert header.split() == ["Df", "SS", "MS", "Rsq", "F", "Z", "Pr(>F)"]
    assert [line.split()[:2] for line in lines] == [
        ["ind", "3"],
        ["side", "1"],
        ["ind:side", "3"],
        ["ind:side:replicate", "8"],
        ["Total", "15"],
    ]
    assert "4 people, 8 photos, 6 points; 100 permutations, seed 0" in finished.err
    assert "intraclass correlation" in finished.err


def test_scores_as_csv_are_those_of_json(symface, points, tmp_path):
    finished = symface("asymmetry", points, "--csv", "-", "--json", tmp_path / "new" / "all.json", "--seed", 3)
    assert finished.status == 0
    rows = list(csv.DictReader(io.StringIO(finished.out)))
    document = json.loads((tmp_path / "new" / "all.json").read_text())
    assert "not a medical device" in document["note"]
    assert (document["permutations"], document["seed"]) == (1000, 3)
    assert [row["person"] for row in rows] == ["person 0", "person 1", "person 2", "person 3"]
    for row, person in zip(rows, document["people"], strict=True):
        assert row["photos"] == "2"
        for name in ("asymmetry", "fluctuating", "error"):
            assert float(row[name]) == pytest.approx(person[name], abs=5e-9)
    assert {entry["point"]: entry["mirror"] for entry in document["directional"]}["eye_left"] == "eye_right"
    total = document["anova"][-1]
    assert sum(row["ss"] for row in document["anova"][:-1]) == pytest.approx(total["ss"])


def test_the_same_seed_gives_the_same_p(symface, points):
    def p_values(seed):
        finished = symface("asymmetry", points, "--json", "-", "--seed", seed, "--permutations", 50)
        return [row["p"] for row in json.loads(finished.out)["anova"]]

    assert p_values(1) == p_values(1)
    assert any(p_values(1) != p_values(seed) for seed in range(2, 6))


def test_one_photo_of_each_person_has_no_error(symface, points, tmp_path):
    people = tmp_path / "people.csv"
    people.write_text("photo,person\n" + "".join(f"{i}-{j},{i}{j}\n" for i in range(4) for j in range(2)))
    finished = symface("asymmetry", points, "--people", people, "--csv", "-")
    rows = list(csv.DictReader(io.StringIO(finished.out)))
    assert len(rows) == 8
    assert {row["error"] for row in rows} == {""}


def test_files_are_kept_and_mistakes_told(symface, points, tmp_path):
    kept = tmp_path / "scores.csv"
    kept.write_text("mine")
    refused = symface("asymmetry", points, "--csv", kept)
    assert (refused.status, kept.read_text()) == (3, "mine")
    assert "--force" in refused.err
    assert symface("asymmetry", points, "--csv", points, "--force").status == 3
    assert points.read_text().startswith("photo,person")
    assert symface("asymmetry", points, "--csv", "-", "--json", "-").status == 2
    missing = symface("asymmetry", tmp_path / "nothing.csv")
    assert missing.status == 6
    assert "nothing.csv" in missing.err
