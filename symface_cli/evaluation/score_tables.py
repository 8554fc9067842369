"""Scores as tables: of all photos, of subsets by difficulty, of groups."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from symface_cli.evaluation.occluders import NO_OCCLUDER
from symface_cli.evaluation.scores import EvaluationReport, RecognizedShare, Score, ScoreTable, Share
from symface_cli.evaluation.subsets.difficulty import ATTRIBUTES
from symface_cli.evaluation.tables import NOTHING, Column, Table
from symface_cli.methods.network import OURS
from symface_cli.methods.registry import all_methods
from symface_cli.recognition.registry import find_recognizer
from symface_cli.rendering.options import Output


class GroupScore(NamedTuple):
    """What an evaluation says about a method on a group of photos, and on all."""

    group: str
    score: Score
    overall: Score

    @property
    def difference(self) -> float | None:
        """How much more of the group than of all photos is recognized at the second threshold; None for all photos."""
        if self.score is self.overall:
            return None
        return self.score.recognized[1].share - self.overall.recognized[1].share


ShownTable = Table[Score] | Table[tuple[Score, ...]] | Table[GroupScore]


def tables_of(report: EvaluationReport, table: ScoreTable) -> list[ShownTable]:
    """Lay out all that one recognizer says under one condition: of all photos, of subsets, of groups if there are."""
    return [score_table(table), subset_table(report, table), *group_tables(report, table)]


def paper_scores() -> dict[str, float]:
    """Return what the paper's Table 1 reports for LFW, recognized by OpenFace, by method, the best one first."""
    scores = {method.name: method.paper_score for method in all_methods() if method.paper_score is not None}
    return dict(sorted(scores.items(), key=lambda item: -item[1]))


def score_table(table: ScoreTable) -> Table[Score]:
    """Lay out the scores of one recognizer under one condition, one row per method."""
    paper = paper_scores() if table.condition == NO_OCCLUDER else {}
    columns = (
        Column[Score](heading="method", value=lambda score: score.method),
        *_recognized_columns(table),
        Column[Score](
            heading="paper (OpenFace)", value=lambda score: paper.get(score.method), format="{:.3f}", from_paper=True
        ),
        *_other_columns(table),
    )
    return Table(describe_table(table), columns, table.scores)


def describe_table(table: ScoreTable) -> str:
    """Say what a table is about."""
    whole = ", whole photos" if table.output is Output.PHOTO else ""
    hidden = "" if table.condition == NO_OCCLUDER else f", faces behind an occluder: {table.condition}"
    return f"recognizer: {table.recognizer}{whole}{hidden}"


def _recognized_columns(table: ScoreTable) -> list[Column[Score]]:
    """Return the columns of what is recognized at each threshold."""
    return [_recognized_column(place, limit) for place, limit in enumerate(_thresholds(table))]


def _recognized_column(place: int, threshold: float) -> Column[Score]:
    return Column(
        heading=f"recognized at {threshold:g} (95 %)",
        value=lambda score: score.recognized[place].share,
        format="{:.3f}",
        note=lambda score: _write_interval(score.recognized[place]),
        best=max,
    )


def _other_columns(table: ScoreTable) -> list[Column[Score]]:
    """Return the columns of everything else that a score has."""
    thresholds = _thresholds(table)
    return [
        Column(
            heading="rank-1 (95 %)",
            value=lambda score: score.rank_one.share,
            format="{:.3f}",
            note=lambda score: _write_interval(score.rank_one),
            best=max,
        ),
        Column(heading="faces missed", value=lambda score: score.missed.total, best=min),
        Column(
            heading="false accepts at " + " / ".join(f"{threshold:g}" for threshold in thresholds),
            value=lambda score: " / ".join(map(_false_accepts, score.recognized)),
        ),
        Column(heading="mirror error", value=lambda score: score.mirror_error, best=min),
        Column(heading="ms per photo", value=lambda score: score.milliseconds, format="{:.0f}", best=min),
        Column(
            heading=f"p against {OURS.name} at {thresholds[1]:g}",
            value=lambda score: score.mcnemar_p,
            format="{:.2g}",
        ),
    ]


def _thresholds(table: ScoreTable) -> Sequence[float]:
    return find_recognizer(table.recognizer).thresholds


def _write_interval(share: Share) -> str:
    return "{:.3f}-{:.3f}".format(*share.interval)


def _false_accepts(recognized: RecognizedShare) -> str:
    return NOTHING if recognized.false_accepts is None else f"{recognized.false_accepts:.3f}"


def subset_table(report: EvaluationReport, table: ScoreTable) -> Table[tuple[Score, ...]]:
    """Lay out the share of each subset by difficulty that is recognized at the second threshold, a row per method."""
    shown = [(place, subset) for place, subset in enumerate(report.subsets) if subset.attribute in ATTRIBUTES]
    columns = [_subset_column(place, f"{subset.name} (n = {len(subset.members)})") for place, subset in shown]
    return Table(
        f"recognized at {_thresholds(table)[1]:g}, on subsets of the photos",
        (Column[tuple[Score, ...]](heading="method", value=lambda scores: scores[0].method), *columns),
        list(zip(*table.subsets, strict=True)),
    )


def _subset_column(place: int, heading: str) -> Column[tuple[Score, ...]]:
    return Column(heading=heading, value=lambda scores: scores[place].recognized[1].share, format="{:.3f}", best=max)


def group_tables(report: EvaluationReport, table: ScoreTable) -> Iterator[Table[GroupScore]]:
    """Lay out the scores by groups, a table per attribute: for each method a row of all photos, then one per group."""
    pairs = zip(report.subsets, table.subsets, strict=True)
    for attribute, parts in groupby(pairs, key=lambda pair: pair[0].attribute):
        if attribute not in ATTRIBUTES:
            named = [(f"{subset.value} (n = {len(subset.members)})", scores) for subset, scores in parts]
            named.insert(0, (f"all (n = {len(report.results)})", table.scores))
            rows = [
                GroupScore(group, scores[place], overall)
                for place, overall in enumerate(table.scores)
                for group, scores in named
            ]
            yield Table(f"by {attribute}", _group_columns(table), rows)


def _group_columns(table: ScoreTable) -> list[Column[GroupScore]]:
    return [
        Column(heading="method", value=lambda row: row.score.method),
        Column(heading="photos", value=lambda row: row.group),
        *(column.within(_score_of) for column in _recognized_columns(table)),
        Column(heading=f"against all at {_thresholds(table)[1]:g}", value=lambda row: row.difference, format="{:+.3f}"),
        *(column.within(_score_of) for column in _other_columns(table)),
    ]


def _score_of(row: GroupScore) -> Score:
    return row.score
