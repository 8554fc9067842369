"""The failures that symface expects: one exception class per cause, each with its exit status."""

from enum import Enum, IntEnum, auto
from typing import ClassVar


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
    LARGEST_FACE = auto()
    LOG_NOTHING = auto()
    MAKE_LABELS = auto()
    MARK_FACE = auto()
    MODEL_FOLDER = auto()
    NAME_OUTPUT = auto()
    OTHER_MANIFEST = auto()
    OTHER_RUN = auto()
    OVERWRITE = auto()
    RESUME = auto()
    START_ANEW = auto()
    USE_CPU = auto()


class SymfaceError(Exception):
    """An expected failure; raise one of its subclasses, which name the cause.

    Attributes:
        status: Exit status of the command line.
        hint: What to try next, where the message does not say it.
    """

    status: ClassVar[ExitStatus]

    def __init__(self, message: str, hint: Hint | None = None) -> None:
        """Take a message of one line: what failed, where, and what to try next, without naming options."""
        super().__init__(message)
        self.hint = hint


class InstallationError(SymfaceError):
    """A part that symface needs does not work."""

    status = ExitStatus.BUG


class WorkerError(SymfaceError):
    """A worker process died."""

    status = ExitStatus.BUG


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


class OutputError(SymfaceError):
    """A file cannot be written, or exists already."""

    status = ExitStatus.PHOTO


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

PHOTO_FAILURES = (*UNREADABLE, OutputError, NoFaceError)
"""What may go wrong with one photo; a batch reports it and goes on with the next."""
