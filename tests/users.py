"""What an ordinary user may do, whoever runs the tests: modes do not hold root back."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ORDINARY = 12345  # nobody's number
modes = pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")


@contextmanager
def ordinary_user() -> Iterator[None]:
    """Lays root's rights down meanwhile."""
    if os.geteuid() != 0:
        yield
        return
    os.setegid(ORDINARY)
    os.seteuid(ORDINARY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


@contextmanager
def shared_folder() -> Iterator[Path]:
    """A folder that every user may enter, unlike a test's own, with folders that may not be entered or written to.

    In `private` lies `a.csv`; in `closed`, `mine.csv`, which is write-protected, and `ours.csv`, which is not.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path, mode in {"private/a.csv": 0o644, "closed/mine.csv": 0o444, "closed/ours.csv": 0o666}.items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).touch()
            (folder / path).chmod(mode)
        for path, mode in {"private": 0, "closed": 0o555, ".": 0o755}.items():
            (folder / path).chmod(mode)
        try:
            yield folder
        finally:
            for path in ("private", "closed"):
                (folder / path).chmod(0o700)
