"""The parts of the network that have many weights, as ONNX graphs and matrices, made of a weights file's tensors.

What has few weights or none (flips, sampling, maps) is done outside of them, in NumPy.
"""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.engines.onnx import Onnx
from symface_cli.geometry.frames import CROP_SIZE
from symface_cli.geometry.types import Floats
from symface_cli.network.architecture import FACE_SIZE, Architecture
from symface_cli.network.maps import PARSING_SIZE

RUN_BY = (cv2.dnn.DNN_BACKEND_OPENCV, cv2.dnn.DNN_TARGET_CPU)  # what every build of OpenCV has
EPSILON = 1e-5  # of batch normalization, torch's own

Tensors = Mapping[str, NDArray[np.generic]]
"""The tensors of a weights file, by their names."""


class Part:
    """A part of the network, run by OpenCV; for one thread at a time.

    Args:
        graph: ONNX; each of its inputs has a name.
        output: The name of what it returns.
    """

    def __init__(self, graph: bytes, output: str) -> None:
        self._net = cv2.dnn.readNetFromONNX(np.frombuffer(graph, np.uint8))
        self._net.setPreferableBackend(RUN_BY[0])
        self._net.setPreferableTarget(RUN_BY[1])
        self._output = output

    def __call__(self, **inputs: Floats) -> Floats:
        """Return the output for inputs (B, C, H, W), by their names."""
        for name, values in inputs.items():
            self._net.setInput(np.ascontiguousarray(values, np.float32), name)
        output: Floats = self._net.forward(self._output)
        return output


class Dense:
    """A linear layer, or a convolution at one place, loaded faster than by OpenCV.

    Row by row, its sums are those of one thread: BLAS would add up a matrix in another order with more threads.

    Args:
        tensors: A file's.
        layer: Its name.
        count: How many of its outputs are wanted; None for all.
    """

    def __init__(self, tensors: Tensors, layer: str, count: int | None = None) -> None:
        weight = np.asarray(tensors[f"{layer}.weight"][:count], np.float32)
        self._weight = weight.reshape(len(weight), -1)
        self._bias = np.asarray(tensors[f"{layer}.bias"][:count], np.float32)

    def __call__(self, features: Floats) -> Floats:
        """Return the outputs (B, O) for features (B, ...)."""
        rows = self._weight[:, None]
        sums = [np.matmul(rows, np.ravel(each)[:, None])[:, 0, 0] for each in features]
        return np.asarray(np.stack(sums) + self._bias, np.float32)


class Head:
    """The two layers that end the localizer's stacks; the units between them leak.

    Args:
        tensors: A file's.
        layers: Their names.
        leak: The slope of the units where they are negative.
    """

    def __init__(self, tensors: Tensors, layers: tuple[str, str], leak: float) -> None:
        self._first, self._second = (Dense(tensors, layer) for layer in layers)
        self._leak = np.float32(leak)

    def __call__(self, features: Floats) -> Floats:
        """Return the outputs (B, O) for features (B, C, H, W)."""
        hidden = self._first(features)
        return self._second(np.where(hidden > 0, hidden, self._leak * hidden))


