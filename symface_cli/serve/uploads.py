"""Requests read into memory: a picture and fields, as a form or as a body of its own. Nothing touches a disk."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath, PureWindowsPath

from starlette.datastructures import UploadFile
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from symface_cli.errors import UsageError
from symface_cli.files import on_one_line
from symface_cli.serve.limits import Limits
from symface_cli.serve.problems import BusyError, RefusedError, too_large
from symface_cli.serve.work.studio import Upload

PHOTO = "photo"
"""The field that has the picture."""
MOST_FIELDS = 64
FIELD_BYTES = 65_536
LONGEST_NAME = 120  # characters of a photo's name
REFUSED = '<>:"|?*\\/'
"""Characters that some system does not take in a name."""
PICTURES = ("image/", "application/octet-stream")
FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


class _InMemory(MultiPartParser):
    """A parser that keeps files in memory, however large they are."""

    spool_max_size = 2**62


@dataclass
class Reception:
    """What arrives in all requests that are being answered.

    Attributes:
        limits: How much that may be.
        arrived: How many bytes it is.
    """

    limits: Limits
    arrived: int = 0


@dataclass
class Received:
    """What a request brings.

    Attributes:
        photo: Its picture; None without one.
        given: Its fields, with their values.
    """

    photo: Upload | None = None
    given: dict[str, list[str]] = field(default_factory=dict)

    def add(self, items: Iterable[tuple[str, object]]) -> None:
        """Add fields."""
        for name, value in items:
            if isinstance(value, str):
                self.given.setdefault(name, []).append(value)


class Reader:
    """Reader of one request; what it brings counts as long as this is open.

    Args:
        request: The request.
        reception: What has arrived in all.
    """

    def __init__(self, request: Request, reception: Reception) -> None:
        self._request = request
        self._reception = reception
        self._size = 0

    async def __aenter__(self) -> Received:
        """Read the request.

        Raises:
            RefusedError: If it is too large, too slow, or of another kind.
            UsageError: If its form is damaged.
        """
        try:
            return await asyncio.wait_for(self._read(), self._reception.limits.arriving_seconds)
        except asyncio.TimeoutError as error:
            self._give_back()
            detail = f"not here after {self._reception.limits.arriving_seconds:g} seconds"
            raise RefusedError(408, "too-slow", "Too slow", detail, {"Connection": "close"}) from error
        except BaseException:
            self._give_back()
            raise

    async def __aexit__(self, *error: object) -> None:
        self._give_back()

    def _give_back(self) -> None:
        self._reception.arrived -= self._size
        self._size = 0

    async def _read(self) -> Received:
        headers = self._request.headers
        if int(headers.get("content-length", 0)) > self._reception.limits.upload_bytes:
            raise too_large(self._reception.limits.upload_bytes)
        received = Received()
        received.add(self._request.query_params.multi_items())
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind in FORMS:
            await self._read_form(kind, received)
        elif kind.startswith(PICTURES):
            received.photo = Upload(b"".join([chunk async for chunk in self._stream()]), PHOTO)
        elif kind or [chunk async for chunk in self._stream() if chunk]:
            detail = f"{kind or 'no Content-Type'}: send a picture as image/*, or a form"
            raise RefusedError(415, "content-type", "Not a picture, not a form", detail)
        return received

    async def _read_form(self, kind: str, received: Received) -> None:
        headers, sizes = self._request.headers, {"max_fields": MOST_FIELDS, "max_part_size": FIELD_BYTES}
        try:
            if kind == FORMS[0]:
                form = await _InMemory(headers, self._stream(), max_files=1, **sizes).parse()
            else:
                form = await FormParser(headers, self._stream(), **sizes).parse()
        except MultiPartException as error:
            raise UsageError(f"the form cannot be read: {error.message}") from error
        received.add(form.multi_items())
        try:
            for name, file in form.multi_items():
                if isinstance(file, UploadFile):
                    received.photo = _read_file(name, file)
        finally:
            await form.close()

    async def _stream(self) -> AsyncGenerator[bytes, None]:
        """Yield the body as it comes, as long as it is not too large."""
        try:
            async for chunk in self._request.stream():
                self._size += len(chunk)
                self._reception.arrived += len(chunk)
                if self._size > self._reception.limits.upload_bytes:
                    raise too_large(self._reception.limits.upload_bytes)
                if self._reception.arrived > self._reception.limits.arriving_bytes:
                    raise BusyError("much is being sent")
                yield chunk
        except ClientDisconnect as error:
            raise RefusedError(400, "incomplete", "Incomplete", "the sender has left") from error


def _read_file(name: str, file: UploadFile) -> Upload:
    if name != PHOTO:
        raise UsageError(f"{name}: the picture's field is {PHOTO}")
    return Upload(file.file.read(), clean_name(file.filename or PHOTO))


def clean_name(name: str) -> str:
    """Return what a sender calls a file, without folders, and such that every system takes it as a name."""
    base = PureWindowsPath(PurePosixPath(name).name).name
    shown = "".join("_" if char in REFUSED else char for char in on_one_line(base)).strip(". ")
    path = PurePosixPath(shown)
    return path.stem[: LONGEST_NAME - len(path.suffix)] + path.suffix[:LONGEST_NAME] or PHOTO
