"""TIFF files of every kind keep their bits, or are refused for what they are; a preview is not the photo."""

import io
import struct
import zlib
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from symface_cli.errors import MissingExtraError, PhotoError
from symface_cli.imaging.encoding import encode_picture
from symface_cli.imaging.photo import read_photo
from symface_cli.imaging.picture import Picture, read_picture
from tests.imaging.picture_files import (
    DEEP,
    NOISE,
    NOTE,
    SRGB,
    as_opencv_reads,
    camera_exif,
    png,
    saved,
    stored,
    tiff,
)

tifffile = pytest.importorskip("tifffile")
imagecodecs = pytest.importorskip("imagecodecs")

ALPHA = DEEP[..., 3] | 0x8000  # not so transparent that multiplied colors say nothing
CMYK_DEEP = np.random.default_rng(9).integers(0, 65536, (24, 32, 4), dtype=np.uint16)


def written(samples: NDArray[Any], **options: Any) -> bytes:
    buffer = io.BytesIO()
    if options.pop("separate", False):
        samples = np.moveaxis(samples, -1, 0)
    tifffile.imwrite(buffer, samples, metadata=None, **options)
    return buffer.getvalue()


def premultiplied(colors: NDArray[Any]) -> NDArray[Any]:
    return (colors * (ALPHA[..., None] / 65535)).round().astype(np.uint16)


# Photometric interpretation, what is stored, extra samples, and the pixels that are meant.
KINDS: dict[str, tuple[str, NDArray[Any], list[str], NDArray[Any]]] = {
    "gray": ("minisblack", DEEP[..., :1], [], DEEP[..., :1]),
    "gray with alpha": ("minisblack", np.dstack([DEEP[..., :1], ALPHA]), ["unassalpha"], DEEP[..., :1]),
    "RGB": ("rgb", DEEP[..., :3], [], DEEP[..., :3]),
    "RGB with alpha": ("rgb", np.dstack([DEEP[..., :3], ALPHA]), ["unassalpha"], DEEP[..., :3]),
    "RGB multiplied": ("rgb", np.dstack([premultiplied(DEEP[..., :3]), ALPHA]), ["assocalpha"], DEEP[..., :3]),
    "gray multiplied": ("minisblack", np.dstack([premultiplied(DEEP[..., :1]), ALPHA]), ["assocalpha"], DEEP[..., :1]),
    "CMYK": ("separated", CMYK_DEEP, [], CMYK_DEEP),
    "CMYK with alpha": ("separated", np.dstack([CMYK_DEEP, ALPHA]), ["unassalpha"], CMYK_DEEP),
}
STORAGES: dict[str, dict[str, Any]] = {
    "plain": {},
    "big-endian": {"byteorder": ">"},
    "BigTIFF": {"bigtiff": True},
    "planes": {"planarconfig": "separate"},
    "planes of a BigTIFF": {"planarconfig": "separate", "bigtiff": True, "byteorder": ">"},
    "deflate": {"compression": "deflate", "predictor": True},
    "LZW": {"compression": "lzw", "predictor": True},
    "ZSTD": {"compression": "zstd"},
    "tiles": {"tile": (16, 16), "compression": "deflate"},
    "planes of tiles": {"tile": (16, 16), "planarconfig": "separate"},
}


def read_kind(kind: str, storage: str, eight: bool = False) -> tuple[Picture, NDArray[Any]]:
    photometric, samples, extra, meant = KINDS[kind]
    options = dict(STORAGES[storage])
    separate = options.get("planarconfig") == "separate" and samples.shape[2] > 1
    if samples.shape[2] == 1:
        options.pop("planarconfig", None)
    elif not separate:
        options["planarconfig"] = "contig"
    if eight:
        samples, meant = ((array >> 8).astype(np.uint8) for array in (samples, meant))
    if samples.shape[2] == 1:
        samples = samples[..., 0]
    data = written(samples, photometric=photometric, extrasamples=extra or None, separate=separate, **options)
    return read_picture(data), meant


