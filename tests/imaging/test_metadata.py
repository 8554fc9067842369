"""What a file says beside its pixels stays: EXIF, profile, XMP, resolution, texts."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from symface_cli.imaging.encoding import encode_picture
from symface_cli.imaging.metadata.exif import exif_of, follow_exif
from symface_cli.imaging.metadata.move import Move
from symface_cli.imaging.picture import read_picture
from tests.imaging.picture_files import (
    AVIF,
    DEEP,
    NOISE,
    NOTE,
    SRGB,
    SUFFIXES,
    SWAPPED,
    as_opencv_reads,
    camera_exif,
    png,
    saved,
    stored,
    tiff,
)

TURNED = Move(width=24, height=32, moved=True, turned=True)
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/">'
    b'<r tiff:Orientation="6" tiff:Make="Maker"/></x:xmpmeta>'
)


def rewritten(data: bytes, suffix: str | None = None) -> bytes:
    picture = read_picture(data)
    return encode_picture(picture, picture.pixels, suffix)


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def deep_png(*chunks: tuple[bytes, bytes]) -> bytes:
    return png(DEEP[..., :3], *chunks)


@pytest.mark.parametrize("profile", [SRGB, SWAPPED, b"no profile", SWAPPED + bytes(150_000)])
@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP", *AVIF, "16-bit PNG"])
def test_profile_stays_byte_for_byte_and_is_not_applied(format: str, profile: bytes) -> None:
    name = b"name\0\0" + zlib.compress(profile)
    data = deep_png((b"iCCP", name)) if format == "16-bit PNG" else saved(NOISE, format, icc_profile=profile)
    assert opened(rewritten(data)).info["icc_profile"] == profile
    if format in ("PNG", "TIFF"):
        np.testing.assert_array_equal(read_picture(data).pixels, NOISE)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", *AVIF, "16-bit PNG"])
@pytest.mark.parametrize("order", "<>")
def test_exif_stays_but_for_orientation_and_thumbnail(format: str, suffix: str, order: str) -> None:
    given = camera_exif(order)
    data = deep_png((b"eXIf", given[6:])) if format == "16-bit PNG" else saved(NOISE, format, exif=given)
    written = opened(rewritten(data, suffix))
    assert written.size == (24, 32)  # turned by 90 degrees
    tags = written.getexif()
    assert (tags[0x010F], tags.get(0x0112, 1)) == ("Maker", 1)
    assert tags.get_ifd(0x8769)[0x927C] == NOTE and tags.get_ifd(0x8825) == {1: "N"}
    assert tags.get_ifd(1) == {} and b"thumb!!!" not in written.info.get("exif", b"")


@pytest.mark.parametrize("order", "<>")
def test_exif_changes_in_place_so_that_maker_notes_stay_readable(order: str) -> None:
    given, reset = camera_exif(order, 6), follow_exif(camera_exif(order, 6), TURNED)
    expected = bytearray(given[:-8])  # without the thumbnail, which is last
    expected[6 + 30 : 6 + 32] = struct.pack(order + "H", 1)  # the value of the second field
    expected[6 + 58 : 6 + 62] = bytes(4)  # where the second directory was
    assert reset == bytes(expected)


def test_thumbnail_amid_the_exif_becomes_zeros() -> None:
    reset = follow_exif(camera_exif("<") + b"more", TURNED)
    assert reset is not None and reset.endswith(bytes(8) + b"more")


# Too short; another magic; the first directory beyond the end; more fields than there are bytes.
BROKEN = [b"Exif\0\0", b"Exif\0\0II*", b"garbage at once", b"II*\0\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff"]


@pytest.mark.parametrize("broken", BROKEN)
def test_broken_exif_is_left_out(broken: bytes) -> None:
    assert follow_exif(broken, TURNED) is None and exif_of(broken) is None
    picture = read_picture(saved(NOISE, exif=broken))
    assert picture.metadata.exif is None
    assert "exif" not in opened(encode_picture(picture, picture.pixels)).info


def test_directory_that_refers_to_itself_is_read_once() -> None:
    loop = b"II*\0" + struct.pack("<IHHHIII", 8, 1, 0x8769, 4, 1, 8, 0)
    assert exif_of(loop) is not None and len(exif_of(loop) or b"") < 200


def test_fields_that_share_their_bytes_do_not_make_them_many() -> None:
    fields = b"".join(struct.pack("<HHII", tag, 7, 60_000, 8) for tag in range(5_000))
    assert exif_of(b"II*\0" + struct.pack("<IH", 8, 5_000) + fields + bytes(4)) is None


@pytest.mark.parametrize("suffix", [".tif", ".jpg", ".png"])
def test_what_a_tiff_says_stays_and_how_it_is_stored_does_not(suffix: str) -> None:
    tags = Image.Exif()
    tags.update({0x010E: "a portrait", 0x010F: "Maker", 0x0112: 8, 33432: "© me"})
    data = saved(stored(NOISE, 8), "TIFF", exif=tags, dpi=(300, 150), compression="tiff_lzw")
    written = opened(rewritten(data, suffix))
    assert written.size == (32, 24)
    kept = written.getexif()
    assert (kept[0x010E], kept[0x010F], kept.get(0x0112, 1)) == ("a portrait", "Maker", 1)
    assert written.info["dpi"] == pytest.approx((150, 300), abs=0.02)  # turned, as the pixels are
    if suffix == ".jpg":
        assert not {256, 257, 259, 273, 279} & kept.keys()  # size, compression, strips
    else:
        np.testing.assert_array_equal(np.asarray(written), NOISE)


@pytest.mark.parametrize(("compression", "written"), [(None, "raw"), ("tiff_lzw", "tiff_adobe_deflate")])
def test_tiff_stays_compressed_or_not(compression: str | None, written: str) -> None:
    assert opened(rewritten(saved(NOISE, "TIFF", compression=compression))).info["compression"] == written


@pytest.mark.parametrize(("order", "magic"), [("<", b"II*\0"), (">", b"MM\0*")])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_tiff_has_the_byte_order_of_its_exif(order: str, magic: bytes, channels: int) -> None:
    data = rewritten(png(DEEP[..., :channels], (b"eXIf", camera_exif(order, 1)[6:])), ".tif")
    assert data.startswith(magic)
    np.testing.assert_array_equal(as_opencv_reads(data), DEEP[..., :channels])
    picture = read_picture(data)
    np.testing.assert_array_equal(picture.pixels, DEEP[..., : min(channels, 3)])


def test_large_tiff_has_many_strips() -> None:
    pixels = np.random.default_rng(3).integers(0, 65536, (700, 600, 3), dtype=np.uint16)
    picture = read_picture(png(pixels))
    image = opened(encode_picture(picture, picture.pixels, ".tif"))
    assert len(image.tag_v2[273]) > 1
    np.testing.assert_array_equal(np.asarray(image), pixels >> 8)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP", *AVIF])
def test_xmp_stays_but_for_the_orientation(format: str, suffix: str) -> None:
    if format == "PNG":
        data = png(NOISE, (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP))
    elif format == "TIFF":
        data = saved(NOISE, "TIFF", tiffinfo={700: XMP})
    else:
        data = saved(NOISE, format, xmp=XMP)
    image = opened(rewritten(data, suffix))
    found = image.info.get("xmp") or image.info["XML:com.adobe.xmp"].encode()
    turned = [XMP.replace(b'tiff:Orientation="6"', instead) for instead in (b'tiff:Orientation="1"', b"")]
    assert found in turned if format == "TIFF" else found == turned[0]  # Pillow takes it out when it turns a TIFF
    assert image.size == (24, 32)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".bmp"])
@pytest.mark.parametrize("format", ["JPEG", "PNG", "BMP"])
def test_resolution_stays(format: str, suffix: str) -> None:
    written = opened(rewritten(saved(NOISE, format, dpi=(300, 150)), suffix))
    assert [round(value) for value in written.info["dpi"]] == [300, 150]


@pytest.mark.parametrize("deep", [False, True])
def test_png_keeps_its_texts_and_color_chunks(deep: bool) -> None:
    kept = [(b"gAMA", struct.pack(">I", 100_000)), (b"tEXt", b"Title\0me"), (b"iTXt", "Ort\0\0\0\0\0Köln".encode())]
    raw = b"Raw profile type exif\0\0" + zlib.compress(
        f"\nexif\n{len(camera_exif('<'))}\n{camera_exif('<').hex()}\n".encode()
    )
    others = [(b"zTXt", raw), (b"bKGD", bytes(6)), (b"tIME", bytes(7))]
    written = rewritten(png(DEEP[..., :3] if deep else NOISE, *kept, *others))
    image = opened(written)
    assert image.info["gamma"] == 1 and image.info["Title"] == "me" and image.info["Ort"] == "Köln"
    assert image.size == (24, 32) and "Raw profile type exif" not in image.info
    assert (image.getexif()[0x010F], image.getexif()[0x0112]) == ("Maker", 1)


def test_jpeg_keeps_its_comment_and_iptc() -> None:
    iptc = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x07\x1c\x02\x50\0\x02me\0"
    marker = b"\xff\xed" + struct.pack(">H", 2 + len(iptc)) + iptc
    image = opened(rewritten(saved(NOISE, "JPEG", comment=b"a comment", extra=marker)))
    assert image.info["comment"] == b"a comment" and ("APP13", iptc) in image.applist


def test_exif_that_is_too_long_for_a_jpeg_is_left_out() -> None:
    data = saved(NOISE, exif=camera_exif("<") + bytes(70_000), icc_profile=SWAPPED)
    image = opened(rewritten(data, ".jpg"))
    assert "exif" not in image.info and image.info["icc_profile"] == SWAPPED


def test_impossible_resolution_is_left_out() -> None:
    for value in (0, 2**32 - 1):
        data = png(NOISE, (b"pHYs", struct.pack(">IIB", value, value, 1)))
        assert read_picture(data).metadata.dpi is None
    assert read_picture(tiff(NOISE, 2)).metadata.dpi is None
