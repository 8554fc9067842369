"""The network computed by torch: on GPUs, and the paper's network."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from symface_cli.engines.engine import EngineName, Located
from symface_cli.geometry.types import Floats, Photo
from symface_cli.network.builder import prepare_for_inference
from symface_cli.network.device import choose_device, let_forks_compute, limit_threads
from symface_cli.network.face_network import Localization
from symface_cli.network.weights import load_weights

BATCH = 16  # crops, at most, that are computed at a time
MAPS = tuple(field.name for field in fields(Located) if field.name != "pose_field")
"""What is said of each face by itself."""


class TorchEngine:
    """Any network, computed by torch.

    On a GPU, a batch of fewer crops is filled up: kernels are chosen by its size, so a face is rounded in the same
    way alone and with any others. On a CPU it is computed as large as it is.

    Args:
        weights: A weights file; None takes the bundled one.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".

    Attributes:
        name: What computes it.
        device: Where it does so.
        can_fork: Whether a process can be forked with it: not with what it has loaded onto a GPU.
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
        self.device = choose_device(device)
        self.can_fork = self.device.type == "cpu"
        loaded = load_weights(weights)
        self.network = prepare_for_inference(loaded.network, self.device)
        self._sha256, self.stage = loaded.sha256, loaded.stage
        self._alone = threading.Lock()  # a GPU does one thing at a time, and `_exactly` is for all threads

    @property
    def sha256(self) -> str:
        """Checksum of the weights file."""
        return self._sha256

    def locate(self, crop: Photo) -> Located | None:
        """Locate the face in a crop (160, 160, 3); return None if the network cannot."""
        return self.locate_batch([crop])[0]

    def decode(self, crop: Photo, located: Located | None) -> Photo:
        """Return the decoded face of a crop (160, 160, 3), (128, 128, 3)."""
        return self.decode_batch([crop], None if located is None else [located])[0]

    @torch.inference_mode()
    def locate_batch(self, crops: Sequence[Photo]) -> Sequence[Located | None]:
        """Locate the face in each of up to BATCH crops; return nothing but None if the network cannot."""
        with self._computing():
            found = self.network.locate(self._normalize(crops))
        if found is None:
            return [None] * len(crops)
        field = _as_array(found.pose_field)
        faces = zip(*(_as_array(getattr(found, name)[: len(crops)]) for name in MAPS), strict=True)
        return [Located(**dict(zip(MAPS, maps, strict=True)), pose_field=field) for maps in faces]

    @torch.inference_mode()
    def decode_batch(self, crops: Sequence[Photo], located: Sequence[Located] | None) -> list[Photo]:
        """Return the decoded faces of up to BATCH crops, of which all or none have been located."""
        localization = None if located is None else self._localization(located)
        with self._computing():
            faces = self.network.decode(self._normalize(crops), localization)[: len(crops)]
            pixels = (faces.float().clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1)
        return list(np.ascontiguousarray(pixels.cpu().numpy()))

    def _normalize(self, crops: Sequence[Photo]) -> Tensor:
        """Return crops as the network is shown them: (B, 3, 160, 160) in 0..1."""
        return self._stack(crops).permute(0, 3, 1, 2).float() / 255

    def _localization(self, located: Sequence[Located]) -> Localization:
        maps = {name: self._stack([getattr(each, name) for each in located]) for name in MAPS}
        return Localization(**maps, pose_field=torch.from_numpy(located[0].pose_field).to(self.device))

    def _stack(self, arrays: Sequence[Photo | Floats]) -> Tensor:
        """Return arrays as a batch on the device, filled up there with the last one."""
        missing = 0 if self.device.type == "cpu" else BATCH - len(arrays)
        return torch.from_numpy(np.stack([*arrays, *[arrays[-1]] * missing])).to(self.device)

    @contextmanager
    def _computing(self) -> Iterator[None]:
        """Compute in single precision meanwhile, always in the same order; one batch at a time on a GPU."""
        if self.device.type != "cuda":
            yield
            return
        with self._alone, torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
            yield


def _as_array(values: Tensor) -> Floats:
    array: Floats = values.float().cpu().numpy()
    return array
