"""`symface symmetrize` beyond one face of one photo: outputs, amounts, streams, batches, manifests."""

import io
import json
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from symface_cli.cli.app import main
from symface_cli.imaging.photo import read_photo
from symface_cli.measurement import asymmetry
from symface_cli.parallel import work
from tests.processes import forked, forking


@pytest.fixture
def photo(tmp_path, portrait):
    """The portrait as PNG, so that results can be compared to the pixel."""
    path = tmp_path / "portrait.png"
    Image.open(portrait).save(path)
    return path


@pytest.fixture
def small(tmp_path, portrait):
    """A folder tree of three small photos, one of which shows nobody."""
    folder = tmp_path / "in"
    (folder / "deep").mkdir(parents=True)
    Image.open(portrait).resize((220, 220)).save(folder / "a.png")
    Image.open(portrait).resize((240, 240)).save(folder / "deep" / "b.png")
    Image.new("RGB", (100, 100), "navy").save(folder / "wall.png")
    return folder


@pytest.fixture
def few_crops(monkeypatch):
    """Measured in two crops of each face, not in all: the numbers are compared with each other alone."""
    monkeypatch.setattr(asymmetry, "CROP_JITTERS", asymmetry.CROP_JITTERS[:2])


def lines_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_whole_photo_is_written_and_only_the_face_is_changed(symface, photo, tmp_path):
    assert symface("symmetrize", photo).out == f"{tmp_path}/portrait.symmetric.png\n"
    before, after = read_photo(photo), read_photo(tmp_path / "portrait.symmetric.png")
    assert before.shape == after.shape
    changed = (before != after).any(-1)
    rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
    assert 0.1 < changed.mean() < 0.35  # the face covers about a quarter of the portrait
    assert rows[0] > 100  # hair, background and shoulders stay
    assert rows[-1] < 560
    assert columns[0] > 150
    assert columns[-1] < 540


def test_without_amounts_the_photo_comes_back_bit_by_bit(symface, photo, tmp_path):
    symface("symmetrize", photo, "--shape", 0, "--color", 0)
    assert (read_photo(tmp_path / "portrait.symmetric.png") == read_photo(photo)).all()


def test_several_outputs_of_several_faces_have_names_of_their_own(symface, pair, tmp_path):
    finished = symface("symmetrize", pair, "--output", "face", "--output", "crop", "-o", f"{tmp_path}/")
    names = [line.rpartition("/")[2] for line in finished.out.splitlines()]
    assert names == [
        "pair.symmetric-face-1.png",
        "pair.symmetric-face-2.png",
        "pair.symmetric-crop-1.jpg",
        "pair.symmetric-crop-2.jpg",
    ]


def test_a_continuum_starts_with_the_photo_and_ends_with_the_result(symface, photo, tmp_path):
    symface("symmetrize", photo, "--continuum", "0:1:0.5")
    frames = [read_photo(tmp_path / f"portrait.symmetric-{i:03d}.png") for i in range(3)]
    symface("symmetrize", photo)
    assert (frames[0] == read_photo(photo)).all()
    assert (frames[2] == read_photo(tmp_path / "portrait.symmetric.png")).all()
    assert (frames[1] != frames[0]).any()
    assert (frames[1] != frames[2]).any()


def test_a_gif_goes_there_and_back(symface, photo, tmp_path):
    symface("symmetrize", photo, "--gif", "--continuum", "0:1:0.25", "-o", tmp_path / "x.gif")
    with Image.open(tmp_path / "x.gif") as image:
        assert image.format == "GIF"
        assert image.n_frames == 8  # 0 1/4 1/2 3/4 1 3/4 1/2 1/4
        assert image.info["loop"] == 0


def test_transparent_background_leaves_the_face_alone(symface, photo, tmp_path):
    out = tmp_path / "x.png"
    symface("symmetrize", photo, "--output", "face", "--background", "transparent", "--size", 200, "-o", out)
    image = np.asarray(Image.open(out))
    assert image.shape == (200, 200, 4)
    assert (image == image[:, ::-1]).all()
    assert (image[[0, 0, -1, -1], [0, -1, 0, -1], 3] == 0).all()
    assert image[100, 100, 3] == 255


