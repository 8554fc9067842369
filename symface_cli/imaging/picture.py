"""Pictures as files store them, with what describes them: colors, depth, alpha, profile, EXIF."""

import os
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from symface_cli.files import contents
from symface_cli.geometry.types import Photo, Pixels
from symface_cli.imaging import color as colors
from symface_cli.imaging.decoding import RawPixels, decode, decode_image, opened, reading, split
from symface_cli.imaging.formats import FORMATS_BY_NAME
from symface_cli.imaging.metadata.move import Move
from symface_cli.imaging.metadata.parts import note_parts
from symface_cli.imaging.metadata.record import Metadata, read_metadata
from symface_cli.imaging.photo import photo_of


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
            samples = decode_image(image)
            metadata = Metadata(profile=samples.profile, exif=image.info.get("exif"))
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
        """Cut a part out; what is said of its pixels follows."""
        height, width = self.pixels[rows, columns].shape[:2]
        is_part = (height, width) != self.pixels.shape[:2]
        metadata, _ = self.metadata.follow(Move(width=width, height=height, moved=is_part))
        return replace(
            self,
            pixels=np.ascontiguousarray(self.pixels[rows, columns]),
            alpha=None if self.alpha is None else np.ascontiguousarray(self.alpha[rows, columns]),
            photo=self.photo[rows, columns],
            metadata=metadata,
        )

    def _fits(self, name: str) -> bool:
        format = FORMATS_BY_NAME.get(name)
        if name not in Image.SAVE:
            Image.init()
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
    with opened(data, name) as file:
        samples, image = decode(file), file.image
        format = "JPEG" if image.format == "MPO" else image.format or "PNG"
        picture = _picture_of(samples, format, read_metadata(image, data, samples.profile))
        return replace(picture, notes=(*note_parts(image, data), *picture.notes))


def _picture_of(samples: RawPixels, format: str, metadata: Metadata) -> Picture:
    """Make a picture of upright samples and of what their file says, which is still about the stored ones."""
    height, width = samples.pixels.shape[:2]
    orientation = samples.orientation
    move = Move(width=width, height=height, moved=orientation > 1, turned=orientation > 4)
    followed, notes = metadata.follow(move)
    photo = photo_of(samples)
    may_be_changed = photo is samples.pixels and photo.flags.writeable
    return Picture(
        pixels=samples.pixels,
        alpha=samples.alpha,
        photo=photo.copy() if may_be_changed else photo,
        format=format,
        metadata=followed,
        notes=(*samples.notes, *notes),
    )


def srgb_from_native(picture: Picture, pixels: Pixels) -> Photo:
    """Convert (h, w, C) pixels in a picture's own colors and depth to sRGB (h, w, 3); may return `pixels`."""
    return colors.srgb_from_native(pixels, picture.metadata.profile)


def native_from_srgb(picture: Picture, drawing: NDArray[Any]) -> Pixels:
    """Convert an sRGB drawing (h, w, 3), uint8 or float 0..255, to a picture's own colors and depth (h, w, C)."""
    return colors.native_from_srgb(drawing, picture.pixels, picture.metadata.profile)
