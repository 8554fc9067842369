"""An S3 server on this machine: in and out, also where it answers only two of three requests."""

import logging
import threading

import pytest

from symface_cli.batch.runner import Batch, BatchOptions
from symface_cli.batch.targets import choose_targets
from symface_cli.storage.address import parse_path
from tests.batch.planners import DarkPhotos
from tests.storage.test_stores import entries, png

pytest.importorskip("s3fs")
pytest.importorskip("moto.server")


class Busy:
    """A server that answers 503 to every so manieth request; 0 for none; 1 for all."""

    def __init__(self, answer):
        self.answer, self.asked, self.refused, self.every = answer, 0, 0, 0

    def __call__(self, environ, start_response):
        self.asked += 1
        if self.every and self.asked % self.every == 0:
            self.refused += 1
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            start_response("503 Service Unavailable", [("Content-Length", "0")])
            return [b""]
        return self.answer(environ, start_response)


@pytest.fixture(scope="module")
def server():
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    busy = Busy(DomainDispatcherApplication(create_backend_app))
    http = make_server("127.0.0.1", 0, busy, threaded=True)
    thread = threading.Thread(target=http.serve_forever)
    thread.start()
    busy.address = f"http://127.0.0.1:{http.server_port}"
    yield busy
    http.shutdown()
    thread.join()
    http.server_close()


@pytest.fixture
def bucket(server, monkeypatch):
    """A bucket of its own with 12 photos."""
    import s3fs

    server.every = 0
    for name, value in (("ENDPOINT_URL", server.address), ("ACCESS_KEY_ID", "a"), ("SECRET_ACCESS_KEY", "b")):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    s3fs.S3FileSystem.clear_instance_cache()  # of a server that is gone
    files = s3fs.S3FileSystem(use_listings_cache=False, endpoint_url=server.address)
    if files.exists("photos"):
        files.rm("photos", recursive=True)
    files.mkdir("photos")
    for number in range(12):
        files.pipe_file(f"photos/in/{number:02}.png", png(10 * number + 10))
    for number in range(3):
        files.pipe_file(f"photos/few/{number}.png", png(10))
    return files


def batch(photos="s3://photos/in", **options):
    return Batch(
        DarkPhotos(),
        choose_targets([parse_path(photos)], "s3://photos/out/"),
        BatchOptions(jobs=1, **options),
    )


def test_photos_go_from_a_bucket_to_a_bucket_and_are_done_then(server, bucket):
    assert [outcome.status for outcome in batch().run()] == [0] * 12
    for number in range(12):
        assert bucket.cat_file(f"photos/out/{number:02}.symmetric.png") == png((10 * number + 10) // 2)
    assert len(entries(bucket.cat_file("photos/out/manifest.jsonl"))) == 12
    before = server.asked
    assert batch(resume=True).skipped == 12
    assert server.asked - before < 12  # two lists, not two questions for each photo


@pytest.mark.slow
def test_a_busy_server_costs_time_alone(server, bucket):
    server.every, server.refused = 3, 0
    assert [outcome.status for outcome in batch("s3://photos/few").run()] == [0] * 3
    assert server.refused > 3
    server.every = 0
    assert len(bucket.find("photos/out")) == 4
    assert bucket.cat_file("photos/out/0.symmetric.png") == png(5)


def test_a_bucket_that_is_not_there_is_a_line(symface, bucket):
    finished = symface("symmetrize", "s3://nobody/x", "-o", "out/")
    assert (finished.status, finished.err.count("\n")) == (2, 1)
    finished = symface("symmetrize", "s3://photos/in", "-o", "s3://nobody/x/")
    assert (finished.status, finished.err.count("\n")) == (3, 1)
