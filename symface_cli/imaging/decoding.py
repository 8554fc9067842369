"""Decode picture files to samples, whatever the file claims and however it is damaged."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin, UnidentifiedImageError

from symface_cli.errors import MissingExtraError, PhotoError
from symface_cli.files import on_one_line
from symface_cli.geometry.types import Pixels
from symface_cli.imaging import png
from symface_cli.imaging.color import srgb_from_lab
from symface_cli.imaging.metadata.exif import FLOAT, PLANES, RGB, UNSIGNED, WHITE_IS_ZERO, Tag
from symface_cli.imaging.switches import MAX_PIXELS, OPENCV_SILENCED, PILLOW_SWITCHED

# Chosen by what is in the file, never by its suffix. Pillow reads more, but some of that runs other programs
# (EPS runs Ghostscript) or has no signature (TGA), so that any garbage would pass for it.
_FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF", "TIFF", "BMP", "GIF", "PPM", "JPEG2000")

# What a HEIC says it is (ISO/IEC 23008-12, annex B).
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}

# EXIF orientation -> what turns the stored picture upright; 1 and values outside 2..8 need nothing.
_UPRIGHT_FROM_STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, eq=False, kw_only=True)
class RawPixels:
    """What a picture file stores, turned upright.

    Attributes:
        pixels: (H, W, C), in the colors that the profile says.
        alpha: (H, W) of the same dtype, 0 is transparent; None if the picture has none.
        profile: The ICC profile, perhaps a broken one.
        orientation: The EXIF orientation that it had before, 1 to 8.
        notes: What a user should know of what was not taken, a sentence each.
    """

    pixels: Pixels
    alpha: Pixels | None
    profile: bytes | None
    orientation: int = 1
    notes: tuple[str, ...] = ()


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Read with Pillow's switches set as that needs them; several threads may do so at a time.

    Raises:
        PhotoError: For whatever is raised within.
    """
    with PILLOW_SWITCHED:
        try:
            yield
        except Exception as error:  # on damaged files, Pillow raises nearly everything there is
            raise PhotoError(f"cannot read {name}: {_reason(error)}") from error


@contextmanager
def opened(data: bytes, name: str) -> Iterator[Image.Image]:
    """Open the contents of a picture file as an image that is not yet decoded, `reading` as long as it is open."""
    if not data:
        raise PhotoError(f"cannot read {name}: it is empty; try another copy of it")
    if _is_heic(data):
        register_heic(f"cannot read {name}")
    with reading(name):
        image = _opencv_tiff(data)
        if image is None:
            Image.init()  # AVIF came with Pillow 11.3; a format without a plugin would be a KeyError
            image = Image.open(io.BytesIO(data), formats=[known for known in _FORMATS if known in Image.OPEN])
        yield image


def decode(image: Image.Image, data: bytes = b"") -> RawPixels:
    """Decode an image of at most `MAX_PIXELS`; to be called while `reading`.

    Args:
        image: As Pillow opened it.
        data: The contents of its file, for the colors of 16 bits, which Pillow cuts down to 8.
    """
    _check_size(*image.size)  # as the header claims; nothing is decoded yet
    stored = _tags(image).get(Tag.ORIENTATION) or image.info.get("original_orientation")  # of TIFF and HEIC, which
    image.load()  # Pillow turns itself here, and pillow-heif already has
    profile = image.info.get("icc_profile")
    orientation = _orientation(image)
    turn = _UPRIGHT_FROM_STORED.get(orientation)
    if turn is None:
        orientation = stored if stored in _UPRIGHT_FROM_STORED else 1
    deep = _deep_samples(image, data)
    if deep is not None:
        channels = [Image.fromarray(deep[..., channel]) for channel in range(deep.shape[2])]
        deep = np.dstack([np.asarray(channel if turn is None else channel.transpose(turn)) for channel in channels])
        pixels, alpha = split(deep)
        return RawPixels(pixels=pixels, alpha=alpha, profile=profile, orientation=orientation)
    if image.mode == "LAB":
        image, profile = srgb_from_lab(image), None
    gray = _eight_bit_gray(image)
    pixels, alpha = _eight_bit_samples(gray if turn is None else gray.transpose(turn))
    return RawPixels(pixels=pixels, alpha=alpha, profile=profile, orientation=orientation)