def test_a_colored_background_surrounds_the_face(symface, photo, tmp_path):
    out = tmp_path / "x.png"
    symface("symmetrize", photo, "--output", "face", "--background", "#102030", "-o", out)
    assert tuple(read_photo(out)[0, 0]) == (16, 32, 48)
    symface("symmetrize", photo, "--output", "face", "--background", "white", "--gif", "--continuum", "0:1:1")
    with Image.open(tmp_path / "portrait.symmetric-face.gif") as image:
        assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255)


def test_eyes_given_by_hand_find_the_same_face(symface, photo, tmp_path):
    """The eyes of the portrait lie at (291, 316) and (388, 316)."""
    symface("symmetrize", photo, "--output", "face", "--size", 64, "-o", tmp_path / "found.png")
    symface(
        "symmetrize", photo, "--output", "face", "--size", 64, "--eyes", "291,316,388,316", "-o", tmp_path / "e.png"
    )
    found, given = (read_photo(tmp_path / name).astype(int) for name in ("found.png", "e.png"))
    assert np.abs(found - given)[12:52, 12:52].mean() < 4


def test_a_box_given_by_hand_needs_no_detector(symface, photo, tmp_path, monkeypatch):
    monkeypatch.setattr("symface_cli.detection.selection.detect", lambda *_: [])
    assert symface("symmetrize", photo).status == 4
    assert symface("symmetrize", photo, "--box", "209,210,262,262").status == 0


@pytest.mark.parametrize("place", [("--eyes", "800,800,840,800"), ("--box", "900,300,80,80")])
def test_a_face_marked_outside_is_a_failure_of_its_photo_alone(symface, photo, tmp_path, place):
    """The place may be right in another photo of the batch."""
    Image.new("RGB", (1000, 900), "gray").save(tmp_path / "large.png")
    finished = symface("symmetrize", photo, tmp_path / "large.png", *place, "-o", tmp_path / "out")
    assert finished.status == 4
    assert "portrait.png: no face where it is marked" in finished.err
    assert "675 x 675 pixels" in finished.err
    assert [path.name for path in (tmp_path / "out").glob("*.png")] == ["large.symmetric.png"]


def test_swapped_eyes_are_told(symface, photo, tmp_path):
    finished = symface("symmetrize", photo, "--eyes", "388,316,291,316", "-o", tmp_path / "x.png")
    assert finished.status == 0
    assert finished.err.count("left eye first") == 1


def test_a_small_face_is_found_with_min_face(symface, tmp_path, portrait):
    large = Image.new("RGB", (2400, 1800), "white")
    large.paste(Image.open(portrait).resize((200, 200)), (300, 400))  # its box is 78 px wide: 21 in the detector's copy
    large.save(tmp_path / "crowd.png")
    assert symface("symmetrize", tmp_path / "crowd.png").status == 4
    assert symface("symmetrize", tmp_path / "crowd.png", "--min-face", 60).status == 0


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--shape", "7"), "--shape"),
        (("--color", "nan"), "--color"),
        (("--continuum", "0:1"), "--continuum"),
        (("--continuum", "0:1:0"), "--continuum"),
        (("--continuum", "0:1:0.3"), "--continuum"),
        (("--background", "none such"), "--background"),
        (("--box", "1,2,3"), "--box"),
        (("--box", "1,2,3,-4"), "--box"),
        (("--box", "1,2,0,0"), "--box"),
        (("--box", "1,2,0.5,0.5"), "--box"),
        (("--box", "1,nan,30,30"), "--box"),
        (("--box", "1,2,inf,30"), "--box"),
        (("--box", "1,2,1e300,1e300"), "--box"),
        (("--eyes", "1,2,1.5,2"), "--eyes"),
        (("--eyes", "1,2,30,nan"), "--eyes"),
        (("--eyes", "1,2,1,2"), "eyes"),
        (("--eyes", "a,b,c,d"), "--eyes"),
        (("--output", "all"), "--output"),
        (("--method", "none"), "none"),
        (("--method", "dlib-left", "--output", "photo"), "--output face"),
        (("--method", "dlib-left", "--no-detail"), "--no-detail"),
        (("--method", "dlib-left", "--shape", "0.5"), "--shape"),
        (("--method", "vae-left", "--side", "right"), "--side"),
        (("--gif", "-o", "x.png"), ".gif"),
        (("--resume",), "manifest"),
        (("--preview", "--faces", "2"), "--preview"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_option(symface, photo, tmp_path, options, word):
    finished = symface("symmetrize", photo, *options)
    assert finished.status == 2
    assert finished.err.count("\n") == 1
    assert word in finished.err
    assert [path.name for path in tmp_path.iterdir()] == ["portrait.png"]


def test_standard_input_to_standard_output(portrait, monkeypatch, capfdbinary):
    """Nothing but the photo goes there, from any library."""
    with portrait.open("rb") as stream:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(stream))
        assert main(["symmetrize", "-"]) == 0
    with Image.open(io.BytesIO(capfdbinary.readouterr().out)) as image:
        assert image.format == "JPEG"
        assert image.size == (675, 675)


