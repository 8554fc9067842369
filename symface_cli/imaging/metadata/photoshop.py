"""Photoshop's resources in a JPEG: captions and rights stay, what shows or describes the old pixels does not."""

import struct
from collections.abc import Iterable, Iterator

from symface_cli.imaging.metadata.move import Move

_MARK = b"Photoshop 3.0\0"
_KIND = b"8BIM"
_ABOUT_THE_PHOTO = {1028, 1034, 1035, 1061}  # IPTC, copyright flag, address, digest of the IPTC
_OUTDATED = {1033, 1036, 1058, 1059, 1060}  # thumbnails; EXIF and XMP, which are written anew
_LARGEST = 65_000  # bytes of a JPEG's block, about


def join_resources(blocks: Iterable[bytes]) -> bytes:
    """Return the resources in a JPEG's APP13 blocks."""
    return b"".join(block.removeprefix(_MARK) for block in blocks if block.startswith(_MARK))


def follow_resources(data: bytes, move: Move) -> bytes:
    """Return the resources that are still true of a picture that was moved."""
    kept = b""
    for number, resource in _resources(data):
        if number in _ABOUT_THE_PHOTO or not (move.moved or number in _OUTDATED):
            kept += resource
    return kept


def pack_resources(resources: bytes) -> bytes:
    """Pack resources into APP13 blocks of a JPEG."""
    parts = [resources[at : at + _LARGEST] for at in range(0, len(resources), _LARGEST)]
    return b"".join(b"\xff\xed" + struct.pack(">H", 2 + len(_MARK) + len(part)) + _MARK + part for part in parts)


def _resources(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the resources, each as its number and all of its bytes, up to the first that is damaged."""
    at = 0
    while at + 12 <= len(data) and data[at : at + 4] == _KIND:
        name = data[at + 6] + 1  # a length, and so many letters, padded to an even number
        size_at = at + 6 + name + name % 2
        if size_at + 4 > len(data):
            return
        (size,) = struct.unpack_from(">I", data, size_at)
        end = size_at + 4 + size + size % 2
        if size_at + 4 + size > len(data):
            return
        yield struct.unpack_from(">H", data, at + 4)[0], data[at:end].ljust(end - at, b"\0")
        at = end
