"""Scores of the methods: one table per condition and recognizer, on all photos and on subsets of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from statistics import median

import numpy as np

from symface_cli.errors import SymfaceError
from symface_cli.evaluation.metrics import mcnemar_p, wilson_interval
from symface_cli.evaluation.photos.summary import ChangeScore, summarize_changes
from symface_cli.evaluation.protocol import Attempt, EvaluationPlan, Key, PhotoResult
from symface_cli.evaluation.subsets.difficulty import split_by_difficulty
from symface_cli.evaluation.subsets.groups import PhotoGroups, split_by_groups
from symface_cli.evaluation.subsets.subset import Subset
from symface_cli.methods.network import OURS
from symface_cli.recognition.recognizer import Embedding
from symface_cli.recognition.registry import find_recognizer
from symface_cli.rendering.options import Output


@dataclass(frozen=True)
class Share:
    """How many of the photos.

    Attributes:
        count: Photos with a success.
        share: Their share among all; misses count as failures.
        interval: 95 % Wilson interval of the share.
    """

    count: int
    share: float
    interval: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class RecognizedShare(Share):
    """How many symmetric faces are recognized at one threshold.

    Attributes:
        threshold: Distance below which two faces count as the same person.
        false_accepts: Share of mismatched pairs that would be accepted, None without such pairs.
    """

    threshold: float
    false_accepts: float | None


@dataclass(frozen=True)
class MissedFaces:
    """Photos that cannot be recognized because a face is not found; each counts once, for the first reason.

    Attributes:
        by_method: The method's own detector finds none in the photo.
        in_photo: The recognizer finds none in the photo, seen without an occluder.
        in_result: The recognizer finds none in the symmetric face.
    """

    by_method: int
    in_photo: int
    in_result: int

    @property
    def total(self) -> int:
        """Count all of them."""
        return self.by_method + self.in_photo + self.in_result


@dataclass(frozen=True, kw_only=True)
class Score:
    """What an evaluation says about a method, on all photos or on a subset.

    Attributes:
        method: Its name.
        recognized: At each of the recognizer's thresholds, the published one first.
        rank_one: Photos whose symmetric face has an original of the same person for its nearest one. The gallery are
            the originals of all photos of the run in which the recognizer sees a face, the photo's own included, on
            subsets too. A missed face counts as not identified.
        missed: Photos without a recognizable face.
        mirror_error: Largest difference of any result to its mirror image, in gray levels; None without results.
        milliseconds: Median time from photo to symmetric image on one core.
        mcnemar_p: That the method and `vae` are equally good at the second threshold; None for `vae` and without it.
        change: What has changed in the photos; None for aligned faces, and without results.
    """

    method: str
    recognized: tuple[RecognizedShare, ...]
    rank_one: Share
    missed: MissedFaces
    mirror_error: int | None
    milliseconds: float
    mcnemar_p: float | None
    change: ChangeScore | None


@dataclass(frozen=True, kw_only=True)
class ScoreTable:
    """What one recognizer says of one output under one condition.

    Attributes:
        condition: What lies in front of the faces: "none", or a kind of occluder.
        recognizer: Name of the recognizer.
        output: What it was shown.
        scores: One per method, in the plan's order.
        subsets: For each of `EvaluationReport.subsets`: its scores, one per method.
        distances: By method, for each of `EvaluationReport.results`: distance between the photo without an occluder
            and the symmetric face; infinite for a miss.
        mismatched: By method: distances to photos of other persons, of which `false_accepts` are the share; in no
            order that matters, all finite.
    """

    condition: str
    recognizer: str
    output: Output
    scores: tuple[Score, ...]
    subsets: tuple[tuple[Score, ...], ...]
    distances: Mapping[str, tuple[float, ...]]
    mismatched: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True, kw_only=True)
class EvaluationReport:
    """An evaluation's results.

    Attributes:
        plan: What was run.
        tables: One per condition, output and recognizer: the first condition's, for each output one per recognizer,
            then the second's, and so on; none if no photo could be read.
        results: Those of the photos that could be read, in order; `results[i].photo` has the path and the identity.
        subsets: By yaw, then by the detector's agreement, then by the attributes of the groups.
        groups: Which groups the photos are in; None if nothing says so.
        unreadable: Why photos could not be read or looked at; they count nowhere.
        failures: What methods and recognizers failed with, each once; such a face counts as not recognized.
    """

    plan: EvaluationPlan
    tables: tuple[ScoreTable, ...]
    results: tuple[PhotoResult, ...]
    subsets: tuple[Subset, ...]
    groups: PhotoGroups | None
    unreadable: tuple[SymfaceError, ...]
    failures: tuple[SymfaceError, ...]


@dataclass(frozen=True, kw_only=True)
class RecognitionResult:
    """What a recognizer says of one method's result for one photo under one condition.

    Attributes:
        attempt: What the method made of the photo.
        is_seen: Whether the recognizer sees a face in the photo as it is.
        distance: Between the photo as it is and the symmetric face; infinite for a miss.
        mismatched: Between the symmetric face and the next photo, in a circle, of another person; infinite where there
            is none or a face is missed, which could only flatter the method.
        is_identified: Whether the original nearest to the symmetric face shows the same person.
    """

    attempt: Attempt
    is_seen: bool
    distance: float
    mismatched: float
    is_identified: bool


class EmbeddingGallery:
    """The originals of a run as one recognizer sees them.

    Attributes:
        originals: (D,) each, in the order of the photos; None where the recognizer sees no face.
        others: For each photo, the original of the next one, in a circle, of another person; None without any, or where
            no face is seen in it.
    """

    def __init__(self, results: Sequence[PhotoResult], recognizer: str) -> None:
        people = [result.photo.identity for result in results]
        self.originals = [result.originals[recognizer] for result in results]
        self.others = [None if place is None else self.originals[place] for place in find_others(people)]
        known = [(who, original) for who, original in zip(people, self.originals, strict=True) if original is not None]
        self._people = [who for who, _ in known]
        self._embeddings = np.array([original for _, original in known])
        self._squares = (self._embeddings**2).sum(-1)

    def identify(self, embedding: Embedding) -> str:
        """Name the person of the original nearest to a face, by Euclidean distance, with which all distances grow.

        Raises:
            ValueError: If no original shows a face.
        """
        return self._people[int(np.argmin(self._squares - 2 * self._embeddings @ embedding))]


def find_others(people: Sequence[str]) -> list[int | None]:
    """Find for each photo the place of the next one, in a circle, of another person; None if there is none."""
    places: list[int | None] = []
    for place, who in enumerate(people):
        circle = ((place + step) % len(people) for step in range(1, len(people)))
        places.append(next((other for other in circle if people[other] != who), None))
    return places


def summarize_results(
    plan: EvaluationPlan, results: Sequence[PhotoResult], groups: PhotoGroups | None = None
) -> EvaluationReport:
    """Score what `protocol.evaluate` gave for a plan, also by groups if there are some."""
    readable = tuple(result for result in results if result.error is None)
    subsets = split_by_difficulty(readable) + (() if groups is None else split_by_groups(readable, groups))
    tables = tuple(
        _tabulate(plan, readable, subsets, condition, recognizer, output)
        for condition in plan.conditions
        for output in plan.outputs
        for recognizer in plan.recognizers
        if readable
    )
    return EvaluationReport(
        plan=plan,
        tables=tables,
        results=readable,
        subsets=subsets,
        groups=groups,
        unreadable=tuple(result.error for result in results if result.error is not None),
        failures=tuple(_list_failures(readable).values()),
    )


def _list_failures(results: Sequence[PhotoResult]) -> dict[str, SymfaceError]:
    """List what went wrong, by the messages: with several recognizers, the same is met more than once."""
    attempts = [attempt for result in results for attempt in result.attempts.values()]
    return {str(attempt.error): attempt.error for attempt in attempts if attempt.error is not None}


def _tabulate(
    plan: EvaluationPlan,
    results: Sequence[PhotoResult],
    subsets: Sequence[Subset],
    condition: str,
    recognizer: str,
    output: Output,
) -> ScoreTable:
    gallery = EmbeddingGallery(results, recognizer)
    columns = {method: judge(results, Key(condition, method, recognizer, output), gallery) for method in plan.methods}
    thresholds = find_recognizer(recognizer).thresholds
    return ScoreTable(
        condition=condition,
        recognizer=recognizer,
        output=output,
        scores=_score_all(columns, thresholds),
        subsets=tuple(
            _score_all({method: [column[i] for i in subset.members] for method, column in columns.items()}, thresholds)
            for subset in subsets
        ),
        distances={method: tuple(result.distance for result in column) for method, column in columns.items()},
        mismatched={method: tuple(_mismatched(column)) for method, column in columns.items()},
    )


def judge(results: Sequence[PhotoResult], key: Key, gallery: EmbeddingGallery) -> list[RecognitionResult]:
    """Compare each photo with a method's result, under a condition, as a recognizer sees both."""
    distance = find_recognizer(key.recognizer).distance
    judged = []
    for result, original, other in zip(results, gallery.originals, gallery.others, strict=True):
        attempt = result.attempts[key]
        seen = attempt.embedding
        judged.append(
            RecognitionResult(
                attempt=attempt,
                is_seen=original is not None,
                distance=inf if seen is None or original is None else distance(seen, original),
                mismatched=inf if seen is None or other is None else distance(seen, other),
                is_identified=seen is not None
                and original is not None
                and gallery.identify(seen) == result.photo.identity,
            )
        )
    return judged


