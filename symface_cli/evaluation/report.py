"""An evaluation's report as Markdown, as JSON, and in a line."""

from dataclasses import asdict
from math import inf

from symface_cli.evaluation.photos.tables import change_tables
from symface_cli.evaluation.protocol import PhotoResult
from symface_cli.evaluation.score_tables import paper_scores, tables_of
from symface_cli.evaluation.scores import EvaluationReport, ScoreTable
from symface_cli.landmarks.pose import find_yaw
from symface_cli.version import __version__

PAPER_NOTE = (
    "paper (OpenFace): what the paper's Table 1 reports of the method's like, for LFW and OpenFace's recognizer"
)


def report_as_markdown(report: EvaluationReport) -> str:
    """Write all tables in Markdown, numbers to the right, with a line that says what was counted."""
    lines = []
    for scores in report.tables:
        table, *parts = tables_of(report, scores)
        lines += [f"### {_capital(table.title)}", "", *table.as_markdown(), ""]
        for part in parts:
            lines += [f"{_capital(part.title)}:", "", *part.as_markdown(), ""]
    for changes in change_tables(report):
        lines += [f"### {_capital(changes.title)}", "", *changes.as_markdown(), ""]
    notes = [describe_report(report), *describe_groups(report), PAPER_NOTE]
    return "\n".join([*lines, f"{'; '.join(notes)}.", ""])


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def describe_report(report: EvaluationReport) -> str:
    """Say in one line how many photos of how many persons were seen, and by which recognizers."""
    persons = {result.photo.identity for result in report.results}
    unreadable = f", {len(report.unreadable)} more unreadable" if report.unreadable else ""
    plural = "s" if len(report.plan.recognizers) > 1 else ""
    names = ", ".join(report.plan.recognizers)
    return f"{len(report.results)} photos of {len(persons)} persons{unreadable}; recognizer{plural}: {names}"


def describe_groups(report: EvaluationReport) -> list[str]:
    """Say in one line how many of the photos have groups; nothing without a file of groups."""
    return [] if report.groups is None else [report.groups.describe([result.photo for result in report.results])]


def report_as_dict(report: EvaluationReport) -> dict[str, object]:
    """Return everything as JSON can hold it: all scores, and each photo's distances, null for a miss."""
    weights = report.plan.weights
    return {
        "symface": __version__,
        "weights": None if weights is None else str(weights),
        "tables": [_table_as_dict(report, table) for table in report.tables],
        "groups": _groups_as_dict(report),
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
            {
                "name": subset.name,
                "attribute": subset.attribute,
                "value": subset.value,
                "photos": len(subset.members),
                "scores": [asdict(score) for score in scores],
            }
            for subset, scores in zip(report.subsets, table.subsets, strict=True)
        ],
    }


def _groups_as_dict(report: EvaluationReport) -> dict[str, object] | None:
    if report.groups is None:
        return None
    photos = report.groups.count(result.photo for result in report.results)
    return {"path": str(report.groups.path), "photos": photos, "strangers": report.groups.strangers}


def _photo_as_dict(report: EvaluationReport, place: int, result: PhotoResult) -> dict[str, object]:
    return {
        "path": str(result.photo.path),
        "identity": result.photo.identity,
        "sha256": result.digest,
        "yaw": None if result.landmarks is None else find_yaw(result.landmarks),
        "agreeing": result.agreeing,
        "groups": {} if report.groups is None else report.groups.of(result.photo),
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
