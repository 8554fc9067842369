"""Figures by groups that a file names: what is read, what is refused, and what is shown of them."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from symface_cli.data.datasets import Dataset, survey
from symface_cli.errors import DataError
from symface_cli.evaluation.html import report_as_html
from symface_cli.evaluation.protocol import EvaluationPlan, evaluate
from symface_cli.evaluation.report import report_as_dict, report_as_markdown
from symface_cli.evaluation.score_tables import group_tables
from symface_cli.evaluation.scores import EvaluationReport, summarize_results
from symface_cli.evaluation.subsets.groups import read_groups, sort_values
from tests.conftest import Finished
from tests.evaluation.known import drawn, make_people, register
from tests.pages import HOSTILE, Reader

LIGHT = "photo,attribute,value\n25/0.png,light,dark\n50/0.png,light,dark\n75/1.png,light,dark\n105/0.png,light,bright\n"


@pytest.fixture
def plan(monkeypatch: pytest.MonkeyPatch, landmarks: NDArray[np.float64]) -> EvaluationPlan:
    """Of `make_people`'s eight photos, `blind` finds no face in the two of person 105, which are bright."""
    return register(monkeypatch, 0.3 * landmarks)


@pytest.fixture
def data(tmp_path: Path) -> Dataset:
    make_people(tmp_path / "data")
    return survey(tmp_path / "data")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "groups.csv"
    path.write_text(LIGHT)
    return path


@pytest.fixture
def report(plan: EvaluationPlan, data: Dataset, file: Path) -> EvaluationReport:
    results = list(evaluate(data.photos, plan, lambda done, total: None))
    return summarize_results(plan, results, read_groups(file, data))


def by_name(file: Path, data: Dataset) -> dict[str, dict[str, str]]:
    """The groups of a file, by the photos' names."""
    values = read_groups(file, data).values
    return {attribute: {data.name_of(photo): value for photo, value in of.items()} for attribute, of in values.items()}


# The file


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_what_spreadsheet_programs_save_is_read(data: Dataset, file: Path, separator: str) -> None:
    lines = ["value,photo,attribute", "dark,25/0.png,light", ",,", " 30 ,25/0.png,age", "bright,105/1.png,light"]
    file.write_bytes("\r\n".join(["\ufeff" + lines[0], *lines[1:]]).replace(",", separator).encode())
    assert by_name(file, data) == {"light": {"25/0.png": "dark", "105/1.png": "bright"}, "age": {"25/0.png": "30"}}


def test_it_is_said_how_many_photos_have_groups_and_how_many_lines_are_of_no_use(data: Dataset, file: Path) -> None:
    file.write_text(LIGHT + "25/0.png,age,30\n26/0.png,age,30\n25/2.png,age,30\n")
    groups = read_groups(file, data)
    assert groups.count(data.photos) == 4
    assert (
        groups.describe(data.photos[:3])  # 25/0, 25/1, 50/0
        == f"groups of 2 of the 3 photos in {file}; 2 lines of it name photos that are not in the data set"
    )
    file.write_text(LIGHT + LIGHT.splitlines()[1])  # said twice
    assert read_groups(file, data).describe(data.photos) == f"groups of 4 of the 8 photos in {file}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("photo,value\n25/0.png,dark\n", "line 1: the column attribute is missing; begin the file with a line photo,"),
        ("photo,attribute,value,value\n", "line 1: the column 'value' is one too many"),
        ("", "line 1: the column photo is missing"),
        (LIGHT + "25/0.png,light\n", "line 6: it has 2 cells, not the 3 of the first line"),
        (LIGHT + "25/1.png,light, \n", "line 6: value is empty; fill it in, or delete the line"),
        (LIGHT + "25/1.png,,dark\n", "line 6: attribute is empty"),
        (LIGHT + "\n25/0.png,light,bright\n", "line 7: 25/0.png has two values of light, dark and bright; delete one"),
        (LIGHT + "25/0.png,yaw,20\n", "line 6: every evaluation has subsets by yaw; give the attribute another name"),
        ("photo,attribute,value\nA\\1.png,age,3\n", "none of the photos in it, such as A\\1.png, is in {data}; give"),
        ("photo,attribute,value\n", "none of the photos in it is in {data}; give each photo's path in there"),
    ],
)
def test_what_cannot_be_right_is_refused_with_its_line(data: Dataset, file: Path, text: str, message: str) -> None:
    file.write_text(text)
    with pytest.raises(DataError) as refusal:
        read_groups(file, data)
    assert str(refusal.value).startswith(f"{file}: {message.format(data=data.folder)}")


@pytest.mark.parametrize(
    ("values", "ordered"),
    [
        (["10", "9", "100", "9.5"], ["9", "9.5", "10", "100"]),
        (["13-24", "0-12", "60+", "5,5-6", "25-39", "0-12"], ["0-12", "5,5-6", "13-24", "25-39", "60+"]),
        (["male", "female", "Unknown", "10"], ["10", "female", "male", "Unknown"]),
        (["over 60", "9", "10"], ["10", "9", "over 60"]),  # not all begin with a number
    ],
)
def test_values_are_sorted_by_their_numbers_or_else_by_name(values: list[str], ordered: list[str]) -> None:
    assert sort_values(values) == ordered


# What is shown


