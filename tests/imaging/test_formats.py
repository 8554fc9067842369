"""A picture keeps its format, and how that was written, or is given another one."""

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from symface_cli.errors import MissingExtraError, OutputError
from symface_cli.imaging import decoding
from symface_cli.imaging.encoding import encode_picture
from symface_cli.imaging.formats import FORMATS
from symface_cli.imaging.photo import read_photo
from symface_cli.imaging.picture import read_picture
from tests.imaging.picture_files import (
    AVIF,
    LOSSLESS,
    NOISE,
    NOTE,
    PALETTE,
    SUFFIXES,
    as_pillow_reads,
    camera_exif,
    png,
    row,
    saved,
    stored,
    tiff,
)


def sharpness(data: bytes) -> tuple[Any, ...]:
    """How a JPEG is quantized and sampled: a table per component, samplings, whether it is RGB inside."""
    image = Image.open(io.BytesIO(data))
    tables = [image.quantization[component[3]] for component in image.layer]
    return tables, [component[1:3] for component in image.layer], image.info.get("adobe_transform")


JPEGS: dict[str, dict[str, Any]] = {
    "4:2:0": {"subsampling": 2, "quality": 80},
    "4:2:2": {"subsampling": 1, "quality": 93},
    "4:4:4": {"subsampling": 0, "quality": 60},
    "progressive": {"progressive": True},
    "a table for each component": {"qtables": [[3] * 64, [5] * 64, [9] * 64]},
    "one table for all": {"qtables": [[7] * 64]},
    "RGB inside": {"keep_rgb": True, "quality": 90},
}


@pytest.mark.parametrize("kind", [*JPEGS, "gray", "CMYK"])
def test_jpeg_is_quantized_and_sampled_as_it_came(kind: str, portrait: Path) -> None:
    image = Image.open(portrait).convert({"gray": "L", "CMYK": "CMYK"}.get(kind, "RGB"))
    data = saved(image, "JPEG", **JPEGS.get(kind, {"quality": 85}))
    picture = read_picture(data)
    written = encode_picture(picture, picture.pixels)
    assert sharpness(written) == sharpness(data)
    difference = as_pillow_reads(written) - picture.pixels.astype(float)
    assert np.mean(difference**2) < 255**2 / 10**5.5  # 55 dB
    assert abs(len(written) / len(data) - 1) < (0.15 if kind == "progressive" else 0.02)  # baseline now


def ycck(image: Image.Image, quality: int) -> bytes:
    """A CMYK JPEG as Photoshop writes it: transform 2 in Adobe's marker, the table for chrominance on Cb and Cr."""
    red, green, blue, black = np.moveaxis(np.asarray(image.convert("CMYK")).astype(float), -1, 0)
    planes = [
        0.299 * red + 0.587 * green + 0.114 * blue,
        -0.168736 * red - 0.331264 * green + 0.5 * blue + 128,
        0.5 * red - 0.418688 * green - 0.081312 * blue + 128,
        255 - black,
    ]
    inverted = 255 - np.stack(planes, -1).round().clip(0, 255).astype(np.uint8)
    tables = Image.open(io.BytesIO(saved(NOISE, "JPEG", quality=quality))).quantization
    data = bytearray(
        saved(
            Image.frombytes("CMYK", image.size, inverted.tobytes()), "JPEG", qtables=[tables[i] for i in (0, 1, 1, 0)]
        )
    )
    data[data.index(b"Adobe") + 11] = 2
    return bytes(data)


@pytest.mark.parametrize("quality", [60, 85, 95])
def test_jpeg_of_photoshops_cmyk_is_written_as_it_came(quality: int, portrait: Path) -> None:
    data = ycck(Image.open(portrait).resize((200, 200)), quality)
    picture = read_picture(data)
    written = encode_picture(picture, picture.pixels)
    assert sharpness(written) == sharpness(data) and sharpness(written)[2] == 2
    difference = np.abs(as_pillow_reads(written).astype(int) - picture.pixels)
    assert difference.max() <= 4 and difference.mean() < 0.05
    assert abs(len(written) / len(data) - 1) < 0.02


@pytest.mark.parametrize("example", ["portrait", "pair"])
def test_unchanged_example_is_written_nearly_unchanged(example: str, request: pytest.FixtureRequest) -> None:
    picture = read_picture(request.getfixturevalue(example))
    difference = as_pillow_reads(encode_picture(picture, picture.pixels)) - picture.pixels.astype(float)
    assert np.abs(difference).mean() < 0.05 and np.mean(difference**2) < 255**2 / 10**6  # 60 dB


def test_jpeg_with_several_pictures_is_a_jpeg() -> None:
    data = saved(NOISE, "MPO", save_all=True, append_images=[Image.fromarray(255 - NOISE)])
    assert Image.open(io.BytesIO(data)).format == "MPO"
    picture = read_picture(data)
    assert picture.format == "JPEG" and picture.suffix == ".jpg"
    assert sharpness(encode_picture(picture, picture.pixels)) == sharpness(data)


