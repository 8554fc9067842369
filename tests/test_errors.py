"""Exceptions by their causes, and their messages, which fit Python and the command line."""

import ast
import pickle
import re
from pathlib import Path

import pytest

from symface_cli import errors
from symface_cli.cli.hints import explain, with_hint
from symface_cli.errors import ExitStatus, Hint, MissingExtraError, OutputError, SymfaceError

PACKAGE = Path(errors.__file__).parent
CAUSES = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, SymfaceError)]
OPTION = re.compile(r"(?<![\w-])(--[a-z]|-[a-z]\b)")


@pytest.mark.parametrize(
    ("cause", "status"),
    [
        ("InstallationError", 1),
        ("WorkerError", 1),
        ("UsageError", 2),
        ("MissingExtraError", 2),
        ("PhotoError", 3),
        ("OutputError", 3),
        ("NoFaceError", 4),
        ("WeightsError", 5),
        ("DataError", 6),
    ],
)
def test_each_cause_has_its_exit_status(cause: str, status: int) -> None:
    assert getattr(errors, cause).status == status


def test_the_base_class_has_no_status_and_is_never_raised() -> None:
    assert not hasattr(SymfaceError, "status")
    assert len(CAUSES) == 10
    for path in PACKAGE.rglob("*.py"):
        assert not re.search(r"raise SymfaceError\b", path.read_text("utf-8")), path


def test_errors_keep_their_hints_on_their_way_out_of_a_process() -> None:
    error = pickle.loads(pickle.dumps(OutputError("x.png: already exists", Hint.OVERWRITE)))
    assert (type(error), str(error), error.hint) == (OutputError, "x.png: already exists", Hint.OVERWRITE)


def test_a_missing_extra_is_named_and_stays_so_on_its_way_out_of_a_process() -> None:
    error = pickle.loads(pickle.dumps(MissingExtraError("HEIC needs pillow-heif", "heic", Hint.LOG_NOTHING)))
    assert str(error) == 'HEIC needs pillow-heif; try: pip install "symface[heic]"'
    assert (error.extra, error.hint, error.status) == ("heic", Hint.LOG_NOTHING, ExitStatus.USAGE)


def test_the_command_line_puts_hints_into_words() -> None:
    assert explain(OutputError("x.png: already exists", Hint.OVERWRITE)) == (
        "x.png: already exists; use --force to overwrite it"
    )
    assert explain(OutputError("cannot write x.png: no space left")) == "cannot write x.png: no space left"


@pytest.mark.parametrize("hint", Hint)
def test_every_hint_is_used_and_has_words_that_name_an_option(hint: Hint) -> None:
    assert OPTION.search(with_hint("", hint))
    sources = [path.read_text("utf-8") for path in PACKAGE.rglob("*.py") if path.name not in ("errors.py", "hints.py")]
    assert any(f"Hint.{hint.name}" in source for source in sources)


def test_the_library_names_no_options() -> None:
    """Only cli/ knows how an option is called: what the library says is read by users of Python, too."""
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}: {node.value!r}"
        for path in PACKAGE.rglob("*.py")
        if path.relative_to(PACKAGE).parts[0] not in ("cli", "__main__.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and OPTION.search(node.value)
    ]
    assert not found


@pytest.mark.parametrize("text", ["use --force", "--eyes", "with -o FILE", "(--run)"])
def test_options_are_known_by_their_dashes(text: str) -> None:
    assert OPTION.search(text)


@pytest.mark.parametrize("text", ["dlib-left", "x - y", "-right", "torch-2", "a--b", "-1"])
def test_other_dashes_are_no_options(text: str) -> None:
    assert not OPTION.search(text)
