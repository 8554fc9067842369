"""Render the whole photo, the square around a head, or the aligned face."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.detection.detector import Detection
from symface_cli.errors import Hint, WeightsError
from symface_cli.geometry.frames import CROP_SIZE, apply, pixel_from_normalized
from symface_cli.geometry.pose import face_from_level
from symface_cli.geometry.sampling import enlarge, fade, native_size, warp_photo
from symface_cli.geometry.types import Array, Floats, Photo, Pixels
from symface_cli.imaging.color import eight_bit
from symface_cli.imaging.encoding import encode_picture
from symface_cli.imaging.photo import encode_png
from symface_cli.imaging.picture import Picture, native_from_srgb
from symface_cli.inference.face import FacePrediction, FaceWarp, render_face
from symface_cli.rendering.fields import FRAME_FADE, sample_field
from symface_cli.rendering.morphing import COLOR_FADE, SHAPE_FADE, Amounts, CutOutMorph, Morph, PoseMode
from symface_cli.rendering.options import Output, OutputOptions
from symface_cli.rendering.transparency import is_opaque, premultiply, replace_changed

HEAD = 1.2  # side of a crop in sides of the network's crop
Faces = Sequence[tuple[Detection, FacePrediction]]


class PhotoRenderer:
    """Renderer of the whole photo, with symmetric faces in their places."""

    photo_from_image: Array | None = None

    def __init__(self, picture: Picture, faces: Faces, options: OutputOptions) -> None:
        self._picture = picture
        self._faces = [(warp_of(prediction), partial(_decode_native, prediction, picture)) for _, prediction in faces]
        self._detail = options.detail
        self._pose = options.pose_in(Output.PHOTO)

    def render(self, amounts: Amounts) -> Picture:
        """Render in the picture's own colors; transparency moves with them."""
        picture = self._picture
        if picture.alpha is None or is_opaque(picture.alpha):
            pixels = picture.pixels
            for warped, decode in self._faces:
                pixels = Morph(pixels, warped, decode, self._detail, self._pose).in_photo(amounts)
            return replace(picture, pixels=pixels)
        before = after = premultiply(picture.pixels, picture.alpha)
        for warped, decode in self._faces:
            decode_layers = partial(_decode_layers, decode, warped, before)
            after = CutOutMorph(after, warped, decode_layers, self._detail, self._pose).in_photo(amounts)
        pixels, alpha = replace_changed(picture.pixels, picture.alpha, before, after)
        return replace(picture, pixels=pixels, alpha=alpha)

    def image(self, amounts: Amounts) -> Photo:
        """Render in sRGB, over white."""
        return self.render(amounts).shown

    def encode(self, amounts: Amounts, suffix: str) -> bytes:
        """Render a file of a format."""
        rendered = self.render(amounts)
        return encode_picture(rendered, rendered.pixels, suffix)


class CropRenderer(PhotoRenderer):
    """Renderer of the square around one head, of the photo with this face symmetric."""

    def __init__(self, picture: Picture, faces: Faces, options: OutputOptions) -> None:
        super().__init__(picture, faces, options)
        ((found, _),) = faces
        self._rows, self._columns = _square_around(found, picture.pixels.shape[:2])
        self.photo_from_image = pixel_from_normalized(self._rows.stop - self._rows.start)
        self.photo_from_image[:2, 2] += self._columns.start, self._rows.start

    def render(self, amounts: Amounts) -> Picture:
        """Render in the picture's own colors."""
        return super().render(amounts).cropped(self._rows, self._columns)


class FaceRenderer:
    """Renderer of one face in its frame.

    It is exactly symmetric, unless it keeps its pose, or other amounts than 1 are asked for.
    """

    def __init__(self, picture: Picture, faces: Faces, options: OutputOptions) -> None:
        ((found, prediction),) = faces
        self._photo = picture.photo
        self._options = options
        self._pose = options.pose_in(Output.FACE)
        self._prediction = prediction.frontal if self._pose == "front" else prediction
        warped = self._prediction.warp
        if warped is None:
            self.photo_from_image = np.linalg.inv(found.crop_from_photo) @ pixel_from_normalized(CROP_SIZE)
        else:
            self.photo_from_image = warped.photo_from_level

    def image(self, amounts: Amounts) -> Photo:
        """Render in sRGB, with the face's surroundings or the color that the options ask for instead."""
        image, color = self._render(amounts), self._options.background
        if color is None or isinstance(color, str):
            return image
        alpha = _outline(warp_of(self._prediction), self._pose, len(image))[..., None]
        blended: Photo = (image * alpha + np.array(color) * (1 - alpha)).round().astype(np.uint8)
        return blended

    def encode(self, amounts: Amounts, suffix: str) -> bytes:
        """Render a PNG, transparent around the face if the options ask for it."""
        image = self.image(amounts)
        if self._options.background == "transparent":
            alpha = _outline(warp_of(self._prediction), self._pose, len(image))
            image = np.dstack([image, (255 * alpha).round().astype(np.uint8)])
        return encode_png(image)

    def _render(self, amounts: Amounts) -> Photo:
        """Render the face with its surroundings."""
        prediction, options = self._prediction, self._options
        if self._pose == "front" and (amounts.shape, amounts.color) == (1, 1):
            if options.detail:
                return render_face(self._photo, prediction, amounts.side, options.size)
            return prediction.decoded if options.size is None else _resize_symmetric(prediction.decoded, options.size)
        warped = warp_of(prediction)
        size = options.size or native_size(warped.photo_from_face)
        morph = Morph(self._photo, warped, lambda: prediction.decoded, options.detail, self._pose)
        return morph.in_frame(amounts, size)


def _decode_native(prediction: FacePrediction, picture: Picture) -> Pixels:
    return native_from_srgb(picture, prediction.decoded)


def _decode_layers(decode: Callable[[], Pixels], warped: FaceWarp, layers: NDArray[np.uint16]) -> Pixels:
    """Decode a face as transparent as the photo is there, or its mirror image."""
    decoded = decode()
    alpha = warp_photo(layers[..., -1], warped.photo_from_face, len(decoded))
    alpha = ((alpha.astype(np.float32) + alpha[:, ::-1]) / 2).round().astype(np.uint16)
    return premultiply(decoded, alpha if decoded.dtype == np.uint16 else eight_bit(alpha))


def warp_of(prediction: FacePrediction) -> FaceWarp:
    """Return the warp of a face.

    Raises:
        WeightsError: If its network gives none.
    """
    if prediction.warp is None:
        raise WeightsError("the paper's network does not say where in the photo the face lies", Hint.FACE_ALONE)
    return prediction.warp


def _outline(warped: FaceWarp, pose: PoseMode, size: int) -> Floats:
    """Return how much each pixel is of the face, (size, size) in 0..1; 0 at the frame's edge.

    It is exactly symmetric, unless the face keeps its pose.
    """
    inwards = 1 - np.abs(np.linspace(-1, 1, size, dtype=np.float32))
    edge = fade(np.minimum.outer(inwards, inwards), 0, FRAME_FADE)
    mask = enlarge(warped.mask, size)
    if pose == "keep":
        face = face_from_level(warped.pose.displacement, warped.photo_from_level)
        return edge * fade(sample_field(mask, enlarge(face, size)), *COLOR_FADE)
    alpha = edge * fade(mask, *SHAPE_FADE)
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
