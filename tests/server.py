"""A server of one file, on this machine."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONTENT = bytes(range(256)) * 1000


@dataclass
class Server:
    """A server of one file that can break off.

    Attributes:
        content: What it serves.
        breaks_after: Bytes that it sends before it closes the connection.
        knows_ranges: Whether it answers Range requests with the range.
        asked: Path and Range header of each request.
    """

    content: bytes = CONTENT
    breaks_after: int | None = None
    knows_ranges: bool = True
    status: int = 200
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        wanted = request.headers["Range"]
        self.asked.append((request.path, wanted))
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and self.knows_ranges else 0
        if start >= len(self.content) or self.status != 200:
            request.send_error(416 if self.status == 200 else self.status)
            return
        request.send_response(206 if start else 200)
        request.send_header("Content-Length", str(len(self.content) - start))
        request.end_headers()
        request.wfile.write(self.content[start:][: self.breaks_after])


@contextmanager
def serve(server: Server) -> Iterator[str]:
    """Answer from a thread while the context lasts; the address is given."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}/"
        http.shutdown()
        thread.join()