Columns = Mapping[str, Sequence[RecognitionResult]]
"""By method: one result per photo, the same photos for every method, at least one."""


def _score_all(columns: Columns, thresholds: Sequence[float]) -> tuple[Score, ...]:
    return tuple(_score(method, columns, thresholds) for method in columns)


def _score(method: str, columns: Columns, thresholds: Sequence[float]) -> Score:
    column = columns[method]
    errors = [result.attempt.mirror_error for result in column if result.attempt.mirror_error is not None]
    ours = columns.get(OURS.name) if method != OURS.name else None
    return Score(
        method=method,
        recognized=tuple(_recognized(column, threshold) for threshold in thresholds),
        rank_one=Share(*_share([result.is_identified for result in column])),
        missed=_missed(column),
        mirror_error=max(errors, default=None),
        milliseconds=1000 * median(result.attempt.seconds for result in column),
        mcnemar_p=None if ours is None else _compare(ours, column, thresholds[1]),
        change=summarize_changes([result.attempt.change for result in column if result.attempt.change is not None]),
    )


def _share(successes: Sequence[bool]) -> tuple[int, float, tuple[float, float]]:
    """Count successes; return count, share and interval."""
    count, total = sum(successes), len(successes)
    return count, count / total, wilson_interval(count, total)


def _recognized(column: Sequence[RecognitionResult], threshold: float) -> RecognizedShare:
    others = _mismatched(column)
    false_accepts = sum(distance < threshold for distance in others) / len(others) if others else None
    recognized = _share([result.distance < threshold for result in column])
    return RecognizedShare(*recognized, threshold=threshold, false_accepts=false_accepts)


def _mismatched(column: Sequence[RecognitionResult]) -> list[float]:
    return [result.mismatched for result in column if result.mismatched < inf]


def _missed(column: Sequence[RecognitionResult]) -> MissedFaces:
    by_method = sum(not result.attempt.found for result in column)
    in_photo = sum(result.attempt.found and not result.is_seen for result in column)
    return MissedFaces(by_method, in_photo, sum(result.distance == inf for result in column) - by_method - in_photo)


def _compare(ours: Sequence[RecognitionResult], theirs: Sequence[RecognitionResult], threshold: float) -> float:
    """Return McNemar's p of two methods on the same photos."""
    pairs = [(a.distance < threshold, b.distance < threshold) for a, b in zip(ours, theirs, strict=True)]
    return mcnemar_p(pairs.count((True, False)), pairs.count((False, True)))
