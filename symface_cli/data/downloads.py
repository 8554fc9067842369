"""Downloads third-party files: pinned by SHA-256, resumable, renamed only when verified.

Environment variables: SYMFACE_HOME is the folder for downloads; SYMFACE_OFFLINE=1 forbids downloads; SYMFACE_MIRROR is
the base address of a mirror, which replaces `https://host` in every address.
"""

import errno
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import platformdirs

from symface_cli.errors import SymfaceError, WeightsError
from symface_cli.files import Progress, checksum
from symface_cli.storage.objects import is_offline

if TYPE_CHECKING:
    from requests import RequestException

TIMEOUT = 20.0  # seconds without a byte
BLOCK = 1 << 16  # bytes read at a time


def fetch(
    address: str,
    target: Path,
    sha256: str,
    progress: Progress | None = None,
    by_hand: str = "download it by hand",
    failure: Callable[[str], SymfaceError] = WeightsError,
) -> None:
    """Download a published file, or its mirror's copy, unless another process has just done so.

    It is written to <target>.part, verified and renamed; a broken download leaves this file, and the next resumes it.

    Args:
        address: Where the file is published.
        target: Where to write it; folders are created.
        sha256: Its checksum, in hexadecimal.
        progress: Called before the first byte, with 0 or what an earlier download left, and after every block.
        by_hand: What the user can do instead, for the messages.
        failure: Makes the exception to be raised from a message.

    Raises:
        SymfaceError: What `failure` makes, if SYMFACE_OFFLINE forbids the download, if it cannot be downloaded or
            written, or if its checksum is another; then it is removed.
    """
    from requests import RequestException  # here: it takes 0.1 s to import, and few commands download

    address = on_mirror(address)
    if is_offline():
        raise failure(f"{target.name} is not here, and SYMFACE_OFFLINE forbids to get {address}; {by_hand}")
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with locked(target.parent):
            if target.is_file():  # another process has downloaded it while this one waited
                return
            _append(address, part, progress or (lambda done, total: None))
            found = checksum(part)
            if found != sha256:
                part.unlink()
                told = f"{address} has SHA-256 {found}, expected {sha256}"
                raise failure(f"{told}; it was removed: try again, or {by_hand}")
            part.replace(target)
    except RequestException as error:
        raise failure(f"cannot download {address} ({_reason(error)}); try again later, or {by_hand}") from error
    except OSError as error:
        told = f"cannot write {part} ({error.strerror}) for {address}"
        raise failure(f"{told}; set SYMFACE_HOME to another folder, or {by_hand}") from error


def on_mirror(address: str) -> str:
    """Return the address of the same file on the mirror, if there is one."""
    mirror = os.environ.get("SYMFACE_MIRROR")
    return mirror.rstrip("/") + urlsplit(address).path if mirror else address


def cache_folder() -> Path:
    """Return the folder for downloads: SYMFACE_HOME, else the user's cache folder.

    Raises:
        FileNotFoundError: If it would lie in a home folder, and there is none: in a container, a user may have none.
    """
    home = os.environ.get("SYMFACE_HOME")
    try:
        return Path(home or platformdirs.user_cache_dir("symface")).expanduser()
    except RuntimeError as error:
        raise FileNotFoundError(errno.ENOENT, "there is no home folder") from error


def locked(folder: Path) -> AbstractContextManager[object]:
    """Keep other processes out of a folder: the workers of one evaluation all want the same models at once."""
    from filelock import FileLock

    return FileLock(folder / ".lock")


def _append(address: str, part: Path, progress: Progress) -> None:
    """Append to `part` what is missing; start again if the server does not support ranges."""
    import requests

    done = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity"}  # ranges and lengths are of the file itself, not of a packed form
    if done:
        headers["Range"] = f"bytes={done}-"
    with requests.get(address, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        if done and answer.status_code == requests.codes.requested_range_not_satisfiable:
            return  # nothing is missing, or this is another file: the checksum tells
        answer.raise_for_status()
        if answer.status_code != requests.codes.partial_content:
            done = 0
        length = answer.headers.get("Content-Length", "")
        total = done + int(length) if length.isdigit() else None
        progress(done, total)
        with part.open("ab" if done else "wb") as stream:
            for block in answer.iter_content(BLOCK):
                stream.write(block)
                done += len(block)
                progress(done, total)
            stream.flush()
            os.fsync(stream.fileno())
    if total is not None and done < total:
        raise requests.ConnectionError


def _reason(error: "RequestException") -> str:
    """Say in a few words why a request failed."""
    import requests

    if error.response is not None:
        return f"HTTP status {error.response.status_code}"
    if isinstance(error, requests.Timeout):
        return "no answer"
    if isinstance(error, (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        return "no connection, or it broke off"
    return type(error).__name__
