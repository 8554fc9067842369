"""Whatever is in a file, reading it gives a picture or says in one line why not, and soon."""

import random
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from symface_cli.errors import PhotoError
from symface_cli.imaging.encoding import encode_picture
from symface_cli.imaging.photo import read_photo
from symface_cli.imaging.picture import read_picture
from tests.imaging.damaged_files import (
    BOMBS,
    ODD,
    SOUND,
    cut_short,
    with_flipped_bits,
    with_forged_header,
)
from tests.imaging.picture_files import (
    AVIF,
    NOISE,
    saved,
)


# 3 x 67 = 201 files.
@pytest.mark.parametrize("damage", [cut_short, with_flipped_bits, with_forged_header])
def test_damaged_picture_is_read_or_refused(damage: Callable[[bytes, random.Random], bytes]) -> None:
    generator = random.Random(damage.__name__)
    outcomes = []
    for index in range(67):
        kind = list(SOUND)[index % len(SOUND)]
        data, start = damage(SOUND[kind], generator), time.perf_counter()
        try:
            picture = read_picture(data)
        except PhotoError as error:
            assert "\n" not in str(error) and str(error).startswith("cannot read the given bytes: ")
            outcomes.append("refused")
        else:
            np.testing.assert_array_equal(picture.photo, read_photo(data))
            again = read_picture(encode_picture(picture, picture.pixels))
            assert again.pixels.shape == picture.pixels.shape and picture.photo.shape[2] == 3
            outcomes.append("read")
        assert time.perf_counter() - start < 5, kind
    assert outcomes.count("refused") > 20  # else the damage is none


@pytest.mark.parametrize("damage", [cut_short, with_flipped_bits, with_forged_header])
def test_photo_and_picture_are_refused_alike(damage: Callable[[bytes, random.Random], bytes]) -> None:
    generator = random.Random(1)
    for kind in SOUND:
        data = damage(SOUND[kind], generator)
        messages = []
        for read in (read_photo, read_picture):
            try:
                read(data)
                messages.append("")
            except PhotoError as error:
                messages.append(str(error))
        assert messages[0] == messages[1]


@pytest.mark.parametrize("kind", BOMBS)
def test_bomb_is_refused_soon(kind: str) -> None:
    start = time.perf_counter()
    with pytest.raises(PhotoError, match=r"^cannot read the given bytes: it (claims|is damaged)"):
        read_picture(BOMBS[kind])
    assert time.perf_counter() - start < 2


ODD_FORMATS = [
    (format, shape)
    for format in ("PNG", "JPEG", "TIFF", "WEBP", *AVIF, "BMP", "GIF", "JPEG2000", "PPM")
    for shape in ODD
    if format not in ("WEBP", "AVIF") or shape == "1 x 1"  # a WebP has at most 16,383 pixels a side; an AVIF is slow
]


@pytest.mark.parametrize(("format", "shape"), ODD_FORMATS)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_picture_of_an_odd_size_is_written_as_it_came(format: str, shape: str, mode: str) -> None:
    picture = read_picture(saved(Image.fromarray(ODD[shape]).convert(mode), format))
    assert picture.photo.shape == ODD[shape].shape
    again = read_picture(encode_picture(picture, picture.pixels))
    assert again.pixels.shape == picture.pixels.shape
    if format not in ("JPEG", "WEBP", "AVIF"):
        np.testing.assert_array_equal(again.pixels, picture.pixels)


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "TIFF", *AVIF])
def test_of_an_animation_the_first_frame_is_written(format: str) -> None:
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
    options = {"lossless": True} if format == "WEBP" else {}
    picture = read_picture(saved(frames[0], format, save_all=True, append_images=frames[1:], **options))
    written = read_picture(encode_picture(picture, picture.pixels))
    np.testing.assert_allclose(written.photo.astype(int), np.full((8, 8, 3), (255, 0, 0)), atol=3)


@pytest.mark.parametrize(
    "name", ["Mädchen.png", "子ども.tif", "портрет.png", "صورة.tif", "👩.png", "a 'b\" c", "a\nb.png"]
)
def test_name_may_be_in_any_script(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(SOUND["TIFF" if name.endswith(".tif") else "PNG"])
    for source in (path, str(path)):
        np.testing.assert_array_equal(read_picture(source).pixels, np.rot90(NOISE, -1))  # orientation 6
    path.write_bytes(b"")
    with pytest.raises(PhotoError) as caught:
        read_picture(path)
    assert str(caught.value).endswith(name.replace("\n", r"\n") + ": it is empty; try another copy of it")
