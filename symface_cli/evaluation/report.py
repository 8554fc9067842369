"""Scores as they are shown: rows of tables, Markdown, JSON."""

from collections.abc import Sequence
from dataclasses import asdict
from math import inf

from symface_cli.evaluation.occluders import NONE
from symface_cli.evaluation.protocol import ExaminedPhoto
from symface_cli.evaluation.scores import Report, Score, Table
from symface_cli.landmarks.pose import find_yaw
from symface_cli.methods.registry import OURS
from symface_cli.recognition.registry import find_recognizer
from symface_cli.version import __version__

PAPER = {
    "vae-decode": 0.872,
    **dict.fromkeys(("clnf-left", "clnf-right"), 0.738),
    **dict.fromkeys(("dlib-left", "dlib-right"), 0.712),
    **dict.fromkeys(("sdm-left", "sdm-right"), 0.694),
    **dict.fromkeys(("clm-left", "clm-right"), 0.658),
}
"""What the paper's Table 1 reports for LFW, recognized by OpenFace: its own network, and one half mirrored about the
midline of four landmark methods; it does not say which half."""

PAPER_NOTE = (
    "paper (OpenFace): what the paper's Table 1 reports of the method's like, for LFW and OpenFace's recognizer"
)


def table_title(table: Table) -> str:
    """What a table is about."""
    hidden = "" if table.condition == NONE else f", faces behind an occluder: {table.condition}"
    return f"recognizer: {table.recognizer}{hidden}"


def table_header(table: Table) -> list[str]:
    """Headings of the table's columns."""
    thresholds = find_recognizer(table.recognizer).thresholds
    return [
        "method",
        *(f"recognized at {threshold:g} (95 %)" for threshold in thresholds),
        "paper (OpenFace)",
        "rank-1",
        "faces missed",
        "false accepts at " + " / ".join(f"{threshold:g}" for threshold in thresholds),
        "mirror error",
        "ms per photo",
        f"p against {OURS} at {thresholds[1]:g}",
    ]


def table_rows(table: Table) -> list[list[str]]:
    """The table, one row of text per method; a dash where there is nothing to say."""
    return [_row(score, table.condition) for score in table.scores]


def _row(score: Score, condition: str) -> list[str]:
    shares = [f"{r.share:.3f} ({r.interval[0]:.3f}-{r.interval[1]:.3f})" for r in score.recognized]
    accepts = ["-" if r.false_accepts is None else f"{r.false_accepts:.3f}" for r in score.recognized]
    return [
        score.method,
        *shares,
        f"{PAPER[score.method]:.3f}" if score.method in PAPER and condition == NONE else "-",
        f"{score.rank_one.share:.3f}",
        str(score.missed.total),
        " / ".join(accepts),
        "-" if score.mirror_error is None else str(score.mirror_error),
        f"{score.milliseconds:.0f}",
        "-" if score.mcnemar_p is None else f"{score.mcnemar_p:.2g}",
    ]


def subset_title(table: Table) -> str:
    """What the table of the subsets is about."""
    return f"recognized at {find_recognizer(table.recognizer).thresholds[1]:g}, on subsets of the photos"


def subset_header(report: Report) -> list[str]:
    """Headings: the subsets with their numbers of photos."""
    return ["method", *(f"{subset.name} (n = {len(subset.members)})" for subset in report.subsets)]


def subset_rows(table: Table) -> list[list[str]]:
    """One row of text per method: the share of each subset that is recognized at the second threshold."""
    columns = [[f"{score.recognized[1].share:.3f}" for score in scores] for scores in table.subsets]
    return [[score.method, *cells] for score, *cells in zip(table.scores, *columns, strict=True)]


def as_markdown(report: Report) -> str:
    """All tables in Markdown, numbers to the right, with a line that says what was counted."""
    lines = []
    for table in report.tables:
        lines += [f"### {_capital(table_title(table))}", "", *_grid(table_header(table), table_rows(table)), ""]
        lines += [f"{_capital(subset_title(table))}:", "", *_grid(subset_header(report), subset_rows(table)), ""]
    return "\n".join([*lines, f"{describe(report)}; {PAPER_NOTE}.", ""])


def _grid(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    ruler = ["---", *["---:"] * (len(header) - 1)]
    return ["| " + " | ".join(cells) + " |" for cells in (header, ruler, *rows)]


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def describe(report: Report) -> str:
    """One line: how many photos of how many persons, seen by whom."""
    persons = {photo.photo.identity for photo in report.examined}
    unreadable = f", {len(report.unreadable)} more unreadable" if report.unreadable else ""
    plural = "s" if len(report.plan.recognizers) > 1 else ""
    names = ", ".join(report.plan.recognizers)
    return f"{len(report.examined)} photos of {len(persons)} persons{unreadable}; recognizer{plural}: {names}"


def as_dict(report: Report) -> dict[str, object]:
    """Everything, as JSON can hold it: all scores, and each photo's distances, null for a miss."""
    plan = report.plan
    return {
        "symface": __version__,
        "weights": None if plan.weights is None else str(plan.weights),
        "tables": [_table_as_dict(report, table) for table in report.tables],
        "paper": PAPER,
        "photos": [_photo_as_dict(report, place, photo) for place, photo in enumerate(report.examined)],
        "unreadable": list(report.unreadable),
    }


def _table_as_dict(report: Report, table: Table) -> dict[str, object]:
    return {
        "condition": table.condition,
        "recognizer": table.recognizer,
        "scores": [asdict(score) for score in table.scores],
        "subsets": [
            {"name": subset.name, "photos": len(subset.members), "scores": [asdict(score) for score in scores]}
            for subset, scores in zip(report.subsets, table.subsets, strict=True)
        ],
    }


def _photo_as_dict(report: Report, place: int, examined: ExaminedPhoto) -> dict[str, object]:
    return {
        "path": str(examined.photo.path),
        "identity": examined.photo.identity,
        "sha256": examined.digest,
        "yaw": None if examined.landmarks is None else find_yaw(examined.landmarks),
        "agreeing": examined.agreeing,
        "distances": [
            {
                "condition": table.condition,
                "recognizer": table.recognizer,
                "methods": {method: _or_none(column[place]) for method, column in table.distances.items()},
            }
            for table in report.tables
        ],
    }


def _or_none(distance: float) -> float | None:
    return distance if distance < inf else None
