"""The network's weights as a file: half precision, safetensors, everything that is needed to rebuild the network."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TypedDict

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from symface_cli.errors import WeightsError
from symface_cli.files import checksum
from symface_cli.network.architecture import Architecture
from symface_cli.network.builder import build_network
from symface_cli.network.face_network import FaceNetwork
from symface_cli.writing import write_file

WEIGHTS_FORMAT = 2  # raised when weights of older versions cannot be used any more
BUNDLED: Mapping[str, str] = {"research": "symface.safetensors", "free": "symface-free.safetensors"}
"""The weights that come with symface, by what one calls them: for research, and for every use."""
METADATA_KEY = "symface"  # of what a file says of itself, as JSON; one key: several come in random order


class _Always(TypedDict):
    format: int
    stage: int
    architecture: Mapping[str, object]


class WeightsMetadata(_Always, total=False):
    """What a weights file says of itself; of licenses only if there is something to say."""

    licenses: list[str]


@dataclass(frozen=True)
class Weights:
    """A network, and where it comes from.

    Attributes:
        network: In evaluation mode, float32, on the CPU.
        stage: The stage it was trained in last: 1, 2 or 3.
        sha256: Checksum of the file.
        licenses: Those of all photos that it was trained on, if these and all labels permit every use; else empty.
    """

    network: FaceNetwork
    stage: int
    sha256: str
    licenses: tuple[str, ...] = ()


def bundled_weights(name: str = "research") -> Path:
    """Return where weights that come with symface lie, by their name: in the package, or beside it in a checkout."""
    package = Path(str(files("symface_cli")))
    inside = package / "models" / BUNDLED[name]
    return inside if inside.is_file() else package.parent / "models" / BUNDLED[name]


def choose_weights(named: Path | None) -> Path:
    """Return the weights file that is named, by its path or as one that comes with symface; None for those in use."""
    if named is None:
        return bundled_weights()
    return bundled_weights(str(named)) if str(named) in BUNDLED else named


def save_weights(path: Path, network: FaceNetwork, stage: int, licenses: Sequence[str] = ()) -> None:
    """Write a network as half-precision safetensors; vectors (biases, batch statistics) stay in single precision.

    A file that is there is replaced. `licenses` are as in `Weights`.
    """
    tensors = {
        name: tensor.detach().to("cpu", torch.float16 if tensor.dim() > 1 else tensor.dtype).contiguous()
        for name, tensor in network.state_dict().items()
    }
    metadata = WeightsMetadata(format=WEIGHTS_FORMAT, stage=stage, architecture=network.architecture.as_dict())
    if licenses:
        metadata["licenses"] = sorted(licenses)
    write_file(path, save(tensors, {METADATA_KEY: json.dumps(metadata)}), replace=True)


def load_weights(path: Path | None = None) -> Weights:
    """Read weights and build their network; None takes the bundled ones.

    Raises:
        WeightsError: If the file is missing, damaged, or of another version.
    """
    path = choose_weights(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path}: cannot read the weights ({error.strerror})") from error
    try:
        tensors, metadata = load(data), _read_metadata(data)
        found = metadata["format"]
    except (SafetensorError, ValueError, KeyError) as error:
        raise WeightsError(f"{path}: damaged, or not a file of symface's weights") from error
    if found != WEIGHTS_FORMAT:
        raise WeightsError(f"{path}: weights of format {found}, expected {WEIGHTS_FORMAT}; use those of this version")
    try:
        network = build_network(_architecture_from(metadata["architecture"]))
        network.load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise WeightsError(f"{path}: the tensors are not those of the network that the file describes") from error
    return Weights(network.eval(), int(metadata["stage"]), checksum(data), tuple(metadata.get("licenses", ())))


def _read_metadata(data: bytes) -> WeightsMetadata:
    """Read what a file says of itself: the length of its header, then this, as JSON.

    safetensors reads it from files alone, and not from those whose names are not UTF-8.
    """
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    metadata: WeightsMetadata = json.loads(header.get("__metadata__", {})[METADATA_KEY])
    return metadata


def _architecture_from(values: Mapping[str, object]) -> Architecture:
    """Build the architecture that a file describes; unknown and missing fields are errors."""
    fields = {field.name for field in dataclasses.fields(Architecture)}
    if set(values) != fields:
        raise ValueError(f"unknown or missing architecture fields: {sorted(set(values) ^ fields)}")
    known = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    return Architecture(**known)  # type: ignore[arg-type]