class Graph:
    """A graph whose layers take their weights from a file.

    Args:
        tensors: The file's.
        inputs: The shape of each input, by its name.
    """

    def __init__(self, tensors: Tensors, **inputs: Sequence[int]) -> None:
        self._tensors = tensors
        self._onnx = Onnx(**inputs)

    def finish(self, output: str) -> Part:
        """Load the part that ends with a node."""
        return Part(self._onnx.finish(output), output)

    def join(self, name: str, *inputs: str) -> str:
        """Add what concatenates the channels of several nodes."""
        return self._onnx.node("Concat", name, *inputs, axis=1)

    def convolve(self, layer: str, before: str) -> str:
        """Add a 3 x 3 convolution, or one of 4 x 4 that halves."""
        weights = self._weights(layer)
        side = weights[0].shape[-1]
        shape = {"kernel_shape": (side, side), "strides": (side - 2, side - 2), "pads": (1, 1, 1, 1)}
        return self._onnx.node("Conv", layer, before, *weights, **shape)

    def halve(self, stack: str, before: str, depth: int) -> str:
        """Add a stack of `layers.halve_by_convolving`."""
        for place in range(0, 3 * depth, 3):
            features = self.convolve(f"{stack}.{place}", before)
            before = self.rectify(f"{stack}.{place + 2}", self.normalize(f"{stack}.{place + 1}", features))
        return before

    def convolve_and_pool(self, stack: str, before: str, depth: int) -> str:
        """Add a stack of `layers.convolve_and_pool`."""
        for place in range(0, 4 * depth, 4):
            features = self.convolve(f"{stack}.{place}", before)
            name = f"{stack}.{place + 1}"
            pooled = self._onnx.node("MaxPool", name, features, kernel_shape=(2, 2), strides=(2, 2))
            before = self.rectify(f"{stack}.{place + 3}", self.normalize(f"{stack}.{place + 2}", pooled))
        return before

    def upsample_and_convolve(self, stack: str, before: str) -> str:
        """Add a stack of `layers.upsample_and_convolve`."""
        scales = np.array([1, 1, 2, 2], np.float32)
        large = self._onnx.node("Upsample", f"{stack}.0", before, scales, mode="nearest")
        return self.rectify(f"{stack}.3", self.normalize(f"{stack}.2", self.convolve(f"{stack}.1", large)))

    def normalize(self, layer: str, before: str) -> str:
        """Add batch normalization."""
        names = ("weight", "bias", "running_mean", "running_var")
        statistics = [np.asarray(self._tensors[f"{layer}.{name}"], np.float32) for name in names]
        return self._onnx.node("BatchNormalization", layer, before, *statistics, epsilon=EPSILON)

    def rectify(self, name: str, before: str) -> str:
        """Add a ReLU."""
        return self._onnx.node("Relu", name, before)

    def _weights(self, layer: str) -> tuple[NDArray[np.float32], ...]:
        names = [f"{layer}.weight", f"{layer}.bias"]
        return tuple(np.asarray(self._tensors[name], np.float32) for name in names if name in self._tensors)


def coarse_part(tensors: Tensors, architecture: Architecture) -> Part:
    """Load the localizer's first stack: a crop "crop" (1, 3, 80, 80) to features (1, C, 5, 5)."""
    graph = Graph(tensors, crop=(1, 3, CROP_SIZE // 2, CROP_SIZE // 2))
    return graph.finish(graph.halve("localizer.coarse.0", "crop", len(architecture.coarse_widths)))


def fine_part(tensors: Tensors, architecture: Architecture) -> Part:
    """Load its second stack: a face and its mirror image "face" (1, 6, 128, 128) to features (1, C, 4, 4)."""
    graph = Graph(tensors, face=(1, 6, FACE_SIZE, FACE_SIZE))
    return graph.finish(graph.halve("localizer.fine.0", "face", len(architecture.fine_widths)))


def parser_part(tensors: Tensors, architecture: Architecture) -> Part:
    """Load the parser: a level face and its mirror image "face" (1, 6, 64, 64) to (1, 4 (PARTS + 1), 32, 32)."""
    graph = Graph(tensors, face=(1, 6, PARSING_SIZE, PARSING_SIZE))
    depth, features = len(architecture.parser_widths), ["face"]
    for place in range(depth):
        features.append(graph.halve(f"localizer.parser.down.{place}", features[-1], 1))
    x = features.pop()
    for place in range(depth - 1):
        large = graph.upsample_and_convolve(f"localizer.parser.up.{place}", x)
        x = graph.join(f"joined.{place}", large, features.pop())
    return graph.finish(graph.convolve("localizer.parser.logits.0", x))


def encoder_part(tensors: Tensors, architecture: Architecture) -> Part:
    """Load the encoder's stack: faces "face" (1, 3, 64, 64) to features (1, C, 4, 4)."""
    graph = Graph(tensors, face=(1, 3, FACE_SIZE // 2, FACE_SIZE // 2))
    return graph.finish(graph.convolve_and_pool("encoder.stack", "face", len(architecture.encoder_widths)))


def decoder_part(tensors: Tensors, architecture: Architecture) -> Part:
    """Load the decoder's stacks: "start" (1, C, 4, 2), and a coarse "face" (1, 3, 64, 32), to (1, 12, 64, 32)."""
    widths = architecture.encoder_widths
    graph = Graph(tensors, start=(1, widths[-1], 4, 2), face=(1, 3, FACE_SIZE // 2, FACE_SIZE // 4))
    x = "start"
    for place in range(len(widths)):
        x = graph.upsample_and_convolve(f"decoder.stack.{place}", x)
    x = graph.convolve("decoder.detail.0", graph.join("joined", x, "face"))
    x = graph.rectify("decoder.detail.2", graph.normalize("decoder.detail.1", x))
    return graph.finish(graph.convolve("decoder.detail.3", x))
