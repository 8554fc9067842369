"""Photos are read as they are meant to be seen, or refused; results are written whole, or not at all."""

import random
import struct
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFile

from symface_cli.errors import PhotoError
from symface_cli.imaging import photo as photo_module
from symface_cli.imaging.decoding import PictureFile
from symface_cli.imaging.photo import read_photo
from symface_cli.imaging.switches import PILLOW_SWITCHED
from tests.imaging.picture_files import (
    NOISE,
    PALETTE,
    SRGB,
    SWAPPED,
    UPRIGHT,
    exif,
    linear_gray_profile,
    png_that_claims,
    row,
    saved,
    stored,
    tiff,
)

DAMAGEABLE = {
    "JPEG": saved(NOISE, "JPEG"),
    "progressive": saved(NOISE, "JPEG", progressive=True),
    "PNG": saved(NOISE),
    "WEBP": saved(NOISE, "WEBP"),
    "GIF": saved(Image.fromarray(NOISE).convert("P"), "GIF"),
    "TIFF": saved(NOISE, "TIFF"),
    "LZW": saved(NOISE, "TIFF", compression="tiff_lzw"),
    "BMP": saved(NOISE, "BMP"),
    "float": tiff(NOISE.astype(np.float32), 2),
}


def assert_refused(data: bytes, words: str = "damaged") -> None:
    with pytest.raises(PhotoError, match=f"^cannot read the given bytes: .*({words})") as caught:
        read_photo(data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["PNG", "TIFF", "WEBP"])
def test_photo_of_any_orientation_is_turned_upright(format: str, orientation: int) -> None:
    options = {"lossless": True} if format == "WEBP" else {}
    data = saved(stored(UPRIGHT, orientation), format, exif=exif(orientation), **options)
    np.testing.assert_array_equal(read_photo(data), UPRIGHT)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_deep_tiff_of_any_orientation_is_turned_upright(orientation: int) -> None:
    pixels = stored(UPRIGHT, orientation)
    fractions, deep = (pixels / np.float32(255)).astype(np.float32), pixels.astype(np.uint16) * 257
    for data in (tiff(fractions, 2, orientation), tiff(deep, 2, orientation, planar=True), tiff(deep, 2, orientation)):
        np.testing.assert_array_equal(read_photo(data), UPRIGHT)


