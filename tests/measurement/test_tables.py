"""Tables of measurements can be read back, whatever a photo is called, and however they end."""

import csv
import io
import json
import os
import sys

import pytest

from symface_cli.measurement.asymmetry import Estimate
from symface_cli.measurement.csv_table import COLUMNS, as_csv, read_csv
from symface_cli.measurement.json_table import as_json, read_json
from symface_cli.measurement.quantities import NAMES
from symface_cli.measurement.rows import FaceRow, PhotoRows
from symface_cli.measurement.scale import Scale
from tests.measures import measured

FORMS = {"csv": (as_csv, read_csv), "json": (as_json, read_json)}
ODD_NAMES = ["a,b.jpg", 'a"b".jpg', "a\nb.jpg", "a\rb.jpg", "a\tb.jpg", "ä:man:.jpg", " a .jpg", "=1+1.jpg"]


def face(number=1, **options):
    values = {name: Estimate(number + place / 10, 0.25) for place, name in enumerate(NAMES)}
    known = {"sides": "person", "unit": "mm", "scale": Scale(0.25, 0.0125), "measures": measured(number, "mm")}
    return FaceRow(number=number, eye_distance=81.25, turned=number == 2, values=values, **{**known, **options})


def photo(name="in/a.jpg", *faces, **options):
    known = {"sha256": "ab" * 32, "measured_by": "symface 1, weights 00, faces all"}
    return PhotoRows(photo=name, faces=faces or (face(),), **{**known, **options})


FAILED = PhotoRows(photo="in/b.jpg", status=4, reason="no face found, sorry", sha256="cd" * 32, measured_by="symface 1")


@pytest.mark.parametrize("form", FORMS)
def test_a_table_is_read_as_it_was_written(form):
    write, read = FORMS[form]
    rows = [photo(), photo("in/two.jpg", face(1), face(2, heatmap_sha256="ef" * 32)), FAILED]
    assert read(write(rows)) == rows
    assert read(write([])) == []


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ODD_NAMES)
def test_any_name_is_kept(form, name):
    write, read = FORMS[form]
    assert [row.photo for row in read(write([photo(name), photo(f"{name}2")]))] == [name, f"{name}2"]


@pytest.mark.skipif(sys.platform == "win32", reason="names are not bytes here")
def test_bytes_of_a_name_that_are_no_utf8_are_kept():
    name = os.fsdecode(b"caf\xe9.jpg")
    assert b"caf\xe9.jpg," in as_csv([photo(name)])
    assert json.loads(as_json([photo(name)]).decode())["faces"][0]["photo"] == name
    for write, read in FORMS.values():
        assert read(write([photo(name)]))[0].photo == name


def test_failed_photos_have_a_status_and_a_reason_and_no_numbers():
    row, failed = csv.DictReader(io.StringIO(as_csv([photo(), FAILED]).decode()))
    assert (row["status"], row["reason"]) == ("0", "")
    assert (failed["photo"], failed["status"], failed["reason"]) == ("in/b.jpg", "4", "no face found, sorry")
    empty = ("face", "turned", "eye_distance_px", *NAMES, "sides", "unit", "scale_mm_per_px", "fai_left", "mouth_cant")
    assert {failed[name] for name in empty} == {""}
    document = json.loads(as_json([photo(), FAILED]))
    assert [entry["photo"] for entry in document["faces"]] == ["in/a.jpg"]
    assert [(entry["photo"], entry["status"]) for entry in document["failed"]] == [("in/b.jpg", 4)]


def test_new_columns_come_last():
    place = COLUMNS.index("status")
    assert COLUMNS[:4] == ("photo", "face", "eye_distance_px", "turned")
    assert COLUMNS[place - 1] == f"{NAMES[-1]}_error"
    assert COLUMNS.index("fai_left") > COLUMNS.index("measured_by") > place


@pytest.mark.parametrize("cut", [1, 2, 30, 300, 500])
def test_a_photo_with_half_a_line_is_left_out_with_all_its_lines(cut):
    whole = [photo(), FAILED]
    data = as_csv([*whole, photo("in/two.jpg", face(1), face(2))])
    assert read_csv(data[:-cut]) == whole


def test_a_photo_measured_twice_is_read_twice():
    rows = [photo(), photo(), photo(measured_by="symface 2"), photo("in/a.jpg", face(2), measured_by="symface 3")]
    assert read_csv(as_csv(rows)) == rows


def test_either_side_has_its_column_with_the_difference_and_its_error():
    (row,) = csv.DictReader(io.StringIO(as_csv([photo()]).decode()))
    assert [row[f"commissure_height_{part}"] for part in ("left", "right", "diff", "error")] == [
        *("3.0000", "-1.0000", "4.0000", "0.2500")
    ]
    assert (row["mouth_cant"], row["mouth_cant_error"]) == ("8.0000", "0.2500")
    assert "mouth_cant_left" not in row
    assert (row["sides"], row["unit"], row["scale_mm_per_px"], row["scale_error"]) == (
        *("person", "mm", "0.250000", "0.012500"),
    )


def test_without_a_scale_there_is_none():
    (row,) = csv.DictReader(io.StringIO(as_csv([photo("a.jpg", face(unit="%", scale=None))]).decode()))
    assert (row["unit"], row["scale_mm_per_px"], row["scale_error"]) == ("%", "", "")


@pytest.mark.parametrize("form", FORMS)
def test_tables_without_the_named_measures_are_refused(form):
    if form == "csv":
        lines = list(csv.reader(io.StringIO(as_csv([photo()]).decode())))
        old = "".join(",".join(line[: COLUMNS.index("sides")]) + "\n" for line in lines).encode()
    else:
        document = json.loads(as_json([photo()]))
        del document["faces"][0]["measures"]
        old = json.dumps(document).encode()
    with pytest.raises(ValueError, match=r"columns|measures"):
        FORMS[form][1](old)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "data",
    [b"hello\n", b"", b"\xff\xd8\xff\xe0", b"[]", b'{"faces": 1}', b'{"faces": [{"photo": "a"}]}', b"a,b\n1,2\n"],
)
def test_what_is_no_table_is_refused(form, data):
    with pytest.raises(ValueError, match=r"."):
        FORMS[form][1](data)
