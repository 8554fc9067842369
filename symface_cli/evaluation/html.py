"""An evaluation's report as one HTML file that fetches nothing: tables, curves, and the pictures of chosen photos."""

from collections.abc import Sequence
from dataclasses import dataclass

from symface_cli.evaluation.contact_sheet import choose_ranking, draw_sheets
from symface_cli.evaluation.photos.tables import change_tables
from symface_cli.evaluation.plot import BOTTOM, LEFT, RIGHT, TOP, draw_plot
from symface_cli.evaluation.protocol import EvaluationPlan
from symface_cli.evaluation.report import describe_groups, describe_report
from symface_cli.evaluation.score_tables import group_tables, score_table, subset_table
from symface_cli.evaluation.scores import EvaluationReport
from symface_cli.evaluation.tables import Cell, Row, Table
from symface_cli.files import checksum, on_one_line
from symface_cli.methods.network import OURS
from symface_cli.methods.registry import need_weights
from symface_cli.network.weights import choose_weights
from symface_cli.pages import load_template
from symface_cli.version import __version__

MOST_CURVES = 8  # so many colors can be told apart


@dataclass(frozen=True)
class MethodRow:
    """A method's row in a table.

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
    """A table as the page shows it.

    Attributes:
        caption: What it is about.
        header: Headings of the columns.
        rows: One per method.
    """

    caption: str
    header: Sequence[Cell]
    rows: Sequence[MethodRow]


def report_as_html(report: EvaluationReport, command: str) -> str:
    """Write the page; the same report, pictures and command give the same text.

    Args:
        report: What it shows.
        command: The command line that made it.

    Raises:
        SymfaceError: If a model cannot be loaded.
    """
    page = load_template(__package__, "report.html.jinja")
    drawn, ranking = choose_curves(report), choose_ranking(report.plan)
    tables = [(scores, score_table(scores), subset_table(report, scores)) for scores in report.tables]
    return page.render(
        facts=_facts(report),
        command=on_one_line(command),
        tables=[_grid(table.title, table, drawn) for _, table, _ in tables],
        subsets=[_grid(f"{table.title}; {subsets.title}", subsets, drawn) for _, table, subsets in tables],
        groups=[
            _grid(f"{table.title}; {groups.title}", groups, drawn)
            for scores, table, _ in tables
            for groups in group_tables(report, scores)
        ],
        changes=[_grid(table.title, table, drawn) for table in change_tables(report)],
        plots=[draw_plot(table.title, scores, drawn) for scores, table, _ in tables],
        legend=drawn,
        frame={"left": LEFT, "right": RIGHT, "top": TOP, "bottom": BOTTOM},
        ranking=ranking,
        sheets=draw_sheets(report, ranking),
    )


def _grid(caption: str, table: Table[Row], drawn: Sequence[str]) -> Grid:
    """Put the numbers of curves beside the rows of a table."""
    rows = [
        MethodRow(method.text, drawn.index(method.text) if method.text in drawn else None, tuple(cells))
        for method, *cells in table.cells()
    ]
    return Grid(caption, [column.head() for column in table.columns], rows)


def choose_curves(report: EvaluationReport) -> tuple[str, ...]:
    """Choose the methods whose curves are drawn.

    `vae` comes first; of many methods, those recognized most often at the second threshold are chosen.
    """
    ours = OURS.name
    methods = sorted(report.plan.methods, key=lambda method: method != ours)
    if len(methods) <= MOST_CURVES or not report.tables:
        return tuple(methods[:MOST_CURVES])
    counts = {score.method: score.recognized[1].count for score in report.tables[0].scores}
    ranked = sorted(methods, key=lambda method: (method != ours, -counts[method]))
    return tuple(method for method in methods if method in ranked[:MOST_CURVES])


def _facts(report: EvaluationReport) -> list[tuple[str, str]]:
    """Say what was counted, and with what."""
    facts = [("counted", describe_report(report)), *(("groups", line) for line in describe_groups(report))]
    facts.append(("symface", __version__))
    if need_weights(report.plan.methods):
        facts.append(("weights", _name_weights(report.plan)))
    return facts


def _name_weights(plan: EvaluationPlan) -> str:
    name = "bundled" if plan.weights is None else on_one_line(plan.weights.name)
    return f"{name}, SHA-256 {checksum(choose_weights(plan.weights))}"
