"""The failures that symface expects: one exception class per cause, each with its exit status."""

import errno
import os
import textwrap
import traceback
from collections.abc import Callable
from enum import Enum, IntEnum, auto
from typing import ClassVar, TypeVar

T = TypeVar("T")


class ExitStatus(IntEnum):
    """Exit statuses of the command line."""

    OK = 0
    BUG = 1
    USAGE = 2
    PHOTO = 3
    NO_FACE = 4
    WEIGHTS = 5
    DATA = 6
    INTERRUPTED = 130


class Hint(Enum):
    """What a user may try next, by its meaning; only the command line knows the options that say it."""

    ALL_FACES = auto()
    ALL_SPLITS = auto()
    CORRECT_LABELS = auto()
    FACE_ALONE = auto()
    FEWER_JOBS = auto()
    FIRST_WEIGHTS = auto()
    GIVE_LABELS = auto()
    LARGEST_FACE = auto()
    LOG_NOTHING = auto()
    MAKE_LABELS = auto()
    MARK_FACE = auto()
    MODEL_FOLDER = auto()
    NAME_OUTPUT = auto()
    OTHER_MANIFEST = auto()
    OTHER_RUN = auto()
    OVERWRITE = auto()
    REPORT = auto()
    RESUME = auto()
    RESUME_OR_OVERWRITE = auto()
    START_ANEW = auto()
    TRAIN_ON = auto()
    USE_CPU = auto()


class SymfaceError(Exception):
    """An expected failure; raise one of its subclasses, which name the cause.

    Attributes:
        status: Exit status of the command line.
        hint: What to try next, where the message does not say it.
        traceback: Where it comes from, in several lines, if nobody foresaw it; else empty.
    """

    status: ClassVar[ExitStatus]
    traceback: str = ""

    def __init__(self, message: str, hint: Hint | None = None) -> None:
        """Take a message of one line: what failed, where, and what to try next, without naming options."""
        super().__init__(message)
        self.hint = hint


class UnexpectedError(SymfaceError):
    """Something that nobody foresaw went wrong with one photo: a bug of symface, or of a library."""

    status = ExitStatus.BUG


class InstallationError(SymfaceError):
    """A part that symface needs does not work."""

    status = ExitStatus.BUG


class WorkerError(SymfaceError):
    """A worker process died."""

    status = ExitStatus.BUG

    def about(self, photo: str) -> "WorkerError":
        """Say the same of the photo that it was at."""
        return WorkerError(f"{photo}: {self}", self.hint)


class UsageError(SymfaceError):
    """The arguments do not make sense together, or name nothing."""

    status = ExitStatus.USAGE


class MissingExtraError(SymfaceError):
    """An optional extra is not installed.

    Attributes:
        extra: Its name.
    """

    status = ExitStatus.USAGE

    def __init__(self, message: str, extra: str, hint: Hint | None = None) -> None:
        """Take what is missing; how to install the extra is added to it."""
        super().__init__(f'{message}; try: pip install "symface[{extra}]"', hint)
        self.extra = extra
        self._arguments = message, extra, hint

    def __reduce__(self) -> tuple[type["MissingExtraError"], tuple[str, str, Hint | None]]:
        """Rebuild from the arguments: exceptions are pickled on their way out of worker processes."""
        return type(self), self._arguments


class PhotoError(SymfaceError):
    """A photo cannot be read."""

    status = ExitStatus.PHOTO


class StoreError(PhotoError):
    """An object store, or a server, does not answer, however often it is asked."""


class OutputError(SymfaceError):
    """A file cannot be written, or exists already."""

    status = ExitStatus.PHOTO


class ReaderGoneError(OutputError):
    """Standard output is a pipe that nobody reads any more; nobody is left to tell."""


class NoFaceError(SymfaceError):
    """The detector finds no face in a photo."""

    status = ExitStatus.NO_FACE


class WeightsError(SymfaceError):
    """Weights are missing, damaged, or of a network that this version does not know."""

    status = ExitStatus.WEIGHTS


class DataError(SymfaceError):
    """A data set, its labels or a run folder is missing, unusable or inconsistent."""

    status = ExitStatus.DATA


UNREADABLE = (PhotoError, MissingExtraError)
"""What reading a photo may raise: HEIC needs an extra."""

LONGEST_DETAIL = 300  # characters of a library's message that are shown


def attempt(task: Callable[[], T], photo: str) -> "T | SymfaceError":
    """Do something with one photo; return what comes of it or, whatever is raised, why the photo failed."""
    try:
        return task()
    except Exception as error:  # noqa: BLE001 (one photo never costs the others)
        return failure_of(error, photo)


def failure_of(error: Exception, photo: str = "") -> SymfaceError:
    """Return what is wrong with one photo, for whatever was raised; only our own exceptions stay as they are.

    Args:
        error: The exception.
        photo: The photo's name for the message; empty if it is about none.
    """
    if isinstance(error, SymfaceError):
        return error
    failure = _explain(error, photo)
    failure.traceback = "".join(traceback.format_exception(error))
    return failure


def _explain(error: Exception, photo: str) -> SymfaceError:
    if _is_lack_of_memory(error):
        return PhotoError(_join(photo, "not enough memory; make it smaller"), Hint.FEWER_JOBS)
    if isinstance(error, OSError) and error.errno is not None:  # without a number, it is a library's complaint
        reason = "the name of its file would be too long" if error.errno == errno.ENAMETOOLONG else error.strerror
        named = "" if error.filename is None else os.fsdecode(error.filename) if _is_path(error.filename) else ""
        return PhotoError(_join(photo, "" if named == photo else named, reason or type(error).__name__))
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    detail = textwrap.shorten(str(error), LONGEST_DETAIL, placeholder=" ...")
    return UnexpectedError(_join(photo, "a bug", name, detail), Hint.REPORT)


def _join(*parts: str) -> str:
    return ": ".join(part for part in parts if part)


def _is_path(name: object) -> bool:
    return isinstance(name, (str, bytes, os.PathLike))


def _is_lack_of_memory(error: Exception) -> bool:
    """Tell whether memory was lacking; OpenCV and PyTorch have classes of their own for that, or say it in words."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    words = ("insufficient memory", "can't allocate memory", "out of memory", "bad_alloc")
    return any(word in str(error).lower() for word in words)
