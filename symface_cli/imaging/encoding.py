"""Pictures that are written back as they came: the same format, colours, depth, alpha, profile and EXIF."""

import io
import os
import re
import struct
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin, PngImagePlugin

from symface_cli.errors import PhotoError
from symface_cli.files import contents
from symface_cli.imaging import color as colours
from symface_cli.imaging import png
from symface_cli.imaging.color import Pixels, eight_bit, image_of, over_white
from symface_cli.imaging.decoding import decode, opened, register_heic
from symface_cli.imaging.photo import Photo, photo_of
from symface_cli.imaging.tiff import encode_tiff, exif_of, upright_exif


@dataclass(frozen=True)
class _Format:
    """What a format can hold: numbers of channels (without alpha), whether 16 bits, alpha, a profile; pixels a side."""

    suffixes: tuple[str, ...]
    channels: tuple[int, ...]
    deep: bool = False
    alpha: bool = True
    profile: bool = True
    side: int = 2**31 - 1


_FORMATS = {
    "JPEG": _Format((".jpg", ".jpeg", ".jfif"), (1, 3, 4), alpha=False, side=65_500),
    "PNG": _Format((".png",), (1, 3), deep=True),
    "TIFF": _Format((".tif", ".tiff"), (1, 3, 4), deep=True),
    "WEBP": _Format((".webp",), (3,), side=16_383),
    "AVIF": _Format((".avif",), (1, 3)),
    "HEIF": _Format((".heic", ".heif", ".hif"), (1, 3)),
    "BMP": _Format((".bmp",), (1, 3), alpha=False, profile=False),
}

FORMATS: dict[str, str] = {suffix: name for name, format in _FORMATS.items() for suffix in format.suffixes}
"""Suffixes that a picture can be written with, and the formats that they name."""

# How a format is written where the picture came in another, or where its file does not say how it was written:
# nearly without loss.
_SETTINGS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"quality": 95, "exact": True},
    "AVIF": {"quality": 90},
    "HEIF": {"quality": 90},
}

_LARGEST_JPEG_BLOCK = 65_000  # bytes; a JPEG's EXIF and XMP may have a little more
_XMP_ORIENTATION = re.compile(rb'(tiff:Orientation(?:="|>))[0-9]')


