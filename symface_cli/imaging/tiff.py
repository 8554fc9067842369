"""TIFF files with samples of 8 or 16 bits, which Pillow writes in part only."""

import struct
import zlib
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from symface_cli.imaging.exif import (
    LONG,
    ORIENTATION,
    RATIONAL,
    SHORT,
    UNDEFINED,
    Directory,
    Field,
    Order,
    bare_exif,
    pack_file,
    pack_numbers,
    read_description,
)

_STRIP_SIZE = 2**20  # bytes, about, before compression


def encode_tiff(
    samples: NDArray[Any],
    alpha: bool,
    compressed: bool,
    exif: bytes | None = None,
    dpi: tuple[float, float] | None = None,
    blocks: Mapping[int, bytes] | None = None,
) -> bytes:
    """Encodes a TIFF file.

    Args:
        samples: (H, W, C) uint8 or uint16: gray, RGB or CMYK, and perhaps alpha.
        alpha: Whether the last channel is alpha (not associated).
        compressed: With deflate and horizontal differences, or not at all.
        exif: EXIF; what it says about the picture is taken over, and its byte order.
        dpi: Resolution, where the EXIF has none.
        blocks: Further fields that are bytes, by tag: XMP, ICC profile.
    """
    try:
        order, directory = read_description(bare_exif(exif or b""))
    except (KeyError, ValueError, struct.error):
        order, directory = "<", {}
    if dpi and not {282, 283} & directory.keys():
        directory |= {282 + axis: pack_numbers(order, RATIONAL, round(dpi[axis] * 1000), 1000) for axis in (0, 1)}
        directory[296] = pack_numbers(order, SHORT, 2)  # per inch
    directory |= {tag: Field(UNDEFINED, len(block), block) for tag, block in (blocks or {}).items()}
    samples = samples.astype(samples.dtype.newbyteorder(order), copy=False)
    rows = max(1, _STRIP_SIZE // samples[0].nbytes)
    strips = [_strip(samples[top : top + rows], compressed) for top in range(0, len(samples), rows)]
    return pack_file(order, strips, directory | _layout(samples, alpha, compressed, rows, order))


def _layout(samples: NDArray[Any], alpha: bool, compressed: bool, rows: int, order: Order) -> Directory:
    """The fields that say how the samples are stored, but for the places of the strips."""
    height, width, channels = samples.shape
    layout: Directory = {
        256: pack_numbers(order, LONG, width),
        257: pack_numbers(order, LONG, height),
        258: pack_numbers(order, SHORT, *[8 * samples.itemsize] * channels),
        259: pack_numbers(order, SHORT, 8 if compressed else 1),
        262: pack_numbers(order, SHORT, {1: 1, 3: 2, 4: 5}[channels - alpha]),  # gray, RGB, CMYK
        ORIENTATION: pack_numbers(order, SHORT, 1),
        277: pack_numbers(order, SHORT, channels),
        278: pack_numbers(order, LONG, rows),
        284: pack_numbers(order, SHORT, 1),  # channels side by side
        317: pack_numbers(order, SHORT, 2 if compressed else 1),
    }
    if alpha:
        layout[338] = pack_numbers(order, SHORT, 2)
    return layout


def _strip(samples: NDArray[Any], compressed: bool) -> bytes:
    if not compressed:
        return samples.tobytes()
    differences = samples.copy()
    differences[:, 1:] -= samples[:, :-1]
    return zlib.compress(differences.tobytes(), 6)
