"""Pictures are read as they are stored, and written as they came, bit for bit."""

import io
import struct
import zlib
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from symface_cli.errors import PhotoError
from symface_cli.imaging.encoding import encode_picture
from symface_cli.imaging.photo import read_photo
from symface_cli.imaging.picture import Picture, native_from_srgb, read_picture, srgb_from_native
from tests.imaging.picture_files import (
    DEEP,
    LOSSLESS,
    NOISE,
    PALETTE,
    SRGB,
    SWAPPED,
    UPRIGHT,
    as_opencv_reads,
    as_pillow_reads,
    camera_exif,
    deep,
    exif,
    linear_gray_profile,
    png,
    row,
    saved,
    stored,
    tiff,
)

READ = {
    "1": (saved(row("1", 0, 255)), [[0], [255]], None),
    "gray": (saved(row("L", 7, 8), "BMP"), [[7], [8]], None),
    "gray with a key": (saved(row("L", 7, 8), transparency=8), [[7], [8]], [255, 0]),
    "gray with alpha": (saved(row("LA", (40, 255), (50, 0))), [[40], [50]], [255, 0]),
    "palette": (saved(row("P", 1, 0, palette=PALETTE)), [[200, 100, 50], [10, 20, 30]], None),
    "palette with alpha": (
        saved(row("P", 1, 0, palette=PALETTE), transparency=b"\xff\x07"),
        [[200, 100, 50], [10, 20, 30]],
        [7, 255],
    ),
    "GIF": (saved(row("P", 1, 0, palette=PALETTE), "GIF", transparency=0), [[200, 100, 50], [10, 20, 30]], [255, 0]),
    "RGB with a key": (
        saved(row("RGB", (1, 2, 3), (4, 5, 6)), transparency=(1, 2, 3)),
        [[1, 2, 3], [4, 5, 6]],
        [0, 255],
    ),
    "RGBA": (saved(row("RGBA", (9, 8, 7, 0), (1, 2, 3, 51))), [[9, 8, 7], [1, 2, 3]], [0, 51]),
    "CMYK": (saved(row("CMYK", (1, 2, 3, 4), (5, 6, 7, 8)), "TIFF"), [[1, 2, 3, 4], [5, 6, 7, 8]], None),
    "16-bit gray": (png(np.array([[[300], [65535]]], np.uint16)), [[300], [65535]], None),
    "16-bit gray, white is 0": (tiff(np.array([[300, 65535]], np.uint16), 0), [[65235], [0]], None),
    "16-bit gray with a key": (
        png(np.array([[[300], [301]]], np.uint16), (b"tRNS", b"\x01\x2c")),
        [[300], [301]],
        [0, 65535],
    ),
    "16-bit gray with alpha": (png(np.array([[[300, 7], [1, 65535]]], np.uint16)), [[300], [1]], [7, 65535]),
    "16-bit RGB with a key": (
        png(np.array([[[1, 2, 300], [1, 2, 301]]], np.uint16), (b"tRNS", b"\0\x01\0\x02\x01\x2c")),
        [[1, 2, 300], [1, 2, 301]],
        [0, 65535],
    ),
    "16-bit TIFF": (tiff(np.array([[[1, 2, 300], [4, 5, 65535]]], np.uint16), 2), [[1, 2, 300], [4, 5, 65535]], None),
    # Two samples of 12 bits, FFF and 001, in three bytes: 65535 and 65535 / 4095, rounded.
    "12-bit gray": (
        tiff(np.array([[0xFF, 0xF0, 0x01]], np.uint8), 1)
        .replace(struct.pack("<HHII", 258, 4, 1, 8), struct.pack("<HHII", 258, 4, 1, 12))
        .replace(struct.pack("<HHII", 256, 4, 1, 3), struct.pack("<HHII", 256, 4, 1, 2)),
        [[65535], [16]],
        None,
    ),
}


