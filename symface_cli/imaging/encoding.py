"""Write pictures back as they came: the same format, colors, depth, alpha, profile and EXIF."""

import io
import struct
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from symface_cli.errors import OutputError
from symface_cli.geometry.types import Pixels
from symface_cli.imaging import png
from symface_cli.imaging.color import eight_bit, image_of, over_white, ycck_from_cmyk
from symface_cli.imaging.decoding import register_heic
from symface_cli.imaging.formats import FORMATS, FORMATS_BY_NAME
from symface_cli.imaging.metadata.exif import Tag
from symface_cli.imaging.metadata.photoshop import pack_resources
from symface_cli.imaging.metadata.record import Metadata
from symface_cli.imaging.picture import Picture, srgb_from_native
from symface_cli.imaging.tiff import encode_tiff

# How a format is written where the picture came in another, or where its file does not say how it was written:
# nearly without loss.
_SETTINGS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"quality": 95, "exact": True},
    "AVIF": {"quality": 90},
    "HEIF": {"quality": 90},
}
_ADOBE = b"\xff\xee\0\x0eAdobe\0d\0\0\0\0\0"  # of a CMYK JPEG; the last byte is 2 for YCCK
_LARGEST_JPEG_BLOCK = 65_000  # bytes; a JPEG's EXIF and XMP may have a little more


def encode_picture(picture: Picture, pixels: Pixels, suffix: str | None = None) -> bytes:
    """Encode other pixels in the place of a picture's own, with all else as it came.

    A JPEG is written with its own quantization, so that what has not changed changes little; other lossy formats, whose
    files do not say how they were made, nearly without loss. What the format named by `suffix` cannot hold is
    converted: 16 bits to 8, CMYK to sRGB, transparency to white.

    Args:
        picture: As `read_picture` gave it.
        pixels: Of the shape and dtype of the picture's.
        suffix: One of `FORMATS`; None for the picture's `written_format`.

    Raises:
        OutputError: If the suffix is none of `FORMATS`, or its format cannot be written, or not in this size.
        MissingExtraError: If it is HEIC, and the extra for it is not installed.
        ValueError: The pixels have another shape or dtype.
    """
    if pixels.shape != picture.pixels.shape or pixels.dtype != picture.pixels.dtype:
        raise ValueError(f"the pixels are {pixels.dtype} {pixels.shape}, not as the picture's own")
    name = picture.written_format if suffix is None else FORMATS.get(suffix.lower())
    if name is None:
        raise OutputError(f"cannot write {suffix}; use one of {' '.join(FORMATS)}")
    if max(pixels.shape) > FORMATS_BY_NAME[name].side:
        raise OutputError(f"cannot write the picture as {name}: it is too large for that; try PNG")
    if name == "HEIF":
        register_heic("cannot write the picture")
    pixels, alpha, metadata = _fitted(picture, pixels, name)
    try:
        if name == "TIFF":
            return _encode_tiff(pixels, alpha, metadata)
        if name == "PNG":
            return _encode_png(pixels, alpha, metadata)
        if name == "HEIF" and pixels.dtype == np.uint16:
            return _encode_deep_heif(pixels, alpha, metadata)
        if metadata.settings.get("ycck"):
            return _encode_ycck(eight_bit(pixels), metadata)
        return _encode_by_pillow(name, image_of(pixels, alpha), metadata)
    except (OSError, ValueError, KeyError, SyntaxError, RuntimeError, struct.error) as error:
        raise OutputError(f"cannot write the picture as {name} ({error}); try PNG") from error