@dataclass(frozen=True)
class Metadata:
    """What a file says beside its pixels.

    Attributes:
        profile: The ICC profile, byte for byte.
        exif: The EXIF (with its leading "Exif") of the upright picture: orientation 1, no thumbnail, the rest as it
            was. The place is kept: the photo is its owner's, and so is the choice to remove it.
        xmp: The XMP packet, orientation 1.
        dpi: Resolution across and down, per inch.
        settings: How to write the same format in the same way, mostly for Pillow; meaningless in another.
    """

    profile: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    dpi: tuple[float, float] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture as it is stored, but turned upright.

    Attributes:
        pixels: (H, W, C) uint8 or uint16, never converted: C = 1 grey, 3 RGB, 4 CMYK (0 is no ink), in the colours that
            the profile says. What has no such samples (palettes, Lab, 32 bits, float) is 8-bit grey or RGB.
        alpha: (H, W) of the same dtype, 0 is transparent; None if the picture has none.
        photo: The same as `read_photo` gives it: sRGB, over white.
        format: Pillow's name of the format that it came in.
        metadata: What the file says beside.
    """

    pixels: Pixels
    alpha: Pixels | None
    photo: Photo
    format: str
    metadata: Metadata

    @property
    def written_format(self) -> str:
        """The format that it is written in: its own, PNG or TIFF, the first that holds it exactly (GIF never does)."""
        return next(name for name in (self.format, "PNG", "TIFF") if self._fits(name))

    @property
    def suffix(self) -> str:
        """The usual suffix of the format that it is written in: ".jpg", ".png" ..."""
        return _FORMATS[self.written_format].suffixes[0]

    def _fits(self, name: str) -> bool:
        format = _FORMATS.get(name)
        if format is None or name not in Image.SAVE:
            return False
        return (
            self.pixels.shape[2] in format.channels
            and max(self.pixels.shape) <= format.side
            and (format.deep or self.pixels.dtype == np.uint8)
            and (format.alpha or self.alpha is None)
            and (format.profile or not self.metadata.profile)
        )


def read_picture(source: str | os.PathLike[str] | bytes) -> Picture:
    """Reads a picture file so that it can be written back.

    It reads what `read_photo` reads and refuses what that refuses; EXIF that is broken is left out.

    Args:
        source: The name of a file, or the contents of one.

    Raises:
        PhotoError: As `read_photo`.
    """
    data, name = contents(source)
    with opened(data, name) as image:
        samples = decode(image, data)
        photo = np.array(photo_of(samples))
        metadata = _read_metadata(image, data, samples.profile)
        format = "JPEG" if image.format == "MPO" else image.format or "TIFF"  # without: decoded by OpenCV
    return Picture(samples.pixels, samples.alpha, photo, format, metadata)


def encode_picture(picture: Picture, pixels: Pixels, suffix: str | None = None) -> bytes:
    """Encodes other pixels in the place of a picture's own, with all else as it came.

    A JPEG is written with its own quantisation, so that what has not changed changes little; other lossy formats, whose
    files do not say how they were made, nearly without loss. What the format named by `suffix` cannot hold is
    converted: 16 bits to 8, CMYK to sRGB, transparency to white.

    Args:
        picture: As `read_picture` gave it.
        pixels: Of the shape and dtype of the picture's.
        suffix: One of `FORMATS`; None for the picture's `written_format`.

    Raises:
        PhotoError: The suffix is none of `FORMATS`, its format cannot be written here, or not in this size.
        ValueError: The pixels have another shape or dtype.
    """
    if pixels.shape != picture.pixels.shape or pixels.dtype != picture.pixels.dtype:
        raise ValueError(f"the pixels are {pixels.dtype} {pixels.shape}, not as the picture's own")
    name = picture.written_format if suffix is None else FORMATS.get(suffix.lower())
    if name is None:
        raise PhotoError(f"cannot write {suffix}; use one of {' '.join(FORMATS)}")
    if max(pixels.shape) > _FORMATS[name].side:
        raise PhotoError(f"cannot write the picture as {name}: it is too large for that; try PNG")
    if name == "HEIF":
        register_heic("cannot write the picture")
    pixels, alpha, metadata = _fitted(picture, pixels, name)
    try:
        if name == "TIFF":
            return _encode_tiff(pixels, alpha, metadata)
        if name == "PNG":
            return _encode_png(pixels, alpha, metadata)
        return _encode_by_pillow(name, image_of(pixels, alpha), metadata)
    except (OSError, ValueError, KeyError, SyntaxError, RuntimeError, struct.error) as error:
        raise PhotoError(f"cannot write the picture as {name} ({error}); try PNG") from error


def srgb_from_native(picture: Picture, pixels: Pixels) -> Photo:
    """Converts (h, w, C) pixels in a picture's own colours and depth to sRGB (h, w, 3); may return `pixels`."""
    return colours.srgb_from_native(pixels, picture.metadata.profile)


def native_from_srgb(picture: Picture, drawing: NDArray[Any]) -> Pixels:
    """Converts an sRGB drawing (h, w, 3), uint8 or float 0..255, to a picture's own colours and depth (h, w, C)."""
    return colours.native_from_srgb(drawing, picture.pixels, picture.metadata.profile)


def _fitted(picture: Picture, pixels: Pixels, name: str) -> tuple[Pixels, Pixels | None, Metadata]:
    """What is written: converted where the format cannot hold it, and with the settings for the format."""
    format, alpha, metadata = _FORMATS[name], picture.alpha, picture.metadata
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
    blocks = {700: metadata.xmp, 34675: metadata.profile}
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


