"""A batch keeps its own record: what is done is in the manifest before it is told, and left out when it is resumed."""

import json

import numpy as np
import pytest
from PIL import Image

from symface_cli.batch.manifest import NAME
from symface_cli.batch.runner import Batch, BatchOptions
from symface_cli.batch.targets import choose_targets
from symface_cli.errors import UsageError
from tests.batch.planners import DarkPhotos


@pytest.fixture
def folder(tmp_path):
    """A gray, a black and a white photo."""
    (tmp_path / "in").mkdir()
    for name, value in (("a", 100), ("b", 0), ("c", 255)):
        Image.fromarray(np.full((8, 8, 3), value, np.uint8)).save(tmp_path / "in" / f"{name}.png")
    return tmp_path / "in"


def batch(folder, **options):
    return Batch(DarkPhotos(), choose_targets([folder], f"{folder.parent}/out"), BatchOptions(jobs=1, **options))


def recorded(path):
    return [json.loads(line)["input"].rpartition("/")[2] for line in path.read_text().splitlines()]


def test_an_outcome_is_in_the_manifest_before_it_is_told(folder):
    manifest = folder.parent / "out" / NAME
    told = 0
    for outcome in batch(folder).run():
        told += 1
        assert len(recorded(manifest)) == told
        assert recorded(manifest)[-1] == outcome.photo.name
    assert told == 3


def test_outcomes_say_what_was_written_and_why_not(folder):
    gray, black, white = batch(folder).run()
    assert [outcome.status for outcome in (gray, black, white)] == [0, 4, 0]
    assert str(black.error) == "no face found"
    assert black.photo == folder / "b.png"
    assert gray.written == (folder.parent / "out/a.symmetric.png",)
    assert (np.asarray(Image.open(gray.written[0])) == 50).all()


def test_a_resumed_batch_leaves_out_what_is_done(folder):
    assert len(list(batch(folder).run())) == 3
    resumed = batch(folder, resume=True)
    assert (len(resumed), resumed.skipped) == (1, 2)
    assert [outcome.photo.name for outcome in resumed.run()] == ["b.png"]


def test_the_report_of_a_resumed_batch_shows_all_photos_in_their_order(folder, tmp_path):
    list(batch(folder).run())
    list(batch(folder, resume=True, report=tmp_path / "report.html").run())
    text = (tmp_path / "report.html").read_text()
    assert 0 < text.index("a.png") < text.index("c.png")
    assert "no face found" in text


def test_a_batch_beside_its_photos_has_a_manifest_only_where_one_is_named(folder, tmp_path):
    targets = choose_targets([folder / "a.png"], None)
    list(Batch(DarkPhotos(), targets).run())
    assert not (folder / NAME).exists()
    list(Batch(DarkPhotos(), targets, BatchOptions(force=True, manifest=tmp_path / "m.jsonl")).run())
    assert recorded(tmp_path / "m.jsonl") == ["a.png"]


def test_a_batch_without_a_manifest_cannot_be_resumed(folder):
    with pytest.raises(UsageError, match="manifest"):
        Batch(DarkPhotos(), choose_targets([folder / "a.png"], None), BatchOptions(resume=True))
