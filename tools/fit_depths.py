"""Fit what the points of a face say of its depth (models/depths.safetensors).

    PYTHONPATH=benchmarks python tools/fit_depths.py PEOPLE ict_facekit.npz OUT.safetensors [--limit 4000]

To the points of training people's faces, where the free weights see them, heads of ICT-FaceKit are fitted, as in
`benchmarks/turned.py`; how far their parts stand out is regressed on the points. A network's field is that of heads
that are turned: the mean over these, weighted by the squares of the turns' sines, is made 0. Photos as for
`fit_points.py`: those that permit every use. Faces whose number divides by ten are held out; how much of their depths
is explained is printed.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from head_shapes import FIELD, HeadShapes
from numpy.typing import NDArray

from symface_cli.data.datasets import choose_photos, survey
from symface_cli.detection.detector import detect
from symface_cli.geometry.frames import center_of
from symface_cli.geometry.pose import split_odd
from symface_cli.geometry.turns import field_of_head, find_turn
from symface_cli.geometry.types import Array
from symface_cli.geometry.warps import GRID, similarity_of_warp
from symface_cli.imaging.photo import read_photo
from symface_cli.inference.face import FaceWarp
from symface_cli.inference.registration import rectify_photo, refine_warp
from symface_cli.inference.symmetrizer import Symmetrizer
from symface_cli.measurement.points.depths import HALF_GRID, describe_places, find_nearer, pack
from symface_cli.measurement.points.places import Regression, load_places
from symface_cli.measurement.reading import FACE_SIDE, mean_of_sides

DAMPING = 3.0  # photos, of features of deviation 1


class Face(NamedTuple):
    """A face of a photo.

    Attributes:
        places: Where its points would lie if it were symmetric, (45, 2).
        odd: The odd displacement of its warp, (17, 17, 2).
        warped: How the network sees it.
    """

    places: Array
    odd: Array
    warped: FaceWarp


def find_faces(paths: Sequence[Path]) -> Iterator[Face]:
    """Yield the face in each photo's middle, if there is one."""
    symmetrizer = Symmetrizer(Path("free"), device="cpu")
    for path in paths:
        photo = read_photo(path)
        middle = center_of(photo)
        found = min(detect(photo), key=lambda face: float(np.linalg.norm(face.center - middle)), default=None)
        warp = None if found is None else symmetrizer.predict(photo, found).warp
        if warp is not None:
            photo_from_face = refine_warp(photo, warp.photo_from_face, warp.mask)
            face = rectify_photo(photo, photo_from_face, warp.mask, FACE_SIDE)
            _, odd = split_odd(photo_from_face, similarity_of_warp(photo_from_face))
            yield Face(load_places().find(mean_of_sides(face)), odd, warp)


def depth_of_half(heads: HeadShapes, places: Array) -> Array:
    """Return the depth of the control points of a face's left half, (17 * 9,)."""
    step = (FIELD - 1) // (GRID - 1)
    half: Array = heads.depth_of(places)[::step, ::step][:, :HALF_GRID].ravel()
    return half


def regress(features: Array, depths: Array) -> Regression:
    """Fit how depths (N, 153) differ from their mean, by features (N, 45) of their own deviations; damped."""
    mean, deviation = features.mean(0), features.std(0)
    scaled = (features - mean) / deviation
    products = scaled.T @ scaled + DAMPING * np.eye(scaled.shape[1])
    weights = np.linalg.solve(products, scaled.T @ (depths - depths.mean(0))) / deviation[:, None]
    parts: tuple[NDArray[np.floating], ...] = (mean, weights, np.zeros(depths.shape[1]))
    return Regression(*(np.asarray(part, np.float32) for part in parts))


def level_turned(model: Regression, faces: Sequence[Face]) -> Regression:
    """Return a regression whose mean over turned heads, weighted by the squares of their sines, is 0."""
    nearer = [find_nearer(face.places, model) for face in faces]
    turns = [
        find_turn(face.odd, field_of_head(face.warped.pose_field, each), face.warped.mask)
        for face, each in zip(faces, nearer, strict=True)
    ]
    mean = np.average(nearer, 0, [turn.sine**2 for turn in turns])
    return Regression(model.mean, model.weights, np.asarray(-mean[:, :HALF_GRID].ravel(), np.float32))


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
    heads = HeadShapes(options.shape)
    faces = list(find_faces([photo.path for photo in choose_photos(survey(options.photos), "train", options.limit)]))
    features = np.stack([describe_places(face.places) for face in faces])
    depths = np.stack([depth_of_half(heads, face.places) for face in faces])
    held_out = np.arange(len(faces)) % 10 == 0
    model = regress(features[~held_out], depths[~held_out])
    share = explained(model, features[held_out], depths[held_out] - depths[~held_out].mean(0))
    print(f"{len(faces)} faces, {held_out.sum()} held out: {share:.3f} of the squares of their depths explained")
    options.out.write_bytes(pack(level_turned(model, faces)))


if __name__ == "__main__":
    main()