def register_heic(failure: str) -> None:
    """Make Pillow read and write HEIC, for all of this process.

    Raises:
        MissingExtraError: If the extra for it is not installed; the message begins with `failure`.
    """
    try:
        import pillow_heif
    except ImportError as error:
        raise MissingExtraError(f"{failure}: HEIC needs pillow-heif", "heic") from error
    pillow_heif.register_heif_opener()


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "it is no picture, or its beginning is damaged; save it as JPEG or PNG"
    if isinstance(error, Image.DecompressionBombError):
        return f"it claims to have more than {MAX_PIXELS // 1_000_000} million pixels; make it smaller"
    if isinstance(error, MemoryError):
        return "it does not fit into memory; make it smaller"
    detail = " ".join(str(error).split()) or type(error).__name__
    return f"it is damaged or cut short ({on_one_line(detail)}); try another copy of it"


def _is_heic(data: bytes) -> bool:
    if data[4:8] != b"ftyp":
        return False
    brands = data[8 : min(int.from_bytes(data[:4], "big"), 256)]
    return any(brands[at : at + 4] in _HEIC_BRANDS for at in range(0, len(brands), 4))


def _check_size(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise ValueError("it has no pixels")
    if width * height > MAX_PIXELS:
        raise Image.DecompressionBombError


def _orientation(image: Image.Image) -> int:
    """Return the EXIF (or XMP) orientation; to be called after `load`, where Pillow itself turns a TIFF and says 1."""
    try:
        return int(image.getexif().get(Tag.ORIENTATION, 1))
    except Exception:  # noqa: BLE001 damaged EXIF fails in many ways, and the photo is still one
        return 1


def _eight_bit_samples(image: Image.Image) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
    """Return pixels and alpha of an image of any 8-bit mode; palettes and unusual modes become RGB."""
    key = image.info.get("transparency")
    is_deep_key = isinstance(key, tuple) and max(key) > 255  # Pillow would take its low bytes: another color
    mode = "L" if image.mode in ("1", "L", "LA", "La") else "CMYK" if image.mode == "CMYK" else "RGB"
    if image.has_transparency_data and not is_deep_key:
        pixels, alpha = split(np.array(image.convert("RGBA")))
        return (pixels[..., :1] if mode == "L" else pixels), alpha
    pixels = np.array(image if image.mode == mode else image.convert(mode))
    return (pixels[..., None] if mode == "L" else pixels), None


def split(samples: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Split gray or RGB samples (H, W, 1..4) into pixels and alpha."""
    if samples.shape[2] % 2:
        return samples, None
    return np.ascontiguousarray(samples[..., :-1]), np.ascontiguousarray(samples[..., -1])


def _tags(image: Image.Image) -> Any:
    return image.tag_v2 if isinstance(image, TiffImagePlugin.TiffImageFile) else {}


def _deep_samples(image: Image.Image, data: bytes) -> NDArray[np.uint16] | None:
    """Return the samples (H, W, 1..4) of a picture of 16 bits, not turned; None if it has others or is not decodable.

    Where Pillow has only the high bytes, OpenCV's answer counts only if its high bytes are the same: it checks less.
    """
    samples = _deep_gray(image) if image.mode.startswith("I;16") else _deep_colors(image, data)
    key = image.info.get("transparency")
    if samples is None or key is None:
        return samples
    opaque = (samples != np.array(key)).any(axis=2)
    return np.dstack([samples, opaque * np.uint16(65535)])


def _deep_gray(image: Image.Image) -> NDArray[np.uint16]:
    tags, values = _tags(image), np.asarray(image).astype(np.uint16)  # of either byte order
    if np.max(tags.get(Tag.BITS_PER_SAMPLE, 16)) == 12:
        values = (values * (65535 / 4095)).round().astype(np.uint16)
    if tags.get(Tag.PHOTOMETRIC) == WHITE_IS_ZERO:  # white is 0; Pillow inverts 8 bits only
        values = 65535 - values
    return values[..., None]


def _deep_colors(image: Image.Image, data: bytes) -> NDArray[np.uint16] | None:
    tags = _tags(image)
    if image.format == "PNG" and png.is_deep(data):
        data = png.bare(data)
    elif set(tags.get(Tag.BITS_PER_SAMPLE, ())) != {16} or tags.get(Tag.PHOTOMETRIC) != RGB or not data:
        return None
    high = np.asarray(image)
    order = {2: [0, 3], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[high.shape[2]]  # OpenCV has blue first, and no gray with alpha
    values = _opencv_decoded(data, unchanged=True)
    if values is None or values.dtype != np.uint16 or values.ndim != 3 or values.shape[2] <= max(order):
        return None
    samples: NDArray[np.uint16] = values[..., order]
    if not np.array_equal(samples >> 8, high):
        return None
    return samples[..., [0, -1]] if png.is_gray_with_alpha(data) else samples  # RGBA to some versions of Pillow


def _eight_bit_gray(image: Image.Image) -> Image.Image:
    """Scale the gray modes of 32 bits (I, F) to L, which Pillow's own conversion would clip to white."""
    if image.mode not in ("I", "F"):
        return image
    values, tags = np.asarray(image), _tags(image)
    if image.mode == "I" and tags and np.max(tags.get(Tag.SAMPLE_FORMAT, UNSIGNED)) == UNSIGNED:
        values = values.view(np.uint32)  # Pillow's mode I is signed, these samples are not
    scaled = _scaled(values)
    if tags.get(Tag.PHOTOMETRIC) == WHITE_IS_ZERO:
        scaled = 255 - scaled
    return Image.fromarray(scaled)


def _scaled(values: NDArray[Any]) -> NDArray[np.uint8]:
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


def _opencv_tiff(data: bytes) -> Image.Image | None:
    """Decode the deep RGB TIFFs that Pillow refuses (float) or misreads (16 bits in separate planes); else None."""
    if data[:4] not in (b"II*\0", b"MM\0*"):
        return None
    header = TiffImagePlugin.ImageFileDirectory_v2(data[:8])
    stream = io.BytesIO(data)
    stream.seek(header.next)
    header.load(stream)
    deep = header.get(Tag.PHOTOMETRIC) == RGB and np.max(header.get(Tag.BITS_PER_SAMPLE, 1)) > 8
    planar = header.get(Tag.PLANAR_CONFIGURATION) == PLANES
    if not deep or not (planar or np.max(header.get(Tag.SAMPLE_FORMAT, UNSIGNED)) == FLOAT):
        return None
    _check_size(header[Tag.IMAGE_WIDTH], header[Tag.IMAGE_LENGTH])
    # Separate planes come out right at 8 bits only, which OpenCV refuses for float samples.
    values = _opencv_decoded(data, unchanged=not planar)
    if values is None or values.ndim != 3:
        raise OSError("OpenCV cannot decode this TIFF")
    # It has applied the orientation already, and swaps red and blue.
    image = Image.fromarray(np.ascontiguousarray(_scaled(values)[..., [2, 1, 0, 3][: values.shape[2]]]))
    image.info["icc_profile"] = header.get(Tag.ICC_PROFILE)
    return image


def _opencv_decoded(data: bytes, unchanged: bool) -> NDArray[Any] | None:
    """Decode to samples (H, W) or (H, W, C) as OpenCV orders them, as stored or as 8-bit BGR; None if it cannot."""
    import cv2  # only here: it takes 0.1 s to load, and these files are rare

    flags = cv2.IMREAD_UNCHANGED if unchanged else cv2.IMREAD_COLOR
    with OPENCV_SILENCED:
        values: NDArray[Any] | None = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    return values
