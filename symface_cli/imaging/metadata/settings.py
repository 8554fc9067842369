"""How a picture file was written, so that it can be written again in the same way."""

import struct
from typing import Any

from PIL import Image, JpegImagePlugin

from symface_cli.imaging import png

_NCLX = b"colrnclx"  # numbers for primaries, transfer and matrix follow (ITU-T H.273)
_COLOR_KEYS = ("color_primaries", "transfer_characteristics", "matrix_coefficients", "full_range_flag")
_PLAIN_PRIMARIES = {1, 2, 5, 6}  # sRGB, unspecified, those of old television
_ODD_TRANSFERS = {8, 16, 18}  # linear, and HDR's: PQ and HLG


def is_plain_color(data: bytes) -> bool:
    """Tell whether the colors of an AVIF or HEIC, by its numbers for them, can be taken for sRGB."""
    at = data.find(_NCLX) + len(_NCLX)
    if at < len(_NCLX) or len(data) < at + 4:
        return True
    primaries, transfer = struct.unpack_from(">HH", data, at)
    return primaries in _PLAIN_PRIMARIES and transfer not in _ODD_TRANSFERS


def read_settings(image: Image.Image, data: bytes) -> dict[str, Any]:
    """Return how a file was written, mostly as Pillow's options; nothing where that is not known."""
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        return _jpeg_settings(image)
    if image.format == "PNG":
        return {"chunks": png.kept_chunks(data)}
    if image.format == "WEBP" and _is_lossless_webp(data):
        return {"lossless": True, "exact": True}
    if image.format == "HEIF":
        profile = {} if is_plain_color(data) else image.info.get("nclx_profile") or {}
        colors = {key: profile[key] for key in _COLOR_KEYS if key in profile}
        return {"quality": 90, "bit_depth": image.info.get("bit_depth", 8), **colors}
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
    settings = {"qtables": tables, "comment": image.info.get("comment")}
    if len(image.layer) == 4:
        settings["ycck"] = image.info.get("adobe_transform") == 2
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
