"""The network's weights as a file: half precision, safetensors, everything that is needed to rebuild the network."""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import load, save

from symface_cli.errors import WeightsError
from symface_cli.files import write_atomically
from symface_cli.network.architecture import Architecture
from symface_cli.network.vae import Network, build_network

FORMAT = 1  # raised when weights of older versions cannot be used any more
BUNDLED = "symface.safetensors"
METADATA = "symface"  # key of what a file says of itself, as JSON


@dataclass(frozen=True)
class Weights:
    """A network, and where it comes from.

    Attributes:
        network: In evaluation mode, float32, on the CPU.
        stage: The stage it was trained in last: 1, 2 or 3.
        sha256: Checksum of the file.
    """

    network: Network
    stage: int
    sha256: str


def bundled_weights() -> Path:
    """Where the weights that come with symface lie: in the package, or beside it in a checkout."""
    package = Path(str(files("symface_cli")))
    inside = package / "models" / BUNDLED
    return inside if inside.is_file() else package.parent / "models" / BUNDLED


def save_weights(path: Path, network: Network, stage: int) -> None:
    """Writes a network as half-precision safetensors; vectors (biases, batch statistics) stay in single precision."""
    tensors = {
        name: tensor.detach().to("cpu", torch.float16 if tensor.dim() > 1 else tensor.dtype).contiguous()
        for name, tensor in network.state_dict().items()
    }
    about = {"format": FORMAT, "stage": stage, "architecture": network.architecture.as_dict()}
    write_atomically(path, save(tensors, {METADATA: json.dumps(about)}))  # one key: several come in random order


def load_weights(path: Path | None = None) -> Weights:
    """Reads weights and builds their network; None takes the bundled ones.

    Raises:
        WeightsError: If the file is missing, damaged, or of another version.
    """
    path = path or bundled_weights()
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path}: cannot read the weights ({error.strerror})") from error
    try:
        tensors, about = load(data), _read_metadata(data)
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise WeightsError(f"{path}: damaged, or not a file of symface's weights") from error
    if about["format"] != FORMAT:
        raise WeightsError(f"{path}: weights of format {about['format']}, expected {FORMAT}; use those of this version")
    try:
        network = build_network(_read_architecture(about["architecture"]))
        network.load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise WeightsError(f"{path}: the tensors are not those of the network that the file describes") from error
    return Weights(network.eval(), int(about["stage"]), hashlib.sha256(data).hexdigest())


def _read_metadata(data: bytes) -> dict[str, Any]:
    """What save_weights wrote of itself, from a safetensors file: a header's length in 8 bytes, then JSON."""
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    about: dict[str, Any] = json.loads(header["__metadata__"][METADATA])
    return about


def _read_architecture(values: dict[str, Any]) -> Architecture:
    fields = {field.name for field in dataclasses.fields(Architecture)}
    if set(values) != fields:
        raise ValueError(f"unknown or missing architecture fields: {sorted(set(values) ^ fields)}")
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    return Architecture(**values)
