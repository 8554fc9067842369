"""What is not read is named for what it is, and why it cannot be read is true."""

import io
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from symface_cli.errors import PhotoError
from symface_cli.imaging.photo import read_photo
from symface_cli.imaging.picture import read_picture
from tests.imaging.picture_files import NOISE, saved

BOX = struct.pack(">I", 24)
FILES = {
    "a Photoshop document": b"8BPS\0\1" + bytes(40),
    "a GIMP document": b"gimp xcf v011\0",
    "a JPEG XL picture": b"\xff\x0a\xfa\x7f" + bytes(40),
    "a JPEG XL picture: container": b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40),
    "a JPEG XR picture": b"II\xbc\1\x20\0\0\0",
    "a JPEG-LS picture": b"\xff\xd8\xff\xf7\0\x0b\x08" + bytes(40),
    "a JPEG of 12 bits": b"\xff\xd8\xff\xe0\0\4ab\xff\xc1\0\x11\x0c" + bytes(40),
    "a PDF document": b"%PDF-1.7\n",
    "a PostScript document": b"%!PS-Adobe-3.0 EPSF-3.0\n",
    "a camera's raw file: CR3": BOX + b"ftypcrx " + bytes(40),
    "a camera's raw file: Fujifilm": b"FUJIFILMCCD-RAW 0201",
    "a camera's raw file: Olympus": b"IIRO\x08\0\0\0",
    "a camera's raw file: Panasonic": b"IIU\0\x18\0\0\0",
    "a video": BOX + b"ftypmp42" + bytes(40),
    "a video: QuickTime": BOX + b"ftypqt  " + bytes(40),
    "a video: Matroska": b"\x1aE\xdf\xa3" + bytes(40),
    "a DICOM file": bytes(128) + b"DICM\2\0",
    "an archive": b"PK\3\4\x14\0",
    "a Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
    "a property list, such as iCloud's stand-in": b"bplist00\xd3",
    "a web page": b"\xef\xbb\xbf\n<!-- saved -->\n<!DOCTYPE html><html>",
    "a web page: bare": b"<HTML><body>404",
    "a drawing (SVG)": b'<?xml version="1.0"?>\n<!-- made by -->\n<svg xmlns="http://www.w3.org/2000/svg"/>',
    "XMP without its photo": b'<x:xmpmeta xmlns:x="adobe:ns:meta/"/>',
    "a text (JSON)": b'{"title": "1.jpg"}',
    "an OpenEXR picture": b"v/1\1\2\0\0\0",
    "a NumPy array": b"\x93NUMPY\1\0",
    "a FITS file": b"SIMPLE  =                    T",
}


@pytest.mark.parametrize("kind", FILES)
def test_file_of_another_kind_is_named(kind: str) -> None:
    for read in (read_photo, read_picture):
        with pytest.raises(PhotoError) as caught:
            read(FILES[kind])
        assert str(caught.value).startswith(f"cannot read the given bytes: it is {kind.partition(':')[0]}")
        assert str(caught.value).endswith("; save it as JPEG or PNG")


@pytest.mark.parametrize("data", [b"no picture", bytes(999), bytes(range(256))])
def test_file_of_no_kind_has_no_name(data: bytes) -> None:
    with pytest.raises(PhotoError, match=r"it is no picture, or its beginning is damaged"):
        read_picture(data)


def with_larger_picture() -> bytes:
    """A JPEG whose first picture is smaller than the second (CIPA DC-007)."""
    return saved(Image.fromarray(NOISE[:8, :8]), "MPO", save_all=True, append_images=[Image.fromarray(NOISE)])


def test_preview_of_a_larger_picture_in_a_jpeg_is_refused() -> None:
    data = with_larger_picture()
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.size, image.n_frames) == ("MPO", (8, 8), 2)
    with pytest.raises(PhotoError, match=r"its first picture is a preview of 8 x 8 pixels, another has 32 x 24"):
        read_picture(data)


def test_command_says_what_a_file_is(symface: Callable[..., object], tmp_path: Path) -> None:
    page = tmp_path / "photo.jpg"
    page.write_bytes(FILES["a web page"])
    run = symface("symmetrize", page)
    assert run.status == 3 and run.err == f"symface: cannot read {page}: it is a web page; save it as JPEG or PNG\n"
