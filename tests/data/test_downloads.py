"""Published files: downloaded, verified, resumed, refused, and told of."""

import errno
import hashlib
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from symface_cli.data.archives import unpack_once
from symface_cli.data.downloads import cache_folder, fetch, locked, on_mirror
from symface_cli.data.lfw import fetch_lfw
from symface_cli.data.published import find, locate
from symface_cli.errors import DataError, ExitStatus, WeightsError
from tests.server import CONTENT, Server

SHA256 = hashlib.sha256(CONTENT).hexdigest()
ADDRESS = "https://example.org/files/small.bin"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where the file is to lie, in a folder that does not exist yet."""
    return tmp_path / "folder" / "small.bin"


def remains(target: Path) -> list[str]:
    """Files beside the target, without the lock."""
    return sorted(path.name for path in target.parent.iterdir() if path.name != ".lock")


def test_the_file_comes_from_the_path_that_it_has_at_its_home(server: Server, target: Path) -> None:
    told: list[tuple[int, int | None]] = []
    fetch(ADDRESS, target, SHA256, lambda done, total: told.append((done, total)))
    assert target.read_bytes() == CONTENT
    assert server.asked == [("/files/small.bin", None)]
    assert told[0] == (0, len(CONTENT)) and told[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert remains(target) == ["small.bin"]


def test_one_mirror_serves_every_home(monkeypatch: pytest.MonkeyPatch) -> None:
    homes = ("https://example.org/a/b.bin", "http://files.example.com/data/c.tgz")
    monkeypatch.delenv("SYMFACE_MIRROR", raising=False)
    assert tuple(map(on_mirror, homes)) == homes
    for mirror in ("http://mirror.test/faces", "http://mirror.test/faces/"):
        monkeypatch.setenv("SYMFACE_MIRROR", mirror)
        assert on_mirror(homes[0]) == "http://mirror.test/faces/a/b.bin"
        assert on_mirror(homes[1]) == "http://mirror.test/faces/data/c.tgz"


def test_a_file_that_another_process_has_brought_is_not_downloaded_again(server: Server, target: Path) -> None:
    target.parent.mkdir()
    target.write_bytes(b"theirs")
    fetch(ADDRESS, target, SHA256)
    assert target.read_bytes() == b"theirs" and server.asked == []


def test_a_file_with_a_wrong_checksum_is_refused_and_removed(server: Server, target: Path) -> None:
    server.content = b"something else"
    with pytest.raises(WeightsError, match=rf"http://127.*SHA-256.*{SHA256}.*removed") as caught:
        fetch(ADDRESS, target, SHA256)
    assert caught.value.status == ExitStatus.WEIGHTS and "\n" not in str(caught.value)
    assert remains(target) == []
    server.content = CONTENT
    fetch(ADDRESS, target, SHA256)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_a_broken_download_is_resumed(server: Server, target: Path, knows_ranges: bool) -> None:
    server.breaks_after, server.knows_ranges = 100_000, knows_ranges
    with pytest.raises(WeightsError, match="broke off"):
        fetch(ADDRESS, target, SHA256)
    assert remains(target) == ["small.bin.part"]
    kept = target.with_name("small.bin.part").stat().st_size
    assert 0 < kept <= 100_000
    server.breaks_after = None
    told: list[tuple[int, int | None]] = []
    fetch(ADDRESS, target, SHA256, lambda done, total: told.append((done, total)))
    assert target.read_bytes() == CONTENT
    assert server.asked[1][1] == f"bytes={kept}-"
    assert told[0] == (kept if knows_ranges else 0, len(CONTENT))


def test_a_download_that_lacks_only_its_name_gets_it(server: Server, target: Path) -> None:
    target.parent.mkdir()
    target.with_name("small.bin.part").write_bytes(CONTENT)
    fetch(ADDRESS, target, SHA256)
    assert target.read_bytes() == CONTENT and remains(target) == ["small.bin"]


@pytest.mark.parametrize("variable", ["SYMFACE_OFFLINE", "HF_HUB_OFFLINE"])
def test_offline_no_socket_is_opened(
    variable: str, server: Server, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket")

    monkeypatch.setenv(variable, "1")
    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with pytest.raises(WeightsError, match=r"small\.bin is not here.*http://127.*/files/small\.bin; copy it"):
        fetch(ADDRESS, target, SHA256, by_hand="copy it")
    assert server.asked == [] and not target.parent.exists()


def break_status(server: Server, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.status = 404


def break_address(server: Server, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMFACE_MIRROR", "http://127.0.0.1:1")  # nothing listens there


def break_checksum(server: Server, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.content = CONTENT[1:]


def break_folder(server: Server, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target.parent.write_bytes(b"a file")


@pytest.mark.parametrize(
    ("break_it", "reason"),
    [
        (break_status, "status 404"),
        (break_address, "no connection"),
        (break_checksum, "expected"),
        (break_folder, "cannot write"),
    ],
)
@pytest.mark.parametrize("failure", [WeightsError, DataError])
def test_a_failed_download_is_what_the_caller_says_and_names_the_address_and_what_to_do(
    break_it: Callable[[Server, Path, pytest.MonkeyPatch], None],
    reason: str,
    failure: type[WeightsError | DataError],
    server: Server,
    target: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    break_it(server, target, monkeypatch)
    with pytest.raises(failure) as caught:
        fetch(ADDRESS, target, SHA256, by_hand="copy it", failure=failure)
    message = str(caught.value)
    assert "http://127" in message and reason in message and message.endswith("or copy it")


def test_downloads_are_kept_where_the_user_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SYMFACE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("SYMFACE_HOME")
    assert cache_folder().name == "symface"


@pytest.mark.usefixtures("no_home")
def test_without_a_home_only_what_needs_the_cache_fails_and_says_what_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "faces.tar").write_bytes(b"")
    with pytest.raises(DataError, match=r"no home folder.*set SYMFACE_HOME"):
        unpack_once(tmp_path / "faces.tar", lambda done, total: None)
    with pytest.raises(DataError, match=r"no home folder.*set SYMFACE_HOME"):
        fetch_lfw(lambda address: lambda done, total: None)
    with pytest.raises(WeightsError, match=r"no home folder.*set SYMFACE_HOME"):
        locate("face_sdm.yml")
    assert find("face_sdm.yml") is None
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "symface"
    monkeypatch.setenv("SYMFACE_HOME", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
    monkeypatch.setenv("SYMFACE_HOME", "~/own")
    with pytest.raises(FileNotFoundError):
        cache_folder()


def test_a_home_of_somebody_else_has_no_models_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """HOME=/root, as another user: `Path.is_file` raises, on Python before 3.14."""
    monkeypatch.setenv("SYMFACE_HOME", "/root")
    monkeypatch.setattr(Path, "stat", refuse)
    assert find("face_sdm.yml") is None
    monkeypatch.undo()


def refuse(path: Path, **options: bool) -> None:
    raise PermissionError(errno.EACCES, "Permission denied", str(path))


def test_a_locked_folder_keeps_other_processes_out(tmp_path: Path) -> None:
    script = f"from filelock import FileLock; FileLock({str(tmp_path / '.lock')!r}).acquire(timeout=0)"
    attempt = [sys.executable, "-c", script]
    with locked(tmp_path):
        refused = subprocess.run(attempt, capture_output=True, text=True)
        assert refused.returncode and "Timeout" in refused.stderr
    assert subprocess.run(attempt).returncode == 0
