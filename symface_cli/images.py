"""Photos in and results out: picture files to upright RGB arrays, and files written whole or not at all."""

import errno
import io
import os
import secrets
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageFile, PngImagePlugin, TiffImagePlugin, UnidentifiedImageError

from symface_cli.errors import PhotoError

Photo = NDArray[np.uint8]
"""A photo: `(H, W, 3) uint8`, sRGB, upright."""

PHOTO_SUFFIXES: frozenset[str] = frozenset(
    {".jpg", ".jpeg", ".jfif", ".png", ".webp", ".avif", ".tif", ".tiff", ".bmp"}
)
"""What is taken for a photo when a folder is searched; a file that is named may have any suffix, GIF included."""

MAX_PIXELS = 200_000_000
"""The most pixels a photo may claim in its header (a decompression bomb claims more); today's largest phone photos,
16320 x 12240, have just fewer. Replaces Pillow's own limit, which is lower and warns on stderr."""

# Chosen by what is in the file, never by its suffix. Pillow reads more, but some of that runs other programs
# (EPS runs Ghostscript) or has no signature (TGA), so that any garbage would pass for it.
_FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "TIFF", "BMP", "GIF", "PPM", "JPEG2000")

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
_EXIF_ORIENTATION = 0x0112

_WRITE_REASONS = {
    errno.ENOENT: "its folder does not exist; create it first",
    errno.ENOTDIR: "its folder is a file; choose another folder",
    errno.EISDIR: "it is a folder; give the name of a file",
    errno.EACCES: "permission denied; choose another folder",
    errno.ENOSPC: "no space left on the device; free some or choose another folder",
}

_PILLOW_LOCK = threading.Lock()


def read_photo(source: str | os.PathLike[str] | bytes) -> Photo:
    """Reads a picture file as it is meant to be seen.

    The EXIF orientation is applied, an embedded colour profile is converted to sRGB (a broken profile is ignored),
    deep samples are scaled to 8 bits, transparent pixels are composited over white, and of an animation the first
    frame is taken. A picture that is cut short is refused: a JPEG even where only its end marker is missing, a PNG or
    GIF unless all its pixels are there.

    Args:
        source: the name of a file, or the contents of one.

    Returns:
        `(H, W, 3) uint8` RGB, upright, writable.

    Raises:
        PhotoError: it cannot be read, is no picture, is damaged, or claims more than `MAX_PIXELS`.
    """
    if isinstance(source, bytes):
        return _decode(source, "the given bytes")
    name = _on_one_line(os.fspath(source))
    try:
        data = Path(source).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        raise PhotoError(f"cannot read {name}: {getattr(error, 'strerror', None) or error}") from error
    return _decode(data, name)


def as_photo(photo: str | os.PathLike[str] | bytes | Image.Image | NDArray[Any]) -> Photo:
    """Makes a photo of whatever a user of the library has in hand; what is given is never changed.

    Args:
        photo: what `read_photo` takes, a Pillow image (treated like a file: orientation, profile, mode), or a `uint8`
            array, upright and sRGB: grey `(H, W)`, RGB `(H, W, 3)` or RGBA `(H, W, 4)`, composited over white.

    Raises:
        PhotoError: a file, its contents or a lazily opened image cannot be read.
        TypeError: it is nothing of that, or an array of another dtype.
        ValueError: an array of another shape, or without pixels.
    """
    if isinstance(photo, (str, os.PathLike, bytes)):
        return read_photo(photo)
    if isinstance(photo, Image.Image):
        with _reading("the given image"):
            return _photo_of_image(photo)
    if not isinstance(photo, np.ndarray):
        raise TypeError(f"a photo is a path, bytes, a Pillow image or a numpy array, not {type(photo).__name__}")
    if photo.dtype != np.uint8:
        raise TypeError(f"a photo's array has dtype uint8 (0..255), not {photo.dtype}")
    if photo.size == 0 or photo.ndim not in (2, 3) or (photo.ndim == 3 and photo.shape[2] not in (3, 4)):
        raise ValueError(f"a photo's array has shape (H, W), (H, W, 3) or (H, W, 4), not {photo.shape}")
    return _rgb(Image.fromarray(photo), profile=None)


def encode_png(image: Photo, text: Mapping[str, str] | None = None) -> bytes:
    """Encodes a photo as PNG; the same pixels and text give the same bytes (with the same zlib).

    Args:
        image: `(H, W, 3) uint8` RGB.
        text: entries for the file's text chunks, keyword to value.
    """
    chunks = PngImagePlugin.PngInfo()
    for keyword, value in sorted((text or {}).items()):
        chunks.add_text(keyword, value)
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG", compress_level=6, pnginfo=chunks)
    return buffer.getvalue()