@pytest.mark.parametrize("data", [b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0garbage", exif(0), exif(9)])
def test_broken_exif_is_passed_over_silently(data: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(read_photo(saved(NOISE, exif=data)), NOISE)


RAMP = np.array([[0, 128, 129, 257, 32896, 65406, 65407, 65535]], np.uint16)
RAMP_8 = [0, 0, 1, 1, 128, 254, 255, 255]  # by hand: v / 257, rounded
DEEP_RAMPS = {
    "I;16 PNG": saved(RAMP),
    "I;16 TIFF": saved(RAMP, "TIFF"),
    "PGM": b"P5 8 1 65535\n" + RAMP.astype(">u2").tobytes(),
    "I": tiff(RAMP.astype(np.int32), 1),
    "I of 32 bits": tiff(RAMP.astype(np.uint32) * 65537, 1),
    "F": tiff(RAMP.astype(np.float32), 1),
    "F up to 1": tiff((RAMP / 65535).astype(np.float32), 1),
    "white is 0": tiff(65535 - RAMP, 0),
}


@pytest.mark.parametrize("kind", DEEP_RAMPS)
def test_deep_gray_is_scaled_to_8_bits(kind: str) -> None:
    assert read_photo(DEEP_RAMPS[kind]).tolist() == [[[level] * 3 for level in RAMP_8]]


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_wide_samples_of_an_8_bit_range_keep_their_values(dtype: type) -> None:
    assert read_photo(tiff(np.array([[0, 1, 100, 200, 255]], dtype), 1))[0, :, 0].tolist() == [0, 1, 100, 200, 255]


def test_float_samples_that_are_no_colors_are_clipped() -> None:
    values = np.array([[-1, 0, 0.5, 1, 1.5, np.inf, -np.inf, np.nan]], np.float32)
    assert read_photo(tiff(values, 1))[0, :, 0].tolist() == [0, 0, 128, 255, 255, 255, 0, 0]


@pytest.mark.parametrize("extension", [".png", ".tif"])
@pytest.mark.parametrize("channels", [3, 4])
def test_16_bit_color_is_read(extension: str, channels: int) -> None:
    deep = np.full((3, 4, channels), 65535, np.uint16)
    deep[..., :3] = UPRIGHT[..., ::-1].astype(np.uint16) * 257  # OpenCV's order
    np.testing.assert_array_equal(read_photo(cv2.imencode(extension, deep)[1].tobytes()), UPRIGHT)


WHITE = (255, 255, 255)


# Over white, by hand: (a * color + (255 - a) * 255) / 255, rounded.
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (saved(row("1", 0, 255)), [(0, 0, 0), WHITE]),
        (saved(row("L", 7, 8), "BMP"), [(7, 7, 7), (8, 8, 8)]),
        (saved(row("P", 1, 0, palette=PALETTE)), [PALETTE[3:], PALETTE[:3]]),
        (saved(row("P", 1, 0, palette=PALETTE), "GIF", transparency=0), [PALETTE[3:], WHITE]),
        (saved(row("P", 1, 0, palette=PALETTE), transparency=b"\xff\x00"), [WHITE, PALETTE[:3]]),
        (saved(row("RGB", (1, 2, 3), (4, 5, 6)), transparency=(1, 2, 3)), [WHITE, (4, 5, 6)]),
        (saved(row("RGB", (1, 2, 3), (4, 5, 6)), transparency=(257, 2, 3)), [(1, 2, 3), (4, 5, 6)]),  # a 16-bit key
        (saved(row("RGBA", (9, 8, 7, 255), (9, 8, 7, 0), (0, 100, 255, 51))), [(9, 8, 7), WHITE, (204, 224, 255)]),
        (saved(row("LA", (40, 255), (40, 0), (0, 128))), [(40, 40, 40), WHITE, (127, 127, 127)]),
    ],
)
def test_any_mode_becomes_rgb_over_white(data: bytes, expected: list[Any]) -> None:
    assert [tuple(pixel) for pixel in read_photo(data)[0].tolist()] == expected


@pytest.mark.parametrize(("ink", "color"), [((0, 255, 255, 0), (255, 0, 0)), ((0, 0, 0, 0), WHITE)])
@pytest.mark.parametrize("format", ["JPEG", "TIFF"])  # Pillow writes the JPEG inverted and says so, as Adobe does
def test_cmyk_becomes_rgb(format: str, ink: tuple[int, ...], color: tuple[int, ...]) -> None:
    photo = read_photo(saved(Image.new("CMYK", (16, 16), ink), format))
    np.testing.assert_allclose(photo[8, 8].astype(int), color, atol=4)


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "TIFF"])
def test_first_frame_of_an_animation_is_taken(format: str) -> None:
    first, second = Image.new("RGB", (8, 8), "red"), Image.new("RGB", (8, 8), "blue")
    options = {"lossless": True} if format == "WEBP" else {}
    photo = read_photo(saved(first, format, save_all=True, append_images=[second], **options))
    assert np.all(photo == (255, 0, 0))


# SRGB[:200] ends within the table of tags; a gray profile does not fit colors.
@pytest.mark.parametrize("profile", [SRGB, b"no profile", SRGB[:200], bytes(128), linear_gray_profile()])
def test_srgb_broken_or_unfitting_profile_changes_nothing(profile: bytes) -> None:
    np.testing.assert_array_equal(read_photo(saved(NOISE, icc_profile=profile)), NOISE)


def test_colors_are_converted_by_the_profile() -> None:
    photo = read_photo(saved(NOISE, icc_profile=SWAPPED))
    np.testing.assert_allclose(photo.astype(int), NOISE[..., [1, 0, 2]].astype(int), atol=1)


@pytest.mark.parametrize("image", [row("L", 55), row("LA", (55, 255)), Image.fromarray(np.array([[14135]], np.uint16))])
def test_gray_is_converted_by_a_gray_profile(image: Image.Image) -> None:
    # 55 / 255 = 14135 / 65535 of the light is 128 in sRGB: ((128 / 255 + 0.055) / 1.055) ** 2.4 = 0.2159.
    assert read_photo(saved(image, icc_profile=linear_gray_profile())).tolist() == [[[128] * 3]]


@pytest.mark.parametrize("mode", ["L", "P", "RGBA"])
def test_rgb_profile_is_applied_to_other_modes(mode: str) -> None:
    image = Image.new("RGB", (2, 2), (204, 204, 204)).convert(mode)
    assert np.all(read_photo(saved(image, icc_profile=SWAPPED)) == 204)


