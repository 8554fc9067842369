"""`symface measure --session` as a user meets it."""

import csv
import io
import json
import shutil

import pytest
from PIL import Image

from symface_cli.measurement import asymmetry
from tests.pages import Reader


@pytest.fixture(autouse=True)
def few_looks(monkeypatch):
    monkeypatch.setattr(asymmetry, "CROP_JITTERS", asymmetry.CROP_JITTERS[:2])


@pytest.fixture
def session(tmp_path, portrait):
    """A session of one person: at rest, and mirrored at a later date; a smile is missing, and a photo has no face."""
    folder = tmp_path / "visits"
    folder.mkdir()
    shutil.copy(portrait, folder / "rest.jpg")
    with Image.open(portrait) as image:
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / "mirrored.png")
    Image.new("RGB", (80, 80), "navy").save(folder / "wall.png")
    lines = ["subject,date,pose,photo", "Ada,2026-01-10,rest,rest.jpg", "Ada,2026-01-10,smile,"]
    lines += ["Ada,2026-05-04,rest,mirrored.png", "Ada,2026-05-04,smile,wall.png"]
    (folder / "visits.csv").write_text("\n".join(lines) + "\n")
    return folder / "visits.csv"


def test_tables_and_a_page_compare_the_photos_of_a_session(symface, session, tmp_path):
    page = tmp_path / "new" / "visits.html"
    finished = symface("measure", "--session", session, "--csv", "-", "--report", page, "--json", tmp_path / "all.json")
    assert finished.status == 4  # of the photo without a face; the others are there
    assert "wall.png" in finished.err
    rows = list(csv.DictReader(io.StringIO(finished.out)))
    assert [(row["date"], row["pose"], row["status"]) for row in rows] == [
        ("2026-01-10", "rest", "0"),
        ("2026-01-10", "smile", ""),
        ("2026-05-04", "rest", "0"),
        ("2026-05-04", "smile", "4"),
    ]
    first, _, second, _ = rows
    for name in ("fai", "brow_height"):
        assert float(second[f"{name}_left"]) == pytest.approx(float(first[f"{name}_right"]), abs=0.5)
        change = float(second[f"{name}_diff"]) - float(first[f"{name}_diff"])
        assert float(second[f"{name}_diff_from_first"]) == pytest.approx(change, abs=2e-4)
        assert first[f"{name}_diff_from_first"] == ""
    assert len(json.loads((tmp_path / "all.json").read_text())["rows"]) == 4
    shown = Reader(page.read_text())
    assert shown.text_in("h2") == ["Ada"]
    assert [picture["alt"] for picture in shown.named("img")] == ["Ada, rest, 2026-01-10", "Ada, rest, 2026-05-04"]


def test_the_sides_are_those_that_are_asked_for(symface, session):
    def first(*options):
        return next(csv.DictReader(io.StringIO(symface("measure", "--session", session, "--csv", "-", *options).out)))

    person, viewer = first(), first("--sides", "viewer")
    assert (person["sides"], viewer["sides"]) == ("person", "viewer")
    assert person["fai_left"] == viewer["fai_right"]


def test_corrected_points_are_taken_back(symface, session, tmp_path):
    def measure(*options):
        finished = symface("measure", "--session", session, "--csv", "-", *options)
        return next(csv.DictReader(io.StringIO(finished.out)))

    points = tmp_path / "points.csv"
    before = measure("--points", points)
    lines = points.read_text().splitlines()
    moved = next(i for i, line in enumerate(lines) if "rest.jpg,1,commissure_left," in line)
    *name, x, y = lines[moved].split(",")
    lines[moved] = ",".join([*name, x, f"{float(y) + 5:.2f}"])
    points.write_text("\n".join(lines) + "\n")
    after = measure("--points-from", points)
    assert float(after["commissure_height_left"]) > float(before["commissure_height_left"]) + 3  # 5 of some 95 px
    assert float(after["commissure_height_right"]) == pytest.approx(float(before["commissure_height_right"]), abs=0.02)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ((), "--csv FILE"),
        (("photo.jpg", "--csv", "-"), "PHOTO... does not go with --session"),
        (("--heatmap", "--csv", "-"), "--heatmap does not go with --session"),
        (("--csv", "-", "--json", "-"), "do not both go to standard output"),
        (("--csv", "-", "--report", "-"), "only one result goes to standard output"),
    ],
)
def test_what_makes_no_sense_is_refused(symface, session, options, word):
    finished = symface("measure", "--session", session, *options)
    assert finished.status == 2
    assert word in finished.err


def test_a_page_needs_a_session_and_a_measurement_photos(symface, portrait, tmp_path):
    finished = symface("measure", portrait, "--report", tmp_path / "x.html")
    assert (finished.status, "--report needs --session FILE" in finished.err) == (2, True)
    nothing = symface("measure")
    assert (nothing.status, "nothing to measure" in nothing.err) == (2, True)


def test_photos_and_the_file_that_names_them_are_not_written_over(symface, session):
    before = session.read_text()
    assert symface("measure", "--session", session, "--csv", session, "--force").status == 3
    assert symface("measure", "--session", session, "--report", session.parent / "rest.jpg", "--force").status == 3
    assert session.read_text() == before
    session.write_text("subject,date\n")
    assert symface("measure", "--session", session, "--csv", "-").status == 6
