"""TIFF directories, of which EXIF is one: read, turned upright, packed with maker notes in their places."""

import struct
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal, TypeAlias

ORIENTATION = 0x0112
SHORT, LONG, RATIONAL, UNDEFINED = 3, 4, 5, 7
Order: TypeAlias = Literal["<", ">"]
_ORDERS: dict[bytes, Order] = {b"II*\0": "<", b"MM\0*": ">"}
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}  # bytes of a value, by type
_DIRECTORIES = {0x8769, 0x8825, 0xA005}  # EXIF, GPS, interoperability: fields that point to a directory
_THUMBNAIL_AT, _THUMBNAIL_SIZE = 0x0201, 0x0202
# What a file's first directory says about the picture, not about how the file stores it: description, make, model,
# resolution (3), software, date, artist, host, rating (2), copyright, IPTC, EXIF, GPS, and what Windows adds (5).
_DESCRIPTIVE = {270, 271, 272, 282, 283, 296, 305, 306, 315, 316, 18246, 18249, 33432, 33723, 0x8769, 0x8825}
_DESCRIPTIVE |= set(range(40091, 40096))


@dataclass(frozen=True)
class Field:
    """A field of a directory: its type, the number of its values, and these values as they are stored."""

    kind: int
    count: int
    data: bytes


Directory: TypeAlias = "dict[int, Field | Directory]"


def upright_exif(exif: bytes) -> bytes | None:
    """The EXIF of a picture that has been turned upright: orientation 1, no thumbnail, all else in its place.

    Returns None if it is damaged.
    """
    data = bytearray(bare_exif(exif))
    try:
        order, at = _header(data)
        (count,) = struct.unpack_from(order + "H", data, at)
        for entry in range(at + 2, at + 2 + 12 * count, 12):
            if struct.unpack_from(order + "H", data, entry)[0] == ORIENTATION:
                struct.pack_into(order + "HIHH", data, entry + 2, SHORT, 1, 1, 0)
        (second,) = struct.unpack_from(order + "I", data, at + 2 + 12 * count)
        struct.pack_into(order + "I", data, at + 2 + 12 * count, 0)
    except (KeyError, struct.error):
        return None
    return b"Exif\0\0" + _without_thumbnail(data, order, second)


def exif_of(data: bytes) -> bytes | None:
    """What the first directory of a TIFF file says about the picture, as EXIF; None if nothing, or it is damaged."""
    try:
        order, directory = read_description(data)
    except (KeyError, ValueError, struct.error):
        return None
    return b"Exif\0\0" + pack_file(order, [], directory) if directory else None


def pack_numbers(order: Order, kind: int, *values: int) -> Field:
    """A field of numbers in a byte order; two for each rational."""
    count = len(values) // 2 if kind == RATIONAL else len(values)
    return Field(kind, count, struct.pack(f"{order}{len(values)}{'H' if kind == SHORT else 'I'}", *values))


def pack_file(order: Order, strips: list[bytes], directory: Directory) -> bytes:
    """A file: header, strips, directory."""
    if strips:
        directory[273] = pack_numbers(order, LONG, *accumulate(map(len, strips[:-1]), initial=8))
        directory[279] = pack_numbers(order, LONG, *map(len, strips))
    pixels = b"".join(strips)
    pixels += bytes(len(pixels) % 2)  # a directory begins at an even place
    header = next(mark for mark, known in _ORDERS.items() if known == order) + struct.pack(order + "I", 8 + len(pixels))
    return header + pixels + _packed(order, directory, 8 + len(pixels))


def read_description(data: bytes) -> tuple[Order, Directory]:
    """Byte order of a TIFF file or of EXIF, and what its first directory says about the picture."""
    order, at = _header(data)
    directory = _nested(data, order, at)
    return order, {tag: directory[tag] for tag in _DESCRIPTIVE & directory.keys()}


def bare_exif(exif: bytes) -> bytes:
    """EXIF without its leading "Exif"."""
    return exif.removeprefix(b"Exif\0\0")


def _without_thumbnail(data: bytearray, order: Order, second: int) -> bytes:
    """EXIF without the thumbnail of its second directory at `second`, to which nothing points any longer."""
    try:
        fields = _fields(data, order, second) if second else {}
        start, size = (struct.unpack(order + "I", fields[tag].data)[0] for tag in (_THUMBNAIL_AT, _THUMBNAIL_SIZE))
    except (KeyError, ValueError, struct.error):
        return bytes(data)
    if start > second and start + size >= len(data):  # where cameras put it
        return bytes(data[:start])
    if second < start:
        data[start : start + size] = bytes(size)
    return bytes(data)


def _header(data: bytes | bytearray) -> tuple[Order, int]:
    """Byte order, and where the first directory lies."""
    order = _ORDERS[bytes(data[:4])]
    (at,) = struct.unpack_from(order + "I", data, 4)
    return order, at


def _fields(data: bytes | bytearray, order: Order, at: int) -> dict[int, Field]:
    """The fields of the directory at `at`; those that lie beyond the end are left out."""
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
    """The directory at `at`, with those that it points to in the place of their offsets."""
    directory: Directory = {}
    for tag, field in _fields(data, order, at).items():
        if tag not in _DIRECTORIES:
            directory[tag] = field
        elif depth and len(field.data) == 4:
            directory[tag] = _nested(data, order, struct.unpack(order + "I", field.data)[0], depth - 1)
    return directory


def _packed(order: Order, directory: Directory, at: int) -> bytes:
    """A directory that will lie at `at`, and what it points to."""
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
