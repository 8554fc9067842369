"""Published model files: found in the user's folder or the cache, or downloaded from their homes."""

import dataclasses
import functools
import hashlib
import os
import re
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from symface_cli.cli.fetching import fetch_models
from symface_cli.data.published import (
    CLM_SOURCE,
    FILES,
    SDM_SOURCE,
    SFACE_SOURCE,
    YUNET_SOURCE,
    ModelFile,
    find,
    locate,
)
from symface_cli.errors import ExitStatus, WeightsError
from symface_cli.methods.registry import PROVIDERS

CONTENT = bytes(range(256)) * 300
COMMITS = {
    SDM_SOURCE: "901f8ca3e225f4011c455d2371dd3bc80ee4a41d",
    CLM_SOURCE: "3b2bf0695f77711385a337f4371cd4ab26d413bb",
    YUNET_SOURCE: "47534e27c9851bb1128ccc0102f1145e27f23f98",
    SFACE_SOURCE: "47534e27c9851bb1128ccc0102f1145e27f23f98",
}
HOMES = (
    "https://storage.cmusatyalab.org/openface-models/nn4.small2.v1.t7",
    "https://storage.googleapis.com/mediapipe-assets/face_detection_short_range.tflite",
    "https://storage.googleapis.com/mediapipe-assets/face_landmark.tflite",
    "https://storage.googleapis.com/mediapipe-assets/iris_landmark.tflite",
    "https://storage.googleapis.com/mediapipe-assets/hair_segmentation.tflite",
    "https://storage.googleapis.com/mediapipe-assets/selfie_segmentation.tflite",
)


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(params=sorted(FILES))
def file(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModelFile:
    """Each published file, with another content."""
    published = FILES[request.param]
    checksum = hashlib.sha256(CONTENT).hexdigest()
    replaced = dataclasses.replace(published, sha256=checksum)
    monkeypatch.setitem(FILES, request.param, replaced)
    return replaced


@pytest.fixture
def mirror(file: ModelFile, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A mirror that has the file, and its path on it; the cache is empty."""
    served = tmp_path / "mirror" / urlsplit(file.address).path[1:]
    served.parent.mkdir(parents=True)
    served.write_bytes(CONTENT)
    monkeypatch.setenv("SYMFACE_HOME", str(tmp_path / "home"))
    handler = functools.partial(QuietHandler, directory=str(tmp_path / "mirror"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        monkeypatch.setenv("SYMFACE_MIRROR", f"http://127.0.0.1:{http.server_port}")
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        yield served
        http.shutdown()
        thread.join()


def test_a_file_is_downloaded_once(file: ModelFile, mirror: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    path = locate(file.name, progress=lambda done, total: told.append((done, total)))
    assert path == tmp_path / "home" / "models" / file.folder / file.name
    assert path.read_bytes() == CONTENT
    assert told[0] == (0, len(CONTENT)) and told[-1] == (len(CONTENT), len(CONTENT))
    mirror.unlink()
    told.clear()
    assert locate(file.name, progress=lambda done, total: told.append((done, total))) == path
    assert told == []


def test_another_file_is_refused_and_removed(file: ModelFile, mirror: Path, tmp_path: Path) -> None:
    mirror.write_bytes(b"another file")
    with pytest.raises(WeightsError, match=r"http://127.*SHA-256.*removed.*SYMFACE_MODEL_DIR") as caught:
        locate(file.name)
    assert caught.value.status == ExitStatus.WEIGHTS
    assert list((tmp_path / "home").rglob(f"{file.name}*")) == []
    mirror.write_bytes(CONTENT)
    assert locate(file.name).read_bytes() == CONTENT


def test_offline_the_error_names_the_home_and_what_to_do(
    file: ModelFile, mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYMFACE_OFFLINE", "1")
    monkeypatch.delenv("SYMFACE_MIRROR")
    with pytest.raises(WeightsError, match=r"SYMFACE_OFFLINE.*with SYMFACE_MODEL_DIR") as caught:
        locate(file.name)
    assert file.address in str(caught.value) and caught.value.status == ExitStatus.WEIGHTS


@pytest.mark.parametrize("flat", [False, True])
def test_files_of_the_users_folder_are_taken_as_they_are(
    flat: bool, file: ModelFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own" / ("" if flat else file.folder) / file.name
    own.parent.mkdir(parents=True)
    own.write_bytes(b"my own")
    monkeypatch.setenv("SYMFACE_OFFLINE", "1")
    assert locate(file.name, tmp_path / "own") == own
    assert find(file.name) is None
    monkeypatch.setenv("SYMFACE_MODEL_DIR", str(tmp_path / "own"))
    assert locate(file.name) == own
    assert find(file.name, tmp_path / "another") is None


def test_the_license_is_shown_before_the_first_byte(
    file: ModelFile, mirror: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fetch_models([file.name], None)
    line = " ".join(capsys.readouterr().err.split())
    assert line == f"downloading {file.name}: {file.source.license}"
    assert any(word in line for word in ("non-commercial", "evaluation only", "Apache License", "MIT License"))
    fetch_models([file.name], None)
    assert capsys.readouterr().err == ""


def test_a_folder_of_models_is_passed_on_to_whoever_loads_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMFACE_OFFLINE", "1")
    monkeypatch.setenv("SYMFACE_HOME", str(tmp_path / "home"))
    for entry in PROVIDERS.values():
        for name in entry.files:
            (tmp_path / name).write_bytes(b"my own")
    environment = dict(os.environ)
    for entry in PROVIDERS.values():
        if entry.files:
            with pytest.raises(WeightsError, match="SYMFACE_OFFLINE"):
                entry.load()
            with pytest.raises(WeightsError, match=f"{re.escape(str(tmp_path))}.*not "):
                entry.load(model_folder=tmp_path)
    assert dict(os.environ) == environment


def test_files_come_from_pinned_commits_or_from_their_makers_homes() -> None:
    for published in FILES.values():
        if published.source in COMMITS:
            assert re.match(r"https://(raw|media)\.githubusercontent\.com/", published.address)
            assert f"/{COMMITS[published.source]}/" in published.address
        else:
            assert published.address in HOMES
