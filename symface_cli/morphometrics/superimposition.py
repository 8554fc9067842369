"""Generalized Procrustes superimposition of landmarks and their mirror images (Klingenberg, Barluenga & Meyer 2002).

Each configuration and its mirror image, whose points have the numbers of their partners, are moved, scaled and turned
onto the mean of all: partial Procrustes fits of unit centroid size, then projected into the plane that touches shape
space at the mean, as geomorph's `gpagen` does. The mean is exactly symmetric. Points of the plane are complex numbers
here: a turn is a factor.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry.types import Array

_Complex = NDArray[np.complex128]
ROUNDS = 100  # about 5 are needed: each comes nearer by a factor of the shapes' variance
NEAR = 1e-14  # of the mean's size, 1


@dataclass(frozen=True, eq=False)
class Superimposed:
    """Superimposed shapes, of centroid size 1, the axis of their mean upright.

    Attributes:
        original: (R, p, 2) the shapes as they are.
        mirrored: (R, p, 2) their mirror images, each point where its partner was.
    """

    original: Array
    mirrored: Array

    @property
    def symmetric(self) -> Array:
        """(R, p, 2) the symmetric part of each shape: the mean of it and its mirror image."""
        return (self.original + self.mirrored) / 2

    @property
    def asymmetric(self) -> Array:
        """(R, p, 2) the asymmetric part: what is left."""
        return (self.original - self.mirrored) / 2


def superimpose(coordinates: Array, partner: NDArray[np.intp]) -> Superimposed:
    """Superimpose configurations (R, p, 2) and their mirror images.

    Args:
        coordinates: Of points that are not all in one place.
        partner: (p,) the number of each point's mirror image.
    """
    shapes = _scale(coordinates[..., 0] + 1j * coordinates[..., 1])
    upright = shapes[0]
    shapes = np.concatenate([shapes, _mirror(shapes, partner)])
    mean = shapes[0]
    for _ in range(ROUNDS):
        fitted = _turn_onto(mean, shapes)
        last, mean = mean, _scale(fitted.mean(axis=0))
        if np.linalg.norm(mean - last) < NEAR:
            break
    mean = _set_upright(mean, upright, partner)
    fitted = _turn_onto(mean, shapes)
    fitted += (1 - (fitted @ mean.conj()).real)[:, None] * mean  # projected into the tangent plane
    both = np.stack([fitted.real, fitted.imag], axis=-1)
    return Superimposed(*np.split(both, 2))


def _mirror(shapes: _Complex, partner: NDArray[np.intp]) -> _Complex:
    return np.asarray(-shapes[..., partner].conj())


def _scale(shapes: _Complex) -> _Complex:
    """Move the centroid to the origin, and scale to centroid size 1."""
    centered = shapes - shapes.mean(axis=-1, keepdims=True)
    return np.asarray(centered / np.linalg.norm(centered, axis=-1, keepdims=True))


def _turn_onto(mean: _Complex, shapes: _Complex) -> _Complex:
    """Turn each shape to where its squared distance from the mean is least."""
    products = shapes @ mean.conj()
    return np.asarray(shapes * (products.conj() / np.abs(products))[:, None])


def _set_upright(mean: _Complex, upright: _Complex, partner: NDArray[np.intp]) -> _Complex:
    """Turn a symmetric mean so that its axis is vertical, and its upper end is that of an upright shape."""
    turn = np.exp(0.5j * np.angle(np.vdot(mean, _mirror(mean, partner))))
    return np.asarray(mean * turn * (1 if np.vdot(mean * turn, upright).real > 0 else -1))