@pytest.mark.parametrize("name", ["Mädchen.png", "子ども.png", "no suffix", "a\nb.png"])
def test_file_of_any_name_is_read_or_named_on_one_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(saved(UPRIGHT))
    for source in (path, str(path)):
        np.testing.assert_array_equal(read_photo(source), UPRIGHT)
    path.write_bytes(b"no picture")
    with pytest.raises(PhotoError) as caught:
        read_photo(path)
    assert name.replace("\n", r"\n") + ": it is no picture" in str(caught.value)
    assert "\n" not in str(caught.value) and caught.value.__cause__ is not None


@pytest.mark.parametrize("name", ["missing.jpg", ".", "null\0byte.jpg"])
def test_file_that_cannot_be_opened_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(PhotoError, match=r"^cannot read "):
        read_photo(f"{tmp_path}/{name}")


@pytest.mark.parametrize("data", [b"", b"no picture", bytes(999), b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    assert_refused(data, "it is empty|it is no picture|it is a PostScript document")


@pytest.mark.parametrize("fraction", [0.001, 0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97])
@pytest.mark.parametrize("kind", DAMAGEABLE)
def test_truncated_photo_is_refused(kind: str, fraction: float) -> None:
    assert_refused(DAMAGEABLE[kind][: int(fraction * len(DAMAGEABLE[kind]))], "damaged|empty")


@pytest.mark.parametrize("kind", DAMAGEABLE)
def test_photo_that_is_cut_at_its_very_end_is_whole_or_refused(kind: str) -> None:
    whole = read_photo(DAMAGEABLE[kind])
    for missing in range(1, 24):
        try:
            photo = read_photo(DAMAGEABLE[kind][:-missing])
        except PhotoError:
            continue
        np.testing.assert_array_equal(photo, whole)


def test_truncated_photo_is_refused_even_if_another_library_allows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    assert_refused(DAMAGEABLE["JPEG"][:-200])
    assert_refused(DAMAGEABLE["JPEG"][:-2])  # the end marker
    assert ImageFile.LOAD_TRUNCATED_IMAGES


@pytest.mark.parametrize("kind", DAMAGEABLE)
def test_corrupted_header_gives_a_photo_or_a_refusal(kind: str) -> None:
    generator = random.Random(kind)
    for _ in range(60):
        data = bytearray(DAMAGEABLE[kind])
        for _ in range(generator.randint(1, 4)):
            data[generator.randrange(200)] ^= 1 << generator.randrange(8)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                photo = read_photo(bytes(data))
            except PhotoError:
                continue
        assert photo.dtype == np.uint8 and photo.ndim == 3 and photo.shape[2] == 3 and photo.size > 0


FLOAT_BOMB = DAMAGEABLE["float"].replace(struct.pack("<HHII", 257, 4, 1, 24), struct.pack("<HHII", 257, 4, 1, 2**30))


@pytest.mark.parametrize("bomb", [png_that_claims(100_000, 100_000), png_that_claims(20_000, 10_001), FLOAT_BOMB])
def test_bomb_is_refused_without_a_warning(bomb: bytes, recwarn: pytest.WarningsRecorder) -> None:
    assert_refused(bomb, "more than 200 million pixels")
    assert not recwarn.list


def test_limit_of_pillow_neither_counts_nor_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 5)
    np.testing.assert_array_equal(read_photo(saved(NOISE)), NOISE)
    assert_refused(png_that_claims(100_000, 100_000), "more than")
    assert Image.MAX_IMAGE_PIXELS == 5


def test_two_threads_decode_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    both, decode = threading.Barrier(2, timeout=20), photo_module.decode

    def decode_together(file: PictureFile) -> photo_module.RawPixels:
        both.wait()  # breaks, and with it the test, where one thread waits for the other
        return decode(file)

    monkeypatch.setattr(photo_module, "decode", decode_together)
    with ThreadPoolExecutor(2) as pool:
        photos = list(pool.map(read_photo, (saved(NOISE), saved(UPRIGHT))))
    for photo, expected in zip(photos, (NOISE, UPRIGHT), strict=True):
        np.testing.assert_array_equal(photo, expected)


def test_switches_go_back_when_the_last_of_overlapping_readers_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 5)
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    filters = warnings.filters

    def switches() -> tuple[int | None, bool, bool]:
        return Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, warnings.filters is filters

    before = switches()
    PILLOW_SWITCHED.__enter__()
    during = switches()
    PILLOW_SWITCHED.__enter__()
    PILLOW_SWITCHED.__exit__()  # the first reader is done before the second
    assert switches() == during == (200_000_000, False, False)
    PILLOW_SWITCHED.__exit__()
    assert switches() == before == (5, True, True)