def write_atomically(path: Path, data: bytes) -> None:
    """Writes a file so that, whatever happens, its name has either the old contents or all of the new.

    A symbolic link is followed, and a device or pipe (`/dev/stdout`) is written to, not replaced, as by `open`.

    Raises:
        PhotoError: it cannot be written; nothing is left behind.
    """
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            path.write_bytes(data)
        else:
            _write_and_replace(Path(os.path.realpath(path)), data)
    except OSError as error:
        reason = _WRITE_REASONS.get(error.errno or 0) or error.strerror or str(error)
        raise PhotoError(f"cannot write {_on_one_line(str(path))}: {reason}") from error


def find_photos(folder: Path) -> list[Path]:
    """Lists the photos in a folder and below it, sorted; hidden files and folders are passed over.

    Folders that are symbolic links are not entered: they may form a loop.

    Raises:
        PhotoError: the folder, or one below it, cannot be listed.
    """

    def refuse(error: OSError) -> None:
        raise PhotoError(f"cannot list the folder {_on_one_line(str(error.filename))}: {error.strerror}") from error

    found = []
    for parent, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [
            Path(parent, name)
            for name in files
            if not name.startswith(".") and Path(name).suffix.lower() in PHOTO_SUFFIXES
        ]
    return sorted(found)


def _write_and_replace(path: Path, data: bytes) -> None:
    # A short name of its own: the target's name with something added could be longer than the file system allows.
    temporary = path.parent / f".symface-{secrets.token_hex(8)}"
    try:
        # "x", not tempfile: mkstemp's mode 0600 would stay on the result, this one follows the umask.
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        # For KeyboardInterrupt, too. After the replacement, the name is gone.
        with suppress(OSError):
            temporary.unlink()


def _on_one_line(name: str) -> str:
    """A file's name as it can be shown: line ends, control characters and undecodable bytes are escaped."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in name)


@contextmanager
def _reading(name: str) -> Iterator[None]:
    """Pillow's global switches as this module needs them, and put back; whatever it raises becomes a PhotoError."""
    with _PILLOW_LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of corrupt EXIF: they would clutter stderr
        switches = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES
        # Other libraries switch LOAD_TRUNCATED_IMAGES on, for good: half-grey photos.
        Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = MAX_PIXELS, False
        try:
            yield
        except Exception as error:  # on damaged files, Pillow raises nearly everything there is
            raise PhotoError(f"cannot read {name}: {_reason(error)}") from error
        finally:
            Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = switches


def _reason(error: Exception) -> str:
    if isinstance(error, UnidentifiedImageError):
        return "it is no picture, or its beginning is damaged; save it as JPEG or PNG"
    if isinstance(error, Image.DecompressionBombError):
        return f"it claims to have more than {MAX_PIXELS // 1_000_000} million pixels; make it smaller"
    if isinstance(error, MemoryError):
        return "it does not fit into memory; make it smaller"
    detail = " ".join(str(error).split()) or type(error).__name__
    return f"it is damaged or cut short ({_on_one_line(detail)}); try another copy of it"


def _decode(data: bytes, name: str) -> Photo:
    if not data:
        raise PhotoError(f"cannot read {name}: it is empty; try another copy of it")
    with _reading(name):
        image = _opencv_tiff(data)
        if image is None:
            Image.init()  # AVIF came with Pillow 11.3; a format without a plugin would be a KeyError
            image = Image.open(io.BytesIO(data), formats=[known for known in _FORMATS if known in Image.OPEN])
        return _photo_of_image(image)


def _photo_of_image(image: Image.Image) -> Photo:
    _check_size(*image.size)  # as the header claims; nothing is decoded yet
    image.load()
    photo = _rgb(_eight_bit(image), image.info.get("icc_profile"))
    turn = _UPRIGHT_FROM_STORED.get(_orientation(image))
    return photo if turn is None else np.array(Image.fromarray(photo).transpose(turn))