def test_two_results_do_not_go_to_one_stream(symface, pair):
    finished = symface("symmetrize", pair, "--output", "face", "-o", "-")
    assert finished.status == 3
    assert "--faces largest" in finished.err


def test_a_sheet_of_comparison_lies_beside_the_named_file(symface, photo, tmp_path):
    finished = symface("symmetrize", photo, "--compare", "-o", tmp_path / "x.jpg")
    assert finished.out == f"{tmp_path}/x.jpg\n{tmp_path}/x-compare.png\n"
    with Image.open(tmp_path / "x.jpg") as result, Image.open(tmp_path / "x-compare.png") as sheet:
        assert (result.format, result.size) == ("JPEG", (675, 675))
        assert sheet.format == "PNG"
        assert sheet.width > 4 * sheet.height


def test_a_preview_shows_the_photo_with_marks(symface, pair, tmp_path):
    symface("symmetrize", pair, "--preview", "-o", f"{tmp_path}/")
    before, after = read_photo(pair), read_photo(tmp_path / "pair.symmetric-preview.jpg")
    assert before.shape == after.shape
    assert 0.003 < (np.abs(before.astype(int) - after).max(-1) > 60).mean() < 0.1


# ---- many photos


def test_a_folder_keeps_its_tree_and_its_manifest_names_every_face(symface, small, tmp_path):
    out = tmp_path / "out"
    finished = symface("symmetrize", small, "-o", out)
    assert finished.status == 4
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*.png")) == [
        "a.symmetric.png",
        "deep/b.symmetric.png",
    ]
    first, second, wall = lines_of(out / "manifest.jsonl")
    assert [line["input"] for line in (first, second, wall)] == [
        str(small / name) for name in ("a.png", "deep/b.png", "wall.png")
    ]
    assert [line["status"] for line in (first, second, wall)] == [0, 0, 4]
    assert first["outputs"] == [str(out / "a.symmetric.png")]
    assert first["face"] == 1
    width = first["box"][2]  # the portrait's box is 262 px of 675
    assert width == pytest.approx(262 / 675 * 220, rel=0.15)
    assert "no face" in wall["reason"]
    assert len(first["parameters"]["weights"]) == 64


@pytest.mark.parametrize("command", ["symmetrize", "measure"])
def test_a_batch_goes_on_beside_what_cannot_be_read_and_exits_3(symface, small, command):
    (small / "@eaDir").mkdir()
    shutil.copy(small / "a.png", small / "@eaDir")
    for name in ("deep/b.png", "wall.png"):
        (small / name).unlink()
    (small / "Gone").symlink_to("nowhere")
    os.mkfifo(small / "pipe.png")
    finished = symface(command, small)
    assert finished.status == 3
    assert finished.out.startswith(str(small / "a."))
    first, second, *_, last = finished.err.splitlines()
    assert first == f"symface: cannot read {small / 'Gone'}: it is a link to nothing"
    assert second.startswith(f"symface: cannot read {small / 'pipe.png'}: it is a named pipe")
    assert last == "1 of 1 photos done, 0 failed, 2 passed over"


def test_a_photo_without_permission_is_not_a_wrong_argument(symface, photo, monkeypatch):
    """Which would keep the others from being done; whether it can be read, reading tells."""
    monkeypatch.setattr(os, "access", lambda *arguments, **options: False)
    finished = symface("symmetrize", photo, "--preview")
    assert "not readable" not in finished.err
    assert finished.status == 0


