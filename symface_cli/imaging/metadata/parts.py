"""Parts of a picture file beside the picture that is taken, none of which comes into a result."""

import re
from contextlib import suppress
from typing import Any

from PIL import Image

from symface_cli.imaging.metadata.settings import is_plain_color
from symface_cli.imaging.refusals import PICTURES

_VIDEO_NOTE = "its video (motion photo) is not kept"
# What tells that a file has a part, in its metadata or in what follows the picture; and what to say of it.
_PARTS = {
    "its HDR gain map is not kept: the result is the picture without it": (
        b"ns.adobe.com/hdr-gain-map/",
        b"urn:iso:std:iso:ts:21496:-1",
        b"HDRGainMap",
        b"aux:hdrgainmap",
    ),
    _VIDEO_NOTE: (b"MotionPhoto", b"MicroVideo", b"mpvd"),
    "its depth map is not kept": (
        b"ns.google.com/photos/1.0/depthmap/",
        b"ns.google.com/photos/dd/",
        b"ns.apple.com/depthData/",
        b"urn:mpeg:hevc:2015:auxid:2",
        b"DualShot_DepthMap",
    ),
    "its sound is not kept": (b"ns.google.com/photos/1.0/audio/", b"SoundShot_"),
    "its content credentials (C2PA) are not kept: they vouch for the unchanged picture": (b"jumdc2pa",),
}
# Of a video, what also has to be there: a photo may say that it has none, and four letters may be chance.
_VIDEO = re.compile(rb"(?:MotionPhoto|MicroVideo)(?:=[\"']|>)1|MotionPhoto_Data|=\"MotionPhoto\"|mpvd[\0-\xff]{4}ftyp")
_MORE_XMP = b"http://ns.adobe.com/xmp/extension/\0"


def note_parts(image: Image.Image, data: bytes) -> tuple[str, ...]:
    """Say what of a file is not taken, a sentence each.

    Args:
        image: As Pillow opened it.
        data: The contents of its file.
    """
    notes = [note for note, marks in _PARTS.items() if any(_is_there(mark, data) for mark in marks)]
    pictures = _count_pictures(image)
    if pictures > 1 and not notes:  # a gain map, say, is such a picture
        notes.append(f"only the first of its {pictures} pictures is taken")
    if image.format == "AVIF" and not image.info.get("icc_profile") and not is_plain_color(data):
        notes.append("its wide or HDR colors are not kept: the result says sRGB")
    if _MORE_XMP in data and not notes:  # a depth map, say, is in there
        notes.append("its extended XMP is not kept")
    return tuple(notes)


def _is_there(mark: bytes, data: bytes) -> bool:
    """Look for a mark, which takes a millisecond in 5 MB."""
    return mark in data and (mark not in _PARTS[_VIDEO_NOTE] or _VIDEO.search(data) is not None)


def _count_pictures(image: Image.Image) -> int:
    """Count the pictures of a file, without the thumbnails of one that has several; a TIFF's pages were counted."""
    if image.format == "TIFF":
        return 1
    pictures: Any = getattr(image, "mpinfo", {}).get(PICTURES)
    if pictures:
        return sum(not picture["Attribute"]["MPType"].startswith("Large Thumbnail") for picture in pictures)
    with suppress(Exception):  # a damaged picture that nobody asked for
        return int(getattr(image, "n_frames", 1))
    return 1
