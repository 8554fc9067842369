"""`symface measure` as a user meets it."""

import csv
import io
import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from symface_cli.measurement import asymmetry

AREAS = ("brows", "eyes", "nose", "mouth", "jaw")
QUANTITIES = ("shape_pct", "outward_pct", "lower_pct", "color_de", "lightness")
NAMES = (
    "midline_deg",
    "yaw_deg",
    *(f"whole_{quantity}" for quantity in ("shape_pct", "color_de", "lightness")),
    *(f"{area}_{quantity}" for area in AREAS for quantity in QUANTITIES),
    "turn_pct",
)
SIDED = ("fai", "commissure_excursion", "commissure_height", "smile_angle", "upper_lip_height", "lower_lip_height")
SIDED = (*SIDED, "mrd1", "mrd2", "fissure_height", "brow_height")
WHOLE = ("mouth_cant", "nose_deviation", "chin_deviation")


@pytest.fixture(autouse=True)
def few_looks(monkeypatch):
    monkeypatch.setattr(asymmetry, "CROP_JITTERS", asymmetry.CROP_JITTERS[:2])


@pytest.fixture
def photo(tmp_path, portrait):
    return shutil.copy(portrait, tmp_path / "portrait.jpg")


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_a_table_goes_to_standard_output(symface, photo):
    finished = symface("measure", photo)
    assert finished.status == 0
    assert finished.err == ""
    heading, sides, titles, *lines = finished.out.rstrip().split("\n")
    assert heading.startswith(f"{photo}, face 1: midline ")
    assert sides.startswith("left is the person's")
    assert [title in titles for title in ("shape %", "outward %", "lower %", "color dE", "lightness")] == [True] * 5
    assert [line.split()[0] for line in lines[:6]] == ["whole", *AREAS]
    assert lines[1].count("±") == 5
    assert lines[6].split() == ["left", "right", "left", "-", "right", "unit"]
    assert {line.split()[0] for line in lines[7:]} == {*SIDED, *WHOLE}


def test_csv_has_one_line_per_face_and_the_same_numbers_as_json(symface, pair, tmp_path):
    finished = symface("measure", pair, "--csv", "-", "--json", tmp_path / "new" / "faces.json")
    assert finished.status == 0
    rows = rows_of(finished.out)
    assert [(row["photo"], row["face"]) for row in rows] == [(str(pair), "1"), (str(pair), "2")]
    columns = [column for name in NAMES for column in (name, f"{name}_error")]
    added = ["status", "reason", "photo_sha256", "heatmap_sha256", "measured_by"]
    scaled = ["sides", "unit", "scale_mm_per_px", "scale_error"]
    first = ["photo", "face", "eye_distance_px", "turned", *columns, *added, *scaled]
    assert list(rows[0])[: len(first)] == first
    measured = [f"{name}_{part}" for name in SIDED for part in ("left", "right", "diff", "error")]
    assert set(list(rows[0])[len(first) :]) == {*measured, *WHOLE, *(f"{name}_error" for name in WHOLE)}
    written = json.loads((tmp_path / "new" / "faces.json").read_text("utf-8"))
    assert "not a medical device" in written["note"]
    for row, face in zip(rows, written["faces"], strict=True):
        assert float(row["eye_distance_px"]) == face["eye_distance_px"]
        assert row["turned"] == str(int(face["turned"]))
        assert list(face["values"]) == list(NAMES)
        for name, estimate in face["values"].items():
            assert (float(row[name]), float(row[f"{name}_error"])) == (estimate["value"], estimate["error"])
            assert estimate["error"] >= 0


def test_json_alone_goes_to_standard_output(symface, photo):
    (face,) = json.loads(symface("measure", photo, "--json", "-").out)["faces"]
    assert face["photo"] == str(photo)
    assert 80 < face["eye_distance_px"] < 120  # the eyes are about 100 px apart
    assert not face["turned"]


def test_a_chosen_face_keeps_its_number_and_its_values(symface, pair):
    def measure(*options):
        rows = rows_of(symface("measure", pair, "--csv", "-", *options).out)
        return [{name: value for name, value in row.items() if name != "measured_by"} for row in rows]

    both = measure()
    assert measure("--faces", "2") == both[1:]
    assert measure("--faces", "largest") == both[:1]