@pytest.mark.parametrize("kind", READ)
def test_samples_are_read_as_they_are_stored(kind: str) -> None:
    data, pixels, alpha = READ[kind]
    picture = read_picture(data)
    dtype = np.uint16 if "-bit" in kind or kind == "16-bit TIFF" else np.uint8
    assert picture.pixels.dtype == dtype and picture.pixels.tolist() == [pixels]
    if alpha is None:
        assert picture.alpha is None
    else:
        assert picture.alpha is not None and picture.alpha.dtype == dtype and picture.alpha.tolist() == [alpha]
    np.testing.assert_array_equal(picture.photo, read_photo(data))
    assert not (picture.photo.flags.writeable and np.shares_memory(picture.photo, picture.pixels))


@pytest.mark.parametrize("extension", [".png", ".tif"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_16_bits_are_read_as_opencv_wrote_them(extension: str, channels: int) -> None:
    picture = read_picture(deep(extension, channels))
    np.testing.assert_array_equal(picture.pixels, DEEP[..., : min(channels, 3)])
    assert (picture.alpha is None) == (channels < 4)
    if picture.alpha is not None:
        np.testing.assert_array_equal(picture.alpha, DEEP[..., 3])


def test_photo_of_16_bits_is_rounded_and_over_white() -> None:
    data = png(np.array([[[128, 129, 65406, 65535], [9, 9, 9, 0]]], np.uint16))
    assert read_picture(data).photo.tolist() == [[[0, 1, 254], [255, 255, 255]]]  # v / 257, rounded


@pytest.mark.parametrize("answer", [None, DEEP[..., :3] // 2, DEEP[..., 0], DEEP[:5, :, :3], NOISE])
def test_16_bits_that_two_decoders_read_differently_count_as_8(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    data = deep(".png", 3)
    monkeypatch.setattr(cv2, "imdecode", lambda *_: answer)
    picture = read_picture(data)
    np.testing.assert_array_equal(picture.pixels, DEEP[..., :3] >> 8)  # Pillow has the high bytes
    assert picture.notes == ("its 16 bits per sample become 8",)


def test_decoder_of_16_bits_is_silent(capfd: pytest.CaptureFixture[str]) -> None:
    level = cv2.utils.logging.getLogLevel()
    strange = (b"iCCP", b"sRGB\0\0" + zlib.compress(b"no profile")), (b"tRNS", bytes(6))
    for data in (tiff(DEEP, 2), png(DEEP[..., :3], *strange), png(DEEP[..., :2], strange[0])):
        assert read_picture(data).pixels.dtype == np.uint16
    assert capfd.readouterr().err == "" and cv2.utils.logging.getLogLevel() == level


@pytest.mark.parametrize("kind", LOSSLESS)
def test_picture_is_written_as_it_came(kind: str) -> None:
    picture = read_picture(LOSSLESS[kind])
    data = encode_picture(picture, picture.pixels)
    again = read_picture(data)
    assert again.format == picture.format and again.pixels.dtype == picture.pixels.dtype
    np.testing.assert_array_equal(again.pixels, picture.pixels)
    np.testing.assert_array_equal(again.photo, picture.photo)
    assert (again.alpha is None) == (picture.alpha is None)
    if picture.alpha is not None:
        np.testing.assert_array_equal(again.alpha, picture.alpha)


@pytest.mark.parametrize("kind", LOSSLESS)
def test_other_decoders_read_the_pixels_that_were_given(kind: str) -> None:
    picture = read_picture(LOSSLESS[kind])
    given = picture.pixels[::-1].copy()
    data = encode_picture(picture, given)
    expected = given if picture.alpha is None else np.dstack([given, picture.alpha])
    if kind == "16-bit gray with alpha":  # OpenCV makes it RGB
        expected = expected[..., [0, 0, 0, 1]]
    read = as_opencv_reads(data) if given.dtype == np.uint16 else as_pillow_reads(data)
    np.testing.assert_array_equal(read, expected)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "16-bit PNG", "16-bit TIFF"])
def test_picture_of_any_orientation_is_written_upright(kind: str, orientation: int) -> None:
    pixels = stored(UPRIGHT, orientation)
    wide = pixels.astype(np.uint16) * 257
    if kind == "16-bit PNG":
        data = png(wide, (b"eXIf", camera_exif("<", orientation)[6:]))
    elif kind == "16-bit TIFF":
        data = tiff(wide, 2, orientation)
    else:
        data = saved(pixels, kind, exif=exif(orientation), **({"lossless": True} if kind == "WEBP" else {}))
    picture = read_picture(data)
    for array in (picture.pixels // (257 if "16" in kind else 1), picture.photo):
        np.testing.assert_array_equal(array, UPRIGHT)
    written = encode_picture(picture, picture.pixels)
    np.testing.assert_array_equal(as_pillow_reads(written), UPRIGHT)  # 16 bits are the same twice: 257 v >> 8 = v
    assert Image.open(io.BytesIO(written)).getexif()[0x0112] == 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_jpeg_of_any_orientation_is_written_upright(orientation: int) -> None:
    blocks = np.kron(UPRIGHT, np.ones((16, 16, 1), np.uint8))
    picture = read_picture(saved(stored(blocks, orientation), "JPEG", quality=95, exif=exif(orientation)))
    written = encode_picture(picture, picture.pixels)
    for array in (picture.pixels, as_pillow_reads(written)):
        np.testing.assert_allclose(array.astype(int), blocks, atol=3)
    assert Image.open(io.BytesIO(written)).getexif()[0x0112] == 1


# By hand: exchanged primaries; the light of 55 / 255 is 128 in sRGB; ITU-R 601; C = 255 - R and no black.
@pytest.mark.parametrize(
    ("data", "native", "srgb"),
    [
        (saved(NOISE), (10, 20, 30), (10, 20, 30)),
        (saved(NOISE, icc_profile=SWAPPED), (20, 10, 30), (10, 20, 30)),
        (saved(NOISE, icc_profile=SRGB), (10, 20, 30), (10, 20, 30)),
        (saved(NOISE, icc_profile=b"no profile"), (10, 20, 30), (10, 20, 30)),
        (saved(NOISE[..., 0], icc_profile=linear_gray_profile()), (55,), (128, 128, 128)),
        (saved(NOISE[..., 0], icc_profile=SWAPPED), (128,), (128, 128, 128)),
        (saved(NOISE[..., 0]), (60,), (60, 60, 60)),
        (deep(".png", 1), (60 * 257,), (60, 60, 60)),
        (deep(".png", 3), (2570, 5140, 7710), (10, 20, 30)),
        (LOSSLESS["CMYK"], (245, 235, 225, 0), (10, 20, 30)),
    ],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_srgb_and_the_colors_of_a_picture_are_converted(data: bytes, native: Any, srgb: Any, dtype: Any) -> None:
    picture = read_picture(data)
    tolerance = 257 if picture.pixels.dtype == np.uint16 else 1
    converted = native_from_srgb(picture, np.full((2, 3, 3), srgb, dtype))
    assert converted.dtype == picture.pixels.dtype and converted.shape == (2, 3, len(native))
    np.testing.assert_allclose(converted[1, 2].astype(int), native, atol=tolerance)
    back = srgb_from_native(picture, np.full((2, 3, len(native)), native, picture.pixels.dtype))
    assert back.dtype == np.uint8
    np.testing.assert_allclose(back, np.full((2, 3, 3), srgb), atol=1)


def test_gray_of_a_drawing_is_its_luminance() -> None:
    red = native_from_srgb(read_picture(saved(NOISE[..., 0])), np.array([[[255, 0, 0]]], np.uint8))
    assert red.tolist() == [[[76]]]  # 0.299 * 255


def test_fractions_of_a_drawing_stay_in_16_bits() -> None:
    drawing = np.array([[[0.5, 100.25, 254.999], [-3, 300, 255]]])
    native = native_from_srgb(read_picture(deep(".png", 3)), drawing)
    assert native.tolist() == [[[128, 25764, 65535], [0, 65535, 65535]]]  # 128.5 to even; 25764.25; 65534.7


# ---- pictures that are no files


def test_lab_becomes_rgb() -> None:
    # L* = 53.6, stored as 53.6 * 2.55 = 137, is sRGB's 128; a* = b* = 0 is stored as 128.
    np.testing.assert_allclose(Picture.from_image(row("LAB", (137, 128, 128))).photo.astype(int), 128, atol=1)


def test_array_is_a_picture_of_its_own_pixels() -> None:
    picture = Picture.from_array(UPRIGHT[:, ::-1])
    np.testing.assert_array_equal(picture.pixels, UPRIGHT[:, ::-1])
    np.testing.assert_array_equal(picture.photo, UPRIGHT[:, ::-1])
    assert (picture.alpha, picture.suffix) == (None, ".png")
    for pixels in (picture.pixels, picture.photo):
        assert pixels.flags.writeable and pixels.flags.c_contiguous and not np.shares_memory(pixels, UPRIGHT)
    np.testing.assert_array_equal(read_photo(encode_picture(picture, picture.pixels)), UPRIGHT[:, ::-1])


def test_gray_and_transparent_arrays_are_shown_as_photos() -> None:
    gray = Picture.from_array(np.array([[3, 250]], np.uint8))
    assert gray.pixels.tolist() == [[[3], [250]]]
    assert gray.photo.tolist() == [[[3, 3, 3], [250, 250, 250]]]
    transparent = Picture.from_array(np.array([[[1, 2, 3, 255], [1, 2, 3, 0]]], np.uint8))
    assert transparent.pixels.tolist() == [[[1, 2, 3], [1, 2, 3]]]
    assert transparent.alpha is not None and transparent.alpha.tolist() == [[255, 0]]
    assert transparent.photo.tolist() == [[[1, 2, 3], [255, 255, 255]]]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pillow_image_is_turned_upright_and_left_as_it_was(orientation: int) -> None:
    image = Image.open(io.BytesIO(saved(stored(UPRIGHT, orientation), exif=exif(orientation))))
    picture = Picture.from_image(image)
    np.testing.assert_array_equal(picture.photo, UPRIGHT)
    np.testing.assert_array_equal(picture.pixels, UPRIGHT)
    assert image.getexif()[0x0112] == orientation
    np.testing.assert_array_equal(np.asarray(image), stored(UPRIGHT, orientation))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_pillow_image_is_the_same_picture_as_its_file(mode: str) -> None:
    gray = Image.fromarray(UPRIGHT).convert("L")
    deep = Image.fromarray(np.asarray(gray).astype(np.uint16) * 257)
    image = deep if mode == "I;16" else Image.fromarray(UPRIGHT).convert(mode)
    image.info["icc_profile"] = linear_gray_profile() if mode in ("L", "I;16") else SRGB
    format = "TIFF" if mode == "CMYK" else "PNG"
    data = saved(image, format, icc_profile=image.info["icc_profile"], exif=exif(6))
    image.info["exif"] = exif(6).tobytes()
    picture, of_file = Picture.from_image(image), read_picture(data)
    np.testing.assert_array_equal(picture.pixels, of_file.pixels)
    np.testing.assert_array_equal(picture.photo, of_file.photo)
    assert (picture.alpha is None) == (of_file.alpha is None)
    assert picture.alpha is None or (picture.alpha == of_file.alpha).all()
    assert picture.metadata.profile == of_file.metadata.profile
    assert format == "TIFF" or picture.metadata.exif == of_file.metadata.exif


def test_truncated_pillow_image_is_refused() -> None:
    image = Image.open(io.BytesIO(saved(NOISE, "JPEG")[:-200]))
    with pytest.raises(PhotoError, match=r"^cannot read the given image: "):
        Picture.from_image(image)


@pytest.mark.parametrize("wrong", [UPRIGHT.astype(np.float32), UPRIGHT.astype(np.uint16), UPRIGHT > 3])
def test_array_of_another_dtype_is_a_type_error(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"uint8"):
        Picture.from_array(wrong)


@pytest.mark.parametrize("shape", [(3,), (2, 2, 2), (2, 2, 5), (1, 2, 2, 3), (0, 4, 3), (4, 0)])
def test_array_of_another_shape_is_a_value_error(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"shape"):
        Picture.from_array(np.zeros(shape, np.uint8))
