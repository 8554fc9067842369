"""Read picture files as photos: upright sRGB arrays."""

import io
import os
from collections.abc import Mapping

import numpy as np
from PIL import Image, PngImagePlugin

from symface_cli.files import contents
from symface_cli.geometry.types import Photo
from symface_cli.imaging.color import eight_bit, over_white, srgb_from_native
from symface_cli.imaging.decoding import RawPixels, decode, opened


def read_photo(source: str | os.PathLike[str] | bytes) -> Photo:
    """Read a picture file as it is meant to be seen.

    The EXIF orientation is applied, an embedded color profile is converted to sRGB (a broken profile is ignored),
    deep samples are scaled to 8 bits, transparent pixels are composited over white, and of an animation the first
    frame is taken. A picture that is cut short is refused: a JPEG even where only its end marker is missing, a PNG or
    GIF unless all its pixels are there.

    Args:
        source: the name of a file, or the contents of one.

    Returns:
        `(H, W, 3) uint8` RGB, upright, writable.

    Raises:
        PhotoError: it cannot be read, is no picture, is damaged, or claims more than `MAX_PIXELS`.
    """
    data, name = contents(source)
    with opened(data, name) as file:
        return np.require(photo_of(decode(file)), requirements="W")


def encode_png(image: Photo, text: Mapping[str, str] | None = None) -> bytes:
    """Encode a photo as PNG; the same pixels and text give the same bytes (with the same zlib).

    Args:
        image: `(H, W, 3) uint8` RGB.
        text: entries for the file's text chunks, keyword to value.
    """
    chunks = PngImagePlugin.PngInfo()
    for keyword, value in sorted((text or {}).items()):
        chunks.add_text(keyword, value)
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG", compress_level=6, pnginfo=chunks)
    return buffer.getvalue()


def photo_of(samples: RawPixels) -> Photo:
    """Convert what a picture stores to a photo: sRGB, 8 bits, over white. May return its pixels themselves."""
    photo = srgb_from_native(samples.pixels, samples.profile)
    return photo if samples.alpha is None else over_white(photo, eight_bit(samples.alpha))
