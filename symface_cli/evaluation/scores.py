"""From what became of each photo to scores: a table per condition and recognizer, and the same on subsets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from statistics import median

import numpy as np

from symface_cli.evaluation.metrics import mcnemar_p, wilson_interval
from symface_cli.evaluation.protocol import Attempt, EvaluationPlan, ExaminedPhoto, Key
from symface_cli.evaluation.subsets import Subset, split
from symface_cli.methods.registry import OURS
from symface_cli.recognition.recognizer import Embedding
from symface_cli.recognition.registry import find_recognizer


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


@dataclass(frozen=True)
class Recognized(Share):
    """How many symmetric faces are recognized at one threshold.

    Attributes:
        threshold: Distance below which two faces count as the same person.
        false_accepts: Share of mismatched pairs that would be accepted, None without such pairs.
    """

    threshold: float
    false_accepts: float | None


@dataclass(frozen=True)
class Missed:
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
        """All of them."""
        return self.by_method + self.in_photo + self.in_result


@dataclass(frozen=True)
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
    """

    method: str
    recognized: tuple[Recognized, ...]
    rank_one: Share
    missed: Missed
    mirror_error: int | None
    milliseconds: float
    mcnemar_p: float | None


@dataclass(frozen=True)
class Table:
    """What one recognizer says under one condition.

    Attributes:
        condition: What lies in front of the faces: "none", or a kind of occluder.
        recognizer: Name of the recognizer.
        scores: One per method, in the plan's order.
        subsets: For each of `Report.subsets`: its scores, one per method.
        distances: By method, for each of `Report.examined`: distance between the photo without an occluder and the
            symmetric face; infinite for a miss.
        mismatched: By method: distances to photos of other persons, of which `false_accepts` are the share; in no
            order that matters, all finite.
    """

    condition: str
    recognizer: str
    scores: tuple[Score, ...]
    subsets: tuple[tuple[Score, ...], ...]
    distances: Mapping[str, tuple[float, ...]]
    mismatched: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True)
class Report:
    """An evaluation's results.

    Attributes:
        plan: What was run.
        tables: One per condition and recognizer: the first condition's, one per recognizer, then the second's, and so
            on; none if no photo could be read.
        examined: The photos that could be read, in order; `examined[i].photo` has the path and the identity.
        subsets: By yaw, then by the detector's agreement; each photo is in one of either.
        unreadable: One line for each photo that could not be read; they count nowhere.
    """

    plan: EvaluationPlan
    tables: tuple[Table, ...]
    examined: tuple[ExaminedPhoto, ...]
    subsets: tuple[Subset, ...]
    unreadable: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What became of a photo with a method under a condition, as a recognizer sees it.

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


class Gallery:
    """The originals of a run as one recognizer sees them.

    Attributes:
        originals: (D,) each, in the order of the photos; None where the recognizer sees no face.
        others: For each photo, the original of the next one, in a circle, of another person; None without any, or where
            no face is seen in it.
    """

    def __init__(self, examined: Sequence[ExaminedPhoto], recognizer: str) -> None:
        people = [photo.photo.identity for photo in examined]
        self.originals = [photo.originals[recognizer] for photo in examined]
        self.others = [None if place is None else self.originals[place] for place in find_others(people)]
        known = [(who, original) for who, original in zip(people, self.originals, strict=True) if original is not None]
        self._people = [who for who, _ in known]
        self._embeddings = np.array([original for _, original in known])
        self._squares = (self._embeddings**2).sum(-1)

    def identify(self, embedding: Embedding) -> str:
        """The person of the original that is nearest to a face, by Euclidean distance, with which all distances grow.

        Raises:
            ValueError: If no original shows a face.
        """
        return self._people[int(np.argmin(self._squares - 2 * self._embeddings @ embedding))]


def find_others(people: Sequence[str]) -> list[int | None]:
    """For each photo's person, the place of the next photo, in a circle, of another person; None if there is none."""
    places: list[int | None] = []
    for place, who in enumerate(people):
        circle = ((place + step) % len(people) for step in range(1, len(people)))
        places.append(next((other for other in circle if people[other] != who), None))
    return places


