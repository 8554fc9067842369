"""Scores as they are shown: tables, Markdown, JSON."""

from dataclasses import asdict
from math import inf

from symface_cli.evaluation.occluders import NO_OCCLUDER
from symface_cli.evaluation.photos.tables import change_tables
from symface_cli.evaluation.protocol import PhotoResult
from symface_cli.evaluation.scores import EvaluationReport, RecognizedShare, Score, ScoreTable
from symface_cli.evaluation.tables import NOTHING, Column, Table
from symface_cli.landmarks.pose import find_yaw
from symface_cli.methods.network import OURS
from symface_cli.methods.registry import all_methods
from symface_cli.recognition.registry import find_recognizer
from symface_cli.rendering.options import Output
from symface_cli.version import __version__

PAPER_NOTE = (
    "paper (OpenFace): what the paper's Table 1 reports of the method's like, for LFW and OpenFace's recognizer"
)


def paper_scores() -> dict[str, float]:
    """Return what the paper's Table 1 reports for LFW, recognized by OpenFace, by method, the best one first."""
    scores = {method.name: method.paper_score for method in all_methods() if method.paper_score is not None}
    return dict(sorted(scores.items(), key=lambda item: -item[1]))


def score_table(table: ScoreTable) -> Table[Score]:
    """Lay out the scores of one recognizer under one condition, one row per method."""
    recognizer = find_recognizer(table.recognizer)
    thresholds = recognizer.thresholds
    paper = paper_scores() if table.condition == NO_OCCLUDER else {}
    columns = (
        Column[Score](heading="method", value=lambda score: score.method),
        *(_recognized_column(place, threshold) for place, threshold in enumerate(thresholds)),
        Column[Score](
            heading="paper (OpenFace)", value=lambda score: paper.get(score.method), format="{:.3f}", from_paper=True
        ),
        Column[Score](heading="rank-1", value=lambda score: score.rank_one.share, format="{:.3f}", best=max),
        Column[Score](heading="faces missed", value=lambda score: score.missed.total, best=min),
        Column[Score](
            heading="false accepts at " + " / ".join(f"{threshold:g}" for threshold in thresholds),
            value=lambda score: " / ".join(map(_false_accepts, score.recognized)),
        ),
        Column[Score](heading="mirror error", value=lambda score: score.mirror_error, best=min),
        Column[Score](heading="ms per photo", value=lambda score: score.milliseconds, format="{:.0f}", best=min),
        Column[Score](
            heading=f"p against {OURS.name} at {thresholds[1]:g}",
            value=lambda score: score.mcnemar_p,
            format="{:.2g}",
        ),
    )
    return Table(describe_table(table), columns, table.scores)


def describe_table(table: ScoreTable) -> str:
    """Say what a table is about."""
    whole = ", whole photos" if table.output is Output.PHOTO else ""
    hidden = "" if table.condition == NO_OCCLUDER else f", faces behind an occluder: {table.condition}"
    return f"recognizer: {table.recognizer}{whole}{hidden}"


def _recognized_column(place: int, threshold: float) -> Column[Score]:
    return Column(
        heading=f"recognized at {threshold:g} (95 %)",
        value=lambda score: score.recognized[place].share,
        format="{:.3f}",
        note=lambda score: "{:.3f}-{:.3f}".format(*score.recognized[place].interval),
        best=max,
    )


def _false_accepts(recognized: RecognizedShare) -> str:
    return NOTHING if recognized.false_accepts is None else f"{recognized.false_accepts:.3f}"


def subset_table(report: EvaluationReport, table: ScoreTable) -> Table[tuple[Score, ...]]:
    """Lay out the share of each subset that is recognized at the second threshold, one row per method."""
    columns = [_subset_column(place, f"{s.name} (n = {len(s.members)})") for place, s in enumerate(report.subsets)]
    return Table(
        f"recognized at {find_recognizer(table.recognizer).thresholds[1]:g}, on subsets of the photos",
        (Column[tuple[Score, ...]](heading="method", value=lambda scores: scores[0].method), *columns),
        list(zip(*table.subsets, strict=True)),
    )


def _subset_column(place: int, heading: str) -> Column[tuple[Score, ...]]:
    return Column(heading=heading, value=lambda scores: scores[place].recognized[1].share, format="{:.3f}", best=max)


def report_as_markdown(report: EvaluationReport) -> str:
    """Write all tables in Markdown, numbers to the right, with a line that says what was counted."""
    lines = []
    for scores in report.tables:
        table, subsets = score_table(scores), subset_table(report, scores)
        lines += [f"### {_capital(table.title)}", "", *table.as_markdown(), ""]
        lines += [f"{_capital(subsets.title)}:", "", *subsets.as_markdown(), ""]
    for changes in change_tables(report):
        lines += [f"### {_capital(changes.title)}", "", *changes.as_markdown(), ""]
    return "\n".join([*lines, f"{describe_report(report)}; {PAPER_NOTE}.", ""])


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def describe_report(report: EvaluationReport) -> str:
    """Say in one line how many photos of how many persons were seen, and by which recognizers."""
    persons = {result.photo.identity for result in report.results}
    unreadable = f", {len(report.unreadable)} more unreadable" if report.unreadable else ""
    plural = "s" if len(report.plan.recognizers) > 1 else ""
    names = ", ".join(report.plan.recognizers)
    return f"{len(report.results)} photos of {len(persons)} persons{unreadable}; recognizer{plural}: {names}"


def report_as_dict(report: EvaluationReport) -> dict[str, object]:
    """Return everything as JSON can hold it: all scores, and each photo's distances, null for a miss."""
    weights = report.plan.weights
    return {
        "symface": __version__,
        "weights": None if weights is None else str(weights),
        "tables": [_table_as_dict(report, table) for table in report.tables],
        "paper": paper_scores(),
        "photos": [_photo_as_dict(report, place, result) for place, result in enumerate(report.results)],
        "unreadable": [str(error) for error in report.unreadable],
        "failures": [str(error) for error in report.failures],
    }


def _table_as_dict(report: EvaluationReport, table: ScoreTable) -> dict[str, object]:
    return {
        "condition": table.condition,
        "recognizer": table.recognizer,
        "output": table.output.value,
        "scores": [asdict(score) for score in table.scores],
        "subsets": [
            {"name": subset.name, "photos": len(subset.members), "scores": [asdict(score) for score in scores]}
            for subset, scores in zip(report.subsets, table.subsets, strict=True)
        ],
    }


def _photo_as_dict(report: EvaluationReport, place: int, result: PhotoResult) -> dict[str, object]:
    return {
        "path": str(result.photo.path),
        "identity": result.photo.identity,
        "sha256": result.digest,
        "yaw": None if result.landmarks is None else find_yaw(result.landmarks),
        "agreeing": result.agreeing,
        "distances": [
            {
                "condition": table.condition,
                "recognizer": table.recognizer,
                "output": table.output.value,
                "methods": {method: _or_none(column[place]) for method, column in table.distances.items()},
            }
            for table in report.tables
        ],
        "changes": [
            {"condition": key.condition, "method": key.method, **asdict(attempt.change)}
            for key, attempt in result.attempts.items()
            if attempt.change is not None and key.recognizer == report.plan.recognizers[0]
        ],
    }


def _or_none(distance: float) -> float | None:
    return distance if distance < inf else None
