"""Patch experts of CLM and CLNF: how likely each landmark lies at each place of a small window.

All experts of a view answer at once. An area is a piece of the photo around a landmark, in gray levels, leveled and
scaled to the experts' training scale; an expert looks at 11 x 11 pixels, so that an area of side w + 10 gives a
response of side w, the window.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.errors import WeightsError
from symface_cli.geometry.types import Array, Floats
from symface_cli.landmarks import scheme
from symface_cli.landmarks.pdm import Text

T = TypeVar("T")

SIDE = 11  # px, of an expert's weights
CONTRAST = 1e-2  # least length of a window's deviation from its mean; below, there is nothing to correlate with
LEAST_ALPHA = 1e-4  # neurons with less are not asked, as by the authors; they do count for the covariance
SVR, PATCH, CCNF = 3, 2, 5  # what the files put before an SVR expert, each of its parts or neurons, a CCNF expert
GRAY, GRADIENT = 0, 1  # types of patches
_DTYPES = {0: "u1", 4: "<i4", 5: "<f4", 6: "<f8"}  # by OpenCV's number of the type


@dataclass(frozen=True)
class Views:
    """Directions from which a face is seen.

    Attributes:
        scale: Training scale, px per mm.
        centers: (V, 3) Euler angles in radians.
        visible: (V, 68) bool.
    """

    scale: float
    centers: Array
    visible: NDArray[np.bool_]

    def nearest(self, turn: Array) -> int:
        """Return the view whose center is nearest to Euler angles (3,)."""
        return int(np.argmin(((self.centers - turn) ** 2).sum(1)))


class PatchExperts(ABC):
    """Experts of one training scale.

    Attributes:
        views: The directions for which there are experts.
    """

    def __init__(self, views: Views) -> None:
        self.views = views

    @abstractmethod
    def respond(self, view: int, areas: Floats) -> Floats:
        """Return the responses (N, w, w), 0 or more, of a view's N visible landmarks to areas (N, w + 10, w + 10)."""


@dataclass(frozen=True)
class SvrWeights:
    """SVR experts of a view, N visible landmarks with 2 parts each: gray levels and gradient.

    Attributes:
        templates: (N, 2, 121), zero mean and unit length.
        scaling: (N, 2, 1), of the correlation.
        bias: (N, 2, 1), added to it.
    """

    templates: Floats
    scaling: Floats
    bias: Floats


class SvrExperts(PatchExperts):
    """Support vector regression, the experts of CLM (Saragih et al. 2011)."""

    def __init__(self, views: Views, weights: list[SvrWeights]) -> None:
        super().__init__(views)
        self._weights = weights

    def respond(self, view: int, areas: Floats) -> Floats:
        """Multiply both parts' logistic responses; the gray part need not be normalized before it is correlated."""
        weights = self._weights[view]
        parts = [
            correlate(images, weights.templates[:, part, None])[:, 0]
            for part, images in ((GRAY, areas), (GRADIENT, gradient_energy(areas)))
        ]
        responses = _sigmoid(weights.scaling * np.stack(parts, 1) + weights.bias).prod(1)
        return _square(responses)


@dataclass(frozen=True, kw_only=True, eq=False)
class CcnfWeights:
    """CCNF experts of a view, N visible landmarks with up to K neurons and B smoothing terms each.

    Attributes:
        templates: (N, K, 121), zero mean and unit length.
        scaling: (N, K, 1), of the correlation.
        bias: (N, K, 1), added to it.
        alphas: (N, K), weights of the neurons; 0 where a landmark has fewer.
        betas: (N, B), weights of the smoothing terms.
    """

    templates: Floats
    scaling: Floats
    bias: Floats
    alphas: Floats
    betas: Floats