def _fitted(picture: Picture, pixels: Pixels, name: str) -> tuple[Pixels, Pixels | None, Metadata]:
    """Convert what the format cannot hold, and choose the settings for the format."""
    format, alpha, metadata = FORMATS_BY_NAME[name], picture.alpha, picture.metadata
    if name != picture.format or not metadata.settings:
        metadata = replace(metadata, settings=_SETTINGS.get(name, {}))
    if not format.deep:
        pixels, alpha = eight_bit(pixels), None if alpha is None else eight_bit(alpha)
    if pixels.shape[2] not in format.channels or (metadata.profile and not format.profile):
        pixels, metadata = srgb_from_native(picture, pixels), replace(metadata, profile=None)
    if alpha is not None and not format.alpha:
        pixels, alpha = over_white(eight_bit(pixels), eight_bit(alpha)), None
    return pixels, alpha, metadata


def _encode_tiff(pixels: Pixels, alpha: Pixels | None, metadata: Metadata) -> bytes:
    samples = pixels if alpha is None else np.dstack([pixels, alpha])
    blocks = {Tag.XMP: metadata.xmp, Tag.ICC_PROFILE: metadata.profile}
    return encode_tiff(
        samples,
        alpha is not None,
        metadata.settings.get("compressed", True),
        metadata.exif,
        metadata.dpi,
        {tag: block for tag, block in blocks.items() if block},
    )


def _encode_png(pixels: Pixels, alpha: Pixels | None, metadata: Metadata) -> bytes:
    texts = PngImagePlugin.PngInfo()
    for kind, content in metadata.settings.get("chunks", ()):
        texts.add(kind, content)
    if metadata.xmp:
        texts.add_itxt("XML:com.adobe.xmp", metadata.xmp)
    metadata = replace(metadata, settings={"pnginfo": texts})
    if pixels.dtype == np.uint8:
        return _encode_by_pillow("PNG", image_of(pixels, alpha), metadata)
    stand_in = _encode_by_pillow("PNG", Image.new("L", (1, 1)), metadata)
    return png.with_deep_samples(stand_in, pixels if alpha is None else np.dstack([pixels, alpha]))


def _encode_deep_heif(pixels: Pixels, alpha: Pixels | None, metadata: Metadata) -> bytes:
    """Encode a HEIC of as many bits as it came with, 10 if it came as something else; Pillow hands on 8 alone."""
    import pillow_heif

    samples = pixels if alpha is None else np.dstack([pixels, alpha])
    mode = {1: "L;16", 2: "LA;16", 3: "RGB;16", 4: "RGBA;16"}[samples.shape[2]]
    said = {"icc_profile": metadata.profile, "exif": metadata.exif, "xmp": metadata.xmp}
    options = {"bit_depth": 10, **metadata.settings, **{key: value for key, value in said.items() if value}}
    buffer = io.BytesIO()
    pillow_heif.encode(mode, samples.shape[1::-1], np.ascontiguousarray(samples).tobytes(), buffer, **options)
    return buffer.getvalue()


def _encode_ycck(pixels: NDArray[np.uint8], metadata: Metadata) -> bytes:
    """Encode a CMYK JPEG as Photoshop does, for its own quantization to fit; Pillow takes the planes for CMYK."""
    planes = image_of(255 - ycck_from_cmyk(pixels))  # Pillow inverts CMYK, as Adobe does
    data = _encode_by_pillow("JPEG", planes, metadata)
    at = data.index(_ADOBE) + len(_ADOBE) - 1
    return data[:at] + b"\2" + data[at + 1 :]


def _encode_by_pillow(name: str, image: Image.Image, metadata: Metadata) -> bytes:
    options = {key: value for key, value in metadata.settings.items() if key != "ycck"}
    said = {"icc_profile": metadata.profile, "exif": metadata.exif, "xmp": metadata.xmp, "dpi": metadata.dpi}
    if name == "JPEG":
        said |= {key: None for key in ("exif", "xmp") if len(said[key] or b"") > _LARGEST_JPEG_BLOCK}
        said["extra"] = pack_resources(metadata.resources)
    options |= {key: value for key, value in said.items() if value}
    buffer = io.BytesIO()
    image.save(buffer, name, **options)
    return buffer.getvalue()
