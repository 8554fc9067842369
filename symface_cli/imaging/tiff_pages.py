"""TIFF files as pages: find the photo among previews and raw data, and decode what Pillow has no modes for."""

import io
import lzma
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry.types import Pixels
from symface_cli.imaging.color import scale_to_eight_bits
from symface_cli.imaging.metadata.exif import (
    BLACK_IS_ZERO,
    PLANES,
    RGB,
    SEPARATED,
    UNSIGNED,
    WHITE_IS_ZERO,
    Field,
    Layout,
    Tag,
    read_fields,
    read_header,
    unpack_numbers,
)
from symface_cli.imaging.refusals import RefusedError
from symface_cli.imaging.switches import TIFFFILE_SILENCED


class _Expander(Protocol):
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


_MOST_PAGES = 1000
_CHANNELS = {WHITE_IS_ZERO: 1, BLACK_IS_ZERO: 1, RGB: 3, SEPARATED: 4}  # without extra samples, by PHOTOMETRIC
_RAW = {32803, 34892}  # of PHOTOMETRIC: a camera's color filters, and what DNG calls linear raw
_COMPLEX = {5, 6}  # of SAMPLE_FORMAT
_IS_RAW = "it is a camera's raw file, which has to be developed first", "develop it to JPEG or TIFF"
_KINDS = {3: "palette", 4: "mask", 6: "YCbCr", 8: "CIELab", 9: "ICCLab", 10: "ITULab", 32844: "LogL", 32845: "LogLuv"}
# Values of COMPRESSION that Pillow's libtiff knows; of others it complains on standard error.
_KNOWN_TO_PILLOW = {1, 2, 3, 4, 5, 6, 7, 8, 32773, 32946, 34925, 50000}
_NEEDED = {Tag.BITS_PER_SAMPLE, Tag.EXTRA_SAMPLES, Tag.SAMPLE_FORMAT, Tag.STRIP_OFFSETS, Tag.STRIP_BYTE_COUNTS}
# By COMPRESSION: what starts to expand deflate (two numbers) and LZMA; how much either expands at most, about.
_EXPANDERS: Mapping[int, Callable[[], _Expander]] = {
    8: zlib.decompressobj,
    32946: zlib.decompressobj,
    34925: lzma.LZMADecompressor,
}
_MOST_EXPANSION = 8000
_BLOCKS = {"icc_profile": Tag.ICC_PROFILE, "xmp": Tag.XMP}
_PREMULTIPLIED, _UNASSOCIATED = 1, 2  # of EXTRA_SAMPLES


@dataclass(frozen=True, kw_only=True)
class TiffPage:
    """One of a TIFF file's pictures, as its directory describes it.

    Attributes:
        offset: Where the directory lies.
        width: In pixels.
        height: In pixels.
        bits: The most bits of a sample.
        kind: Of the samples: a value of SAMPLE_FORMAT.
        photometric: How samples are meant: a value of PHOTOMETRIC.
        samples: Samples of a pixel.
        extra: What samples beyond the colors are: values of EXTRA_SAMPLES.
        compression: A value of COMPRESSION.
        planar: Whether each channel is stored alone.
        reduced: Whether it is a smaller version of another page, or a mask.
        raw: Whether a camera's sensor wrote it.
        orientation: As in EXIF.
        info: What it says beside its pixels, by Pillow's names.
    """

    offset: int
    width: int
    height: int
    bits: int
    kind: int
    photometric: int
    samples: int
    extra: tuple[int, ...]
    compression: int
    planar: bool
    reduced: bool
    raw: bool
    orientation: int
    info: Mapping[str, object]

    @property
    def is_for_pillow(self) -> bool:
        """Whether Pillow reads it, with all of its bits or so that what it drops can be read with OpenCV."""
        if self.compression not in _KNOWN_TO_PILLOW or (self.planar and self.samples == 2):
            return False
        is_deep = self.bits > 8
        plain = self.photometric == RGB and self.kind == UNSIGNED and self.bits == 16
        return not is_deep or self.samples == 1 or (plain and not self.planar and _PREMULTIPLIED not in self.extra)


class ChosenPage(NamedTuple):
    """The photo of a TIFF file.

    Attributes:
        page: It.
        data: The contents of a file whose first page it is.
        notes: What a user should know, a sentence each.
    """

    page: TiffPage
    data: bytes
    notes: tuple[str, ...] = ()


class TiffSamples(NamedTuple):
    """What a page stores, not turned.

    Attributes:
        pixels: (H, W, C) uint8 or uint16.
        alpha: (H, W) of the same dtype; None if it has none.
        notes: What a user should know, a sentence each.
    """

    pixels: Pixels
    alpha: Pixels | None
    notes: tuple[str, ...] = ()


