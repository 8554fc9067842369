"""The Python API: what comes back is of the type that was given."""

import io

import numpy as np
import pytest
from PIL import Image

import symface_cli
from symface_cli.errors import NoFaceError, PhotoError
from symface_cli.imaging.photo import read_photo


def as_png(path):
    stream = io.BytesIO()
    with Image.open(path) as image:
        image.save(stream, "PNG")
    return stream.getvalue()


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
    with pytest.raises(PhotoError, match="already exists"):
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