class CcnfExperts(PatchExperts):
    """Continuous conditional neural fields, the experts of CLNF (Baltrusaitis et al. 2013).

    Args:
        views: The directions for which there are experts.
        weights: Of each view.
        smoothing: Smoothing terms (B, w * w, w * w) by the side w of a window.
    """

    def __init__(self, views: Views, weights: list[CcnfWeights], smoothing: dict[int, Floats]) -> None:
        super().__init__(views)
        self._weights = weights
        self._smoothing = smoothing
        self._covariances: dict[tuple[int, int], Floats] = {}  # (view, window) -> (N, w * w, w * w); 4 MB for w = 11

    def respond(self, view: int, areas: Floats) -> Floats:
        """Return the field's most likely values: the neurons' responses, smoothed; shifted where negative."""
        weights = self._weights[view]
        neurons = _sigmoid(weights.scaling * correlate(areas, weights.templates) + weights.bias)
        alphas = np.where(weights.alphas > LEAST_ALPHA, weights.alphas, 0)
        single = 2 * np.matmul(alphas[:, None], neurons)  # (N, 1, w * w)
        smooth = np.matmul(self._covariance(view, areas.shape[-1] - SIDE + 1), single.swapaxes(1, 2))[..., 0]
        return _square(smooth - np.minimum(smooth.min(1, keepdims=True), 0))

    def _covariance(self, view: int, window: int) -> Floats:
        """Return Sigma = (2 (sum(alpha) 1 + sum_k beta_k S_k))^-1 of each landmark, (N, w * w, w * w)."""
        if (view, window) not in self._covariances:
            weights = self._weights[view]
            precision = np.tensordot(weights.betas.astype(np.float64), self._smoothing[window], 1)
            precision += weights.alphas.sum(1, dtype=np.float64)[:, None, None] * np.eye(window * window)
            # By OpenCV: numpy's threads, on cores that are busy, take seconds for these small matrices.
            inverses = [cv2.invert(2 * matrix, flags=cv2.DECOMP_CHOLESKY)[1] for matrix in precision]
            self._covariances[view, window] = np.array(inverses, np.float32)
        return self._covariances[view, window]


def correlate(images: Floats, templates: Floats) -> Floats:
    """Correlate every image with its own templates: normalized cross-correlation, OpenCV's TM_CCOEFF_NORMED.

    Args:
        images: (N, w + 10, w + 10).
        templates: (N, K, 121), zero mean and unit length, of 11 x 11 pixels each.

    Returns:
        (N, K, w * w), from -1 to 1; 0 where the image has no contrast.
    """
    windows = np.lib.stride_tricks.sliding_window_view(images, (SIDE, SIDE), axis=(1, 2))
    windows = windows.reshape(len(images), -1, SIDE * SIDE)
    windows = windows - windows.mean(2, keepdims=True)
    length = np.sqrt(np.einsum("nwp,nwp->nw", windows, windows))[:, None]
    product = np.matmul(templates, windows.swapaxes(1, 2))
    correlations = np.where(length > CONTRAST, product / np.maximum(length, CONTRAST), 0)
    return np.asarray(correlations, np.float32)


def gradient_energy(images: Floats) -> Floats:
    """Return the squared gradient by central differences (without halving) of images (N, H, W), 0 on their borders."""
    energy = np.zeros_like(images)
    across = images[:, 1:-1, 2:] - images[:, 1:-1, :-2]
    down = images[:, 2:, 1:-1] - images[:, :-2, 1:-1]
    energy[:, 1:-1, 1:-1] = across**2 + down**2
    return energy


def load_svr(path: Path) -> SvrExperts:
    """Load SVR experts, a text file of CLM-framework.

    Raises:
        WeightsError: If the file is damaged.
    """

    def read(data: bytes) -> SvrExperts:
        text = Text(data.decode("ascii"))
        views = _read_views(text)
        return SvrExperts(views, [_read_svr_view(text, visible) for visible in views.visible])

    return _load(path, read)


def load_ccnf(path: Path) -> CcnfExperts:
    """Load CCNF experts, a binary file of CLM-framework.

    Raises:
        WeightsError: If the file is damaged.
    """

    def read(data: bytes) -> CcnfExperts:
        binary = Binary(data)
        views = _read_views(binary)
        smoothing = {}
        for _ in range(binary.integer()):
            window = binary.integer()
            smoothing[window] = np.stack([binary.matrix() for _ in range(binary.integer())]).astype(np.float32)
        terms = {len(matrices) for matrices in smoothing.values()}
        if len(terms) != 1:
            raise ValueError("the windows differ in their smoothing terms")
        weights = [_read_ccnf_view(binary, visible, *terms) for visible in views.visible]
        binary.finish()
        return CcnfExperts(views, weights, smoothing)

    return _load(path, read)


@dataclass
class Binary:
    """Reader of the little-endian numbers of CLM-framework's binary files one after the other.

    All methods raise a ValueError where the file ends too early or has something else.
    """

    data: bytes
    at: int = field(default=0, init=False)

    def integer(self) -> int:
        """Read the next number, an int32."""
        return int(self._take("<i4", 1)[0])

    def real(self) -> float:
        """Read the next number, a float64."""
        return float(self._take("<f8", 1)[0])

    def matrix(self) -> Array:
        """Read the next matrix: rows, columns, OpenCV's number of the type, then row after row."""
        rows, columns, kind = self.integer(), self.integer(), self.integer()
        if kind not in _DTYPES or min(rows, columns) < 0:
            raise ValueError(f"no matrix at byte {self.at}")
        return self._take(_DTYPES[kind], rows * columns).reshape(rows, columns).astype(np.float64)

    def finish(self) -> None:
        """Check that there is nothing left."""
        if self.at != len(self.data):
            raise ValueError("it is too long")

    def _take(self, dtype: str, count: int) -> NDArray[np.generic]:
        taken = np.frombuffer(self.data, dtype, count, self.at)
        self.at += taken.nbytes
        return taken


