"""TIFF directories, of which EXIF is one: read, pack, let them follow a picture; maker notes stay in place."""

import struct
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from itertools import accumulate
from typing import Literal, TypeAlias

from symface_cli.imaging.metadata.move import Move


class Tag(IntEnum):
    """Numbers of the fields (TIFF 6.0, EXIF 2.3, and what Adobe and Microsoft added)."""

    NEW_SUBFILE_TYPE = 254
    SUBFILE_TYPE = 255
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
    SUB_DIRECTORIES = 330
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
    DNG_VERSION = 50706
    WINDOWS_TITLE = 40091
    WINDOWS_COMMENT = 40092
    WINDOWS_AUTHOR = 40093
    WINDOWS_KEYWORDS = 40094
    WINDOWS_SUBJECT = 40095
    PIXEL_WIDTH = 40962
    PIXEL_HEIGHT = 40963
    INTEROPERABILITY_DIRECTORY = 40965
    FOCAL_PLANE_X_RESOLUTION = 41486
    FOCAL_PLANE_Y_RESOLUTION = 41487
    SUBJECT_AREA = 37396
    SUBJECT_LOCATION = 41492
    RELATED_WIDTH = 4097
    RELATED_HEIGHT = 4098


SHORT, LONG, RATIONAL, UNDEFINED = 3, 4, 5, 7  # types of a field's values
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, SEPARATED = 0, 1, 2, 5  # values of PHOTOMETRIC; the last is CMYK
INTERLEAVED, PLANES = 1, 2  # of PLANAR_CONFIGURATION: a pixel's channels side by side, or each channel alone
UNSIGNED, FLOAT = 1, 3  # of SAMPLE_FORMAT
Order: TypeAlias = Literal["<", ">"]
_ORDERS: dict[bytes, Order] = {b"II*\0": "<", b"MM\0*": ">"}
_WIDE_ORDERS: dict[bytes, Order] = {b"II+\0": "<", b"MM\0+": ">"}  # of BigTIFF
TIFF_MARKS = frozenset(_ORDERS) | frozenset(_WIDE_ORDERS)
"""What a TIFF file begins with."""
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}  # bytes of a value, by type
_WIDE_SIZES = {16: 8, 17: 8, 18: 8}  # of BigTIFF
# Fields that point to a directory.
_DIRECTORIES = {Tag.EXIF_DIRECTORY, Tag.GPS_DIRECTORY, Tag.INTEROPERABILITY_DIRECTORY}
_WHOLE_NUMBERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}  # letters of `struct`, by type
_WIDTHS = (Tag.IMAGE_WIDTH, Tag.PIXEL_WIDTH, Tag.RELATED_WIDTH)
_HEIGHTS = (Tag.IMAGE_LENGTH, Tag.PIXEL_HEIGHT, Tag.RELATED_HEIGHT)
_PLACES = {Tag.SUBJECT_AREA, Tag.SUBJECT_LOCATION}  # in the pixels of the file
# Across and down.
_SIDES = (
    (Tag.X_RESOLUTION, Tag.Y_RESOLUTION),
    (Tag.FOCAL_PLANE_X_RESOLUTION, Tag.FOCAL_PLANE_Y_RESOLUTION),
)
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


@dataclass(frozen=True)
class Layout:
    """How a file's directories are laid out: its byte order, and whether it is a BigTIFF."""

    order: Order
    wide: bool = False


def follow_exif(exif: bytes, move: Move) -> bytes | None:
    """Return the EXIF of a picture that was moved: upright, its size what it is now, no thumbnail, the rest in place.

    Where its subject lies is left out if the pixels lie elsewhere now. None if it is damaged.
    """
    data = bytearray(bare_exif(exif))
    try:
        layout, at = read_header(data)
        if layout.wide:
            return None
        second = _update(data, layout.order, at, move, depth=2)
    except (KeyError, struct.error):
        return None
    return b"Exif\0\0" + _without_thumbnail(data, layout, second)


def _update(data: bytearray, order: Order, at: int, move: Move, depth: int) -> int:
    """Let the directory at `at`, and those that it points to, follow a picture; return where the next one was.

    Raises:
        struct.error: If it lies beyond the end.
    """
    (count,) = struct.unpack_from(order + "H", data, at)
    places = [at + 2 + 12 * index for index in range(count)]
    entries = {struct.unpack_from(order + "H", data, place)[0]: place for place in places}
    end = at + 2 + 12 * count
    (following,) = struct.unpack_from(order + "I", data, end)
    struct.pack_into(order + "I", data, end, 0)
    for tag in _DIRECTORIES & entries.keys():
        (inner,) = struct.unpack_from(order + "I", data, entries[tag] + 8)
        if depth and inner != at:
            with suppress(struct.error):  # the rest is good without it
                _update(data, order, inner, move, depth - 1)
    _set_values(data, order, entries, move)
    if move.moved:
        for place in sorted((entries[tag] for tag in _PLACES & entries.keys()), reverse=True):
            data[place : end + 4] = data[place + 12 : end + 4] + bytes(12)
            count -= 1
        struct.pack_into(order + "H", data, at, count)
    return int(following)