@pytest.mark.parametrize("storage", STORAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_16_bits_stay_16_bits(kind: str, storage: str) -> None:
    picture, meant = read_kind(kind, storage)
    assert picture.pixels.dtype == np.uint16 and picture.notes == () and picture.format == "TIFF"
    tolerance = 2 if "multiplied" in kind else 0  # a product was rounded, of half the range at least
    assert np.abs(picture.pixels.astype(int) - meant).max() <= tolerance
    if kind in ("gray", "RGB", "CMYK"):
        assert picture.alpha is None
    else:
        np.testing.assert_array_equal(picture.alpha, ALPHA)
    again = read_picture(encode_picture(picture, picture.pixels))
    np.testing.assert_array_equal(again.pixels, picture.pixels)
    np.testing.assert_array_equal(again.photo, picture.photo)


@pytest.mark.parametrize("storage", ["plain", "BigTIFF", "planes", "ZSTD"])
@pytest.mark.parametrize("kind", ["gray", "gray with alpha", "RGB", "RGB with alpha", "CMYK", "CMYK with alpha"])
def test_8_bits_are_read_in_every_kind(kind: str, storage: str) -> None:
    picture, meant = read_kind(kind, storage, eight=True)
    assert picture.pixels.dtype == np.uint8 and picture.notes == ()
    np.testing.assert_array_equal(picture.pixels, meant)
    if picture.alpha is not None:
        np.testing.assert_array_equal(picture.alpha, ALPHA >> 8)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_cmyk_with_alpha_is_converted_over_white(suffix: str) -> None:
    ink = np.zeros((8, 8, 5), np.uint8)
    ink[..., 1:3] = 255  # red, half of it transparent
    ink[:4, :, 4] = 255
    picture = read_picture(written(ink, photometric="separated", extrasamples=["unassalpha"], planarconfig="contig"))
    photo = read_photo(encode_picture(picture, picture.pixels, suffix)).astype(int)
    np.testing.assert_allclose(photo[1, 1], (255, 0, 0), atol=4)
    np.testing.assert_allclose(photo[6, 6], (255, 255, 255), atol=4)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_deep_page_of_any_orientation_is_turned_upright(orientation: int) -> None:
    pixels = stored(DEEP, orientation)
    tag = (274, "H", 1, orientation, True)
    data = written(pixels, photometric="rgb", extrasamples=["assocalpha"], extratags=[tag], bigtiff=True)
    picture = read_picture(data)
    np.testing.assert_array_equal(picture.alpha, DEEP[..., 3])
    assert picture.metadata.exif is None or Image.Exif() is not None


def test_bigtiff_keeps_what_it_says() -> None:
    tags = [(315, "s", 0, "me", True), (33432, "s", 0, "(c) me", True), (34675, "B", 4, b"abcd", True)]
    tags += [(700, "B", 52, b'<x:xmpmeta xmlns:x="adobe:ns:meta/"> </x:xmpmeta>   ', True)]
    for dtype in (np.uint8, np.uint16):
        data = written(NOISE.astype(dtype), photometric="rgb", bigtiff=True, description="before", extratags=tags)
        picture = read_picture(data)
        with Image.open(io.BytesIO(encode_picture(picture, picture.pixels))) as image:
            exif = image.getexif()
            assert [exif[tag] for tag in (0x010E, 0x013B, 0x8298)] == ["before", "me", "(c) me"]
            assert image.info["icc_profile"] == b"abcd" and b"xmpmeta" in image.info["xmp"]


def test_first_of_two_descriptions_counts() -> None:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, NOISE, photometric="rgb", bigtiff=True, description="patient 7")  # tifffile adds the shape
    assert buffer.getvalue().count(b"shape") == 1
    exif = read_picture(buffer.getvalue()).metadata.exif
    assert exif is not None and b"patient 7" in exif and b"shape" not in exif


