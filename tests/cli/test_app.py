"""The command line as a user meets it: files in and out, messages, exit statuses."""

import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from symface_cli import __version__
from symface_cli.imaging.photo import read_photo
from tests.conftest import SHARED


def pixels(path):
    with Image.open(path) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB")).astype(int)


@pytest.fixture
def photo(tmp_path, portrait):
    return shutil.copy(portrait, tmp_path / "portrait.jpg")


def one_line(finished):
    assert finished.out == ""
    assert finished.err.startswith("symface: ")
    assert finished.err.count("\n") == 1
    assert "Traceback" not in finished.err
    return finished.err


def test_portrait_becomes_a_face_equal_to_its_mirror_image(symface, photo, tmp_path):
    finished = symface("symmetrize", photo, "--output", "face")
    result = tmp_path / "portrait.symmetric-face.png"
    assert finished.status == 0
    assert finished.out == f"{result}\n"
    face = pixels(result)
    assert np.abs(face - face[:, ::-1]).max() == 0
    assert face.shape[0] > 300  # the photo's own resolution: its frame is about 400 px wide
    assert face.std() > 20


def test_no_detail_writes_what_the_vae_decodes(symface, photo, tmp_path):
    assert symface("symmetrize", photo, "--no-detail", "--output", "face").status == 0
    face = pixels(tmp_path / "portrait.symmetric-face.png")
    assert face.shape == (128, 128, 3)
    assert (face == face[:, ::-1]).all()


def test_every_face_of_a_pair_is_written(symface, tmp_path, pair):
    finished = symface("symmetrize", pair, "--output", "face", "-o", f"{tmp_path}/out/")
    assert finished.status == 0
    assert finished.out.split() == [f"{tmp_path}/out/pair.symmetric-face-{i}.png" for i in (1, 2)]
    first, second = (pixels(path) for path in finished.out.split())
    assert first.shape != second.shape or (first != second).any()


def test_faces_chooses_one_by_size(symface, tmp_path, pair):
    symface("symmetrize", pair, "--output", "face", "-o", f"{tmp_path}/all/")
    for choice, number in (("largest", 1), ("2", 2)):
        out = tmp_path / f"{choice}.png"
        assert symface("symmetrize", pair, "--output", "face", "--faces", choice, "-o", out).status == 0
        assert out.read_bytes() == (tmp_path / f"all/pair.symmetric-face-{number}.png").read_bytes()


def test_the_same_photo_gives_the_same_bytes(symface, photo, tmp_path):
    symface("symmetrize", photo, "-o", tmp_path / "a.png")
    symface("symmetrize", photo, "-o", tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_nothing_is_overwritten_without_force(symface, photo, tmp_path):
    result = tmp_path / "portrait.symmetric.jpg"
    result.write_text("mine")
    finished = symface("symmetrize", photo)
    assert finished.status == 3
    assert "--force" in one_line(finished)
    assert result.read_text() == "mine"
    assert symface("symmetrize", photo, "--force").status == 0
    assert read_photo(result).shape == read_photo(photo).shape


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_exif_orientation_is_applied(symface, photo, tmp_path, orientation):
    upright = read_photo(photo)
    turns = {3: 2, 6: 1, 8: 3}[orientation]
    image = Image.fromarray(np.rot90(upright, turns).copy())
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(tmp_path / "turned.png", exif=exif)
    Image.fromarray(upright).save(tmp_path / "upright.png")
    for name in ("turned", "upright"):
        assert symface("symmetrize", tmp_path / f"{name}.png").status == 0
    assert (pixels(tmp_path / "turned.symmetric.png") == pixels(tmp_path / "upright.symmetric.png")).all()


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "RGBA", "I;16"])
def test_other_kinds_of_pictures_work_under_any_name(symface, tmp_path, portrait, mode):
    image = Image.open(portrait)
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    path = tmp_path / f"Zoë 写真.{'tiff' if mode == 'CMYK' else 'png'}"
    (image if mode == "I;16" else image.convert(mode)).save(path)
    assert symface("symmetrize", path, "--output", "face").status == 0
    assert pixels(tmp_path / "Zoë 写真.symmetric-face.png").std() > 20


