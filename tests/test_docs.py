"""What the README says is so."""

import re
import shlex

import pytest

from tests.conftest import ROOT

README = (ROOT / "README.md").read_text("utf-8")


def test_the_two_commands_are_there_and_ci_runs_the_second():
    commands = re.findall(r"^python3 -m venv .*$", README, re.MULTILINE)
    assert len(commands) == 2
    assert commands[0].endswith("symface symmetrize examples/portrait.jpg")
    assert commands[1].endswith("pytest")
    assert "README.md" in (ROOT / ".ci" / "run").read_text()


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\((?!http)([^)#]+)\)", README))))
def test_linked_files_exist(target):
    assert (ROOT / target).exists()


@pytest.mark.parametrize(
    "option",
    [
        "--out",
        "--output",
        "--shape",
        "--color",
        "--no-detail",
        "--faces",
        "--force",
        "--resume",
        "--report",
        "--weights",
        "--device",
    ],
)
def test_options_of_symmetrize_are_those_of_the_readme(symface, option):
    assert option in README
    assert option in symface("symmetrize", "--help").out


@pytest.mark.parametrize(
    "line", re.findall(r"^symface (?:train|label|evaluate|symmetrize|measure) .*$", README, re.MULTILINE)
)
def test_examples_use_options_that_exist(symface, line):
    words = shlex.split(line, comments=True)[1:]
    text = symface(words[0], "--help").out
    for word in words[1:]:
        if word.startswith("-"):
            assert re.search(rf"(?<!\S){re.escape(word)}\b", text), word


def test_model_card_names_the_bundled_file():
    import hashlib

    from symface_cli.network.weights import bundled_weights

    card = (ROOT / "models" / "README.md").read_text("utf-8")
    assert hashlib.sha256(bundled_weights().read_bytes()).hexdigest() in card


def test_changelog_has_this_version():
    from symface_cli import __version__

    assert f"\n## [{__version__}] - 20" in (ROOT / "CHANGELOG.md").read_text("utf-8")
