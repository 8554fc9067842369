"""The parts of the network as ONNX graphs, made of a weights file's tensors.

What has no weights (flips, sampling, maps) is done outside of them, in NumPy, where that is faster.
"""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.engines.onnx import Onnx
from symface_cli.engines.sessions import open_session
from symface_cli.geometry.frames import CROP_SIZE
from symface_cli.geometry.types import Floats
from symface_cli.geometry.warps import GRID, control_points
from symface_cli.network.architecture import FACE_SIZE, GRAY, Architecture
from symface_cli.network.maps import CORRECTION_UNIT, PARSING_SIZE, PARTS

EPSILON = 1e-5  # of batch normalization, torch's own
HALF = FACE_SIZE // 2  # px, side of the faces that the VAE's stacks work on
WARP = (1, GRID, GRID, 2)  # shape of a warp

Tensors = Mapping[str, NDArray[np.generic]]
"""The tensors of a weights file, by their names."""


class Part:
    """A part of the network, run by ONNX Runtime; for any number of threads.

    Args:
        graph: ONNX; each of its inputs has a name.
        matrices: Inputs that stay the same. As constants of the graph they would be copied: the VAE's take 50 MB.
    """

    def __init__(self, graph: bytes, matrices: Mapping[str, Floats]) -> None:
        self._session = open_session(graph)
        self._matrices = matrices

    def __call__(self, **inputs: Floats) -> list[Floats]:
        """Return the outputs for the other inputs, by their names."""
        outputs: list[Floats] = self._session.run(None, {**self._matrices, **inputs})
        return outputs


