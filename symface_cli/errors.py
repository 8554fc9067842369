"""What symface says when it cannot go on: one exception class per exit status."""

from enum import IntEnum


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


class SymfaceError(Exception):
    """An expected failure; its message says in one line what, where, and what to try next."""

    status = ExitStatus.BUG


class UsageError(SymfaceError):
    """The command was called with arguments that do not make sense together or name nothing."""

    status = ExitStatus.USAGE


class PhotoError(SymfaceError):
    """A photo cannot be read, or a result cannot be written."""

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
