"""Published model files: found, downloaded, verified, resumed, refused."""

import hashlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from symface_cli.errors import ExitStatus, WeightsError
from symface_cli.landmarks import models
from symface_cli.landmarks.clm import ClmLandmarks, ClnfLandmarks
from symface_cli.landmarks.sdm import SdmLandmarks

PROVIDERS = (SdmLandmarks, ClmLandmarks, ClnfLandmarks)

CONTENT = bytes(range(256)) * 1000
NAME = "small.bin"


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


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    """Serves a small file in place of the published ones' home; the cache is empty."""
    served = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.answer(self)

        def log_message(self, *_: object) -> None:
            pass

    file = models.ModelFile(models.CLM_SOURCE, f"folder/{NAME}", "small", hashlib.sha256(CONTENT).hexdigest())
    monkeypatch.setitem(models.FILES, NAME, file)
    for variable in ("SYMFACE_MODEL_DIR", "SYMFACE_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("SYMFACE_HOME", str(tmp_path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        monkeypatch.setenv("SYMFACE_MIRROR", f"http://127.0.0.1:{http.server_port}/")
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        yield served
        http.shutdown()
        thread.join()


def remains(folder: Path) -> list[str]:
    """Files in the cache, without the lock."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and path.name != ".lock")


def test_a_file_is_downloaded_once_from_its_pinned_commit(server: Server, tmp_path: Path) -> None:
    told: list[models.Download] = []
    path = models.locate(NAME, told.append)
    assert path.read_bytes() == CONTENT
    assert models.locate(NAME, told.append) == path
    commit = "3b2bf0695f77711385a337f4371cd4ab26d413bb"
    assert server.asked == [(f"/daviesian/CLM-framework/{commit}/lib/local/CLM/model/folder/{NAME}", None)]
    assert (told[0].done, told[0].total) == (0, len(CONTENT)) and told[-1].done == len(CONTENT)
    assert "non-commercial" in told[0].file.source.licence  # known before the first byte
    assert remains(tmp_path) == [NAME]


def test_a_file_with_a_wrong_checksum_is_refused_and_removed(server: Server, tmp_path: Path) -> None:
    server.content = b"something else"
    with pytest.raises(WeightsError, match=r"http://127.*SHA-256.*removed") as caught:
        models.locate(NAME)
    assert caught.value.status == ExitStatus.WEIGHTS
    assert "SYMFACE_MODEL_DIR" in str(caught.value) and "\n" not in str(caught.value)
    assert remains(tmp_path) == []
    server.content = CONTENT
    assert models.locate(NAME).read_bytes() == CONTENT


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_a_broken_download_is_resumed(server: Server, tmp_path: Path, knows_ranges: bool) -> None:
    server.breaks_after, server.knows_ranges = 100_000, knows_ranges
    with pytest.raises(WeightsError, match="broke off"):
        models.locate(NAME)
    assert remains(tmp_path) == [f"{NAME}.part"]
    kept = (tmp_path / "models" / "small" / f"{NAME}.part").stat().st_size
    assert 0 < kept <= 100_000
    server.breaks_after = None
    told: list[models.Download] = []
    assert models.locate(NAME, told.append).read_bytes() == CONTENT
    assert server.asked[1][1] == f"bytes={kept}-"
    assert told[0].done == (kept if knows_ranges else 0)
    assert told[0].total == len(CONTENT)


def test_a_download_that_lacks_only_its_name_gets_it(server: Server, tmp_path: Path) -> None:
    part = tmp_path / "models" / "small" / f"{NAME}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT)
    assert models.locate(NAME).read_bytes() == CONTENT


@pytest.mark.parametrize("variable", ["SYMFACE_OFFLINE", "HF_HUB_OFFLINE"])
def test_offline_no_socket_is_opened(variable: str, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket")

    monkeypatch.setenv(variable, "1")
    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with pytest.raises(WeightsError, match=r"http://127.*SYMFACE_MODEL_DIR"):
        models.locate(NAME)
    assert server.asked == []


def break_status(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.status = 404


def break_address(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMFACE_MIRROR", "http://127.0.0.1:1")  # nothing listens there


@pytest.mark.parametrize(("break_it", "reason"), [(break_status, "status 404"), (break_address, "no connection")])
def test_a_failed_download_names_the_address_and_what_to_do(
    break_it: Callable[[Server, pytest.MonkeyPatch], None], reason: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_it(server, monkeypatch)
    with pytest.raises(WeightsError, match=rf"http://127.*{reason}.*SYMFACE_MODEL_DIR"):
        models.locate(NAME)


@pytest.mark.parametrize("folder", ["small", "."])
def test_files_of_the_users_folder_are_taken_as_they_are(
    folder: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own" / folder / NAME
    own.parent.mkdir(parents=True)
    own.write_bytes(b"my own")
    monkeypatch.setenv("SYMFACE_MODEL_DIR", str(tmp_path / "own"))
    assert models.locate(NAME).samefile(own)
    assert server.asked == []