class Graph:
    """A graph whose layers take their weights from a file; what a layer gives has its name.

    Args:
        tensors: The file's.
        inputs: The shape of each input, by its name.
    """

    def __init__(self, tensors: Tensors, **inputs: Sequence[int]) -> None:
        self._tensors = tensors
        self._onnx = Onnx(**inputs)
        self._matrices: dict[str, Floats] = {}
        self.node = self._onnx.node

    def finish(self, **outputs: Sequence[int]) -> Part:
        """Load the part that ends with the nodes of these names, of these shapes."""
        return Part(self._onnx.finish(**outputs), self._matrices)

    def convolve(self, layer: str, before: str) -> str:
        """Add a 3 x 3 convolution, or one of 4 x 4 that halves."""
        weights = [self.tensor(name) for name in (f"{layer}.weight", f"{layer}.bias") if name in self._tensors]
        side = weights[0].shape[-1]
        shape = {"kernel_shape": (side, side), "strides": (side - 2, side - 2), "pads": (1, 1, 1, 1)}
        return self.node("Conv", layer, before, *weights, **shape)

    def connect(self, layer: str, before: str, count: int | None = None) -> str:
        """Add a linear layer, or a convolution at one place, of which all outputs are wanted or the first ones."""
        weight, bias = (self.tensor(f"{layer}.{name}", count) for name in ("weight", "bias"))
        matrix = weight.reshape(len(weight), -1)
        name = self._onnx.input(f"{layer}.matrix", matrix.shape)
        self._matrices[name] = matrix
        return self.node("Gemm", layer, self.node("Flatten", f"{layer}.features", before, axis=1), name, bias, transB=1)

    def conclude(self, layers: tuple[str, str], before: str, leak: float) -> str:
        """Add the two layers that end the localizer's stacks; the units between them leak."""
        hidden = self.connect(layers[0], before)
        return self.connect(layers[1], self.node("LeakyRelu", f"{layers[0]}.leaky", hidden, alpha=leak))

    def compose(self, name: str, warp: str, points: str) -> str:
        """Add what samples a warp cubically at points, both (1, 17, 17, 2)."""
        planes = self.node("Transpose", f"{name}.planes", warp, perm=(0, 3, 1, 2))
        border = {"mode": "bicubic", "padding_mode": "border"}
        moved = self.node("GridSample", f"{name}.moved", planes, points, align_corners=1, **border)
        return self.node("Transpose", name, moved, perm=(0, 2, 3, 1))

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
            pooled = self.node("MaxPool", f"{stack}.{place + 1}", features, kernel_shape=(2, 2), strides=(2, 2))
            before = self.rectify(f"{stack}.{place + 3}", self.normalize(f"{stack}.{place + 2}", pooled))
        return before

    def upsample_and_convolve(self, stack: str, before: str) -> str:
        """Add a stack of `layers.upsample_and_convolve`."""
        nearest = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        large = self.double(f"{stack}.0", before, mode="nearest", **nearest)
        return self.rectify(f"{stack}.3", self.normalize(f"{stack}.2", self.convolve(f"{stack}.1", large)))

    def double(self, name: str, before: str, **how: str) -> str:
        """Add what makes maps twice as high and wide."""
        return self.node("Resize", name, before, "", np.array([1, 1, 2, 2], np.float32), **how)

    def normalize(self, layer: str, before: str) -> str:
        """Add batch normalization."""
        statistics = [self.tensor(f"{layer}.{name}") for name in ("weight", "bias", "running_mean", "running_var")]
        return self.node("BatchNormalization", layer, before, *statistics, epsilon=EPSILON)

    def rectify(self, name: str, before: str) -> str:
        """Add a ReLU."""
        return self.node("Relu", name, before)

    def shuffle(self, name: str, before: str) -> str:
        """Add torch's pixel shuffle, which makes 2 x 2 pixels of four channels."""
        return self.node("DepthToSpace", name, before, blocksize=2, mode="CRD")

    def slice(self, name: str, before: str, axis: int, start: int, end: int) -> str:
        """Add what keeps a part of an axis."""
        return self.node("Slice", name, before, *(np.array([number]) for number in (start, end, axis)))

    def reshape(self, name: str, before: str, shape: Sequence[int]) -> str:
        """Add what gives values another shape."""
        return self.node("Reshape", name, before, np.array(shape))

    def tensor(self, name: str, count: int | None = None) -> Floats:
        """Return a tensor of the file, or its first rows.

        Half-precision ones are converted by OpenCV, in a fortieth of NumPy's time.
        """
        stored = self._tensors[name][:count]
        if stored.dtype != np.float16:
            return np.asarray(stored, np.float32)
        converted: Floats = cv2.convertFp16(stored.view(np.int16).ravel())
        return converted.reshape(stored.shape)