def test_a_photo_on_its_side_gives_an_upright_face(symface, photo, tmp_path):
    Image.open(photo).rotate(90, expand=True).save(tmp_path / "side.png")
    Image.open(photo).save(tmp_path / "upright.png")
    for name in ("side", "upright"):
        assert symface("symmetrize", tmp_path / f"{name}.png", "--output", "face").status == 0
    side, upright = (
        np.asarray(
            Image.fromarray(pixels(tmp_path / f"{name}.symmetric-face.png").astype(np.uint8)).resize((64, 64))
        ).astype(int)
        for name in ("side", "upright")
    )
    assert np.abs(side - upright).mean() < 12


# ---- bad input


@pytest.mark.parametrize(
    "arguments",
    [
        ("symmetrize", "none.jpg"),
        ("symmetrize", "--bogus", "x"),
        ("bogus",),
        ("symmetrize",),
        ("train", "--stage", "4", "x"),
    ],
)
def test_usage_errors_exit_2_with_one_line(symface, arguments):
    finished = symface(*arguments)
    assert finished.status == 2
    one_line(finished)


@pytest.mark.parametrize("option", [("--faces", "none"), ("--faces", "0"), ("--device", "cuda:77"), ("-o", "x.gif")])
def test_impossible_options_exit_2_and_write_nothing(symface, photo, tmp_path, option):
    finished = symface("symmetrize", photo, *option)
    assert finished.status == 2
    assert option[0] in one_line(finished)
    assert [path.name for path in tmp_path.iterdir()] == ["portrait.jpg"]


@pytest.mark.parametrize("content", [b"", b"not a picture", "truncated", "bomb"])
def test_unreadable_photos_exit_3_and_write_nothing(symface, tmp_path, portrait, content):
    path = tmp_path / "bad.jpg"
    if content == "truncated":
        content = portrait.read_bytes()[:20_000]
    if content == "bomb":
        import zlib

        header = b"IHDR" + (100_000).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
        content = b"\x89PNG\r\n\x1a\n" + (13).to_bytes(4, "big") + header + zlib.crc32(header).to_bytes(4, "big")
    path.write_bytes(content)
    finished = symface("symmetrize", path)
    assert finished.status == 3
    assert "bad.jpg" in one_line(finished)
    assert list(tmp_path.iterdir()) == [path]


def test_a_photo_without_a_face_exits_4(symface, tmp_path):
    Image.new("RGB", (200, 150), "navy").save(tmp_path / "wall.png")
    finished = symface("symmetrize", tmp_path / "wall.png")
    assert finished.status == 4
    assert "wall.png" in one_line(finished)
    assert "try" in finished.err


def test_a_face_number_that_is_not_there_exits_4(symface, photo):
    assert symface("symmetrize", photo, "--faces", "3").status == 4


@pytest.mark.parametrize("content", [None, b"damaged"])
def test_unusable_weights_exit_5(symface, photo, tmp_path, content):
    weights = tmp_path / "w.safetensors"
    if content is not None:
        weights.write_bytes(content)
    finished = symface("symmetrize", photo, "--weights", weights)
    assert finished.status == 5
    assert "w.safetensors" in one_line(finished)


def test_a_folder_that_cannot_be_written_exits_3(symface, photo, tmp_path):
    (tmp_path / "file").write_text("")
    finished = symface("symmetrize", photo, "-o", tmp_path / "file" / "x.png")
    assert finished.status == 3
    one_line(finished)


def test_a_full_disk_exits_3_and_leaves_nothing_half_written(symface, photo, tmp_path, monkeypatch):
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    finished = symface("symmetrize", photo)
    assert finished.status == 3
    assert "no space" in one_line(finished)
    assert [path.name for path in tmp_path.iterdir()] == ["portrait.jpg"]


