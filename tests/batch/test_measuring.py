"""A batch of measurements is written while it grows, says what failed, and is resumed; without a network."""

import csv
import io
import json
import os
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from symface_cli.batch import measuring, tables
from symface_cli.batch.measuring import MeasuringBatch, MeasuringOptions
from symface_cli.batch.targets import STREAM, choose_targets
from symface_cli.detection.selection import Selection
from symface_cli.errors import NoFaceError, OutputError
from symface_cli.measurement.asymmetry import Estimate
from symface_cli.measurement.photo import Convention, FaceMeasurement
from symface_cli.measurement.points.scheme import name_points
from symface_cli.measurement.quantities import NAMES
from symface_cli.measurement.scale import Scaling
from tests.batch.planners import save_gray
from tests.measures import measured as measured_sides


class GrayFaces(Selection):
    """A face in each photo that is not black, two in one of 16 px."""

    def choose(self, photo):
        if not photo.any():
            raise NoFaceError("no face found")
        return [None] * (2 if len(photo) == 16 else 1)


class GrayMeter:
    """All values are a photo's gray, as is its heat map."""

    def __init__(self, convention, grays):
        self.convention = convention
        self.grays = grays

    def measure_faces(self, photo, found, first, given):
        self.grays.append(int(photo[0, 0, 0]))
        return [
            FaceMeasurement(
                number=number,
                box=(0, 0, 1, 1),
                roll_degrees=0,
                eye_distance=10.0,
                is_yaw_too_large=False,
                sides="person",
                values=dict.fromkeys(NAMES, Estimate(float(photo[0, 0, 0]), 0.5)),
                measures=measured_sides(),
                scale=None,
                points=dict.fromkeys(name_points("person"), (1.0, 2.0)),
                heatmap=photo if self.convention.heatmaps else None,
            )
            for number, _ in enumerate(found, first)
        ]


@pytest.fixture(autouse=True)
def measured(monkeypatch):
    """The grays of the photos that were measured."""
    grays = []
    monkeypatch.setattr(measuring, "FaceMeter", lambda symmetrizer, convention, scaler: GrayMeter(convention, grays))
    return grays


@pytest.fixture
def folder(tmp_path):
    """Three photos; the one in the middle has no face."""
    for name, value in (("a", 100), ("b", 0), ("c", 200)):
        save_gray(tmp_path / f"in/{name}.bmp", value)
    return tmp_path / "in"


@pytest.fixture
def table(tmp_path):
    return tmp_path / "new/faces.csv"


def batch(photos, out=None, weights="ab" * 32, **options):
    symmetrizer = SimpleNamespace(engine=SimpleNamespace(name="torch", can_fork=True, sha256=weights))
    how = MeasuringOptions(selection=GrayFaces(), jobs=1, **options)
    return MeasuringBatch(symmetrizer, choose_targets([photos], out), how)


def run(photos, out=None, **options):
    return [result.error for result in batch(photos, out, **options).run()]


def rows(data):
    """Name, status, and gray of each line."""
    lines = csv.DictReader(io.StringIO(data if isinstance(data, str) else data.read_text()))
    return [(Path(line["photo"]).name, line["status"], line["whole_shape_pct"]) for line in lines]


ALL = [("a.bmp", "0", "100.0000"), ("b.bmp", "4", ""), ("c.bmp", "0", "200.0000")]


def test_every_photo_has_a_line_those_that_failed_too(folder, table):
    assert [error is None for error in run(folder, csv=table)] == [True, False, True]
    assert rows(table) == ALL


def test_lines_are_there_before_they_are_told(folder, table):
    running = batch(folder, csv=table, json=table.with_suffix(".json")).run()
    assert rows(table) == []
    for told, _ in enumerate(running, 1):
        assert rows(table) == ALL[:told]
        document = json.loads(table.with_suffix(".json").read_text())
        assert document["faces"][0]["photo"] == f"{folder}/a.bmp"  # what comes within a second of it, may be missing


def test_json_is_written_whole_each_time(folder, table, monkeypatch):
    monkeypatch.setattr(tables, "LEAST_PAUSE", 0.0)
    monkeypatch.setattr(tables, "SHARE", 1e9)
    counts = []
    for _ in batch(folder, json=table).run():
        document = json.loads(table.read_text())
        counts.append((len(document["faces"]), len(document["failed"])))
    assert counts == [(1, 0), (1, 1), (2, 1)]