def _encode_by_pillow(name: str, image: Image.Image, metadata: Metadata) -> bytes:
    options = dict(metadata.settings)
    said = {"icc_profile": metadata.profile, "exif": metadata.exif, "xmp": metadata.xmp, "dpi": metadata.dpi}
    if name == "JPEG":
        said |= {key: None for key in ("exif", "xmp") if len(said[key] or b"") > _LARGEST_JPEG_BLOCK}
    options |= {key: value for key, value in said.items() if value}
    buffer = io.BytesIO()
    image.save(buffer, name, **options)
    return buffer.getvalue()


def _read_metadata(image: Image.Image, data: bytes, profile: bytes | None) -> Metadata:
    xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    xmp = xmp.encode() if isinstance(xmp, str) else xmp
    return Metadata(
        profile,
        _exif(image, data),
        _XMP_ORIENTATION.sub(rb"\g<1>1", xmp) if isinstance(xmp, bytes) else None,
        _dpi(image.info.get("dpi")),
        _settings(image, data),
    )


def _exif(image: Image.Image, data: bytes) -> bytes | None:
    if data[:4] in (b"II*\0", b"MM\0*"):
        return exif_of(data)
    exif = image.info.get("exif")
    if exif is None and "Raw profile type exif" in image.info:  # PNG, as ImageMagick used to write it
        with suppress(Exception):
            exif = image.getexif().tobytes()
    return upright_exif(exif) if exif else None


def _dpi(dpi: Any) -> tuple[float, float] | None:
    """What Pillow says of the resolution, if that can be; 1 is what it says of a TIFF that says nothing."""
    try:
        across, down = (float(value) for value in dpi)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (across, down) if min(across, down) > 1 and max(across, down) <= 65_535 else None


def _settings(image: Image.Image, data: bytes) -> dict[str, Any]:
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        return _jpeg_settings(image)
    if image.format == "PNG":
        return {"chunks": png.kept_chunks(data)}
    if image.format == "WEBP" and _is_lossless_webp(data):
        return {"lossless": True, "exact": True}
    if image.format == "TIFF":
        return {"compressed": image.info.get("compression", "raw") != "raw"}
    return {}


def _jpeg_settings(image: JpegImagePlugin.JpegImageFile) -> dict[str, Any]:
    """Quantisation, subsampling and more of a JPEG; nothing if it is one of the rare kinds without quantisation."""
    tables = [image.quantization.get(table) for _, _, _, table in image.layer]
    if not all(tables):
        return {}
    while len(tables) > 1 and tables[-1] == tables[-2]:
        tables.pop()  # one for all of the rest
    adobe = [content for name, content in image.applist if name == "APP13"]  # IPTC: captions, rights
    settings = {
        "qtables": tables,
        "comment": image.info.get("comment"),
        "extra": b"".join(b"\xff\xed" + (len(content) + 2).to_bytes(2, "big") + content for content in adobe),
    }
    if len(image.layer) == 3:
        settings["subsampling"] = max(0, JpegImagePlugin.get_sampling(image))  # what Pillow does not write: 4:4:4
        settings["keep_rgb"] = _is_stored_as_rgb(image)
    return settings


def _is_stored_as_rgb(image: JpegImagePlugin.JpegImageFile) -> bool:
    """Whether a JPEG of three components is not YCbCr, by libjpeg's rules."""
    if "jfif" in image.info:
        return False
    if "adobe_transform" in image.info:
        return bool(image.info["adobe_transform"] == 0)
    return [identifier for identifier, _, _, _ in image.layer] == [*b"RGB"]


def _is_lossless_webp(data: bytes) -> bool:
    at = 12
    while at + 8 <= len(data):
        kind, size = struct.unpack_from("<4sI", data, at)
        if kind in (b"VP8 ", b"VP8L"):
            return bool(kind == b"VP8L")
        at += 24 if kind == b"ANMF" else 8 + size + size % 2  # a frame begins with 16 bytes of its own
    return False
