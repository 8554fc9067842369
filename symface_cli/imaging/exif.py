"""TIFF directories, of which EXIF is one: read them, turn them upright, pack them with maker notes in place."""

import struct
from dataclasses import dataclass
from enum import IntEnum
from itertools import accumulate
from typing import Literal, TypeAlias


class Tag(IntEnum):
    """Numbers of the fields (TIFF 6.0, EXIF 2.3, and what Adobe and Microsoft added)."""

    IMAGE_WIDTH = 256
    IMAGE_LENGTH = 257
    BITS_PER_SAMPLE = 258
    COMPRESSION = 259
    PHOTOMETRIC = 262
    DESCRIPTION = 270
    MAKE = 271
    MODEL = 272
    STRIP_OFFSETS = 273
    ORIENTATION = 274
    SAMPLES_PER_PIXEL = 277
    ROWS_PER_STRIP = 278
    STRIP_BYTE_COUNTS = 279
    X_RESOLUTION = 282
    Y_RESOLUTION = 283
    PLANAR_CONFIGURATION = 284
    RESOLUTION_UNIT = 296
    SOFTWARE = 305
    DATE_TIME = 306
    ARTIST = 315
    HOST_COMPUTER = 316
    PREDICTOR = 317
    EXTRA_SAMPLES = 338
    SAMPLE_FORMAT = 339
    THUMBNAIL_OFFSET = 513
    THUMBNAIL_LENGTH = 514
    XMP = 700
    RATING = 18246
    RATING_PERCENT = 18249
    COPYRIGHT = 33432
    IPTC = 33723
    ICC_PROFILE = 34675
    EXIF_DIRECTORY = 34665
    GPS_DIRECTORY = 34853
    WINDOWS_TITLE = 40091
    WINDOWS_COMMENT = 40092
    WINDOWS_AUTHOR = 40093
    WINDOWS_KEYWORDS = 40094
    WINDOWS_SUBJECT = 40095
    INTEROPERABILITY_DIRECTORY = 40965


SHORT, LONG, RATIONAL, UNDEFINED = 3, 4, 5, 7  # types of a field's values
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, SEPARATED = 0, 1, 2, 5  # values of PHOTOMETRIC; the last is CMYK
INTERLEAVED, PLANES = 1, 2  # of PLANAR_CONFIGURATION: a pixel's channels side by side, or each channel alone
UNSIGNED, FLOAT = 1, 3  # of SAMPLE_FORMAT
Order: TypeAlias = Literal["<", ">"]
_ORDERS: dict[bytes, Order] = {b"II*\0": "<", b"MM\0*": ">"}
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}  # bytes of a value, by type
# Fields that point to a directory.
_DIRECTORIES = {Tag.EXIF_DIRECTORY, Tag.GPS_DIRECTORY, Tag.INTEROPERABILITY_DIRECTORY}
# What a file's first directory says about the picture, not about how the file stores it.
_DESCRIPTIVE = {
    Tag.DESCRIPTION,
    Tag.MAKE,
    Tag.MODEL,
    Tag.X_RESOLUTION,
    Tag.Y_RESOLUTION,
    Tag.RESOLUTION_UNIT,
    Tag.SOFTWARE,
    Tag.DATE_TIME,
    Tag.ARTIST,
    Tag.HOST_COMPUTER,
    Tag.RATING,
    Tag.RATING_PERCENT,
    Tag.COPYRIGHT,
    Tag.IPTC,
    Tag.EXIF_DIRECTORY,
    Tag.GPS_DIRECTORY,
    Tag.WINDOWS_TITLE,
    Tag.WINDOWS_COMMENT,
    Tag.WINDOWS_AUTHOR,
    Tag.WINDOWS_KEYWORDS,
    Tag.WINDOWS_SUBJECT,
}


@dataclass(frozen=True)
class Field:
    """A field of a directory: its type, the number of its values, and these values as they are stored."""

    kind: int
    count: int
    data: bytes


Directory: TypeAlias = "dict[int, Field | Directory]"


def upright_exif(exif: bytes) -> bytes | None:
    """Return the EXIF of a picture that has been turned upright: orientation 1, no thumbnail, all else in its place.

    None if it is damaged.
    """
    data = bytearray(bare_exif(exif))
    try:
        order, at = _header(data)
        (count,) = struct.unpack_from(order + "H", data, at)
        for entry in range(at + 2, at + 2 + 12 * count, 12):
            if struct.unpack_from(order + "H", data, entry)[0] == Tag.ORIENTATION:
                struct.pack_into(order + "HIHH", data, entry + 2, SHORT, 1, 1, 0)
        (second,) = struct.unpack_from(order + "I", data, at + 2 + 12 * count)
        struct.pack_into(order + "I", data, at + 2 + 12 * count, 0)
    except (KeyError, struct.error):
        return None
    return b"Exif\0\0" + _without_thumbnail(data, order, second)


