"""The server: a socket, uvicorn, and the application behind it."""

import asyncio
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.context import BaseContext
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from symface_cli.errors import SymfaceError, UsageError
from symface_cli.parallel.cores import available_cores
from symface_cli.serve.app import make_app
from symface_cli.serve.guard import EVERYWHERE, LOOPBACK, Policy
from symface_cli.serve.limits import Limits
from symface_cli.serve.work.crew import Crew
from symface_cli.serve.work.jobs import Setup

ASKING_SECONDS = 20.0  # that a connection may be open without a request that is being answered
MOST_JOBS = 4  # processes where nobody says how many: one person does not need more


@dataclass(frozen=True, kw_only=True)
class ServerOptions:
    """How a server runs.

    Attributes:
        host: The address that it listens on.
        port: Its port; 0 for a free one.
        token: What has to be shown; None for nothing on this machine, and for a new one elsewhere.
        jobs: Number of processes; 0 for one per core, up to MOST_JOBS.
        setup: What they load.
        limits: How much is taken.
    """

    host: str = "127.0.0.1"
    port: int = 8137
    token: str | None = None
    jobs: int = 0
    setup: Setup = field(default_factory=Setup)
    limits: Limits = field(default_factory=Limits)


class ImpatientProtocol(H11Protocol):
    """HTTP that closes connections on which no request is being answered for a time, whatever trickles in."""

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock."""
        super().connection_made(transport)
        self._start_clock()

    def handle_events(self) -> None:
        """Stop the clock while a request is being answered."""
        super().handle_events()
        if self.cycle is not None and not self.cycle.response_complete and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def on_response_complete(self) -> None:
        """Start the clock again."""
        super().on_response_complete()
        if self._timer is None:
            self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def _start_clock(self) -> None:
        if not self.transport.is_closing():
            self._timer = self.loop.call_later(ASKING_SECONDS, self.transport.abort)


class Server:
    """A server that listens already; its processes start when it is made.

    Args:
        options: How it runs.
        tell: Is told of failures that nobody foresaw.
        context: How its processes start; None for the usual way.

    Attributes:
        address: What a browser opens.

    Raises:
        UsageError: If it cannot listen there.
        SymfaceError: If the network cannot be loaded.
    """

    def __init__(
        self,
        options: ServerOptions,
        tell: Callable[[SymfaceError], None] = lambda error: None,
        context: BaseContext | None = None,
    ) -> None:
        token = options.token
        if token is None and options.host not in LOOPBACK:
            token = secrets.token_urlsafe(18)
        self._socket = _listen(options.host, options.port)
        self.address = _address(options.host, self._socket.getsockname()[1], token)
        try:
            jobs = options.jobs or min(available_cores(), MOST_JOBS)
            self._crew = Crew(options.setup, jobs, options.limits, context)
        except BaseException:
            self._socket.close()
            raise
        app = make_app(self._crew, options.limits, Policy(options.host, token), tell)
        self._uvicorn = uvicorn.Server(_configure(app, options.limits))

    def run(self, started: Callable[[], None] = lambda: None) -> None:
        """Answer requests until it is stopped, by Ctrl-C or `stop`; `started` is called when it answers."""
        try:
            asyncio.run(self._serve(started))
        except KeyboardInterrupt:  # how it ends
            pass
        finally:
            self.close()

    def close(self) -> None:
        """End the processes, and listen no longer."""
        self._crew.stop()
        self._socket.close()

    async def _serve(self, started: Callable[[], None]) -> None:
        serving = asyncio.ensure_future(self._uvicorn.serve(sockets=[self._socket]))
        while not self._uvicorn.started and not serving.done():
            await asyncio.sleep(0.01)
        started()
        await serving

    def stop(self) -> None:
        """End it, from another thread."""
        self._uvicorn.should_exit = True


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"cannot listen on {host}, port {port}: {reason}; try another port") from error


def _address(host: str, port: int, token: str | None) -> str:
    name = "127.0.0.1" if host in EVERYWHERE else f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}/" + (f"?token={token}" if token is not None else "")


def _configure(app: ASGIApp, limits: Limits) -> uvicorn.Config:
    chosen: dict[str, Any] = {"http": ImpatientProtocol, "ws": "none", "loop": "asyncio", "lifespan": "on"}
    return uvicorn.Config(
        app,
        **chosen,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=limits.connections,
        timeout_graceful_shutdown=5,
    )
