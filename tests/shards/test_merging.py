"""Batches in parts: together they are what a batch of all is, and nothing else is merged."""

import json
import shutil
from dataclasses import replace

import pytest

from symface_cli.batch.merging.manifests import merge_manifests, read_outcomes
from symface_cli.batch.runner import Batch, BatchOptions
from symface_cli.batch.targets import choose_targets
from symface_cli.errors import DataError, OutputError, UsageError
from symface_cli.shards.parts import find_parts
from symface_cli.shards.record import read_record, record_of
from symface_cli.shards.shard import Shard
from tests.batch.planners import DarkPhotos, save_gray

COUNT = 20


@pytest.fixture
def photos(tmp_path):
    """Gray photos in two folders; one is black, which has no face; one has two; two differ in their endings alone."""
    for number in range(COUNT):
        save_gray(tmp_path / "in" / f"{number % 2}" / f"{number}.png", 10 * number, 16 if number == 3 else 8)
    shutil.copy(tmp_path / "in" / "1" / "5.png", tmp_path / "in" / "1" / "5.bmp")
    return tmp_path / "in"


def run(photos, out, shard=None, version="test", **options):
    targets = choose_targets([photos], str(out)).take(shard)
    return list(Batch(DarkPhotos(version), targets, BatchOptions(jobs=1, **options)).run())


def run_all(photos, out, count, **options):
    return [run(photos, out, Shard(number, count), **options) for number in range(1, count + 1)]


def merge(folder, replace=False):
    (parts,) = find_parts(folder)
    return merge_manifests(parts, replace)


def results(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*.symmetric*")
        if path.is_file()
    }


def told(path, folder):
    """What lines say, but for times and places."""
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    kept = ("input", "status", "reason", "faces", "face", "notes", "parameters")
    return [
        [*(entry.get(key) for key in kept), [name.replace(str(folder), "") for name in entry["outputs"]]]
        for entry in entries
    ]


@pytest.mark.parametrize("count", [1, 3, 7])
def test_parts_make_the_files_and_the_manifest_of_the_whole(photos, tmp_path, count):
    run(photos, tmp_path / "whole")
    parts = run_all(photos, tmp_path / "parts", count)
    assert sum(map(len, parts)) == COUNT + 1
    assert results(tmp_path / "parts") == results(tmp_path / "whole")
    assert len(results(tmp_path / "whole")) == COUNT  # of 21 photos, one is black
    merge(tmp_path / "parts")
    manifest = "manifest.jsonl"
    assert told(tmp_path / "parts" / manifest, tmp_path / "parts") == told(
        tmp_path / "whole" / manifest, tmp_path / "whole"
    )


def test_more_parts_than_photos_are_merged(tmp_path):
    save_gray(tmp_path / "in" / "a.png", 100)
    run_all(tmp_path / "in", tmp_path / "out", 5)
    assert len(list((tmp_path / "out").glob("manifest.*.jsonl"))) == 1
    assert len(merge(tmp_path / "out")) == 1


def test_what_was_merged_is_done(photos, tmp_path):
    run_all(photos, tmp_path / "out", 3)
    merge(tmp_path / "out")
    assert [outcome.photo.name for outcome in run(photos, tmp_path / "out", resume=True)] == ["0.png"]  # the black one
    with pytest.raises(OutputError, match="exists"):
        merge(tmp_path / "out")
    assert len(merge(tmp_path / "out", replace=True)) == COUNT + 1


def test_a_part_goes_on_where_it_and_those_of_another_number_were(photos, tmp_path):
    run(photos, tmp_path / "out", Shard(1, 3))
    done = {outcome.photo for outcome in run(photos, tmp_path / "out", Shard(2, 3)) if outcome.error is None}
    parts = run_all(photos, tmp_path / "out", 2, resume=True)
    assert done.isdisjoint(outcome.photo for part in parts for outcome in part)
    for path in (tmp_path / "out").glob("manifest.?-of-3.jsonl*"):
        path.unlink()
    assert len(merge(tmp_path / "out")) == COUNT + 1  # what was done before is in the parts' own manifests, too


