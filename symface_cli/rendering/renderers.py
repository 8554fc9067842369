"""Render the whole photo, the square around a head, or the aligned face."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import cv2
import numpy as np

from symface_cli.detection.detector import Detection
from symface_cli.errors import Hint, WeightsError
from symface_cli.geometry.frames import CROP_SIZE, apply, pixel_from_normalized
from symface_cli.geometry.sampling import enlarge, native_size
from symface_cli.geometry.types import Array, Floats, Photo, Pixels
from symface_cli.imaging.encoding import encode_picture
from symface_cli.imaging.photo import encode_png
from symface_cli.imaging.picture import Picture, native_from_srgb, srgb_from_native
from symface_cli.inference.face import FacePrediction, FaceWarp, render_face
from symface_cli.rendering.fields import FRAME_FADE, fade
from symface_cli.rendering.morphing import SHAPE_FADE, Amounts, Morph
from symface_cli.rendering.options import OutputOptions

HEAD = 1.2  # side of a crop in sides of the network's crop
Faces = Sequence[tuple[Detection, FacePrediction]]


class PhotoRenderer:
    """Renderer of the whole photo, with symmetric faces in their places."""

    photo_from_image: Array | None = None

    def __init__(self, picture: Picture, faces: Faces, options: OutputOptions) -> None:
        self._picture = picture
        self._faces = [(warp_of(prediction), partial(_decode_native, prediction, picture)) for _, prediction in faces]
        self._detail = options.detail

    def pixels(self, amounts: Amounts) -> Pixels:
        """Render in the picture's own colors."""
        pixels = self._picture.pixels
        for warped, decode in self._faces:
            pixels = Morph(pixels, warped, decode, self._detail).in_photo(amounts)
        return pixels

    def image(self, amounts: Amounts) -> Photo:
        """Render in sRGB."""
        return srgb_from_native(self._picture, self.pixels(amounts))

    def encode(self, amounts: Amounts, suffix: str) -> bytes:
        """Render a file of a format."""
        return encode_picture(self._picture, self.pixels(amounts), suffix)


class CropRenderer(PhotoRenderer):
    """Renderer of the square around one head, of the photo with this face symmetric."""

    def __init__(self, picture: Picture, faces: Faces, options: OutputOptions) -> None:
        super().__init__(picture, faces, options)
        ((found, _),) = faces
        self._rows, self._columns = _square_around(found, picture.pixels.shape[:2])
        alpha = None if picture.alpha is None else picture.alpha[self._rows, self._columns]
        self._picture = replace(picture, pixels=picture.pixels[self._rows, self._columns], alpha=alpha)
        self._whole = picture.pixels
        self.photo_from_image = pixel_from_normalized(self._rows.stop - self._rows.start)
        self.photo_from_image[:2, 2] += self._columns.start, self._rows.start

    def pixels(self, amounts: Amounts) -> Pixels:
        """Render in the picture's own colors."""
        ((warped, decode),) = self._faces
        morphed = Morph(self._whole, warped, decode, self._detail).in_photo(amounts)
        return np.ascontiguousarray(morphed[self._rows, self._columns])


class FaceRenderer:
    """Renderer of one face in its frame, exactly symmetric unless other amounts than 1 are asked for."""

    def __init__(self, picture: Picture, faces: Faces, options: OutputOptions) -> None:
        ((found, self._prediction),) = faces
        self._photo = picture.photo
        self._options = options
        warped = self._prediction.warp
        if warped is None:
            self.photo_from_image = np.linalg.inv(found.crop_from_photo) @ pixel_from_normalized(CROP_SIZE)
        else:
            self.photo_from_image = warped.photo_from_level

    def image(self, amounts: Amounts) -> Photo:
        """Render in sRGB, with the face's surroundings."""
        prediction, options = self._prediction, self._options
        if (amounts.shape, amounts.color) == (1, 1):
            if options.detail:
                return render_face(self._photo, prediction, amounts.side, options.size)
            return prediction.decoded if options.size is None else _resize_symmetric(prediction.decoded, options.size)
        warped = warp_of(prediction)
        size = options.size or native_size(warped.photo_from_face)
        return Morph(self._photo, warped, lambda: prediction.decoded, options.detail).in_frame(amounts, size)

    def encode(self, amounts: Amounts, suffix: str) -> bytes:
        """Render a PNG, with the background that the options ask for."""
        image = self.image(amounts)
        background = self._options.background
        if background is not None:
            alpha = _outline(warp_of(self._prediction), len(image))[..., None]
            if isinstance(background, str):
                image = np.dstack([image, (255 * alpha).round().astype(np.uint8)])
            else:
                blended = image * alpha + np.array(background) * (1 - alpha)
                image = np.asarray(blended.round(), np.uint8)
        return encode_png(image)


def _decode_native(prediction: FacePrediction, picture: Picture) -> Pixels:
    return native_from_srgb(picture, prediction.decoded)


def warp_of(prediction: FacePrediction) -> FaceWarp:
    """Return the warp of a face.

    Raises:
        WeightsError: If its network gives none.
    """
    if prediction.warp is None:
        raise WeightsError("the paper's network does not say where in the photo the face lies", Hint.FACE_ALONE)
    return prediction.warp


def _outline(warped: FaceWarp, size: int) -> Floats:
    """Return how much each pixel is of the face, (size, size) in 0..1, exactly symmetric; 0 at the frame's edge."""
    inwards = 1 - np.abs(np.linspace(-1, 1, size, dtype=np.float32))
    alpha = fade(enlarge(warped.mask, size), *SHAPE_FADE) * fade(np.minimum.outer(inwards, inwards), 0, FRAME_FADE)
    return np.asarray((alpha + alpha[:, ::-1]) / 2, np.float32)


def _resize_symmetric(image: Photo, size: int) -> Photo:
    large = cv2.resize(image, (size, size), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    symmetric: Photo = ((large + large[:, ::-1]) / 2).round().astype(np.uint8)
    return symmetric


def _square_around(found: Detection, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Return rows and columns of the head, moved into the photo where it reaches beyond an edge."""
    corners = np.array([[0, 0], [CROP_SIZE, 0], [0, CROP_SIZE]], float)
    a, b, _ = apply(np.linalg.inv(found.crop_from_photo), corners)
    side = min(round(HEAD * float(np.linalg.norm(b - a))), *shape)
    starts = [
        int(np.clip(round(middle - side / 2), 0, limit - side))
        for middle, limit in zip(found.center[::-1], shape, strict=True)
    ]
    return slice(starts[0], starts[0] + side), slice(starts[1], starts[1] + side)
