"""Midlines are compared with hand-placed landmarks as by hand, and wrong data sets are refused with a reason."""

import csv
import json
import multiprocessing
from collections.abc import Sequence
from math import cos, radians, sin
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from symface_cli.data.datasets import survey
from symface_cli.errors import DataError, ExitStatus, UsageError
from symface_cli.evaluation.midline import (
    ErrorSummary,
    MidlineError,
    MidlinePlan,
    MidlineReport,
    compare_midlines,
    evaluate_midlines,
    midline_table,
    midlines_as_dict,
    midlines_as_markdown,
    read_references,
)
from symface_cli.geometry.midline import Midline
from symface_cli.geometry.types import Array, Photo
from symface_cli.methods.provider import ProvidedFace
from tests.conftest import SHARED
from tests.evaluation.known import put_in
from tests.training.processes import PRELOADED

LONDON = SHARED / "data" / "london" / "neutral"

# Pupils 60 apart, corners of the mouth, tip of the nose and chin: symmetric about x = 100. The middles of the pairs,
# (100, 80), (100, 140), (100, 110) and (100, 190), have their center at (100, 130).
LANDMARKS = [(70.0, 80.0), (130.0, 80.0), (80.0, 140.0), (120.0, 140.0), (100.0, 110.0), (100.0, 190.0)]
PARTNERS = [1, 0, 3, 2, 4, 5]
CENTER = np.array([100.0, 130.0])
EYE_DISTANCE = 60


