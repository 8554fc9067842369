"""The Python API: what comes back is of the type that was given."""

import io
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms, ImageFile

import symface_cli
from symface_cli.api.photos import PLAIN_MODES
from symface_cli.errors import NoFaceError, OutputError, PhotoError, UsageError
from symface_cli.imaging.photo import read_photo
from symface_cli.measurement import asymmetry, quantities
from tests.conftest import ROOT


def as_png(path):
    stream = io.BytesIO()
    with Image.open(path) as image:
        image.save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def few_readings(monkeypatch):
    """Two readings of each face: enough for values and errors, and faster."""
    monkeypatch.setattr(asymmetry, "CROP_JITTERS", asymmetry.CROP_JITTERS[:2])


@pytest.fixture
def expected(portrait):
    """The portrait with its face symmetric, as an array."""
    return symface_cli.symmetrize(read_photo(portrait))


def test_an_array_gives_an_array(portrait, expected):
    photo = read_photo(portrait)
    assert expected.dtype == np.uint8
    assert expected.shape == photo.shape
    assert (expected[:100] == photo[:100]).all()
    assert 0.1 < (expected != photo).any(-1).mean() < 0.35


def test_bytes_give_bytes_of_the_same_format(portrait, expected):
    result = symface_cli.symmetrize(as_png(portrait))
    assert result.startswith(b"\x89PNG")
    assert (read_photo(result) == expected).all()
    assert symface_cli.symmetrize(portrait.read_bytes()).startswith(b"\xff\xd8")  # JPEG


def test_an_image_gives_an_image_of_its_mode(portrait, expected):
    with Image.open(io.BytesIO(as_png(portrait))) as image:
        result = symface_cli.symmetrize(image)
        assert isinstance(result, Image.Image)
        assert (np.asarray(result) == expected).all()


@pytest.fixture(scope="module")
def small():
    """The portrait in few pixels."""
    with Image.open(ROOT / "examples" / "portrait.jpg") as image:
        return image.resize((160, 160))


OTHER_MODES = {"1": "L", "P": "RGB", "PA": "RGBA", "LAB": "RGB", "I": "L", "F": "L", "I;16B": "I;16"}
"""Modes whose samples are not those of a face's colors, and what comes back."""


def in_mode(image, mode):
    if mode == "LAB":
        profiles = [ImageCms.createProfile(name) for name in ("sRGB", "LAB")]
        return ImageCms.profileToProfile(image, *profiles, outputMode=mode)
    if mode.startswith("I;16"):
        deep = np.asarray(image.convert("L")).astype(">u2" if mode.endswith("B") else "<u2") * 257
        return Image.frombytes(mode, image.size, deep.tobytes())
    return image.convert({"La": "LA", "PA": "LA", "RGBa": "RGBA"}.get(mode, mode)).convert(mode)


