"""What is made of a photo and its faces: the files' contents, by what was asked for."""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from symface_cli.detection.detector import FoundFace
from symface_cli.errors import WeightsError
from symface_cli.geometry.frames import CROP_SIZE, Array, apply, pixel_from_normalised
from symface_cli.geometry.sampling import enlarge, native_size
from symface_cli.imaging.color import Pixels
from symface_cli.imaging.encoding import Metadata, Picture, encode_picture, native_from_srgb, srgb_from_native
from symface_cli.imaging.photo import Photo, encode_png
from symface_cli.inference.face import SeenFace, Warped, draw_face
from symface_cli.rendering.comparison import draw_comparison, draw_preview
from symface_cli.rendering.morphing import FRAME_FADE, SHAPE_FADE, Amounts, Morph, fade

FRAMES = 13  # of an animation from the photo to its symmetric version; the way back shows them again
FRAME_TIME = 60  # ms
HOLD_TIME = 700  # ms, of the first and the last frame
ANIMATION_SIDE = 640  # px, longest side of an animation
HEAD = 1.2  # side of a crop in sides of the network's crop


class Output(str, Enum):
    """What can be made."""

    PHOTO = "photo"
    FACE = "face"
    CROP = "crop"
    COMPARE = "compare"
    PREVIEW = "preview"


@dataclass(frozen=True)
class Recipe:
    """What to make.

    Attributes:
        outputs: Which pictures.
        amounts: How far, and of which side.
        detail: True for the photo's own pixels, False for the face as the VAE decodes it.
        steps: Shares of the amounts, each of which becomes a numbered frame; empty for the amounts themselves.
        animated: Whether to make an animation instead, from the photo to there and back.
        size: Side of `face` in pixels; None for the photo's own resolution.
        background: What surrounds the face in `face`: None for the photo, "transparent", or a colour (r, g, b).
    """

    outputs: tuple[Output, ...] = (Output.PHOTO,)
    amounts: Amounts = field(default_factory=Amounts)
    detail: bool = True
    steps: tuple[float, ...] = ()
    animated: bool = False
    size: int | None = None
    background: Literal["transparent"] | tuple[int, int, int] | None = None


@dataclass(frozen=True, eq=False)
class Product:
    """A file that is to be made.

    Attributes:
        output: What it shows.
        face: The face's number, from 1; None for a picture of all faces, or of the only one.
        frame: Its number in a sequence, from 0; None outside of one.
        suffix: Of the file's name, with the dot.
        make: Makes its contents.
        photo_from_image: Where the square that it shows lies: the matrix from its normalised coordinates to photo
            pixels. None for a whole photo, a sheet, or where that is not known.
    """

    output: Output
    face: int | None
    frame: int | None
    suffix: str
    make: Callable[[], bytes]
    photo_from_image: Array | None = None


Faces = Sequence[tuple[FoundFace, SeenFace]]


def plan_products(picture: Picture, faces: Faces, recipe: Recipe, suffix: str | None = None) -> Iterator[Product]:
    """Everything that a recipe asks for; each is made when its `make` is called.

    Args:
        picture: The photo as it is stored.
        faces: Its faces, and what the network saw in them.
        recipe: What to make.
        suffix: Format of whole photos and crops, by its file name suffix; None for the picture's own.

    Raises:
        WeightsError: If more than faces alone is asked for, and the network has no warp.
    """
    for output in recipe.outputs:
        if output is Output.PREVIEW:
            yield _plan_preview(picture, faces, suffix)
        elif output is Output.COMPARE:
            for number, (found, seen) in enumerate(faces, 1):
                _warped(seen)  # or say at once that there is none
                make = partial(_encode_comparison, picture.photo, found, seen)
                yield Product(output, number if len(faces) > 1 else None, None, ".png", make)
        else:
            ending = ".png" if output is Output.FACE else suffix or picture.suffix
            for face, studio in _studios(picture, faces, recipe, output):
                yield from _plan_results(output, face, studio, recipe, ending)


