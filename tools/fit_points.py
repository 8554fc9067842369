"""Fit where the points of the named measures lie in a face (models/points.safetensors).

    python tools/fit_points.py PEOPLE OUT.safetensors [--limit 4000]

Training people's photos are labeled by MediaPipe's face mesh (mean of photo and mirror image) and, for lids, canthi and
irises, by its network for them; where the mesh disagrees with itself, the photo is left out. Faces lie where the free
weights see them: with photos that permit every use, as those were trained on, the points permit it, too. The even part
of the points in the face frame is fitted to the mean of the rectified face and its mirror image. Faces whose number
divides by ten are held out, and their median errors printed, in per cent of the eye distance.
"""

import argparse
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.data.datasets import choose_photos, survey
from symface_cli.detection.detector import detect
from symface_cli.geometry.frames import EYE_DISTANCE_FACE, apply, center_of
from symface_cli.geometry.types import Array, Photo
from symface_cli.geometry.warps import sample_warp, similarity_of_warp
from symface_cli.imaging.photo import read_photo
from symface_cli.inference.registration import rectify_photo, refine_warp
from symface_cli.inference.symmetrizer import Symmetrizer
from symface_cli.landmarks.iris import MediaPipeIrises
from symface_cli.landmarks.mediapipe import MediaPipeLandmarks
from symface_cli.landmarks.mesh import MESH_468
from symface_cli.measurement.points import places
from symface_cli.measurement.points.places import HALF, STEPS, PlaceModel, Regression
from symface_cli.measurement.points.scheme import MIDDLE, SIDED

LEAST_SURE = 0.03  # eye distances: where the mesh's runs differ by more, the photo is left out
DAMPING = 0.1  # of the regressions, in mean variances of a feature
DRAWS = 2  # places around each point, beside the one that the stage before gives, from which a patch is seen
SIDE = 257  # px, of rectified faces
LIDS = (8, 0, 10, 12, 14, 2, 4, 6)  # canthi, upper and lower lid of the network's 16 points
LANDMARKS = np.array(
    [70, 63, 105, 66, 107, 98, 61, 40, 37, 91, 181, 1, 2, 0, 17, 152]
)  # brow to chin, of the mesh's 468


class Example(NamedTuple):
    """A face, gray, the mean of both sides (257, 257), and where the points of its left half lie (25, 2)."""

    face: NDArray[np.float32]
    half: Array


class Teachers:
    """What labels a photo."""

    def __init__(self) -> None:
        self._mesh, self._irises = MediaPipeLandmarks(), MediaPipeIrises()
        self._symmetrizer = Symmetrizer(Path("free"), device="cpu")

    def label(self, photo: Photo) -> Example | None:
        """Return the example of the face in a photo's middle; None where the teachers are not sure."""
        middle = center_of(photo)
        found = min(detect(photo), key=lambda face: float(np.linalg.norm(face.center - middle)), default=None)
        if found is None:
            return None
        by_mesh = self._mesh.label(photo, found.box)
        warp = self._symmetrizer.predict(photo, found).warp
        if by_mesh is None or warp is None or by_mesh[1] > LEAST_SURE:
            return None
        photo_from_face = refine_warp(photo, warp.photo_from_face, warp.mask)
        gray = cv2.cvtColor(rectify_photo(photo, photo_from_face, warp.mask, SIDE), cv2.COLOR_RGB2GRAY)
        face = np.asarray((gray.astype(np.float32) + gray[:, ::-1]) / 2, np.float32)
        eyes = self._irises.find_lids(photo, by_mesh[0]), self._irises.find(photo, by_mesh[0])[:, :2]
        return Example(face, half_of(by_mesh[0], eyes, photo_from_face))


def half_of(landmarks: NDArray[np.floating], eyes: tuple[Array, Array], photo_from_face: Array) -> Array:
    """Return the even part of the points in the face frame, (25, 2), by the mesh (468, 2), and lids and irises."""
    sides = (landmarks[LANDMARKS], landmarks[MESH_468.mirror[LANDMARKS]])
    left, right = (face_from_photo(photo_from_face, side) for side in sides)
    even = (left + right * [-1, 1]) / 2
    lids, irises = (face_from_photo(photo_from_face, points) for points in eyes)
    eye = np.concatenate([irises[:, None], lids[:, LIDS]], 1)
    half = np.concatenate([(eye[0] + eye[1] * [-1, 1]) / 2, even])
    half[len(SIDED) :, 0] = 0
    return half