@pytest.mark.parametrize(
    "mode", [*OTHER_MODES, "L", "LA", "La", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV", "I;16"]
)
def test_an_image_of_any_mode_gives_an_image(small, mode):
    """Of its own mode, where that has the samples for it; with amounts of 0, the photo comes back."""
    image = in_mode(small, mode)
    before = image.tobytes()
    result = symface_cli.symmetrize(image, shape=0, color=0)
    assert (result.mode, result.size) == (OTHER_MODES.get(mode, mode), image.size)
    assert image.tobytes() == before
    if mode not in OTHER_MODES:
        assert np.abs(plain(result) - plain(image)).max() <= 4  # HSV has 256 hues


def plain(image):
    return np.asarray(image.convert(PLAIN_MODES.get(image.mode, image.mode)), int)


def test_a_path_gives_the_path_of_a_written_file(portrait, expected, tmp_path):
    photo = tmp_path / "a.png"
    photo.write_bytes(as_png(portrait))
    assert symface_cli.symmetrize(photo) == tmp_path / "a.symmetric.png"
    assert (read_photo(tmp_path / "a.symmetric.png") == expected).all()
    assert symface_cli.symmetrize(str(photo), out=tmp_path / "b.png") == str(tmp_path / "b.png")
    with pytest.raises(OutputError, match=r"already exists$"):
        symface_cli.symmetrize(photo)


def test_a_photo_is_not_overwritten_by_its_own_result(portrait, tmp_path):
    photo = tmp_path / "a.jpg"
    photo.write_bytes(portrait.read_bytes())
    (tmp_path / "link.jpg").symlink_to(photo)
    for out in (photo, str(tmp_path / "link.jpg")):
        with pytest.raises(OutputError, match="one of the files that are read"):
            symface_cli.symmetrize(photo, out=out, force=True)
    assert photo.read_bytes() == portrait.read_bytes()


def test_faces_are_symmetric_and_of_the_size_asked_for(pair):
    faces = symface_cli.symmetric_faces(read_photo(pair), size=90)
    assert [face.shape for face in faces] == [(90, 90, 3)] * 2
    assert all((face == face[:, ::-1]).all() for face in faces)


def test_options_are_those_of_the_command_line(pair):
    photo = read_photo(pair)
    (face,) = symface_cli.symmetric_faces(photo, face=2, background="transparent")
    assert face.shape[2] == 4
    (crop,) = symface_cli.symmetric_faces(photo, output="crop", face=1)
    assert crop.shape[0] == crop.shape[1]
    assert (symface_cli.symmetrize(photo, shape=0, color=0) == photo).all()


def test_heads_stay_turned_but_in_aligned_faces(small):
    array = np.asarray(small)
    assert (symface_cli.symmetrize(array) != symface_cli.symmetrize(array, pose="front")).any()
    (front,), (kept,) = symface_cli.symmetric_faces(array), symface_cli.symmetric_faces(array, pose="keep")
    assert (front == front[:, ::-1]).all()
    assert (kept != kept[:, ::-1]).any()


def test_a_head_that_is_turned_far_is_warned_of(small, tmp_path, monkeypatch):
    monkeypatch.setattr("symface_cli.inference.face.FAR_TURNS", (0.0, 1.0))
    with pytest.warns(UserWarning, match=r"^face 1 is turned by \d degrees: not changed$") as warned:
        assert (symface_cli.symmetrize(np.asarray(small)) == np.asarray(small)).all()
    assert warned[0].filename == __file__
    small.save(tmp_path / "small.png")
    with pytest.warns(UserWarning, match=r"small\.png: face 1 is turned by \d degrees: not changed$"):
        symface_cli.symmetrize(tmp_path / "small.png")


def test_gray_arrays_stay_gray(portrait):
    gray = read_photo(portrait)[..., 1]
    assert symface_cli.symmetrize(gray).shape == gray.shape


@pytest.mark.parametrize("tolerant", [True, False])
@pytest.mark.parametrize("function", [symface_cli.symmetrize, symface_cli.symmetric_faces, symface_cli.measure])
def test_an_image_that_is_cut_short_is_refused(portrait, function, tolerant, monkeypatch):
    """It is opened lazily: Pillow finds out when it is used; or never, if other code has told it not to mind."""
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", tolerant)
    with Image.open(io.BytesIO(portrait.read_bytes()[:20_000])) as image, pytest.raises(PhotoError, match="cut short"):
        function(image)
    assert ImageFile.LOAD_TRUNCATED_IMAGES is tolerant


@pytest.mark.parametrize("closed", [True, False])
def test_an_image_without_pixels_is_refused(portrait, closed):
    image = Image.open(portrait) if closed else Image.new("RGB", (0, 0))
    image.close()
    with pytest.raises(PhotoError):
        symface_cli.symmetrize(image)


@pytest.mark.parametrize("change", ["read-only", "strided", "upside down", "column-major"])
def test_an_array_may_lie_in_memory_in_any_way_and_is_not_changed(small, change):
    expected = np.array(small)
    array = expected.copy()
    if change == "read-only":
        array.flags.writeable = False
    elif change == "strided":
        array = np.repeat(np.repeat(array, 2, 0), 2, 1)[::2, ::2]
    elif change == "upside down":
        array = array[::-1].copy()[::-1]
    else:
        array = np.asfortranarray(array)
    result = symface_cli.symmetrize(array)
    assert (array == expected).all()
    assert (result == symface_cli.symmetrize(expected)).all()
    assert result.flags.writeable and result.flags.c_contiguous
    result[:] = 0
    assert (array == expected).all()


@pytest.mark.parametrize("dtype", [bool, np.float32, np.float64, np.uint16, ">u2", np.int64])
def test_an_array_of_another_type_is_refused(dtype):
    with pytest.raises(TypeError, match="uint8"):
        symface_cli.symmetrize(np.zeros((50, 50, 3), dtype))


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"face": 0}, "numbered"),
        ({"face": -1}, "numbered"),
        ({"shape": float("nan")}, "amounts"),
        ({"color": float("inf")}, "amounts"),
        ({"side": "top"}, "side"),
        ({"pose": "turn"}, "pose"),
        ({"output": "photo"}, "output"),
        ({"output": "none"}, "output"),
        ({"size": 0}, "size"),
        ({"size": 100_000}, "size"),
        ({"background": "red"}, "background"),
        ({"background": (256, 0, 0)}, "background"),
        ({"background": (0, 0)}, "background"),
    ],
    ids=str,
)
def test_arguments_that_make_no_sense_are_usage_errors(small, arguments, word):
    with pytest.raises(UsageError, match=word):
        symface_cli.symmetric_faces(small, **arguments)


