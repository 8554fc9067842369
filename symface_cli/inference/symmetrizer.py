"""The path of a photo from detection to its symmetric faces."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from symface_cli.detection.detector import Detection, detect
from symface_cli.engines.engine import Located
from symface_cli.engines.loading import EngineChoice, load_engine
from symface_cli.engines.maps import normalize, rectify
from symface_cli.errors import NoFaceError
from symface_cli.geometry.frames import CROP_SIZE, apply, pixel_from_normalized
from symface_cli.geometry.pose import pose_of_warp
from symface_cli.geometry.sampling import resample
from symface_cli.geometry.types import Array, Floats, Photo
from symface_cli.geometry.warps import similarity_of_warp
from symface_cli.inference.face import FacePrediction, FaceWarp, Side, render_face
from symface_cli.inference.irises import find_irises
from symface_cli.inference.registration import QUICK, refine_warp
from symface_cli.inference.sides import (
    frame_sides,
    prefer_skin,
    sample_shown,
    seen_on_both_sides,
    unlike_sides,
    weigh_sides,
)
from symface_cli.network.maps import FACE_PARTS, PARTS

LEAST_DRAWN = 0.02  # share of the VAE's drawing, in 0..1: up to this it would not be seen, but take 10 ms


@dataclass(frozen=True, kw_only=True)
class SymmetricFace:
    """A symmetric face, and where it comes from.

    Attributes:
        image: (S, S, 3) uint8, equal to its mirror image; S is even and follows the photo's resolution.
        found: Where the detector found the face.
        photo_from_face: The warp: photo pixels (x, y) at the face frame's control points, (17, 17, 2). None for the
            paper's network, which has no warp.
        mask: How much each control point belongs to the face, (17, 17), 0..1. None for the paper's network.
    """

    image: Photo
    found: Detection
    photo_from_face: NDArray[np.float64] | None
    mask: NDArray[np.float32] | None


class Symmetrizer:
    """Makes symmetric faces; keeps the network loaded.

    Args:
        weights: A weights file; None takes the bundled one.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        engine: What computes the network: "onnxruntime", "torch", or "auto" as in `load_engine`.
        forked: Whether processes are to be forked with it, as in `load_engine`.

    Attributes:
        engine: The loaded network.

    Raises:
        WeightsError: If the weights cannot be used.
        UsageError: If the device is not there, or the engine cannot compute this network on it.
    """

    def __init__(
        self, weights: Path | None = None, device: str = "auto", engine: EngineChoice = "auto", forked: bool = False
    ) -> None:
        self.engine = load_engine(weights, device, engine, forked)

    @property
    def sha256(self) -> str:
        """Checksum of the weights file."""
        return self.engine.sha256

    def symmetrize(
        self, photo: Photo, found: Sequence[Detection] | None = None, detail: bool = True, side: Side = "both"
    ) -> list[SymmetricFace]:
        """Make a photo's faces symmetric, in the order of `found` (default: all faces, the largest first).

        Args:
            photo: (H, W, 3) uint8 RGB, upright.
            found: The faces wanted, as `detection.detect` gave them.
            detail: True for faces made of the photo's own pixels, False for those that the VAE decodes.
            side: Which side the photo's pixels are taken from: "both", or the viewer's "left" or "right" alone.

        Raises:
            NoFaceError: If `found` is not given and the photo shows no face.
        """
        found = detect(photo) if found is None else found
        if not found:
            raise NoFaceError("no face found; try a larger, brighter or more frontal picture of the face")
        return [self._symmetrize_face(photo, face, detail, side) for face in found]

    def _symmetrize_face(self, photo: Photo, found: Detection, detail: bool, side: Side) -> SymmetricFace:
        """Make one face symmetric."""
        prediction = self.predict(photo, found)
        image = render_face(photo, prediction, side) if detail else prediction.frontal.decoded
        warp = prediction.frontal.warp
        return SymmetricFace(
            image=image,
            found=found,
            photo_from_face=None if warp is None else warp.photo_from_face,
            mask=None if warp is None else warp.mask,
        )

    def predict(self, photo: Photo, found: Detection) -> FacePrediction:
        """Predict where one face of a photo (H, W, 3) lies, its two sides registered, and what hides it."""
        crop = resample(photo, found.crop_from_photo, CROP_SIZE)
        located = self.engine.locate(crop)
        if located is None:
            return FacePrediction(partial(self.engine.decode, crop, None), None)
        photo_from_face, located = _register(photo, found, located)
        warp = _describe(photo, photo_from_face, located, _hidden_amount(crop, located))
        return FacePrediction(partial(self.engine.decode, crop, located), warp)


def _register(photo: Photo, found: Detection, located: Located) -> tuple[Array, Located]:
    """Register the two sides of a located face in the photo, at the photo's own resolution.

    Returns:
        The refined warp (17, 17, 2) in photo pixels, and what was located, with this warp.
    """
    photo_from_crop = np.linalg.inv(found.crop_from_photo) @ pixel_from_normalized(CROP_SIZE)
    inside = (2 * located.mask - 1).clip(0)  # 0 on the face's outline, where the surroundings are to stay
    counted = inside * seen_on_both_sides(located.visible)
    photo_from_face = refine_warp(photo, apply(photo_from_crop, located.warp), counted, QUICK)
    warp = apply(np.linalg.inv(photo_from_crop), photo_from_face).astype(np.float32)
    return photo_from_face, replace(located, warp=warp)


def _describe(photo: Photo, photo_from_face: Array, located: Located, hidden: Floats) -> FaceWarp:
    """Describe a face of a photo (H, W, 3) with a warp (17, 17, 2) in photo pixels."""
    shown = located.parts[list(FACE_PARTS)].sum(0)
    photo_from_level = similarity_of_warp(photo_from_face)
    weights = weigh_sides(photo_from_face, photo_from_level, located.visible)

    def weigh_frame() -> Floats:
        shown_in_face = sample_shown(shown, photo_from_face, photo_from_level)
        return frame_sides(prefer_skin(weights, shown_in_face), located.mask, shown_in_face)

    counted = located.mask * located.visible
    return FaceWarp(
        photo_from_face=photo_from_face,
        mask=located.mask,
        weights=weights,
        weigh_frame=weigh_frame,
        hidden=hidden,
        shown=shown,
        pose=pose_of_warp(photo_from_face, photo_from_level, counted, located.pose_field),
        pose_field=located.pose_field,
        irises=find_irises(photo, photo_from_face, photo_from_level, located.parts[PARTS]),
    )


def _hidden_amount(crop: Photo, located: Located) -> Floats:
    """Return how far the VAE is to draw each point of a face, (17, 17) in 0..1.

    That is where neither side shows the face, and the two differ; amounts up to LEAST_DRAWN are 0.
    """
    hidden = located.hidden * located.mask
    if not hidden.any():  # as in most faces
        return hidden
    face = rectify(normalize(crop), located.warp)
    amount = hidden * unlike_sides(np.moveaxis(face, 0, -1))
    return np.where(amount > LEAST_DRAWN, amount, np.float32(0))