def test_a_pipe_that_is_named_is_refused_and_not_waited_for(symface, tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    finished = symface("symmetrize", tmp_path / "pipe.jpg")
    assert finished.status == 3
    assert "pipe.jpg: it is a named pipe, not a file" in finished.err


def test_resume_does_only_what_is_missing_or_failed(symface, small, tmp_path):
    out = tmp_path / "out"
    symface("symmetrize", small, "-o", out)
    (out / "deep/b.symmetric.png").unlink()
    kept = (out / "a.symmetric.png").stat().st_mtime_ns
    finished = symface("symmetrize", small, "-o", out, "--resume")
    assert "1 of 2 photos done, 1 failed, 1 done before" in finished.err
    assert (out / "deep/b.symmetric.png").is_file()
    assert (out / "a.symmetric.png").stat().st_mtime_ns == kept


def test_the_report_of_a_resumed_batch_shows_all_photos(symface, small, tmp_path):
    out, page = tmp_path / "out", tmp_path / "report.html"
    symface("symmetrize", small / "a.png", "-o", f"{out}/", "--faces", "largest")
    symface("symmetrize", small, "-o", out, "--resume", "--faces", "largest", "--report", page)
    text = page.read_text()
    assert text.count('type="range"') == 2
    assert "wall.png" in text
    assert "no face found" in text


def test_resume_makes_everything_anew_for_other_parameters(symface, small, tmp_path):
    out = tmp_path / "out"
    symface("symmetrize", small, "-o", out)
    before = (out / "a.symmetric.png").read_bytes()
    finished = symface("symmetrize", small, "-o", out, "--resume", "--shape", "0.5")
    assert "2 of 3 photos done" in finished.err
    assert (out / "a.symmetric.png").read_bytes() != before


def test_a_torn_line_of_a_manifest_is_done_again(symface, small, tmp_path):
    out = tmp_path / "out"
    symface("symmetrize", small, "-o", out)
    path = out / "manifest.jsonl"
    path.write_bytes(path.read_bytes()[:-40])
    symface("symmetrize", small, "-o", out, "--resume")
    assert [line["input"] for line in lines_of(path)][-1] == str(small / "wall.png")


@pytest.mark.parametrize("contents", [b"hello\n", b'{"input": "caf\xe9.jpg"}\n'])
def test_what_is_no_manifest_is_refused(symface, small, tmp_path, contents):
    (tmp_path / "m.jsonl").write_bytes(contents)
    finished = symface("symmetrize", small, "-o", tmp_path / "out", "--manifest", tmp_path / "m.jsonl", "--resume")
    assert finished.status == 3
    assert "not a manifest" in finished.err


@pytest.mark.parametrize(("jobs", "many"), [(1, 8), (3, 8), (2, 1)])  # one thread, three, two processes
def test_the_number_of_jobs_does_not_change_a_byte(symface, small, tmp_path, jobs, many, monkeypatch):
    monkeypatch.setattr(work, "MANY", many)
    finished = symface("symmetrize", small, "-o", tmp_path / f"out{jobs}", "--jobs", jobs)
    symface("symmetrize", small / "a.png", "-o", tmp_path / "alone.png")
    assert (tmp_path / f"out{jobs}/a.symmetric.png").read_bytes() == (tmp_path / "alone.png").read_bytes()
    assert [line.rpartition("/")[2] for line in finished.out.splitlines()] == ["a.symmetric.png", "b.symmetric.png"]


@forking
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_killed_batch_that_is_resumed_leaves_the_same_files(symface, small, tmp_path, jobs):
    """It is killed when the result of `e.png` has been written, but not yet its name."""
    for name in "cdefg":
        shutil.copy(small / "a.png", small / f"{name}.png")

    def stick():
        give_name = Path.hardlink_to

        def name_all_but_one(path, written):
            if path.name.startswith("e."):
                time.sleep(600)
            give_name(path, written)

        work.MANY, Path.hardlink_to = 1, name_all_but_one  # processes for two jobs
        main(["symmetrize", str(small), "-o", str(tmp_path / "killed"), "--jobs", str(jobs)])

    with forked(stick) as (process, printed):
        lines = [printed.readline().rpartition("/")[2] for _ in range(4)]
        assert process.is_alive()
    assert lines == [f"{name}.symmetric.png\n" for name in "acdb"]
    assert 4 <= len(list((tmp_path / "killed").rglob("*.png"))) < 7
    assert symface("symmetrize", small, "-o", tmp_path / "killed", "--resume").status == 4
    symface("symmetrize", small, "-o", tmp_path / "whole")
    killed, whole = (
        {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*.png")}
        for name in ("killed", "whole")
    )
    assert len(whole) == 7
    assert killed == whole


def test_nothing_of_a_batch_is_kept_in_memory(symface, small):
    """Outcomes hold names and numbers, no pictures."""
    from symface_cli.batch.runner import Batch, BatchOptions
    from symface_cli.batch.targets import choose_targets
    from symface_cli.detection.selection import Selection
    from symface_cli.inference.symmetrizer import Symmetrizer
    from symface_cli.rendering.options import OutputOptions
    from symface_cli.rendering.plan import NetworkPlanner

    planner = NetworkPlanner(Symmetrizer(device="cpu"), OutputOptions(), Selection())
    began = time.monotonic()
    outcomes = list(Batch(planner, choose_targets([small], None), BatchOptions(force=True, jobs=2)).run())
    assert all(len(repr(outcome)) < 3000 for outcome in outcomes)
    assert 0 < outcomes[0].seconds["make"] < time.monotonic() - began


@pytest.mark.usefixtures("few_crops")
def test_faces_are_measured_on_request_as_the_measure_command_does(symface, photo, tmp_path):
    report = tmp_path / "report.html"
    finished = symface("symmetrize", photo, "-o", f"{tmp_path}/out/", "--measure", "--report", report)
    assert finished.status == 0
    (line,) = lines_of(tmp_path / "out/manifest.jsonl")
    (face,) = json.loads(symface("measure", photo, "--json", "-").out)["faces"]
    assert line["asymmetry"].keys() == face["values"].keys()
    for name, found in face["values"].items():  # sums in another order, on another number of threads, move a digit
        assert line["asymmetry"][name] == pytest.approx([found["value"], found["error"]], abs=2e-3)
    assert f"{face['values']['whole_shape_pct']['value']:.1f} %" in report.read_text("utf-8")


@pytest.mark.usefixtures("few_crops")
def test_a_resumed_batch_measures_what_was_not_measured_before(symface, photo, tmp_path):
    symface("symmetrize", photo, "-o", f"{tmp_path}/out/")
    assert symface("symmetrize", photo, "-o", f"{tmp_path}/out/", "--resume", "--measure").status == 0
    assert [line["asymmetry"] is None for line in lines_of(tmp_path / "out/manifest.jsonl")] == [True, False]


@pytest.mark.landmarks
def test_the_identity_check_says_how_far_the_result_is_from_the_person(symface, photo, tmp_path):
    finished = symface("symmetrize", photo, "-o", f"{tmp_path}/out/", "--check-identity")
    assert finished.status == 0
    (line,) = lines_of(tmp_path / "out/manifest.jsonl")
    assert 0.05 < line["identity"] < 0.6
    assert "recognized" not in finished.err


@pytest.mark.landmarks
def test_the_identity_check_warns_of_another_person(symface, photo, tmp_path, monkeypatch):
    monkeypatch.setattr("symface_cli.rendering.identity.SAME_PERSON", 0.05)
    finished = symface("symmetrize", photo, "-o", f"{tmp_path}/out/", "--check-identity")
    assert finished.status == 0
    assert "face 1 may not be recognized" in finished.err


@pytest.mark.landmarks
def test_landmark_methods_write_aligned_faces(symface, pair, tmp_path):
    finished = symface("symmetrize", pair, "--method", "dlib-left", "-o", f"{tmp_path}/")
    assert [line.rpartition("/")[2] for line in finished.out.splitlines()] == [
        "pair.symmetric-face-1.png",
        "pair.symmetric-face-2.png",
    ]
    face = read_photo(tmp_path / "pair.symmetric-face-1.png")
    assert (face == face[:, ::-1]).all()
