"""Fit thin-plate splines."""

import numpy as np

from symface_cli.geometry.types import Array

SPLINE_SMOOTHING = 2.5e-4  # of the thin-plate spline in normalized units: one squared pixel of a 128 px face


def fit_spline(sources: Array, values: Array, points: Array, smoothing: float = SPLINE_SMOOTHING) -> Array:
    """Fit a thin-plate spline (Bookstein 1989) to `values` (N, D) at `sources` (N, 2); evaluate it at `points` (M, 2).

    Args:
        sources: Where the values are known.
        values: There.
        points: Where they are wanted.
        smoothing: Added to the kernel's diagonal; 0 interpolates exactly.

    Returns:
        (M, D).
    """
    n = len(sources)
    system = np.zeros((n + 3, n + 3))
    system[:n, :n] = _spline_kernel(sources, sources) + smoothing * np.eye(n)
    system[:n, n], system[:n, n + 1 :] = 1, sources
    system[n:, :n] = system[:n, n:].T
    weights = np.linalg.solve(system, np.vstack([values, np.zeros((3, values.shape[1]))]))
    affine = np.column_stack([np.ones(len(points)), points])
    return np.asarray(_spline_kernel(points, sources) @ weights[:n] + affine @ weights[n:])


def _spline_kernel(a: Array, b: Array) -> Array:
    squared = (a[:, 0, None] - b[:, 0]) ** 2 + (a[:, 1, None] - b[:, 1]) ** 2
    return np.where(squared > 0, squared * np.log(np.maximum(squared, 1e-300)) / 2, 0)  # r^2 log r
