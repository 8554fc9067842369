"""The two streams: results on standard output, as the bytes they are; everything else in lines on standard error."""

import io
import os
import sys
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import TextIO, cast

from rich.console import Console, RenderableType
from rich.control import Control
from rich.segment import ControlType

from symface_cli.cli.hints import explain
from symface_cli.errors import ExitStatus, NoFaceError, OutputError, ReaderGoneError, SymfaceError
from symface_cli.files import discard_output, on_one_line, write_to_stdout

CLEAR_LINE = Control(ControlType.CARRIAGE_RETURN, (ControlType.ERASE_IN_LINE, 2))
_tracebacks_shown = ContextVar("tracebacks_shown", default=False)


class _Stream(io.TextIOBase):
    """One of the process's streams for rich, whichever it is at the moment; nothing is written to it here."""

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def current(self) -> TextIO | None:
        """The stream itself; None if it is closed."""
        stream: TextIO | None = getattr(sys, self._name)
        # While a progress bar is shown, rich has put itself in the stream's place.
        stream = getattr(stream, "rich_proxied_file", stream)
        return None if stream is None or stream.closed else stream

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """What text is encoded with."""
        return getattr(self.current, "encoding", None) or "utf-8"

    def isatty(self) -> bool:
        """Tell whether it is a terminal."""
        return self.current is not None and self.current.isatty()

    def write(self, text: str) -> int:
        """Drop what rich writes, which `print_text` has captured."""
        return len(text)


class _StandardError(_Stream):
    """Standard error; if nothing can be written to it, there is nobody to tell."""

    def write(self, text: str) -> int:
        """Write a message; what the encoding lacks is escaped."""
        stream = self.current
        if stream is not None:
            try:
                stream.write(text.encode(self.encoding, "backslashreplace").decode(self.encoding))
                stream.flush()
            except OSError:
                discard_output(stream)
        return len(text)


class _Console(Console):
    """A console that is a terminal if its stream is one: FORCE_COLOR asks for colors, not for moving the cursor."""

    @property
    def is_terminal(self) -> bool:
        """Tell whether the stream is a terminal."""
        return self.file.isatty()


out = _Console(file=cast(TextIO, _Stream("stdout")), soft_wrap=True, highlight=False, markup=False, emoji=False)
"""What knows how standard output looks; `print_text` prints on it."""
err = _Console(file=cast(TextIO, _StandardError("stderr")), soft_wrap=True, highlight=False, markup=False, emoji=False)


def print_text(*parts: RenderableType, folded: bool = False) -> None:
    """Print text or tables for people on standard output, each from a new line; what it cannot encode is escaped.

    Args:
        parts: What is printed.
        folded: Whether lines are folded at the terminal's width; else they are as long as they are.

    Raises:
        OutputError: If that fails; a ReaderGoneError if nobody reads it any more.
    """
    with out.capture() as capture:
        for part in parts:
            out.print(part, soft_wrap=not folded)
    _write(capture.get().encode(out.encoding, "backslashreplace"))


def _write(data: bytes) -> None:
    """Write on standard output; on a terminal, in the place of a progress bar, which is drawn again below."""
    if out.is_terminal and err.is_terminal:
        err.control(CLEAR_LINE)
    write_to_stdout(data)


class ResultPrinter:
    """Prints about results that are in files: what goes wrong with standard output keeps no batch from being done.

    Args:
        nul: Whether NUL ends each path, which no path contains, instead of a new line.

    Attributes:
        error: Why not all could be printed; None also if nobody reads it any more.
    """

    def __init__(self, nul: bool = False) -> None:
        self._end = b"\0" if nul else b"\n"
        self.error: OutputError | None = None
        self._is_over = False

    @property
    def status(self) -> ExitStatus:
        """The exit status, if nothing else went wrong."""
        return ExitStatus.OK if self.error is None else self.error.status

    def print(self, path: Path) -> None:
        """Print the path of a result on a line of its own, as the bytes it is."""
        self._try(partial(_write, os.fsencode(path) + self._end))

    def print_text(self, text: str) -> None:
        """Print text about a result."""
        self._try(partial(print_text, text))

    def _try(self, write: Callable[[], None]) -> None:
        """Print, unless that has failed before."""
        if self._is_over:
            return
        try:
            write()
        except OutputError as error:
            self._is_over = True
            if not isinstance(error, ReaderGoneError):
                self.error = error
                print_error(error)


def show_tracebacks(shown: bool) -> None:
    """Choose whether the tracebacks of failures that nobody foresaw are shown from now on."""
    _tracebacks_shown.set(shown)


def print_line(message: str) -> None:
    """Print what a person should know as one line on stderr."""
    err.print(on_one_line(message))


def print_error(error: SymfaceError | str) -> None:
    """Print an error with its hint, or any message, as one line on stderr, whatever the terminal's width."""
    if isinstance(error, ReaderGoneError):
        return
    print_line("symface: " + (error if isinstance(error, str) else explain(error)))
    if isinstance(error, SymfaceError):
        print_traceback(error.traceback)


def print_traceback(text: str) -> None:
    """Print the traceback of a failure, if there is one and it is wanted."""
    if _tracebacks_shown.get():
        for line in text.splitlines():
            print_line(line)


def mention(note: str | None) -> None:
    """Print what a user should know, if there is anything."""
    if note is not None:
        print_error(note)


def print_failure(photo: Path, error: SymfaceError) -> None:
    """Print why a photo failed; that it has no face is said of its name, other messages name the file at fault."""
    print_error(f"{photo}: {explain(error)}" if isinstance(error, NoFaceError) else error)


def print_note(photo: Path, note: str) -> None:
    """Print what a user should know of a photo that did not fail."""
    print_error(f"{photo}: {note}")


def warn_of_yaw(photo: Path, face: int, yaw: float, consequence: str) -> None:
    """Warn that the head of a face, numbered in its photo, is turned by so many degrees."""
    print_error(f"{photo}: face {face}: the head is turned by about {abs(yaw):.0f} degrees; {consequence}")


def conclude(
    errors: Sequence[SymfaceError | None],
    skipped: int = 0,
    passed_over: Sequence[SymfaceError] = (),
    what: str = "photos",
) -> int:
    """Sum up a batch in one line, if it is one, and return its exit status: that of the first failure.

    Args:
        errors: Why each photo failed; None for those that did not.
        skipped: Number of photos that were done before.
        passed_over: What was not even tried, and why: these failures come first.
        what: What they are.
    """
    failed = [error for error in errors if error is not None]
    if len(errors) + skipped + len(passed_over) > 1:
        before = f", {skipped} done before" if skipped else ""
        other = f", {len(passed_over)} passed over" if passed_over else ""
        print_line(f"{len(errors) - len(failed)} of {len(errors)} {what} done, {len(failed)} failed{before}{other}")
    return next((error.status for error in (*passed_over, *failed)), ExitStatus.OK)