@pytest.mark.parametrize("end", ["closed", "interrupted"])
def test_a_run_that_is_interrupted_leaves_what_is_measured_and_is_resumed(folder, table, measured, end):
    whole, other = table.with_name("whole.csv"), table.with_suffix(".json")
    run(folder, csv=whole, json=whole.with_suffix(".json"))
    measured.clear()
    running = batch(folder, csv=table, json=other).run()
    assert [next(running).error is None for _ in range(2)] == [True, False]
    if end == "closed":
        running.close()
    else:
        with pytest.raises(KeyboardInterrupt):
            running.throw(KeyboardInterrupt)
    assert rows(table) == ALL[:2]
    assert [len(json.loads(other.read_text())[key]) for key in ("faces", "failed")] == [1, 1]
    measured.clear()
    resumed = batch(folder, csv=table, json=other, resume=True)
    assert (len(resumed), resumed.skipped) == (2, 1)  # the one without a face is looked at again
    list(resumed.run())
    assert measured == [200]
    assert table.read_bytes() == whole.read_bytes()
    assert other.read_bytes() == whole.with_suffix(".json").read_bytes()


def test_a_killed_run_with_half_a_line_is_resumed(folder, table, measured):
    run(folder, csv=table)
    whole = table.read_bytes()
    table.write_bytes(whole[:-20])
    measured.clear()
    run(folder, csv=table, resume=True)
    assert measured == [200]
    assert table.read_bytes() == whole


def test_tables_say_the_same_after_one_of_them_was_lost(folder, table, measured):
    run(folder, csv=table)
    measured.clear()
    run(folder, csv=table, json=table.with_suffix(".json"), resume=True)
    assert measured == []
    assert len(json.loads(table.with_suffix(".json").read_text())["faces"]) == 2


def test_rows_of_photos_that_have_changed_are_replaced(folder, table):
    run(folder, csv=table)
    before = (folder / "a.bmp").stat()
    save_gray(folder / "a.bmp", 50)
    os.utime(folder / "a.bmp", ns=(before.st_atime_ns, before.st_mtime_ns))
    run(folder, csv=table, resume=True)
    assert rows(table) == [("a.bmp", "0", "50.0000"), *ALL[1:]]


def test_other_weights_and_another_choice_of_faces_are_measured_anew(folder, table, measured):
    run(folder, csv=table)
    measured.clear()
    run(folder, csv=table, resume=True, weights="cd" * 32)
    assert measured == [100, 200]
    assert len(rows(table)) == 3


def test_a_table_keeps_what_it_has_of_other_photos(folder, table, tmp_path):
    save_gray(tmp_path / "more/d.bmp", 30)
    run(folder, csv=table)
    run(tmp_path / "more", csv=table, resume=True)
    assert rows(table) == [*ALL, ("d.bmp", "0", "30.0000")]


@pytest.mark.parametrize("spelling", ["in", "./in", "link"])
def test_a_photo_is_the_same_under_all_its_names(folder, table, tmp_path, spelling):
    (tmp_path / "link").symlink_to("in")
    run(folder, csv=table)
    assert batch(tmp_path / spelling, csv=table, resume=True).skipped == 2


def test_a_photo_that_is_given_under_two_names_has_its_lines_under_the_first(folder, table, tmp_path):
    (tmp_path / "link").symlink_to("in")
    other = table.with_suffix(".json")
    for options in ({}, {"resume": True}):
        targets = choose_targets([folder, tmp_path / "link"], None)
        symmetrizer = SimpleNamespace(engine=SimpleNamespace(name="torch", can_fork=True, sha256="ab" * 32))
        how = MeasuringOptions(selection=GrayFaces(), jobs=1, csv=table, json=other, **options)
        list(MeasuringBatch(symmetrizer, targets, how).run())
        assert rows(table) == ALL
        assert len(json.loads(other.read_text())["faces"]) == 2


def test_if_all_fail_the_table_says_so_and_no_old_one_stays(tmp_path, table):
    save_gray(tmp_path / "in/a.bmp", 90)
    run(tmp_path / "in", csv=table, json=table.with_suffix(".json"))
    save_gray(tmp_path / "in/a.bmp", 0)
    assert [error.status for error in run(tmp_path / "in", csv=table, json=table.with_suffix(".json"), force=True)] == [
        4
    ]
    assert rows(table) == [("a.bmp", "4", "")]
    document = json.loads(table.with_suffix(".json").read_text())
    assert (document["faces"], document["failed"][0]["reason"]) == ([], "no face found")


