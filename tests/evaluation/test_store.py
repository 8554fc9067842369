"""A stopped evaluation goes on where it was: nothing is lost, nothing is computed twice, the table is the same."""

import json
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from symface_cli.cli.app import main
from symface_cli.data.datasets import DatasetPhoto
from symface_cli.errors import DataError, Hint, OutputError, WeightsError
from symface_cli.evaluation import store
from symface_cli.evaluation.protocol import Attempt, EvaluationPlan, Evaluator, Key, PhotoResult, evaluate
from symface_cli.evaluation.report import report_as_dict
from symface_cli.evaluation.scores import summarize_results
from symface_cli.evaluation.store import STORE_NAME, open_store
from tests.conftest import Finished
from tests.evaluation.known import drawn, make_people, register
from tests.processes import forked, forking


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch, landmarks: NDArray[np.float64], tmp_path: Path) -> EvaluationPlan:
    (tmp_path / "weights").write_bytes(b"some weights")
    return replace(register(monkeypatch, 0.3 * landmarks), weights=tmp_path / "weights")


@pytest.fixture
def people(tmp_path: Path) -> list[DatasetPhoto]:
    return make_people(tmp_path / "people")


def run(
    people: list[DatasetPhoto], plan: EvaluationPlan, folder: Path, resume: bool = False, replace: bool = False
) -> dict[str, object]:
    drawn.clear()
    with open_store(folder, plan, resume, replace) as results:
        return report_as_dict(summarize_results(plan, list(evaluate(people, plan, lambda done, total: None, results))))


# What is kept


def result_with(**fields: Any) -> PhotoResult:
    return PhotoResult(photo=DatasetPhoto(Path("a.jpg"), "a"), digest="digest", **fields)


def test_everything_comes_back_as_it_was(known: EvaluationPlan, tmp_path: Path, landmarks: NDArray[np.float64]) -> None:
    embedding = np.random.default_rng(0).normal(size=128)
    saved = result_with(
        landmarks=landmarks.astype(np.float32),
        agreeing=31,
        originals={"brightness": embedding, "strict": None},
        attempts={
            Key("none", "vae", "brightness"): Attempt(
                found=True, embedding=embedding / 3, mirror_error=0, seconds=0.1 + 0.2
            ),
            Key("patch", "vae", "strict"): Attempt(found=True, embedding=None, mirror_error=3, seconds=1e-3),
            Key("none", "blind", "strict"): Attempt(found=False, embedding=None, mirror_error=None, seconds=5.0),
        },
    )
    with open_store(tmp_path / "run", known, resume=False) as results:
        results.save(saved)
    with open_store(tmp_path / "run", known, resume=True) as results:
        found = results.load(saved.photo, "digest")
        assert results.load(saved.photo, "other") == PhotoResult(photo=saved.photo, digest="other")
    assert (found.photo, found.digest, found.agreeing) == (saved.photo, "digest", 31)
    assert found.landmarks is not None and found.landmarks.dtype == np.float32
    np.testing.assert_array_equal(found.landmarks, landmarks.astype(np.float32))
    np.testing.assert_array_equal(found.originals["brightness"], embedding)
    assert found.originals["strict"] is None
    assert set(found.attempts) == set(saved.attempts)
    for key, attempt in saved.attempts.items():
        assert replace(found.attempts[key], embedding=None) == replace(attempt, embedding=None)
    np.testing.assert_array_equal(found.attempts[Key("none", "vae", "brightness")].embedding, embedding / 3)
    assert found.attempts[Key("patch", "vae", "strict")].embedding is None


def test_face_without_landmarks_is_known_to_have_none(known: EvaluationPlan, tmp_path: Path) -> None:
    with open_store(tmp_path, known, resume=False) as results:
        results.save(result_with(originals={"brightness": None}))
        found = results.load(DatasetPhoto(Path("a.jpg"), "a"), "digest")
    assert (found.landmarks, dict(found.originals)) == (None, {"brightness": None})


def test_other_weights_find_nothing_of_the_networks_methods_but_all_of_the_others(
    known: EvaluationPlan, tmp_path: Path
) -> None:
    ours, theirs = Key("none", "vae", "brightness"), Key("none", "blind", "brightness")
    attempt = Attempt(found=False, embedding=None, mirror_error=None, seconds=1.0)
    with open_store(tmp_path, known, resume=False) as results:
        results.save(result_with(attempts={ours: attempt, theirs: attempt}))
    (tmp_path / "weights").write_bytes(b"other weights")
    with open_store(tmp_path, known, resume=True) as results:
        assert set(results.load(DatasetPhoto(Path("a.jpg"), "a"), "digest").attempts) == {theirs}


