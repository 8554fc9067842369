"""Samples of made-up faces, and a superimposition written for a single shape at a time."""

import numpy as np

from symface_cli.morphometrics.sample import Landmarks, make_sample

PAIRS = {"eye_left": "eye_right", "eye_right": "eye_left", "mouth_left": "mouth_right", "mouth_right": "mouth_left"}
PARTNERS = {**PAIRS, "nose": "nose", "chin": "chin"}
FACE = {"eye_left": (130, 100), "eye_right": (70, 100), "mouth_left": (120, 160), "mouth_right": (80, 160)}
FACE |= {"nose": (100, 130), "chin": (100, 200)}


def sample_of(counts, seed=0, spread=6.0):
    """People with so many photos each, their points moved at random by about so many pixels."""
    generator = np.random.default_rng(seed)
    photos = []
    for person, count in enumerate(counts):
        own = np.array(list(FACE.values())) + generator.normal(0, spread, (6, 2))
        for number in range(count):
            points = own + generator.normal(0, spread / 2, (6, 2))
            named = dict(zip(FACE, map(tuple, points.tolist()), strict=True))
            photos.append(Landmarks(f"{person}-{number}", f"person {person}", named))
    return make_sample(photos, PARTNERS, "made up")


def fit(shape, mean):
    """Turn a centered shape (p, 2) onto a mean, by the singular value decomposition."""
    u, _, vt = np.linalg.svd(shape.T @ mean)
    return shape @ u @ np.diag([1, np.linalg.det(u @ vt)]) @ vt


def superimpose_slowly(coordinates, partner):
    """Shapes, then their mirror images, superimposed by Gower's iteration and projected, one after the other."""
    mirrored = [shape[partner] * [-1, 1] for shape in coordinates]
    shapes = [shape - shape.mean(axis=0) for shape in (*coordinates, *mirrored)]
    shapes = [shape / np.sqrt((shape**2).sum()) for shape in shapes]
    mean = shapes[0]
    for _ in range(50):
        mean = sum(fit(shape, mean) for shape in shapes)
        mean = mean / np.sqrt((mean**2).sum())
    fitted = [fit(shape, mean) for shape in shapes]
    projected = [shape + (1 - (shape * mean).sum()) * mean for shape in fitted]
    return np.array(projected[: len(coordinates)]), np.array(projected[len(coordinates) :])