def test_heat_maps_lie_beside_the_photos_and_are_numbered(symface, photo, pair, tmp_path):
    copy = shutil.copy(pair, tmp_path / "pair.jpg")
    assert symface("measure", photo, copy, "--heatmap").status == 0
    written = sorted(path.name for path in tmp_path.iterdir() if path.suffix == ".png")
    assert written == ["pair.asymmetry-1.png", "pair.asymmetry-2.png", "portrait.asymmetry.png"]
    with Image.open(tmp_path / "portrait.asymmetry.png") as image:
        assert (image.format, image.size) == ("PNG", (1024, 576))


@pytest.mark.parametrize("place", ["maps", "map.png"])
def test_heat_maps_go_where_they_are_told_to(symface, photo, tmp_path, place):
    assert symface("measure", photo, "--heatmap", "-o", f"{tmp_path}/{place}").status == 0
    assert (tmp_path / ("maps/portrait.asymmetry.png" if place == "maps" else place)).is_file()


@pytest.mark.parametrize("option", [("--json", "x.json"), ("--csv", "x.csv"), ("--heatmap",)])
def test_existing_files_are_kept_without_force(symface, photo, tmp_path, monkeypatch, option):
    monkeypatch.chdir(tmp_path)
    mine = tmp_path / (option[1] if len(option) > 1 else "portrait.asymmetry.png")
    mine.write_text("mine")
    finished = symface("measure", photo, *option)
    assert finished.status == 3
    assert "--force" in finished.err
    assert mine.read_text() == "mine"
    assert symface("measure", photo, *option, "--force").status == 0
    assert mine.read_bytes() != b"mine"


def test_a_turned_head_is_warned_of(symface, photo, monkeypatch):
    monkeypatch.setattr(asymmetry, "MAX_YAW_MEASURE", 0.0)
    finished = symface("measure", photo, "--csv", "-")
    assert finished.status == 0
    assert "face 1: the head is turned" in finished.err
    assert rows_of(finished.out)[0]["turned"] == "1"


def test_points_are_written_corrected_and_taken_back(symface, photo, tmp_path):
    points, table = tmp_path / "points.csv", tmp_path / "faces.csv"
    assert symface("measure", photo, "--points", points, "--csv", table).status == 0
    rows = rows_of(points.read_text())
    assert len(rows) == 45
    before = float(rows_of(table.read_text())[0]["commissure_height_left"])
    for row in rows:
        if row["point"] == "commissure_left":
            row["y"] = f"{float(row['y']) + 6:.2f}"
    with points.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    finished = symface("measure", photo, "--points-from", points, "--csv", "-")
    assert finished.status == 0
    assert float(rows_of(finished.out)[0]["commissure_height_left"]) == pytest.approx(before + 6.2, abs=0.5)  # of 97 px


def test_points_of_no_photo_and_no_form_are_refused(symface, photo, tmp_path):
    (tmp_path / "points.csv").write_text("photo,point,x,y\nother.jpg,chin,1,2\n")
    finished = symface("measure", photo, "--points-from", tmp_path / "points.csv")
    assert (finished.status, finished.err.count("\n")) == (2, 1)
    assert "of none of these photos" in finished.err
    assert symface("measure", photo, "--points", tmp_path / "points.txt").status == 2
    assert symface("measure", photo, "--points-from", tmp_path / "missing.csv").status == 6


@pytest.mark.parametrize("form", ["tps", "tem", "pts"])
def test_points_go_to_other_programs(symface, photo, tmp_path, form):
    assert symface("measure", photo, "--points", tmp_path / f"new/points.{form}").status == 0
    assert "45" in (tmp_path / f"new/points.{form}").read_text().partition("{")[0]


def test_overlays_are_pictures_of_the_face(symface, photo, tmp_path):
    assert symface("measure", photo, "--overlay").status == 0
    with Image.open(tmp_path / "portrait.points.png") as image:
        assert (image.format, image.size) == ("PNG", (1200, 1200))