def coarse_part(tensors: Tensors, architecture: Architecture) -> Part:
    """Load the localizer's first step: a crop "crop" (1, 3, 80, 80) to a guess of the warp (1, 17, 17, 2)."""
    graph = Graph(tensors, crop=(1, 3, CROP_SIZE // 2, CROP_SIZE // 2))
    features = graph.halve("localizer.coarse.0", "crop", len(architecture.coarse_widths))
    maps = graph.conclude(("localizer.coarse.1", "localizer.coarse_warp"), features, architecture.leak)
    graph.node("Add", "warp", graph.reshape("moved", maps, WARP), _identity_warp())
    return graph.finish(warp=WARP)


def fine_part(tensors: Tensors, architecture: Architecture) -> Part:
    """Load its second step, which corrects a warp by the face rectified with it.

    That is "start" (1, 17, 17, 2), and "face" (1, 6, 128, 128) is the face and its mirror image. Outputs are the
    corrected warp, the correction (1, 17, 17, 2) in normalized face coordinates, and the mask (1, 17, 17, 1).
    """
    graph = Graph(tensors, start=WARP, face=(1, 6, FACE_SIZE, FACE_SIZE))
    features = graph.halve("localizer.fine.0", "face", len(architecture.fine_widths))
    maps = graph.conclude(("localizer.fine.1", "localizer.fine_maps"), features, architecture.leak)
    maps = graph.reshape("maps", maps, (1, GRID, GRID, 3))
    shift = graph.node("Mul", "shift", graph.slice("shifts", maps, 3, 0, 2), np.array(CORRECTION_UNIT, np.float32))
    graph.node("Sigmoid", "mask", graph.slice("logits", maps, 3, 2, 3))
    graph.compose("warp", "start", graph.node("Add", "points", shift, _identity_warp()))
    return graph.finish(warp=WARP, shift=WARP, mask=(1, GRID, GRID, 1))


def _identity_warp() -> Floats:
    """Return the control points themselves, (1, 17, 17, 2)."""
    return control_points().astype(np.float32)[None]


def parser_part(tensors: Tensors, architecture: Architecture) -> Part:
    """Load the parser: a level face and its mirror image "face" (1, 6, 64, 64) to (1, 4 (PARTS + 1), 32, 32)."""
    graph = Graph(tensors, face=(1, 6, PARSING_SIZE, PARSING_SIZE))
    depth, features = len(architecture.parser_widths), ["face"]
    for place in range(depth):
        features.append(graph.halve(f"localizer.parser.down.{place}", features[-1], 1))
    x = features.pop()
    for place in range(depth - 1):
        large = graph.upsample_and_convolve(f"localizer.parser.up.{place}", x)
        x = graph.node("Concat", f"joined.{place}", large, features.pop(), axis=1)
    side = PARSING_SIZE // 2
    return graph.finish(**{graph.convolve("localizer.parser.logits.0", x): (1, 4 * (PARTS + 1), side, side)})


def vae_part(tensors: Tensors, architecture: Architecture) -> Part:
    """Load encoder and decoder, with z = mu: a face "face" (1, 3, 128, 128) to its left half (1, 3, 128, 64)."""
    graph = Graph(tensors, face=(1, 3, FACE_SIZE, FACE_SIZE))
    _decode(graph, architecture, _encode(graph, architecture))
    return graph.finish(left=(1, 3, FACE_SIZE, FACE_SIZE // 2))


def _encode(graph: Graph, architecture: Architecture) -> str:
    """Add `network.vae.Encoder`, which gives mu."""
    small = graph.node("AveragePool", "small", "face", kernel_shape=(2, 2), strides=(2, 2))
    centered = graph.node("Sub", "centered", small, np.array(GRAY, np.float32))
    features = graph.convolve_and_pool("encoder.stack", centered, len(architecture.encoder_widths))
    added = graph.connect("encoder.statistics", features, architecture.latent)  # mu, without log_var
    scaled = graph.node("Mul", "scaled", added, graph.tensor("encoder.deviation"))
    linear = graph.connect("encoder.linear", graph.slice("left.small", centered, 3, 0, HALF // 2))
    return graph.node("Add", "mu", linear, scaled)


def _decode(graph: Graph, architecture: Architecture, z: str) -> None:
    """Add `network.vae.Decoder`, which gives "left".

    A half is doubled by itself: where its mirror image would follow, its last column is repeated, which is the same.
    """
    widths = architecture.encoder_widths
    small = graph.reshape("coarse", graph.connect("decoder.linear", z), (1, 3, HALF, HALF // 2))
    x = graph.reshape("start", graph.connect("decoder.start", z), (1, widths[-1], 4, 2))
    for place in range(len(widths)):
        x = graph.upsample_and_convolve(f"decoder.stack.{place}", x)
    x = graph.convolve("decoder.detail.0", graph.node("Concat", "joined", x, small, axis=1))
    x = graph.rectify("decoder.detail.2", graph.normalize("decoder.detail.1", x))
    detail = graph.shuffle("detail", graph.convolve("decoder.detail.3", x))
    large = graph.double("large", small, mode="linear", coordinate_transformation_mode="half_pixel")
    graph.node("Add", "left", graph.node("Add", "sum", large, detail), np.array(GRAY, np.float32))