def test_groups_have_all_figures_of_their_own_photos(report: EvaluationReport) -> None:
    (table,) = group_tables(report, report.tables[0])
    assert table.title == "by light"
    figures = ["recognized at 0.6 (95 %)", "against all at 0.5", "rank-1 (95 %)", "faces missed"]
    rows = [dict(zip(table.header(), row, strict=True)) for row in table.texts()]
    assert [
        (row["method"], row["photos"], *(row[name] for name in figures)) for row in rows if row["method"] == "blind"
    ] == [
        # Wilson's interval of n of n photos begins at n / (n + 1.96^2), that of none ends at 1.96^2 / (n + 1.96^2)
        ("blind", "all (n = 8)", "0.750 (0.409-0.929)", "-", "0.750 (0.409-0.929)", "2"),
        ("blind", "bright (n = 1)", "0.000 (0.000-0.793)", "-0.750", "0.000 (0.000-0.793)", "1"),
        ("blind", "dark (n = 3)", "1.000 (0.439-1.000)", "+0.250", "1.000 (0.439-1.000)", "0"),
    ]
    assert [row["method"] for row in rows] == [name for name in report.plan.methods for _ in range(3)]
    names = [subset.name for subset in report.subsets]
    assert names == ["yaw under 5", "agreeing under 12", "light bright", "light dark"]


def test_markdown_json_and_page_have_the_groups(report: EvaluationReport, file: Path) -> None:
    markdown = report_as_markdown(report)
    assert "\nBy light:\n\n| method | photos |" in markdown
    assert "| blind | bright (n = 1) | 0.000 (0.000-0.793) |" in markdown
    assert f"; groups of 4 of the 8 photos in {file}; paper" in markdown
    numbers = json.loads(json.dumps(report_as_dict(report)))
    bright, dark = numbers["tables"][0]["subsets"][-2:]
    del bright["scores"]
    assert bright == {"name": "light bright", "attribute": "light", "value": "bright", "photos": 1}
    assert [score["recognized"][1]["count"] for score in dark["scores"]] == [3, 0, 0, 3]
    assert numbers["groups"] == {"path": str(file), "photos": 4, "strangers": 0}
    assert [photo["groups"] for photo in numbers["photos"][:2]] == [{"light": "bright"}, {}]  # 105/0.png, 105/1.png
    page = Reader(report_as_html(report, "symface evaluate"))
    assert "recognizer: brightness; by light" in page.text_in("span")
    assert "#groups" in [attributes.get("href") for attributes in page.named("a")]


def test_hostile_groups_are_shown_and_not_obeyed(plan: EvaluationPlan, data: Dataset, file: Path) -> None:
    file.write_text(f'photo,attribute,value\n25/0.png,a|b,"{HOSTILE.replace(chr(34), chr(34) * 2)}|\n\x1b[0m"\n')
    results = list(evaluate(data.photos, plan, lambda done, total: None))
    report = summarize_results(plan, results, read_groups(file, data))
    page = Reader(report_as_html(report, "symface evaluate"))
    assert all("onerror" not in attributes for _, attributes in page.elements)
    assert any(f"{HOSTILE}|\\n\\x1b[0m (n = 1)" in text for text in page.text_in("td"))
    (row,) = [
        line for line in report_as_markdown(report).splitlines() if "(n = 1)" in line and line.startswith("| vae ")
    ]
    assert f"{HOSTILE}\\|\\n\\x1b[0m (n = 1)" in row


# The command


@pytest.mark.usefixtures("plan", "data")
def test_command_shows_groups_which_may_change_when_it_is_resumed(
    file: Path, symface: Callable[..., Finished], tmp_path: Path
) -> None:
    arguments = ("evaluate", tmp_path / "data", "--split", "all", "--method", "blind", "--recognizer", "brightness")
    finished = symface(*arguments, "--jobs", 1, "--groups", file)
    assert finished.status == 0, finished.err
    assert finished.err.index(f"groups of 4 of the 8 photos in {file}") < finished.err.index("8 photos of 4 persons;")
    assert ["blind", "bright", "(n", "=", "1)", "0.000"] in [line.split()[:6] for line in finished.out.splitlines()]
    assert drawn["blind"] == 6
    file.write_text("photo,attribute,value\n50/0.png,age,3\n")
    again = symface(*arguments, "--jobs", 1, "--groups", file, "--resume")
    assert again.status == 0, again.err
    assert "by age" in again.out and "by light" not in again.out
    assert drawn["blind"] == 6


@pytest.mark.usefixtures("plan", "data")
def test_command_refuses_groups_before_the_work(file: Path, symface: Callable[..., Finished], tmp_path: Path) -> None:
    arguments = ("evaluate", tmp_path / "data", "--split", "all", "--recognizer", "brightness", "--groups")
    file.write_text("photo,attribute,value\nelsewhere/1.png,light,dark\n")
    finished = symface(*arguments, file, "--method", "blind")
    assert finished.status == 6
    assert "none of the photos in it, such as elsewhere/1.png, is in" in finished.err
    finished = symface(*arguments, tmp_path / "gone.csv", "--method", "blind")
    assert (finished.status, finished.err.count("\n")) == (6, 2)  # after the line of what is evaluated
    assert f"cannot read {tmp_path / 'gone.csv'}: No such file or directory" in finished.err
    assert drawn["finds"] == 0 and not (tmp_path / "runs").exists()
    kept = file.read_bytes()
    finished = symface(*arguments, file, "--method", "blind", "--json", file, "--force")
    assert finished.status == 3 and file.read_bytes() == kept
