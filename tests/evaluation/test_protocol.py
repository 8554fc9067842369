"""The protocol says what it should of methods whose results are known, to every recognizer, with every occluder."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from symface_cli.data.datasets import DatasetPhoto, choose_photos, survey
from symface_cli.errors import MissingExtraError, UsageError
from symface_cli.evaluation import protocol
from symface_cli.evaluation.occluders import occlude
from symface_cli.evaluation.protocol import Attempt, EvaluationPlan, Evaluator, Key, PhotoResult, evaluate
from symface_cli.evaluation.scores import EvaluationReport, summarize_results
from symface_cli.geometry.frames import center_of
from symface_cli.geometry.types import Photo
from symface_cli.imaging.photo import read_photo
from symface_cli.methods.provider import ProvidedFace
from symface_cli.rendering.options import Output
from tests.conftest import Finished
from tests.evaluation.known import drawn, make_people, put_in, register

EXAMPLES = Path(__file__).parents[2] / "examples"
DLIB_METHODS = ("dlib-left", "dlib-right", "dlib-average", "dlib-warp")


# Methods and recognizers whose answers are known


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch, landmarks: NDArray[np.float64]) -> EvaluationPlan:
    return register(monkeypatch, 0.3 * landmarks)  # between the eyes at (30, 27), 18 px apart


@pytest.fixture
def people(tmp_path: Path) -> list[DatasetPhoto]:
    return make_people(tmp_path / "people")


def run(people: list[DatasetPhoto], plan: EvaluationPlan) -> EvaluationReport:
    return summarize_results(plan, list(evaluate(people, plan, lambda done, total: None)))


def test_unchanged_photos_are_all_recognized_and_identified(known: EvaluationPlan, people: list[DatasetPhoto]) -> None:
    unchanged = run(people, known).tables[0].scores[0]
    assert [recognized.share for recognized in unchanged.recognized] == [1, 1, 1]
    assert unchanged.rank_one.share == 1
    assert (unchanged.missed.total, unchanged.mirror_error, unchanged.mcnemar_p) == (0, 63, None)


def test_noise_is_never_recognized(known: EvaluationPlan, people: list[DatasetPhoto]) -> None:
    noise = run(people, known).tables[0].scores[1]
    assert [recognized.count for recognized in noise.recognized] == [0, 0, 0]
    assert noise.rank_one.count == 2  # it is brighter than anyone, so everyone's noise is nearest to the last person
    assert noise.missed.total == 0
    assert noise.mirror_error is not None and noise.mirror_error > 100
    assert noise.mcnemar_p == 2 / 2**8  # `vae` alone succeeds, eight times


def test_missed_faces_are_not_recognized_and_counted_by_reason(
    known: EvaluationPlan, people: list[DatasetPhoto]
) -> None:
    black, blind = run(people, known).tables[0].scores[2:]
    assert [recognized.count for recognized in black.recognized] == [0, 0, 0]
    assert black.rank_one.count == 0
    assert (black.missed.by_method, black.missed.in_photo, black.missed.in_result) == (0, 0, 8)
    assert [recognized.count for recognized in blind.recognized] == [6, 6, 6]  # finds three of four persons
    assert blind.rank_one.count == 6
    assert (blind.missed.by_method, blind.missed.in_photo, blind.missed.in_result) == (2, 0, 0)


def test_photo_in_which_the_recognizer_sees_nobody_counts(known: EvaluationPlan, people: list[DatasetPhoto]) -> None:
    Image.new("RGB", (64, 64)).save(people[0].path)
    score = run(people, known).tables[0].scores[0]
    assert score.missed.in_photo == 1
    assert score.recognized[0].share == score.rank_one.share == 7 / 8


def test_no_one_passes_for_another_of_another_brightness(known: EvaluationPlan, people: list[DatasetPhoto]) -> None:
    assert [recognized.false_accepts for recognized in run(people, known).tables[0].scores[0].recognized] == [0, 0, 0]


def test_mismatched_pairs_never_show_the_same_person(known: EvaluationPlan, people: list[DatasetPhoto]) -> None:
    assert run(people[:2], known).tables[0].scores[0].recognized[0].false_accepts is None


def test_progress_counts_every_photo(known: EvaluationPlan, people: list[DatasetPhoto]) -> None:
    seen: list[tuple[int, int]] = []
    list(evaluate(people, known, lambda done, total: seen.append((done, total))))
    assert seen == [(i, 8) for i in range(1, 9)]


def test_unreadable_photo_is_reported_and_counts_nowhere(known: EvaluationPlan, people: list[DatasetPhoto]) -> None:
    people[0].path.write_bytes(b"no picture")
    report = run(people, known)
    assert len(report.unreadable) == 1 and str(people[0].path) in str(report.unreadable[0])
    assert report.tables[0].scores[0].recognized[0].count == len(report.results) == 7


def test_photo_that_is_gone_is_reported(known: EvaluationPlan, people: list[DatasetPhoto]) -> None:
    people[0].path.unlink()
    assert [str(people[0].path) in str(error) for error in run(people, known).unreadable] == [True]


# Several recognizers and conditions


def test_all_recognizers_look_at_pictures_that_are_drawn_once(
    known: EvaluationPlan, people: list[DatasetPhoto]
) -> None:
    report = run(people, replace(known, recognizers=("brightness", "strict")))
    assert {name: drawn[name] for name in ("vae", "noise", "black")} == {"vae": 8, "noise": 8, "black": 8}
    assert drawn["finds"] == 8
    assert [table.recognizer for table in report.tables] == ["brightness", "strict"]
    assert [table.scores[0].recognized[0].threshold for table in report.tables] == [0.6, 0.3]
    assert report.tables[0].distances == report.tables[1].distances


def test_reference_is_the_photo_without_the_occluder(known: EvaluationPlan, people: list[DatasetPhoto]) -> None:
    bright = [photo for photo in people if photo.identity == "105"]
    plain, hidden = run(bright, replace(known, methods=("vae",), conditions=("none", "glasses"))).tables
    assert (plain.condition, hidden.condition) == ("none", "glasses")
    assert plain.scores[0].recognized[0].count == 2
    assert hidden.scores[0].recognized[0].count == 0  # two dark lenses make a photo darker by more than 0.6
    assert min(hidden.distances["vae"]) > 0.6


def test_every_method_and_every_run_sees_the_same_occluder(known: EvaluationPlan, people: list[DatasetPhoto]) -> None:
    plan = replace(known, methods=("vae", "blind"), conditions=("patch",))
    together, alone = run(people[:6], plan), run(people[2:6], replace(plan, methods=("blind",)))
    assert together.tables[0].distances["vae"] == together.tables[0].distances["blind"]
    assert together.tables[0].distances["blind"][2:] == alone.tables[0].distances["blind"]


def test_occluder_lies_where_the_landmarks_of_the_photo_are(known: EvaluationPlan, people: list[DatasetPhoto]) -> None:
    (result,) = evaluate(people[:1], replace(known, conditions=("glasses",)), lambda done, total: None)
    assert result.landmarks is not None
    photo, images = Evaluator(known).render(result, "glasses", Output.FACE)
    expected = occlude(read_photo(people[0].path), result.landmarks, "glasses", int(result.digest, 16))
    np.testing.assert_array_equal(photo, expected)
    np.testing.assert_array_equal(images["vae"], expected)
    assert set(images) == {"vae", "noise", "black", "blind"}


def test_photo_without_landmarks_is_evaluated_as_it_is(known: EvaluationPlan, people: list[DatasetPhoto]) -> None:
    Image.new("RGB", (64, 64)).save(people[0].path)
    (result,) = evaluate(people[:1], replace(known, conditions=("patch",)), lambda done, total: None)
    assert result.landmarks is None
    photo, _ = Evaluator(known).render(result, "patch", Output.FACE)
    assert not photo.any()
    assert result.attempts[Key("patch", "vae", "brightness")].found


@pytest.fixture
def without_dlib(known: EvaluationPlan, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise MissingExtraError("dlib and its models are not installed", "landmarks")

    monkeypatch.setattr(protocol, "DlibLandmarks", refuse)


@pytest.mark.usefixtures("without_dlib")
def test_without_dlib_other_recognizers_judge_and_yaws_are_unknown(
    known: EvaluationPlan, people: list[DatasetPhoto]
) -> None:
    report = run(people, known)
    assert report.tables[0].scores[0].recognized[0].count == 8
    assert [subset.name for subset in report.subsets if "yaw" in subset.name] == ["yaw unknown"]


@pytest.mark.usefixtures("without_dlib")
def test_without_dlib_nothing_can_be_put_in_front_of_faces(known: EvaluationPlan, people: list[DatasetPhoto]) -> None:
    with pytest.raises(MissingExtraError, match="landmarks"):
        run(people, replace(known, conditions=("none", "patch")))


def test_landmarks_are_found_where_they_were_not_looked_for_before(
    known: EvaluationPlan, people: list[DatasetPhoto]
) -> None:
    (before,) = evaluate(people[-1:], known, lambda done, total: None)
    without = replace(before, landmarks=None)
    after = Evaluator(replace(known, conditions=("none", "glasses"))).evaluate(without)
    np.testing.assert_array_equal(after.landmarks, before.landmarks)
    plain, hidden = (after.attempts[Key(condition, "vae", "brightness")] for condition in ("none", "glasses"))
    assert plain.embedding is not None and hidden.embedding is not None
    assert hidden.embedding < plain.embedding - 0.6  # the glasses are there, dark ones


@pytest.mark.parametrize(
    ("plan", "choices"),
    [
        (EvaluationPlan(methods=("vae",), recognizers=("nonsense",)), "dlib"),
        (EvaluationPlan(methods=("vae",), conditions=("nonsense",)), "none, glasses, patch"),
        (EvaluationPlan(methods=("nonsense",)), "vae"),
    ],
)
def test_plan_with_an_unknown_name_is_a_usage_error(plan: EvaluationPlan, choices: str) -> None:
    with pytest.raises(UsageError, match=choices):
        list(evaluate([], plan, lambda done, total: None))


# The command


@pytest.fixture
def portraits(tmp_path: Path) -> Iterator[Path]:
    """Two persons: the portrait and the pair's right half, smaller, so that dlib is quick."""
    pair = Image.open(EXAMPLES / "pair.jpg")
    for name, image in (("A", Image.open(EXAMPLES / "portrait.jpg")), ("B", pair.crop((620, 0, 1235, 675)))):
        folder = tmp_path / "photos" / name
        folder.mkdir(parents=True)
        image.resize((300, 300)).save(folder / "1.png")
    yield tmp_path / "photos"


