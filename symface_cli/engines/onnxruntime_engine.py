"""The network computed by ONNX Runtime: on CPUs, loaded in a fraction of the time that torch takes to be imported."""

from functools import cached_property

import cv2
import numpy as np

from symface_cli.engines import maps
from symface_cli.engines.engine import EngineName, Located
from symface_cli.engines.parts import Part, Tensors, coarse_part, fine_part, parser_part, vae_part
from symface_cli.engines.shapes import shapes_of
from symface_cli.geometry.types import Floats, Photo
from symface_cli.geometry.warps import similarity_of_warp
from symface_cli.network.architecture import GRAY, Architecture
from symface_cli.network.maps import CORRECTIONS, FAR
from symface_cli.network.weights import WeightsFile


class OnnxRuntimeEngine:
    """symface's network, as `network.vae` defines it; parts are loaded when they are needed.

    Args:
        file: The weights.

    Raises:
        WeightsError: If the tensors are not those of the architecture.

    Attributes:
        name: What computes it.
        can_fork: That a process can be forked with it.
        stage: The stage in which the weights were trained last.
    """

    name: EngineName = "onnxruntime"
    can_fork = True

    def __init__(self, file: WeightsFile) -> None:
        if {name: tensor.shape for name, tensor in file.tensors.items()} != shapes_of(file.architecture):
            raise file.refuse()
        self.stage = file.stage
        self._file = file
        self._pose_field = np.asarray(file.tensors["pose_field"], np.float32)

    @property
    def sha256(self) -> str:
        """Checksum of the weights file."""
        return self._file.sha256

    def locate(self, crop: Photo) -> Located:
        """Locate the face in a crop (160, 160, 3)."""
        return self._localizer.locate(crop, self._pose_field)

    def decode(self, crop: Photo, located: Located | None) -> Photo:
        """Return the decoded face of a crop (160, 160, 3), (128, 128, 3)."""
        located = self.locate(crop) if located is None else located
        blended = maps.blend_sides(maps.rectify(maps.normalize(crop), located.warp), located.weights)
        shown = maps.keep_face(blended, located.mask * (1 - located.hidden))
        ((left,),) = self._vae(face=shown[None])
        face = maps.keep_face(np.concatenate([left, left[..., ::-1]], -1), located.mask)
        planes = ((face + face[..., ::-1]) / 2 * 255).round().clip(0, 255).astype(np.uint8)
        pixels: Photo = cv2.merge(list(planes))
        return pixels

    @cached_property
    def _localizer(self) -> "_Localizer":
        return _Localizer(self._file.tensors, self._file.architecture)

    @cached_property
    def _vae(self) -> Part:
        return vae_part(self._file.tensors, self._file.architecture)


class _Localizer:
    """`network.localizer.Localizer`, for one face."""

    def __init__(self, tensors: Tensors, architecture: Architecture) -> None:
        self._coarse = coarse_part(tensors, architecture)
        self._fine = fine_part(tensors, architecture)
        self._parser = parser_part(tensors, architecture)

    def locate(self, crop: Photo, pose_field: Floats) -> Located:
        """Locate the face in a crop (160, 160, 3)."""
        image, half = maps.normalize(crop), maps.halve(crop)
        (warp,) = self._coarse(crop=(half - GRAY)[None])
        for _ in range(CORRECTIONS):
            face = maps.beside_mirror_image(maps.rectify(image, warp[0]))
            warp, shift, mask = self._fine(face=face[None], start=warp)
            if np.linalg.norm(shift, axis=-1).mean() <= FAR:
                break
        warp, mask = warp[0], mask[0, ..., 0]
        crop_from_level = similarity_of_warp(warp)
        face = maps.beside_mirror_image(maps.sample_face(half, crop_from_level))
        ((logits,),) = self._parser(face=face[None])
        parts = maps.probabilities(maps.shuffle(logits))
        visible = maps.visibility(parts, warp, crop_from_level)
        return Located(
            warp=warp,
            mask=0.5 * (mask + mask[:, ::-1]),
            parts=parts,
            visible=visible,
            weights=maps.side_weights(warp, visible),
            hidden=maps.hidden_on_both_sides(visible),
            pose_field=pose_field,
        )
