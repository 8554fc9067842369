"""What has changed in photos, as it is shown."""

from collections.abc import Iterator

from symface_cli.evaluation.occluders import NO_OCCLUDER
from symface_cli.evaluation.photos.changes import OVERWRITTEN
from symface_cli.evaluation.photos.summary import MUCH, ChangeScore
from symface_cli.evaluation.scores import EvaluationReport, ScoreTable
from symface_cli.evaluation.subsets.difficulty import AGREEING
from symface_cli.evaluation.tables import Column, Table

NamedChange = tuple[str, str, ChangeScore]
"""Method, photos, and what has changed in them."""


def change_tables(report: EvaluationReport) -> Iterator[Table[NamedChange]]:
    """Lay out what has changed in whole photos, one table per condition; none for aligned faces."""
    for table in report.tables:
        if table.recognizer == report.plan.recognizers[0]:
            rows = [row for method in range(len(table.scores)) for row in _rows(report, table, method)]
            if rows:
                hidden = "" if table.condition == NO_OCCLUDER else f", faces behind an occluder: {table.condition}"
                yield Table(
                    f"what changes in whole photos: areas overwritten, in squared eye distances{hidden}",
                    _columns(rows),
                    rows,
                )


def _rows(report: EvaluationReport, table: ScoreTable, method: int) -> Iterator[NamedChange]:
    """Yield what a method has changed in all photos, and in those of each subset by yaw or by groups."""
    named = [("all", table.scores[method])]
    for subset, scores in zip(report.subsets, table.subsets, strict=True):
        if subset.attribute != AGREEING:
            named.append((subset.name, scores[method]))
    for name, score in named:
        if score.change is not None:
            yield score.method, f"{name} (n = {score.change.photos})", score.change


def _columns(rows: list[NamedChange]) -> list[Column[NamedChange]]:
    """Return the columns; those of labels only where labels are known."""
    kinds = [kind.name.lower() for kind in OVERWRITTEN] if any(change.labeled for _, _, change in rows) else []
    return [
        Column(heading="method", value=lambda row: row[0]),
        Column(heading="photos", value=lambda row: row[1]),
        *map(_overwritten_column, kinds),
        Column(heading="outline step", value=lambda row: row[2].outline_step, format="{:.1f}"),
        Column(heading="asymmetry in the photo", value=lambda row: row[2].asymmetry_before, format="{:.2f} %"),
        Column(heading="asymmetry left", value=lambda row: row[2].asymmetry, format="{:.2f} %"),
    ]


def _overwritten_column(kind: str) -> Column[NamedChange]:
    def mean(row: NamedChange) -> float | None:
        area = row[2].overwritten.get(kind)
        return None if area is None else area.mean

    def much(row: NamedChange) -> str:
        area = row[2].overwritten.get(kind)
        return "" if area is None else f"{area.much:.1%}"

    name = kind.replace("_", " ")
    return Column(heading=f"{name} (over {MUCH:g})", value=mean, format="{:.3f}", note=much)