def choose_page(data: bytes) -> ChosenPage:
    """Choose the photo of a TIFF file: the first page that is no preview.

    Raises:
        RefusedError: If it is a camera's raw file.
    """
    layout, at = read_header(data)
    if data[8:10] == b"CR":  # Canon's mark
        raise RefusedError(*_IS_RAW)
    pages, inner, is_dng = _all_pages(data, layout, at)
    if is_dng or any(page.raw for page in (*pages, *inner)):
        raise RefusedError(*_IS_RAW)
    first, photos = pages[0], sum(not page.reduced for page in pages)
    further = (f"only the first of its {photos} pictures is taken",) if photos > 1 else ()
    page = next((page for page in (*pages, *inner) if not page.reduced), first)
    if page is first:
        return ChosenPage(first, data, further)
    start, pointer = (8, "Q") if layout.wide else (4, "I")
    moved = data[:start] + struct.pack(layout.order + pointer, page.offset) + data[start + struct.calcsize(pointer) :]
    return ChosenPage(page, moved, ("its first picture is a preview, and passed over", *further))


def _all_pages(data: bytes, layout: Layout, at: int) -> tuple[list[TiffPage], list[TiffPage], bool]:
    """Return the pages in their order, those within pages, and whether the file is a DNG."""
    pages, inner, is_dng = [], [], False
    for offset, fields in _directories(data, layout, at):
        pages.append(_page(layout, offset, fields))
        is_dng = is_dng or Tag.DNG_VERSION in fields
        for place in _numbers(layout, fields, Tag.SUB_DIRECTORIES, ())[:_MOST_PAGES]:
            try:
                inner.append(_page(layout, place, read_fields(data, layout, place, _NEEDED)[0]))
            except (ValueError, struct.error):
                break  # what cannot be read is not the photo
    return pages, inner, is_dng


def _directories(data: bytes, layout: Layout, at: int) -> Iterator[tuple[int, dict[int, Field]]]:
    """Yield the directories of the pages; those after one that is damaged are passed over."""
    seen: set[int] = set()
    while at and at not in seen and len(seen) < _MOST_PAGES:
        try:
            fields, following = read_fields(data, layout, at, _NEEDED)
        except (ValueError, struct.error):
            if not seen:
                raise
            return
        yield at, fields
        seen.add(at)
        at = following


def _page(layout: Layout, offset: int, fields: dict[int, Field]) -> TiffPage:
    def value(tag: Tag, default: int) -> int:
        return max(_numbers(layout, fields, tag, (default,)))

    photometric = value(Tag.PHOTOMETRIC, BLACK_IS_ZERO)
    return TiffPage(
        offset=offset,
        width=value(Tag.IMAGE_WIDTH, 0),
        height=value(Tag.IMAGE_LENGTH, 0),
        bits=value(Tag.BITS_PER_SAMPLE, 1),
        kind=value(Tag.SAMPLE_FORMAT, UNSIGNED),
        photometric=photometric,
        samples=value(Tag.SAMPLES_PER_PIXEL, 1),
        extra=_numbers(layout, fields, Tag.EXTRA_SAMPLES, ()),
        compression=value(Tag.COMPRESSION, 1),
        planar=value(Tag.PLANAR_CONFIGURATION, 1) == PLANES,
        reduced=bool(value(Tag.NEW_SUBFILE_TYPE, 0) & 5) or value(Tag.SUBFILE_TYPE, 1) == 2,
        raw=photometric in _RAW,
        orientation=value(Tag.ORIENTATION, 1),
        info={name: fields[tag].data for name, tag in _BLOCKS.items() if tag in fields}
        | {"compression": "raw" if value(Tag.COMPRESSION, 1) == 1 else "deflate"},
    )


def _numbers(layout: Layout, fields: dict[int, Field], tag: Tag, default: tuple[int, ...]) -> tuple[int, ...]:
    return (unpack_numbers(layout.order, fields[tag]) if tag in fields else ()) or default


