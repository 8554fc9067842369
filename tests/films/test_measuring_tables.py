"""What is written of a measured film: CSV and JSON."""

import csv
import io
import json

import numpy as np
import pytest

from symface_cli.films.measuring.rest import Span
from symface_cli.films.measuring.study import Analysis, study_film
from symface_cli.films.reports.tables import COLUMNS, as_csv, as_json
from tests.films.tracks import records_of, sided, smile

TIMES = np.arange(150) / 30.0
LEFT, RIGHT = 50 + smile(TIMES, amplitude=8.0), 50 + smile(TIMES, amplitude=4.0)


def study_of(analysis=None, **options):
    curves = {**sided("commissure_excursion", LEFT, RIGHT), "whole_shape_pct": LEFT - RIGHT + 1}
    return study_film("a.mp4", records_of(TIMES, curves, **options), analysis or Analysis(Span(0, 1.5)))


def rows_of(*studies):
    return list(csv.DictReader(io.StringIO(as_csv(studies).decode())))


def test_a_row_for_each_frame_has_its_numbers_and_the_change_from_rest():
    rows = rows_of(study_of(missing={7}, turned={8}))
    assert len(rows) == 150
    assert list(rows[0]) == list(COLUMNS)
    assert (rows[0]["film"], rows[0]["rest_s"], rows[0]["smooth_s"], rows[0]["unit"]) == ("a.mp4", "0-1.5", "0", "%")
    assert float(rows[100]["time_s"]) == pytest.approx(100 / 30, abs=1e-6)
    assert float(rows[80]["commissure_excursion_left"]) == pytest.approx(58)
    assert float(rows[80]["commissure_excursion_left_from_rest"]) == pytest.approx(8)
    assert float(rows[80]["commissure_excursion_diff_from_rest"]) == pytest.approx(4)
    assert (rows[7]["found"], rows[7]["yaw_deg"], rows[7]["fai_left_from_rest"]) == ("0", "", "")
    assert (rows[8]["found"], rows[8]["turned"], rows[8]["yaw_deg"]) == ("1", "1", "0.0000")  # marked, not dropped


def test_without_a_rest_that_is_given_there_are_no_changes_in_the_table():
    rows = rows_of(study_of(Analysis()))
    assert {row["commissure_excursion_left_from_rest"] for row in rows} == {""}
    assert {row["rest_s"] for row in rows} == {""}


def test_smoothing_is_named_in_both_files():
    study = study_of(Analysis(None, 0.05))
    assert {row["smooth_s"] for row in rows_of(study)} == {"0.05"}
    assert json.loads(as_json([study]))["films"][0]["smooth_s"] == 0.05


def test_the_document_has_rest_largest_asymmetry_and_movements():
    document = json.loads(as_json([study_of(missing={7}, turned={8})]))
    assert "not a medical device" in document["note"]
    (person,) = document["films"][0]["persons"]
    assert (person["frames"], person["found"], person["turned"]) == (150, 149, 1)
    assert person["rest"] == {"start_s": 0, "end_s": 1.5, "frames": 44, "given": True}
    measure = person["measures"]["commissure_excursion"]
    assert measure["rest"] == {"left": 50, "right": 50, "diff": 0}
    assert measure["largest"]["value"] == pytest.approx(4, abs=1e-4)
    assert 2.5 <= measure["largest"]["time_s"] <= 3.5
    (movement,) = measure["movements"]
    assert movement["left"]["amplitude"] == pytest.approx(8, abs=1e-3)
    assert movement["amplitude_ratio"] == pytest.approx(2, abs=1e-3)
    assert movement["speed_ratio"] == pytest.approx(2, abs=0.02)
    assert movement["lag_s"] == pytest.approx(0, abs=0.001)
    assert person["measures"]["mouth_cant"]["movements"] == []
    assert person["whole_shape_pct"]["value"] == pytest.approx(5, abs=1e-4)


def test_where_the_face_is_never_seen_all_is_null():
    (person,) = json.loads(as_json([study_of(missing=range(150))]))["films"][0]["persons"]
    assert (person["found"], person["rest"], person["whole_shape_pct"]) == (0, None, None)
    assert person["measures"]["fai"] == {"unit": "%", "rest": None, "noise": None, "largest": None, "movements": []}