def test_the_sides_are_whose_they_are_asked_for(symface, photo):
    person, viewer = (
        rows_of(symface("measure", photo, "--csv", "-", *sides).out)[0] for sides in ((), ("--sides", "viewer"))
    )
    assert (person["sides"], viewer["sides"]) == ("person", "viewer")
    assert person["fai_left"] == viewer["fai_right"]
    for name in ("fai_diff", "mouth_cant", "nose_outward_pct", "brows_lower_pct", "turn_pct", "eyes_lightness"):
        assert float(person[name]) == -float(viewer[name])
    for name in ("midline_deg", "yaw_deg", "mouth_shape_pct", "fai_error"):
        assert person[name] == viewer[name]


def test_a_known_scale_gives_millimeters(symface, photo):
    (percent,), (mm,) = (
        rows_of(symface("measure", photo, "--csv", "-", *scale).out) for scale in ((), ("--scale", "ipd=60"))
    )
    assert (percent["unit"], mm["unit"]) == ("%", "mm")
    assert float(mm["fai_left"]) == pytest.approx(0.6 * float(percent["fai_left"]), abs=2e-4)
    assert mm["smile_angle_left"] == percent["smile_angle_left"]
    assert 0.55 < float(mm["scale_mm_per_px"]) < 0.7  # the pupils are about 97 pixels apart


def test_a_batch_goes_on_after_a_bad_photo_and_exits_with_its_status(symface, photo, tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"")
    Image.new("RGB", (64, 64)).save(tmp_path / "b.png")
    finished = symface("measure", tmp_path, "--csv", "-")
    assert finished.status == 3  # of a.jpg, which comes first; b.png has no face
    rows = rows_of(finished.out)
    assert [(Path(row["photo"]).name, row["status"]) for row in rows] == [
        ("a.jpg", "3"),
        ("b.png", "4"),
        ("portrait.jpg", "0"),
    ]
    assert "it is empty" in rows[0]["reason"]
    assert "a.jpg" in finished.err
    assert "b.png" in finished.err
    assert "1 of 3 photos done, 2 failed" in finished.err


def test_a_photo_without_a_face_exits_4_and_is_in_the_table(symface, tmp_path):
    Image.new("RGB", (200, 150), "navy").save(tmp_path / "wall.png")
    finished = symface("measure", tmp_path / "wall.png", "--json", tmp_path / "x.json")
    assert (finished.status, finished.out) == (4, "")
    document = json.loads((tmp_path / "x.json").read_text())
    assert document["faces"] == []
    assert [(Path(entry["photo"]).name, entry["status"]) for entry in document["failed"]] == [("wall.png", 4)]


def test_a_table_is_gone_on_with(symface, photo, pair, tmp_path):
    table = tmp_path / "faces.csv"
    assert symface("measure", photo, "--csv", table).status == 0
    before = table.read_bytes()
    finished = symface("measure", photo, pair, "--csv", table, "--resume")
    assert "1 of 1 photos done, 0 failed, 1 done before" in finished.err
    assert table.read_bytes().startswith(before)
    assert [row["face"] for row in rows_of(table.read_text())] == ["1", "1", "2"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--json", "-", "--csv", "-"),
        ("-o", "maps/"),
        ("--heatmap", "-o", "-"),
        ("--heatmap", "-o", "map.jpg"),
        ("--heatmap", "--overlay", "-o", "map.png"),
        ("--overlay", "-o", "map.jpg"),
        ("--sides", "left"),
        ("--scale", "ipd"),
        ("--iris-mm", "12"),
        ("--points", "x.csv", "--csv", "x.csv", "--resume"),
        ("--faces", "0"),
        ("--resume",),
        ("--resume", "--csv", "-"),
    ],
)
def test_options_that_make_no_sense_exit_2(symface, photo, tmp_path, arguments):
    finished = symface("measure", photo, *arguments)
    assert finished.status == 2
    assert finished.err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["portrait.jpg"]


def test_help_says_what_it_is_not(symface):
    assert "Not a medical device" in " ".join(symface("measure", "--help").out.split())
