"""File formats that can be written, and what each can hold."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Format:
    """What a format can hold: numbers of channels (without alpha), whether 16 bits, alpha, a profile; pixels a side."""

    suffixes: tuple[str, ...]
    channels: tuple[int, ...]
    deep: bool = False
    alpha: bool = True
    profile: bool = True
    side: int = 2**31 - 1


FORMATS_BY_NAME = {
    "JPEG": Format((".jpg", ".jpeg", ".jfif"), (1, 3, 4), alpha=False, side=65_500),
    "PNG": Format((".png",), (1, 3), deep=True),
    "TIFF": Format((".tif", ".tiff"), (1, 3, 4), deep=True),
    "WEBP": Format((".webp",), (3,), side=16_383),
    "AVIF": Format((".avif",), (1, 3)),
    "HEIF": Format((".heic", ".heif", ".hif"), (1, 3)),
    "BMP": Format((".bmp",), (1, 3), alpha=False, profile=False),
}
FORMATS: dict[str, str] = {suffix: name for name, format in FORMATS_BY_NAME.items() for suffix in format.suffixes}
"""Suffixes that a picture can be written with, and the formats that they name."""
