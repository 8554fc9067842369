"""Batches between stores: what is there is found, what is made is put, and a run goes on, as with files."""

import json
import sys

import numpy as np
import pytest
from PIL import Image

from symface_cli.batch.runner import Batch, BatchOptions
from symface_cli.batch.targets import choose_targets
from symface_cli.errors import MissingExtraError, OutputError, StoreError
from symface_cli.imaging.photo import encode_png
from symface_cli.storage import objects
from symface_cli.storage.address import Address, parse_path
from tests.batch.planners import DarkPhotos
from tests.server import Server, serve

fsspec = pytest.importorskip("fsspec")


def png(value, size=8):
    return encode_png(np.full((size, size, 3), value, np.uint8))


@pytest.fixture
def memory():
    """A store in this process: a gray, a black and a white photo, and what is no photo to be taken."""
    files = fsspec.filesystem("memory")
    files.store.clear()
    for name, data in {
        **{f"/in/{name}": png(value) for name, value in (("a.png", 100), ("deep/b.png", 0), ("c.png", 255))},
        **dict.fromkeys(("/in/.hidden/x.png", "/in/a.symmetric.png", "/in/@eaDir/y.png", "/in/notes.txt"), b"nothing"),
    }.items():
        files.pipe_file(name, data)
    yield files
    files.store.clear()


def batch(photos="memory://in", out="memory://out/", **options):
    targets = choose_targets([parse_path(photos)], out)
    return Batch(DarkPhotos(), targets, BatchOptions(jobs=1, **options))


def entries(data):
    return [json.loads(line) for line in data.splitlines()]


def test_photos_are_read_from_a_store_and_results_put_into_it(memory):
    outcomes = list(batch().run())
    assert [str(outcome.photo) for outcome in outcomes] == [
        f"memory://in/{name}" for name in ("a.png", "c.png", "deep/b.png")
    ]
    assert [outcome.status for outcome in outcomes] == [0, 0, 4]
    made = {f"/out/{name}" for name in ("a.symmetric.png", "c.symmetric.png", "manifest.jsonl")}
    assert {name for name in memory.store if not name.startswith("/in/")} == made
    with memory.open("/out/a.symmetric.png") as file:
        assert (np.asarray(Image.open(file)) == 50).all()
    lines = entries(memory.cat_file("/out/manifest.jsonl"))
    assert [line["status"] for line in lines] == [0, 0, 4]
    assert lines[0]["relative_input"] == lines[0]["input"] == "memory://in/a.png"
    assert lines[0]["outputs"] == ["memory://out/a.symmetric.png"]


def test_a_run_goes_on_where_it_was(memory):
    list(batch().run())
    memory.pipe_file("/in/c.png", png(200))
    resumed = batch(resume=True)
    assert (len(resumed), resumed.skipped) == (2, 1)
    assert [outcome.status for outcome in resumed.run()] == [0, 4]
    with memory.open("/out/c.symmetric.png") as file:
        assert (np.asarray(Image.open(file)) == 100).all()
    assert len(entries(memory.cat_file("/out/manifest.jsonl"))) == 5


def test_what_is_there_is_not_replaced(memory):
    memory.pipe_file("/out/a.symmetric.png", b"mine")
    refused, done, _ = batch().run()
    assert isinstance(refused.error, OutputError)
    assert "memory://out/a.symmetric.png: already exists" in str(refused.error)
    assert memory.cat_file("/out/a.symmetric.png") == b"mine"
    assert done.error is None
    assert next(iter(batch(force=True).run())).error is None


def test_what_another_puts_there_meanwhile_is_not_replaced_either(memory):
    address = Address("memory://out/x.png")
    objects.put_object(address, b"one", replace=False)
    objects.put_object(address, b"one", replace=False)  # as after a try whose answer was lost
    with pytest.raises(FileExistsError):
        objects.put_object(address, b"two", replace=False)


def test_from_a_store_to_files(memory, tmp_path):
    list(batch(out=f"{tmp_path}/out/").run())
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "a.symmetric.png",
        "c.symmetric.png",
        "manifest.jsonl",
    ]
    assert batch(out=f"{tmp_path}/out/", resume=True).skipped == 2


def test_commands_take_addresses(symface, memory, portrait):
    memory.pipe_file("/faces/a.jpg", portrait.read_bytes())
    symmetric = symface("symmetrize", "memory://faces", "-o", "memory://made/", "--report", "memory://made/r.html")
    assert (symmetric.status, symmetric.out) == (0, "memory://made/a.symmetric.jpg\n")
    assert b'href="../faces/a.jpg"' in memory.cat_file("/made/r.html")
    assert symface("measure", "memory://faces/a.jpg", "--csv", "memory://made/t.csv").status == 0
    measured = memory.cat_file("/made/t.csv")
    assert measured.count(b"\n") == 2
    again = symface("measure", "memory://faces/a.jpg", "--csv", "memory://made/t.csv", "--resume")
    assert (again.status, again.out) == (0, "")  # nothing is measured again
    assert memory.cat_file("/made/t.csv") == measured


def test_shards_are_merged_in_a_store(symface, memory, portrait):
    for name in "abc":
        memory.pipe_file(f"/faces/{name}.jpg", portrait.read_bytes())
    for number in (1, 2):
        assert symface("symmetrize", "memory://faces", "-o", "memory://s/", "--shard", f"{number}/2").status == 0
    assert symface("merge", "memory://s").out == "memory://s/manifest.jsonl\n"
    assert memory.cat_file("/s/manifest.jsonl").count(b"\n") == 3


