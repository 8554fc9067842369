"""Whole photos are evaluated beside aligned faces: what is shown to recognizers, kept, resumed, and reported."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from symface_cli.data.datasets import DatasetPhoto
from symface_cli.errors import UsageError
from symface_cli.evaluation.html import report_as_html
from symface_cli.evaluation.photos.labels import LabelSource, PhotoLabels
from symface_cli.evaluation.photos.tables import change_tables
from symface_cli.evaluation.protocol import EvaluationPlan, Evaluator, Key, check_plan, evaluate
from symface_cli.evaluation.report import report_as_dict, report_as_markdown
from symface_cli.evaluation.scores import EvaluationReport, summarize_results
from symface_cli.evaluation.store import open_store
from symface_cli.evaluation.subsets.groups import PhotoGroups
from symface_cli.methods.network import OURS
from symface_cli.methods.registry import PROVIDERS, ProviderEntry
from symface_cli.rendering.options import Output
from tests.conftest import Finished
from tests.evaluation.known import drawn, register
from tests.evaluation.photos.faces import WholePhotos
from tests.pages import Reader

SIZE = 64  # px
PHOTO_KEY = Key("none", "vae", "brightness", Output.PHOTO)
OUTPUTS = (Output.FACE, Output.PHOTO)


@pytest.fixture
def plan(monkeypatch: pytest.MonkeyPatch, landmarks: NDArray[np.float64], tmp_path: Path) -> EvaluationPlan:
    """Photos whose left half is 100, and whose right half 160, by both outputs; the left half shows background."""
    known = register(monkeypatch, 0.3 * landmarks)
    load = lambda weights=None, device="cpu", model_folder=None: WholePhotos()  # noqa: E731
    monkeypatch.setitem(PROVIDERS, "vae", ProviderEntry(name="vae", methods=(OURS,), load=load))
    (tmp_path / "weights").write_bytes(b"some weights")
    write_labels(tmp_path / "labels", 0)
    return replace(
        known,
        methods=("vae",),
        outputs=OUTPUTS,
        weights=tmp_path / "weights",
        labels=LabelSource(tmp_path / "labels", tmp_path / "people"),
    )


def write_labels(folder: Path, left: int) -> None:
    labels = np.full((SIZE // 2, SIZE // 2), 1, np.uint8)
    labels[:, : SIZE // 4] = left
    (folder / "A").mkdir(parents=True, exist_ok=True)
    Image.fromarray(labels).save(folder / "A" / "1.png")


@pytest.fixture
def people(tmp_path: Path) -> list[DatasetPhoto]:
    photos = []
    for name, right in (("A", 160), ("B", 150)):
        pixels = np.full((SIZE, SIZE, 3), 100, np.uint8)
        pixels[:, SIZE // 2 :] = right
        path = tmp_path / "people" / name / "1.png"
        path.parent.mkdir(parents=True)
        Image.fromarray(pixels).save(path)
        photos.append(DatasetPhoto(path, name))
    return photos


def run(people: list[DatasetPhoto], plan: EvaluationPlan, folder: Path, resume: bool = False) -> EvaluationReport:
    drawn.clear()
    with open_store(folder, plan, resume) as results:
        return summarize_results(plan, list(evaluate(people, plan, lambda done, total: None, results)))


@pytest.fixture
def report(plan: EvaluationPlan, people: list[DatasetPhoto], tmp_path: Path) -> EvaluationReport:
    return run(people, plan, tmp_path / "run")


def test_photo_keeps_its_size_and_its_edge_and_is_symmetric_inside(
    report: EvaluationReport, people: list[DatasetPhoto]
) -> None:
    photo, images = Evaluator(report.plan).render(report.results[0], "none", Output.PHOTO)
    result = images["vae"]
    assert result.shape == photo.shape == (SIZE, SIZE, 3)
    assert (result[0] == photo[0]).all()
    assert (result[SIZE // 2, SIZE // 2 - 5 : SIZE // 2 + 5] == 130).all()  # the mean of 100 and 160


def test_areas_are_counted_where_labels_are_known(report: EvaluationReport) -> None:
    labeled, other = (result.attempts[PHOTO_KEY].change for result in report.results)
    assert labeled is not None and other is not None
    photo, images = Evaluator(report.plan).render(report.results[0], "none", Output.PHOTO)
    changed = np.abs(images["vae"].astype(int) - photo).max(-1) > 10
    distance = 0.27 * (SIZE - 1)
    assert changed[:, : SIZE // 2 - 2].sum() > 200
    assert labeled.overwritten["background"] == pytest.approx(changed[:, : SIZE // 2 - 2].sum() / distance**2)
    assert labeled.overwritten["hair"] == 0
    assert other.overwritten == {}
    assert (labeled.asymmetry_before, labeled.asymmetry) == (pytest.approx(0), pytest.approx(0))
    assert 0 < labeled.outline_step < 60


def test_face_has_a_mirror_error_and_the_photo_a_change(report: EvaluationReport) -> None:
    face = report.results[0].attempts[Key("none", "vae", "brightness")]
    photo = report.results[0].attempts[PHOTO_KEY]
    assert (face.mirror_error, face.change is None) == (0, True)
    assert (photo.mirror_error, photo.change is None) == (None, False)


def test_there_is_a_table_for_each_output_and_one_of_the_changes(report: EvaluationReport) -> None:
    assert [table.output for table in report.tables] == ["face", "photo"]
    face, photo = (table.scores[0].change for table in report.tables)
    assert face is None and photo is not None and (photo.photos, photo.labeled) == (2, 1)
    (changes,) = change_tables(report)
    assert [row[:2] for row in changes.texts()] == [["vae", "all (n = 2)"], ["vae", "yaw under 5 (n = 2)"]]
    assert changes.header()[2:4] == ["background (over 0.05)", "hair (over 0.05)"]
    assert changes.texts()[0][2] == f"{photo.overwritten['background'].mean:.3f} (100.0%)"


def test_changes_are_shown_by_group(report: EvaluationReport) -> None:
    photo = report.results[1].photo
    groups = PhotoGroups(path=Path("groups.csv"), values={"age": {photo: "0-12"}}, strangers=0)
    (changes,) = change_tables(summarize_results(report.plan, report.results, groups))
    assert [row[1] for row in changes.texts()] == ["all (n = 2)", "yaw under 5 (n = 2)", "age 0-12 (n = 1)"]


def test_json_markdown_and_page_have_them(report: EvaluationReport) -> None:
    loaded = json.loads(json.dumps(report_as_dict(report), allow_nan=False))
    assert [(table["output"], table["recognizer"]) for table in loaded["tables"]] == [
        ("face", "brightness"),
        ("photo", "brightness"),
    ]
    (change,) = loaded["photos"][0]["changes"]
    assert (change["condition"], change["method"]) == ("none", "vae")
    area = change["overwritten"]["background"]
    assert loaded["tables"][1]["scores"][0]["change"]["overwritten"]["background"] == {"mean": area, "much": 1.0}
    assert "### Recognizer: brightness, whole photos\n" in report_as_markdown(report)
    assert "### What changes in whole photos" in report_as_markdown(report)
    page = Reader(report_as_html(report, "symface evaluate"))
    assert "Changes in whole photos" in page.text_in("h2")
    assert "Best, whole photos" in page.text_in("h3")


# What is kept


def test_resumed_run_says_the_same_and_computes_nothing(
    report: EvaluationReport, people: list[DatasetPhoto], tmp_path: Path
) -> None:
    assert drawn["looks"] == 6  # at two photos and two results of each
    assert report_as_dict(run(people, report.plan, tmp_path / "run", resume=True)) == report_as_dict(report)
    assert not drawn


def test_photos_whose_labels_changed_are_measured_again(
    report: EvaluationReport, people: list[DatasetPhoto], tmp_path: Path
) -> None:
    write_labels(tmp_path / "labels", 2)
    again = run(people, report.plan, tmp_path / "run", resume=True)
    assert drawn["looks"] == 1  # at the result of the one photo that has labels
    before, after = (result.results[0].attempts[PHOTO_KEY].change for result in (report, again))
    assert before is not None and after is not None
    assert (after.overwritten["background"], after.overwritten["hair"]) == (0, before.overwritten["background"])


def test_faces_that_are_known_are_not_made_again_for_whole_photos(
    plan: EvaluationPlan, people: list[DatasetPhoto], tmp_path: Path
) -> None:
    run(people, replace(plan, outputs=(Output.FACE,)), tmp_path / "run")
    run(people, plan, tmp_path / "run", resume=True)
    assert drawn["looks"] == 2


def test_labels_are_known_by_what_they_say(plan: EvaluationPlan, people: list[DatasetPhoto], tmp_path: Path) -> None:
    assert plan.labels is not None
    labels = PhotoLabels(plan.labels)
    first = labels.digest(people[0])
    assert len(first) == 64 and labels.digest(people[1]) == ""
    write_labels(tmp_path / "labels", 0)
    assert labels.digest(people[0]) == first
    write_labels(tmp_path / "labels", 2)
    assert labels.digest(people[0]) != first


# What does not go


def test_landmark_methods_make_faces_alone(plan: EvaluationPlan) -> None:
    with pytest.raises(UsageError, match="blind: landmark methods make aligned faces alone"):
        check_plan(replace(plan, methods=("vae", "blind")))
    check_plan(replace(plan, methods=("vae", "blind"), outputs=(Output.FACE,)))


def test_command_says_so_in_one_line(symface: Callable[..., Finished], tmp_path: Path) -> None:
    finished = symface("evaluate", tmp_path, "--output", "photo", "--baseline", "dlib")
    assert (finished.status, finished.out) == (2, "")
    assert finished.err.count("\n") == 1
    assert "dlib-left" in finished.err and "--output face" in finished.err


def test_segmentation_needs_whole_photos(symface: Callable[..., Finished], tmp_path: Path) -> None:
    finished = symface("evaluate", tmp_path, "--segmentation", tmp_path)
    assert finished.status == 2
    assert "--segmentation needs --output photo" in finished.err


def test_command_measures_what_is_overwritten(
    plan: EvaluationPlan, people: list[DatasetPhoto], symface: Callable[..., Finished], tmp_path: Path
) -> None:
    finished = symface(
        *("evaluate", tmp_path / "people", "--split", "all", "--method", "vae", "--recognizer", "brightness"),
        *("--output", "face", "--output", "photo", "--segmentation", tmp_path / "labels", "--weights", plan.weights),
        *("--jobs", "1", "--json", tmp_path / "out.json"),
    )
    assert finished.status == 0, finished.err
    assert "recognizer: brightness, whole photos" in finished.out and "background (over 0.05)" in finished.out
    photos = json.loads((tmp_path / "out.json").read_text())["photos"]
    assert [bool(photo["changes"][0]["overwritten"]) for photo in photos] == [True, False]


def test_missing_labels_exit_6(people: list[DatasetPhoto], symface: Callable[..., Finished], tmp_path: Path) -> None:
    finished = symface(
        *("evaluate", tmp_path / "people", "--split", "all", "--output", "photo", "--segmentation", tmp_path / "none")
    )
    assert finished.status == 6
    assert "no such folder or file of pixel labels" in finished.err
