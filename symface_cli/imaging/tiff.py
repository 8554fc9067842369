"""Write TIFF files with samples of 8 or 16 bits, which Pillow does in part only."""

import struct
import zlib
from collections.abc import Mapping

from symface_cli.geometry.types import Pixels
from symface_cli.imaging.metadata.exif import (
    BLACK_IS_ZERO,
    INTERLEAVED,
    LONG,
    RATIONAL,
    RGB,
    SEPARATED,
    SHORT,
    UNDEFINED,
    Directory,
    Field,
    Order,
    Tag,
    bare_exif,
    pack_file,
    pack_numbers,
    read_description,
)

_STRIP_SIZE = 2**20  # bytes, about, before compression
_PHOTOMETRIC = {1: BLACK_IS_ZERO, 3: RGB, 4: SEPARATED}  # by the number of channels without alpha
_UNCOMPRESSED, _DEFLATE = 1, 8  # values of COMPRESSION
_NO_PREDICTOR, _DIFFERENCES = 1, 2  # of PREDICTOR
_INCH = 2  # of RESOLUTION_UNIT
_UNASSOCIATED_ALPHA = 2  # of EXTRA_SAMPLES


def encode_tiff(
    samples: Pixels,
    alpha: bool,
    compressed: bool,
    exif: bytes | None = None,
    dpi: tuple[float, float] | None = None,
    blocks: Mapping[int, bytes] | None = None,
) -> bytes:
    """Encode a TIFF file.

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
    if dpi and not {Tag.X_RESOLUTION, Tag.Y_RESOLUTION} & directory.keys():
        across, down = (pack_numbers(order, RATIONAL, round(value * 1000), 1000) for value in dpi)
        directory |= {Tag.X_RESOLUTION: across, Tag.Y_RESOLUTION: down}
        directory[Tag.RESOLUTION_UNIT] = pack_numbers(order, SHORT, _INCH)
    directory |= {tag: Field(UNDEFINED, len(block), block) for tag, block in (blocks or {}).items()}
    samples = samples.astype(samples.dtype.newbyteorder(order), copy=False)
    rows = max(1, _STRIP_SIZE // samples[0].nbytes)
    strips = [_strip(samples[top : top + rows], compressed) for top in range(0, len(samples), rows)]
    return pack_file(order, strips, directory | _layout(samples, alpha, compressed, rows, order))


def _layout(samples: Pixels, alpha: bool, compressed: bool, rows: int, order: Order) -> Directory:
    """Return the fields that say how the samples are stored, but for the places of the strips."""
    height, width, channels = samples.shape
    layout: Directory = {
        Tag.IMAGE_WIDTH: pack_numbers(order, LONG, width),
        Tag.IMAGE_LENGTH: pack_numbers(order, LONG, height),
        Tag.BITS_PER_SAMPLE: pack_numbers(order, SHORT, *[8 * samples.itemsize] * channels),
        Tag.COMPRESSION: pack_numbers(order, SHORT, _DEFLATE if compressed else _UNCOMPRESSED),
        Tag.PHOTOMETRIC: pack_numbers(order, SHORT, _PHOTOMETRIC[channels - alpha]),
        Tag.ORIENTATION: pack_numbers(order, SHORT, 1),
        Tag.SAMPLES_PER_PIXEL: pack_numbers(order, SHORT, channels),
        Tag.ROWS_PER_STRIP: pack_numbers(order, LONG, rows),
        Tag.PLANAR_CONFIGURATION: pack_numbers(order, SHORT, INTERLEAVED),
        Tag.PREDICTOR: pack_numbers(order, SHORT, _DIFFERENCES if compressed else _NO_PREDICTOR),
    }
    if alpha:
        layout[Tag.EXTRA_SAMPLES] = pack_numbers(order, SHORT, _UNASSOCIATED_ALPHA)
    return layout


def _strip(samples: Pixels, compressed: bool) -> bytes:
    if not compressed:
        return samples.tobytes()
    differences = samples.copy()
    differences[:, 1:] -= samples[:, :-1]
    return zlib.compress(differences.tobytes(), 6)