def _check_size(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise ValueError("it has no pixels")
    if width * height > MAX_PIXELS:
        raise Image.DecompressionBombError


def _orientation(image: Image.Image) -> int:
    """Reads the EXIF (or XMP) orientation; to be called after `load`, where Pillow itself turns a TIFF and says 1."""
    try:
        return int(image.getexif().get(_EXIF_ORIENTATION, 1))
    except Exception:
        return 1


def _rgb(image: Image.Image, profile: bytes | None) -> Photo:
    """Converts any 8-bit mode to sRGB and composites it over white."""
    key = image.info.get("transparency")
    is_deep_key = isinstance(key, tuple) and max(key) > 255  # Pillow would take its low bytes: another colour
    if is_deep_key or not image.has_transparency_data:
        return np.array(_srgb(image, profile))
    grey = image.mode in ("1", "L", "LA", "La")
    image = image.convert("RGBA")
    alpha = image.getchannel("A")
    white = Image.new("RGB", image.size, "white")
    white.paste(_srgb(image.convert("L" if grey else "RGB"), profile), mask=alpha)
    return np.array(white)


def _srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Converts to sRGB by the profile, or without one where it is broken or meant for other channels."""
    if image.mode == "LAB":  # no other conversion of Pillow's knows this mode
        return _transformed(image, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")))
    try:
        if profile:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            mode = {"GRAY": "L", "CMYK": "CMYK"}.get(source.profile.xcolor_space, "RGB")
            # A grey picture with an RGB profile is common, and meant so; the other way round is a mistake.
            if image.mode in ("1", "L") if mode == "L" else (mode == "CMYK") == (image.mode == "CMYK"):
                return _transformed(image.convert(mode), source)
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        pass
    return image.convert("RGB")


def _transformed(image: Image.Image, source: ImageCms.ImageCmsProfile) -> Image.Image:
    target = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    transformed = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
    assert transformed is not None  # None is for inPlace only
    return transformed


def _eight_bit(image: Image.Image) -> Image.Image:
    """Scales the deep grey modes (I;16, I, F) to L, which Pillow's own conversion would clip to white."""
    if image.mode != "F" and not image.mode.startswith("I"):
        return image
    values = np.asarray(image)
    tags = image.tag_v2 if isinstance(image, TiffImagePlugin.TiffImageFile) else {}
    bits = int(np.max(tags.get(TiffImagePlugin.BITSPERSAMPLE, 16)))
    if image.mode == "I" and tags and np.max(tags.get(TiffImagePlugin.SAMPLEFORMAT, 1)) == 1:
        values = values.view(np.uint32)  # Pillow's mode I is signed, these samples are not
    scaled = _scaled(values, full_scale=4095 if bits == 12 else None)
    if tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == 0:  # white is 0; Pillow inverts 8 bits only
        scaled = 255 - scaled
    return Image.fromarray(scaled)


def _scaled(values: NDArray[Any], full_scale: float | None = None) -> Photo:
    """Scales samples of any type linearly to 0..255, rounded; below 0 and NaN are black.

    Args:
        values: any shape; 16-bit samples are white at 65535. Of wider and float ones, the file does not say where white
            is: at the smallest of 1 (float only), 255, 65535, 2^31 - 1 and 2^32 - 1 that holds the largest value.
        full_scale: where white is, if known.
    """
    if full_scale is None and values.dtype.itemsize == 2:
        full_scale = 65535.0
    if full_scale is None:
        largest = float(values[np.isfinite(values)].max(initial=0))
        # A float of up to 16 is a highlight above 1: a picture on a scale of 255 would be nearly black.
        is_fraction = values.dtype.kind == "f" and largest <= 16
        usual = (255.0, 65535.0, 2**31 - 1.0, 2**32 - 1.0)
        full_scale = 1.0 if is_fraction else next((scale for scale in usual if largest <= scale), largest)
    levels = np.clip(values.astype(np.float32) / np.float32(full_scale), 0, 1) * 255
    return np.asarray(np.nan_to_num(levels) + 0.5).astype(np.uint8)


def _opencv_tiff(data: bytes) -> Image.Image | None:
    """Decodes the deep RGB TIFFs that Pillow refuses (float) or misreads (16 bits in separate planes); else None."""
    if data[:4] not in (b"II*\0", b"MM\0*"):
        return None
    header = TiffImagePlugin.ImageFileDirectory_v2(data[:8])
    stream = io.BytesIO(data)
    stream.seek(header.next)
    header.load(stream)
    deep = header.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == 2 and np.max(header.get(258, 1)) > 8
    planar = header.get(TiffImagePlugin.PLANAR_CONFIGURATION) == 2
    if not deep or not (planar or np.max(header.get(TiffImagePlugin.SAMPLEFORMAT, 1)) == 3):
        return None
    _check_size(header[TiffImagePlugin.IMAGEWIDTH], header[TiffImagePlugin.IMAGELENGTH])
    import cv2  # only here: it takes 0.1 s to load, and these files are rare

    # Separate planes come out right at 8 bits only, which OpenCV refuses for float samples.
    flag = cv2.IMREAD_COLOR if planar else cv2.IMREAD_UNCHANGED
    values = cv2.imdecode(np.frombuffer(data, np.uint8), flag)
    if values is None or values.ndim != 3:
        raise OSError("OpenCV cannot decode this TIFF")
    # It has applied the orientation already, and swaps red and blue.
    image = Image.fromarray(np.ascontiguousarray(_scaled(values)[..., [2, 1, 0, 3][: values.shape[2]]]))
    image.info["icc_profile"] = header.get(TiffImagePlugin.ICCPROFILE)
    return image
