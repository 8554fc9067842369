"""Any file name: names are bytes, which come out as they went in."""

import csv
import hashlib
import html
import io
import json
import os
import re
import unicodedata
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest
from PIL import Image

from symface_cli.cli.app import main
from symface_cli.data.datasets import split_of, survey
from symface_cli.training.data.label_table import read_labels, write_labels
from symface_cli.training.data.labels import Label
from tests.evaluation.known import register
from tests.names import save_under, some_names

pytestmark = pytest.mark.skipif(os.name != "posix", reason="elsewhere, such names are not allowed")


@pytest.fixture
def small(portrait):
    """The portrait, small."""
    data = io.BytesIO()
    Image.open(portrait).resize((160, 160)).save(data, "JPEG")
    return data.getvalue()


@pytest.fixture
def wall():
    """A photo that shows nobody."""
    data = io.BytesIO()
    Image.new("RGB", (32, 32), "navy").save(data, "JPEG")
    return data.getvalue()


@pytest.fixture
def run(capsysbinary):
    """Runs the command line in this process; returns the status and what it wrote, in bytes."""

    def run(*arguments):
        status = main([os.fspath(argument) for argument in arguments])
        return status, *capsysbinary.readouterr()

    return run


def test_printed_paths_are_those_of_the_results(run, tmp_path, small):
    save_under(tmp_path / "in", small)
    status, printed, _ = run("symmetrize", tmp_path / "in", "-o", tmp_path / "out", "-0")
    assert status == 0
    *paths, rest = printed.split(b"\0")
    assert rest == b""
    assert len(paths) == len(some_names())
    expected = {name.removesuffix(b".jpg") + b".symmetric.jpg" for name in map(os.fsencode, some_names().values())}
    assert {os.fsencode(Path(os.fsdecode(path)).name) for path in paths} == expected
    assert len({Path(os.fsdecode(path)).read_bytes() for path in paths}) == 1  # all are the same photo's
    entries = [json.loads(line) for line in (tmp_path / "out/manifest.jsonl").read_text().splitlines()]
    assert [os.fsencode(path) for entry in entries for path in entry["outputs"]] == paths


def test_a_message_is_a_line_that_shows_the_name(run, tmp_path, monkeypatch, wall):
    """Names are given after --, which also lets them begin with a dash, and are no patterns."""
    monkeypatch.chdir(tmp_path)
    paths = save_under(Path(), wall)
    status, printed, told = run("symmetrize", "--preview", "--", *paths.values())
    assert (status, printed) == (4, b"")
    *messages, summary = told.decode().split("\n")[:-1]  # all of it UTF-8
    assert summary == f"0 of {len(paths)} photos done, {len(paths)} failed"
    for path, message in zip(paths.values(), messages, strict=True):
        name = str(path)
        assert message.replace("\N{ZERO WIDTH JOINER}", "").isprintable()
        if name.replace("\N{ZERO WIDTH JOINER}", "").isprintable():
            assert message.startswith(f"symface: {name}: no face found")


def test_a_new_line_in_a_name_does_not_make_two_messages(run, tmp_path, wall):
    (tmp_path / "a\nb\r\x1b[2J.jpg").write_bytes(wall)
    _, _, told = run("symmetrize", tmp_path)
    assert told.startswith(f"symface: {tmp_path}/a\\nb\\r\\x1b[2J.jpg: no face found".encode())
    assert told.count(b"\n") == 1


def test_tables_of_measurements_have_the_names_as_they_are(run, tmp_path, wall):
    paths = save_under(tmp_path / "in", wall)
    status, printed, _ = run("measure", tmp_path / "in", "--csv", "-", "--json", tmp_path / "m.json")
    assert status == 4
    rows = csv.DictReader(io.StringIO(printed.decode("utf-8", "surrogateescape"), newline=""))
    expected = sorted(map(os.fsencode, paths.values()))
    assert sorted(os.fsencode(row["photo"]) for row in rows) == expected
    failed = json.loads((tmp_path / "m.json").read_text("utf-8"))["failed"]
    assert sorted(os.fsencode(photo["photo"]) for photo in failed) == expected


