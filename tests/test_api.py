"""The Python API: what comes back is of the type that was given."""

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import symface_cli
from symface_cli.errors import NoFaceError, OutputError
from symface_cli.imaging.photo import read_photo
from symface_cli.measurement import asymmetry, quantities


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
        assert symface_cli.symmetrize(image.convert("L")).mode == "L"
        assert symface_cli.symmetrize(image.convert("RGBA")).mode == "RGBA"


def test_a_path_gives_the_path_of_a_written_file(portrait, expected, tmp_path):
    photo = tmp_path / "a.png"
    photo.write_bytes(as_png(portrait))
    assert symface_cli.symmetrize(photo) == tmp_path / "a.symmetric.png"
    assert (read_photo(tmp_path / "a.symmetric.png") == expected).all()
    assert symface_cli.symmetrize(str(photo), out=tmp_path / "b.png") == str(tmp_path / "b.png")
    with pytest.raises(OutputError, match=r"already exists$"):
        symface_cli.symmetrize(photo)


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


def test_gray_arrays_stay_gray(portrait):
    gray = read_photo(portrait)[..., 1]
    assert symface_cli.symmetrize(gray).shape == gray.shape


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
