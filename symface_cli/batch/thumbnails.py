"""Small pictures of photos and of what was made of them, for a page."""

from dataclasses import dataclass
from math import ceil, inf
from pathlib import Path

import numpy as np
from PIL import Image

from symface_cli.batch.outcomes import Outcome, Pair
from symface_cli.batch.targets import STREAM
from symface_cli.errors import UNREADABLE
from symface_cli.files import contents
from symface_cli.geometry.frames import pixel_from_normalized
from symface_cli.geometry.sampling import resample
from symface_cli.geometry.types import Array, Photo
from symface_cli.imaging.decoding import decode_image, opened
from symface_cli.imaging.photo import photo_of
from symface_cli.pages import InlineImage, inline_image

LONGEST_SIDE = 560  # px, on a page of up to MANY slides; more of them share as many pixels
SHORTEST_SIDE = 160  # px, and no less
MANY = 200
ICON_SIDE = 96  # px


@dataclass(frozen=True, kw_only=True)
class Slide:
    """A part of a photo, before and after; a picture that cannot be had is None.

    Attributes:
        face: Number of the face shown; None for all, or the only one.
        aligned: Whether one picture can be laid over the other.
        before: The photo.
        after: What was made of it.
        icon: The same, very small.
    """

    face: int | None
    aligned: bool
    before: InlineImage | None
    after: InlineImage | None
    icon: InlineImage | None


def choose_side(slides: int) -> int:
    """Choose the longest side of a picture on a page of so many slides."""
    return int(np.clip(LONGEST_SIDE * (MANY / max(slides, 1)) ** 0.5, SHORTEST_SIDE, LONGEST_SIDE))


def draw_slides(outcome: Outcome, side: int) -> tuple[Slide, ...]:
    """Draw a photo's slides, in pictures of at most so many pixels a side; what cannot be read again is missing."""
    pairs = [pair for pair in outcome.pairs or map(Pair, outcome.written[:1]) if pair.path != STREAM]
    if not pairs:
        return ()
    photo = _read(outcome.photo, side, min(map(_span, pairs)))
    return tuple(_draw_slide(photo, pair, side, aligned=bool(outcome.pairs)) for pair in pairs)


@dataclass(frozen=True, eq=False)
class _Reduced:
    """A picture (H, W, 3) that has so many times the width and height in its file."""

    pixels: Photo
    times: int


def _draw_slide(photo: _Reduced | None, pair: Pair, side: int, aligned: bool) -> Slide:
    result = _read(pair.path, side, is_result=True)
    after = None if result is None else _shrink(result.pixels, side)
    if photo is None:
        before = None
    elif pair.photo_from_image is None:
        before = _shrink(photo.pixels, side)
    else:
        before = _cut_out(photo, pair.photo_from_image, side if after is None else len(after))
    icon = None if after is None else _shrink(after, ICON_SIDE)
    aligned = aligned and before is not None and after is not None
    return Slide(face=pair.face, aligned=aligned, before=_inline(before), after=_inline(after), icon=_inline(icon))


def _read(path: Path, side: int, span: float = inf, is_result: bool = False) -> _Reduced | None:
    """Read a picture, of a JPEG no more than is needed; None if it cannot be read.

    Args:
        path: Its file.
        side: How large what is shown of it will be, in pixels.
        span: How large that is in the file; infinite for all of it.
        is_result: Whether of an animation the middle is meant, where the result is, or the beginning.
    """
    try:
        data, name = contents(path)
        with opened(data, name) as file:
            image = file.image
            if is_result and image.format == "GIF":
                image.seek(getattr(image, "n_frames", 1) // 2)
            longest = max(image.size)
            times = min(longest, span) / side
            image.draft(None, (ceil(image.width / times), ceil(image.height / times)))
            pixels = photo_of(decode_image(image))
    except UNREADABLE:
        return None
    return _Reduced(pixels, round(longest / max(pixels.shape)))


def _span(pair: Pair) -> float:
    """Return the side of what a result shows, in photo pixels."""
    matrix = pair.photo_from_image
    return inf if matrix is None else 2 * float(np.sqrt(np.linalg.det(matrix[:2, :2])))


def _cut_out(photo: _Reduced, photo_from_image: Array, size: int) -> Photo:
    """Cut out the square of a photo that a result shows, (size, size, 3)."""
    reduced_from_photo = np.diag([1 / photo.times, 1 / photo.times, 1])
    reduced_from_photo[:2, 2] = 0.5 / photo.times - 0.5
    image_from_reduced = np.linalg.inv(reduced_from_photo @ photo_from_image)
    return resample(photo.pixels, pixel_from_normalized(size) @ image_from_reduced, size)


def _shrink(photo: Photo, side: int) -> Photo:
    """Shrink a photo to at most so many pixels a side."""
    image = Image.fromarray(photo)
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    return np.array(image)


def _inline(photo: Photo | None) -> InlineImage | None:
    return None if photo is None else inline_image(photo)
