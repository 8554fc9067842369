"""From the results of an evaluation to what is shown: rows of a table, Markdown, JSON."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import inf
from statistics import median

from symface_cli.evaluation.methods import OURS
from symface_cli.evaluation.metrics import mcnemar_p, wilson_interval
from symface_cli.evaluation.protocol import Examined, Plan, distances, mismatched_distances
from symface_cli.evaluation.recognisers import Recogniser, find_recogniser


@dataclass(frozen=True)
class Recognised:
    """How many symmetric faces are recognised at one threshold.

    Attributes:
        threshold: Distance below which two faces count as the same person.
        count: Photos whose symmetric face is recognised.
        share: Their share among all photos; misses count as not recognised.
        interval: 95 % Wilson interval of the share.
        false_accepts: Share of mismatched pairs that would be accepted, None without such pairs.
    """

    threshold: float
    count: int
    share: float
    interval: tuple[float, float]
    false_accepts: float | None


@dataclass(frozen=True)
class Missed:
    """Photos that cannot be recognised because a face is not found; each counts once, for the first reason.

    Attributes:
        by_method: The method's own detector finds none in the photo.
        in_photo: The recogniser finds none in the photo.
        in_result: The recogniser finds none in the symmetric face.
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
    """What an evaluation says about a method.

    Attributes:
        method: Its name.
        recognised: At each of the recogniser's thresholds, the published one first.
        missed: Photos without a recognisable face.
        mirror_error: Largest difference of any result to its mirror image, in grey levels; None without results.
        milliseconds: Median time from photo to symmetric image on one core.
        mcnemar_p: That the method and `vae` are equally good at the second threshold; None for `vae` and without it.
    """

    method: str
    recognised: tuple[Recognised, ...]
    missed: Missed
    mirror_error: int | None
    milliseconds: float
    mcnemar_p: float | None


@dataclass(frozen=True)
class Report:
    """An evaluation's results.

    Attributes:
        plan: What was run.
        scores: One per method, in the plan's order.
        examined: The photos that could be read.
        unreadable: One line for each photo that could not; they count nowhere.
    """

    plan: Plan
    scores: tuple[Score, ...]
    examined: tuple[Examined, ...]
    unreadable: tuple[str, ...]


def summarise(plan: Plan, results: Sequence[Examined]) -> Report:
    """Counts what `protocol.evaluate` gave for a plan."""
    recogniser = find_recogniser(plan.recogniser)
    examined = tuple(result for result in results if result.error is None)
    unreadable = tuple(result.error for result in results if result.error is not None)
    scores = tuple(_score(method, examined, recogniser) for method in plan.methods) if examined else ()
    return Report(plan, scores, examined, unreadable)


def _score(method: str, examined: Sequence[Examined], recogniser: type[Recogniser]) -> Score:
    own = distances(method, examined, recogniser)
    others = mismatched_distances(method, examined, recogniser)
    attempts = [photo.attempts[method] for photo in examined]
    errors = [attempt.mirror_error for attempt in attempts if attempt.mirror_error is not None]
    return Score(
        method,
        tuple(_recognised(threshold, own, others) for threshold in recogniser.thresholds),
        _missed(method, examined),
        max(errors, default=None),
        1000 * median(attempt.seconds for attempt in attempts),
        _compare(method, examined, recogniser),
    )


def _recognised(threshold: float, own: Sequence[float], others: Sequence[float]) -> Recognised:
    count = sum(distance < threshold for distance in own)
    false_accepts = sum(distance < threshold for distance in others) / len(others) if others else None
    return Recognised(threshold, count, count / len(own), wilson_interval(count, len(own)), false_accepts)


def _missed(method: str, examined: Sequence[Examined]) -> Missed:
    by_method = in_photo = in_result = 0
    for photo in examined:
        attempt = photo.attempts[method]
        if not attempt.found:
            by_method += 1
        elif photo.original is None:
            in_photo += 1
        elif attempt.embedding is None:
            in_result += 1
    return Missed(by_method, in_photo, in_result)


def _compare(method: str, examined: Sequence[Examined], recogniser: type[Recogniser]) -> float | None:
    """McNemar's p against `vae`, on the same photos, at the threshold after the published one."""
    if method == OURS or OURS not in examined[0].attempts:
        return None
    threshold = recogniser.thresholds[1]
    theirs = [distance < threshold for distance in distances(method, examined, recogniser)]
    ours = [distance < threshold for distance in distances(OURS, examined, recogniser)]
    pairs = list(zip(ours, theirs, strict=True))
    return mcnemar_p(pairs.count((True, False)), pairs.count((False, True)))


def table_header(report: Report) -> list[str]:
    """Headings of the table's columns."""
    thresholds = find_recogniser(report.plan.recogniser).thresholds
    return [
        "method",
        *(f"recognised at {threshold:g} (95 %)" for threshold in thresholds),
        "faces missed",
        "false accepts at " + " / ".join(f"{threshold:g}" for threshold in thresholds),
        "mirror error",
        "ms per photo",
        f"p against {OURS} at {thresholds[1]:g}",
    ]


def table_rows(report: Report) -> list[list[str]]:
    """The table, one row of text per method; a dash where there is nothing to say."""
    return [_row(score) for score in report.scores]


def _row(score: Score) -> list[str]:
    shares = [f"{r.share:.3f} ({r.interval[0]:.3f}-{r.interval[1]:.3f})" for r in score.recognised]
    accepts = ["-" if r.false_accepts is None else f"{r.false_accepts:.3f}" for r in score.recognised]
    return [
        score.method,
        *shares,
        str(score.missed.total),
        " / ".join(accepts),
        "-" if score.mirror_error is None else str(score.mirror_error),
        f"{score.milliseconds:.0f}",
        "-" if score.mcnemar_p is None else f"{score.mcnemar_p:.2g}",
    ]


def as_markdown(report: Report) -> str:
    """The table in Markdown, numbers to the right, with a line that says what was counted."""
    header = table_header(report)
    ruler = ["---", *["---:"] * (len(header) - 1)]
    lines = ["| " + " | ".join(cells) + " |" for cells in (header, ruler, *table_rows(report))]
    return "\n".join([*lines, "", describe(report), ""])


def describe(report: Report) -> str:
    """One line: how many photos of how many persons, and by which recogniser."""
    persons = {photo.photo.identity for photo in report.examined}
    unreadable = f", {len(report.unreadable)} more unreadable" if report.unreadable else ""
    return f"{len(report.examined)} photos of {len(persons)} persons{unreadable}; recogniser: {report.plan.recogniser}"


def as_dict(report: Report) -> dict[str, object]:
    """Everything, as JSON can hold it: the scores, and each photo's distance by method, null for a miss."""
    recogniser = find_recogniser(report.plan.recogniser)
    columns = {method: distances(method, report.examined, recogniser) for method in report.plan.methods}
    photos = [
        {
            "path": str(photo.photo.path),
            "identity": photo.photo.identity,
            "distances": {method: _or_none(column[i]) for method, column in columns.items()},
        }
        for i, photo in enumerate(report.examined)
    ]
    weights = report.plan.weights
    return {
        "recogniser": report.plan.recogniser,
        "weights": None if weights is None else str(weights),
        "scores": [asdict(score) for score in report.scores],
        "photos": photos,
        "unreadable": list(report.unreadable),
    }


def _or_none(distance: float) -> float | None:
    return distance if distance < inf else None
