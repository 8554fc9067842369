"""The whole path of a photo, from detection to the symmetric faces."""

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
from symface_cli.geometry.sampling import resample
from symface_cli.geometry.types import Photo
from symface_cli.inference.face import FacePrediction, FaceWarp, Side, render_face
from symface_cli.inference.registration import QUICK, refine_warp
from symface_cli.network.device import choose_device, mixed_precision
from symface_cli.network.paper import PaperVAE
from symface_cli.network.vae import Seen, prepare_for_inference
from symface_cli.network.warps import rectify, seen_on_both_sides, unlike_sides
from symface_cli.network.weights import load_weights

HARDLY = 0.02  # share of the VAE's drawing up to which none is needed: it would not be seen, but takes 10 ms


@dataclass(frozen=True)
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

    Raises:
        WeightsError: If the weights cannot be used.
        UsageError: If the device is not there.
    """

    def __init__(self, weights: Path | None = None, device: str = "auto") -> None:
        self.device = choose_device(device)
        self.weights = load_weights(weights)
        self.network = self.weights.network
        prepare_for_inference(self.network, self.device)

    def symmetrize(
        self, photo: Photo, found: Sequence[Detection] | None = None, detail: bool = True, side: Side = "both"
    ) -> list[SymmetricFace]:
        """Symmetric versions of a photo's faces, in the order of `found` (default: all faces, the largest first).

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
        prediction = self.predict(photo, found)
        image = render_face(photo, prediction, side) if detail else prediction.decoded
        if prediction.warp is None:
            return SymmetricFace(image, found, None, None)
        return SymmetricFace(image, found, prediction.warp.photo_from_face, prediction.warp.mask)

    @torch.inference_mode()
    def predict(self, photo: Photo, found: Detection) -> FacePrediction:
        """What the network sees in one face of a photo (H, W, 3), its two sides registered.

        One face at a time: in a batch, a face would be rounded differently with every other face beside it.
        """
        pixels = torch.from_numpy(resample(photo, found.crop_from_photo, CROP_SIZE)).to(self.device)
        crop = pixels.permute(2, 0, 1)[None].float() / 255
        if isinstance(self.network, PaperVAE):
            return FacePrediction(partial(self._decode, crop), None)
        with mixed_precision(self.device):
            seen = self.network.locate(crop)
        photo_from_crop = np.linalg.inv(found.crop_from_photo) @ pixel_from_normalized(CROP_SIZE)
        inside = (2 * seen.mask - 1).clamp(min=0)  # 0 on the face's outline, where the surroundings are to stay
        both = _first(inside * seen_on_both_sides(seen.visible))
        photo_from_face = refine_warp(photo, apply(photo_from_crop, _first(seen.warp)), both, QUICK)
        warp = apply(np.linalg.inv(photo_from_crop), photo_from_face).astype(np.float32)
        seen = seen._replace(warp=torch.from_numpy(warp)[None].to(self.device))
        drawn = seen.hidden * seen.mask
        if drawn.any():  # in few faces
            drawn = F.threshold(drawn * unlike_sides(rectify(crop, seen.warp)), HARDLY, 0)
        maps = (_first(tensor) for tensor in (seen.mask, seen.weights, seen.framed_weights, drawn))
        return FacePrediction(partial(self._decode, crop, seen), FaceWarp(photo_from_face, *maps))

    @torch.inference_mode()
    def _decode(self, crop: Tensor, seen: Seen | None = None) -> Photo:
        """The decoded face of a crop (1, 3, 160, 160), (128, 128, 3)."""
        network = self.network
        face = network(crop) if isinstance(network, PaperVAE) or seen is None else network.decode_face(crop, seen)
        pixels: Photo = (face[0].float().clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()
        return pixels


def _first(batch: Tensor) -> NDArray[np.float32]:
    """What a tensor (1, ...) says of its one face."""
    first: NDArray[np.float32] = batch[0].cpu().numpy()
    return first