def _set_values(data: bytearray, order: Order, entries: Mapping[int, int], move: Move) -> None:
    if Tag.ORIENTATION in entries:
        struct.pack_into(order + "HIHH", data, entries[Tag.ORIENTATION] + 2, SHORT, 1, 1, 0)
    sizes = {tag: size for tags, size in ((_WIDTHS, move.width), (_HEIGHTS, move.height)) for tag in tags}
    for tag in sizes.keys() & entries.keys():
        struct.pack_into(order + "HII", data, entries[tag] + 2, LONG, 1, sizes[tag])
    for across, down in _SIDES:
        if move.turned and {across, down} <= entries.keys():
            first, second = (slice(entries[tag] + 2, entries[tag] + 12) for tag in (across, down))
            data[first], data[second] = data[second], data[first]


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


def unpack_numbers(order: Order, field: Field) -> tuple[int, ...]:
    """Return the whole numbers of a field, in a byte order; none of another type."""
    kind = _WHOLE_NUMBERS.get(field.kind)
    return () if kind is None else struct.unpack(f"{order}{field.count}{kind}", field.data)


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
    layout, at = read_header(data)
    directory = _nested(data, layout, at)
    return layout.order, {tag: directory[tag] for tag in _DESCRIPTIVE & directory.keys()}


def bare_exif(exif: bytes) -> bytes:
    """Remove the leading "Exif"."""
    return exif.removeprefix(b"Exif\0\0")


def _without_thumbnail(data: bytearray, layout: Layout, second: int) -> bytes:
    """Remove the thumbnail of the second directory at `second`, to which nothing points any longer."""
    try:
        fields = read_fields(data, layout, second)[0] if second else {}
        places = (fields[tag].data for tag in (Tag.THUMBNAIL_OFFSET, Tag.THUMBNAIL_LENGTH))
        start, size = (struct.unpack(layout.order + "I", place)[0] for place in places)
    except (KeyError, ValueError, struct.error):
        return bytes(data)
    if start > second and start + size >= len(data):  # where cameras put it
        return bytes(data[:start])
    if second < start:
        data[start : start + size] = bytes(size)
    return bytes(data)


def read_header(data: bytes | bytearray) -> tuple[Layout, int]:
    """Return how a file is laid out, and where its first directory lies.

    Raises:
        KeyError: If it is no TIFF.
        struct.error: If it is cut short.
    """
    mark = bytes(data[:4])
    if mark in _WIDE_ORDERS:
        return Layout(_WIDE_ORDERS[mark], wide=True), struct.unpack_from(_WIDE_ORDERS[mark] + "Q", data, 8)[0]
    return Layout(_ORDERS[mark]), struct.unpack_from(_ORDERS[mark] + "I", data, 4)[0]


def read_fields(
    data: bytes | bytearray, layout: Layout, at: int, needed: Collection[int] = ()
) -> tuple[dict[int, Field], int]:
    """Return the fields of the directory at `at`, without those that lie beyond the end, and where the next one lies.

    Raises:
        ValueError: If it claims more than the file holds, or one of the `needed` fields lies beyond the end.
        struct.error: If it lies beyond the end.
    """
    counted, entry_format, inline = ("Q", "HHQ", 8) if layout.wide else ("H", "HHI", 4)
    sizes = _SIZES | _WIDE_SIZES if layout.wide else _SIZES
    pointer = layout.order + ("Q" if layout.wide else "I")
    fields: dict[int, Field] = {}
    (count,) = struct.unpack_from(layout.order + counted, data, at)
    first, step = at + struct.calcsize("=" + counted), struct.calcsize("=" + entry_format) + inline
    if count * step > len(data):
        raise ValueError("the directory claims more than the file holds")
    total = 0
    for entry in range(first, first + step * count, step):
        tag, kind, number = struct.unpack_from(layout.order + entry_format, data, entry)
        size, value = sizes.get(kind, 0) * number, entry + step - inline
        start = value if size <= inline else struct.unpack_from(pointer, data, value)[0]
        total += size
        if total > len(data):
            raise ValueError("the directory claims more than the file holds")
        if 0 < size <= len(data) - start:
            fields.setdefault(tag, Field(kind, number, bytes(data[start : start + size])))  # as libtiff, of several
        elif tag in needed:
            raise ValueError(f"field {tag} lies beyond the end")
    (following,) = struct.unpack_from(pointer, data, first + step * count)
    return fields, following


def _nested(data: bytes, layout: Layout, at: int, depth: int = 2) -> Directory:
    """Return the directory at `at`, with those that it points to in the place of their offsets."""
    directory: Directory = {}
    for tag, field in read_fields(data, layout, at)[0].items():
        if tag not in _DIRECTORIES:
            if field.kind in _SIZES:
                directory[tag] = field
        elif depth and len(field.data) in (4, 8):
            place = int.from_bytes(field.data, "little" if layout.order == "<" else "big")
            directory[tag] = _nested(data, layout, place, depth - 1)
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
