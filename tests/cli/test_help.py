"""Help and shell completion: what is shown before anything is computed."""

import shlex
import subprocess
import sys

import pytest
from typer.main import get_command

from symface_cli.cli import help_texts
from symface_cli.cli.app import app, main

COMMANDS = get_command(app).commands
EXAMPLES = [
    line.split("#")[0].split(">")[0].strip()
    for text in (help_texts.SYMFACE, *(command.epilog for command in COMMANDS.values()))
    for line in text.splitlines()
    if line.startswith("  symface ")
]


@pytest.mark.parametrize("line", EXAMPLES)
def test_examples_are_understood(line):
    name, *arguments = shlex.split(line)[1:]
    COMMANDS[name].make_context(name, arguments)  # parses, and does not run


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_short_line_and_examples(symface, name):
    listed = [line for line in symface("--help").out.splitlines() if line.startswith(f"  {name} ")]
    assert len(listed) == 1
    assert listed[0].endswith(".")
    text = symface(name, "--help").out
    assert f"symface {name}" in text[text.index("Examples:") :]


@pytest.mark.parametrize("arguments", [(), *((name,) for name in COMMANDS)])
def test_help_fits_80_columns_and_keeps_examples_on_their_lines(symface, monkeypatch, arguments):
    monkeypatch.setenv("COLUMNS", "80")
    lines = symface(*arguments, "--help").out.splitlines()
    assert max(map(len, lines)) <= 80
    examples = {line.split("#")[0].split(">")[0].strip() for line in lines}
    assert {example for example in EXAMPLES if example.split()[1:2] == list(arguments)} <= examples


def test_options_are_shown_in_groups_each_once(symface):
    groups = ["Arguments", "What is made", "How much", "Which face", "Films", "Many photos", "Expert", "Other"]
    lines = symface("symmetrize", "--help").out.splitlines()
    titles = [line.rstrip(":") for line in lines if line.endswith(":") and not line.startswith(" ")]
    assert titles == groups
    where = {title: lines.index(f"{title}:") for title in titles}
    for option, group in (("--gif", "What is made"), ("--shape", "How much"), ("--eyes", "Which face")):
        (at,) = [i for i, line in enumerate(lines) if line.startswith(f"  {option}")]
        following = groups[groups.index(group) + 1]
        assert where[group] < at < where[following]
    named = [max(option.opts, key=len) for option in COMMANDS["symmetrize"].params if option.opts[0].startswith("-")]
    text = [line.split()[0].rstrip(",") for line in lines if line.startswith("  -")]
    assert sorted([*named, "-h"]) == sorted({"-o": "--out", "-0": "--print0"}.get(name, name) for name in text)


def test_help_says_where_more_is_told(symface):
    text = symface("--help").out
    for told in ("symface symmetrize portrait.jpg", "symface.toml", "SYMFACE_SYMMETRIZE_FORCE=1", "README.md"):
        assert told in text


def test_symface_alone_shows_its_help(symface):
    finished = symface()
    assert finished.out == symface("--help").out
    assert finished.err == ""


COMPLETIONS = {
    "symface sym": ["symmetrize"],
    "symface doctor --js": ["--json"],
    "symface --conf": ["--config"],
    "symface train --arch ": ["symface", "paper"],
}


def test_shells_complete_commands_options_and_choices_without_heavy_imports():
    """As bash asks for them, and all in one process."""
    code = """if True:
        import os, sys
        from symface_cli.cli.app import main
        for words in sys.argv[1:]:
            os.environ.update(_SYMFACE_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=str(words.count(" ")))
            main([])
            print("heavy:", *{"torch", "cv2", "dlib", "numpy", "PIL"} & set(sys.modules))
    """
    finished = subprocess.run([sys.executable, "-c", code, *COMPLETIONS], capture_output=True, text=True, check=False)
    assert finished.stderr == ""
    assert finished.stdout.split() == [word for found in COMPLETIONS.values() for word in (*found, "heavy:")]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_call_symface(shell, monkeypatch, capsys):
    monkeypatch.setenv("_SYMFACE_COMPLETE", f"source_{shell}")
    assert main([]) == 0
    assert f"_SYMFACE_COMPLETE=complete_{shell}" in capsys.readouterr().out
