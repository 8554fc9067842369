"""PNG files as chunks: samples of 16 bits, which Pillow neither reads nor writes in color, and what is kept."""

import struct
import zlib
from collections.abc import Iterator

import numpy as np

from symface_cli.geometry.types import Pixels

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # channels, alpha included -> IHDR's color type
_KEPT = (b"cHRM", b"gAMA", b"sRGB", b"cICP", b"mDCV", b"cLLI", b"tEXt", b"zTXt", b"iTXt")
# Texts that tell the orientation and the size before the picture was turned, or hold thumbnails; what of it is still
# true is written anew.
_OUTDATED = (
    b"XML:com.adobe.xmp\0",
    b"Raw profile type exif\0",
    b"Raw profile type APP1\0",
    b"Raw profile type xmp\0",
    b"Raw profile type 8bim\0",
    b"exif:",
    b"tiff:",
    b"Thumb::",
)


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the chunks of a PNG file: type and contents."""
    at = len(_SIGNATURE)
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += 12 + length


def is_deep(data: bytes) -> bool:
    """Tell whether a file is a PNG with samples of 16 bits."""
    return data[12:16] == b"IHDR" and data[24] == 16


def is_gray_with_alpha(data: bytes) -> bool:
    """Tell whether a file is a PNG with two channels."""
    return data[12:16] == b"IHDR" and data[25] == 4


def bare(data: bytes) -> bytes:
    """Reduce a PNG to its pixels: other decoders warn about profiles, or apply what they find."""
    return _joined([chunk for chunk in chunks(data) if chunk[0] in (b"IHDR", b"IDAT", b"IEND")])


def kept_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Return what a PNG says about its colors beside a profile, and its texts, without EXIF and XMP."""
    return [(kind, content) for kind, content in chunks(data) if kind in _KEPT and not content.startswith(_OUTDATED)]


def with_deep_samples(data: bytes, samples: Pixels) -> bytes:
    """Replace the pixels of a PNG with a single IDAT by samples (H, W, 1..4) of 16 bits."""
    height, width, channels = samples.shape
    header = struct.pack(">IIBBBBB", width, height, 16, _COLOR_TYPES[channels], 0, 0, 0)
    replaced = {b"IHDR": header, b"IDAT": zlib.compress(_filtered(samples), 6)}
    return _joined([(kind, replaced.get(kind, content)) for kind, content in chunks(data)])


def _filtered(samples: Pixels) -> bytes:
    """Return rows of bytes, each less the pixel to its left: filter 1 of the PNG specification."""
    rows = np.ascontiguousarray(samples, ">u2").view(np.uint8).reshape(samples.shape[0], -1)
    step = 2 * samples.shape[2]
    filtered = np.ones((rows.shape[0], rows.shape[1] + 1), np.uint8)
    filtered[:, 1 : step + 1] = rows[:, :step]
    filtered[:, step + 1 :] = rows[:, step:] - rows[:, :-step]
    return filtered.tobytes()


def _joined(parts: list[tuple[bytes, bytes]]) -> bytes:
    return _SIGNATURE + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in parts
    )