def test_a_batch_goes_on_after_a_bad_photo_and_exits_with_its_status(symface, photo, tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"")
    Image.new("RGB", (64, 64)).save(tmp_path / "b.png")
    finished = symface("symmetrize", tmp_path)
    assert finished.status == 3  # of a.jpg, which comes first; b.png has no face
    assert finished.out == f"{tmp_path / 'portrait.symmetric.jpg'}\n"
    assert "a.jpg" in finished.err
    assert "b.png" in finished.err
    assert "1 of 3 photos done, 2 failed" in finished.err


def test_ctrl_c_exits_130_with_one_line(symface, photo, monkeypatch):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("symface_cli.detection.selection.detect", interrupt)
    finished = symface("symmetrize", photo)
    assert finished.status == 130
    assert "interrupted" in one_line(finished)


def test_a_bug_met_with_a_photo_is_one_line_and_a_traceback_for_who_asks(symface, photo, monkeypatch):
    def fail(*_: object) -> None:
        raise ValueError("an odd\n  number")

    monkeypatch.setattr("symface_cli.detection.selection.detect", fail)
    finished = symface("symmetrize", photo)
    assert finished.status == 1
    assert f"{photo}: a bug: ValueError: an odd number; please report it, with what --debug shows" in one_line(finished)
    shown = symface("symmetrize", photo, "--debug")
    assert shown.status == 1
    assert shown.err.startswith(finished.err)
    assert "Traceback (most recent call last):" in shown.err
    assert "in fail" in shown.err
    monkeypatch.setenv("SYMFACE_DEBUG", "1")
    assert symface("symmetrize", photo).err == shown.err


def test_a_bug_met_without_a_photo_shows_its_traceback(symface, photo, monkeypatch):
    def fail(*_: object) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr("symface_cli.batch.targets.choose_targets", fail)
    with pytest.raises(ValueError, match="a bug"):
        symface("symmetrize", photo)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (PermissionError(13, "Permission denied", "secret/x"), "symface: secret/x: Permission denied\n"),
        (OSError(28, "No space left on device"), "symface: No space left on device\n"),
        (MemoryError(), "symface: not enough memory; make it smaller; try fewer --jobs\n"),
    ],
)
def test_what_the_system_refuses_is_no_bug_wherever_it_is_met(symface, photo, monkeypatch, error, message):
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("symface_cli.batch.targets.choose_targets", fail)
    finished = symface("symmetrize", photo)
    assert (finished.status, finished.err) == (3, message)


# ---- the program as a whole


def test_version(symface):
    assert symface("--version").out == f"symface {__version__}\n"


def test_help_names_every_option_and_imports_nothing_heavy():
    commands = ["", "symmetrize", "measure", "label", "train", "evaluate", "doctor"]
    code = """if True:
        import sys
        from symface_cli.cli.app import main
        for command in sys.argv[1:]:
            assert main([*command.split(), "--help"]) == 0, command
            heavy = {"torch", "cv2", "dlib", "numpy", "PIL"} & set(sys.modules)
            assert not heavy, (command, heavy)
    """
    finished = subprocess.run([sys.executable, "-c", code, *commands], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    helps = finished.stdout.split("Usage: ")[1:]
    assert ["--help" in text for text in helps] == [True] * len(commands)


def test_module_runs_like_the_command():
    finished = subprocess.run(
        [sys.executable, "-m", "symface_cli", "--version"], capture_output=True, text=True, check=False
    )
    assert finished.stdout == f"symface {__version__}\n"


# ---- photos of real people, where they are


@pytest.mark.shared
def test_photos_of_lfw_and_london_become_exactly_symmetric(symface, tmp_path):
    lfw = sorted((SHARED / "data/lfw").glob("*/*.jpg"))[::1000]
    london = sorted((SHARED / "data/london").glob("*/*.jpg"))[::20]
    finished = symface("symmetrize", *lfw, *london, "--output", "face", "-o", f"{tmp_path}/", "--faces", "largest")
    written = finished.out.split("\n")[:-1]
    assert len(written) == len(lfw) + len(london) >= 20
    for path in written:
        face = pixels(path)
        assert (face == face[:, ::-1]).all(), path
