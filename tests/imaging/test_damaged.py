"""Whatever is in a file, reading it gives a picture or says in one line why not, and soon."""

import random
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from symface_cli.errors import PhotoError
from symface_cli.imaging.encoding import encode_picture
from symface_cli.imaging.photo import read_photo
from symface_cli.imaging.picture import read_picture
from tests.imaging.picture_files import (
    AVIF,
    DEEP,
    LOSSLESS,
    NOISE,
    SWAPPED,
    camera_exif,
    png,
    png_that_claims,
    saved,
    tiff,
)

ROOT = Path(__file__).parents[2]
SAID: dict[str, Any] = {"exif": camera_exif(">"), "icc_profile": SWAPPED, "dpi": (300, 300)}
SOUND = {
    **LOSSLESS,
    "JPEG": saved(NOISE, "JPEG", **SAID),
    "progressive": saved(NOISE, "JPEG", progressive=True, exif=camera_exif("<")),
    "CMYK JPEG": saved(Image.fromarray(NOISE).convert("CMYK"), "JPEG"),
    "PNG": saved(NOISE, **SAID),
    "TIFF": saved(NOISE, "TIFF", **SAID),
    "JPEG in TIFF": saved(NOISE, "TIFF", compression="jpeg"),
    "float TIFF": tiff(NOISE.astype(np.float32), 2),
    "planes of 16 bits": tiff(DEEP[..., :3], 2, planar=True),
    "lossy WebP": saved(NOISE, "WEBP", **SAID),
    **{format: saved(NOISE, format, **SAID) for format in AVIF},
    "GIF": saved(Image.fromarray(NOISE).convert("P"), "GIF"),
    "JPEG 2000": saved(NOISE, "JPEG2000"),
    "portrait.jpg": (ROOT / "examples" / "portrait.jpg").read_bytes(),
    "pair.jpg": (ROOT / "examples" / "pair.jpg").read_bytes(),
}


def cut_short(data: bytes, generator: random.Random) -> bytes:
    return data[: generator.randrange(len(data))]


def with_flipped_bits(data: bytes, generator: random.Random) -> bytes:
    damaged = bytearray(data)
    for _ in range(generator.choice((1, 3, 30))):
        damaged[generator.randrange(len(data))] ^= 1 << generator.randrange(8)
    return bytes(damaged)


def with_forged_header(data: bytes, generator: random.Random) -> bytes:
    """Bytes near the beginning, and the tags at the end of a TIFF, are replaced; a PNG's checksums are made to fit."""
    damaged = bytearray(data)
    for _ in range(generator.choice((1, 2, 4))):
        at = generator.randrange(8, min(300, len(data)))
        damaged[-at if generator.random() < 0.3 else at] = generator.choice((0, 1, 127, 255, generator.randrange(256)))
    return with_checksums(bytes(damaged)) if data.startswith(b"\x89PNG") else bytes(damaged)


def with_checksums(data: bytes) -> bytes:
    fitting, at = data[:8], 8
    while at + 12 <= len(data):
        length = struct.unpack_from(">I", data, at)[0]
        chunk = data[at + 4 : at + 8 + length]
        fitting += data[at : at + 4] + chunk + struct.pack(">I", zlib.crc32(chunk))
        at += 12 + length
    return fitting + data[at:]


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


def forged(kind: str, where: str, layout: str, *values: int) -> bytes:
    """A sound file with numbers packed over what it has, beginning somewhat after a mark."""
    mark, _, offset = where.partition("+")
    data = bytearray(SOUND[kind])
    struct.pack_into(layout, data, data.index(mark.encode("latin-1")) + int(offset), *values)
    return bytes(data)


MANY_ZEROS = zlib.compress(bytes(200_000_000), 9)
BOMBS = {
    "PNG": png_that_claims(100_000, 100_000),
    "JPEG": forged("JPEG", "\xff\xc0+5", ">HH", 65_500, 65_500),
    "GIF": forged("GIF", "GIF8+6", "<HH", 65_535, 65_535),
    "BMP": forged("BMP RGB {}", "BM+18", "<ii", 2**30, 2**30),
    "WebP": forged("lossy WebP", "VP8X+12", "<IH", 0xFFFF_FFFF, 0xFFFF),
    "TIFF": tiff(NOISE, 2).replace(struct.pack("<HHII", 257, 4, 1, 24), struct.pack("<HHII", 257, 4, 1, 2**30)),
    "profile": png(NOISE, (b"iCCP", b"name\0\0" + MANY_ZEROS)),
    "texts": png(NOISE, *[(b"zTXt", b"a%d\0\0" % index + MANY_ZEROS) for index in range(3)]),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_bomb_is_refused_soon(kind: str) -> None:
    start = time.perf_counter()
    with pytest.raises(PhotoError, match=r"^cannot read the given bytes: it (claims|is damaged)"):
        read_picture(BOMBS[kind])
    assert time.perf_counter() - start < 2


ODD = {
    "wide": np.tile(NOISE[:10], (1, 938, 1))[:, :30_000],
    "tall": np.tile(NOISE[:, :10], (1250, 1, 1)),
    "1 x 1": NOISE[:1, :1],
}
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