def test_another_version_finds_nothing(known: EvaluationPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_store(tmp_path, known, resume=False) as results:
        results.save(result_with(originals={"brightness": None}))
        monkeypatch.setattr(store, "__version__", "999")
        assert results.load(DatasetPhoto(Path("a.jpg"), "a"), "digest").originals == {}


# What is computed


def test_resumed_run_computes_nothing_that_is_known(
    known: EvaluationPlan, people: list[DatasetPhoto], tmp_path: Path
) -> None:
    plan = replace(known, conditions=("none", "patch"), recognizers=("brightness", "strict"))
    first = run(people, plan, tmp_path / "run")
    assert drawn["vae"] == 2 * 8 and drawn["looks"] > 0
    assert run(people, plan, tmp_path / "run", resume=True) == first  # the times are the first run's, too
    assert not drawn


def test_only_what_is_new_is_computed(known: EvaluationPlan, people: list[DatasetPhoto], tmp_path: Path) -> None:
    run(people[:4], replace(known, methods=("vae",)), tmp_path / "run")
    run(people[:4], replace(known, methods=("vae", "noise")), tmp_path / "run", resume=True)
    assert (drawn["vae"], drawn["noise"], drawn["looks"]) == (0, 4, 4)  # the recognizer looks at the new images alone
    run(people, replace(known, methods=("vae", "noise")), tmp_path / "run", resume=True)
    assert (drawn["vae"], drawn["noise"], drawn["looks"]) == (4, 4, 12)
    run(people, replace(known, methods=("vae",), conditions=("none", "glasses")), tmp_path / "run", resume=True)
    assert (drawn["vae"], drawn["looks"]) == (8, 8)
    run(people, replace(known, methods=("vae",), recognizers=("strict",)), tmp_path / "run", resume=True)
    assert (drawn["vae"], drawn["looks"]) == (8, 16)  # another recognizer needs the originals and the images again


def test_run_grown_step_by_step_says_the_same_as_one_at_once(
    known: EvaluationPlan, people: list[DatasetPhoto], tmp_path: Path
) -> None:
    plan = replace(known, conditions=("none", "patch"))
    run(people[::3], replace(known, methods=("noise",)), tmp_path / "grown")
    run(people[:5], replace(plan, methods=("vae", "noise")), tmp_path / "grown", resume=True)
    grown = run(people, plan, tmp_path / "grown", resume=True)
    assert without_times(grown) == without_times(run(people, plan, tmp_path / "once"))


def test_changed_photo_is_evaluated_again(known: EvaluationPlan, people: list[DatasetPhoto], tmp_path: Path) -> None:
    run(people, known, tmp_path / "run")
    Image.new("RGB", (64, 64), (200, 0, 0)).save(people[3].path)
    run(people, known, tmp_path / "run", resume=True)
    assert drawn["vae"] == 1


def test_without_resume_the_results_are_lost_only_if_that_is_said(
    known: EvaluationPlan, people: list[DatasetPhoto], tmp_path: Path
) -> None:
    run(people, known, tmp_path / "run")
    with pytest.raises(OutputError, match="results of an earlier evaluation") as caught:
        run(people, known, tmp_path / "run")
    assert caught.value.hint is Hint.RESUME_OR_OVERWRITE
    run(people[:2], known, tmp_path / "run", replace=True)
    assert drawn["vae"] == 2
    run(people, known, tmp_path / "run", resume=True)
    assert drawn["vae"] == 6


def test_evaluation_that_fails_keeps_what_it_has(
    known: EvaluationPlan, people: list[DatasetPhoto], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpatched = Evaluator.evaluate

    def fail(evaluator: Evaluator, known: PhotoResult) -> PhotoResult:
        if known.photo == people[5]:
            raise KeyboardInterrupt
        return unpatched(evaluator, known)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Evaluator, "evaluate", fail)
        run(people, known, tmp_path / "run")
    run(people, known, tmp_path / "run", resume=True)
    assert drawn["vae"] == 3


# What cannot be used


def test_nothing_to_resume_is_a_data_error(known: EvaluationPlan, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no results") as caught, open_store(tmp_path, known, resume=True):
        pass
    assert caught.value.hint is Hint.START_ANEW


@pytest.mark.parametrize("resume", [True, False])
def test_file_that_holds_no_results_is_a_data_error_and_stays(
    known: EvaluationPlan, tmp_path: Path, resume: bool
) -> None:
    (tmp_path / STORE_NAME).write_bytes(b"somebody's diary" * 100)
    with pytest.raises(DataError, match="results"), open_store(tmp_path, known, resume):
        pass
    assert (tmp_path / STORE_NAME).read_bytes().startswith(b"somebody's diary")


def test_results_of_another_format_are_a_data_error(known: EvaluationPlan, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / STORE_NAME)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(DataError, match="version"), open_store(tmp_path, known, resume=True):
        pass


def test_run_folder_that_is_a_file_is_a_data_error(known: EvaluationPlan, tmp_path: Path) -> None:
    (tmp_path / "run").touch()
    with pytest.raises(DataError, match="run"), open_store(tmp_path / "run", known, resume=False):
        pass


def test_missing_weights_are_a_weights_error_if_they_are_needed(known: EvaluationPlan, tmp_path: Path) -> None:
    plan = replace(known, weights=tmp_path / "nowhere")
    with pytest.raises(WeightsError, match="nowhere"), open_store(tmp_path, plan, resume=False):
        pass
    with open_store(tmp_path, replace(plan, methods=("blind",)), resume=False):
        pass


# A real kill


@pytest.fixture
def portraits(tmp_path: Path, portrait: Path) -> Iterator[Path]:
    """Six photos of two people who do not exist, in three lights, small, so that dlib is quick."""
    pair = Image.open(portrait.with_name("pair.jpg"))
    for name, image in (("A", Image.open(portrait)), ("B", pair.crop((620, 0, 1235, 675)))):
        folder = tmp_path / "photos" / name
        folder.mkdir(parents=True)
        for i in range(3):
            ImageEnhance.Brightness(image.resize((300, 300))).enhance(0.8 + 0.2 * i).save(folder / f"{i}.png")
    yield tmp_path / "photos"


def without_times(report: dict[str, Any]) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(report))
    for table in copy["tables"]:
        for scores in (table["scores"], *(subset["scores"] for subset in table["subsets"])):
            for score in scores:
                del score["milliseconds"]
    return copy


def count_photos(path: Path) -> int:
    """How many photos are in a file of results, that another process may be writing."""
    if not path.is_file():
        return 0
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        try:
            return int(connection.execute("SELECT count(*) FROM photos").fetchone()[0])
        except sqlite3.OperationalError:  # no tables yet
            return 0


def kill_after(photos: int, arguments: list[str], results: Path) -> list[Path]:
    """Starts an evaluation and kills it as soon as it has kept so many photos.

    Returns where Linux shows the state of the processes that it had started.
    """
    with forked(lambda: main(arguments)) as (process, _):
        while count_photos(results) < photos and process.is_alive():
            time.sleep(0.005)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        started = children.read_text().split() if children.is_file() else []
    assert process.exitcode == -signal.SIGKILL  # it was not finished
    return [Path(f"/proc/{child}/stat") for child in started]


def is_running(process: Path) -> bool:
    try:
        return process.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.landmarks
@forking
def test_killed_evaluation_goes_on_and_says_the_same(
    portraits: Path, symface: Callable[..., Finished], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    arguments = ["evaluate", str(portraits), "--split", "all", "--method", "dlib-left", "--occluder", "patch"]
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    workers = kill_after(2, [*arguments, "--jobs", "2", "--run", str(killed)], killed / STORE_NAME)
    done = count_photos(killed / STORE_NAME)
    assert 2 <= done < 6
    computed: list[Path] = []
    unpatched = Evaluator.evaluate
    monkeypatch.setattr(
        Evaluator, "evaluate", lambda evaluator, known: computed.append(known.photo.path) or unpatched(evaluator, known)
    )
    finished = symface(*arguments, "--jobs", 1, "--run", killed, "--resume", "--json", tmp_path / "killed.json")
    assert (finished.status, len(computed)) == (0, 6 - done)
    assert computed == sorted(portraits.rglob("*.png"))[done:]
    assert symface(*arguments, "--jobs", 1, "--run", whole, "--json", tmp_path / "whole.json").status == 0
    reports = [json.loads((tmp_path / f"{name}.json").read_text()) for name in ("killed", "whole")]
    assert without_times(reports[0]) == without_times(reports[1])
    assert len(reports[0]["photos"]) == 6
    assert not any(map(is_running, workers))
