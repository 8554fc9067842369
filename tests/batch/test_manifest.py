"""The record of a batch is never lost, and says what is done: whatever ended a run, was forgotten, or has changed."""

import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from symface_cli.batch import states
from symface_cli.batch.manifest import NAME
from symface_cli.errors import OutputError
from symface_cli.rendering.options import Output
from tests.batch.planners import DarkPhotos, batch, save_gray

NEW_KEYS = ("input_state", "output_states", "relative_input", "notes")
"""That versions up to 0.2 did not record."""


@pytest.fixture
def folder(tmp_path):
    """A dark and a light photo, whose files have the same size."""
    save_gray(tmp_path / "in/a.bmp", 100)
    save_gray(tmp_path / "in/b.bmp", 200)
    return tmp_path / "in"


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def done(photos, out, **options):
    """The photos that a resumed batch would leave out."""
    resumed = batch(photos, out, resume=True, **options)
    return {target.photo.name for target in resumed._targets.items} - {target.photo.name for target in resumed._todo}


def run(photos, out, **options):
    return list(batch(photos, out, **options).run())


def gray(path):
    (value,) = np.unique(np.asarray(Image.open(path)))
    return value


def lines_of(path):
    return [json.loads(line) for line in path.read_bytes().splitlines()]


# ---- never lost


def test_a_batch_run_again_without_resume_leaves_the_record_alone(folder, out):
    run(folder, f"{out}")
    before = (out / NAME).read_bytes()
    outcomes = run(folder, f"{out}")
    assert [outcome.status for outcome in outcomes] == [3, 3]
    assert "already exists" in str(outcomes[0].error)
    assert (out / NAME).read_bytes() == before
    assert done(folder, f"{out}") == {"a.bmp", "b.bmp"}


def test_a_batch_that_is_forced_adds_to_the_record(folder, out):
    run(folder, f"{out}")
    before = (out / NAME).read_bytes()
    assert [outcome.status for outcome in run(folder, f"{out}", force=True)] == [0, 0]
    after = (out / NAME).read_bytes()
    assert after.startswith(before)
    assert len(after.splitlines()) == 4
    assert done(folder, f"{out}") == {"a.bmp", "b.bmp"}


def test_a_photo_that_has_no_success_is_recorded_as_refused(folder, out):
    (out / "a.symmetric.png").parent.mkdir()
    (out / "a.symmetric.png").write_text("mine")
    run(folder, f"{out}")
    first, second = lines_of(out / NAME)
    assert (first["status"], second["status"]) == (3, 0)
    assert (out / "a.symmetric.png").read_text() == "mine"


def test_a_later_failure_does_not_undo_what_is_done(folder, out):
    run(folder, f"{out}")
    photo = (folder / "a.bmp").read_bytes()
    (folder / "a.bmp").write_bytes(b"half a copy")
    assert [outcome.status for outcome in run(folder, f"{out}", resume=True)] == [3]
    (folder / "a.bmp").write_bytes(photo)
    assert done(folder, f"{out}") == {"a.bmp", "b.bmp"}


@pytest.mark.parametrize("kept", [0, 1, 12, -1, -40])
def test_half_a_last_line_is_all_that_goes(folder, out, kept):
    run(folder, f"{out}")
    first, second = (out / NAME).read_bytes().splitlines(keepends=True)
    (out / NAME).write_bytes(first + second[:kept])
    resumed = batch(folder, f"{out}", resume=True)
    assert (out / NAME).read_bytes() == first + second[:kept]  # until there is something to add
    list(resumed.run())
    assert (out / NAME).read_bytes().startswith(first)
    assert [Path(line["input"]).name for line in lines_of(out / NAME)] == ["a.bmp", "b.bmp"]