def face_from_photo(photo_from_face: Array, points: NDArray[np.floating]) -> Array:
    """Return which points of the face frame points (..., 2) of the photo are, by Newton's method."""
    flat = points.reshape(-1, 2).astype(np.float64)
    found, step = apply(np.linalg.inv(similarity_of_warp(photo_from_face)), flat), 1e-3
    for _ in range(8):
        right, down = (
            (sample_warp(photo_from_face, found + shift) - sample_warp(photo_from_face, found - shift)) / (2 * step)
            for shift in ((step, 0), (0, step))
        )
        off = sample_warp(photo_from_face, found) - flat
        found = found - np.linalg.solve(np.stack([right, down], -1), off[..., None])[..., 0].clip(-0.2, 0.2)
    return found.reshape(points.shape)


def regress(features: NDArray[np.floating], values: Array) -> Regression:
    """Fit values (N, M) to features (N, F), damped."""
    mean, base = features.mean(0), values.mean(0)
    centered = np.asarray(features - mean, np.float64)
    products = centered.T @ centered + DAMPING * features.var() * len(features) * np.eye(features.shape[1])
    weights = np.linalg.solve(products, centered.T @ (values - base))
    return Regression(*(np.asarray(array, np.float32) for array in (mean, weights, base)))


def fit(examples: list[Example]) -> PlaceModel:
    """Fit stage after stage."""
    contrasts = [places.even_contrast(example.face) for example in examples]
    truth = np.stack([example.half for example in examples])
    coarse = regress(np.stack([places.see_coarsely(each) for each in contrasts]), truth.reshape(len(truth), -1))
    found = np.stack([coarse(places.see_coarsely(each)) for each in contrasts]).reshape(truth.shape)
    generator, stages = np.random.default_rng(1), []
    for step in STEPS:
        stages.append(tuple(fit_point(contrasts, found[:, i], truth[:, i], step, generator) for i in range(HALF)))
        for place, contrast in zip(found, contrasts, strict=True):
            place += [each(places.see_patch(contrast, at, step)) for each, at in zip(stages[-1], place, strict=True)]
        found[:, len(SIDED) :, 0] = 0
    return PlaceModel(coarse, tuple(stages))


def fit_point(
    contrasts: list[NDArray[np.float32]], found: Array, truth: Array, step: float, generator: np.random.Generator
) -> Regression:
    """Fit the way from where a point is thought to be to where it is, (N, 2) each, also from places nearby."""
    spread = (truth - found).std(0)
    starts = [found, *(truth + spread * generator.normal(size=truth.shape) for _ in range(DRAWS))]
    patches = [places.see_patch(each, at, step) for start in starts for each, at in zip(contrasts, start, strict=True)]
    return regress(np.stack(patches), np.concatenate([truth - start for start in starts]))


def print_errors(model: PlaceModel, examples: list[Example]) -> None:
    """Print the median errors of each point."""
    found = np.stack([model.find(example.face) for example in examples])
    truth = np.stack([places.unfold(example.half) for example in examples])
    errors = 100 / EYE_DISTANCE_FACE * np.linalg.norm(found - truth, axis=-1)
    half = [*range(len(SIDED)), *range(2 * len(SIDED), truth.shape[1])]
    for name, error in zip((*SIDED, *MIDDLE), np.median(errors, 0)[half], strict=True):
        print(f"{name:18}{error:6.2f}")


def main() -> None:
    """Label, fit, and write the model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--limit", type=int, default=4000, help="photos")
    options = parser.parse_args()
    teachers = Teachers()
    paths = [photo.path for photo in choose_photos(survey(options.photos), "train", options.limit)]
    labeled = [example for example in (teachers.label(read_photo(path)) for path in paths) if example is not None]
    held_out = labeled[::10]
    model = fit([example for number, example in enumerate(labeled) if number % 10])
    print(
        f"{len(labeled)} of {len(paths)} photos labeled, {len(held_out)} held out; median errors, % of the eye distance"
    )
    print_errors(places.unpack(places.read_arrays(places.pack(model))), held_out)
    options.out.write_bytes(places.pack(model))


if __name__ == "__main__":
    main()