@pytest.mark.parametrize("name", [".", "", "*.jpg"])
def test_a_name_of_several_photos_is_a_usage_error(small, working_folder, name):
    for file in ("a.jpg", "b.jpg"):
        small.save(working_folder / file)
    with pytest.raises(UsageError, match="2 photos"):
        symface_cli.symmetrize(name)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork processes")
def test_a_process_that_is_forked_after_a_call_can_call_too(small):
    """OpenMP would wait for ever for threads that a forked process does not have."""
    array, threads = np.array(small), torch.get_num_threads()
    symface_cli.symmetrize(array)  # loads the network, and leaves one thread for the one core of a test
    torch.set_num_threads(2)
    try:
        expected = symface_cli.symmetrize(array)
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            os._exit(int((symface_cli.symmetrize(array) != expected).any()))
        assert os.waitpid(child, 0)[1] == 0
    finally:
        torch.set_num_threads(threads)


def test_no_face_is_an_error_of_its_own():
    with pytest.raises(NoFaceError):
        symface_cli.symmetrize(np.zeros((50, 50, 3), np.uint8))


@pytest.mark.parametrize("photo", [None, 3, [[1, 2]], bytearray(b"")])
def test_what_is_no_photo_is_a_type_error(photo):
    with pytest.raises(TypeError, match="a photo is"):
        symface_cli.symmetrize(photo)
    with pytest.raises(TypeError, match="a photo is"):
        symface_cli.measure(photo)


# ---- measure


@pytest.mark.usefixtures("few_readings")
def test_a_photo_has_the_same_values_in_every_form(portrait):
    (path,), (name,) = symface_cli.measure(portrait), symface_cli.measure(str(portrait))
    forms = [portrait.read_bytes(), read_photo(portrait), Image.open(portrait)]
    for (face,) in [[name], *map(symface_cli.measure, forms)]:
        assert face.values == path.values
    assert (path.number, path.heatmap, path.is_yaw_too_large) == (1, None, False)
    assert 80 < path.eye_distance < 120  # the eyes are about 100 px apart
    assert set(path.values) == set(quantities.NAMES)
    assert all(estimate.error >= 0 for estimate in path.values.values())


@pytest.mark.usefixtures("few_readings")
def test_a_photo_that_equals_its_mirror_image_measures_nothing(portrait):
    left = read_photo(portrait)[:, 2:338]  # the midline lies at 340 px
    (face,) = symface_cli.measure(np.hstack([left, left[:, ::-1]]))
    assert face.values["whole_shape_pct"].value < 0.05
    assert abs(face.values["yaw_deg"].value) < 0.05


@pytest.mark.usefixtures("few_readings")
def test_faces_are_numbered_by_size_and_can_have_heat_maps(pair):
    faces = symface_cli.measure(pair, heatmap=True)
    assert [face.number for face in faces] == [1, 2]
    assert faces[0].box.width >= faces[1].box.width
    assert [face.heatmap.shape for face in faces] == [(576, 1024, 3)] * 2
    (second,) = symface_cli.measure(pair, face=2)
    assert (second.number, second.values) == (2, faces[1].values)


def test_a_photo_without_the_face_is_an_error_of_its_own(portrait):
    with pytest.raises(NoFaceError):
        symface_cli.measure(np.zeros((50, 50, 3), np.uint8))
    with pytest.raises(NoFaceError):
        symface_cli.measure(portrait, face=2)


def test_everything_is_exported_lazily():
    code = "import sys, symface_cli; print(sorted(symface_cli.__all__), 'torch' in sys.modules)"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout == f"{sorted(symface_cli.__all__)} False\n"
    assert all(hasattr(symface_cli, name) for name in symface_cli.__all__)