@pytest.mark.parametrize(("bits", "kind"), [(32, "u4"), (32, "f4"), (64, "f8"), (16, "f2"), (16, "i2")])
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_what_becomes_8_bits_is_noted(bits: int, kind: str, channels: int) -> None:
    scale = 1 if kind[0] == "f" else 2**15 - 1 if kind == "i2" else 2**32 - 1
    samples = (NOISE[..., :channels] / 255 * scale).round(9 if scale == 1 else 0).astype(kind)
    samples[0, 0] = scale
    kinds = {1: ("minisblack", None), 2: ("minisblack", ["unassalpha"]), 3: ("rgb", None)}
    photometric, extra = kinds[channels]
    data = written(samples.squeeze(), photometric=photometric, extrasamples=extra, planarconfig=extra and "contig")
    picture = read_picture(data)
    assert picture.notes == (f"its {bits} bits per sample become 8",) and picture.pixels.dtype == np.uint8
    if kind != "i2":  # its white is taken to be 65535
        expected = NOISE[..., : 1 if channels < 3 else 3].astype(int)
        assert np.abs(picture.pixels.astype(int) - expected)[1:].max() <= 1


@pytest.mark.parametrize(
    ("samples", "options", "words"),
    [
        (
            CMYK_DEEP.astype(np.uint32),
            {"photometric": "separated"},
            "a TIFF of 32 bits per sample; save it with 8 or 16",
        ),
        (DEEP[..., :3], {"photometric": "cielab"}, "a CIELab TIFF of 16 bits per sample"),
        (np.zeros((24, 32), np.complex64), {"photometric": "minisblack"}, "a TIFF of complex numbers"),
        (DEEP[..., 0], {"photometric": "cfa"}, "a camera's raw file"),
        (DEEP[..., :3], {"photometric": "linear_raw"}, "a camera's raw file"),
        (NOISE, {"photometric": "rgb", "extratags": [(50706, "B", 4, b"\1\4\0\0", True)]}, "a camera's raw file"),
    ],
)
def test_kind_that_is_not_read_is_named(samples: NDArray[Any], options: dict[str, Any], words: str) -> None:
    with pytest.raises(PhotoError, match=f"^cannot read the given bytes: it is {words}"):
        read_picture(written(samples, **options))


def test_raw_file_with_a_preview_is_refused() -> None:
    """A small picture first, what the sensor saw within it: so are NEF, ARW and others laid out."""
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as file:
        file.write(NOISE[:8, :8], photometric="rgb", subfiletype=1, subifds=1, metadata=None)
        file.write(DEEP[..., 0], photometric="cfa", metadata=None)
    for data in (buffer.getvalue(), saved(NOISE, "TIFF")[:8] + b"CR\2\0" + saved(NOISE, "TIFF")[12:]):
        with pytest.raises(PhotoError, match=r"it is a camera's raw file, which has to be developed first"):
            read_picture(data)


@pytest.mark.parametrize("is_within", [False, True])
@pytest.mark.parametrize("bigtiff", [False, True])
def test_preview_is_passed_over(is_within: bool, bigtiff: bool) -> None:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer, bigtiff=bigtiff) as file:
        options = {"subifds": 1} if is_within else {}
        file.write(NOISE[:8, :8], photometric="rgb", subfiletype=1, description="mine", metadata=None, **options)
        file.write(DEEP[..., :3], photometric="rgb", metadata=None)
    picture = read_picture(buffer.getvalue())
    np.testing.assert_array_equal(picture.pixels, DEEP[..., :3])
    assert picture.notes == ("its first picture is a preview, and passed over",)
    assert picture.metadata.exif is not None and b"mine" in picture.metadata.exif


