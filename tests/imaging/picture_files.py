"""Picture files for the tests: of every kind that a library writes, and of kinds that none does."""

import io
import struct
import zlib
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

Image.init()
AVIF = ["AVIF"] if "AVIF" in Image.SAVE else []  # since Pillow 11.3
SUFFIXES = [".jpg", ".png", ".tif", ".webp", *(".avif" for _ in AVIF)]

UPRIGHT = (np.arange(36, dtype=np.uint8) * 7).reshape(3, 4, 3)  # all samples different
NOISE = np.random.default_rng(5).integers(0, 256, (24, 32, 3), dtype=np.uint8)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
# The primaries' names are exchanged: what this profile calls red is sRGB's green.
SWAPPED = SRGB.replace(b"rXYZ", b"????", 1).replace(b"gXYZ", b"rXYZ", 1).replace(b"????", b"gXYZ", 1)

PALETTE = (10, 20, 30, 200, 100, 50)
DEEP = np.random.default_rng(7).integers(0, 65536, (24, 32, 4), dtype=np.uint16)
FROM_OPENCV = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}


# EXIF 2.32, tag 0x0112: which upright pixel is stored in row i, column j; h and w are the upright size.
STORED_FROM_UPRIGHT = {
    1: lambda i, j, h, w: (i, j),
    2: lambda i, j, h, w: (i, w - 1 - j),
    3: lambda i, j, h, w: (h - 1 - i, w - 1 - j),
    4: lambda i, j, h, w: (h - 1 - i, j),
    5: lambda i, j, h, w: (j, i),
    6: lambda i, j, h, w: (j, w - 1 - i),
    7: lambda i, j, h, w: (h - 1 - j, w - 1 - i),
    8: lambda i, j, h, w: (h - 1 - j, i),
}


def stored(upright: NDArray[Any], orientation: int) -> NDArray[Any]:
    h, w = upright.shape[:2]
    rows, columns = (h, w) if orientation < 5 else (w, h)
    where = STORED_FROM_UPRIGHT[orientation]
    return np.array([[upright[where(i, j, h, w)] for j in range(columns)] for i in range(rows)])


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


