"""What went wrong, as problem details (RFC 9457)."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from symface_cli.errors import (
    MissingExtraError,
    NoFaceError,
    OutputError,
    PhotoError,
    SymfaceError,
    UsageError,
    WeightsError,
    WorkerError,
)

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 2  # after which a busy server may be asked again

KINDS: dict[type[SymfaceError], tuple[int, str, str]] = {
    UsageError: (400, "usage", "The request makes no sense"),
    MissingExtraError: (501, "missing-extra", "An optional part is not installed"),
    PhotoError: (422, "photo", "The photo cannot be read"),
    OutputError: (422, "output", "The result cannot be written"),
    NoFaceError: (422, "no-face", "No such face in the photo"),
    WeightsError: (500, "weights", "The weights cannot be used"),
    WorkerError: (500, "worker", "A process died"),
}
"""Status, kind and title of expected failures."""
BUG = (500, "bug", "A bug")


class RefusedError(Exception):
    """A request that is not done.

    Attributes:
        status: The HTTP status.
        kind: The last part of the problem's type.
        title: What kind of problem that is.
        headers: That go with the answer.
    """

    def __init__(self, status: int, kind: str, title: str, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.kind, self.title = status, kind, title
        self.headers = headers or {}


class BusyError(RefusedError):
    """Too much is being done at once; later it will be taken."""

    def __init__(self, detail: str) -> None:
        retry = {"Retry-After": str(RETRY_SECONDS)}
        super().__init__(503, "busy", "The server is busy", f"{detail}; try again", retry)


def too_large(most: int) -> RefusedError:
    """Return the refusal of a body of more than so many bytes."""
    return RefusedError(413, "too-large", "Too large", f"more than {most // 2**20} MB")


def kind_of(error: SymfaceError) -> tuple[int, str, str]:
    """Return status, kind and title of a failure."""
    return next((known for cause, known in KINDS.items() if isinstance(error, cause)), BUG)


def problem(
    status: int, kind: str, title: str, detail: str, headers: dict[str, str] | None = None, **more: Any
) -> JSONResponse:
    """Return a problem's answer."""
    content = {"type": f"urn:symface:{kind}", "title": title, "status": status, "detail": detail, **more}
    return JSONResponse(content, status, headers, MEDIA_TYPE)


async def answer_failure(request: Request, error: Exception) -> JSONResponse:
    """Answer with a failure of symface; its exit status is that of the command line."""
    assert isinstance(error, SymfaceError)
    return problem(*kind_of(error), str(error), exit_status=int(error.status))


async def answer_refusal(request: Request, error: Exception) -> JSONResponse:
    """Answer with a refusal."""
    assert isinstance(error, RefusedError)
    return problem(error.status, error.kind, error.title, str(error), error.headers)
