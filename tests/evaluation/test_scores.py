"""Scores of results made by hand: what is counted, against whom, and on which photos."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from symface_cli.data.datasets import DatasetPhoto
from symface_cli.errors import PhotoError
from symface_cli.evaluation.metrics import mcnemar_p, wilson_interval
from symface_cli.evaluation.protocol import Attempt, EvaluationPlan, Key, PhotoResult
from symface_cli.evaluation.scores import EvaluationReport, find_others, summarize_results
from tests.evaluation.known import register

PLAN = EvaluationPlan(methods=("vae", "blind"), recognizers=("brightness",))


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch, landmarks: NDArray[np.float64]) -> None:
    register(monkeypatch, landmarks)


def at(place: float | None) -> NDArray[np.float64] | None:
    return None if place is None else np.array([place])


def examine(
    who: str, original: float | None, ours: float | None, theirs: float | None = None, agreeing: int = 40
) -> PhotoResult:
    """A photo whose original and symmetric faces lie at places on a line, by `vae` and by `blind`; None is a miss."""
    attempts = {
        Key("none", method, "brightness"): Attempt(found=True, embedding=at(place), mirror_error=0, seconds=0.01)
        for method, place in (("vae", ours), ("blind", theirs))
    }
    photo = DatasetPhoto(Path(f"{who}.jpg"), who)
    originals = {"brightness": at(original)}
    return PhotoResult(photo=photo, digest=who, agreeing=agreeing, originals=originals, attempts=attempts)


def shares(report: EvaluationReport) -> list[float]:
    return [recognized.share for recognized in report.tables[0].scores[0].recognized]


def false_accepts(report: EvaluationReport) -> list[float | None]:
    return [recognized.false_accepts for recognized in report.tables[0].scores[0].recognized]


def test_shuffled_identities_drop_to_the_false_accept_rate() -> None:
    # Six people on a line; each is compared with the next: distances 0.45, 0.55, 2, 0.1, 5, 8.1.
    places = [0.0, 0.45, 1.0, 3.0, 3.1, 8.1]
    honest = [examine(str(i), place, place) for i, place in enumerate(places)]
    following = [*honest[1:], honest[0]]
    shuffled = [replace(a, originals=b.originals) for a, b in zip(honest, following, strict=True)]
    assert summarize_results(PLAN, honest).tables[0].mismatched["vae"] == pytest.approx((0.45, 0.55, 2, 0.1, 5, 8.1))
    assert false_accepts(summarize_results(PLAN, honest)) == [3 / 6, 2 / 6, 1 / 6]
    assert shares(summarize_results(PLAN, honest)) == [1, 1, 1]
    assert shares(summarize_results(PLAN, shuffled)) == [3 / 6, 2 / 6, 1 / 6]
    assert summarize_results(PLAN, shuffled).tables[0].scores[0].rank_one.count == 0


def test_share_counts_misses_as_failures_and_has_wilsons_interval() -> None:
    results = [examine("a", 0, 0), examine("b", 5, 5.55), examine("c", 9, None), examine("d", None, 3)]
    report = summarize_results(PLAN, results)
    published, stricter, strictest = report.tables[0].scores[0].recognized
    assert (published.count, stricter.count, strictest.count) == (2, 1, 1)
    assert published.share == 0.5 and published.interval == wilson_interval(2, 4)
    assert report.tables[0].distances["vae"] == pytest.approx((0, 0.55, np.inf, np.inf))
    missed = report.tables[0].scores[0].missed
    assert (missed.by_method, missed.in_photo, missed.in_result, missed.total) == (0, 1, 1, 2)


def test_face_is_identified_by_the_nearest_of_all_originals() -> None:
    # a's face is nearest to a's other photo, b's to its own, c's to b's; d's own photo is not seen, and a's is nearest.
    results = [
        examine("a", 0, 2.9),
        examine("a", 3, None),
        examine("b", 10, 10.9),
        examine("c", 13, 11.0),
        examine("d", None, 0.1),
    ]
    assert summarize_results(PLAN, results).tables[0].scores[0].rank_one.count == 2


def test_others_are_the_next_photos_in_a_circle_of_another_person() -> None:
    assert find_others(["a", "a", "b", "c", "c"]) == [2, 2, 3, 0, 0]
    assert find_others(["a", "a"]) == [None, None]


def test_pairs_with_a_missed_face_are_left_out_of_the_false_accepts() -> None:
    results = [examine("a", 0, 0), examine("b", None, 0.3), examine("c", 0.2, None)]
    # a - b's original is not seen; b's face - c's original: 0.1; c's face is not seen.
    assert summarize_results(PLAN, results).tables[0].mismatched["vae"] == pytest.approx((0.1,))
    assert false_accepts(summarize_results(PLAN, results)) == [1, 1, 1]


def test_methods_are_compared_on_the_same_photos_at_the_second_threshold() -> None:
    # At 0.5, only vae succeeds on three, only the other method on one, both or neither on the rest.
    pairs = [(0, 1), (0, 1), (0, 0.55), (0.55, 0.45), (0, 0), (2, 2)]
    results = [examine(str(i), 10 * i, 10 * i + a, 10 * i + b) for i, (a, b) in enumerate(pairs)]
    ours, theirs = summarize_results(PLAN, results).tables[0].scores
    assert ours.mcnemar_p is None
    assert theirs.mcnemar_p == mcnemar_p(3, 1)
    alone = summarize_results(replace(PLAN, methods=("blind",)), results).tables[0].scores
    assert alone[0].mcnemar_p is None


def test_time_is_the_median_and_the_mirror_error_the_largest() -> None:
    seconds, errors = (0.010, 0.020, 0.900), (0, 3, None)
    results = [
        replace(
            examine(str(i), i, i),
            attempts={
                Key("none", "vae", "brightness"): Attempt(
                    found=True, embedding=at(i), mirror_error=errors[i], seconds=seconds[i]
                )
            },
        )
        for i in range(3)
    ]
    (score,) = summarize_results(replace(PLAN, methods=("vae",)), results).tables[0].scores
    assert (score.milliseconds, score.mirror_error) == (pytest.approx(20), 3)


def names_and_members(report: EvaluationReport) -> list[tuple[str, Sequence[int]]]:
    return [(subset.name, subset.members) for subset in report.subsets]


def test_photos_are_split_by_the_detectors_agreement(landmarks: NDArray[np.float64]) -> None:
    results = [examine("a", 0, 0, agreeing=n) for n in (0, 11, 12, 30, 31)]
    assert names_and_members(summarize_results(PLAN, results)) == [
        ("yaw unknown", (0, 1, 2, 3, 4)),
        ("agreeing under 12", (0, 1)),
        ("agreeing 12 to 30", (2, 3)),
        ("agreeing over 30", (4,)),
    ]


def test_photos_are_split_by_yaw_to_either_side(landmarks: NDArray[np.float64]) -> None:
    def turned(degrees: float) -> PhotoResult:
        moved = landmarks.astype(np.float32)
        moved[27:31, 0] += 60 * np.tan(np.radians(degrees)) / 0.49  # 60 px between the eyes
        return replace(examine("a", 0, 0), landmarks=moved)

    results = [turned(0), turned(-9), turned(11), turned(-19), turned(21), turned(-40)]  # degrees
    assert names_and_members(summarize_results(PLAN, results)) == [
        ("yaw under 5", (0,)),
        ("yaw 5 to 10", (1,)),
        ("yaw 10 to 20", (2, 3)),
        ("yaw 20 to 30", (4,)),
        ("yaw over 30", (5,)),
        ("yaw over 10", (2, 3, 4, 5)),
        ("agreeing over 30", (0, 1, 2, 3, 4, 5)),
    ]


def test_subsets_have_scores_of_their_own_photos_and_the_gallery_of_all() -> None:
    results = [
        examine("a", 0, 0, 0, agreeing=5),
        examine("b", 5, 4, 5, agreeing=5),  # vae: not recognized, but nearest to b's original
        examine("c", 9, 5.1, 9, agreeing=5),  # vae: nearest to b's original
        examine("d", 20, 20, None, agreeing=50),
    ]
    report = summarize_results(PLAN, results)
    by_name = dict(zip([subset.name for subset in report.subsets], report.tables[0].subsets, strict=True))
    ours, theirs = by_name["agreeing under 12"]
    assert (ours.recognized[1].share, ours.rank_one.share) == (1 / 3, 2 / 3)
    assert (theirs.recognized[1].share, theirs.missed.total, theirs.mcnemar_p) == (1, 0, mcnemar_p(0, 2))
    ours, theirs = by_name["agreeing over 30"]
    assert (ours.recognized[1].share, theirs.recognized[1].share) == (1, 0)


def test_report_without_readable_photos_has_no_tables() -> None:
    report = summarize_results(
        PLAN, [PhotoResult(photo=DatasetPhoto(Path("a.jpg"), "a"), error=PhotoError("a.jpg: no picture"))]
    )
    assert (report.tables, report.results, report.subsets) == ((), (), ())
    assert list(map(str, report.unreadable)) == ["a.jpg: no picture"]
