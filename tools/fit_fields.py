"""Fit how a turn moves the parts of a head, and how far they stand out (models/fields.safetensors).

    PYTHONPATH=benchmarks python tools/fit_fields.py PEOPLE ict_facekit.npz OUT.safetensors [--limit 4000]

To the points of training people's faces, made symmetric, heads of ICT-FaceKit are fitted; their depths are regressed on
the points. Each face is given an asymmetry and turned to either side as its head turns, as in `benchmarks/turned.py`;
what the free weights and the registration then see of the turn is averaged. Photos as for `fit_points.py`: those that
permit every use. Faces whose number divides by ten are held out of the regression; how much of their depths is
explained is printed.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from calibration import LARGEST_FACE, NOISE, TILT, photo_side, photograph, random_colors, random_field
from head_shapes import FIELD, HeadShapes
from numpy.typing import NDArray
from turned import LEVEL, find_places, turn_field

from symface_cli.data.datasets import choose_photos, survey
from symface_cli.detection.detector import detect
from symface_cli.errors import NoFaceError
from symface_cli.geometry.frames import center_of
from symface_cli.geometry.pose import split_odd
from symface_cli.geometry.turns import NARROWING
from symface_cli.geometry.types import Array, Floats, Photo
from symface_cli.geometry.warps import GRID, similarity_of_warp
from symface_cli.imaging.photo import read_photo
from symface_cli.inference.registration import refine_warp
from symface_cli.inference.symmetrizer import Symmetrizer
from symface_cli.measurement.points.fields import HALF_GRID, HeadModel, describe_places, pack
from symface_cli.measurement.points.places import Regression

DEGREES = 13.0  # to either side
DAMPING = 3.0  # photos, of features of deviation 1


class Head(NamedTuple):
    """A head that was fitted to a symmetric face, and turned.

    Attributes:
        places: Where the face's points lie, (45, 2).
        depth: Of the control points of the left half, (153,).
        field: How the sine of a turn is seen to move control points, (17, 17, 2).
    """

    places: Array
    depth: Array
    field: Array


def symmetric_faces(symmetrizer: Symmetrizer, paths: Sequence[Path]) -> Iterator[Photo]:
    """Yield the face in each photo's middle, symmetric, where there is one."""
    for path in paths:
        photo = read_photo(path)
        middle = center_of(photo)
        found = sorted(detect(photo), key=lambda face: float(np.linalg.norm(face.center - middle)))
        try:
            for face in symmetrizer.symmetrize(photo, found[:1]):
                side = min(len(face.image), LARGEST_FACE)
                yield cv2.resize(face.image, (side, side), interpolation=cv2.INTER_AREA)
        except NoFaceError:
            continue


def find_odd(symmetrizer: Symmetrizer, photo: Photo) -> Array | None:
    """Return the odd displacement (17, 17, 2) of the face in a photo, None where none is found."""
    for found in detect(photo)[:1]:
        warp = symmetrizer.predict(photo, found).warp
        if warp is not None:
            photo_from_face = refine_warp(photo, warp.photo_from_face, warp.mask)
            return split_odd(photo_from_face, similarity_of_warp(photo_from_face))[1]
    return None


def turn_face(symmetrizer: Symmetrizer, heads: HeadShapes, face: Photo, generator: np.random.Generator) -> Head | None:
    """Fit a head to a symmetric face (S, S, 3) and turn it both ways; None where it is not found again."""
    places = find_places(face)
    depth = heads.depth_of(places)
    field, colored, side = random_field(LEVEL, generator), random_colors(face, LEVEL, generator), photo_side(face)
    seen = []
    for degrees in (DEGREES, -DEGREES):
        noise, tilt = NOISE * generator.normal(size=(side, side, 3)), TILT * generator.normal()
        photo, _ = photograph(colored, turn_field(field, depth, degrees), tilt, noise)
        seen.append(find_odd(symmetrizer, photo))
    one, other = seen
    if one is None or other is None:
        return None
    step = (FIELD - 1) // (GRID - 1)
    sines = 2 * np.sin(np.radians(DEGREES)) / NARROWING
    return Head(places, depth[::step, ::step][:, :HALF_GRID].ravel(), (one - other) / sines)


def mean_field(fields: Array) -> Floats:
    """Return the mean of fields (N, 17, 17, 2): of both sides, where what goes up on one goes down on the other."""
    mean = fields.mean(0)
    return np.asarray((mean + mean[:, ::-1] * [1, -1]) / 2, np.float32)


def regress(features: Array, depths: Array) -> Regression:
    """Fit how depths (N, 153) differ from their mean, by features (N, 45) of their own deviations; damped."""
    mean, deviation = features.mean(0), features.std(0)
    scaled = (features - mean) / deviation
    products = scaled.T @ scaled + DAMPING * np.eye(scaled.shape[1])
    weights = np.linalg.solve(products, scaled.T @ (depths - depths.mean(0))) / deviation[:, None]
    parts: tuple[NDArray[np.floating], ...] = (mean, weights, np.zeros(depths.shape[1]))
    return Regression(*(np.asarray(part, np.float32) for part in parts))


def explained(model: Regression, features: Array, differences: Array) -> float:
    """Return how much of the squares of differences (N, 153) a regression explains."""
    left = differences - np.stack([model(each) for each in features])
    return float(1 - (left**2).sum() / (differences**2).sum())


def main() -> None:
    """Fit, and write the regression."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("shape", type=Path, help="ict_facekit.npz")
    parser.add_argument("out", type=Path)
    parser.add_argument("--limit", type=int, default=4000, help="photos")
    options = parser.parse_args()
    symmetrizer, heads = Symmetrizer(Path("free"), device="cpu"), HeadShapes(options.shape)
    paths = [photo.path for photo in choose_photos(survey(options.photos), "train", options.limit)]
    generator = np.random.default_rng(7)
    each = (turn_face(symmetrizer, heads, face, generator) for face in symmetric_faces(symmetrizer, paths))
    turned = [head for head in each if head is not None]
    features = np.stack([describe_places(head.places) for head in turned])
    depths = np.stack([head.depth for head in turned])
    held_out = np.arange(len(turned)) % 10 == 0
    nearer = regress(features[~held_out], depths[~held_out])
    share = explained(nearer, features[held_out], depths[held_out] - depths[~held_out].mean(0))
    print(f"{len(turned)} faces, {held_out.sum()} held out: {share:.3f} of the squares of their depths explained")
    options.out.write_bytes(pack(HeadModel(mean_field(np.stack([head.field for head in turned])), nearer)))


if __name__ == "__main__":
    main()