def test_smaller_versions_behind_the_photo_are_no_further_pictures() -> None:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as file:
        file.write(NOISE, photometric="rgb", metadata=None)
        file.write(NOISE[::2, ::2], photometric="rgb", subfiletype=1, metadata=None)
    assert read_picture(buffer.getvalue()).notes == ()


CODECS = ["webp", "jpegxl", "lzma"]


@pytest.mark.parametrize("codec", CODECS)
def test_rare_compression_is_read_silently(codec: str, capfd: pytest.CaptureFixture[str]) -> None:
    options = {"compressionargs": {"lossless": True}} if codec != "lzma" else {}
    picture = read_picture(written(NOISE, photometric="rgb", compression=codec, **options))
    np.testing.assert_array_equal(picture.pixels, NOISE)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("codec", ["deflate", "lzma", "lzw", "jpeg"])
def test_damage_is_not_told_by_libtiff(codec: str, capfd: pytest.CaptureFixture[str]) -> None:
    data = bytearray(written(NOISE, photometric="rgb", compression=codec))
    for at in range(len(data) // 2, len(data) // 2 + 99):
        data[at] ^= 0x55
    with suppress(PhotoError):
        read_picture(bytes(data))
    assert capfd.readouterr().err == ""


def test_oddity_is_not_told_by_pillows_log(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    many = tiff(NOISE, 2).replace(struct.pack("<HHII", 277, 4, 1, 3), struct.pack("<HHII", 277, 4, 1, 55_043))
    with pytest.raises(PhotoError):
        read_picture(many)
    assert capfd.readouterr().err == "" and not caplog.records


def test_compression_without_its_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    data = written(NOISE, photometric="rgb", compression="webp")
    missing = ValueError("<COMPRESSION.WEBP: 50001> requires the 'imagecodecs' package")

    def refuse(*_: object, **__: object) -> None:
        raise missing

    monkeypatch.setattr(tifffile.TiffPage, "asarray", refuse)
    with pytest.raises(MissingExtraError, match=r'TIFF \(WEBP\) needs imagecodecs; try: pip install "symface\[tiff\]"'):
        read_picture(data)


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_fewer_than_16_bits_are_scaled_to_16(bits: int) -> None:
    values = DEEP[..., :3] >> (16 - bits)
    data = written(values, photometric="rgb", bitspersample=bits)
    expected = (values * (65535 / (2**bits - 1))).round()
    np.testing.assert_array_equal(read_picture(data).pixels, expected)


def test_unspecified_channel_is_no_transparency() -> None:
    picture = read_picture(written(CMYK_DEEP, photometric="rgb", extrasamples=["unspecified"], bigtiff=True))
    np.testing.assert_array_equal(picture.pixels, CMYK_DEEP[..., :3])
    assert picture.alpha is None


def test_samples_beyond_the_end_are_refused() -> None:
    data = written(CMYK_DEEP, photometric="separated")
    for cut in (40, 400, 4000):
        with pytest.raises(PhotoError, match="damaged or cut short"):
            read_picture(data[:-cut])


def test_samples_that_expand_to_far_more_are_refused() -> None:
    data = bytearray(written(CMYK_DEEP, photometric="separated", compression="deflate"))
    with tifffile.TiffFile(io.BytesIO(bytes(data))) as file:
        places, sizes = (file.pages.first.tags[tag] for tag in (273, 279))
    bomb = zlib.compress(bytes(40_000_000), 1)
    struct.pack_into("<I", data, places.valueoffset, len(data))
    struct.pack_into("<HHII", data, sizes.offset, 279, 4, 1, len(bomb))
    with pytest.raises(PhotoError, match="expand to more than it claims"):
        read_picture(bytes(data) + bomb)


# ---- other formats with more than 8 bits


def ppm(samples: NDArray[Any], white: int = 65535) -> bytes:
    kind = 6 if samples.shape[2] == 3 else 5
    return b"P%d\n# a comment\n32 24\n%d\n" % (kind, white) + samples.astype(">u2").tobytes()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("white", [1023, 65535])
def test_16_bits_of_a_ppm_stay(channels: int, white: int) -> None:
    values = (DEEP[..., :channels] & white).astype(np.uint16)
    picture = read_picture(ppm(values, white))
    np.testing.assert_array_equal(picture.pixels, (values * (65535 / white)).round())
    assert picture.suffix == ".png"
    np.testing.assert_array_equal(as_opencv_reads(encode_picture(picture, picture.pixels)), picture.pixels)


@pytest.mark.parametrize("bits", [12, 16])
def test_16_bits_of_a_jpeg_2000_stay(bits: int) -> None:
    values = DEEP[..., :3] >> (16 - bits)
    data = imagecodecs.jpeg2k_encode(values, level=0, codecformat="j2k", reversible=True, bitspersample=bits)
    np.testing.assert_array_equal(imagecodecs.jpeg2k_decode(data), values)
    np.testing.assert_array_equal(read_picture(data).pixels, (values * (65535 / (2**bits - 1))).round())


@pytest.mark.parametrize("bits", [10, 12])
def test_bits_of_an_avif_that_are_lost_are_noted(bits: int) -> None:
    data = imagecodecs.avif_encode(DEEP[..., :3] >> (16 - bits), level=90, bitspersample=bits)
    assert read_picture(data).notes == (f"its {bits} bits per sample become 8",)
    assert read_picture(imagecodecs.avif_encode(NOISE)).notes == ()


@pytest.mark.parametrize("bits", [10, 12])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_10_and_12_bits_of_a_heic_stay(mode: str, bits: int) -> None:
    heif = pytest.importorskip("pillow_heif")
    channels = len(mode)
    ramp = np.linspace(0, 65535, 64 * 64 * channels).round().astype(np.uint16).reshape(64, 64, channels)
    buffer, exif = io.BytesIO(), camera_exif("<", 1)
    heif.encode(f"{mode};16", (64, 64), ramp.tobytes(), buffer, quality=95, bit_depth=bits, exif=exif, icc_profile=SRGB)
    picture = read_picture(buffer.getvalue())
    assert picture.notes == () and picture.suffix == ".heic"
    written = encode_picture(picture, picture.pixels)
    for read in (picture, read_picture(written)):
        samples = read.pixels if read.alpha is None else np.dstack([read.pixels, read.alpha])
        assert samples.dtype == np.uint16 and np.abs(samples.astype(int) - ramp).mean() < 50  # of 8 bits 64
        assert read.metadata.profile == SRGB and NOTE in (read.metadata.exif or b"")
    assert heif.open_heif(written, convert_hdr_to_8bit=False).info["bit_depth"] == bits
    assert read_picture(saved(NOISE, "HEIF")).pixels.dtype == np.uint8


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_few_bits_of_gray_are_8(bits: int) -> None:
    header = struct.pack(">IIBBBBB", 8 // bits, 1, bits, 0, 0, 0, 0)
    data = png(NOISE[:1, :1, :1]).replace(png(NOISE[:1, :1, :1])[16:29], header)
    levels = np.arange(8 // bits) % 2**bits
    assert levels.max() < 2**bits and len(data) > 40
    samples = tiff(np.array([[0b11100100 if bits == 2 else 0x1E if bits == 4 else 0b10100011]], np.uint8), 1)
    samples = samples.replace(struct.pack("<HHII", 258, 4, 1, 8), struct.pack("<HHII", 258, 4, 1, bits))
    samples = samples.replace(struct.pack("<HHII", 256, 4, 1, 1), struct.pack("<HHII", 256, 4, 1, 8 // bits))
    expected = {1: [255, 0, 255, 0, 0, 0, 255, 255], 2: [255, 170, 85, 0], 4: [17, 238]}[bits]
    picture = read_picture(samples)
    assert picture.pixels[0, :, 0].tolist() == expected and picture.notes == ()
