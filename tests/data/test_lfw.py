"""LFW downloaded: once, verified, resumed, from a mirror or a copy, or not at all but with advice."""

import hashlib
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from symface_cli.data import lfw as lfw_module
from symface_cli.data.lfw import fetch_lfw
from symface_cli.errors import DataError
from tests.conftest import Finished
from tests.data.people import TREE, Symface, error_line, hostile_tar, make_archive, remains
from tests.server import Server


@pytest.fixture
def lfw(server: Server, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    """A mirror with a small archive in place of LFW's, of 3 people who are trained on, none with a face."""
    folder = tmp_path / "published"
    folder.mkdir()
    server.content = make_archive(folder / "lfw.tgz", *TREE).read_bytes()
    published = replace(lfw_module.LFW, sha256=hashlib.sha256(server.content).hexdigest())
    monkeypatch.setattr(lfw_module, "LFW", published)
    return server


def download(symface: Symface, folder: Path) -> Finished:
    return symface("train", "--stage", 1, "--download", "lfw", "--run", folder / "run")


def test_lfw_is_downloaded_once_and_trained_on(symface: Symface, lfw: Server, tmp_path: Path) -> None:
    finished = download(symface, tmp_path)
    assert finished.status == 6
    assert "0 of 3 photos usable; 3 without a face" in error_line(finished)
    assert "photos of real people, for research" in finished.err.splitlines()[0]
    assert download(symface, tmp_path).status == 6
    assert lfw.asked == [("/lfw/lfw-deepfunneled.tgz", None)]


def test_another_file_than_lfw_is_refused(symface: Symface, lfw: Server, tmp_path: Path, cache: Path) -> None:
    lfw.content = make_archive(tmp_path / "lfw.tgz", "lfw/Eve/1.png").read_bytes()
    finished = download(symface, tmp_path)
    assert finished.status == 6
    assert "/lfw/lfw-deepfunneled.tgz has SHA-256" in error_line(finished)
    assert remains(cache) == []


def test_a_broken_download_of_lfw_is_resumed(symface: Symface, lfw: Server, tmp_path: Path, cache: Path) -> None:
    lfw.breaks_after = 100_000
    finished = download(symface, tmp_path)
    assert finished.status == 6 and "broke off" in error_line(finished)
    kept = cache / "lfw-deepfunneled.tgz.part"
    assert kept.read_bytes() == lfw.content[: kept.stat().st_size] != b""
    lfw.breaks_after, size = None, kept.stat().st_size
    assert "0 of 3 photos usable; 3 without a face" in error_line(download(symface, tmp_path))
    assert lfw.asked[1] == ("/lfw/lfw-deepfunneled.tgz", f"bytes={size}-")


def test_without_a_host_the_address_is_named_and_where_to_put_a_copy(
    symface: Symface, lfw: Server, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYMFACE_MIRROR", "http://127.0.0.1:1")  # nothing listens there
    finished = download(symface, tmp_path)
    assert finished.status == 6
    line = error_line(finished)
    copy = cache / "lfw-deepfunneled.tgz"
    assert "cannot download http://127.0.0.1:1/lfw/lfw-deepfunneled.tgz (no connection" in line
    assert f"put a copy of it at {copy}, or give a folder of photos" in line
    copy.write_bytes(lfw.content)
    assert "0 of 3 photos usable; 3 without a face" in error_line(download(symface, tmp_path))


@pytest.mark.parametrize("variable", ["SYMFACE_OFFLINE", "HF_HUB_OFFLINE"])
def test_offline_lfw_is_not_asked_for(
    variable: str, symface: Symface, lfw: Server, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SYMFACE_MIRROR")
    monkeypatch.setenv(variable, "1")
    finished = download(symface, tmp_path)
    assert finished.status == 6
    line = error_line(finished)
    assert "SYMFACE_OFFLINE forbids to get http://vis-www.cs.umass.edu/lfw/lfw-deepfunneled.tgz" in line
    copy = cache / "lfw-deepfunneled.tgz"
    assert f"put a copy of it at {copy}" in line
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_bytes(lfw.content)
    assert "0 of 3 photos usable; 3 without a face" in error_line(download(symface, tmp_path))
    assert lfw.asked == []


@pytest.fixture
def dead_home(lfw: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """LFW's home, which does not answer; its copy does. There is no mirror."""
    home, copy = "http://127.0.0.1:1/lfw.tgz", lfw_module.on_mirror("http://any/copy/lfw.tgz")
    monkeypatch.delenv("SYMFACE_MIRROR")
    monkeypatch.setattr(lfw_module, "LFW", replace(lfw_module.LFW, addresses=(home, copy)))
    return home


def test_where_lfws_home_does_not_answer_a_copy_is_taken(lfw: Server, dead_home: str) -> None:
    told: list[tuple[str, int, int | None]] = []
    archive = fetch_lfw(lambda address: lambda done, total: told.append((address, done, total)))
    assert archive.read_bytes() == lfw.content
    assert [path for path, _ in lfw.asked] == ["/copy/lfw.tgz"]
    assert told[-1] == (lfw_module.LFW.addresses[1], len(lfw.content), len(lfw.content))


def test_where_neither_answers_both_are_named(lfw: Server, dead_home: str, cache: Path) -> None:
    lfw.status = 503
    with pytest.raises(DataError) as caught:
        fetch_lfw(lambda address: lambda done, total: None)
    message = str(caught.value)
    assert f"cannot download {lfw_module.LFW.addresses[1]} (HTTP status 503)" in message
    assert f"put a copy of {dead_home}, which failed before, at {cache / 'lfw-deepfunneled.tgz'}" in message


def test_a_hostile_download_is_refused(
    symface: Symface, lfw: Server, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lfw.content = hostile_tar(tmp_path / "evil.tgz", tarfile.TarInfo("../evil.png")).read_bytes()
    hostile = replace(lfw_module.LFW, sha256=hashlib.sha256(lfw.content).hexdigest())
    monkeypatch.setattr(lfw_module, "LFW", hostile)
    finished = download(symface, tmp_path)
    assert finished.status == 6
    assert "unsafe archive: member '../evil.png' would be written outside the target folder" in error_line(finished)
    assert not list(tmp_path.rglob("evil.png"))


@pytest.mark.parametrize("arguments", [[], ["folder", "--download", "lfw"], ["--download", "bu3dfe"]])
def test_either_a_data_set_or_a_download_is_given(symface: Symface, arguments: list[str], tmp_path: Path) -> None:
    finished = symface("train", "--stage", 1, *arguments, "--run", tmp_path / "run")
    assert finished.status == 2
    assert "DATA" in error_line(finished) or "bu3dfe" in error_line(finished)
