"""The application without processes: what is asked of it is answered by a stand-in."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx

from symface_cli.serve.app import make_app
from symface_cli.serve.guard import Policy
from symface_cli.serve.limits import Limits
from symface_cli.serve.work.answers import Answer
from symface_cli.serve.work.jobs import DescribeJob, Job


@dataclass
class StandIn:
    """Answers with the picture itself."""

    jobs: int = 1
    waiting: int = 0
    asked: list[Job] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)

    async def do(self, job: Job) -> Answer:
        self.asked.append(job)
        if isinstance(job, DescribeJob):
            return Answer(b'{"faces": []}', ".json")
        return Answer(job.upload.data, ".png", job.upload.name)

    async def forget(self, key: str) -> None:
        self.forgotten.append(key)


@dataclass
class Asked:
    """An application that can be asked.

    Attributes:
        limits: How much it takes.
        policy: Who may ask.
        crew: What answers.
    """

    limits: Limits = field(default_factory=Limits)
    policy: Policy = field(default_factory=Policy)
    crew: StandIn = field(default_factory=StandIn)

    def __post_init__(self) -> None:
        self.app = make_app(self.crew, self.limits, self.policy)  # type: ignore[arg-type]

    def __call__(self, method: str, path: str, **options: object) -> httpx.Response:
        return self.together((method, path, options))[0]

    def together(self, *requests: tuple[str, str, dict[str, object]]) -> list[httpx.Response]:
        """Asks several things at once."""

        async def ask() -> list[httpx.Response]:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8137") as client:
                asked = [client.request(method, path, **options) for method, path, options in requests]  # type: ignore[arg-type]
                return await asyncio.gather(*asked)

        return asyncio.run(ask())


async def slowly(*chunks: bytes, seconds: float) -> AsyncIterator[bytes]:
    """A body that comes in pieces."""
    for chunk in chunks:
        yield chunk
        await asyncio.sleep(seconds)
