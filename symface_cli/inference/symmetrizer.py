"""The path of a photo from detection to its symmetric faces."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from symface_cli.detection.detector import Detection, detect
from symface_cli.errors import NoFaceError
from symface_cli.geometry.frames import CROP_SIZE, apply, pixel_from_normalized
from symface_cli.geometry.pose import pose_of_warp
from symface_cli.geometry.sampling import resample
from symface_cli.geometry.types import Array, Floats, Photo
from symface_cli.geometry.warps import similarity_of_warp
from symface_cli.inference.face import FacePrediction, FaceWarp, Side, render_face
from symface_cli.inference.irises import find_irises
from symface_cli.inference.registration import QUICK, refine_warp
from symface_cli.inference.sides import frame_sides, prefer_skin, sample_shown, weigh_sides
from symface_cli.network.builder import prepare_for_inference
from symface_cli.network.device import choose_device, let_forks_compute, limit_threads, mixed_precision
from symface_cli.network.face_network import Localization
from symface_cli.network.parsing import FACE_PARTS, PARTS
from symface_cli.network.warps import rectify, seen_on_both_sides, unlike_sides
from symface_cli.network.weights import load_weights

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

    Attributes:
        device: Where the network computes.
        network: Prepared for inference, not to be saved or trained.
        sha256: Checksum of the weights file.
        stage: The stage in which the weights were trained last: 1, 2 or 3.

    Raises:
        WeightsError: If the weights cannot be used.
        UsageError: If the device is not there.
    """

    def __init__(self, weights: Path | None = None, device: str = "auto") -> None:
        limit_threads()
        let_forks_compute()
        self.device = choose_device(device)
        loaded = load_weights(weights)
        self.network = prepare_for_inference(loaded.network, self.device)
        self.sha256, self.stage = loaded.sha256, loaded.stage

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

    @torch.inference_mode()
    def predict(self, photo: Photo, found: Detection) -> FacePrediction:
        """Predict where one face of a photo (H, W, 3) lies, its two sides registered, and what hides it.

        One face at a time: in a batch, a face would be rounded differently with every other face beside it.
        """
        crop = self._crop(photo, found)
        located = self._locate(crop)
        if located is None:
            return FacePrediction(partial(self._decode, crop, None), None)
        photo_from_face, localization = self._register(photo, found, located)
        warp = _describe(photo, photo_from_face, localization, _first(_hidden_amount(crop, localization)))
        return FacePrediction(partial(self._decode, crop, localization), warp)

    def _crop(self, photo: Photo, found: Detection) -> Tensor:
        """Return what the network is shown: the crop (1, 3, 160, 160) around a face, in 0..1."""
        pixels = torch.from_numpy(resample(photo, found.crop_from_photo, CROP_SIZE)).to(self.device)
        return pixels.permute(2, 0, 1)[None].float() / 255

    def _locate(self, crop: Tensor) -> Localization | None:
        """Locate the face in a crop (1, 3, 160, 160); return None if the network cannot."""
        with mixed_precision(self.device):
            return self.network.locate(crop)

    def _register(self, photo: Photo, found: Detection, located: Localization) -> tuple[Array, Localization]:
        """Register the two sides of a located face in the photo, at the photo's own resolution.

        Returns:
            The refined warp (17, 17, 2) in photo pixels, and the localization with this warp.
        """
        photo_from_crop = np.linalg.inv(found.crop_from_photo) @ pixel_from_normalized(CROP_SIZE)
        inside = (2 * located.mask - 1).clamp(min=0)  # 0 on the face's outline, where the surroundings are to stay
        counted = _first(inside * seen_on_both_sides(located.visible))
        photo_from_face = refine_warp(photo, apply(photo_from_crop, _first(located.warp)), counted, QUICK)
        warp = apply(np.linalg.inv(photo_from_crop), photo_from_face).astype(np.float32)
        return photo_from_face, located._replace(warp=torch.from_numpy(warp)[None].to(self.device))

    @torch.inference_mode()
    def _decode(self, crop: Tensor, localization: Localization | None) -> Photo:
        """Return the decoded face of a crop (1, 3, 160, 160), (128, 128, 3)."""
        face = self.network.decode(crop, localization)
        pixels: Photo = (face[0].float().clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()
        return pixels


def _describe(photo: Photo, photo_from_face: Array, localization: Localization, hidden: Floats) -> FaceWarp:
    """Describe a face of a photo (H, W, 3) with a warp (17, 17, 2) in photo pixels."""
    mask, visible, parts = (_first(maps) for maps in (localization.mask, localization.visible, localization.parts))
    shown = parts[list(FACE_PARTS)].sum(0)
    photo_from_level = similarity_of_warp(photo_from_face)
    weights = weigh_sides(photo_from_face, photo_from_level, visible)
    shown_in_face = sample_shown(shown, photo_from_face, photo_from_level)
    pose_field = localization.pose_field.cpu().numpy()
    return FaceWarp(
        photo_from_face=photo_from_face,
        mask=mask,
        weights=weights,
        framed_weights=frame_sides(prefer_skin(weights, shown_in_face), mask, shown_in_face),
        hidden=hidden,
        shown=shown,
        pose=pose_of_warp(photo_from_face, photo_from_level, mask * visible, pose_field),
        pose_field=pose_field,
        irises=find_irises(photo, photo_from_face, photo_from_level, parts[PARTS]),
    )


def _hidden_amount(crop: Tensor, localization: Localization) -> Tensor:
    """Return how far the VAE is to draw each point of a face, (1, 17, 17) in 0..1.

    That is where neither side shows the face, and the two differ; amounts up to LEAST_DRAWN are 0.
    """
    hidden = localization.hidden * localization.mask
    if not hidden.any():  # as in most faces
        return hidden
    return F.threshold(hidden * unlike_sides(rectify(crop, localization.warp)), LEAST_DRAWN, 0)


def _first(batch: Tensor) -> NDArray[np.float32]:
    """Return what a tensor (1, ...) says of its one face."""
    first: NDArray[np.float32] = batch[0].cpu().numpy()
    return first
