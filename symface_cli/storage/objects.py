"""Objects of stores, by fsspec: listed once, read and put whole; what passes by itself is tried again."""

import errno
import hashlib
import logging
import os
import random
import stat
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from symface_cli.errors import MissingExtraError, StoreError, UsageError
from symface_cli.storage.address import Address, is_server

T = TypeVar("T")
PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0)  # s between tries, each times 0.5 to 1.5
ONE_PAUSE = (1.0,)  # where the library tries each request several times itself
PACKAGES = {"s3": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs", "abfss": "adlfs"}
SCHEMES = (*PACKAGES, "http", "https", "memory")
_PATIENT = ("s3", "gs", "gcs", "az", "abfs", "abfss")  # whose library does
_OPTIONS = {"s3": {"max_concurrency": 1}}  # else it asks for the size before it reads
_TIMES = ("LastModified", "last_modified", "updated", "mtime", "created")
_TAGS = ("ETag", "etag", "content_settings_md5", "md5Hash")
_STATUS = ("status", "status_code", "code")  # of the errors of aiohttp, Azure's library, gcsfs
_FINAL = (FileNotFoundError, FileExistsError, PermissionError, IsADirectoryError, NotADirectoryError)

_listed: dict[Address, dict[Address, os.stat_result]] = {}
_recent = threading.local()
_kept: dict[int, Any] = {}
"""All file systems that were opened: where a forked process gave up its parent's, the parent would wait for ever for
answers, as both wait by the same epoll."""


class _Recent(NamedTuple):
    """The photo that a thread has read last, and what it has put since: each is asked for again at once."""

    contents: dict[Address, bytes]
    states: dict[Address, os.stat_result]


def forget() -> None:
    """Forget what was listed: another batch lists anew."""
    _listed.clear()
    _recent.__dict__.clear()


def is_offline() -> bool:
    """Say whether SYMFACE_OFFLINE (or Hugging Face's HF_HUB_OFFLINE) forbids to fetch anything."""
    values = (os.environ.get(name, "") for name in ("SYMFACE_OFFLINE", "HF_HUB_OFFLINE"))
    return any(value.strip().lower() not in ("", "0", "false", "no", "off") for value in values)


def check_scheme(address: Address) -> None:
    """Check that an address is of a kind that can be reached.

    Raises:
        UsageError: If it is not, or SYMFACE_OFFLINE forbids it.
    """
    if address.scheme not in SCHEMES:
        raise UsageError(f"{address}: use s3://, gs://, az://, http:// or https://, or a local path")
    if address.scheme != "memory" and is_offline():
        raise UsageError(f"{address}: SYMFACE_OFFLINE forbids to reach it")


def is_folder(address: Address) -> bool:
    """Tell whether there are objects below an address.

    Raises:
        OSError, StoreError: If it cannot be listed.
    """
    return not is_server(address) and any(found != address for found in list_objects(address))


def list_objects(folder: Address) -> dict[Address, os.stat_result]:
    """List the objects below an address, and itself if it is one, sorted; asked for once until `forget`.

    Raises:
        OSError: If that is not permitted, or there is no such bucket; nothing below is an empty list.
        StoreError: If the store does not answer.
    """
    if folder not in _listed:
        prefix = f"{folder.scheme}://"
        entries = _ask(folder, lambda files: files.find(str(folder), detail=True))
        named = {prefix + name.lstrip("/"): info for name, info in entries.items()}
        whole = {Address(name): _state_of(info) for name, info in named.items() if str(Address(name)) == name}
        _listed[folder] = dict(sorted(whole.items()))
    return _listed[folder]


def find_state(address: Address) -> os.stat_result:
    """Return what is known of an object: from a listing, or asked for. A server's file has to be read for that.

    Raises:
        OSError, StoreError: As `Address.stat`.
    """
    if is_server(address):
        data = read_object(address)
        return _state(len(data), 0, hashlib.sha256(data).hexdigest())
    if address in _recents().states:
        return _recents().states[address]
    for folder in (address, *address.parents):
        if folder in _listed:
            known = _listed[folder].get(address)
            if known is None:
                raise FileNotFoundError(errno.ENOENT, "there is no such object")
            return known
    info = _ask(address, lambda files: files.info(str(address)))
    if info.get("type") == "directory":
        raise FileNotFoundError(errno.ENOENT, "there is no such object")
    return _state_of(info)


def read_object(address: Address) -> bytes:
    """Read an object whole.

    Raises:
        OSError, StoreError: As `Address.read_bytes`.
    """
    contents = _recents().contents
    if address not in contents:
        contents.clear()
        _recents().states.clear()
        contents[address] = _ask(address, lambda files: bytes(files.cat_file(str(address))))
    return contents[address]


def put_object(address: Address, data: bytes, replace: bool) -> None:
    """Put an object whole, or not at all.

    Raises:
        OSError: If that is not permitted, or it is there and may not be replaced.
        StoreError: If the store does not answer.
    """
    if is_server(address):
        raise PermissionError(errno.EACCES, "a web server is only read from; give another place for results")
    mode = "overwrite" if replace else "create"
    try:
        _ask(address, lambda files: files.pipe_file(str(address), data, mode=mode))
    except FileExistsError:
        # Of two tries, the first may have arrived without an answer.
        if _ask(address, lambda files: bytes(files.cat_file(str(address)))) != data:
            raise
    state = _state_of(_ask(address, lambda files: files.info(str(address))))
    _recents().contents[address], _recents().states[address] = data, state
    for folder in address.parents:
        if folder in _listed:
            _listed[folder][address] = state


def try_folder(folder: Address) -> None:
    """Put an empty object into a folder and remove it: can results be put there?

    Raises:
        OSError, StoreError: If not.
    """
    name = folder / f".symface-{random.getrandbits(64):016x}"
    if is_server(folder):
        put_object(name, b"", replace=True)
    _ask(name, lambda files: files.pipe_file(str(name), b""))
    _ask(name, lambda files: files.rm_file(str(name)))


def _recents() -> _Recent:
    if not hasattr(_recent, "objects"):
        _recent.objects = _Recent({}, {})
    objects: _Recent = _recent.objects
    return objects


def _ask(address: Address, task: Callable[[Any], T]) -> T:
    """Do something with a store; again, after longer and longer pauses, if it fails with what may pass."""
    check_scheme(address)
    files = _open(address)
    for pause in (*(ONE_PAUSE if address.scheme in _PATIENT else PAUSES), None):
        try:
            return task(files)
        except Exception as error:
            final = _explain(error)
            if final is not None:
                raise final from error
            if pause is None:
                reason = " ".join(str(error).split())[:200] or type(error).__name__
                raise StoreError(f"{address}: the store does not answer ({reason}); go on when it does") from error
            time.sleep(pause * random.uniform(0.5, 1.5))
    raise AssertionError


def _open(address: Address) -> Any:
    """Return fsspec's file system, of which it has one for each thread and process, with its connections."""
    try:
        import fsspec

        for package in PACKAGES.values():
            logging.getLogger(package).setLevel(logging.CRITICAL)  # what they raise is said in one line
        files = fsspec.filesystem(address.scheme, use_listings_cache=False, **_OPTIONS.get(address.scheme, {}))
        files.retries = 1  # of s3fs, on top of botocore's 5 of each request (AWS_MAX_ATTEMPTS)
        _kept[id(files)] = files
        return files
    except ImportError as error:
        package = PACKAGES.get(address.scheme, "aiohttp" if is_server(address) else "fsspec")
        raise MissingExtraError(f"{address}: {package} is not installed", "cloud") from error


def _explain(error: Exception) -> OSError | None:
    """Return what an error means that would come again; None for one that may pass."""
    text, name = str(error), type(error).__name__
    status = next((value for key in _STATUS if isinstance(value := getattr(error, key, None), int)), None)
    if isinstance(error, OSError) and "pre-condition" in text:
        return FileExistsError(errno.EEXIST, "it is there already")
    if isinstance(error, FileNotFoundError) or status == 404:
        return FileNotFoundError(errno.ENOENT, "there is no such object or bucket")
    if isinstance(error, PermissionError) or status in (401, 403) or "Credentials" in name:
        reason = "no credentials" if "Credentials" in name else "permission denied"
        return PermissionError(errno.EACCES, reason)
    if isinstance(error, _FINAL):
        return type(error)(errno.EEXIST if isinstance(error, FileExistsError) else errno.EINVAL, text or name)
    if status is not None and 400 <= status < 500 and status not in (408, 429):
        return OSError(errno.EIO, f"HTTP status {status}")
    if isinstance(error, OSError) and error.errno == errno.EINVAL:
        return OSError(errno.EINVAL, " ".join(text.split())[:200])
    return None


def _state_of(info: dict[str, Any]) -> os.stat_result:
    when = next((info[key] for key in _TIMES if info.get(key)), None)
    tag = next((str(info[key]) for key in _TAGS if info.get(key)), "")
    return _state(int(info.get("size") or 0), _nanoseconds(when), tag)


def _nanoseconds(when: object) -> int:
    if isinstance(when, str):
        when = datetime.fromisoformat(when.replace("Z", "+00:00"))
    if isinstance(when, datetime):
        return int(when.timestamp() * 1000) * 1_000_000
    return int(when * 1e9) if isinstance(when, (int, float)) else 0


def _state(size: int, modified: int, tag: str) -> os.stat_result:
    number = int(hashlib.sha256(tag.encode()).hexdigest()[:12], 16) if tag else 0
    seconds = modified // 1_000_000_000
    values = (stat.S_IFREG | 0o644, number, 0, 1, 0, 0, size, seconds, seconds, 0)
    return os.stat_result(values, {"st_mtime_ns": modified, "st_ctime_ns": 0})
