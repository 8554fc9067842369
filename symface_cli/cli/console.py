"""The two streams: results on stdout, everything else on stderr."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from symface_cli.cli.hints import explain
from symface_cli.errors import ExitStatus, NoFaceError, SymfaceError

out = Console(soft_wrap=True, highlight=False, markup=False)
err = Console(stderr=True, highlight=False, markup=False)


def print_error(error: SymfaceError | str) -> None:
    """Print an error with its hint, or any message, as one line on stderr, whatever the terminal's width."""
    message = error if isinstance(error, str) else explain(error)
    err.print("symface: " + " ".join(message.split()), soft_wrap=True)


def print_failure(photo: Path, error: SymfaceError) -> None:
    """Print why a photo failed; that it has no face is said of its name, other messages name the file at fault."""
    print_error(f"{photo}: {explain(error)}" if isinstance(error, NoFaceError) else error)


def print_note(photo: Path, note: str) -> None:
    """Print what a user should know of a photo that did not fail."""
    print_error(f"{photo}: {note}")


def warn_of_yaw(photo: Path, face: int, yaw: float, consequence: str) -> None:
    """Warn that the head of a face, numbered in its photo, is turned by so many degrees."""
    print_error(f"{photo}: face {face}: the head is turned by about {abs(yaw):.0f} degrees; {consequence}")


def conclude(errors: Sequence[SymfaceError | None], skipped: int = 0) -> int:
    """Sum up a batch in one line, if it is one, and return its exit status: that of the first photo that failed.

    Args:
        errors: Why each photo failed; None for those that did not.
        skipped: Number of photos that were done before.
    """
    failed = [error for error in errors if error is not None]
    if len(errors) + skipped > 1:
        before = f", {skipped} done before" if skipped else ""
        err.print(f"{len(errors) - len(failed)} of {len(errors)} photos done, {len(failed)} failed{before}")
    return failed[0].status if failed else ExitStatus.OK