def test_a_whole_last_line_without_its_end_stays(folder, out):
    run(folder, f"{out}")
    (out / NAME).write_bytes((out / NAME).read_bytes().rstrip())
    save_gray(folder / "c.bmp", 50)
    assert len(run(folder, f"{out}", resume=True)) == 1
    assert [Path(line["input"]).name for line in lines_of(out / NAME)] == ["a.bmp", "b.bmp", "c.bmp"]


def test_a_photo_with_one_of_two_lines_is_not_done(tmp_path, out):
    save_gray(tmp_path / "in/two.bmp", 90, size=16)
    run(tmp_path / "in", f"{out}")
    assert done(tmp_path / "in", f"{out}") == {"two.bmp"}
    first, second = (out / NAME).read_bytes().splitlines(keepends=True)
    (out / NAME).write_bytes(first + second[:-9])
    assert done(tmp_path / "in", f"{out}") == set()


@pytest.mark.parametrize(
    "contents",
    [
        b"hello\n",
        b"hello",
        b"\xff\xfe\x00\n",
        b'{"input": "caf\xe9.jpg", "status": 0}\n',
        b'{"name": "package"}\n',
        b'{"name": "package"}',
        b"[1, 2]\n",
        b'{"input": 5, "status": 0}\n',
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"[" * 100_000,
    ],
)
@pytest.mark.parametrize("options", [{}, {"resume": True}, {"force": True}])
def test_what_is_no_manifest_is_refused_and_stays(folder, out, tmp_path, contents, options):
    (tmp_path / "notes.jsonl").write_bytes(contents)
    with pytest.raises(OutputError, match=r"^[^\n]*notes\.jsonl: not a manifest \(line 1\)$"):
        batch(folder, f"{out}", manifest=tmp_path / "notes.jsonl", **options)
    assert (tmp_path / "notes.jsonl").read_bytes() == contents
    assert not list(tmp_path.rglob("*.symmetric.png"))


def test_a_damaged_line_of_a_manifest_is_named(folder, out):
    run(folder, f"{out}")
    first, second = (out / NAME).read_bytes().splitlines(keepends=True)
    (out / NAME).write_bytes(first + second.replace(b"/b.bmp", b"/\xff.bmp"))
    with pytest.raises(OutputError, match=r"line 2"):
        batch(folder, f"{out}", resume=True)


def test_a_batch_that_is_refused_creates_no_manifest(folder, out):
    (out / "a.symmetric.png").parent.mkdir()
    with pytest.raises(OutputError):
        batch(folder, f"{out}", manifest=folder)
    assert not (folder / NAME).exists()


