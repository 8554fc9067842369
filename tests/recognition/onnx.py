"""Writes networks as ONNX files: a graph of nodes in Protocol Buffers' binary format, without their packages."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FLOAT, INT64 = 1, 7  # types of a tensor's numbers
A_NUMBER, NUMBERS = 2, 7  # types of an attribute
OPSET = 13


class Onnx:
    """A network that grows node by node; what a node gives has the node's name."""

    def __init__(self, *input_shape: int) -> None:
        self._input = _value("input", input_shape)
        self._parts: list[bytes] = []

    def node(self, kind: str, name: str, *inputs: str | NDArray[np.generic], **attributes: int | Sequence[int]) -> str:
        """Adds a node; arrays among its inputs are constants."""
        names = [self._constant(f"{name}.{i}", x) if isinstance(x, np.ndarray) else x for i, x in enumerate(inputs)]
        parts = [*(_field(1, each) for each in names), _field(2, name), _field(3, name), _field(4, kind)]
        parts += [_field(5, _attribute(*item)) for item in attributes.items()]
        self._parts.append(_field(1, b"".join(parts)))
        return name

    def finish(self, *outputs: str) -> bytes:
        """Returns the file."""
        ends = [_field(11, self._input), *(_field(12, _value(name, ())) for name in outputs)]
        graph = b"".join([*self._parts, _field(2, "graph"), *ends])
        return _field(1, 7) + _field(7, graph) + _field(8, _field(1, "") + _field(2, OPSET))

    def _constant(self, name: str, array: NDArray[np.generic]) -> str:
        kind, stored = (INT64, "<i8") if array.dtype.kind == "i" else (FLOAT, "<f4")
        sizes = b"".join(_field(1, size) for size in array.shape)
        tensor = sizes + _field(2, kind) + _field(8, name) + _field(9, array.astype(stored).tobytes())
        self._parts.append(_field(5, tensor))
        return name


def _field(number: int, value: int | str | bytes) -> bytes:
    """A number, or what has a length, under the number of its field."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    content = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; the eighth says that more follow."""
    return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + _varint(value >> 7)


def _attribute(name: str, value: int | Sequence[int]) -> bytes:
    if isinstance(value, int):
        return _field(1, name) + _field(3, value) + _field(20, A_NUMBER)
    return _field(1, name) + b"".join(_field(8, each) for each in value) + _field(20, NUMBERS)


def _value(name: str, shape: Sequence[int]) -> bytes:
    sizes = _field(2, b"".join(_field(1, _field(1, size)) for size in shape))
    return _field(1, name) + _field(2, _field(1, _field(1, FLOAT) + sizes))