def test_the_outcomes_of_all_parts_are_there_for_a_page(photos, tmp_path):
    run_all(photos, tmp_path / "out", 3)
    outcomes = read_outcomes(merge(tmp_path / "out"))
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    assert [(outcome.photo.name, str(outcome.error)) for outcome in failed] == [("0.png", "no face found")]
    assert all(path.is_file() for outcome in outcomes for path in outcome.written)
    assert max(len(outcome.faces) for outcome in outcomes) == 2


def test_a_missing_part_is_refused(photos, tmp_path):
    run_all(photos, tmp_path / "out", 3)
    for path in (tmp_path / "out").glob("manifest.2-of-3.*"):
        path.unlink()
    with pytest.raises(DataError, match="shard 2 of 3 is missing"):
        merge(tmp_path / "out")


def test_a_part_that_is_not_finished_is_refused(photos, tmp_path):
    run_all(photos, tmp_path / "out", 2)
    targets = choose_targets([photos], str(tmp_path / "out")).take(Shard(1, 2))
    next(iter(Batch(DarkPhotos(), targets, BatchOptions(jobs=1, force=True)).run()))
    with pytest.raises(DataError, match="shard 1 of 2 is not finished"):
        merge(tmp_path / "out")


def test_a_doubled_part_is_refused(photos, tmp_path):
    run_all(photos, tmp_path / "out", 3)
    one, two = (tmp_path / "out" / f"manifest.{number}-of-3.jsonl" for number in (1, 2))
    shutil.copy(one, two)
    with pytest.raises(DataError, match=r"manifest.2-of-3.jsonl: has \d+ photos|is in both"):
        merge(tmp_path / "out")
    shutil.copy(record_of(one), record_of(two))
    with pytest.raises(DataError, match="is a copy of shard 1 of 3"):
        merge(tmp_path / "out")


def test_parts_of_two_numbers_are_refused(photos, tmp_path):
    run_all(photos, tmp_path / "out", 2)
    run(photos, tmp_path / "out", Shard(1, 3), resume=True)
    with pytest.raises(DataError, match="there are shards of 2 and 3"):
        merge(tmp_path / "out")


def test_parts_of_another_version_are_refused(photos, tmp_path):
    run(photos, tmp_path / "out", Shard(1, 2))
    run(photos, tmp_path / "out", Shard(2, 2), version="other")
    with pytest.raises(DataError, match="with other version than shard 1"):
        merge(tmp_path / "out")


def test_parts_of_other_photos_are_refused(photos, tmp_path):
    run(photos, tmp_path / "out", Shard(1, 2))
    save_gray(photos / "new.png", 77)
    run(photos, tmp_path / "out", Shard(2, 2))
    with pytest.raises(DataError, match="is of other photos than shard 1, 22 instead of 21"):
        merge(tmp_path / "out")


def test_a_photo_in_two_parts_is_refused(photos, tmp_path):
    run_all(photos, tmp_path / "out", 2)
    (parts,) = find_parts(tmp_path / "out")
    even = replace(parts, records=tuple(replace(record, photos=2) for record in parts.records))
    with pytest.raises(DataError, match="b: is in both"):
        even.check_counts([["a", "b"], ["b", "c"]])


def test_a_folder_without_parts_is_refused(tmp_path):
    with pytest.raises(DataError, match="nothing in it was made in shards"):
        find_parts(tmp_path)
    with pytest.raises(DataError, match="cannot list"):
        find_parts(tmp_path / "nowhere")


def test_a_damaged_record_is_refused(photos, tmp_path):
    run_all(photos, tmp_path / "out", 1)
    path = tmp_path / "out" / "manifest.1-of-1.jsonl"
    assert read_record(path).photos == COUNT + 1
    record_of(path).write_text("{}")
    with pytest.raises(DataError, match="not the record of a shard"):
        find_parts(tmp_path / "out")


def test_a_part_needs_a_manifest_and_a_folder(photos, tmp_path):
    with pytest.raises(UsageError, match="in shards"):
        Batch(DarkPhotos(), choose_targets([photos], None).take(Shard(1, 2)))
    with pytest.raises(UsageError, match="needs a folder"):
        choose_targets([photos / "1" / "3.png"], str(tmp_path / "x.png")).take(Shard(1, 2))