@pytest.mark.parametrize("name", ["csv", "json"])
def test_an_empty_file_is_a_table_without_lines(folder, tmp_path, name):
    (tmp_path / "empty").touch()
    assert batch(folder, resume=True, **{name: tmp_path / "empty"}).skipped == 0


@pytest.mark.parametrize("name", ["csv", "json"])
def test_existing_files_stay_without_force(folder, tmp_path, name):
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(OutputError, match="already exists"):
        batch(folder, **{name: tmp_path / "mine"})
    with pytest.raises(OutputError, match="not a table of measurements"):
        batch(folder, resume=True, **{name: tmp_path / "mine"})
    assert (tmp_path / "mine").read_text() == "mine"


def test_csv_goes_to_standard_output_line_by_line_with_what_is_known(folder, table, capfd):
    running = batch(folder, csv=STREAM).run()
    next(running)
    assert rows(capfd.readouterr().out) == ALL[:1]
    running.close()
    run(folder, json=table)
    run(folder, csv=STREAM, json=table, resume=True)
    assert sorted(rows(capfd.readouterr().out)) == ALL  # with what was known; the failure is that of now


def test_what_is_measured_goes_to_standard_output_as_json_when_it_is_interrupted(folder, capfd):
    running = batch(folder, json=STREAM).run()
    next(running)
    assert capfd.readouterr().out == ""
    running.close()
    assert len(json.loads(capfd.readouterr().out)["faces"]) == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
@pytest.mark.parametrize("form", ["csv", "json"])
def test_a_table_goes_into_a_pipe_once(folder, tmp_path, form):
    os.mkfifo(tmp_path / "pipe")
    read = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_text()))
    reader.start()
    run(folder, **{form: tmp_path / "pipe"})
    reader.join()
    if form == "csv":
        assert rows(read[0]) == ALL
    else:
        assert len(json.loads(read[0])["faces"]) == 2


def test_photos_with_two_faces_have_two_lines_and_two_heat_maps(tmp_path, table, measured):
    save_gray(tmp_path / "in/two.bmp", 70, size=16)
    run(tmp_path / "in", csv=table, convention=Convention(heatmaps=True))
    assert rows(table) == [("two.bmp", "0", "70.0000")] * 2
    assert sorted(path.name for path in tmp_path.rglob("*.png")) == ["two.asymmetry-1.png", "two.asymmetry-2.png"]
    assert batch(tmp_path / "in", csv=table, convention=Convention(heatmaps=True), resume=True).skipped == 1
    (tmp_path / "in/two.asymmetry-2.png").unlink()
    measured.clear()
    run(tmp_path / "in", csv=table, convention=Convention(heatmaps=True), resume=True)
    assert measured == [70]
    assert (tmp_path / "in/two.asymmetry-2.png").is_file()


def test_a_heat_map_that_was_retouched_stays_and_so_do_its_numbers(folder, table):
    run(folder, csv=table, convention=Convention(heatmaps=True))
    (folder / "a.asymmetry.png").write_bytes(b"mine")
    save_gray(folder / "c.bmp", 20)
    errors = run(folder, csv=table, convention=Convention(heatmaps=True), resume=True)
    assert "a.asymmetry.png: already exists, and is not what symface made" in str(errors[0])
    assert (folder / "a.asymmetry.png").read_bytes() == b"mine"
    assert rows(table) == [*ALL[:2], ("c.bmp", "0", "20.0000")]


def test_points_of_all_photos_are_written_in_their_order(folder, tmp_path):
    run(folder, points=tmp_path / "points.csv")
    lines = (tmp_path / "points.csv").read_text().split("\n")
    assert [Path(line.split(",")[0]).name for line in lines[1:92:45]] == ["a.bmp", "c.bmp", ""]


def test_points_that_are_there_are_kept_without_force(folder, tmp_path):
    (tmp_path / "points.csv").write_text("mine")
    with pytest.raises(OutputError):
        batch(folder, points=tmp_path / "points.csv")
    assert (tmp_path / "points.csv").read_text() == "mine"
    run(folder, points=tmp_path / "points.csv", force=True)
    assert (tmp_path / "points.csv").read_text().startswith("photo,face,point")


def test_faces_without_a_scale_that_was_wanted_are_told_of(folder, table):
    scaled = batch(folder, csv=table, convention=Convention(scaling=Scaling("mm_per_px", 0.2)))
    notes = [result.notes for result in scaled.run()]
    assert notes[0] == ("face 1: no irises were found for the scale; its lengths are in per cent",)
    assert [result.notes for result in batch(folder).run()] == [()] * 3