def exif_of(data: bytes) -> bytes | None:
    """Return what a TIFF file's first directory says about the picture, as EXIF; None if nothing, or it is damaged."""
    try:
        order, directory = read_description(data)
    except (KeyError, ValueError, struct.error):
        return None
    return b"Exif\0\0" + pack_file(order, [], directory) if directory else None


def pack_numbers(order: Order, kind: int, *values: int) -> Field:
    """Pack numbers into a field, in a byte order; two for each rational."""
    count = len(values) // 2 if kind == RATIONAL else len(values)
    return Field(kind, count, struct.pack(f"{order}{len(values)}{'H' if kind == SHORT else 'I'}", *values))


def pack_file(order: Order, strips: list[bytes], directory: Directory) -> bytes:
    """Pack a file: header, strips, directory."""
    if strips:
        directory[Tag.STRIP_OFFSETS] = pack_numbers(order, LONG, *accumulate(map(len, strips[:-1]), initial=8))
        directory[Tag.STRIP_BYTE_COUNTS] = pack_numbers(order, LONG, *map(len, strips))
    pixels = b"".join(strips)
    pixels += bytes(len(pixels) % 2)  # a directory begins at an even place
    header = next(mark for mark, known in _ORDERS.items() if known == order) + struct.pack(order + "I", 8 + len(pixels))
    return header + pixels + _packed(order, directory, 8 + len(pixels))


def read_description(data: bytes) -> tuple[Order, Directory]:
    """Return the byte order of a TIFF file or of EXIF, and what its first directory says about the picture."""
    order, at = _header(data)
    directory = _nested(data, order, at)
    return order, {tag: directory[tag] for tag in _DESCRIPTIVE & directory.keys()}


def bare_exif(exif: bytes) -> bytes:
    """Remove the leading "Exif"."""
    return exif.removeprefix(b"Exif\0\0")


def _without_thumbnail(data: bytearray, order: Order, second: int) -> bytes:
    """Remove the thumbnail of the second directory at `second`, to which nothing points any longer."""
    try:
        fields = _fields(data, order, second) if second else {}
        places = (fields[tag].data for tag in (Tag.THUMBNAIL_OFFSET, Tag.THUMBNAIL_LENGTH))
        start, size = (struct.unpack(order + "I", place)[0] for place in places)
    except (KeyError, ValueError, struct.error):
        return bytes(data)
    if start > second and start + size >= len(data):  # where cameras put it
        return bytes(data[:start])
    if second < start:
        data[start : start + size] = bytes(size)
    return bytes(data)


def _header(data: bytes | bytearray) -> tuple[Order, int]:
    """Return the byte order, and where the first directory lies."""
    order = _ORDERS[bytes(data[:4])]
    (at,) = struct.unpack_from(order + "I", data, 4)
    return order, at


def _fields(data: bytes | bytearray, order: Order, at: int) -> dict[int, Field]:
    """Return the fields of the directory at `at`, without those that lie beyond the end."""
    fields: dict[int, Field] = {}
    (count,) = struct.unpack_from(order + "H", data, at)
    total = 0
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind, number = struct.unpack_from(order + "HHI", data, entry)
        size = _SIZES.get(kind, 0) * number
        start = entry + 8 if size <= 4 else struct.unpack_from(order + "I", data, entry + 8)[0]
        total += size
        if total > len(data):
            raise ValueError("the directory claims more than the file holds")
        if 0 < size <= len(data) - start:
            fields[tag] = Field(kind, number, bytes(data[start : start + size]))
    return fields


def _nested(data: bytes, order: Order, at: int, depth: int = 2) -> Directory:
    """Return the directory at `at`, with those that it points to in the place of their offsets."""
    directory: Directory = {}
    for tag, field in _fields(data, order, at).items():
        if tag not in _DIRECTORIES:
            directory[tag] = field
        elif depth and len(field.data) == 4:
            directory[tag] = _nested(data, order, struct.unpack(order + "I", field.data)[0], depth - 1)
    return directory


def _packed(order: Order, directory: Directory, at: int) -> bytes:
    """Pack a directory that will lie at `at`, and what it points to."""
    entries, more = b"", b""
    end = at + 2 + 12 * len(directory) + 4
    for tag, field in sorted(directory.items()):
        where = end + len(more)
        if isinstance(field, dict):
            more += _packed(order, field, where)
            field = Field(LONG, 1, struct.pack(order + "I", where))
        elif len(field.data) > 4:
            more += field.data + bytes(len(field.data) % 2)
            field = Field(field.kind, field.count, struct.pack(order + "I", where))
        entries += struct.pack(order + "HHI", tag, field.kind, field.count) + field.data.ljust(4, b"\0")
    return struct.pack(order + "H", len(directory)) + entries + bytes(4) + more
