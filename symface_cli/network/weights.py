"""The network's weights as a file: half precision, safetensors, everything that is needed to rebuild the network."""

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import numpy as np
from numpy.typing import DTypeLike, NDArray
from safetensors.numpy import save

from symface_cli.errors import WeightsError
from symface_cli.files import bundled, checksum
from symface_cli.network.architecture import Architecture
from symface_cli.writing import write_file

if TYPE_CHECKING:
    from symface_cli.network.face_network import FaceNetwork

WEIGHTS_FORMAT = 2  # raised when weights of older versions cannot be used any more
BUNDLED: Mapping[str, str] = {"research": "symface.safetensors", "free": "symface-free.safetensors"}
"""The weights that come with symface, by what one calls them: for research, and for every use."""
DTYPES: Mapping[str, DTypeLike] = {"F16": "<f2", "F32": "<f4", "I64": "<i8"}
"""The types of tensors that `save_weights` writes, by safetensors' names for them."""
METADATA_KEY = "symface"  # of what a file says of itself, as JSON; one key: several come in random order


class _Always(TypedDict):
    format: int
    stage: int
    architecture: Mapping[str, object]


class WeightsMetadata(_Always, total=False):
    """What a weights file says of itself; of licenses only if there is something to say."""

    licenses: list[str]


@dataclass(frozen=True)
class WeightsFile:
    """What a weights file holds.

    Attributes:
        path: Where it lies.
        architecture: What its network is.
        tensors: The network's tensors, by their names, as they are stored.
        stage: The stage it was trained in last: 1, 2 or 3.
        licenses: Those of all photos that it was trained on, if these and all labels permit every use; else empty.
        data: The contents of the file.
    """

    path: Path
    architecture: Architecture
    tensors: Mapping[str, NDArray[np.generic]]
    stage: int
    licenses: tuple[str, ...]
    data: bytes = field(repr=False)

    @cached_property
    def sha256(self) -> str:
        """Checksum of the file; computed when it is asked for: it takes as long as reading the file."""
        return checksum(self.data)

    def refuse(self) -> WeightsError:
        """Return what to raise if the tensors are not those of the architecture."""
        return WeightsError(f"{self.path}: the tensors are not those of the network that the file describes")


@dataclass(frozen=True)
class Weights:
    """A network, and where it comes from.

    Attributes:
        network: In evaluation mode, float32, on the CPU.
        stage: The stage it was trained in last: 1, 2 or 3.
        sha256: Checksum of the file.
        licenses: Those of all photos that it was trained on, if these and all labels permit every use; else empty.
    """

    network: "FaceNetwork"
    stage: int
    sha256: str
    licenses: tuple[str, ...] = ()


def bundled_weights(name: str = "research") -> Path:
    """Return where weights that come with symface lie, by their name: in the package, or beside it in a checkout."""
    return bundled("models", BUNDLED[name])


def choose_weights(named: Path | None) -> Path:
    """Return the weights file that is named, by its path or as one that comes with symface; None for those in use."""
    if named is None:
        return bundled_weights()
    return bundled_weights(str(named)) if str(named) in BUNDLED else named


def save_weights(path: Path, network: "FaceNetwork", stage: int, licenses: Sequence[str] = ()) -> None:
    """Write a network as half-precision safetensors; vectors (biases, batch statistics) stay in single precision.

    A file that is there is replaced. `licenses` are as in `Weights`.
    """
    tensors = {
        name: (tensor.detach().half() if tensor.dim() > 1 else tensor.detach()).cpu().contiguous().numpy()
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
    import torch

    from symface_cli.network.builder import build_network

    file = read_weights(path)
    try:
        network = build_network(file.architecture)
        network.load_state_dict({name: torch.tensor(tensor) for name, tensor in file.tensors.items()})
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise file.refuse() from error
    return Weights(network.eval(), file.stage, file.sha256, file.licenses)


def read_weights(path: Path | None = None) -> WeightsFile:
    """Read a weights file; None takes the bundled one.

    Raises:
        WeightsError: If it is missing, damaged, or of another version.
    """
    path = choose_weights(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"{path}: cannot read the weights ({error.strerror})") from error
    try:
        header = json.loads(data[8 : _header_end(data)])
        metadata: WeightsMetadata = json.loads(header.pop("__metadata__", {})[METADATA_KEY])
        tensors = {name: _view(data, **about) for name, about in header.items()}
        found = metadata["format"]
    except (AttributeError, TypeError, ValueError, KeyError) as error:
        raise WeightsError(f"{path}: damaged, or not a file of symface's weights") from error
    if found != WEIGHTS_FORMAT:
        raise WeightsError(f"{path}: weights of format {found}, expected {WEIGHTS_FORMAT}; use those of this version")
    try:
        architecture, stage = _architecture_from(metadata["architecture"]), int(metadata["stage"])
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"{path}: the tensors are not those of the network that the file describes") from error
    licenses = tuple(metadata.get("licenses", ()))
    return WeightsFile(path, architecture, tensors, stage, licenses, data)


def _header_end(data: bytes) -> int:
    """Return where the header of safetensors ends, after its length in 8 bytes; then come the tensors."""
    return 8 + int.from_bytes(data[:8], "little")


def _view(data: bytes, dtype: str, shape: Sequence[int], data_offsets: tuple[int, int]) -> NDArray[np.generic]:
    """Return a tensor without a copy; safetensors' own reader would copy all of the file."""
    first, last = data_offsets
    count = math.prod(shape)
    array = np.frombuffer(data, DTYPES[dtype], count, _header_end(data) + first).reshape(shape)
    if array.nbytes != last - first:
        raise ValueError(f"{last - first} bytes for a shape of {shape}")
    return array


def _architecture_from(values: Mapping[str, object]) -> Architecture:
    """Build the architecture that a file describes; unknown and missing fields are errors."""
    fields = {field.name for field in dataclasses.fields(Architecture)}
    if set(values) != fields:
        raise ValueError(f"unknown or missing architecture fields: {sorted(set(values) ^ fields)}")
    known = {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    return Architecture(**known)  # type: ignore[arg-type]