def decode_page(chosen: ChosenPage) -> TiffSamples:
    """Decode a page with tifffile, with 16 bits where it has as many or more than 8; float and 32 bits become 8.

    Raises:
        RefusedError: If it is of a kind that a picture has no samples for, or imagecodecs is missing.
        Exception: Of nearly any kind, if it is damaged.
    """
    page = chosen.page
    colors = _CHANNELS.get(page.photometric)
    if page.photometric == 6 and page.compression == 7 and page.bits == 8:
        colors = 3  # JPEG, which becomes RGB
    wide = page.bits > 16 or page.kind != UNSIGNED
    if colors is None or page.samples < colors:
        kind = _KINDS.get(page.photometric, f"colors of kind {page.photometric}")
        raise RefusedError(f"it is a {kind} TIFF of {page.bits} bits per sample", "save it as RGB of 8 or 16 bits")
    if page.kind in _COMPLEX:
        raise RefusedError("it is a TIFF of complex numbers")
    if wide and colors == 4:
        raise RefusedError(f"it is a TIFF of {page.bits} bits per sample", "save it with 8 or 16")
    values = _values(chosen)[:, :, : page.samples]
    notes = chosen.notes
    if wide:
        values = scale_to_eight_bits(values)
        notes = (*notes, f"its {page.bits} bits per sample become 8") if page.bits > 8 else notes
    elif page.bits not in (8, 16):
        values = _widened(values, page.bits)
    if page.photometric == WHITE_IS_ZERO:
        values = np.iinfo(values.dtype).max - values
    return _split(page, values, colors, notes)


def _split(page: TiffPage, values: NDArray[Any], colors: int, notes: tuple[str, ...]) -> TiffSamples:
    """Tell colors from alpha; of further samples, nothing is taken."""
    pixels = np.ascontiguousarray(values[..., :colors])
    extra = page.extra or (_UNASSOCIATED,) * (page.samples - colors)
    kinds = (_PREMULTIPLIED, _UNASSOCIATED)
    place = next((place for place, kind in enumerate(extra[: page.samples - colors]) if kind in kinds), None)
    if page.samples - colors > (place is not None):
        notes = (*notes, "its channels beyond colors and transparency are not kept")
    if place is None:
        return TiffSamples(pixels, None, notes)
    alpha = np.ascontiguousarray(values[..., colors + place])
    if page.photometric == WHITE_IS_ZERO:
        alpha = np.iinfo(alpha.dtype).max - alpha  # only colors are meant by that
    if extra[place] == _PREMULTIPLIED:
        pixels = _divided(pixels, alpha)
    return TiffSamples(pixels, alpha, notes)


def _divided(pixels: Pixels, alpha: Pixels) -> Pixels:
    """Undo the multiplication by alpha; what is wholly transparent stays as it is."""
    full, share = np.iinfo(pixels.dtype).max, np.maximum(alpha, 1).astype(np.uint32)[..., None]
    colors = ((pixels.astype(np.uint32) * full + share // 2) // share).clip(0, full).astype(pixels.dtype)
    divided: Pixels = np.where(alpha[..., None] > 0, colors, pixels)
    return divided


def _widened(values: NDArray[Any], bits: int) -> NDArray[Any]:
    """Scale samples of 1 to 15 bits to 8 or 16."""
    full, dtype = (255, np.uint8) if bits < 8 else (65535, np.uint16)
    return np.asarray((values * (full / (2**bits - 1))).round().astype(dtype))


def _check_expansion(chosen: ChosenPage, segments: list[tuple[int, int]]) -> None:
    """Refuse segments that expand to far more than the page has: a decompression bomb.

    Raises:
        ValueError: If there is one.
    """
    page = chosen.page
    start = _EXPANDERS.get(page.compression)
    limit = page.width * page.height * page.samples * (page.bits // 8 + 1) + 2**20
    if start is None:
        return
    for place, size in segments:
        may_be_bomb = size * _MOST_EXPANSION > 2**30
        if may_be_bomb and len(start().decompress(chosen.data[place : place + size], limit)) == limit:
            raise ValueError("its samples expand to more than it claims")


def _values(chosen: ChosenPage) -> NDArray[Any]:
    """Decode to samples (H, W, S) as they are stored."""
    import tifffile  # only here: it takes 0.1 s to load, and these files are rare

    with TIFFFILE_SILENCED, tifffile.TiffFile(io.BytesIO(chosen.data)) as file:
        page = file.pages.first
        ends = [place + size for place, size in zip(page.dataoffsets, page.databytecounts, strict=True)]
        if not ends or max(ends) > len(chosen.data) or 0 in page.databytecounts:
            raise ValueError("its samples lie beyond its end")
        _check_expansion(chosen, list(zip(page.dataoffsets, page.databytecounts, strict=True)))
        try:
            values = np.asarray(page.asarray())
        except ValueError as error:
            if "imagecodecs" in str(error):
                name = getattr(page.compression, "name", str(page.compression))
                raise RefusedError(f"this kind of TIFF ({name}) needs imagecodecs", extra="tiff") from error
            raise
    if chosen.page.planar and values.ndim == 3:
        values = np.moveaxis(values, 0, -1)
    return values.reshape(chosen.page.height, chosen.page.width, -1)