@pytest.mark.parametrize(("format", "limit"), [("WEBP", 45), *((format, 40) for format in AVIF)])
def test_other_lossy_format_changes_little(format: str, limit: float, portrait: Path) -> None:
    picture = read_picture(saved(Image.open(portrait), format))
    written = encode_picture(picture, picture.pixels)
    assert Image.open(io.BytesIO(written)).format == format
    assert np.mean((as_pillow_reads(written) - picture.pixels.astype(float)) ** 2) < 255**2 / 10 ** (limit / 10)


@pytest.mark.parametrize(
    ("data", "suffix"),
    [
        (saved(NOISE), ".png"),
        (saved(NOISE, "JPEG"), ".jpg"),
        (saved(NOISE, "TIFF"), ".tif"),
        (saved(NOISE, "WEBP"), ".webp"),
        (saved(NOISE, "BMP"), ".bmp"),
        (saved(row("P", 1, 0, palette=PALETTE), "GIF"), ".png"),
        (saved(NOISE, "PPM"), ".png"),
        (saved(NOISE, "JPEG2000"), ".png"),
        (tiff(NOISE.astype(np.float32), 2), ".tif"),
    ],
)
def test_format_that_cannot_hold_a_picture_exactly_is_replaced(data: bytes, suffix: str) -> None:
    picture = read_picture(data)
    assert picture.suffix == suffix
    assert FORMATS[suffix] == Image.open(io.BytesIO(encode_picture(picture, picture.pixels))).format


@pytest.mark.parametrize("suffix", [".PNG", ".tiff", ".jpeg", ".bmp", *SUFFIXES])
@pytest.mark.parametrize(
    "kind", ["CMYK", "16-bit .png 4", "16-bit .tif 1", "PNG RGBA {}", "WEBP L {'lossless': True, 'exact': True}"]
)
def test_suffix_chooses_the_format(kind: str, suffix: str) -> None:
    picture = read_picture(LOSSLESS[kind])
    written = encode_picture(picture, picture.pixels, suffix)
    assert Image.open(io.BytesIO(written)).format == FORMATS[suffix.lower()]
    lossy = suffix in (".jpg", ".jpeg", ".webp", ".avif")  # and noise is the worst there is for them
    difference = np.abs(read_photo(written).astype(int) - picture.photo)
    assert difference.mean() < (25 if lossy else 0.5) and (lossy or difference.max() <= 1)


def test_transparency_is_white_in_a_format_without_it() -> None:
    picture = read_picture(png(np.array([[[0, 100, 255, 51], [1, 2, 3, 0]]], np.uint8)))
    assert as_pillow_reads(encode_picture(picture, picture.pixels, ".bmp")).tolist() == [[[204, 224, 255], [255] * 3]]


@pytest.mark.parametrize("wrong", [NOISE[:5], NOISE[..., :1], NOISE.astype(np.uint16), NOISE.astype(float)])
def test_pixels_of_another_kind_are_a_value_error(wrong: NDArray[Any]) -> None:
    with pytest.raises(ValueError, match=r"not as the picture's own"):
        encode_picture(read_picture(saved(NOISE)), wrong)


@pytest.mark.parametrize(
    ("size", "suffix", "words"),
    [((4, 4), ".xyz", "use one of .jpg"), ((70_000, 1), ".jpg", "too large"), ((1, 20_000), ".webp", "too large")],
)
def test_format_that_cannot_be_written_is_refused(size: tuple[int, int], suffix: str, words: str) -> None:
    picture = read_picture(saved(Image.new("RGB", size)))
    with pytest.raises(OutputError, match=f"^cannot write .*{words}"):
        encode_picture(picture, picture.pixels, suffix)
    assert picture.suffix == ".png"


@pytest.mark.parametrize("data", [b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", b"\0\0\0\x18ftypmif1\0\0\0\0mif1heix"])
def test_heic_without_its_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    for read in (read_photo, read_picture):
        with pytest.raises(
            MissingExtraError, match=r'^cannot read the given bytes: HEIC .* pip install "symface\[heic\]"$'
        ):
            read(data)
    picture = read_picture(saved(NOISE))
    with pytest.raises(MissingExtraError, match=r"^cannot write the picture: HEIC .* pip install"):
        encode_picture(picture, picture.pixels, ".heic")


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_heic_is_read_and_written(mode: str, orientation: int, portrait: Path) -> None:
    pytest.importorskip("pillow_heif")
    decoding.register_heic("")
    upright = Image.open(portrait).resize((96, 64)).convert(mode)
    image = Image.fromarray(stored(np.asarray(upright), orientation))
    data = saved(image, "HEIF", quality=90, exif=camera_exif("<", orientation))
    picture = read_picture(data)
    assert (picture.format, picture.suffix) == ("HEIF", ".heic")
    samples = np.asarray(upright).reshape(64, 96, -1)
    for read in (picture, read_picture(encode_picture(picture, picture.pixels))):
        native = read.pixels if read.alpha is None else np.dstack([read.pixels, read.alpha])
        assert np.abs(native.astype(int) - samples).mean() < 3
        assert Image.Exif() is not None and read.metadata.exif is not None and NOTE in read.metadata.exif
    np.testing.assert_array_equal(picture.photo, read_photo(data))
