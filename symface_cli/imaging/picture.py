"""Pictures as files store them, with what describes them: colors, depth, alpha, profile, EXIF."""

import os
import re
import struct
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin

from symface_cli.files import contents
from symface_cli.geometry.types import Photo, Pixels
from symface_cli.imaging import color as colors
from symface_cli.imaging import png
from symface_cli.imaging.decoding import RawPixels, decode, opened, reading, split
from symface_cli.imaging.exif import exif_of, upright_exif
from symface_cli.imaging.formats import FORMATS_BY_NAME
from symface_cli.imaging.photo import photo_of

_XMP_ORIENTATION = re.compile(rb'(tiff:Orientation(?:="|>))[0-9]')


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """Metadata that a file holds beside its pixels.

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


@dataclass(frozen=True, eq=False, kw_only=True)
class Picture:
    """A picture as it is stored, but turned upright.

    Attributes:
        pixels: (H, W, C) uint8 or uint16, never converted: C = 1 gray, 3 RGB, 4 CMYK (0 is no ink), in the colors that
            the profile says. What has no such samples (palettes, Lab, 32 bits, float) is 8-bit gray or RGB.
        alpha: (H, W) of the same dtype, 0 is transparent; None if the picture has none.
        photo: The same as `read_photo` gives it: sRGB, over white.
        format: Pillow's name of the format that it came in.
        metadata: What the file says beside.
        notes: What a user should know of what the file has and the picture has not, a sentence each.
    """

    pixels: Pixels
    alpha: Pixels | None
    photo: Photo
    format: str
    metadata: Metadata
    notes: tuple[str, ...] = ()

    @classmethod
    def from_image(cls, image: Image.Image) -> "Picture":
        """Take a Pillow image, treated like a file: orientation, profile, mode; it is not changed.

        Raises:
            PhotoError: If it was opened lazily, and cannot be read.
        """
        with reading("the given image"):
            samples = decode(image)
            exif = image.info.get("exif")
            metadata = Metadata(profile=samples.profile, exif=upright_exif(exif) if exif else None)
            return _picture_of(samples, "PNG", metadata)

    @classmethod
    def from_array(cls, array: NDArray[np.uint8]) -> "Picture":
        """Take an upright sRGB array: gray (H, W), RGB (H, W, 3) or RGBA (H, W, 4) uint8; it is copied.

        Raises:
            TypeError: If it has another dtype.
            ValueError: If it has another shape, or no pixels.
        """
        if array.dtype != np.uint8:
            raise TypeError(f"a photo's array has dtype uint8 (0..255), not {array.dtype}")
        if array.size == 0 or array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
            raise ValueError(f"a photo's array has shape (H, W), (H, W, 3) or (H, W, 4), not {array.shape}")
        channels = np.array(array if array.ndim == 3 else array[..., None], order="C")
        pixels, alpha = split(channels)
        return _picture_of(RawPixels(pixels=pixels, alpha=alpha, profile=None), "PNG", Metadata())

    @property
    def shown(self) -> Photo:
        """The pixels as a photo: sRGB, over white; where they were replaced, `photo` is still as it was."""
        return photo_of(RawPixels(pixels=self.pixels, alpha=self.alpha, profile=self.metadata.profile))

    @property
    def written_format(self) -> str:
        """Format that it is written in: its own, PNG or TIFF, the first that holds it exactly (GIF never does)."""
        return next(name for name in (self.format, "PNG", "TIFF") if self._fits(name))

    @property
    def suffix(self) -> str:
        """Usual suffix of the format that it is written in: ".jpg", ".png" ..."""
        return FORMATS_BY_NAME[self.written_format].suffixes[0]

    def cropped(self, rows: slice, columns: slice) -> "Picture":
        """Cut a part out."""
        return replace(
            self,
            pixels=np.ascontiguousarray(self.pixels[rows, columns]),
            alpha=None if self.alpha is None else np.ascontiguousarray(self.alpha[rows, columns]),
            photo=self.photo[rows, columns],
        )

    def _fits(self, name: str) -> bool:
        format = FORMATS_BY_NAME.get(name)
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
    """Read a picture file so that it can be written back.

    Read what `read_photo` reads, and refuse what that refuses; EXIF that is broken is left out.

    Args:
        source: The name of a file, or the contents of one.

    Raises:
        PhotoError: As `read_photo`.
    """
    data, name = contents(source)
    with opened(data, name) as image:
        samples = decode(image, data)
        format = "JPEG" if image.format == "MPO" else image.format or "TIFF"  # without: decoded by OpenCV
        return _picture_of(samples, format, _read_metadata(image, data, samples.profile))


def _picture_of(samples: RawPixels, format: str, metadata: Metadata) -> Picture:
    photo = np.array(photo_of(samples))
    return Picture(
        pixels=samples.pixels,
        alpha=samples.alpha,
        photo=photo,
        format=format,
        metadata=metadata,
        notes=samples.notes,
    )


def srgb_from_native(picture: Picture, pixels: Pixels) -> Photo:
    """Convert (h, w, C) pixels in a picture's own colors and depth to sRGB (h, w, 3); may return `pixels`."""
    return colors.srgb_from_native(pixels, picture.metadata.profile)


def native_from_srgb(picture: Picture, drawing: NDArray[Any]) -> Pixels:
    """Convert an sRGB drawing (h, w, 3), uint8 or float 0..255, to a picture's own colors and depth (h, w, C)."""
    return colors.native_from_srgb(drawing, picture.pixels, picture.metadata.profile)


def _read_metadata(image: Image.Image, data: bytes, profile: bytes | None) -> Metadata:
    xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    xmp = xmp.encode() if isinstance(xmp, str) else xmp
    return Metadata(
        profile=profile,
        exif=_exif(image, data),
        xmp=_XMP_ORIENTATION.sub(rb"\g<1>1", xmp) if isinstance(xmp, bytes) else None,
        dpi=_dpi(image.info.get("dpi")),
        settings=_settings(image, data),
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
    """Return what Pillow says of the resolution, if that can be; 1 is what it says of a TIFF that says nothing."""
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
    """Return quantization, subsampling and more of a JPEG; nothing for the rare kinds without quantization."""
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
    """Tell whether a JPEG of three components is not YCbCr, by libjpeg's rules."""
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
