"""The network computed by torch: on GPUs, and faster than OpenCV where it is loaded for many faces."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from symface_cli.engines.engine import EngineName, Located
from symface_cli.geometry.types import Floats, Photo
from symface_cli.network.builder import prepare_for_inference
from symface_cli.network.device import choose_device, inference_precision, let_forks_compute, limit_threads
from symface_cli.network.face_network import Localization
from symface_cli.network.weights import load_weights


class TorchEngine:
    """Any network, computed by torch.

    Args:
        weights: A weights file; None takes the bundled one.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".

    Attributes:
        name: What computes it.
        on_cpu: Whether it does so on the CPU.
        network: Prepared for inference, not to be saved or trained.
        stage: The stage in which the weights were trained last.

    Raises:
        WeightsError: If the weights cannot be used.
        UsageError: If the device is not there.
    """

    name: EngineName = "torch"

    def __init__(self, weights: Path | None, device: str) -> None:
        limit_threads()
        let_forks_compute()
        self._device = choose_device(device)
        self.on_cpu = self._device.type == "cpu"
        loaded = load_weights(weights)
        self.network = prepare_for_inference(loaded.network, self._device)
        self._sha256, self.stage = loaded.sha256, loaded.stage

    @property
    def sha256(self) -> str:
        """Checksum of the weights file."""
        return self._sha256

    @torch.inference_mode()
    def locate(self, crop: Photo) -> Located | None:
        """Locate the face in a crop (160, 160, 3); return None if the network cannot."""
        with inference_precision(self._device):
            found = self.network.locate(self._normalize(crop))
        if found is None:
            return None
        return Located(
            warp=_first(found.warp),
            mask=_first(found.mask),
            parts=_first(found.parts),
            visible=_first(found.visible),
            weights=_first(found.weights),
            hidden=_first(found.hidden),
            pose_field=_as_array(found.pose_field),
        )

    @torch.inference_mode()
    def decode(self, crop: Photo, located: Located | None) -> Photo:
        """Return the decoded face of a crop (160, 160, 3), (128, 128, 3)."""
        face = self.network.decode(self._normalize(crop), None if located is None else self._localization(located))
        pixels: Photo = (face[0].float().clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()
        return pixels

    def _normalize(self, crop: Photo) -> Tensor:
        """Return a crop as the network is shown it: (1, 3, 160, 160) in 0..1."""
        return torch.from_numpy(crop).to(self._device).permute(2, 0, 1)[None].float() / 255

    def _localization(self, located: Located) -> Localization:
        return Localization(
            warp=self._batch(located.warp),
            mask=self._batch(located.mask),
            parts=self._batch(located.parts),
            visible=self._batch(located.visible),
            weights=self._batch(located.weights),
            hidden=self._batch(located.hidden),
            pose_field=self._batch(located.pose_field)[0],
        )

    def _batch(self, values: Floats) -> Tensor:
        return torch.from_numpy(values)[None].to(self._device)


def _first(batch: Tensor) -> Floats:
    """Return what a tensor (1, ...) says of its one face."""
    return _as_array(batch[0])


def _as_array(values: Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = values.float().cpu().numpy()
    return array
