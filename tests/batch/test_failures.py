"""One photo never costs the batch, whatever goes wrong with it."""

import errno
import json
import os
import signal
from pathlib import Path

import pytest
from PIL import Image

from tests.processes import forking

NAMES = ("a.png", "b.png", "c.png")
RAISED = {
    "bug": (ZeroDivisionError("division by zero"), 1),
    "memory": (MemoryError(), 3),
    "disk": (OSError(errno.EIO, "Input/output error"), 3),
    "recursion": (RecursionError("maximum recursion depth exceeded"), 1),
}


@pytest.fixture
def walls(tmp_path):
    """Three photos that show nobody."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name in NAMES:
        Image.new("RGB", (64, 64), "navy").save(folder / name)
    return folder


@pytest.mark.parametrize("kind", RAISED)
@pytest.mark.parametrize("command", ["symmetrize", "measure"])
def test_the_photos_after_one_that_fails_are_done(symface, walls, tmp_path, monkeypatch, command, kind):
    from symface_cli.batch import measuring, runner

    error, status = RAISED[kind]
    module = runner if command == "symmetrize" else measuring
    read = module.read_source

    def read_unless_second(photo: Path, *rest: object) -> object:
        if photo.name == "b.png":
            raise error
        return read(photo, *rest)

    monkeypatch.setattr(module, "read_source", read_unless_second)
    options = ["-o", tmp_path / "out"] if command == "symmetrize" else ["--csv", tmp_path / "out.csv"]
    finished = symface(command, walls, *options)
    *lines, summary = finished.err.splitlines()
    assert [line.split(": ")[1] for line in lines] == [str(walls / name) for name in NAMES]
    assert summary == "0 of 3 photos done, 3 failed"
    assert finished.status == 4  # of the first, which shows nobody
    if command == "symmetrize":
        entries = [json.loads(line) for line in (tmp_path / "out/manifest.jsonl").read_text().splitlines()]
        assert [entry["status"] for entry in entries] == [4, status, 4]
        assert entries[1]["traceback"].startswith("Traceback (most recent call last):")
        assert "read_unless_second" in entries[1]["traceback"]
        assert [entries[i]["traceback"] for i in (0, 2)] == [None, None]


@pytest.mark.parametrize("command", ["symmetrize", "measure"])
def test_a_network_that_can_do_no_photo_ends_the_batch_at_once(symface, walls, monkeypatch, command):
    from symface_cli.batch import measuring, runner
    from symface_cli.errors import WeightsError

    def refuse(photo: Path) -> object:
        raise WeightsError("the paper's network cannot do this")

    monkeypatch.setattr(runner if command == "symmetrize" else measuring, "read_source", refuse)
    finished = symface(command, walls)
    assert finished.err == "symface: the paper's network cannot do this\n"
    assert finished.status == 5


@forking
def test_a_photo_that_kills_its_process_costs_nobody_else(symface, walls, tmp_path, monkeypatch):
    from symface_cli.batch import runner
    from symface_cli.parallel import work

    read = runner.read_source

    def read_or_die(photo: Path) -> object:
        if photo.name == "b.png":
            os.kill(os.getpid(), signal.SIGKILL)
        return read(photo)

    monkeypatch.setattr(runner, "read_source", read_or_die)
    monkeypatch.setattr(work, "MANY", 1)
    finished = symface("symmetrize", walls, "-o", tmp_path / "out", "--jobs", 2)
    killed = f"symface: {walls}/b.png: a process was killed, perhaps for lack of memory; try fewer --jobs"
    assert finished.err.splitlines()[1] == killed
    entries = [json.loads(line) for line in (tmp_path / "out/manifest.jsonl").read_text().splitlines()]
    assert [entry["status"] for entry in entries] == [4, 1, 4]


def test_photos_that_have_gone_or_are_none_cost_nobody_else(symface, walls, tmp_path, monkeypatch):
    """Deleted, replaced by a folder or made unreadable after they have been listed."""
    from symface_cli.batch import targets

    find = targets.find_photos

    def find_and_lose(folder: Path) -> object:
        found = find(folder)
        (walls / "a.png").unlink()
        (walls / "b.png").unlink()
        (walls / "b.png").mkdir()
        return found

    monkeypatch.setattr(targets, "find_photos", find_and_lose)
    finished = symface("symmetrize", walls, "-o", tmp_path / "out")
    a, b, c, _ = finished.err.splitlines()
    assert a == f"symface: cannot read {walls}/a.png: {os.strerror(errno.ENOENT)}"
    assert b == f"symface: cannot read {walls}/b.png: {os.strerror(errno.EISDIR)}"
    assert c.startswith(f"symface: {walls}/c.png: no face found")
    assert finished.status == 3


def test_a_report_shows_the_others_if_one_photo_cannot_be_drawn(symface, tmp_path, portrait, monkeypatch):
    from symface_cli.batch import thumbnails

    folder = tmp_path / "in"
    folder.mkdir()
    for name in NAMES[:2]:
        Image.open(portrait).resize((160, 160)).save(folder / name)
    read = thumbnails._read

    def read_unless_second(path: Path, *rest: object, **more: object) -> object:
        if path.name == "b.png":
            raise MemoryError
        return read(path, *rest, **more)

    monkeypatch.setattr(thumbnails, "_read", read_unless_second)
    finished = symface("symmetrize", folder, "-o", tmp_path / "out", "--report", tmp_path / "page.html")
    assert finished.status == 0
    page = (tmp_path / "page.html").read_text("utf-8")
    assert page.count('type="range"') == 1
    assert "b.symmetric.png" in page
