"""Samples of more than 8 bits, of which Pillow decodes 8: the rest is read in other ways, and checked against these."""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

from symface_cli.imaging import png
from symface_cli.imaging.metadata.exif import WHITE_IS_ZERO, Tag
from symface_cli.imaging.switches import OPENCV_SILENCED
from symface_cli.imaging.tiff_pages import choose_page, decode_page

_PPM = re.compile(rb"P([56])" + 3 * rb"(?:\s|#[^\n]*\n)+(\d+)" + rb"\s")
_JPEG_2000_SIZE = b"\xff\x4f\xff\x51"  # what a codestream begins with


def declared_bits(image: Image.Image, data: bytes) -> int:
    """Return how many bits a sample has in a file, as its header says; 8 where that is fewer or not known.

    Args:
        image: As Pillow opened it, loaded.
        data: The contents of its file; nothing for an image that has none.
    """
    bits = 32 if image.mode in ("I", "F") else 8
    if image.format == "PNG" and png.is_deep(data):
        bits = 16
    elif image.format == "TIFF":
        bits = int(np.max(_tags(image).get(Tag.BITS_PER_SAMPLE, bits)))
    elif image.format == "JPEG2000" and _JPEG_2000_SIZE in data:
        bits = (data[data.index(_JPEG_2000_SIZE) + 42 :][:1] or b"\7")[0] % 128 + 1
    elif image.format in ("AVIF", "HEIF") and b"pixi" in data:
        bits = (data[data.index(b"pixi") + 9 :][:1] or b"\10")[0]
    elif image.format == "PPM" and (header := _PPM.match(data)):
        bits = int(header[4]).bit_length()
    return max(bits, 8)


def deep_samples(image: Image.Image, data: bytes) -> NDArray[np.uint16] | None:
    """Return the samples (H, W, 1..4) of a picture of 16 bits, not turned; None if it has others or is not decodable.

    Where Pillow has only the high bytes, OpenCV's answer counts only if its high bytes are the same: it checks less.
    """
    if image.format == "HEIF" and data and declared_bits(image, data) > 8:
        return _heif_samples(data)
    if image.mode.startswith("I;16"):
        samples = _deep_gray(image)
    elif declared_bits(image, data) <= 8 or not data:
        samples = None
    elif image.format == "PPM":
        samples = _ppm_samples(image, data)
    else:
        samples = _deep_colors(image, data)
    key = image.info.get("transparency")
    if samples is None or key is None:
        return samples
    opaque = (samples != np.array(key)).any(axis=2)
    return np.dstack([samples, opaque * np.uint16(65535)])


def _tags(image: Image.Image) -> Any:
    return image.tag_v2 if isinstance(image, TiffImagePlugin.TiffImageFile) else {}


def _deep_gray(image: Image.Image) -> NDArray[np.uint16]:
    tags, values = _tags(image), np.asarray(image).astype(np.uint16)  # of either byte order
    if np.max(tags.get(Tag.BITS_PER_SAMPLE, 16)) == 12:
        values = (values * (65535 / 4095)).round().astype(np.uint16)
    if tags.get(Tag.PHOTOMETRIC) == WHITE_IS_ZERO:  # white is 0; Pillow inverts 8 bits only
        values = 65535 - values
    return values[..., None]


def _ppm_samples(image: Image.Image, data: bytes) -> NDArray[np.uint16] | None:
    """Read what follows the header of a binary PGM or PPM; None of one in plain text."""
    header = _PPM.match(data)
    if header is None:
        return None
    channels = 3 if header[1] == b"6" else 1
    values = np.frombuffer(data, ">u2", image.width * image.height * channels, header.end())
    scaled: NDArray[np.uint16] = (values * (65535 / int(header[4]))).round().clip(0, 65535).astype(np.uint16)
    return scaled.reshape(image.height, image.width, channels)


def _heif_samples(data: bytes) -> NDArray[np.uint16] | None:
    """Decode a HEIC of 10 or 12 bits; None of one whose colors are multiplied by alpha."""
    import pillow_heif

    file = pillow_heif.open_heif(data, convert_hdr_to_8bit=False)
    values, bits = np.asarray(file), int(file.info["bit_depth"])
    if values.dtype != np.uint16 or "a;" in file.mode:
        return None
    scaled: NDArray[np.uint16] = ((values >> (16 - bits)) * (65535 / (2**bits - 1))).round().astype(np.uint16)
    return scaled.reshape(*values.shape[:2], -1)


def _deep_colors(image: Image.Image, data: bytes) -> NDArray[np.uint16] | None:
    if np.asarray(image).ndim != 3:
        return None
    samples = _opencv_samples(image, png.bare(data) if image.format == "PNG" else data)
    if samples is None and image.format == "TIFF":
        pixels, alpha, _ = decode_page(choose_page(data))
        return np.asarray(pixels if alpha is None else np.dstack([pixels, alpha]))
    if samples is not None and image.format == "PNG" and png.is_gray_with_alpha(data):
        return samples[..., [0, -1]]  # RGBA to some versions of Pillow
    return samples


def _opencv_samples(image: Image.Image, data: bytes) -> NDArray[np.uint16] | None:
    """Decode with OpenCV, in Pillow's order; None if the high bytes are not Pillow's."""
    import cv2  # only here: it takes 0.1 s to load, and these files are rare

    high = np.asarray(image)
    order = {2: [0, 3], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[high.shape[2]]  # OpenCV has blue first, and no gray with alpha
    with OPENCV_SILENCED:
        values: NDArray[Any] | None = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None or values.dtype != np.uint16 or values.ndim != 3 or values.shape[2] <= max(order):
        return None
    samples: NDArray[np.uint16] = values[..., order]
    if image.format == "JPEG2000":  # Pillow rounds, and goes on at 0 after 255
        bits = declared_bits(image, data)
        rounded = (samples.astype(np.uint32) + (1 << (bits - 9))) >> (bits - 8)
        is_same = np.array_equal(rounded.astype(np.uint8), high)
        samples = (samples * (65535 / (2**bits - 1))).round().clip(0, 65535).astype(np.uint16)
    else:
        is_same = np.array_equal(samples >> 8, high)
    return samples if is_same else None
