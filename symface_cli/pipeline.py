"""The whole path of a photo, from detection to the symmetric faces."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from symface_cli.compositing import blend_sides, fill_hidden, native_size, resample, warp_photo
from symface_cli.detection import FoundFace, detect
from symface_cli.device import choose_device
from symface_cli.errors import NoFaceError
from symface_cli.geometry import CROP_SIZE, apply, pixel_from_normalised
from symface_cli.images import Photo
from symface_cli.vae import Faces, to_channels_last
from symface_cli.weights import load_weights


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
    found: FoundFace
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
        to_channels_last(self.network, self.device)

    def symmetrize(
        self, photo: Photo, found: Sequence[FoundFace] | None = None, detail: bool = True
    ) -> list[SymmetricFace]:
        """Symmetric versions of a photo's faces, in the order of `found` (default: all faces, the largest first).

        Args:
            photo: (H, W, 3) uint8 RGB, upright.
            found: The faces wanted, as `detection.detect` gave them.
            detail: True for faces made of the photo's own pixels, False for those that the VAE decodes.

        Raises:
            NoFaceError: If `found` is not given and the photo shows no face.
        """
        found = detect(photo) if found is None else found
        if not found:
            raise NoFaceError("no face found; try a larger, brighter or more frontal picture of the face")
        crops = np.stack([resample(photo, face.crop_from_photo, CROP_SIZE) for face in found])
        seen = self._run(crops)
        if isinstance(seen, torch.Tensor):  # the paper's network
            return [SymmetricFace(image, face, None, None) for image, face in zip(_pixels(seen), found, strict=True)]
        maps = (seen.warp, seen.mask, seen.weights, seen.hidden * seen.mask)
        warps, masks, weights, hidden = (tensor.cpu().numpy() for tensor in maps)
        results = []
        for i, (face, image) in enumerate(zip(found, _pixels(seen.face), strict=True)):
            photo_from_crop = np.linalg.inv(face.crop_from_photo) @ pixel_from_normalised(CROP_SIZE)
            warp = apply(photo_from_crop, warps[i])
            if detail:
                blended = blend_sides(warp_photo(photo, warp, native_size(warp)), weights[i])
                image = fill_hidden(blended, image, hidden[i]).round().clip(0, 255).astype(np.uint8)
            results.append(SymmetricFace(image, face, warp, masks[i]))
        return results

    @torch.inference_mode()
    def _run(self, crops: NDArray[np.uint8]) -> Faces | torch.Tensor:
        batch = torch.from_numpy(crops).to(self.device).permute(0, 3, 1, 2).float() / 255
        return self.network(batch.contiguous(memory_format=torch.channels_last))  # type: ignore[no-any-return]


def _pixels(faces: torch.Tensor) -> NDArray[np.uint8]:
    """(B, 3, S, S) in 0..1 to (B, S, S, 3) uint8."""
    return (faces.float().clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
