"""Landmarks from tables and folders."""

import pytest

from symface_cli.errors import DataError
from symface_cli.morphometrics.reading import read_sample
from tests.morphometrics.samples import FACE, PARTNERS


def write_table(path, photos, header="photo,face,point,x,y"):
    """Write the same points for each `photo,face`."""
    lines = [f"{photo},{name},{x},{y}" for photo in photos for name, (x, y) in FACE.items()]
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def test_names_tell_sides_and_faces_of_a_photo_are_people(tmp_path):
    sample = read_sample(write_table(tmp_path / "points.csv", ["a.jpg,1", "b.jpg,1", "b.jpg,2"]))
    assert sample.photos == sample.people == ("a.jpg", "b.jpg", "b.jpg, face 2")
    assert sample.points == tuple(FACE)
    assert {name: sample.points[i] for name, i in zip(sample.points, sample.partner, strict=True)} == PARTNERS
    assert sample.coordinates[2].tolist() == [list(map(float, point)) for point in FACE.values()]
    assert not sample.has_replicates


def test_a_table_says_whose_photos_are_and_those_of_one_lie_together(tmp_path):
    people = tmp_path / "people.csv"
    people.write_text("photo,person\na.jpg,Ada\nb.jpg,Bob\nc.jpg,Ada\nelsewhere.jpg,Cid\n")
    points = write_table(tmp_path / "points.csv", ["a.jpg,1", "b.jpg,1", "c.jpg,1"])
    sample = read_sample(points, people)
    assert sample.people == ("Ada", "Bob")
    assert sample.photos == ("a.jpg", "c.jpg", "b.jpg")
    assert sample.owners.tolist() == [0, 0, 1]
    assert sample.has_replicates


def test_a_column_says_whose_photos_are(tmp_path):
    points = write_table(tmp_path / "p.csv", ["a,Ada", "b,Ada", "c,Bob"], "photo,person,point,x,y")
    assert read_sample(points).counts.tolist() == [2, 1]


def test_a_folder_has_a_file_of_numbered_points_for_each_photo(tmp_path):
    folder, mirror = tmp_path / "faces", tmp_path / "mirror.csv"
    folder.mkdir()
    for name in ("001", "002"):
        (folder / f"{name}.csv").write_text("x,y\n10,20\n30,20\n20,35.5\n")
    mirror.write_text("point,mirror\n0,1\n1,0\n2,2\n")
    sample = read_sample(folder, mirror=mirror)
    assert (sample.photos, sample.points) == (("001", "002"), ("0", "1", "2"))
    assert sample.partner.tolist() == [1, 0, 2]
    assert sample.coordinates[1].tolist() == [[10, 20], [30, 20], [20, 35.5]]


def test_a_tps_file_has_numbered_points_whose_y_grows_upward(tmp_path):
    path, mirror = tmp_path / "faces.tps", tmp_path / "mirror.csv"
    points = "10 -20\n30.5 -20\n20 -35\n"
    path.write_text(f"LM=3\n{points}IMAGE=a.jpg\nID=Ada\nSCALE=0.1\nlm=3\r\n{points}IMAGE=b.jpg\nLM=3\n{points}")
    mirror.write_text("point,mirror\n0,1\n1,0\n2,2\n")
    sample = read_sample(path, mirror=mirror)
    assert sample.photos == ("Ada", "b.jpg", "3")
    assert sample.coordinates.tolist() == [[[10, 20], [30.5, 20], [20, 35]]] * 3
    path.write_text("LM=3\n10 20\n30 20\nID=Ada\n")
    with pytest.raises(DataError, match="configuration 1: no LM=3 points"):
        read_sample(path, mirror=mirror)


def test_spreadsheets_are_understood(tmp_path):
    path = tmp_path / "points.csv"
    lines = [f"{photo};{name};{x},5;{y}" for photo in "ab" for name, (x, y) in FACE.items()]
    path.write_bytes("\ufeffphoto;point;x;y\r\n".encode() + "\r\n".join(lines).encode())
    assert read_sample(path).coordinates[0, 0].tolist() == [130.5, 100]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("photo,x,y\na,1,2\n", "line 1: the column point is missing"),
        ("photo,point,x,y\n", "no landmarks"),
        ("photo,point,x,y\na,eye_left,1,2\na,eye_left,1,2\n", "line 3: the point eye_left of a is in a line above"),
        ("photo,point,x,y\na,eye_left,1,two\n", "line 2: x and y are not both numbers"),
        ("photo,point,x,y\na,eye_left,1,nan\n", "line 2: x and y are not both numbers"),
        ("photo,point,x,y\na,eye_left,1,2\n", "eye_left has no partner eye_right"),
        ("photo,point,x,y\na,nose,1,2\n", "no point's name ends in _left or _right"),
        ("photo,point,x,y\na,e_left,1,2\na,e_right,3,2\na,n,2,4\n", "1 people; a sample has two or more"),
        ("photo,point,x,y\na,e_left,1,2\na,e_right,3,2\nb,e_left,1,2\nb,e_right,3,2\n", "2 points; a shape has three"),
        (
            "photo,point,x,y\na,e_left,1,2\na,e_right,3,2\na,n,2,4\nb,e_left,1,2\nb,e_right,3,2\n",
            "b has other points than the first photo: n",
        ),
        (
            "photo,point,x,y\n" + "".join(f"{photo},{p},1,1\n" for photo in "ab" for p in ("e_left", "e_right", "n")),
            "a: all points are at one place",
        ),
        ("photo,person,point,x,y\na,Ada,n,1,2\na,Bob,m,1,2\n", "line 3: a is of Ada in a line above, and of Bob here"),
    ],
)
def test_what_cannot_be_right_is_refused(tmp_path, text, message):
    path = tmp_path / "points.csv"
    path.write_text(text)
    with pytest.raises(DataError, match="^" + str(path)) as error:
        read_sample(path)
    assert message in str(error.value)


def test_photos_of_nobody_and_points_without_a_mirror_image_are_refused(tmp_path):
    points, other = write_table(tmp_path / "points.csv", ["a,1", "b,1"]), tmp_path / "other.csv"
    other.write_text("photo,person\na,Ada\n")
    with pytest.raises(DataError, match="nobody is named for b"):
        read_sample(points, people=other)
    other.write_text("point,mirror\nnose,nose\n")
    with pytest.raises(DataError, match="no mirror image of the point eye_left"):
        read_sample(points, mirror=other)
    with pytest.raises(DataError, match="cannot read"):
        read_sample(tmp_path / "nothing.csv")