def summarize(plan: EvaluationPlan, results: Sequence[ExaminedPhoto]) -> Report:
    """Counts what `protocol.evaluate` gave for a plan."""
    examined = tuple(result for result in results if result.error is None)
    unreadable = tuple(result.error for result in results if result.error is not None)
    subsets = split(examined)
    tables = tuple(
        _tabulate(plan, examined, subsets, condition, recognizer)
        for condition in plan.conditions
        for recognizer in plan.recognizers
        if examined
    )
    return Report(plan, tables, examined, subsets, unreadable)


def _tabulate(
    plan: EvaluationPlan, examined: Sequence[ExaminedPhoto], subsets: Sequence[Subset], condition: str, recognizer: str
) -> Table:
    gallery = Gallery(examined, recognizer)
    outcomes = {method: judge(examined, Key(condition, method, recognizer), gallery) for method in plan.methods}
    thresholds = find_recognizer(recognizer).thresholds
    return Table(
        condition,
        recognizer,
        _score_all(outcomes, thresholds),
        tuple(
            _score_all({method: [column[i] for i in subset.members] for method, column in outcomes.items()}, thresholds)
            for subset in subsets
        ),
        {method: tuple(outcome.distance for outcome in column) for method, column in outcomes.items()},
        {method: tuple(_mismatched(column)) for method, column in outcomes.items()},
    )


def judge(examined: Sequence[ExaminedPhoto], key: Key, gallery: Gallery) -> list[Outcome]:
    """What became of each photo with a method, under a condition, as a recognizer sees it."""
    distance = find_recognizer(key.recognizer).distance
    outcomes = []
    for photo, original, other in zip(examined, gallery.originals, gallery.others, strict=True):
        attempt = photo.attempts[key]
        seen = attempt.embedding
        outcomes.append(
            Outcome(
                attempt,
                original is not None,
                inf if seen is None or original is None else distance(seen, original),
                inf if seen is None or other is None else distance(seen, other),
                seen is not None and original is not None and gallery.identify(seen) == photo.photo.identity,
            )
        )
    return outcomes


def _score_all(outcomes: Mapping[str, Sequence[Outcome]], thresholds: Sequence[float]) -> tuple[Score, ...]:
    """The scores of all methods, on the same photos, at least one."""
    return tuple(_score(method, outcomes, thresholds) for method in outcomes)


def _score(method: str, outcomes: Mapping[str, Sequence[Outcome]], thresholds: Sequence[float]) -> Score:
    column = outcomes[method]
    errors = [outcome.attempt.mirror_error for outcome in column if outcome.attempt.mirror_error is not None]
    ours = outcomes.get(OURS) if method != OURS else None
    return Score(
        method,
        tuple(_recognized(column, threshold) for threshold in thresholds),
        Share(*_share([outcome.is_identified for outcome in column])),
        _missed(column),
        max(errors, default=None),
        1000 * median(outcome.attempt.seconds for outcome in column),
        None if ours is None else _compare(ours, column, thresholds[1]),
    )


def _share(successes: Sequence[bool]) -> tuple[int, float, tuple[float, float]]:
    """Count, share and interval."""
    count, total = sum(successes), len(successes)
    return count, count / total, wilson_interval(count, total)


def _recognized(column: Sequence[Outcome], threshold: float) -> Recognized:
    others = _mismatched(column)
    false_accepts = sum(distance < threshold for distance in others) / len(others) if others else None
    return Recognized(*_share([outcome.distance < threshold for outcome in column]), threshold, false_accepts)


def _mismatched(column: Sequence[Outcome]) -> list[float]:
    return [outcome.mismatched for outcome in column if outcome.mismatched < inf]


def _missed(column: Sequence[Outcome]) -> Missed:
    by_method = sum(not outcome.attempt.found for outcome in column)
    in_photo = sum(outcome.attempt.found and not outcome.is_seen for outcome in column)
    return Missed(by_method, in_photo, sum(outcome.distance == inf for outcome in column) - by_method - in_photo)


def _compare(ours: Sequence[Outcome], theirs: Sequence[Outcome], threshold: float) -> float:
    """McNemar's p of two methods on the same photos."""
    pairs = [(a.distance < threshold, b.distance < threshold) for a, b in zip(ours, theirs, strict=True)]
    return mcnemar_p(pairs.count((True, False)), pairs.count((False, True)))