def _plan_results(
    output: Output, face: int | None, studio: "PhotoStudio | FaceStudio | CropStudio", recipe: Recipe, ending: str
) -> Iterator[Product]:
    """The result, the frames or the animation that a recipe asks for."""
    where = studio.photo_from_image
    if recipe.animated:
        yield Product(output, face, None, ".gif", partial(_animate, studio, recipe), where)
    elif not recipe.steps:
        yield Product(output, face, None, ending, partial(studio.encode, recipe.amounts, ending), where)
    else:
        for frame, step in enumerate(recipe.steps):
            make = partial(studio.encode, _scaled(recipe.amounts, step), ending)
            yield Product(output, face, frame, ending, make, where)


def _plan_preview(picture: Picture, faces: Faces, suffix: str | None) -> Product:
    """In the format of whole photos, but in sRGB and without metadata: it is only to be looked at."""
    shown = replace(picture, pixels=picture.photo, alpha=None, metadata=Metadata())
    ending = suffix or shown.suffix
    return Product(
        Output.PREVIEW, None, None, ending, lambda: encode_picture(shown, draw_preview(shown.photo, faces), ending)
    )


def _encode_comparison(photo: Photo, found: FoundFace, seen: SeenFace) -> bytes:
    return encode_png(draw_comparison(photo, found, seen))


def _scaled(amounts: Amounts, share: float) -> Amounts:
    return replace(amounts, shape=share * amounts.shape, color=share * amounts.color)


def _studios(
    picture: Picture, faces: Faces, recipe: Recipe, output: Output
) -> "Iterator[tuple[int | None, PhotoStudio | FaceStudio | CropStudio]]":
    """One studio for the photo, or one for each face, with its number."""
    if output is Output.PHOTO:
        yield None, PhotoStudio(picture, faces, recipe)
        return
    studio = FaceStudio if output is Output.FACE else CropStudio
    for number, face in enumerate(faces, 1):
        yield number if len(faces) > 1 else None, studio(picture, [face], recipe)


class PhotoStudio:
    """The whole photo with symmetric faces in their places."""

    photo_from_image: Array | None = None

    def __init__(self, picture: Picture, faces: Faces, recipe: Recipe) -> None:
        self._picture = picture
        self._faces = [(_warped(seen), partial(_decode_native, seen, picture)) for _, seen in faces]
        self._detail = recipe.detail

    def pixels(self, amounts: Amounts) -> NDArray[Any]:
        """In the picture's own colours."""
        pixels = self._picture.pixels
        for warped, decode in self._faces:
            pixels = Morph(pixels, warped, decode, self._detail).in_photo(amounts)
        return pixels

    def image(self, amounts: Amounts) -> Photo:
        """In sRGB."""
        return srgb_from_native(self._picture, self.pixels(amounts))

    def encode(self, amounts: Amounts, suffix: str) -> bytes:
        """As a file of a format."""
        return encode_picture(self._picture, self.pixels(amounts), suffix)


class CropStudio(PhotoStudio):
    """The square around one head, of the photo with this face symmetric."""

    def __init__(self, picture: Picture, faces: Faces, recipe: Recipe) -> None:
        super().__init__(picture, faces, recipe)
        ((found, _),) = faces
        self._rows, self._columns = _square_around(found, picture.pixels.shape[:2])
        alpha = None if picture.alpha is None else picture.alpha[self._rows, self._columns]
        self._picture = replace(picture, pixels=picture.pixels[self._rows, self._columns], alpha=alpha)
        self._whole = picture.pixels
        self.photo_from_image = pixel_from_normalised(self._rows.stop - self._rows.start)
        self.photo_from_image[:2, 2] += self._columns.start, self._rows.start

    def pixels(self, amounts: Amounts) -> NDArray[Any]:
        """In the picture's own colours."""
        ((warped, decode),) = self._faces
        morphed = Morph(self._whole, warped, decode, self._detail).in_photo(amounts)
        return np.ascontiguousarray(morphed[self._rows, self._columns])