def write_table(path: Path, heading: tuple[str, str], rows: Sequence[tuple[float, float]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([heading, *rows])


def line_beside(angle: float, offset: float) -> Midline:
    """A line turned by `angle` degrees whose distance from CENTER is `offset` per cent; it is known far from there."""
    down = np.array([-sin(radians(angle)), cos(radians(angle))])
    across = np.array([down[1], -down[0]])
    return Midline(CENTER + offset / 100 * EYE_DISTANCE * across + 77 * down, down)


class FakeProvider:
    """Errs by as many degrees, and per cent, as the photo is bright; misses the face in a white one."""

    def find(self, photo: Photo, point: Array | None = None) -> list[ProvidedFace]:
        assert point is not None
        assert np.allclose(point, CENTER)
        level = int(photo[0, 0, 0])
        return [] if level == 255 else [ProvidedFace({}, line_beside(level, -2 * level))]


class WithoutMidlines:
    """Finds every face, but no midline."""

    def find(self, photo: Photo, point: Array | None = None) -> list[ProvidedFace]:
        return [ProvidedFace({}, None)]


@pytest.fixture
def hand_placed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with six photos, of brightness 1 to 5 and white, all with the same landmarks; and fake providers."""
    put_in(monkeypatch, "fake", FakeProvider())
    put_in(monkeypatch, "none", WithoutMidlines())
    folder = tmp_path / "faces"
    folder.mkdir()
    for level in (1, 2, 3, 4, 5, 255):
        Image.new("RGB", (200, 240), (level, level, level)).save(folder / f"{level:03d}.png")
        write_table(folder / f"{level:03d}.csv", ("x", "y"), LANDMARKS)
    write_table(tmp_path / "mirror_index.csv", ("point", "mirror"), list(enumerate(PARTNERS)))
    return folder


def run(folder: Path, *providers: str) -> MidlineReport:
    return evaluate_midlines(
        read_references(survey(folder)), MidlinePlan(providers=providers, jobs=1), lambda done, total: None
    )


# The errors


def test_reference_is_the_line_through_the_middles_of_the_pairs(hand_placed: Path) -> None:
    reference = read_references(survey(hand_placed))[0]
    assert reference.midline.point == pytest.approx(CENTER)
    assert reference.midline.direction == pytest.approx([0, 1])
    assert reference.eye_distance == EYE_DISTANCE


@pytest.mark.parametrize(("angle", "offset"), [(0, 0), (2, 5), (-2, 5), (1.5, -4), (-30, -0.5), (178, 3)])
def test_errors_are_the_known_turn_and_shift_of_a_line(hand_placed: Path, angle: float, offset: float) -> None:
    error = compare_midlines(line_beside(angle, offset), read_references(survey(hand_placed))[0])
    assert error.angle == pytest.approx(2 if angle == 178 else abs(angle))
    assert error.offset == pytest.approx(abs(offset), abs=1e-9)


def test_errors_do_not_depend_on_how_the_photo_is_turned_or_scaled(hand_placed: Path) -> None:
    turn = 0.5 * np.array([[cos(0.4), -sin(0.4)], [sin(0.4), cos(0.4)]])
    write_table(hand_placed / "001.csv", ("x", "y"), [tuple(turn @ point + 50) for point in LANDMARKS])
    line = line_beside(1.5, 4)
    error = compare_midlines(
        Midline(turn @ line.point + 50, 2 * turn @ line.direction), read_references(survey(hand_placed))[0]
    )
    assert (error.angle, error.offset) == pytest.approx((1.5, 4))


def test_landmarks_that_the_mirror_index_does_not_name_do_not_count(hand_placed: Path) -> None:
    for path in hand_placed.glob("*.csv"):
        write_table(path, ("x", "y"), [*LANDMARKS, (900.0, 5.0), (20.0, 700.0)])
    assert read_references(survey(hand_placed))[0].midline.point == pytest.approx(CENTER)


def test_mirror_index_in_the_folder_goes_before_the_one_above(hand_placed: Path) -> None:
    write_table(hand_placed / "mirror_index.csv", ("point", "mirror"), [(0, 1), (1, 0), (2, 3), (3, 2)])
    assert read_references(survey(hand_placed))[0].midline.point == pytest.approx([100, 110])


# What is reported


def test_score_has_median_and_95th_percentile_of_the_faces_that_are_found(hand_placed: Path) -> None:
    (score,) = run(hand_placed, "fake").scores
    assert (score.photos, score.missed) == (6, 1)
    assert score.angle is not None
    assert (score.angle.median, score.angle.p95) == pytest.approx((3, 4.8))  # of 1, 2, 3, 4, 5
    assert score.offset is not None
    assert (score.offset.median, score.offset.p95) == pytest.approx((6, 9.6))


def test_each_photos_errors_are_kept_in_the_order_of_the_photos(hand_placed: Path) -> None:
    results = run(hand_placed, "fake").results
    assert [photo.path.stem for photo in results] == ["001", "002", "003", "004", "005", "255"]
    assert results[-1].errors == {"fake": None}
    for level, photo in enumerate(results[:-1], 1):
        error = photo.errors["fake"]
        assert error is not None
        assert (error.angle, error.offset) == pytest.approx((level, 2 * level))


def test_provider_without_midlines_misses_every_face(hand_placed: Path) -> None:
    report = run(hand_placed, "none", "fake")
    assert [(score.provider, score.missed) for score in report.scores] == [("none", 6), ("fake", 1)]
    assert (report.scores[0].angle, report.scores[0].offset) == (None, None)
    assert midline_table(report).texts() == [
        ["none", "6", "6", "-", "-", "-", "-"],
        ["fake", "6", "1", "3.00°", "4.80°", "6.00 %", "9.60 %"],
    ]


def test_markdown_is_a_table_and_what_was_measured(hand_placed: Path) -> None:
    header, ruler, row, blank, description = midlines_as_markdown(run(hand_placed, "fake")).splitlines()
    assert header.count("|") == ruler.count("|") == row.count("|") == 8
    assert row == "| fake | 6 | 1 | 3.00° | 4.80° | 6.00 % | 9.60 % |"
    assert blank == ""
    assert description.startswith("6 photos;")


def test_json_holds_scores_and_each_photos_errors(hand_placed: Path) -> None:
    data = json.loads(json.dumps(midlines_as_dict(run(hand_placed, "fake")), allow_nan=False))
    assert data["scores"][0]["provider"] == "fake"
    assert data["scores"][0]["angle"] == pytest.approx({"median": 3, "p95": 4.8})
    assert data["photos"][1]["path"].endswith("002.png")
    assert data["photos"][1]["deviations"]["fake"] == pytest.approx({"angle": 2, "offset": 4})
    assert data["photos"][5]["deviations"] == {"fake": None}


def test_damaged_photo_is_named_and_counts_nowhere(hand_placed: Path) -> None:
    (hand_placed / "002.png").write_bytes(b"no picture")
    report = run(hand_placed, "fake")
    assert len(report.unreadable) == 1
    assert "002.png" in str(report.unreadable[0])
    assert report.scores[0].photos == 5
    assert report.scores[0].angle is not None
    assert report.scores[0].angle.median == pytest.approx(3.5)  # of 1, 3, 4, 5


def test_progress_is_told_of_every_photo_that_the_limit_leaves(hand_placed: Path) -> None:
    told: list[tuple[int, int]] = []
    references = read_references(survey(hand_placed), limit=3)
    evaluate_midlines(
        references, MidlinePlan(providers=("fake",), jobs=1), lambda done, total: told.append((done, total))
    )
    assert [reference.path.stem for reference in references] == ["001", "003", "005"]
    assert told == [(1, 3), (2, 3), (3, 3)]


# What is refused


def refused(folder: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_references(survey(folder))
    assert caught.value.status == ExitStatus.DATA == 6
    return str(caught.value)


def test_photo_without_landmarks_is_a_data_error_that_names_the_missing_file(hand_placed: Path) -> None:
    (hand_placed / "003.csv").unlink()
    assert str(hand_placed / "003.csv") in refused(hand_placed)


def test_folder_without_a_mirror_index_is_a_data_error_that_names_it(hand_placed: Path) -> None:
    (hand_placed.parent / "mirror_index.csv").unlink()
    assert "mirror_index.csv" in refused(hand_placed)


@pytest.mark.parametrize("text", ["", "x,y\n", "x,y\n1,2,3\n", "x,y\n1,two\n", "x,y\n1,nan\n", "x,y\n1,2\n\n3,4\n"])
def test_landmarks_that_are_no_table_of_numbers_are_a_data_error(hand_placed: Path, text: str) -> None:
    (hand_placed / "004.csv").write_text(text)
    assert str(hand_placed / "004.csv") in refused(hand_placed)


def test_fewer_landmarks_than_the_mirror_index_names_are_a_data_error(hand_placed: Path) -> None:
    write_table(hand_placed / "005.csv", ("x", "y"), LANDMARKS[:5])
    message = refused(hand_placed)
    assert "5 landmarks" in message
    assert "needs 6" in message


@pytest.mark.parametrize("rows", [[(0, 1)], [(0, 1), (1, 2), (2, 0)], [(-1, -1), (0, 0)]])
def test_mirror_index_that_is_no_mirroring_is_a_data_error(hand_placed: Path, rows: list[tuple[int, int]]) -> None:
    write_table(hand_placed.parent / "mirror_index.csv", ("point", "mirror"), rows)
    assert "mirror_index.csv" in refused(hand_placed)


def test_folder_that_is_not_there_is_a_data_error(tmp_path: Path) -> None:
    assert "nowhere" in refused(tmp_path / "nowhere")


def test_unknown_provider_is_a_usage_error_that_names_the_others(hand_placed: Path) -> None:
    with pytest.raises(UsageError, match="unknown provider dilb; choose from vae, dlib"):
        run(hand_placed, "dilb")


# Real photos


@pytest.mark.shared
@pytest.mark.landmarks
def test_network_and_dlib_come_nearer_to_hand_placed_landmarks_than_a_level_line() -> None:
    references = read_references(survey(LONDON), limit=8)
    middle = Midline(np.array([337.0, 337.0]), np.array([0.0, 1.0]))  # of the photos, 675 x 675
    level = [compare_midlines(middle, reference) for reference in references]
    report = evaluate_midlines(references, MidlinePlan(providers=("vae", "dlib"), jobs=1), lambda done, total: None)
    for score in report.scores:
        assert (score.photos, score.missed) == (8, 0)
        assert score.angle is not None
        assert 0 < score.angle.median < np.median([error.angle for error in level]) < 1.5
        assert score.offset is not None
        assert 0 < score.offset.median < np.median([error.offset for error in level]) < 3


@pytest.mark.shared
@pytest.mark.landmarks
def test_results_do_not_depend_on_the_number_of_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    server = multiprocessing.get_context("forkserver")  # whose processes are as new as spawned ones, and start at once
    server.set_forkserver_preload(PRELOADED)
    monkeypatch.setattr(multiprocessing, "get_context", lambda method: server)
    references = read_references(survey(LONDON), limit=2)
    alone, shared = (
        evaluate_midlines(references, MidlinePlan(providers=("dlib",), jobs=jobs), lambda done, total: None)
        for jobs in (1, 2)
    )
    assert alone.results == shared.results
    assert isinstance(alone.results[0].errors["dlib"], MidlineError)
    assert isinstance(alone.scores[0].angle, ErrorSummary)


@pytest.mark.shared
def test_smiling_faces_have_no_landmarks_and_are_refused() -> None:
    assert ".csv" in refused(LONDON.parent / "smiling")
