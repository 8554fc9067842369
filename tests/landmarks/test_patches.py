"""The patch experts of CLM and CLNF."""

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from symface_cli.errors import WeightsError
from symface_cli.landmarks import patches

VISIBLE = (0, 5)
WINDOW = 7
AREAS = np.random.default_rng(2).uniform(0, 255, (2, WINDOW + 10, WINDOW + 10)).astype(np.float32)
WEIGHTS = np.random.default_rng(3).normal(0.1, 1, (2, 2, 11, 11)).astype(np.float32)


def match(image: NDArray[np.float32], template: NDArray[np.float32]) -> NDArray[np.float32]:
    """OpenCV's own normalized cross-correlation."""
    return cv2.matchTemplate(image, np.ascontiguousarray(template), cv2.TM_CCOEFF_NORMED)


def sigmoid(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return 1 / (1 + np.exp(-values))


def test_correlations_are_those_of_opencv() -> None:
    templates = WEIGHTS.reshape(2, 2, 121)
    templates = templates - templates.mean(2, keepdims=True)
    templates /= np.linalg.norm(templates, axis=2, keepdims=True)
    found = patches.correlate(AREAS, templates)
    for i in range(2):
        for j in range(2):
            expected = match(AREAS[i], WEIGHTS[i, j])
            np.testing.assert_allclose(found[i, j].reshape(WINDOW, WINDOW), expected, atol=1e-5)
    np.testing.assert_array_equal(patches.correlate(np.full_like(AREAS, 77), templates), 0)


def test_svr_experts_multiply_the_responses_of_gray_levels_and_gradient(tmp_path: Path) -> None:
    words = ["# scale\n0.35\n1\n", "3 1 6 0 -20 0\n", "68 1 4 ", *("1 " if i in VISIBLE else "0 " for i in range(68))]
    for i in range(68):
        words.append("\n3 11 11 2")
        for kind in (0, 1):
            matrix = WEIGHTS[VISIBLE.index(i), kind] if i in VISIBLE else np.zeros((11, 11))
            words.append(
                f"\n2 {kind} 0.9 {3 + kind} {kind - 0.5}\n11 11 6 " + " ".join(map(repr, matrix.T.ravel().tolist()))
            )
    path = tmp_path / "svr.txt"
    path.write_text("".join(words))
    experts = patches.load_svr(path)
    assert experts.views.scale == 0.35
    np.testing.assert_allclose(experts.views.centers, np.radians([[0, -20, 0]]))
    assert tuple(np.flatnonzero(experts.views.visible[0])) == VISIBLE
    found = experts.respond(0, AREAS)
    for i, area in enumerate(AREAS):
        gradient = np.zeros_like(area)
        for y in range(1, len(area) - 1):
            for x in range(1, len(area) - 1):
                gradient[y, x] = (area[y, x + 1] - area[y, x - 1]) ** 2 + (area[y + 1, x] - area[y - 1, x]) ** 2
        normalized = (area - area.mean()) / area.std()
        expected = sigmoid(3 * match(normalized, WEIGHTS[i, 0]) - 0.5) * sigmoid(
            4 * match(gradient, WEIGHTS[i, 1]) + 0.5
        )
        np.testing.assert_allclose(found[i], expected, atol=1e-5)


def binary_matrix(matrix: NDArray[np.float32]) -> bytes:
    return struct.pack("<3i", *matrix.shape, 5) + matrix.astype("<f4").tobytes()


def write_ccnf(path: Path, term: NDArray[np.float32]) -> None:
    """Two neurons for each visible landmark, the second too weak to count, and one smoothing term."""
    visible = np.array([[i in VISIBLE] for i in range(68)], "<i4")
    data = struct.pack("<di", 0.25, 1) + struct.pack("<3i3d", 3, 1, 6, 0, 20, 0)
    data += struct.pack("<3i", 68, 1, 4) + visible.tobytes()
    data += struct.pack("<3i", 1, WINDOW, 1) + binary_matrix(term)
    for i in range(68):
        if i not in VISIBLE:
            data += struct.pack("<5i", 5, 0, 0, 0, 0)
            continue
        data += struct.pack("<4i", 5, 11, 11, 2)
        for neuron, alpha in ((0, 0.8), (1, 5e-5)):
            data += struct.pack("<2i3d", 2, 0, 6.0, -1.0, alpha) + binary_matrix(WEIGHTS[VISIBLE.index(i), neuron])
        data += struct.pack("<2d", 0.3, 1.0)
    path.write_bytes(data)


def test_ccnf_experts_smooth_the_responses_of_their_neurons(tmp_path: Path) -> None:
    half = np.random.default_rng(4).normal(size=(WINDOW**2, WINDOW**2)).astype(np.float32)
    term = half @ half.T
    path = tmp_path / "ccnf.txt"
    write_ccnf(path, term)
    experts = patches.load_ccnf(path)
    assert experts.views.scale == 0.25
    for _ in range(2):  # the second time, the covariance is there already
        found = experts.respond(0, AREAS)
        for i, area in enumerate(AREAS):
            neuron = 2 * 0.8 * sigmoid(6 * match(area, WEIGHTS[i, 0]) - 1)
            # As in the authors' program, the weak neuron counts here.
            covariance = np.linalg.inv(2 * ((0.8 + 5e-5) * np.eye(WINDOW**2) + 0.3 * term.astype(np.float64)))
            expected = (covariance @ neuron.ravel()).reshape(WINDOW, WINDOW)
            expected -= min(expected.min(), 0)
            np.testing.assert_allclose(found[i], expected, atol=1e-5)
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(WeightsError, match="too long"):
        patches.load_ccnf(path)
