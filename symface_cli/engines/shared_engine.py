"""A GPU for many processes: one has the engine, and computes in batches what the others ask for at the same time.

What the others do meanwhile, decoding, detecting, rendering and encoding, takes more time than the network, on a core
each. They are forked, which cannot be done with what is loaded onto a GPU.
"""

import multiprocessing
import os
import secrets
import threading
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import AuthenticationError, current_process
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from symface_cli.engines.engine import EngineName, Located
from symface_cli.errors import SymfaceError, WorkerError
from symface_cli.geometry.types import Photo
from symface_cli.parallel.pool import start_worker

if TYPE_CHECKING:
    from symface_cli.engines.torch_engine import TorchEngine

GONE = "the process that computes on the GPU was killed, perhaps for lack of memory"
WAITING = 64  # processes that may wait to be connected


@dataclass(frozen=True)
class Request:
    """What is to be done with a crop; `located` is for faces that are decoded."""

    task: Literal["locate", "decode"]
    crop: Photo
    located: Located | None = None


class Introduction(NamedTuple):
    """What there is to know of an engine in another process."""

    address: str
    sha256: str
    stage: int


class SharedEngine:
    """The torch engine of another process. Every process and thread asks it for one face at a time.

    Attributes:
        name: What computes it.
        can_fork: That a process can be forked with it.
        stage: The stage in which the weights were trained last.
    """

    name: EngineName = "torch"
    can_fork = True

    def __init__(self, introduction: Introduction) -> None:
        self._address, self._sha256, self.stage = introduction
        self._connections: dict[tuple[int, int], Connection[Request, Any]] = {}

    @property
    def sha256(self) -> str:
        """Checksum of the weights file."""
        return self._sha256

    def locate(self, crop: Photo) -> Located | None:
        """Locate the face in a crop (160, 160, 3); return None if the network cannot.

        Raises:
            WorkerError: If the other process is gone.
        """
        found: Located | None = self._ask(Request("locate", crop))
        return found

    def decode(self, crop: Photo, located: Located | None) -> Photo:
        """Return the decoded face of a crop (160, 160, 3), (128, 128, 3).

        Raises:
            WorkerError: If the other process is gone.
        """
        face: Photo = self._ask(Request("decode", crop, located))
        return face

    def _ask(self, request: Request) -> Any:
        try:
            connection = self._connect()
            connection.send(request)
            answer = connection.recv()
        except (EOFError, OSError) as error:
            raise WorkerError(GONE) from error
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _connect(self) -> "Connection[Request, Any]":
        """Return the connection of this thread: that of another one was copied if this process was forked."""
        me = os.getpid(), threading.get_ident()
        if me not in self._connections:
            self._connections[me] = Client(self._address, authkey=current_process().authkey)
        return self._connections[me]


def start_engine(weights: Path | None, device: str) -> SharedEngine | None:
    """Start a process with the torch engine, which ends with this one; return None if its device is the CPU.

    Raises:
        WeightsError: If the weights cannot be used.
        UsageError: If the device is not there.
        WorkerError: If the process dies.
    """
    context = multiprocessing.get_context("spawn")
    ours, its = context.Pipe()
    context.Process(target=_run, args=(its, weights, device), daemon=True).start()
    its.close()
    try:
        told: Introduction | SymfaceError | None = ours.recv()
    except EOFError as error:
        raise WorkerError(GONE) from error
    if isinstance(told, SymfaceError):
        raise told
    return None if told is None else SharedEngine(told)


def _run(start: "Connection[object, object]", weights: Path | None, device: str) -> None:
    """Load the engine, tell `start` about it, and work for whoever connects."""
    start_worker()
    from symface_cli.engines.torch_engine import TorchEngine

    try:
        engine = TorchEngine(weights, device)
    except SymfaceError as error:
        start.send(error)
        return
    if engine.can_fork:
        start.send(None)
        return
    listener = listen()
    start.send(introduce(engine, listener))
    share(engine, listener)


def listen() -> Listener:
    """Return where processes of this one's family can connect: under a name of Linux's, which leaves no file."""
    return Listener(f"\0symface-{secrets.token_hex(8)}", backlog=WAITING, authkey=current_process().authkey)


def introduce(engine: "TorchEngine", listener: Listener) -> Introduction:
    """Return what others have to know of an engine that is shared."""
    address = listener.address
    return Introduction(address.decode() if isinstance(address, bytes) else str(address), engine.sha256, engine.stage)


Asked = tuple["Connection[Any, Request]", Request]
"""A request, and where its answer goes."""


def share(engine: "TorchEngine", listener: Listener) -> None:
    """Answer requests for ever: always those in one batch that have come while the last one was computed."""
    requests: SimpleQueue[Asked] = SimpleQueue()
    threading.Thread(target=_accept, args=(listener, requests), daemon=True).start()
    while True:
        _answer(engine, _take_waiting(requests))


def _accept(listener: Listener, requests: "SimpleQueue[Asked]") -> None:
    """Listen to everyone who connects."""
    while True:
        with suppress(AuthenticationError, EOFError, OSError):  # one who is gone again
            threading.Thread(target=_hear, args=(listener.accept(), requests), daemon=True).start()


def _hear(connection: "Connection[Any, Request]", requests: "SimpleQueue[Asked]") -> None:
    with suppress(EOFError, OSError):
        while True:
            requests.put((connection, connection.recv()))


def _take_waiting(requests: "SimpleQueue[Asked]") -> list[Asked]:
    """Wait for a request; return it, and the others that are there."""
    from symface_cli.engines.torch_engine import BATCH

    waiting = [requests.get()]
    with suppress(Empty):
        while len(waiting) < BATCH:
            waiting.append(requests.get_nowait())
    return waiting


def _answer(engine: "TorchEngine", waiting: Sequence[Asked]) -> None:
    groups: dict[tuple[str, bool], list[Asked]] = defaultdict(list)
    for asked in waiting:
        groups[asked[1].task, asked[1].located is None].append(asked)
    for group in groups.values():
        answers = _compute(engine, [request for _, request in group])
        for (connection, _), answer in zip(group, answers, strict=True):
            with suppress(OSError):  # who asked is gone
                connection.send(answer)


def _compute(engine: "TorchEngine", requests: Sequence[Request]) -> Sequence[object]:
    """Return the answers to requests of one kind; whatever goes wrong is an answer, too."""
    crops = [request.crop for request in requests]
    located = [request.located for request in requests if request.located is not None]
    try:
        if requests[0].task == "locate":
            return engine.locate_batch(crops)
        return engine.decode_batch(crops, located or None)
    except Exception as error:  # noqa: BLE001 (who asked raises it)
        return [error] * len(requests)
