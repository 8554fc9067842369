"""What fails with one photo counts against the method that fails, and costs nobody else."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from symface_cli.errors import ExitStatus
from symface_cli.evaluation.html import report_as_html
from symface_cli.evaluation.protocol import EvaluationPlan, evaluate
from symface_cli.evaluation.scores import EvaluationReport, summarize_results
from symface_cli.evaluation.store import open_store
from symface_cli.geometry.types import Photo
from tests.conftest import Finished
from tests.evaluation import known
from tests.evaluation.known import BrightnessRecognizer, KnownMethods, make_people, register

DARKEST = 30  # brighter than the photos of the first person alone


@pytest.fixture
def plan(monkeypatch: pytest.MonkeyPatch, landmarks: NDArray[np.float64]) -> EvaluationPlan:
    return register(monkeypatch, 0.3 * landmarks)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    make_people(tmp_path / "people")
    return tmp_path / "people"


def run(data: Path, plan: EvaluationPlan, folder: Path, resume: bool = False) -> EvaluationReport:
    people = make_people(data)
    with open_store(folder, plan, resume) as store:
        return summarize_results(plan, list(evaluate(people, plan, lambda done, total: None, store)))


def break_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `vae` fail with the photos of the first person."""
    draw = known.draw

    def draw_or_fail(method: str, image: Photo) -> Photo:
        if method == "vae" and image.mean() < DARKEST:
            raise ZeroDivisionError("division by zero")
        return draw(method, image)

    monkeypatch.setattr(known, "draw", draw_or_fail)


def test_a_method_that_fails_has_not_found_the_face(
    monkeypatch: pytest.MonkeyPatch, data: Path, plan: EvaluationPlan, tmp_path: Path
) -> None:
    with monkeypatch.context() as patch:
        break_drawing(patch)
        report = run(data, plan, tmp_path / "run")
    vae, noise, *_ = report.tables[0].scores
    assert (vae.recognized[0].count, vae.missed.by_method) == (6, 2)
    assert noise.missed.by_method == 0
    assert [str(error) for error in report.failures] == [
        f"{result.photo.path}: vae: a bug: ZeroDivisionError: division by zero" for result in report.results[:2]
    ]
    assert {error.status for error in report.failures} == {ExitStatus.BUG}
    again = run(data, plan, tmp_path / "run", resume=True)  # what failed was not kept
    assert (again.tables[0].scores[0].recognized[0].count, again.failures) == (8, ())


def test_a_provider_that_fails_costs_its_methods_alone(
    monkeypatch: pytest.MonkeyPatch, data: Path, plan: EvaluationPlan, tmp_path: Path
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(KnownMethods, "find", fail)
    report = run(data, plan, tmp_path / "run")
    assert [score.missed.by_method for score in report.tables[0].scores] == [8, 8, 8, 2]  # blind is another's
    assert len(report.failures) == 8  # a line a photo, not one for each of its methods
    assert "Missed" in report_as_html(report, "symface evaluate")


def test_a_recognizer_that_fails_with_a_photo_leaves_it_out(
    monkeypatch: pytest.MonkeyPatch, data: Path, plan: EvaluationPlan, tmp_path: Path
) -> None:
    embed = BrightnessRecognizer.embed

    def embed_or_fail(self: BrightnessRecognizer, photo: Photo, point: object = None) -> object:
        if photo.mean() < DARKEST:
            raise ValueError("too dark")
        return embed(self, photo, point)

    monkeypatch.setattr(BrightnessRecognizer, "embed", embed_or_fail)
    report = run(data, plan, tmp_path / "run")
    assert (len(report.results), len(report.unreadable)) == (6, 2)
    assert "too dark" in str(report.unreadable[0])


@pytest.mark.usefixtures("plan")
def test_the_command_says_what_failed_and_ends_with_its_status(
    monkeypatch: pytest.MonkeyPatch, data: Path, symface: Callable[..., Finished]
) -> None:
    break_drawing(monkeypatch)
    arguments = ("evaluate", data, "--split", "all", "--method", "vae", "--recognizer", "brightness", "--jobs", 1)
    finished = symface(*arguments, "--json", "scores.json", "--debug")
    assert finished.status == 1
    assert finished.err.count(": vae: a bug: ZeroDivisionError: division by zero; please report it") == 2
    assert finished.err.count("in draw_or_fail") == 2
    assert len(json.loads(Path("scores.json").read_text())["failures"]) == 2
    assert "8 photos of 4 persons" in finished.err


@pytest.mark.usefixtures("plan")
def test_the_command_goes_on_beside_what_cannot_be_read(data: Path, symface: Callable[..., Finished]) -> None:
    (data / "bad.png").write_bytes(b"no picture")
    (data / "Gone").symlink_to("nowhere")
    arguments = ("evaluate", data, "--split", "all", "--method", "vae", "--recognizer", "brightness", "--jobs", 1)
    finished = symface(*arguments)
    assert finished.status == 3
    assert "9 photos of 5 persons (" in finished.err.splitlines()[0]
    assert f"cannot read {data / 'Gone'}: it is a link to nothing" in finished.err
    assert f"symface: cannot read {data / 'bad.png'}: " in finished.err
    assert "8 photos of 4 persons, 1 more unreadable" in finished.err
