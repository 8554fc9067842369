"""Convert between a picture's own samples and sRGB: profiles, bit depths, alpha."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from symface_cli.geometry.types import Pixels

_MODES = {1: "L", 3: "RGB", 4: "CMYK"}


def srgb_from_native(pixels: Pixels, profile: bytes | None) -> NDArray[np.uint8]:
    """Convert a picture's pixels to sRGB `(H, W, 3) uint8`, by its profile or without one.

    A profile that is broken or meant for other channels is ignored. May return `pixels` themselves.
    """
    pixels = eight_bit(pixels)
    mode = _MODES[pixels.shape[2]]
    if mode == "RGB" and not profile:
        return pixels
    image = image_of(pixels)
    return np.array(_by_profile(image, profile, mode) or image.convert("RGB"))


def native_from_srgb(drawing: NDArray[Any], pixels: Pixels, profile: bytes | None) -> Pixels:
    """Convert an sRGB drawing to the colors, channels and depth of a picture's pixels.

    The inverse of `srgb_from_native`, except where the profile has no such color; gray is the luminance. The fractions
    of a float drawing stay in RGB of 16 bits without a profile: a profile is applied in 8 bits.

    Args:
        drawing: `(h, w, 3)`, 0..255, `uint8` or float.
        pixels: `(H, W, C)`, whose channels and dtype are wanted; the size may be another.
        profile: the picture's ICC profile.

    Returns:
        `(h, w, C)` of the dtype of `pixels`.
    """
    mode, deep = _MODES[pixels.shape[2]], pixels.dtype == np.uint16
    if mode == "RGB" and not profile and deep:
        deep_rgb: NDArray[np.uint16] = np.round(np.clip(drawing, 0, 255) * 257.0).astype(np.uint16)
        return deep_rgb
    image = image_of(np.clip(drawing, 0, 255).round().astype(np.uint8))
    converted = _by_profile(image, profile, mode, inverse=True) or image.convert(mode)
    native: NDArray[np.uint8] = np.array(converted).reshape(*drawing.shape[:2], -1)
    return native.astype(np.uint16) * np.uint16(257) if deep else native


def over_white(pixels: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Composite gray, RGB or CMYK pixels over white."""
    image = image_of(pixels)
    white = Image.new(image.mode, image.size, 0 if image.mode == "CMYK" else "white")
    white.paste(image, mask=Image.fromarray(alpha))
    return np.array(white).reshape(pixels.shape)


def eight_bit(samples: Pixels) -> NDArray[np.uint8]:
    """Scale samples of 16 bits to 8, rounded; return those of 8 bits as they are."""
    if samples.dtype == np.uint8:
        return samples.astype(np.uint8, copy=False)
    return ((samples.astype(np.uint32) + 128) // 257).astype(np.uint8)


def scale_to_eight_bits(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Scale samples of any type linearly to 0..255, rounded; below 0 and NaN are black.

    The file does not say where white is: at the smallest of 1 (float only), 255, 65535, 2^31 - 1 and 2^32 - 1 that
    holds the largest value.
    """
    largest = float(values[np.isfinite(values)].max(initial=0))
    # A float of up to 16 is a highlight above 1: a picture on a scale of 255 would be nearly black.
    is_fraction = values.dtype.kind == "f" and largest <= 16
    usual = (255.0, 65535.0, 2**31 - 1.0, 2**32 - 1.0)
    full_scale = 1.0 if is_fraction else next((scale for scale in usual if largest <= scale), largest)
    levels = np.clip(values.astype(np.float32) / np.float32(full_scale), 0, 1) * 255
    return np.asarray(np.nan_to_num(levels) + 0.5).astype(np.uint8)


def image_of(pixels: Pixels, alpha: Pixels | None = None) -> Image.Image:
    """Make a Pillow image of 8-bit pixels, and of alpha where there is one (not with CMYK)."""
    if alpha is not None:
        return Image.fromarray(np.dstack([pixels, alpha]))
    mode, size = _MODES[pixels.shape[2]], pixels.shape[1::-1]
    return Image.frombuffer(mode, size, np.ascontiguousarray(pixels), "raw", mode, 0, 1)


def ycck_from_cmyk(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Convert inks to luminance and chrominance of C, M and Y (ITU-R 601, as in JFIF), and what of K is not inked."""
    cyan, magenta, yellow, black = np.moveaxis(pixels.astype(np.float32), -1, 0)
    luminance = 0.299 * cyan + 0.587 * magenta + 0.114 * yellow
    blue, red = 128 + (yellow - luminance) / 1.772, 128 + (cyan - luminance) / 1.402
    planes = np.stack([luminance, blue, red, 255 - black], axis=-1)
    return np.asarray(planes.round().clip(0, 255), np.uint8)


def srgb_from_lab(image: Image.Image) -> Image.Image:
    """Convert an image of Pillow's mode LAB, which no other conversion of Pillow's knows."""
    return _converted(image, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")), _srgb(), "RGB")


def _by_profile(image: Image.Image, profile: bytes | None, mode: str, inverse: bool = False) -> Image.Image | None:
    """Convert between a picture of `mode` and sRGB; None without a profile, or with a broken or an unfitting one."""
    if not profile:
        return None
    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        own_mode = {"GRAY": "L", "CMYK": "CMYK"}.get(own.profile.xcolor_space, "RGB")
        # A gray picture with an RGB profile is common, and meant so; the other way round is a mistake.
        fits = mode == "L" if own_mode == "L" else (mode == "CMYK") == (own_mode == "CMYK")
        if not fits:
            return None
        if inverse:
            return _converted(image, _srgb(), own, own_mode).convert(mode)
        return _converted(image.convert(own_mode), own, _srgb(), "RGB")
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return None


def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _converted(
    image: Image.Image, source: ImageCms.ImageCmsProfile, target: ImageCms.ImageCmsProfile, mode: str
) -> Image.Image:
    converted = ImageCms.profileToProfile(image, source, target, outputMode=mode)
    assert converted is not None  # None is for inPlace only
    return converted