class Errors:
    """`vae` changes nothing, `noise` shows nobody, `other` shows somebody else."""

    def __init__(self, other: Path) -> None:
        self._other = read_photo(other)

    def find(self, photo: Photo, point: object = None) -> list[ProvidedFace]:
        noise = np.random.default_rng(0).integers(0, 256, photo.shape, dtype=np.uint8)
        return [ProvidedFace({"vae": lambda: photo, "noise": lambda: noise, "other": lambda: self._other}, None)]


@pytest.mark.landmarks
def test_dlibs_recognizer_takes_the_photo_for_itself_and_neither_noise_nor_another_for_it(
    portraits: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    somebody = portraits / "B" / "1.png"
    put_in(monkeypatch, "vae", Errors(somebody), "vae", "noise", "other")
    plan = EvaluationPlan(methods=("vae", "noise", "other"), jobs=1)
    (table,) = run(choose_photos(survey(portraits), "all"), plan).tables
    unchanged, noise, other_face = [[r.count for r in score.recognized] for score in table.scores]
    assert (unchanged, noise) == ([2, 2, 2], [0, 0, 0])
    assert other_face[2] == 1  # the other itself; averages of many faces are too alike for the other thresholds
    assert [score.rank_one.count for score in table.scores] == [2, 0, 1]
    assert [score.missed.in_result for score in table.scores] == [0, 2, 0]
    assert table.distances["vae"] == (0, 0)


@pytest.mark.landmarks
def test_command_writes_tables_json_and_markdown(
    portraits: Path, symface: Callable[..., Finished], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(portraits.parent)
    methods = ["--method", "dlib-left", "--baseline", "dlib", "--occluder", "none", "--occluder", "glasses"]
    files = ["--json", "out.json", "--markdown", "out.md"]
    finished = symface("evaluate", "photos", "--split", "all", *methods, *files)
    assert finished.status == 0
    lines = finished.out.splitlines()
    rows = [line for line in lines if line.startswith(DLIB_METHODS)]
    assert [row.split()[0] for row in rows] == 4 * list(DLIB_METHODS)  # two tables, each with one of the subsets
    assert "recognizer: dlib, faces behind an occluder: glasses" in lines
    assert "2 photos of 2 persons" in finished.err
    tables = json.loads(Path("out.json").read_text())["tables"]
    assert [(table["condition"], table["recognizer"]) for table in tables] == [("none", "dlib"), ("glasses", "dlib")]
    for table in tables:
        assert [score["method"] for score in table["scores"]] == list(DLIB_METHODS)
        assert all(score["mirror_error"] == 0 for score in table["scores"] if score["mirror_error"] is not None)
    assert [score["missed"]["by_method"] for score in tables[0]["scores"]] == [0, 0, 0, 0]
    assert Path("out.md").read_text().startswith("### Recognizer: dlib\n\n| method |")
    assert Path("runs/evaluate/results.sqlite").is_file()


@pytest.mark.parametrize(
    ("option", "choices"),
    [
        ("--method", "vae, vae-decode"),
        ("--baseline", "dlib, sdm, clm, clnf, mediapipe, all"),
        ("--recognizer", "dlib"),
        ("--occluder", "none, glasses, patch"),
        ("--output", "face, photo"),
        ("--split", "test, validation, train, all"),
    ],
)
def test_unknown_name_exits_2_and_names_the_choices(
    option: str, choices: str, tmp_path: Path, symface: Callable[..., Finished]
) -> None:
    finished = symface("evaluate", tmp_path, option, "nonsense")
    assert finished.status == 2
    assert choices in finished.err and "nonsense" in finished.err and finished.err.count("\n") == 1


def test_no_data_exits_2_and_says_what_to_give(symface: Callable[..., Finished]) -> None:
    finished = symface("evaluate", "--baseline", "dlib")
    assert finished.status == 2
    assert "DATA" in finished.err and "--download lfw" in finished.err


def test_folder_without_photos_exits_6(tmp_path: Path, symface: Callable[..., Finished]) -> None:
    finished = symface("evaluate", tmp_path)
    assert finished.status == 6
    assert "no photos" in finished.err


def test_center_of_a_photo_lies_between_its_pixels() -> None:
    assert center_of(np.zeros((3, 4, 3), np.uint8)).tolist() == [1.5, 1.0]


def test_result_lacks_what_is_new_in_a_plan() -> None:
    plan = EvaluationPlan(
        methods=("vae",), recognizers=("a", "b"), conditions=("none", "patch"), outputs=(Output.FACE, Output.PHOTO)
    )
    seen = {Key("none", "vae", "a"): Attempt(found=False, embedding=None, mirror_error=None, seconds=1.0)}
    known = PhotoResult(photo=DatasetPhoto(Path("x.jpg"), "x"), attempts=seen)
    assert known.missing(plan) == [
        ("none", "vae", "a", "photo"),
        ("none", "vae", "b", "face"),
        ("none", "vae", "b", "photo"),
        ("patch", "vae", "a", "face"),
        ("patch", "vae", "a", "photo"),
        ("patch", "vae", "b", "face"),
        ("patch", "vae", "b", "photo"),
    ]
