"""Pipes, devices, and what the shell has opened: data only goes to them."""

import os
import re
import stat
from pathlib import Path
from typing import BinaryIO

from symface_cli.files import look_up

_DESCRIPTOR = re.compile(r"/dev/(stdout|stderr|fd/\d+)|/proc/self/fd/\d+")


def is_stream(path: Path) -> bool:
    """Tell whether there is a pipe or a device, to which data only goes."""
    try:
        return is_stream_of(path, look_up(path))
    except (OSError, ValueError):
        return False


def is_stream_of(path: Path, status: os.stat_result | None) -> bool:
    """Tell whether it is a pipe or a device without contents of its own, or open already, by what the system says."""
    if status is None:
        return False
    if _DESCRIPTOR.fullmatch(str(path)):
        return True
    return stat.S_ISFIFO(status.st_mode) or stat.S_ISCHR(status.st_mode) or stat.S_ISSOCK(status.st_mode)


def open_stream(path: Path) -> BinaryIO:
    """Open a pipe or a device. What the shell has opened, which may be a file, is written to where it is.

    Raises:
        OSError: If that fails.
    """
    if not _DESCRIPTOR.fullmatch(str(path)):
        return path.open("wb")
    number = {"stdout": 1, "stderr": 2}.get(path.name)
    return os.fdopen(os.dup(int(path.name) if number is None else number), "wb")
