"""File formats that can be written, and what each can hold."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Format:
    """What a format can hold.

    Attributes:
        suffixes: Of its files' names, with the dot; the first is the usual one.
        channels: Numbers of channels, without alpha.
        deep: Whether 16 bits; of a HEIC, 10 or 12.
        alpha: Whether transparency.
        profile: Whether an ICC profile.
        side: Most pixels in width or height.
    """

    suffixes: tuple[str, ...]
    channels: tuple[int, ...]
    deep: bool = False
    alpha: bool = True
    profile: bool = True
    side: int = 2**31 - 1


FORMATS_BY_NAME = {
    "JPEG": Format(suffixes=(".jpg", ".jpeg", ".jfif"), channels=(1, 3, 4), alpha=False, side=65_500),
    "PNG": Format(suffixes=(".png",), channels=(1, 3), deep=True),
    "TIFF": Format(suffixes=(".tif", ".tiff"), channels=(1, 3, 4), deep=True),
    "WEBP": Format(suffixes=(".webp",), channels=(3,), side=16_383),
    "AVIF": Format(suffixes=(".avif",), channels=(1, 3)),
    "HEIF": Format(suffixes=(".heic", ".heif", ".hif"), channels=(1, 3), deep=True),
    "BMP": Format(suffixes=(".bmp",), channels=(1, 3), alpha=False, profile=False),
}
FORMATS: dict[str, str] = {suffix: name for name, format in FORMATS_BY_NAME.items() for suffix in format.suffixes}
"""Suffixes that a picture can be written with, and the formats that they name."""
