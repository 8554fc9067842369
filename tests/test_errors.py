"""Exceptions by their causes, and their messages, which fit Python and the command line."""

import ast
import errno
import os
import pickle
import re
import struct
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from symface_cli import errors
from symface_cli.cli.hints import explain, with_hint
from symface_cli.errors import (
    ExitStatus,
    Hint,
    MissingExtraError,
    OutputError,
    SymfaceError,
    UnexpectedError,
    failure_of,
)

PACKAGE = Path(errors.__file__).parent
CAUSES = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, SymfaceError)]
OPTION = re.compile(r"(?<![\w-])(--[a-z]|-[a-z]\b)")


@pytest.mark.parametrize(
    ("cause", "status"),
    [
        ("UnexpectedError", 1),
        ("InstallationError", 1),
        ("WorkerError", 1),
        ("UsageError", 2),
        ("MissingExtraError", 2),
        ("PhotoError", 3),
        ("OutputError", 3),
        ("ReaderGoneError", 3),
        ("NoFaceError", 4),
        ("WeightsError", 5),
        ("DataError", 6),
    ],
)
def test_each_cause_has_its_exit_status(cause: str, status: int) -> None:
    assert getattr(errors, cause).status == status


def test_the_base_class_has_no_status_and_is_never_raised() -> None:
    assert not hasattr(SymfaceError, "status")
    assert len(CAUSES) == 13
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
    sources = [path.read_text("utf-8") for path in PACKAGE.rglob("*.py") if path.name != "hints.py"]
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


def cannot_decode() -> None:
    b"caf\xe9".decode()


def recurse(depth: int = 0) -> None:
    recurse(depth + 1)


def refuse_to_warp() -> None:
    cv2.remap(np.zeros((1, 40_000), np.uint8), *(np.zeros((2, 2), np.float32) for _ in "xy"), cv2.INTER_LINEAR)


def raised(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


UNFORESEEN: dict[str, tuple[Callable[[], object], str]] = {
    "division": (lambda: 1 // 0, "a bug: ZeroDivisionError: integer division or modulo by zero"),
    "opencv": (refuse_to_warp, "a bug: cv2.error: OpenCV("),
    "numpy": (lambda: np.zeros(3) + np.zeros(2), "a bug: ValueError: operands could not be broadcast"),
    "torch": (lambda: torch.zeros(3) @ torch.zeros(2), "a bug: RuntimeError: "),
    "text": (cannot_decode, "a bug: UnicodeDecodeError: 'utf-8' codec can't decode byte 0xe9"),
    "struct": (lambda: struct.unpack("<I", b"12"), "a bug: struct.error: unpack requires a buffer of 4 bytes"),
    "recursion": (recurse, "a bug: RecursionError: maximum recursion depth exceeded"),
    "library's complaint": (raised(OSError("cannot write mode YCbCr as PNG")), "a bug: OSError: cannot write mode"),
    "no message": (raised(AssertionError()), "a bug: AssertionError"),
}
LACK_OF_MEMORY: dict[str, Callable[[], object]] = {
    "python": raised(MemoryError()),
    "numpy": lambda: np.zeros(1 << 60, np.uint8),
    "torch": lambda: torch.empty(1 << 60, dtype=torch.uint8),
    "opencv": raised(cv2.error("OpenCV(4.13.0) alloc.cpp:73: error: (-4:Insufficient memory) Failed to allocate")),
    "system": raised(OSError(errno.ENOMEM, "Cannot allocate memory")),
}


def failure(task: Callable[[], object]) -> SymfaceError:
    with pytest.raises(Exception) as caught:
        task()
    assert isinstance(caught.value, Exception)
    return failure_of(caught.value, "in/x.jpg")


@pytest.mark.parametrize("kind", UNFORESEEN)
def test_whatever_nobody_foresaw_is_one_line_about_the_photo_with_a_traceback(kind: str) -> None:
    task, message = UNFORESEEN[kind]
    error = failure(task)
    assert isinstance(error, UnexpectedError)
    assert str(error).startswith(f"in/x.jpg: {message}")
    assert "\n" not in str(error)
    assert len(str(error)) < 400
    copy = pickle.loads(pickle.dumps(error))
    assert copy.traceback == error.traceback
    assert copy.traceback.startswith("Traceback (most recent call last):")
    assert (copy.status, copy.hint) == (ExitStatus.BUG, Hint.REPORT)


@pytest.mark.parametrize("kind", LACK_OF_MEMORY)
def test_lack_of_memory_is_no_bug_whoever_lacks_it(kind: str) -> None:
    error = failure(LACK_OF_MEMORY[kind])
    assert (str(error), error.status) == ("in/x.jpg: not enough memory; make it smaller", ExitStatus.PHOTO)
    assert error.traceback


@pytest.mark.parametrize(
    ("number", "filename", "message"),
    [
        (errno.ENAMETOOLONG, "out/xxx.jpg", "in/x.jpg: out/xxx.jpg: the name of its file would be too long"),
        (errno.EACCES, "in/x.jpg", f"in/x.jpg: {os.strerror(errno.EACCES)}"),
        (errno.EIO, None, f"in/x.jpg: {os.strerror(errno.EIO)}"),
        (errno.ENOSPC, b"out/caf\xe9.jpg", f"in/x.jpg: out/caf\udce9.jpg: {os.strerror(errno.ENOSPC)}"),
        (errno.EMFILE, 3, f"in/x.jpg: {os.strerror(errno.EMFILE)}"),
    ],
)
def test_what_the_system_refuses_is_said_in_its_words(number: int, filename: object, message: str) -> None:
    error = failure(raised(OSError(number, os.strerror(number), filename)))
    assert (str(error), error.status) == (message, ExitStatus.PHOTO)


def test_our_own_exceptions_stay_as_they_are() -> None:
    own = OutputError("x.png: already exists", Hint.OVERWRITE)
    assert failure_of(own, "in/x.jpg") is own
    assert own.traceback == ""
