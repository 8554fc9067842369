"""The application: the page, and what it and other programs ask for."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from symface_cli.errors import SymfaceError, UnexpectedError, UsageError, WorkerError
from symface_cli.serve.guard import HEALTH, Guard, Policy
from symface_cli.serve.kept import KeptPhotos
from symface_cli.serve.limits import Limits
from symface_cli.serve.openapi import describe_api
from symface_cli.serve.options import read_looking, read_measuring, read_previewing, read_symmetrizing
from symface_cli.serve.problems import RefusedError, answer_failure, answer_refusal, problem
from symface_cli.serve.uploads import Reader, Received, Reception
from symface_cli.serve.work.answers import Answer
from symface_cli.serve.work.crew import Crew
from symface_cli.serve.work.jobs import DescribeJob, Job
from symface_cli.serve.work.studio import Upload
from symface_cli.version import __version__

SWEEP_SECONDS = 10.0  # between looks for photos that are kept too long

STATIC = Path(__file__).parent / "static"
ReadJob = Callable[[Upload, Mapping[str, Sequence[str]]], Job]
ACTIONS: dict[str, ReadJob] = {
    "symmetrize": read_symmetrizing,
    "measure": read_measuring,
    "preview": read_previewing,
}


class Service:
    """What requests are answered with.

    Args:
        crew: The processes that do the work.
        limits: How much is taken.
    """

    def __init__(self, crew: Crew, limits: Limits) -> None:
        self._crew = crew
        self._reception = Reception(limits)
        self._kept = KeptPhotos(limits)
        self._forgetting: set[asyncio.Task[None]] = set()

    async def health(self, request: Request) -> Response:
        """Say that the server is up."""
        state = {"status": "ok", "version": __version__, "processes": self._crew.jobs, "busy": self._crew.waiting}
        return JSONResponse(state)

    async def describe(self, request: Request) -> Response:
        """Describe the API."""
        return JSONResponse(describe_api())

    def act(self, read: ReadJob) -> Callable[[Request], object]:
        """Return what answers requests for an action with a photo that comes with them."""

        async def answer(request: Request) -> Response:
            async with Reader(request, self._reception) as received:
                return _send(await self._crew.do(read(_photo_of(received), received.given)))

        return answer

    def act_on_kept(self, read: ReadJob) -> Callable[[Request], object]:
        """Return the same of photos that are kept."""

        async def answer(request: Request) -> Response:
            async with Reader(request, self._reception) as received:
                if received.photo is not None:
                    raise UsageError("the photo is kept: send no other")
                upload = self._kept.get(request.path_params["key"])
                if upload is None:
                    raise _gone()
                return _send(await self._crew.do(read(upload, received.given)))

        return answer

    async def keep(self, request: Request) -> Response:
        """Keep a photo, and tell its key and where its faces are."""
        async with Reader(request, self._reception) as received:
            if received.given:
                raise UsageError(f"{next(iter(received.given))}: no such field")
            upload = self._kept.add(_photo_of(received))
        self.sweep()
        try:
            answer = await self._crew.do(DescribeJob(upload))
        except BaseException:
            self._forget(upload.key)
            raise
        described = {"key": upload.key, **json.loads(answer.content)}
        return JSONResponse(described, 201, {"Location": f"/api/photos/{upload.key}"})

    async def drop(self, request: Request) -> Response:
        """Drop a photo."""
        if not self._kept.drop(request.path_params["key"]):
            raise _gone()
        self._forget(request.path_params["key"])
        return Response(status_code=204)

    def _forget(self, key: str) -> None:
        """Drop a photo, also where it is decoded, as soon as that is done with what it is at."""
        self._kept.drop(key)
        task = asyncio.create_task(self._crew.forget(key))
        self._forgetting.add(task)
        task.add_done_callback(self._forgetting.discard)

    def sweep(self) -> None:
        """Drop what is kept too long, or too much."""
        for key in self._kept.take_surplus():
            self._forget(key)

    @asynccontextmanager
    async def open(self, app: Starlette) -> AsyncIterator[None]:
        """Sweep as long as the application runs."""

        async def go_on() -> None:
            while True:
                await asyncio.sleep(SWEEP_SECONDS)
                self.sweep()

        sweeping = asyncio.create_task(go_on())
        try:
            yield
        finally:
            sweeping.cancel()


Tell = Callable[[SymfaceError], None]


def make_app(crew: Crew, limits: Limits, policy: Policy, tell: Tell = lambda error: None) -> ASGIApp:
    """Make the application; whoever runs it is told of failures that nobody foresaw."""
    service = Service(crew, limits)
    routes = [
        Route("/", _page),
        Route(HEALTH, service.health),
        Route("/api/openapi.json", service.describe),
        Route("/api/photos", service.keep, methods=["POST"]),
        Route("/api/photos/{key}", service.act_on_kept(read_looking), methods=["GET"]),
        Route("/api/photos/{key}", service.drop, methods=["DELETE"]),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    for name, read in ACTIONS.items():
        routes.append(Route(f"/api/{name}", service.act(read), methods=["POST"]))
        routes.append(Route(f"/api/photos/{{key}}/{name}", service.act_on_kept(read), methods=["POST"]))
    app = Starlette(
        routes=routes,
        lifespan=service.open,
        exception_handlers={
            SymfaceError: partial(_answer_failure, tell),
            RefusedError: answer_refusal,
            HTTPException: _answer_http,
            Exception: _answer_bug,
        },
    )
    return Guard(app, policy)


async def _answer_failure(tell: Tell, request: Request, error: Exception) -> Response:
    if isinstance(error, (UnexpectedError, WorkerError)):
        tell(error)
    return await answer_failure(request, error)


async def _page(request: Request) -> Response:
    return FileResponse(STATIC / "index.html")


def _photo_of(received: Received) -> Upload:
    if received.photo is None:
        raise UsageError("no photo: send it in the field photo, or as the body with Content-Type: image/*")
    return received.photo


def _gone() -> RefusedError:
    return RefusedError(
        404, "gone", "Not kept", "there is no such photo, or it was dropped after a time; send it again"
    )


def _send(answer: Answer) -> Response:
    """Send a file; its notes are in a header, which has ASCII alone."""
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(answer.name, safe='')}"}
    if answer.notes:
        headers["Symface-Notes"] = quote(json.dumps(answer.notes, ensure_ascii=False), safe=" [],\":;'()-")
    return Response(answer.content, headers=headers, media_type=answer.media_type)


async def _answer_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    return problem(error.status_code, "http", error.detail, f"{request.method} {request.url.path}", headers)


async def _answer_bug(request: Request, error: Exception) -> Response:
    return problem(500, "bug", "A bug", type(error).__name__)
