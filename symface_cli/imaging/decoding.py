"""Decode picture files to samples, whatever the file claims and however it is damaged."""

import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin, UnidentifiedImageError

from symface_cli.errors import MissingExtraError, PhotoError
from symface_cli.files import on_one_line
from symface_cli.geometry.types import Pixels
from symface_cli.imaging.color import eight_bit, image_of, scale_to_eight_bits, srgb_from_lab
from symface_cli.imaging.deep import declared_bits, deep_samples
from symface_cli.imaging.metadata.exif import TIFF_MARKS, UNSIGNED, WHITE_IS_ZERO, Tag
from symface_cli.imaging.refusals import RefusedError, name_file, refuse_preview
from symface_cli.imaging.switches import MAX_PIXELS, PILLOW_SWITCHED, silence_libtiff
from symface_cli.imaging.tiff_pages import TiffSamples, choose_page, decode_page

# Chosen by what is in the file, never by its suffix. Pillow reads more, but some of that runs other programs
# (EPS runs Ghostscript) or has no signature (TGA), so that any garbage would pass for it.
_FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF", "TIFF", "BMP", "GIF", "PPM", "JPEG2000")

_MOST = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")  # how JPEG and PNG begin, which Pillow itself loads first

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


@dataclass(frozen=True, eq=False, kw_only=True)
class PictureFile:
    """A picture file that is open.

    Attributes:
        image: As Pillow opened it; of what Pillow does not read, as it is seen with 8 bits.
        data: Its contents; the first page of a TIFF is the photo.
        page: A TIFF's page that Pillow does not read, decoded, with its orientation; else None.
        notes: What a user should know, a sentence each.
    """

    image: Image.Image
    data: bytes
    page: tuple[TiffSamples, int] | None = None
    notes: tuple[str, ...] = ()


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Read with Pillow's switches set as that needs them; several threads may do so at a time.

    Raises:
        PhotoError: For whatever is raised within.
        MissingExtraError: If an extra would read it.
    """
    with PILLOW_SWITCHED:
        try:
            yield
        except Exception as error:  # on damaged files, Pillow raises nearly everything there is
            message = f"cannot read {name}: {_reason(error)}"
            if isinstance(error, RefusedError) and error.extra:
                raise MissingExtraError(message, error.extra) from error
            raise PhotoError(message) from error


@contextmanager
def opened(data: bytes, name: str) -> Iterator[PictureFile]:
    """Open the contents of a picture file, not yet decoded as a rule, `reading` as long as it is open."""
    if not data:
        raise PhotoError(f"cannot read {name}: it is empty; try another copy of it")
    if _is_heic(data):
        register_heic(f"cannot read {name}")
    with reading(name):
        yield _open_tiff(data) if data[:4] in TIFF_MARKS else _open_by_pillow(data)


def _open_by_pillow(data: bytes) -> PictureFile:
    if data.startswith(_MOST):
        Image.preinit()  # all plugins take 20 ms to be imported
    else:
        Image.init()
    # AVIF came with Pillow 11.3; a format without a plugin would be a KeyError
    try:
        image = Image.open(io.BytesIO(data), formats=[known for known in _FORMATS if known in Image.OPEN])
    except UnidentifiedImageError as error:
        name = name_file(data)
        if name is None:
            raise
        raise RefusedError(f"it is {name}") from error
    refuse_preview(image, data)
    return PictureFile(image=image, data=data)


def _open_tiff(data: bytes) -> PictureFile:
    """Open a TIFF with Pillow where that reads all of it, else decode it at once."""
    silence_libtiff()
    chosen = choose_page(data)
    _check_size(chosen.page.width, chosen.page.height)
    if chosen.page.is_for_pillow:
        with suppress(UnidentifiedImageError):
            return replace(_open_by_pillow(chosen.data), notes=chosen.notes)
    samples = decode_page(chosen)
    alpha = None if samples.alpha is None or samples.pixels.shape[2] == 4 else eight_bit(samples.alpha)
    image = image_of(eight_bit(samples.pixels), alpha)
    image.format = "TIFF"
    image.info.update(chosen.page.info)
    return PictureFile(image=image, data=chosen.data, page=(samples, chosen.page.orientation), notes=chosen.notes)


def decode(file: PictureFile) -> RawPixels:
    """Decode a file of at most `MAX_PIXELS`; to be called while `reading`."""
    if file.page is None:
        samples = decode_image(file.image, file.data)
        return replace(samples, notes=(*file.notes, *samples.notes))
    (pixels, alpha, notes), orientation = file.page
    turn = _UPRIGHT_FROM_STORED.get(orientation)
    return RawPixels(
        pixels=_turned(pixels, turn),
        alpha=None if alpha is None else _turned(alpha[..., None], turn)[..., 0],
        profile=file.image.info.get("icc_profile"),
        orientation=orientation if turn is not None else 1,
        notes=(*file.notes, *notes),
    )


def decode_image(image: Image.Image, data: bytes = b"") -> RawPixels:
    """Decode an image of at most `MAX_PIXELS`; to be called while `reading`.

    Args:
        image: As Pillow opened it.
        data: The contents of its file, for the bits that Pillow cuts off.
    """
    _check_size(*image.size)  # as the header claims; nothing is decoded yet
    stored = _tags(image).get(Tag.ORIENTATION) or image.info.get("original_orientation")  # of TIFF and HEIC, which
    image.load()  # Pillow turns itself here, and pillow-heif already has
    profile = image.info.get("icc_profile")
    orientation = _orientation(image)
    turn = _UPRIGHT_FROM_STORED.get(orientation)
    if turn is None:
        orientation = stored if stored in _UPRIGHT_FROM_STORED else 1
    samples = deep_samples(image, data)
    if samples is not None:
        pixels, alpha = split(_turned(samples, turn))
        return RawPixels(pixels=pixels, alpha=alpha, profile=profile, orientation=orientation)
    bits = declared_bits(image, data)
    notes = (f"its {bits} bits per sample become 8",) if data and bits > 8 else ()
    if image.mode == "LAB":
        image, profile = srgb_from_lab(image), None
    gray = _eight_bit_gray(image)
    pixels, alpha = _eight_bit_samples(gray if turn is None else gray.transpose(turn))
    return RawPixels(pixels=pixels, alpha=alpha, profile=profile, orientation=orientation, notes=notes)


def _turned(samples: NDArray[Any], turn: Image.Transpose | None) -> NDArray[Any]:
    """Turn samples (H, W, C) upright."""
    if turn is None:
        return samples
    channels = [Image.fromarray(np.ascontiguousarray(samples[..., channel])) for channel in range(samples.shape[2])]
    return np.dstack([np.asarray(channel.transpose(turn)) for channel in channels])


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
    if isinstance(error, RefusedError):
        return str(error)
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
    if image.mode == "La":
        image = image.convert("LA")  # the only mode that Pillow converts it to
    key = image.info.get("transparency")
    is_deep_key = isinstance(key, tuple) and max(key) > 255  # Pillow would take its low bytes: another color
    mode = "L" if image.mode in ("1", "L", "LA") else "CMYK" if image.mode == "CMYK" else "RGB"
    if image.has_transparency_data and not is_deep_key:
        pixels, alpha = split(np.array(image.convert("RGBA")))
        return (pixels[..., :1] if mode == "L" else pixels), alpha
    pixels = np.asarray(image if image.mode == mode else image.convert(mode))  # of a copy already, not to be written to
    return (pixels[..., None] if mode == "L" else pixels), None


def split(samples: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Split gray or RGB samples (H, W, 1..4) into pixels and alpha."""
    if samples.shape[2] % 2:
        return samples, None
    return np.ascontiguousarray(samples[..., :-1]), np.ascontiguousarray(samples[..., -1])


def _tags(image: Image.Image) -> Any:
    return image.tag_v2 if isinstance(image, TiffImagePlugin.TiffImageFile) else {}


def _eight_bit_gray(image: Image.Image) -> Image.Image:
    """Scale the gray modes of 32 bits (I, F) to L, which Pillow's own conversion would clip to white."""
    if image.mode not in ("I", "F"):
        return image
    values, tags = np.asarray(image), _tags(image)
    if image.mode == "I" and tags and np.max(tags.get(Tag.SAMPLE_FORMAT, UNSIGNED)) == UNSIGNED:
        values = values.view(np.uint32)  # Pillow's mode I is signed, these samples are not
    scaled = scale_to_eight_bits(values)
    if tags.get(Tag.PHOTOMETRIC) == WHITE_IS_ZERO:
        scaled = 255 - scaled
    return Image.fromarray(scaled)
