"""Writes networks as ONNX files: a graph of nodes in Protocol Buffers' binary format, without their packages.

The numbers of fields are those of onnx.proto.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

FLOAT, INT64 = 1, 7  # types of a tensor's numbers
A_FLOAT, A_NUMBER, A_TEXT, NUMBERS = 1, 2, 3, 7  # types of an attribute
OPSET = 16

Attribute: TypeAlias = int | float | str | Sequence[int]


class Onnx:
    """A network that grows node by node; what a node gives has the node's name.

    Args:
        inputs: The shape of each input, by its name.
    """

    def __init__(self, **inputs: Sequence[int]) -> None:
        self._inputs = [_value(name, shape) for name, shape in inputs.items()]
        self._parts: list[bytes] = []

    def input(self, name: str, shape: Sequence[int]) -> str:
        """Add an input. Return its name."""
        self._inputs.append(_value(name, shape))
        return name

    def node(self, kind: str, name: str, *inputs: str | NDArray[np.generic], **attributes: Attribute) -> str:
        """Add a node; arrays among its inputs are constants. Return its name."""
        names = [self._constant(f"{name}.{i}", x) if isinstance(x, np.ndarray) else x for i, x in enumerate(inputs)]
        parts = [*(_field(1, each) for each in names), _field(2, name), _field(3, name), _field(4, kind)]
        parts += [_field(5, _attribute(*item)) for item in attributes.items()]
        self._parts.append(_field(1, b"".join(parts)))
        return name

    def finish(self, **outputs: Sequence[int]) -> bytes:
        """Return the file; the nodes of these names, of these shapes, are its outputs."""
        ends = [*(_field(11, each) for each in self._inputs), *(_field(12, _value(*each)) for each in outputs.items())]
        graph = b"".join([*self._parts, _field(2, "graph"), *ends])
        return _field(1, 7) + _field(7, graph) + _field(8, _field(1, "") + _field(2, OPSET))

    def _constant(self, name: str, array: NDArray[np.generic]) -> str:
        kind, stored = (INT64, "<i8") if array.dtype.kind == "i" else (FLOAT, "<f4")
        sizes = b"".join(_field(1, size) for size in array.shape)
        tensor = sizes + _field(2, kind) + _field(8, name) + _field(9, array.astype(stored).tobytes())
        self._parts.append(_field(5, tensor))
        return name


def _field(number: int, value: int | str | bytes) -> bytes:
    """Return a number, or what has a length, under the number of its field."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    content = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    """Write seven bits a byte, the lowest first; the eighth says that more follow."""
    return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + _varint(value >> 7)


def _attribute(name: str, value: Attribute) -> bytes:
    if isinstance(value, int):
        return _field(1, name) + _field(3, value) + _field(20, A_NUMBER)
    if isinstance(value, float):
        return _field(1, name) + _varint(2 << 3 | 5) + np.array(value, "<f4").tobytes() + _field(20, A_FLOAT)
    if isinstance(value, str):
        return _field(1, name) + _field(4, value) + _field(20, A_TEXT)
    return _field(1, name) + b"".join(_field(8, each) for each in value) + _field(20, NUMBERS)


def _value(name: str, shape: Sequence[int]) -> bytes:
    sizes = _field(2, b"".join(_field(1, _field(1, size)) for size in shape))
    return _field(1, name) + _field(2, _field(1, _field(1, FLOAT) + sizes))