def test_a_name_too_long_for_its_result_costs_nobody_else(run, tmp_path, small):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for name in ("a", "b" * 251, "c"):
        (folder / f"{name}.jpg").write_bytes(small)
    status, printed, told = run("symmetrize", folder, "-o", out)
    assert status == 3
    assert printed.decode().splitlines() == [f"{out}/a.symmetric.jpg", f"{out}/c.symmetric.jpg"]
    message, summary = told.decode().splitlines()
    assert "bbb.symmetric.jpg: " in message
    assert "too long" in message
    assert summary == "2 of 3 photos done, 1 failed"


@pytest.mark.parametrize("command", ["symmetrize", "measure"])
def test_an_argument_that_no_file_can_be_called_is_refused_in_one_line(run, tmp_path, wall, command):
    (tmp_path / "a.jpg").write_bytes(wall)
    status, _, told = run(command, "y" * 300 + ".jpg", tmp_path / "a.jpg")
    assert status == 3
    assert "cannot read yyy" in told.decode().splitlines()[0]
    assert "too long" in told.decode().splitlines()[0]
    assert "a.jpg: no face found" in told.decode()  # the other photo is done


@pytest.mark.parametrize("option", ["--manifest", "--report", "-o"])
def test_a_file_that_no_file_can_be_called_is_refused_in_one_line(run, tmp_path, small, option):
    (tmp_path / "a.jpg").write_bytes(small)
    status, _, told = run("symmetrize", tmp_path / "a.jpg", option, tmp_path / ("y" * 300 + ".jpg"))
    assert status == 3
    assert told.count(b"\n") == 1
    assert b"too long" in told


def test_labels_have_the_names_as_they_are(tmp_path):
    names = [f"{folder}/{name}" for folder in ("Ann", os.fsdecode(b"Andr\xe9")) for name in some_names().values()]
    write_labels(tmp_path / "labels.csv", [Label(name) for name in names])
    assert [label.photo for label in read_labels(tmp_path / "labels.csv", names)] == names


@pytest.mark.parametrize("kind", some_names())
def test_a_data_set_takes_people_of_any_name(tmp_path, kind):
    """Split by the bytes of the name; the hash of one that is UTF-8 is that of its text."""
    name = some_names()[kind].removesuffix(".jpg").strip(".")
    (tmp_path / "data" / name).mkdir(parents=True)
    (tmp_path / "data" / name / "1.jpg").touch()
    (photo,) = survey(tmp_path / "data").photos
    digest = hashlib.sha256(b"symface-split:" + unicodedata.normalize("NFC", name).encode("utf-8", "surrogateescape"))
    share = int(digest.hexdigest()[:16], 16) / 2**64
    assert split_of(photo.identity) == ("test" if share < 0.154 else "validation" if share < 0.231 else "train")


@pytest.mark.parametrize("command", ["symmetrize", "evaluate"])
def test_pages_show_any_name_on_one_line_and_link_to_its_bytes(run, tmp_path, small, command, monkeypatch, landmarks):
    data = {kind: name for kind, name in some_names().items() if kind in ("latin-1", "new line", "address", "quotes")}
    folder, page = tmp_path / "in" / os.fsdecode(b"Andr\xe9"), tmp_path / "page.html"
    folder.mkdir(parents=True)
    for name in data.values():
        (folder / name).write_bytes(small)
    register(monkeypatch, 0.3 * landmarks)
    options = {
        "symmetrize": ("-o", tmp_path / "out"),
        "evaluate": ("--split", "all", "--method", "vae", "--recognizer", "brightness", "--run", tmp_path / "run"),
    }[command]
    status, _, told = run(command, tmp_path / "in", *options, "--report", page)
    assert (status, b"Traceback" in told) == (0, False)
    text = page.read_text("utf-8")  # all of it
    if command == "evaluate":
        assert "Andr\\udce9/" in text
    else:
        assert "caf\\udce9.jpg" in text
        assert "a\\nb.jpg" in text
        links = {unquote_to_bytes(html.unescape(link)) for link in re.findall(r'href="([^"#]+)"', text)}
        assert {os.fsencode(f"in/{folder.name}/{name}") for name in data.values()} <= links
