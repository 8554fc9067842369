"""The terminal's tables, Markdown and JSON tell the same."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from symface_cli.cli.commands import evaluate as command
from symface_cli.cli.console import out
from symface_cli.evaluation.metrics import wilson_interval
from symface_cli.evaluation.protocol import evaluate
from symface_cli.evaluation.report import describe_report, report_as_dict, report_as_markdown
from symface_cli.evaluation.score_tables import paper_scores, score_table, subset_table
from symface_cli.evaluation.scores import EvaluationReport, summarize_results
from tests.evaluation.known import make_people, register

METHODS = ["vae", "noise", "black", "blind"]


@pytest.fixture
def report(monkeypatch: pytest.MonkeyPatch, landmarks: NDArray[np.float64], tmp_path: Path) -> EvaluationReport:
    plan = register(monkeypatch, 0.3 * landmarks)
    plan = replace(plan, recognizers=("brightness", "strict"), conditions=("none", "patch"))
    return summarize_results(plan, list(evaluate(make_people(tmp_path), plan, lambda done, total: None)))


def test_there_is_a_table_per_condition_and_recognizer(report: EvaluationReport) -> None:
    assert [score_table(table).title for table in report.tables] == [
        "recognizer: brightness",
        "recognizer: strict",
        "recognizer: brightness, faces behind an occluder: patch",
        "recognizer: strict, faces behind an occluder: patch",
    ]


def test_rows_fit_their_headings(report: EvaluationReport) -> None:
    for table in report.tables:
        shown, subsets = score_table(table), subset_table(report, table)
        assert {len(row) for row in shown.texts()} == {len(shown.header())}
        assert {len(row) for row in subsets.texts()} == {len(subsets.header())}
        assert [row[0] for row in shown.texts()] == [row[0] for row in subsets.texts()] == METHODS


def test_row_shows_shares_intervals_and_dashes(report: EvaluationReport) -> None:
    table = score_table(report.tables[0])
    cells = dict(zip(table.header(), table.texts()[0], strict=True))
    low = wilson_interval(8, 8)[0]
    assert cells.pop("ms per photo").isdecimal()
    assert cells == {
        "method": "vae",
        **{f"recognized at {threshold} (95 %)": f"1.000 ({low:.3f}-1.000)" for threshold in (0.6, 0.5, 0.4)},
        "paper (OpenFace)": "-",
        "rank-1 (95 %)": f"1.000 ({low:.3f}-1.000)",
        "faces missed": "0",
        "false accepts at 0.6 / 0.5 / 0.4": "0.000 / 0.000 / 0.000",
        "mirror error": "63",
        "p against vae at 0.5": "-",
    }


def test_subsets_show_the_share_at_the_second_threshold(report: EvaluationReport) -> None:
    table = subset_table(report, report.tables[0])
    assert table.header() == ["method", "yaw under 5 (n = 8)", "agreeing under 12 (n = 8)"]
    assert table.texts() == [
        ["vae", "1.000", "1.000"],
        ["noise", "0.000", "0.000"],
        ["black", "0.000", "0.000"],
        ["blind", "0.750", "0.750"],
    ]


def test_papers_numbers_are_those_of_its_table_1() -> None:
    # Section 5.2: ours 0.872, CLNF 0.738, dlib 0.712, SDM 0.694, CLM 0.658.
    paper = paper_scores()
    assert paper["vae-decode"] == 0.872
    halves = {"clnf": 0.738, "dlib": 0.712, "sdm": 0.694, "clm": 0.658}
    for name, share in halves.items():
        assert paper[f"{name}-left"] == paper[f"{name}-right"] == share
    assert len(paper) == 9  # neither averages nor warps are in the paper


def test_markdown_has_every_table_and_says_what_was_counted(report: EvaluationReport) -> None:
    lines = report_as_markdown(report).splitlines()
    assert lines[0] == "### Recognizer: brightness"
    rows = [line.split(" | ")[0] for line in lines if line.startswith(tuple(f"| {method} |" for method in METHODS))]
    assert rows == 2 * len(report.tables) * [f"| {method}" for method in METHODS]
    assert lines[-1].startswith(f"{describe_report(report)}; paper (OpenFace): ")
    assert describe_report(report) == "8 photos of 4 persons; recognizers: brightness, strict"


def test_json_has_every_score_and_every_photos_distances(report: EvaluationReport) -> None:
    loaded = json.loads(json.dumps(report_as_dict(report), allow_nan=False))
    assert [(table["condition"], table["recognizer"]) for table in loaded["tables"]] == [
        ("none", "brightness"),
        ("none", "strict"),
        ("patch", "brightness"),
        ("patch", "strict"),
    ]
    first = loaded["tables"][0]
    assert [score["method"] for score in first["scores"]] == METHODS
    assert first["scores"][0]["recognized"][0]["count"] == first["scores"][0]["rank_one"]["count"] == 8
    assert [(subset["name"], subset["photos"]) for subset in first["subsets"]] == [
        ("yaw under 5", 8),
        ("agreeing under 12", 8),
    ]
    photo = loaded["photos"][0]
    assert (photo["identity"], photo["agreeing"], photo["yaw"]) == ("25", 0, pytest.approx(0, abs=1e-4))
    distances = {(row["condition"], row["recognizer"]): row["methods"] for row in photo["distances"]}
    assert distances["none", "strict"]["vae"] == 0
    assert distances["none", "strict"]["black"] is None
    assert distances["patch", "strict"]["vae"] == report.tables[3].distances["vae"][0] > 0


@pytest.mark.parametrize("width", [60, 80, 120, 300])
def test_terminal_shows_every_number_whole(
    report: EvaluationReport, width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(type(out), "is_terminal", True)
    monkeypatch.setattr(out, "_width", width)
    command._print(report)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width
    shown = {cell for line in lines for cell in line.split("   ")}
    for table in report.tables:
        for row in [*score_table(table).texts(), *subset_table(report, table).texts()]:
            assert {cell.strip() for cell in row} <= {cell.strip() for cell in shown}


def test_without_a_terminal_each_row_is_one_whole_line(
    report: EvaluationReport, capsys: pytest.CaptureFixture[str]
) -> None:
    command._print(report)
    shown = [line.split() for line in capsys.readouterr().out.splitlines()]
    for table in report.tables:
        for row in [*score_table(table).texts(), *subset_table(report, table).texts()]:
            assert " ".join(row).split() in shown