def test_an_interrupted_batch_has_recorded_what_it_told(folder, out, monkeypatch):
    plan = DarkPhotos.plan

    def interrupted(self, picture, suffix):
        if picture.photo[0, 0, 0] == 200:
            raise KeyboardInterrupt
        return plan(self, picture, suffix)

    monkeypatch.setattr(DarkPhotos, "plan", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(folder, f"{out}")
    monkeypatch.undo()
    assert done(folder, f"{out}") == {"a.bmp"}


def test_two_batches_with_one_manifest_do_not_mix_their_lines(folder, tmp_path, out):
    save_gray(tmp_path / "more/c.bmp", 40, size=16)
    one, other = batch(folder, f"{out}").run(), batch(tmp_path / "more", f"{out}").run()
    next(one), next(other)
    list(other), list(one)
    assert [Path(line["input"]).name for line in lines_of(out / NAME)] == ["a.bmp", "c.bmp", "c.bmp", "b.bmp"]
    assert done([folder, tmp_path / "more"], f"{out}") == {"a.bmp", "b.bmp", "c.bmp"}


@pytest.mark.skipif(sys.platform != "linux", reason="names are not bytes here")
def test_names_that_are_not_utf8_are_recorded_without_loss(tmp_path, out):
    name = os.fsdecode(b"caf\xe9\n\xff.bmp")
    save_gray(tmp_path / "photo.bmp", 80).rename(tmp_path / name)
    run(tmp_path / name, f"{out}/")
    (line,) = lines_of(out / NAME)
    assert os.fsencode(Path(line["input"]).name) == b"caf\xe9\n\xff.bmp"
    assert (out / NAME).read_bytes().isascii()
    assert done(tmp_path / name, f"{out}/") == {name}


# ---- what is done


def test_a_photo_replaced_by_one_of_the_same_size_is_made_again(folder, out):
    run(folder, f"{out}")
    save_gray(folder / "a.bmp", 60)
    assert [outcome.photo.name for outcome in run(folder, f"{out}", resume=True)] == ["a.bmp"]
    assert gray(out / "a.symmetric.png") == 30
    assert done(folder, f"{out}") == {"a.bmp", "b.bmp"}


def test_a_photo_changed_in_place_that_keeps_its_size_and_time_is_made_again(folder, out):
    before = (folder / "a.bmp").stat()
    run(folder, f"{out}")
    save_gray(folder / "a.bmp", 60)
    os.utime(folder / "a.bmp", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert done(folder, f"{out}") == {"b.bmp"}


def test_files_are_read_on_request_where_the_system_does_not_tell_changes(folder, out, monkeypatch):
    monkeypatch.setattr(states, "_stat", lambda path: (path.stat().st_size, 1, 2, 3))
    run(folder, f"{out}")
    save_gray(folder / "a.bmp", 60)
    data = bytearray((out / "b.symmetric.png").read_bytes())
    data[-1] ^= 1
    (out / "b.symmetric.png").write_bytes(data)
    assert done(folder, f"{out}") == {"a.bmp", "b.bmp"}
    assert done(folder, f"{out}", checksum=True) == set()


def test_a_photo_that_was_touched_or_written_again_as_it_was_stays_done(folder, out):
    run(folder, f"{out}")
    os.utime(folder / "a.bmp", (1, 1))
    os.utime(out / "a.symmetric.png", (1, 1))
    save_gray(folder / "b.bmp", 200)
    assert done(folder, f"{out}") == {"a.bmp", "b.bmp"}


@pytest.mark.parametrize("spelling", ["in", "./in", "{}/in", "other/../in", "link", "../{.name}/in"])
def test_a_photo_is_the_same_under_all_its_names(folder, tmp_path, spelling):
    (tmp_path / "other").mkdir()
    (tmp_path / "link").symlink_to("in")
    run(folder, "out")
    assert done(Path(spelling.format(tmp_path)), "out") == {"a.bmp", "b.bmp"}
    assert done(Path(spelling.format(tmp_path)), f"{tmp_path}/link/../out") == {"a.bmp", "b.bmp"}


def test_what_is_done_is_told_from_another_working_folder(folder, tmp_path, monkeypatch):
    run(Path("in"), "out")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert done(Path("../in"), "../out") == {"a.bmp", "b.bmp"}


def test_photos_and_results_that_were_moved_together_are_done(folder, out, tmp_path):
    run(folder, f"{out}")
    shutil.copytree(tmp_path, tmp_path.parent / f"{tmp_path.name}-copy")
    copy = tmp_path.parent / f"{tmp_path.name}-copy"
    assert done(copy / "in", f"{copy}/out") == {"a.bmp", "b.bmp"}


def test_links_to_one_photo_have_results_of_their_own(tmp_path, out):
    save_gray(tmp_path / "in/a.bmp", 100)
    (tmp_path / "in/b.bmp").symlink_to("a.bmp")
    run(tmp_path / "in", f"{out}")
    assert done(tmp_path / "in", f"{out}") == {"a.bmp", "b.bmp"}


def test_results_in_another_folder_or_of_another_name_are_not_done(folder, out, tmp_path):
    run(folder, f"{out}")
    assert done(folder, f"{tmp_path}/out2", manifest=out / NAME) == set()
    one, other = f"{tmp_path}/one.png", f"{tmp_path}/other.png"
    run(folder / "a.bmp", one, manifest=tmp_path / "m.jsonl")
    assert done(folder / "a.bmp", one, manifest=tmp_path / "m.jsonl") == {"a.bmp"}
    shutil.copy(one, other)
    assert done(folder / "a.bmp", other, manifest=tmp_path / "m.jsonl") == set()


# ---- what is there already


def test_a_result_that_was_retouched_is_never_replaced_by_a_resumed_batch(folder, out):
    run(folder, f"{out}")
    Image.new("RGB", (8, 8), "red").save(out / "a.symmetric.png")
    retouched = (out / "a.symmetric.png").read_bytes()
    save_gray(folder / "b.bmp", 20)
    first, second = run(folder, f"{out}", resume=True)
    assert str(first.error) == f"{out}/a.symmetric.png: already exists, and is not what symface made"
    assert (out / "a.symmetric.png").read_bytes() == retouched
    assert (second.status, gray(out / "b.symmetric.png")) == (0, 10)
    assert run(folder, f"{out}", resume=True, version="2")[0].status == 3
    assert run(folder, f"{out}", resume=True, force=True)[0].status == 0
    assert gray(out / "a.symmetric.png") == 50


def test_of_several_results_none_is_written_if_one_was_retouched(folder, out, monkeypatch):
    monkeypatch.setattr(DarkPhotos, "kinds", (Output.PHOTO, Output.CROP))
    run(folder, f"{out}")
    save_gray(out / "a.symmetric-crop.png", 7)
    save_gray(folder / "a.bmp", 60)
    (outcome,) = run(folder, f"{out}", resume=True)
    assert "a.symmetric-crop.png: already exists, and is not what symface made" in str(outcome.error)
    assert (gray(out / "a.symmetric.png"), gray(out / "a.symmetric-crop.png")) == (50, 7)


def test_results_whose_record_is_lost_are_kept_if_they_would_be_made_so(folder, out):
    run(folder, f"{out}")
    (out / NAME).unlink()
    save_gray(out / "b.symmetric.png", 1)
    time = (out / "a.symmetric.png").stat().st_mtime_ns
    first, second = run(folder, f"{out}", resume=True)
    assert (first.status, second.status) == (0, 3)
    assert (out / "a.symmetric.png").stat().st_mtime_ns == time
    assert gray(out / "b.symmetric.png") == 1
    assert done(folder, f"{out}") == {"a.bmp"}


def test_another_version_replaces_what_symface_made(folder, out):
    run(folder, f"{out}")
    assert [outcome.status for outcome in run(folder, f"{out}", resume=True, version="2", divisor=4)] == [0, 0]
    assert gray(out / "a.symmetric.png") == 25


# ---- manifests of earlier versions


def forget(path):
    """Leave what version 0.2 would have recorded."""
    old = [{key: value for key, value in line.items() if key not in NEW_KEYS} for line in lines_of(path)]
    path.write_text("".join(json.dumps(line) + "\n" for line in old))


def test_a_manifest_of_an_earlier_version_says_what_is_done(folder, out):
    run(folder, f"{out}")
    forget(out / NAME)
    assert done(folder, f"{out}") == {"a.bmp", "b.bmp"}
    (out / "b.symmetric.png").unlink()
    assert [outcome.status for outcome in run(folder, f"{out}", resume=True)] == [0]


def test_a_photo_newer_than_its_result_is_not_done_for_an_earlier_version(folder, out):
    run(folder, f"{out}")
    forget(out / NAME)
    save_gray(folder / "a.bmp", 60)
    os.utime(folder / "a.bmp", ns=(0, (out / "a.symmetric.png").stat().st_mtime_ns + 1))
    (outcome,) = run(folder, f"{out}", resume=True)
    assert "not what symface made" in str(outcome.error)  # nobody knows
    assert gray(out / "a.symmetric.png") == 50
