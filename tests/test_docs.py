"""What README and the pages of docs/ say is so."""

import ast
import hashlib
import inspect
import json
import re
import shlex
from dataclasses import fields
from pathlib import Path

import pytest
from typer.main import get_command

import symface_cli
from symface_cli.cli.app import app
from symface_cli.cli.rules import RULES
from symface_cli.doctor.checks import VARIABLES
from symface_cli.errors import ExitStatus, SymfaceError
from symface_cli.training.data.licenses import PERMISSIVE
from tests.conftest import ROOT

DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [*(ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "CHANGELOG", "models/README")), *DOCS]
PAGES.append(ROOT / "examples" / "README.md")
TEXTS = {page.relative_to(ROOT).as_posix(): page.read_text("utf-8") for page in PAGES}
README = TEXTS["README.md"]
COMMANDS = get_command(app).commands
OPTIONS = {
    name: {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    for name, command in COMMANDS.items()
}
OPTIONS["cluster"] = {
    option
    for command in COMMANDS["cluster"].commands.values()
    for parameter in command.params
    for option in (*parameter.opts, *parameter.secondary_opts)
}
OF_OTHERS = {
    *("--help", "--version", "--config", "--install-completion"),  # of symface itself
    *("--max-restarts", "--rdzv-id"),  # of torchrun
}
PAGE_OF = {"symmetrize": "symmetrize", "measure": "measure", "label": "training", "train": "training"}
PAGE_OF |= {"asymmetry": "asymmetry", "evaluate": "evaluation", "doctor": "configuration"}
PAGE_OF |= {"merge": "cluster", "serve": "serve"}
OPPOSITES = {"--detail": "--no-detail", "--browser": "--no-browser"}  # the form that pages name
HISTORY = {"CHANGELOG.md", "docs/experiments.md"}  # may name what is no more


def blocks(language):
    """The code blocks of a language: page and code."""
    pattern = re.compile(rf"^```{language}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    return [(page, code) for page, text in TEXTS.items() for code in pattern.findall(text)]


def lines_of_shell():
    """Page and line, continued lines joined."""
    return [
        (page, line.strip()) for page, code in blocks("sh") for line in code.replace("\\\n", " ").splitlines() if line
    ]


def calls_of_symface(texts):
    """Page, command and the rest of the line of each call in some pages' lines."""
    start = re.compile(rf"(?:^|[ /])(?:symface|-m -- symface_cli) ({'|'.join(COMMANDS)})\b(.*)")
    for page, line in texts:
        found = start.search(line)
        if found:
            yield page, found.group(1), re.split(r" [><|]|;", found.group(2).replace("$stage", "1"))[0].strip()


def calls_in_text():
    """Calls within a line of text, which may be abridged."""
    inline = [(page, code) for page, text in TEXTS.items() for code in re.findall(r"`(symface [^`]+)`", text)]
    return sorted({call for call in calls_of_symface(inline) if call[0] not in HISTORY})


def headings(text):
    """The anchors of a page's headings, as GitHub makes them."""
    without_code = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", without_code, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def table_under(page, heading, column=1):
    """The cells of a column of the first table below a heading, without its head."""
    text = f"\n{TEXTS[page]}".split(f"\n{heading}\n", 1)[1]
    rows = re.search(r"^\|.*\n\|[-:| ]+\n((?:\|.*\n)+)", text, re.MULTILINE).group(1)
    return [re.split(r"(?<!\\)\|", row)[column].strip() for row in rows.splitlines()]


def names_in(cells):
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def test_the_two_commands_are_there_and_ci_runs_the_second():
    commands = re.findall(r"^python3 -m venv .*$", README, re.MULTILINE)
    assert len(commands) == 2
    assert commands[0].endswith("symface symmetrize examples/portrait.jpg")
    assert commands[1].endswith("pytest")
    assert "README.md" in (ROOT / ".ci" / "run").read_text()


@pytest.mark.parametrize(
    ("page", "target"),
    sorted({(page, target) for page, text in TEXTS.items() for target in re.findall(r"\]\((?!http)([^)]+)\)", text)}),
)
def test_links_lead_somewhere(page, target):
    path, _, anchor = target.partition("#")
    linked = (ROOT / page).parent / path if path else ROOT / page
    assert linked.exists()
    if anchor:
        assert anchor in headings(linked.read_text("utf-8"))


@pytest.mark.parametrize("page", [page.name for page in DOCS])
def test_readme_leads_to_every_page(page):
    assert f"(docs/{page})" in README


@pytest.mark.parametrize(("page", "command", "rest"), sorted(set(calls_of_symface(lines_of_shell()))))
def test_examples_are_understood(page, command, rest):
    COMMANDS[command].make_context(command, shlex.split(rest, comments=True))  # parses, and does not run


@pytest.mark.parametrize(("page", "command", "rest"), calls_in_text())
def test_calls_within_text_use_options_that_exist(page, command, rest):
    assert set(re.findall(r"(?<!\S)-{1,2}[a-z][a-z0-9-]*", rest)) <= OPTIONS[command]


def test_examples_of_every_command_are_there():
    assert {command for _, command, _ in calls_of_symface(lines_of_shell())} == set(COMMANDS)


@pytest.mark.parametrize(("page", "line"), [found for found in lines_of_shell() if " python " in f" {found[1]}"])
def test_programs_exist_and_have_their_options(page, line):
    words = shlex.split(line, comments=True)
    program = words[words.index("python") + 1]
    if program != "-m":
        source = (ROOT / program).read_text("utf-8")
        assert all(f'"{word}"' in source for word in words if word.startswith("--"))


@pytest.mark.parametrize(
    ("page", "option"),
    sorted(
        {
            (page, option)
            for page, text in TEXTS.items()
            if page not in HISTORY
            for option in re.findall(r"(?<=`)--[a-z][a-z0-9-]*", text)
        }
    ),
)
def test_options_that_are_named_exist(page, option):
    assert option in OF_OTHERS.union(*OPTIONS.values())


@pytest.mark.parametrize(("command", "page"), PAGE_OF.items())
def test_every_option_is_described(command, page):
    named = set(re.findall(r"--?[a-z][a-z0-9-]*", TEXTS[f"docs/{page}.md"]))
    needed = {
        max(parameter.opts, key=len)
        for parameter in COMMANDS[command].params
        if parameter.param_type_name == "option" and not parameter.hidden
    }
    assert {OPPOSITES.get(option, option) for option in needed - {"--help"}} <= named


def test_options_that_do_not_go_together_are_listed():
    text = TEXTS["docs/symmetrize.md"]
    groups = {heading: text.split(f"## {heading}\n")[1].split("\n## ")[0] for heading in ("What is made", "How much")}
    listed = text.split("## Options that do not go together\n")[1].split("\n## ")[0] + "".join(groups.values())
    names = {parameter.name: max(parameter.opts, key=len) for parameter in COMMANDS["symmetrize"].params}
    refused = {names[name] for rule in RULES["symmetrize"] for name in rule.options}
    assert {OPPOSITES.get(option, option) for option in refused} <= set(re.findall(r"--[a-z-]+", listed))


@pytest.mark.parametrize(("page", "code"), blocks("toml"))
def test_configurations_are_accepted(symface, tmp_path, page, code):
    path = tmp_path / "symface.toml"
    path.write_text(code)
    assert str(path) not in symface("--config", path, "label").err  # read, then stopped for want of DATA
    path.write_text(f"{code}\n[elsewhere]\n")
    assert str(path) in symface("--config", path, "label").err


@pytest.mark.parametrize(("page", "code"), blocks("python"))
def test_python_uses_what_there_is(page, code):
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "symface_cli":
            assert node.attr in symface_cli.__all__
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("symface_cli."):
            known = inspect.signature(getattr(symface_cli, node.func.attr)).parameters
            assert {keyword.arg for keyword in node.keywords} <= set(known)


@pytest.mark.parametrize("function", ["symmetrize", "symmetric_faces", "measure", "measure_video"])
def test_every_argument_is_described(function):
    described = names_in(table_under("docs/python.md", "# Python: symface in your own program"))
    assert set(inspect.signature(getattr(symface_cli, function)).parameters) <= set(described)


@pytest.mark.parametrize("name", [name for name in symface_cli.__all__ if name != "__version__"])
def test_everything_that_is_exported_is_described(name):
    assert re.search(rf"\b{name}\b", TEXTS["docs/python.md"])


def test_what_is_measured_of_a_face_is_described():
    names = {field.name for field in fields(symface_cli.FaceMeasurement)}
    assert names <= set(re.findall(r"`(\w+)`", TEXTS["docs/python.md"]))


def test_what_is_measured_of_a_frame_is_described():
    names = {field.name for field in fields(symface_cli.FrameMeasurement)} - {"numbers", "places"}
    assert names <= set(re.findall(r"`(\w+)`", TEXTS["docs/python.md"]))


def test_exceptions_are_those_of_the_package():
    listed = names_in(table_under("docs/python.md", "## Errors"))
    statuses = table_under("docs/python.md", "## Errors", column=3)
    causes = SymfaceError.__subclasses__()
    assert dict(zip(listed, map(int, statuses), strict=True)) == {cause.__name__: cause.status for cause in causes}


def test_extras_are_those_of_the_project():
    listed = names_in(table_under("docs/configuration.md", "## Extras"))
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    table = project.split("[project.optional-dependencies]\n")[1].split("\n[")[0]
    assert listed == re.findall(r"^(\w+) = \[", table, re.MULTILINE)
    package = Path(symface_cli.__file__).parent
    calls = [
        node
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("MissingExtraError", "RefusedError")
    ]
    given = [*(call.args[1:2] for call in calls if ast.unparse(call.func) == "MissingExtraError")]
    given += [[keyword.value] for call in calls for keyword in call.keywords if keyword.arg == "extra"]
    named = {value.value for values in given for value in values if isinstance(value, ast.Constant)}
    assert len(named) > 2
    assert named <= set(listed)


def test_exit_statuses_are_those_of_the_program():
    listed = table_under("docs/configuration.md", "## Exit statuses")
    assert list(map(int, listed)) == [status.value for status in ExitStatus]


def test_variables_are_those_that_are_read():
    listed = names_in(table_under("docs/configuration.md", "## Options in variables"))
    assert sorted(listed) == sorted(f"SYMFACE_{name}" for name in VARIABLES)


def test_variables_that_are_named_exist():
    of_options = {
        f"SYMFACE_{command}_{option.lstrip('-')}".replace("-", "_").upper()
        for command, options in OPTIONS.items()
        for option in options
    }
    known = of_options | {f"SYMFACE_{name}" for name in VARIABLES} | {"SYMFACE_COMMAND_OPTION"}
    for text in TEXTS.values():
        assert set(re.findall(r"SYMFACE_[A-Z_]+[A-Z]", text)) <= known


def test_manifest_keys_are_all_described(symface, portrait, tmp_path):
    symface("symmetrize", portrait, "-o", f"{tmp_path}/")
    (line,) = (tmp_path / "manifest.jsonl").read_text("utf-8").splitlines()
    assert names_in(table_under("docs/formats.md", "## Manifest")) == list(json.loads(line))
    (parameters,) = table_under("docs/formats.md", "## Manifest", column=2)[-1:]
    assert set(json.loads(line)["parameters"]) <= set(names_in([parameters]))


def test_measurements_are_all_described():
    from symface_cli.measurement.quantities import NAMES, Area

    text = TEXTS["docs/formats.md"].split("## Measurements")[1].split("\n## ")[0]
    endings = re.findall(r"^\| `(_[a-z_]+)`", text, re.MULTILINE)
    areas = tuple(area.value for area in Area if area is not Area.WHOLE)
    plain = {name for name in re.findall(r"`([a-z_]+)`", text) if name in NAMES and not name.startswith(areas)}
    assert plain | {f"{area}{ending}" for area in areas for ending in endings} == set(NAMES)


def test_columns_of_sessions_are_all_described():
    from symface_cli.sessions.tables import COLUMNS, FACE_COLUMNS, VISIT_COLUMNS

    assert names_in(table_under("docs/formats.md", "## Sessions")) == [*VISIT_COLUMNS, *FACE_COLUMNS]
    endings = names_in(table_under("docs/sessions.md", "## What it says"))
    assert {f"fai{ending}" for ending in endings} == {column for column in COLUMNS if column.startswith("fai_")}
    assert {name for name in COLUMNS if name.startswith("nose_deviation")} == {
        f"nose_deviation{error}{change}" for error in ("", "_error") for change in ("", "_from_rest", "_from_first")
    }


def test_what_is_written_of_films_is_described():
    from symface_cli.films.reports.tables import FRAME_COLUMNS, SETTING_COLUMNS, as_json
    from tests.films.test_measuring_tables import study_of

    described = names_in(table_under("docs/formats.md", "## Films"))
    assert set(described) >= {*FRAME_COLUMNS, *SETTING_COLUMNS}
    (film,) = json.loads(as_json([study_of()]))["films"]
    person = film["persons"][0]
    measure = person["measures"]["commissure_excursion"]
    keys = {*film, *person, *measure, *measure["movements"][0], *measure["movements"][0]["left"]}
    text = TEXTS["docs/formats.md"].split("## Films")[1].split("\n## ")[0]
    assert keys <= set(re.findall(r"`(\w+)`", text))


def test_what_is_known_of_a_sample_is_described():
    from symface_cli.morphometrics.analysis import analyze
    from symface_cli.morphometrics.permutations import Permutations
    from symface_cli.morphometrics.reading import TABLE
    from symface_cli.morphometrics.tables import COLUMNS, as_json
    from tests.morphometrics.samples import sample_of

    text = TEXTS["docs/formats.md"].split("## Landmarks of a sample")[1].split("\n## ")[0]
    assert names_in(table_under("docs/formats.md", "## Landmarks of a sample")) == list(TABLE.columns)
    document = json.loads(as_json(analyze(sample_of([2, 2]), Permutations(2, 0))))
    keys = {*COLUMNS, *document, *document["anova"][0], *document["repeatability"], *document["directional"][0]}
    assert keys <= set(re.findall(r"`(\w+)`", text))


def test_label_columns_are_all_described():
    from symface_cli.training.data.label_table import COLUMNS

    described = names_in(table_under("docs/formats.md", "## Labels"))
    first = COLUMNS.index("x0")
    assert described == [*COLUMNS[:first], "x0", "y0", "x67", "y67"]
    assert COLUMNS[first:] == tuple(f"{axis}{number}" for number in range(68) for axis in "xy")


def test_columns_of_groups_are_all_described():
    from symface_cli.evaluation.subsets.groups import COLUMNS

    assert names_in(table_under("docs/formats.md", "## Groups")) == list(COLUMNS)


def test_stored_results_are_all_described():
    from symface_cli.evaluation.store import STORE_FORMAT, TABLES

    text = TEXTS["docs/formats.md"].split("## Evaluation results")[1]
    assert f"format ({STORE_FORMAT})" in text
    for table, columns in TABLES.items():
        row = re.search(rf"^\| `{table}` \| (.*) \|$", text, re.MULTILINE).group(1)
        names = re.findall(r"(\w+) (?:TEXT|BLOB|INTEGER|REAL)", columns)
        assert re.findall(r"`(\w+)`", row) == names
        assert set(names) <= set(re.findall(r"`(\w+)`", text[text.index("| column |") :]))


def test_scores_are_all_described():
    from symface_cli.evaluation.midline import ErrorSummary, MidlineAccuracy, MidlineError
    from symface_cli.evaluation.scores import MissedFaces, RecognizedShare, Score, Share

    text = TEXTS["docs/formats.md"].split("## Evaluation results")[1].split("\n## ")[0]
    for record in (Score, RecognizedShare, Share, MissedFaces, MidlineAccuracy, MidlineError, ErrorSummary):
        assert {field.name for field in fields(record)} <= set(re.findall(r"`(\w+)`", text))


def test_prepared_arrays_are_all_described():
    from symface_cli.training.data.prepared.cached import PREPARED_FORMAT
    from symface_cli.training.data.prepared.preparation import CROPS, SEGMENTS, TARGETS

    text = TEXTS["docs/formats.md"].split("## Prepared photos")[1]
    assert re.search(rf"format \({PREPARED_FORMAT}\)", " ".join(text.split()))
    for name, (shape, dtype) in {**CROPS, **TARGETS, **SEGMENTS}.items():
        size = str(("N", *shape)).replace("'", "")
        assert f"| `{name}.npy` | {size} {dtype.__name__} |" in text


def test_configurations_of_trainings_are_described():
    from symface_cli.network.architecture import Architecture
    from symface_cli.training.config import EPOCHS, RATES, TrainingConfig

    config = TrainingConfig(stage=1, architecture=Architecture(), epochs=1, batch_size=2, lr=0.1, seed=0)
    assert names_in(table_under("docs/formats.md", "### Configuration of a training")) == list(config.settings(1))
    stages = table_under("docs/training.md", "## The three stages")
    epochs, rates = (table_under("docs/training.md", "## The three stages", column) for column in (5, 6))
    assert [(int(a), int(b), float(c)) for a, b, c in zip(stages, epochs, rates, strict=True)] == [
        (stage, EPOCHS[stage], RATES[stage]) for stage in (1, 2, 3)
    ]


def test_architecture_names_every_layer():
    package = Path(symface_cli.__file__).parent
    rooms = {path.name for path in package.iterdir() if path.suffix == ".py" and not path.name.startswith("__")}
    rooms |= {f"{path.name}/" for path in package.iterdir() if (path / "__init__.py").is_file()}
    listed = names_in(table_under("docs/architecture.md", "## Layers", column=2))
    assert sorted(listed) == sorted(rooms)


@pytest.mark.parametrize("page", ["docs/architecture.md", "CONTRIBUTING.md", "models/README.md"])
def test_files_that_are_named_exist(page):
    places = (ROOT, ROOT / "symface_cli")
    for name in re.findall(r"`([\w./]+/[\w./]*|[\w/]+\.py)`", TEXTS[page]):
        assert any((place / name).exists() for place in places), name


@pytest.mark.parametrize("page", ["docs/free-weights.md", "docs/formats.md"])
def test_licenses_that_permit_every_use_are_named(page):
    assert all(f"`{name}`" in TEXTS[page] for name in PERMISSIVE)


@pytest.mark.parametrize("name", ["research", "free"])
def test_model_card_names_the_bundled_files(name):
    from symface_cli.network.weights import bundled_weights

    assert hashlib.sha256(bundled_weights(name).read_bytes()).hexdigest() in TEXTS["models/README.md"]


@pytest.mark.parametrize("page", ["README.md", "models/README.md"])
def test_figures_are_those_of_the_evaluation(page):
    table = {
        row.split("|")[1].strip(): re.findall(r"(?<=\| )\d\.\d{3}", row)
        for row in TEXTS["docs/evaluation.md"].split("## Results on LFW")[1].split("### ")[0].splitlines()
        if row.startswith(("| vae", "| dlib", "| sdm", "| clm", "| clnf", "| mediapipe"))
    }
    aliases = {"**symface**": "vae", "symface `--no-detail`": "vae-decode"}
    text = TEXTS[page].split("| at 0.6 |")[1]
    rows = re.findall(r"^\| ([^|:]+)[^|]* ((?:\| \d\.\d{3} ?)+)", text, re.MULTILINE)
    assert len(rows) >= 3
    for name, cells in rows:
        method = aliases.get(name.strip(), name.strip("` "))
        assert re.findall(r"\d\.\d{3}", cells) == table[method][:3]


def test_changelog_and_citation_have_this_version():
    dated = re.search(rf"^## \[{re.escape(symface_cli.__version__)}\] - (20\S+)$", TEXTS["CHANGELOG.md"], re.MULTILINE)
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    assert f"\nversion: {symface_cli.__version__}\n" in citation
    assert f"\ndate-released: {dated.group(1)}\n" in citation
