"""No file is replaced that the user did not mean, whatever the option that names it; and that is said at once."""

import errno
import hashlib
import json
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from symface_cli import writing
from symface_cli.data.datasets import split_of
from symface_cli.network.weights import bundled_weights
from tests.users import modes, ordinary_user, shared_folder


@pytest.fixture
def photos(tmp_path, portrait):
    """Two small photos in a folder."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, side in ((1, 200), (2, 220)):
        Image.open(portrait).resize((side, side)).save(folder / f"{number}.jpg")
    return folder


@pytest.fixture
def unworked(monkeypatch):
    """Loads nothing, and fails the test if a photo is read: what is refused is refused before any work."""
    planner = SimpleNamespace(parameters={}, can_fork=True)
    monkeypatch.setattr("symface_cli.cli.commands.symmetrize.load_planner", lambda *_: planner)
    monkeypatch.setattr("symface_cli.inference.symmetrizer.Symmetrizer", lambda *_, **__: planner)
    for function in ("runner.symmetrize_photo", "measuring.measure_target"):
        monkeypatch.setattr(f"symface_cli.batch.{function}", lambda *_, **__: pytest.fail("a photo was read"))


def tree(folder):
    """The SHA-256 of every file below a folder."""
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


def assert_refused(finished, reason):
    assert finished.status == 3
    assert finished.out == ""
    assert reason in finished.err
    assert finished.err.startswith("symface: ") and finished.err.count("\n") == 1


TEXTS = ["symmetrize -o out --report", "symmetrize -o out --manifest", "measure --csv", "measure --json"]


@pytest.mark.usefixtures("unworked")
@pytest.mark.parametrize("command", TEXTS)
@pytest.mark.parametrize("force", [[], ["--force"]])
def test_an_input_is_never_overwritten(symface, photos, tmp_path, command, force):
    (tmp_path / "link.html").symlink_to(photos / "1.jpg")
    (tmp_path / "hard.html").hardlink_to(photos / "1.jpg")
    before = tree(tmp_path)
    for name in (photos / "1.jpg", "link.html", "hard.html", f"{photos}/../photos/1.jpg"):
        finished = symface(*command.split(), name, *force, photos)
        assert_refused(finished, "one of the files that are read")
        assert "--force" not in finished.err
    assert tree(tmp_path) == before


@pytest.mark.usefixtures("unworked")
@pytest.mark.parametrize("command", TEXTS)
def test_a_photo_that_the_shell_puts_in_an_options_place_is_kept(symface, photos, tmp_path, command):
    before = tree(tmp_path)
    arguments = [*command.split(), *sorted(photos.glob("*.jpg"))]  # --report photos/*.jpg
    assert symface(*arguments).status == symface(*arguments, "--force").status == 3
    assert tree(tmp_path) == before


@pytest.mark.usefixtures("unworked")
@pytest.mark.parametrize("command", TEXTS)
def test_what_is_there_is_kept_without_force(symface, photos, tmp_path, command):
    (tmp_path / "thesis.txt").write_text("mine")
    before = tree(tmp_path)
    finished = symface(*command.split(), tmp_path / "thesis.txt", photos)
    assert finished.status == 3 and finished.err.count("\n") == 1
    assert tree(tmp_path) == before


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_a_result_never_replaces_its_photo_or_another(symface, photos, force):
    shutil.copy(photos / "2.jpg", photos / "1.symmetric.jpg")
    before = tree(photos)
    one = photos / "1.jpg"
    assert_refused(symface("symmetrize", one, "-o", one, *force), "one of the files that are read")
    finished = symface("symmetrize", one, photos / "1.symmetric.jpg", *force)  # as *.jpg is, the second time
    assert finished.status == 3
    assert "1.symmetric.jpg: it is one of the files that are read" in finished.err
    assert {path: digest for path, digest in tree(photos).items() if path in before} == before


def test_heat_maps_never_replace_a_photo(symface, photos):
    Image.open(photos / "1.jpg").save(photos / "1.png")
    before = tree(photos)
    finished = symface("measure", photos / "1.png", "--heatmap", "-o", photos / "1.png", "--force")
    assert_refused(finished, "one of the files that are read")
    assert tree(photos) == before


@pytest.mark.usefixtures("unworked")
@pytest.mark.parametrize("command", TEXTS)
def test_weights_are_not_overwritten_either(symface, photos, tmp_path, command):
    weights = shutil.copy(bundled_weights(), tmp_path / "own.safetensors")
    before = tree(tmp_path)
    finished = symface(*command.split(), weights, "--force", "--weights", weights, photos)
    assert_refused(finished, "one of the files that are read")
    assert tree(tmp_path) == before


@pytest.mark.usefixtures("unworked")
@pytest.mark.parametrize(
    "options",
    [
        ["symmetrize", "--report", "a.html", "--manifest", "a.html"],
        ["symmetrize", "--report", "./a.jpg", "-o", "a.jpg"],
        ["symmetrize", "--report", "photos/1.symmetric.jpg"],
        ["symmetrize", "--report", "out/manifest.jsonl", "-o", "out/"],
        ["measure", "--csv", "a.txt", "--json", "./a.txt"],
        ["measure", "--csv", "photos/1.asymmetry.png", "--heatmap", "--force"],
    ],
)
def test_one_file_cannot_be_two_results(symface, photos, tmp_path, options):
    before = tree(tmp_path)
    finished = symface(options[0], photos / "1.jpg", *options[1:])
    assert finished.status == 3 and finished.err.count("\n") == 1
    assert tree(tmp_path) == before


# ---- before the work


@pytest.mark.parametrize("command", TEXTS)
def test_missing_folders_are_made(symface, photos, tmp_path, command):
    name = tmp_path / "new" / "deep" / "x.out"
    assert symface(*command.split(), name, photos / "1.jpg").status == 0
    assert name.stat().st_size > 0


@modes
@pytest.mark.usefixtures("unworked")
@pytest.mark.parametrize("command", [*TEXTS, "symmetrize -o", "measure --heatmap -o"])
@pytest.mark.parametrize("place", ["private", "closed", "private/new", "closed/new"])
def test_folders_without_permission_are_refused_at_once(symface, photos, command, place):
    with shared_folder() as folder:
        shutil.copytree(photos, folder / "photos")
        (folder / "photos").chmod(0o777)
        os.chdir(folder / "photos")
        with ordinary_user():
            name = f"{folder}/{place}/x.png" if "-o" in command.split()[-1] else f"{folder}/{place}/x.txt"
            assert_refused(symface(*command.split(), name, folder / "photos" / "1.jpg"), "ermission denied")


@modes
@pytest.mark.usefixtures("unworked")
@pytest.mark.parametrize("command", ["symmetrize", "symmetrize --manifest m.jsonl", "measure --heatmap --csv m.csv"])
@pytest.mark.parametrize("place", ["private", "closed", "closed/new"])
def test_a_folder_for_results_without_permission_is_refused_at_once(symface, photos, command, place):
    with shared_folder() as folder:
        shutil.copytree(photos, folder / "photos")
        (folder / "photos").chmod(0o777)
        os.chdir(folder / "photos")
        with ordinary_user():
            assert_refused(symface(*command.split(), ".", "-o", f"{folder}/{place}/"), "ermission denied")


@modes
def test_a_photo_without_permission_is_a_failure_of_its_own(symface, photos):
    """Its folder may not be entered, or its result not be written; the others are done."""
    symface("symmetrize", photos / "2.jpg")  # imports what there is: Python may lie where only root may read
    with shared_folder() as folder:
        (folder / "private").chmod(0o700)
        shutil.copy(photos / "1.jpg", folder / "private" / "1.jpg")
        (folder / "private").chmod(0)
        (folder / "closed").chmod(0o755)
        shutil.copy(photos / "1.jpg", folder / "closed" / "1.jpg")
        (folder / "closed").chmod(0o555)
        shutil.copytree(photos, folder / "photos")
        (folder / "photos").chmod(0o777)
        os.chdir(folder)
        with ordinary_user():
            finished = symface("symmetrize", folder / "private" / "1.jpg")
            assert finished.status == 3 and finished.err.count("\n") == 1 and "ermission denied" in finished.err
            finished = symface("symmetrize", folder / "closed" / "1.jpg", folder / "photos" / "1.jpg")
    assert finished.status == 3
    assert finished.out == f"{folder}/photos/1.symmetric.jpg\n"
    assert finished.err.startswith(f"symface: cannot write {folder}/closed/1.symmetric.jpg: permission denied")


# ---- what cannot be replaced


@pytest.fixture
def unreplaceable(monkeypatch):
    """Renaming over a file fails, as it does over a mount point."""

    def refuse(*_):
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))

    monkeypatch.setattr(writing.os, "replace", refuse)


@pytest.mark.usefixtures("unreplaceable")
def test_a_mounted_file_is_written_in_place_and_that_is_said(symface, photos, tmp_path):
    assert symface("symmetrize", photos / "1.jpg", "-o", tmp_path / "expected.jpg").status == 0
    mounted = tmp_path / "mounted.jpg"
    mounted.write_bytes(bytes(100_000))
    number = mounted.stat().st_ino
    command = ("symmetrize", photos / "1.jpg", "-o", mounted, "--force", "--manifest", tmp_path / "m.jsonl")
    finished = symface(*command)
    assert finished.status == 0 and finished.out == f"{mounted}\n"
    assert f"{mounted} was written in place" in finished.err
    assert mounted.read_bytes() == (tmp_path / "expected.jpg").read_bytes() and mounted.stat().st_ino == number
    (note,) = json.loads((tmp_path / "m.jsonl").read_text())["notes"]
    assert note in finished.err


@pytest.mark.usefixtures("unreplaceable")
@pytest.mark.parametrize("option", ["--csv", "--json"])
def test_a_mounted_table_is_written_in_place_and_that_is_said(symface, photos, tmp_path, option):
    (tmp_path / "mounted").write_bytes(bytes(100_000))
    finished = symface("measure", photos / "1.jpg", option, tmp_path / "mounted", "--force")
    assert finished.status == 0 and "was written in place" in finished.err
    assert b"whole_shape_pct" in (tmp_path / "mounted").read_bytes()
    assert b"\0" not in (tmp_path / "mounted").read_bytes()


# ---- reports


def test_a_resumed_batch_makes_its_own_report_anew_and_no_other_page(symface, photos, tmp_path):
    command = ("symmetrize", photos, "-o", tmp_path / "out", "--report", tmp_path / "page.html")
    assert symface(*command).status == 0
    page = (tmp_path / "page.html").read_bytes()
    assert page.count(b'<meta name="generator" content="symface ') == 1
    finished = symface(*command)
    assert finished.status == 3 and "already exists" in finished.err
    (tmp_path / "page.html").write_bytes(page + b"<!-- old -->")
    assert symface(*command, "--resume").status == 0
    assert (tmp_path / "page.html").read_bytes() == page
    (tmp_path / "page.html").write_text("<!DOCTYPE html><title>mine</title>")
    assert_refused(symface(*command, "--resume"), "already exists; use --force")
    assert (tmp_path / "page.html").read_text().endswith("mine</title>")


# ---- data sets


@pytest.fixture
def data(tmp_path, photos):
    """A data set of one person, who is trained on."""
    name = next(name for name in ("Ann", "Bea", "Cy", "Di") if split_of(name) == "train")
    return shutil.copytree(photos, tmp_path / "data" / name).parent


EVALUATE = ["evaluate --json", "evaluate --markdown", "evaluate --report", "evaluate --midline --json"]


@pytest.mark.parametrize("command", ["label -o", "label --review", *EVALUATE])
@pytest.mark.parametrize("force", [[], ["--force"]])
def test_photos_of_a_data_set_are_never_overwritten(symface, data, tmp_path, command, force):
    before = tree(tmp_path)
    for photo in data.rglob("*.jpg"):
        assert_refused(symface(*command.split(), photo, data, *force), "one of the files that are read")
    assert tree(tmp_path) == before


@pytest.mark.parametrize("command", ["label -o", "label --review", *EVALUATE])
def test_other_files_are_kept_without_force(symface, data, tmp_path, command):
    (tmp_path / "thesis.txt").write_text("mine")
    before = tree(tmp_path)
    assert_refused(symface(*command.split(), tmp_path / "thesis.txt", data), "already exists; use --force")
    assert tree(tmp_path) == before


def test_landmarks_that_midlines_are_compared_with_are_never_overwritten(symface, data, tmp_path):
    marks = next(data.rglob("1.jpg")).with_suffix(".csv")
    marks.write_text("x,y\n")
    finished = symface("evaluate", "--midline", "--json", marks, "--force", data)
    assert_refused(finished, "one of the files that are read")
    assert marks.read_text() == "x,y\n"


def test_an_archive_is_not_overwritten_by_its_labels(symface, data, tmp_path):
    archive = Path(shutil.make_archive(str(tmp_path / "set"), "zip", data))
    before = archive.read_bytes()
    assert_refused(symface("label", archive, "-o", archive, "--force"), "one of the files that are read")
    assert archive.read_bytes() == before
