"""Picture files that are damaged, forged, odd, or claim too much."""

import random
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

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


def forged(kind: str, where: str, layout: str, *values: int) -> bytes:
    """A sound file with numbers packed over what it has, beginning somewhat after a mark."""
    mark, _, offset = where.partition("+")
    data = bytearray(SOUND[kind])
    struct.pack_into(layout, data, data.index(mark.encode("latin-1")) + int(offset), *values)
    return bytes(data)


MANY_ZEROS = zlib.compress(bytes(200_000_000), 1)  # three times as fast as level 9
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
ODD = {
    "wide": np.tile(NOISE[:10], (1, 938, 1))[:, :30_000],
    "tall": np.tile(NOISE[:, :10], (1250, 1, 1)),
    "1 x 1": NOISE[:1, :1],
}
