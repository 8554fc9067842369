"""How much the server takes, and for how long."""

from dataclasses import dataclass

MIB = 2**20


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of a server; beyond them, requests are refused, and kept photos dropped.

    Attributes:
        upload_bytes: Of one request's body.
        arriving_bytes: Of the bodies of all requests that are being answered.
        kept_photos: Photos that are kept for pages.
        kept_bytes: Of these, as they came.
        kept_seconds: For how long one is kept after it was last asked for.
        waiting: Requests that wait for a process.
        connections: Of all clients.
        arriving_seconds: In which a request has to have come.
        working_seconds: In which it has to be done; a process that needs longer is ended.
    """

    upload_bytes: int = 100 * MIB
    arriving_bytes: int = 512 * MIB
    kept_photos: int = 200
    kept_bytes: int = 1024 * MIB
    kept_seconds: float = 1800
    waiting: int = 64
    connections: int = 256
    arriving_seconds: float = 60
    working_seconds: float = 60
