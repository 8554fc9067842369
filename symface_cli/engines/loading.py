"""Which engine computes the network, and its loading."""

import os
from pathlib import Path
from typing import Literal

from symface_cli.engines.engine import Engine
from symface_cli.errors import UsageError
from symface_cli.network.weights import WeightsFile, read_weights

EngineChoice = Literal["auto", "onnxruntime", "torch"]
GPU_DRIVERS = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")  # NVIDIA's, that of Windows' Linux, AMD's
FEW = 100  # photos: on a GPU, more of them are done earlier in spite of the seconds that torch takes to be loaded


def engine_for(choice: EngineChoice, device: str, photos: int) -> EngineChoice:
    """Return the engine for a number of photos: torch for more than a few where there may be a GPU for it."""
    return "torch" if choice == device == "auto" and photos > FEW and _has_gpu_driver() else choice


def load_engine(
    weights: Path | None = None, device: str = "auto", choice: EngineChoice = "auto", forked: bool = False
) -> Engine:
    """Load the network.

    Args:
        weights: A weights file; None takes the bundled one.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        choice: "onnxruntime", "torch", or "auto": torch on a GPU and for the paper's network, else ONNX Runtime.
        forked: Whether processes are to be forked with it: a GPU is then left to a process of its own.

    Raises:
        WeightsError: If the weights cannot be used.
        UsageError: If the device is not there, or the engine cannot compute this network on it.
    """
    if choice not in ("auto", "onnxruntime", "torch"):
        raise UsageError(f"engine {choice}: use auto, onnxruntime or torch")
    if choice == "onnxruntime" and device not in ("auto", "cpu"):
        raise UsageError(f"device {device}: the engine onnxruntime computes on the CPU alone; use torch for others")
    if choice == "torch" or device not in ("auto", "cpu"):
        return (forked and _share_gpu(weights, device)) or _load_torch(weights, device)
    file = read_weights(weights)
    if file.architecture.kind == "symface":
        return _load_onnxruntime(file)
    if choice == "onnxruntime":
        raise UsageError(f"{file.path}: weights of the paper's network, which only the engine torch computes")
    return _load_torch(weights, device)


def _share_gpu(weights: Path | None, device: str) -> Engine | None:
    """Load torch in a process that has the GPU; return None without one, or where processes are not forked."""
    from symface_cli.parallel.work import FORKS

    if not FORKS or device == "cpu" or (device == "auto" and not _has_gpu_driver()):
        return None
    from symface_cli.engines.shared_engine import start_engine

    return start_engine(weights, device)


def _has_gpu_driver() -> bool:
    return any(map(os.path.exists, GPU_DRIVERS))


def _load_torch(weights: Path | None, device: str) -> Engine:
    from symface_cli.engines.torch_engine import TorchEngine

    return TorchEngine(weights, device)


def _load_onnxruntime(file: WeightsFile) -> Engine:
    from symface_cli.engines.onnxruntime_engine import OnnxRuntimeEngine

    return OnnxRuntimeEngine(file)