def _load(path: Path, read: Callable[[bytes], T]) -> T:
    try:
        return read(path.read_bytes())
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path}: not patch experts for 68 landmarks ({error})") from error


def _read_views(source: Text | Binary) -> Views:
    scale, count = source.real(), source.integer()
    centers = np.radians([source.matrix().reshape(3) for _ in range(count)])
    visible = np.array([source.matrix().reshape(scheme.COUNT) != 0 for _ in range(count)])
    return Views(scale, centers, visible)


def _read_svr_view(text: Text, visible: NDArray[np.bool_]) -> SvrWeights:
    experts = [_read_svr(text) for _ in visible]  # those of invisible landmarks are in the file, too
    kept = [expert for expert, is_visible in zip(experts, visible, strict=True) if is_visible]
    templates, scaling, bias = (np.array(values, np.float32) for values in zip(*kept, strict=True))
    return SvrWeights(templates, scaling[..., None], bias[..., None])


def _read_svr(text: Text) -> tuple[Array, list[float], list[float]]:
    """Read templates (2, 121), scaling and bias of an expert's parts, gray levels first."""
    _expect(text.integer() == SVR)
    _expect((text.integer(), text.integer(), text.integer()) == (SIDE, SIDE, 2))
    templates, scaling, bias = [], [], []
    for kind in (GRAY, GRADIENT):
        _expect((text.integer(), text.integer()) == (PATCH, kind))
        text.real()  # confidence, which is not used
        scaling.append(text.real())
        bias.append(text.real())
        templates.append(_template(text.matrix().T))
    return np.array(templates), scaling, bias


def _read_ccnf_view(binary: Binary, visible: NDArray[np.bool_], terms: int) -> CcnfWeights:
    experts = [_read_ccnf(binary, terms) for _ in visible]
    kept = [expert for expert, is_visible in zip(experts, visible, strict=True) if is_visible]
    neurons = max(len(expert[1]) for expert in kept)
    templates = np.zeros((len(kept), neurons, SIDE * SIDE), np.float32)
    numbers = np.zeros((len(kept), neurons, 3), np.float32)
    for row, (template, values, _) in enumerate(kept):
        templates[row, : len(template)] = template
        numbers[row, : len(values)] = values
    scaling, bias, alphas = np.moveaxis(numbers, 2, 0)
    betas = np.array([expert[2] for expert in kept], np.float32)
    return CcnfWeights(
        templates=templates, scaling=scaling[..., None], bias=bias[..., None], alphas=alphas, betas=betas
    )


def _read_ccnf(binary: Binary, terms: int) -> tuple[list[Array], list[tuple[float, float, float]], list[float]]:
    """Read templates (121,), numbers (scaling, bias, alpha) and betas of an expert; empty where there is none."""
    _expect(binary.integer() == CCNF)
    size = (binary.integer(), binary.integer())
    neurons = binary.integer()
    if neurons == 0:
        binary.integer()
        return [], [], []
    _expect(size == (SIDE, SIDE))
    templates, numbers = [], []
    for _ in range(neurons):
        _expect((binary.integer(), binary.integer()) == (PATCH, GRAY))
        numbers.append((binary.real(), binary.real(), binary.real()))
        templates.append(_template(binary.matrix()))
    betas = [binary.real() for _ in range(terms)]
    binary.real()  # confidence, which is not used
    return templates, numbers, betas


def _template(weights: Array) -> Array:
    """Normalize weights to (121,) of zero mean and unit length."""
    flat = weights.reshape(SIDE * SIDE) - weights.mean()
    return np.asarray(flat / (np.linalg.norm(flat) or 1.0), np.float64)


def _expect(is_so: bool) -> None:
    if not is_so:
        raise ValueError("an expert of an unknown kind")


def _sigmoid(values: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -80, 80))), np.float32)


def _square(responses: Floats) -> Floats:
    """Reshape (N, w * w) to (N, w, w)."""
    window = int(np.sqrt(responses.shape[1]))
    return responses.reshape(-1, window, window)