def test_a_photo_is_read_from_a_server(symface, portrait, tmp_path):
    pytest.importorskip("aiohttp")
    server = Server(content=portrait.read_bytes())
    with serve(server) as address:
        done = symface("symmetrize", f"{address}some/a.jpg", "-o", "out/")
        assert (done.status, done.out) == (0, "out/a.symmetric.jpg\n")
        assert symface("symmetrize", f"{address}a.jpg", "-o", f"{address}out/").status == 3
        server.status = 404
        gone = symface("symmetrize", f"{address}b.jpg", "-o", "out/")
        assert gone.status == 3
        assert gone.err == f"symface: cannot read {address}b.jpg: there is no such object or bucket\n"


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("ftp://host/a.jpg", "use s3://"),
        ("memory://nowhere", "no such object, and nothing below it"),
        ("memory://in/*.png", "no such object, and nothing below it"),
    ],
)
def test_what_names_nothing_is_refused(symface, memory, address, reason):
    finished = symface("symmetrize", address, "-o", "out/")
    assert finished.status == 2
    assert reason in finished.err
    assert finished.err.count("\n") == 1


def test_nothing_is_fetched_offline(symface, monkeypatch):
    monkeypatch.setenv("SYMFACE_OFFLINE", "1")
    for arguments in (["s3://bucket/a.jpg"], ["a.jpg", "-o", "s3://bucket/out/"]):
        finished = symface("symmetrize", *arguments)
        assert finished.status == 2
        assert "SYMFACE_OFFLINE forbids to reach it" in finished.err


def test_a_library_that_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(MissingExtraError, match=r"s3fs is not installed; try: pip install .symface\[cloud\]"):
        objects.read_object(Address("s3://bucket/a.jpg"))


class Failing:
    """A store that fails so often, with what libraries raise, before it answers."""

    def __init__(self, *errors):
        self.errors, self.asked = list(errors), 0

    def cat_file(self, path):
        self.asked += 1
        if self.errors:
            raise self.errors.pop(0)
        return b"contents"


@pytest.fixture
def patient(monkeypatch):
    """Gives a store in place of all; does not wait between tries."""
    objects.forget()
    monkeypatch.setattr(objects.time, "sleep", lambda seconds: None)

    def take(store):
        monkeypatch.setattr(objects, "_open", lambda address: store)
        return store

    return take


def test_what_passes_is_tried_again(patient):
    store = patient(Failing(ConnectionResetError("gone"), TimeoutError(), OSError(16, "SlowDown")))
    assert objects.read_object(Address("memory://x/a.jpg")) == b"contents"
    assert store.asked == 4


def test_a_store_that_does_not_come_back_is_given_up(patient):
    store = patient(Failing(*[ConnectionError("refused\nby it")] * 99))
    with pytest.raises(StoreError, match=r"memory://x/a.jpg: the store does not answer \(refused by it\)"):
        objects.read_object(Address("memory://x/a.jpg"))
    assert store.asked == len(objects.PAUSES) + 1


@pytest.mark.parametrize("error", [FileNotFoundError("x"), PermissionError("x"), OSError(22, "Invalid bucket name")])
def test_what_stays_is_not_tried_again(patient, error):
    store = patient(Failing(error))
    with pytest.raises(type(error)):
        objects.read_object(Address("memory://x/a.jpg"))
    assert store.asked == 1


class AnswerError(Exception):
    """An error of a store's library that is not the system's, with the status of the answer."""

    def __init__(self, key, status):
        super().__init__("<Error>many words</Error>")
        setattr(self, key, status)


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (AnswerError("status_code", 403), PermissionError),  # Azure's library
        (AnswerError("status_code", 404), FileNotFoundError),
        (AnswerError("code", 401), PermissionError),  # gcsfs
        (AnswerError("status", 410), OSError),  # aiohttp
    ],
)
def test_an_answer_that_stays_is_told_by_its_status(patient, error, meaning):
    store = patient(Failing(error))
    with pytest.raises(meaning):
        objects.read_object(Address("memory://x/a.jpg"))
    assert store.asked == 1


@pytest.mark.parametrize("status", [408, 429, 503])
def test_an_answer_that_may_pass_is_asked_for_again(patient, status):
    patient(Failing(AnswerError("status_code", status)))
    assert objects.read_object(Address("memory://x/a.jpg")) == b"contents"


def test_a_batch_stops_where_its_store_is_gone(memory, monkeypatch, tmp_path):
    for number in range(9):
        memory.pipe_file(f"/in/{number}.png", png(9))
    running = batch(out=f"{tmp_path}/out/")
    monkeypatch.setattr(objects, "PAUSES", ())
    gone = Failing(*[ConnectionError("refused")] * 99)
    monkeypatch.setattr(type(memory), "cat_file", lambda self, path: gone.cat_file(path))
    with pytest.raises(StoreError, match="5 photos in a row"):
        list(running.run())


def test_names_that_no_path_has_are_passed_over(memory):
    memory.pipe_file("/in//odd.png", png(9))
    assert "memory://in//odd.png" not in map(str, objects.list_objects(Address("memory://in")))


def test_http_has_a_state_by_its_contents(portrait):
    pytest.importorskip("aiohttp")
    objects.forget()
    with serve(Server(content=b"abc")) as address:
        state = Address(f"{address}a.jpg").stat()
    assert (state.st_size, state.st_mtime_ns) == (3, 0)
    assert state.st_ino > 0
