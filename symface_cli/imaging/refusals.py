"""Files that are no photos, or of kinds that are not read: what they are."""

import io
import re
from typing import Any

from PIL import Image


class RefusedError(Exception):
    """A file is not read, for a reason that is known.

    Attributes:
        extra: The extra that would read it; None if none would.
    """

    def __init__(self, reason: str, advice: str = "save it as JPEG or PNG", extra: str | None = None) -> None:
        """Take what the file is, and what to do."""
        super().__init__(reason if extra else f"{reason}; {advice}")
        self.extra = extra


PICTURES = 0xB002
"""The list of pictures in the index of a file that has several (CIPA DC-007)."""

# What files begin with, and what that makes them.
_SIGNATURES = (
    (rb"8BPS", "a Photoshop document (PSD)"),
    (rb"gimp xcf", "a GIMP document (XCF)"),
    (rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL picture"),
    (rb"II\xbc", "a JPEG XR picture"),
    (rb"%PDF-", "a PDF document"),
    (rb"%!PS|\xc5\xd0\xd3\xc6", "a PostScript document"),
    (rb"....ftyp(?:crx )", "a camera's raw file"),
    (rb"FUJIFILMCCD-RAW|II(?:R[OS]|U\0)|MMOR|FOVb|\0MRM|II\x1a\0\0\0HEAPCCDR", "a camera's raw file"),
    (rb"....ftyp(?:isom|iso[2-9]|mp4[12]|M4V |avc1|qt  |3g[p2].|dash|MSNV|f4v )|....(?:moov|mdat|wide)", "a video"),
    (rb"\x1aE\xdf\xa3|RIFF....AVI |\0\0\x01\xba|OggS|FLV\x01", "a video"),
    (rb".{128}DICM", "a DICOM file"),
    (rb"PK\x03\x04|PK\x05\x06|Rar!\x1a\x07|7z\xbc\xaf\x27\x1c|\x1f\x8b", "an archive"),
    (rb"version https://git-lfs", "a Git LFS pointer: the photo itself was not downloaded"),
    (rb"bplist00.*NSURL|bplist00", "a property list, such as iCloud's stand-in for a photo that was not downloaded"),
    (rb"SIMPLE  = ", "a FITS file"),
    (rb"\x89HDF\r\n\x1a\n", "an HDF5 file"),
    (rb"\x93NUMPY", "a NumPy array"),
    (rb"v/1\x01", "an OpenEXR picture"),
    (rb"#\?(?:RADIANCE|RGBE)", "a Radiance HDR picture"),
    (rb"\0\0\x01\0[\x01-\xff]\0", "an icon (ICO)"),
    (rb"DDS ", "a DDS texture"),
    (rb"qoif", "a QOI picture"),
    (rb"icns", "an icon (ICNS)"),
    (rb"AT&TFORM", "a DjVu document"),
    (rb"\xd7\xcd\xc6\x9a|\x01\0\0\0.{36} EMF", "a Windows metafile"),
)  # fmt: skip
# Of text, what comes first: a byte order mark, white space, an XML declaration, comments.
_TEXTS = (
    (rb"<!doctype html|<html|<head", "a web page"),
    (rb"<svg|<!doctype svg", "a drawing (SVG)"),
    (rb"<plist|<!doctype plist", "a property list, such as iCloud's stand-in for a photo that was not downloaded"),
    (rb"<x:xmpmeta|<\?xpacket", "XMP without its photo"),
    (rb"\{|\[", "a text (JSON)"),
    (rb"<", "a text (XML)"),
)
_BEFORE_TEXT = re.compile(rb"(?:\xef\xbb\xbf)?(?:\s+|<\?xml[^>]*\?>|<!--.*?-->)*", re.DOTALL)
_BEGINNING = 4096  # bytes that are looked at


def name_file(data: bytes) -> str | None:
    """Name what a file is by its beginning, if it is of a known kind that is not read; None for any other."""
    beginning = data[:_BEGINNING]
    for signature, name in _SIGNATURES:
        if re.match(signature, beginning, re.DOTALL):
            return name
    if data.startswith(b"\xff\xd8"):
        return _name_jpeg(data)
    before = _BEFORE_TEXT.match(beginning)
    text = beginning[before.end() if before else 0 :]
    return next((name for mark, name in _TEXTS if re.match(mark, text, re.IGNORECASE)), None)


def _name_jpeg(data: bytes) -> str | None:
    """Name the kind of JPEG that Pillow does not read, by the marker that begins its frame."""
    at = 2
    while at + 5 <= len(data) and data[at] == 0xFF:
        marker, precision = data[at + 1], data[at + 4]
        if marker == 0xF7:
            return "a JPEG-LS picture"
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # tables, an extension, arithmetic coding
            return None if precision == 8 else f"a JPEG of {precision} bits per sample"
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def refuse_preview(image: Image.Image, data: bytes) -> None:
    """Refuse a JPEG that is the preview of a larger picture behind it.

    Args:
        image: As Pillow opened it.
        data: The contents of its file.

    Raises:
        RefusedError: If it is one.
    """
    pictures: Any = getattr(image, "mpinfo", {}).get(PICTURES, ())
    at = data.find(b"MPF\0") + 4  # where offsets are counted from
    for picture in pictures[1:]:
        place = at + picture["DataOffset"]
        try:
            with Image.open(io.BytesIO(data[place : place + picture["Size"]]), formats=["JPEG"]) as other:
                width, height = other.size
        except Exception:  # noqa: BLE001 what cannot be read is not the photo
            continue
        if width * height > image.width * image.height:
            first = f"{image.width} x {image.height}"
            raise RefusedError(
                f"its first picture is a preview of {first} pixels, another has {width} x {height}",
                "save that as JPEG or PNG",
            )
