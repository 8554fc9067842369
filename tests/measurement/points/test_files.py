"""Files of points are read as they were written, and are what the programs expect that they come from."""

import numpy as np
import pytest

from symface_cli.errors import DataError, UsageError
from symface_cli.measurement.points.corrections import Corrections
from symface_cli.measurement.points.files import FORMS, FacePoints, check_form, read_points, write_points
from symface_cli.measurement.points.scheme import COUNT, index_of, name_points

POINTS = np.round(np.random.default_rng(4).uniform(1, 200, (COUNT, 2)), 2)


def save(path, *faces, sides="person"):
    path.write_bytes(write_points(faces, path.suffix, sides))
    return path


@pytest.mark.parametrize("form", FORMS)
def test_a_face_is_read_as_it_was_written(tmp_path, form):
    (read,) = read_points(save(tmp_path / f"a{form}", FacePoints("in/a.jpg", 1, POINTS)), "person")
    assert read.points == pytest.approx(POINTS)
    assert (read.photo, read.face) == ("in/a.jpg" if form in (".csv", ".tps") else "", 1)


@pytest.mark.parametrize("form", [".csv", ".tps"])
def test_several_faces_keep_their_photos_and_numbers(tmp_path, form):
    faces = [FacePoints("a.jpg", 1, POINTS), FacePoints("a.jpg", 2, POINTS + 1), FacePoints("b#7.jpg", 1, POINTS + 2)]
    read = read_points(save(tmp_path / f"a{form}", *faces), "person")
    assert [(face.photo, face.face) for face in read] == [("a.jpg", 1), ("a.jpg", 2), ("b#7.jpg", 1)]
    assert read[1].points == pytest.approx(POINTS + 1)


@pytest.mark.parametrize("form", [".tem", ".pts"])
@pytest.mark.parametrize("count", [0, 2])
def test_other_forms_hold_one_face(form, count):
    with pytest.raises(UsageError, match="one face"):
        write_points([FacePoints("a.jpg", 1, POINTS)] * count, form, "person")


def test_the_forms_are_those_of_their_programs():
    face = FacePoints("a.jpg", 1, POINTS)
    x, y = POINTS[0]
    csv, tps, tem, pts = (write_points([face], form, "person").decode().split("\n") for form in FORMS)
    assert csv[:2] == ["photo,face,point,x,y", f"a.jpg,1,pupil_right,{x:.2f},{y:.2f}"]
    assert [tps[0], tps[1], tps[46]] == ["LM=45", f"{x:.2f} {-y:.2f}", "ID=a.jpg"]  # y grows upward
    assert tem[:2] == ["45", f"{x:.2f}\t{y:.2f}"]
    assert tem[46:50] == ["10", "0", "5", "2 3 4 5 1"]  # ten open lines; the first is the viewer's left upper lid
    assert pts[:4] == ["version: 1", "n_points: 45", "{", f"{x + 1:.2f} {y + 1:.2f}"]  # counted from 1
    assert pts[48] == "}"


def test_names_of_a_csv_go_by_the_sides(tmp_path):
    path = save(tmp_path / "a.csv", FacePoints("a.jpg", 1, POINTS), sides="viewer")
    (read,) = read_points(path, "person")
    assert read.points[index_of("ala", 1)] == pytest.approx(POINTS[index_of("ala", 0)])


def test_a_csv_may_lack_points_and_the_number_of_the_face(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("photo;point;y;x\na.jpg;chin;20;10\n")
    (read,) = read_points(path, "person")
    assert read.points[index_of("chin")] == pytest.approx([10, 20])
    assert np.isnan(read.points).sum() == 2 * (COUNT - 1)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "photo,point,x,y\na.jpg,ear,1,2\n", "line 2: there is no point ear"),
        ("a.csv", "photo,point,x,y\na.jpg,chin,1,b\n", "line 2: x and y"),
        ("a.csv", "photo,point,x,y\na.jpg,chin,1,nan\n", "line 2: x and y"),
        ("a.csv", "photo,face,point,x,y\na.jpg,0,chin,1,2\n", "line 2: 0 is no number"),
        ("a.csv", "point,x,y\n", "the column photo is missing"),
        ("a.tps", "LM=3\n1 2\n3 4\n5 6\nID=a\n", "a.tps: no file of the 45 points"),
        ("a.tps", "hello\n", "no file of the 45 points"),
        ("a.tem", "45\n1\t2\n", "no file of the 45 points"),
        ("a.pts", "version: 1\n", "no file of the 45 points"),
        ("a.pts", "version: 1\nn_points: 45\n{\n" + 45 * "1 x\n" + "}\n", "no file of the 45 points"),
        ("b.csv", None, "cannot read"),
        ("b.tps", None, "cannot read"),
    ],
)
def test_other_files_are_refused(tmp_path, name, text, message):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=message):
        read_points(tmp_path / name, "person")


def test_other_names_are_refused(tmp_path):
    check_form(tmp_path / "a.TPS")
    with pytest.raises(UsageError, match=r"\.csv, \.tps, \.tem, \.pts"):
        check_form(tmp_path / "a.txt")


def test_corrections_are_found_by_path_then_by_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    known = Corrections(
        [FacePoints("in/a.jpg", 1, POINTS), FacePoints("in/a.jpg", 2, POINTS + 1), FacePoints("b", 1, POINTS)]
    )
    assert known.find(tmp_path / "in/a.jpg", 2) is not None
    assert known.find(tmp_path / "elsewhere/a.png", 1) is not None  # as landmark programs name it
    assert known.find(tmp_path / "b.jpg", 1) is not None
    assert known.find(tmp_path / "b.jpg", 2) is None
    assert known.are_of([tmp_path / "c.jpg", tmp_path / "b.jpg"])
    assert not known.are_of([tmp_path / "c.jpg"])
    assert not known.is_of_any_photo


def test_corrections_without_a_name_are_of_any_photo(tmp_path):
    known = Corrections([FacePoints("", 1, POINTS)])
    assert known.is_of_any_photo
    assert known.find(tmp_path / "c.jpg", 1) is not None


def test_every_point_has_a_name_of_either_side():
    names = set(name_points("person"))
    assert {name.replace("_left", "_x").replace("_right", "_left").replace("_x", "_right") for name in names} == names