def saved(image: Image.Image | NDArray[Any], format: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(buffer, format, **options)
    return buffer.getvalue()


def row(mode: str, *pixels: Any, palette: tuple[int, ...] = ()) -> Image.Image:
    image = Image.new(mode, (len(pixels), 1))
    if palette:
        image.putpalette(palette)
    for x, pixel in enumerate(pixels):
        image.putpixel((x, 0), pixel)
    return image


def tiff(samples: NDArray[Any], photometric: int, orientation: int = 1, planar: bool = False) -> bytes:
    """An uncompressed little-endian TIFF, of the kinds that Pillow does not write."""
    h, w = samples.shape[:2]
    count = samples.size // (h * w)
    pixels, strips = (np.moveaxis(samples, -1, 0).tobytes(), count) if planar else (samples.tobytes(), 1)
    kind = {"u": 1, "i": 2, "f": 3}[samples.dtype.kind]
    tags = {256: [w], 257: [h], 258: [samples.itemsize * 8] * count, 259: [1], 262: [photometric], 273: [0] * strips}
    tags |= {274: [orientation], 277: [count], 278: [h], 279: [len(pixels) // strips] * strips}
    tags |= {284: [1 + planar], 339: [kind] * count}
    start = 10 + 12 * len(tags) + 4
    pixels_at = start + sum(4 * len(values) for values in tags.values() if len(values) > 1)
    tags[273] = [pixels_at + k * len(pixels) // strips for k in range(strips)]
    entries, more = b"", b""
    for tag, values in tags.items():
        packed = struct.pack(f"<{len(values)}I", *values)
        if len(packed) > 4:
            packed, more = struct.pack("<I", start + len(more)), more + packed
        entries += struct.pack("<HHI", tag, 4, len(values)) + packed
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + more + pixels


def png_that_claims(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [header, b"IDAT" + zlib.compress(bytes(99)), b"IEND"]
    packed = [struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def linear_gray_profile() -> bytes:
    """ICC 2.1: a header, a white point (D50) and a curve without entries, that is, gamma 1."""
    d50 = struct.pack(">3i", 63190, 65536, 54061)
    data = b"XYZ \0\0\0\0" + d50 + b"curv\0\0\0\0" + bytes(4)
    tags = struct.pack(">I4sII4sII", 2, b"wtpt", 156, 20, b"kTRC", 176, 12)
    header = struct.pack(">I4sI4s4s4s12s4s", 188, b"lcms", 0x02100000, b"mntr", b"GRAY", b"XYZ ", bytes(12), b"acsp")
    return (header.ljust(68, b"\0") + d50).ljust(128, b"\0") + tags + data


def png(samples: NDArray[Any], *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG without filters, of the kinds that Pillow does not write; chunks come before the pixels."""
    height, width, channels = samples.shape
    header = struct.pack(">IIBBBBB", width, height, 8 * samples.itemsize, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0)
    rows = b"".join(b"\0" + line.astype(samples.dtype.newbyteorder(">")).tobytes() for line in samples)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    packed = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def deep(extension: str, channels: int) -> bytes:
    """16 bits, as OpenCV writes them."""
    return bytes(cv2.imencode(extension, DEEP[..., FROM_OPENCV[channels]])[1])


def as_opencv_reads(data: bytes) -> NDArray[Any]:
    """Samples of 8 or 16 bits in RGB order, with alpha where there is one."""
    samples = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    samples = samples.reshape(*samples.shape[:2], -1)
    return samples[..., FROM_OPENCV[samples.shape[2]]]


def as_pillow_reads(data: bytes) -> NDArray[Any]:
    """Samples of 8 bits as stored, without a turn."""
    image = Image.open(io.BytesIO(data))
    return np.asarray(image).reshape(image.height, image.width, -1)


NOTE = b"\1note\2\3\4"


def camera_exif(order: str, orientation: int = 6) -> bytes:
    """EXIF as cameras write it, with a maker note (at 104), a place and a thumbnail (at 142)."""
    magic = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(order + "I", 8)
    first = struct.pack(order + "HHHII", 4, 0x010F, 2, 6, 62)  # at 8: make
    first += struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0)
    first += struct.pack(order + "HHIIHHIII", 0x8769, 4, 1, 68, 0x8825, 4, 1, 86, 112) + b"Maker\0"
    details = struct.pack(order + "HHHIII", 1, 0x927C, 7, 8, 104, 0)  # at 68
    place = struct.pack(order + "HHHI4sI", 1, 1, 2, 2, b"N", 0)  # at 86: latitude is north
    second = struct.pack(order + "HHHIIHHIII", 2, 0x0201, 4, 1, 142, 0x0202, 4, 1, 8, 0)  # at 112
    return b"Exif\0\0" + magic + first + details + place + NOTE + second + b"thumb!!!"


LOSSLESS = {
    f"{format} {image.mode} {options}": saved(image, format, **options)
    for format, options in (
        ("PNG", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"compression": "packbits"}),
        ("WEBP", {"lossless": True, "exact": True}),
        ("BMP", {}),
    )
    for image in (Image.fromarray(NOISE[..., 0]), Image.fromarray(NOISE), Image.fromarray((DEEP >> 8).astype(np.uint8)))
    if (format, image.mode) != ("BMP", "RGBA")
}
LOSSLESS |= {f"16-bit {ext} {channels}": deep(ext, channels) for ext in (".png", ".tif") for channels in (1, 3, 4)}
LOSSLESS |= {
    "CMYK": saved(Image.frombytes("CMYK", (24, 24), NOISE.tobytes()), "TIFF"),
    "palette": saved(row("P", 1, 0, palette=PALETTE)),
    "16-bit gray with alpha": png(DEEP[..., :2]),
}
