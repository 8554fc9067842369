"""Changes from rest and from the first date, ratios, and the tables that have them."""

import csv
import io
import json
from datetime import date

import pytest

from symface_cli.sessions.plan import Visit
from symface_cli.sessions.tables import COLUMNS, as_csv, as_json
from tests.sessions.studies import LINES, face, session_of, sides, study_of, whole

FACES = {"a.png": face(20.0, 22.0, 1.0), "b.png": face(26.0, 34.0, 2.0), "c.png": face(29.0, 33.0, -1.0)}
FIRST, SECOND = date(2026, 1, 10), date(2026, 3, 11)


def test_a_pose_changes_from_rest_and_from_the_first_date(tmp_path):
    study = study_of(session_of(tmp_path, *LINES), FACES)
    smile = study.compare(Visit("Ada", FIRST, "smile"))
    assert smile["commissure_excursion"].from_rest == sides(6, 12, 18**0.5)  # errors of 3 and 3
    assert smile["commissure_excursion"].ratio == 26 / 34
    assert smile["commissure_excursion"].ratio_from_rest == 6 / 12
    assert smile["commissure_excursion"].from_first is None
    assert smile["mouth_cant"].from_rest == whole(1, 32**0.5)
    assert smile["mouth_cant"].ratio is None
    later = study.compare(Visit("Ada", SECOND, "smile"))
    assert later["commissure_excursion"].from_first == sides(3, -1, 18**0.5)
    assert later["commissure_excursion"].from_rest is None  # nobody photographed the face at rest at that date


def test_what_is_not_there_or_has_another_unit_is_not_compared(tmp_path):
    session = session_of(tmp_path, *LINES)
    study = study_of(session, {"c.png": face(29.0, 33.0, 0.0)})
    assert study.compare(Visit("Ada", FIRST, "smile")) == {}
    assert study.compare(Visit("Ada", SECOND, "smile"))["commissure_excursion"].from_first is None
    study = study_of(session, {**FACES, "a.png": face(20.0, 22.0, 1.0, unit="mm")})
    smile = study.compare(Visit("Ada", FIRST, "smile"))
    assert smile["commissure_excursion"].from_rest is None
    assert smile["mouth_cant"].from_rest == whole(1, 32**0.5)


def test_a_ratio_to_less_than_the_error_is_left_out(tmp_path):
    study = study_of(session_of(tmp_path, *LINES), {"a.png": face(20.0, 22.0, 0), "b.png": face(26.0, 26.2, 0)})
    smile = study.compare(Visit("Ada", FIRST, "smile"))["commissure_excursion"]
    assert smile.ratio_from_rest is None  # to 4.2, of which the error is 18 ** 0.5


def test_csv_has_a_row_for_each_pose_and_date_and_the_same_numbers_as_json(tmp_path):
    session = session_of(tmp_path, *LINES)
    failed = {Visit("Ada", SECOND, "smile"): (4, "no face")}
    study = study_of(session, {name: FACES[name] for name in ("a.png", "b.png")}, failed)
    rows = list(csv.DictReader(io.StringIO(as_csv(study).decode())))
    assert [(row["date"], row["pose"], row["status"], row["reason"]) for row in rows] == [
        ("2026-01-10", "rest", "0", ""),
        ("2026-01-10", "smile", "0", ""),
        ("2026-01-10", "pucker", "", ""),
        ("2026-03-11", "rest", "", ""),
        ("2026-03-11", "smile", "4", "no face"),
        ("2026-03-11", "pucker", "", ""),
    ]
    smile = rows[1]
    assert (smile["sides"], smile["unit"], smile["turned"], smile["eye_distance_px"]) == ("person", "%", "0", "30.0")
    assert smile["commissure_excursion_diff"] == "-8.0000"
    assert smile["commissure_excursion_left_from_rest"] == "6.0000"
    assert smile["commissure_excursion_ratio_from_rest"] == "0.5000"
    assert (smile["mouth_cant"], smile["mouth_cant_from_rest"]) == ("2.0000", "1.0000")
    assert {row[name] for row in rows[2:] for name in COLUMNS[6:]} == {""}
    document = json.loads(as_json(study))
    assert "not a medical device" in document["note"]
    for row, entry in zip(rows, document["rows"], strict=True):
        flat = {name: "" if cell is None else str(cell) for name, cell in entry.items() if name != "values"}
        flat |= {name: "" if number is None else f"{number:.4f}" for name, number in entry["values"].items()}
        assert flat == row


@pytest.mark.parametrize("ending", ["", "_from_rest", "_from_first"])
def test_a_measure_of_the_whole_face_has_no_columns_of_sides(ending):
    names = [name for name in COLUMNS if name.startswith("nose_deviation")]
    assert {f"nose_deviation{ending}", f"nose_deviation_error{ending}"} <= set(names)
    assert len(names) == 6
