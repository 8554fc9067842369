"""An evaluation's report as one HTML file that fetches nothing: tables, curves, and the pictures of chosen photos."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from symface_cli.evaluation.contact_sheet import choose_ranking, draw_sheets
from symface_cli.evaluation.plot import BOTTOM, LEFT, RIGHT, TOP, draw_plot
from symface_cli.evaluation.protocol import EvaluationPlan
from symface_cli.evaluation.report import (
    describe,
    subset_header,
    subset_rows,
    subset_title,
    table_header,
    table_rows,
    table_title,
)
from symface_cli.evaluation.scores import Report
from symface_cli.methods.registry import OURS, provider_of
from symface_cli.network.weights import bundled_weights
from symface_cli.pages import load_template
from symface_cli.version import __version__

MOST_CURVES = 8  # so many colors can be told apart
BETTER: dict[str, Callable[[list[float]], float]] = {
    "recognized": max,
    "rank": max,
    "yaw": max,
    "agreeing": max,
    "faces missed": min,
    "mirror error": min,
    "ms": min,
}
"""What is best in a column, by how its heading begins; columns without an entry have no best value."""


@dataclass(frozen=True)
class Cell:
    """A cell of a table; `kind` is "best" for a column's best value, "paper" for what the paper reports, else ""."""

    text: str
    kind: str


@dataclass(frozen=True)
class Row:
    """A method's row.

    Attributes:
        method: Its name.
        number: That of its curves, None without curves.
        cells: What else is in the row.
    """

    method: str
    number: int | None
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Grid:
    """A table as it is shown."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Row]


def as_html(report: Report, command: str) -> str:
    """The page; the same report, pictures and command give the same text.

    Args:
        report: What it shows.
        command: The command line that made it.

    Raises:
        PhotoError: If a photo to be shown cannot be read any more.
        WeightsError, DataError: If a model cannot be loaded.
    """
    page = load_template(__package__, "report.html.jinja")
    drawn, ranking = choose_curves(report), choose_ranking(report.plan)
    return page.render(
        facts=_facts(report),
        command=command,
        tables=_tables(report, drawn),
        subsets=_subset_tables(report, drawn),
        plots=[draw_plot(table_title(table), table, drawn) for table in report.tables],
        legend=drawn,
        frame={"left": LEFT, "right": RIGHT, "top": TOP, "bottom": BOTTOM},
        ranking=ranking,
        sheets=draw_sheets(report, ranking),
    )


def _tables(report: Report, drawn: Sequence[str]) -> list[Grid]:
    grids = []
    for table in report.tables:
        header = table_header(table)
        grids.append(Grid(table_title(table), header, mark_rows(header, table_rows(table), drawn)))
    return grids


def _subset_tables(report: Report, drawn: Sequence[str]) -> list[Grid]:
    header = subset_header(report)
    return [
        Grid(f"{table_title(table)}; {subset_title(table)}", header, mark_rows(header, subset_rows(table), drawn))
        for table in report.tables
    ]


def choose_curves(report: Report) -> tuple[str, ...]:
    """The methods whose curves are drawn, `vae` first; of many, those recognized most often at the second threshold."""
    methods = sorted(report.plan.methods, key=lambda method: method != OURS)
    if len(methods) <= MOST_CURVES or not report.tables:
        return tuple(methods[:MOST_CURVES])
    counts = {score.method: score.recognized[1].count for score in report.tables[0].scores}
    ranked = sorted(methods, key=lambda method: (method != OURS, -counts[method]))
    return tuple(method for method in methods if method in ranked[:MOST_CURVES])


def _facts(report: Report) -> list[tuple[str, str]]:
    """What was counted, and with what."""
    facts = [("counted", describe(report)), ("symface", __version__)]
    if any(provider_of(method) == OURS for method in report.plan.methods):
        facts.append(("weights", _name_weights(report.plan)))
    return facts


def _name_weights(plan: EvaluationPlan) -> str:
    path = plan.weights or bundled_weights()
    name = "bundled" if plan.weights is None else path.name
    return f"{name}, SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()}"


def mark_rows(header: Sequence[str], rows: Sequence[Sequence[str]], drawn: Sequence[str]) -> list[Row]:
    """Rows of text, with what is to be set off in them; no value is best where all are the same.

    Args:
        header: Headings of the columns, the methods' first.
        rows: One per method.
        drawn: The methods that have curves, in the order of their numbers.
    """
    best = [_best(heading, [row[i] for row in rows]) for i, heading in enumerate(header)]
    kinds = ["paper" if heading.startswith("paper") else "" for heading in header]
    return [
        Row(
            row[0],
            drawn.index(row[0]) if row[0] in drawn else None,
            tuple(Cell(text, "best" if text in best[i] else kinds[i]) for i, text in enumerate(row[1:], 1)),
        )
        for row in rows
    ]


def _best(heading: str, column: Sequence[str]) -> set[str]:
    """The best texts of a column, by the number that they begin with."""
    choose = next((choose for beginning, choose in BETTER.items() if heading.startswith(beginning)), None)
    if choose is None:
        return set()
    values = {text: float(text.split()[0]) for text in column if text != "-"}
    if len(set(values.values())) < 2:
        return set()
    return {text for text, value in values.items() if value == choose(list(values.values()))}