class FaceStudio:
    """One face in its frame, exactly symmetric unless other amounts than 1 are asked for."""

    def __init__(self, picture: Picture, faces: Faces, recipe: Recipe) -> None:
        ((found, self._seen),) = faces
        self._photo = picture.photo
        self._recipe = recipe
        warped = self._seen.warped
        if warped is None:
            self.photo_from_image = np.linalg.inv(found.crop_from_photo) @ pixel_from_normalised(CROP_SIZE)
        else:
            self.photo_from_image = warped.photo_from_level

    def image(self, amounts: Amounts) -> Photo:
        """In sRGB, with its surroundings."""
        seen, recipe = self._seen, self._recipe
        if (amounts.shape, amounts.color) == (1, 1):
            if recipe.detail:
                return draw_face(self._photo, seen, amounts.side, recipe.size)
            return seen.decoded if recipe.size is None else _resize_symmetric(seen.decoded, recipe.size)
        warped = _warped(seen)
        size = recipe.size or native_size(warped.photo_from_face)
        return Morph(self._photo, warped, lambda: seen.decoded, recipe.detail).in_frame(amounts, size)

    def encode(self, amounts: Amounts, suffix: str) -> bytes:
        """As a PNG, with the background that the recipe asks for."""
        image = self.image(amounts)
        background = self._recipe.background
        if background is not None:
            alpha = _outline(_warped(self._seen), len(image))[..., None]
            if isinstance(background, str):
                image = np.dstack([image, (255 * alpha).round().astype(np.uint8)])
            else:
                blended = image * alpha + np.array(background) * (1 - alpha)
                image = np.asarray(blended.round(), np.uint8)
        return encode_png(image)


def _decode_native(seen: SeenFace, picture: Picture) -> Pixels:
    return native_from_srgb(picture, seen.decoded)


def _warped(seen: SeenFace) -> Warped:
    if seen.warped is None:
        raise WeightsError("the paper's network does not say where in the photo the face lies; use --output face alone")
    return seen.warped


def _outline(warped: Warped, size: int) -> NDArray[np.float32]:
    """How much each pixel belongs to the face, (size, size) in 0..1, exactly symmetric; 0 at the frame's edge."""
    inwards = 1 - np.abs(np.linspace(-1, 1, size, dtype=np.float32))
    alpha = fade(enlarge(warped.mask, size), *SHAPE_FADE) * fade(np.minimum.outer(inwards, inwards), 0, FRAME_FADE)
    return np.asarray((alpha + alpha[:, ::-1]) / 2, np.float32)


def _resize_symmetric(image: Photo, size: int) -> Photo:
    large = cv2.resize(image, (size, size), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    symmetric: Photo = ((large + large[:, ::-1]) / 2).round().astype(np.uint8)
    return symmetric


def _square_around(found: FoundFace, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns of the head, moved into the photo where it reaches beyond an edge."""
    corners = np.array([[0, 0], [CROP_SIZE, 0], [0, CROP_SIZE]], float)
    a, b, _ = apply(np.linalg.inv(found.crop_from_photo), corners)
    side = min(round(HEAD * float(np.linalg.norm(b - a))), *shape)
    starts = [
        int(np.clip(round(middle - side / 2), 0, limit - side))
        for middle, limit in zip(found.centre[::-1], shape, strict=True)
    ]
    return slice(starts[0], starts[0] + side), slice(starts[1], starts[1] + side)


def _animate(studio: "PhotoStudio | FaceStudio", recipe: Recipe) -> bytes:
    """A GIF from the photo to its symmetric version and back, without end."""
    shares = recipe.steps or tuple(np.linspace(0, 1, FRAMES).tolist())
    frames = [Image.fromarray(studio.image(_scaled(recipe.amounts, share))) for share in shares]
    for frame in frames:
        frame.thumbnail((ANIMATION_SIDE, ANIMATION_SIDE), Image.Resampling.LANCZOS)
    there_and_back = [*frames, *frames[-2:0:-1]]
    times = [FRAME_TIME] * len(there_and_back)
    times[0] = times[len(frames) - 1] = HOLD_TIME
    stream = io.BytesIO()
    first, *others = there_and_back
    first.save(stream, "GIF", save_all=True, append_images=others, duration=times, loop=0)
    return stream.getvalue()
