"""What a picture file says beside its pixels: read it, and let it follow them."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from PIL import Image, JpegImagePlugin

from symface_cli.imaging.metadata.exif import TIFF_MARKS, exif_of, follow_exif
from symface_cli.imaging.metadata.move import Move
from symface_cli.imaging.metadata.photoshop import follow_resources, join_resources
from symface_cli.imaging.metadata.settings import read_settings
from symface_cli.imaging.metadata.xmp import FollowedXmp, follow_xmp


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """Metadata that a file holds beside its pixels.

    Attributes:
        profile: The ICC profile, byte for byte.
        exif: The EXIF (with its leading "Exif"). The place is kept: the photo is its owner's, and so is the choice to
            remove it.
        xmp: The XMP packet.
        resources: Photoshop's resources, captions and rights among them.
        dpi: Resolution across and down, per inch.
        settings: How to write the same format in the same way, mostly for Pillow; meaningless in another.
    """

    profile: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    resources: bytes = b""
    dpi: tuple[float, float] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def follow(self, move: Move) -> "tuple[Metadata, tuple[str, ...]]":
        """Return what is still true when the pixels were moved, and notes of what was left out.

        EXIF that is broken is left out.
        """
        xmp = follow_xmp(self.xmp, move) if self.xmp else FollowedXmp(None)
        followed = replace(
            self,
            exif=follow_exif(self.exif, move) if self.exif else None,
            xmp=xmp.packet,
            resources=follow_resources(self.resources, move),
            dpi=self.dpi[::-1] if self.dpi and move.turned else self.dpi,
        )
        return followed, xmp.notes


def read_metadata(image: Image.Image, data: bytes, profile: bytes | None) -> Metadata:
    """Read what a file says of its pixels as they are stored.

    Args:
        image: As Pillow opened it.
        data: The contents of its file.
        profile: Its ICC profile.
    """
    xmp = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp")
    xmp = xmp.encode() if isinstance(xmp, str) else xmp
    blocks = image.applist if isinstance(image, JpegImagePlugin.JpegImageFile) else []
    return Metadata(
        profile=profile,
        exif=_exif(image, data),
        xmp=xmp if isinstance(xmp, bytes) else None,
        resources=join_resources(content for name, content in blocks if name == "APP13"),
        dpi=_dpi(image.info.get("dpi")),
        settings=read_settings(image, data),
    )


def _exif(image: Image.Image, data: bytes) -> bytes | None:
    if data[:4] in TIFF_MARKS:
        return exif_of(data)
    exif: bytes | None = image.info.get("exif")
    if exif is None and "Raw profile type exif" in image.info:  # PNG, as ImageMagick used to write it
        with suppress(Exception):
            exif = image.getexif().tobytes()
    return exif


def _dpi(dpi: Any) -> tuple[float, float] | None:
    """Return what Pillow says of the resolution, if that can be; 1 is what it says of a TIFF that says nothing."""
    try:
        across, down = (float(value) for value in dpi)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (across, down) if min(across, down) > 1 and max(across, down) <= 65_535 else None
