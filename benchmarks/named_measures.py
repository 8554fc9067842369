"""How near named measures come to those of landmarks placed by hand: of symface, dlib and MediaPipe's mesh.

    python benchmarks/named_measures.py london/neutral [--limit N]

All are computed by the same formulas (`measurement.measures`) from points of the same names, in per cent of the
distance between the pupils, or degrees. The landmarks placed by hand are those of a `.csv` beside each photo, 189 of
the Face Research Lab's template. Per measure and method: correlation and slope of the difference of the sides (of a
measure of the whole face: of its value) over that of the landmarks, and for either side the correlation and the mean
and deviation of the error. The turn of the head is left in, as it is in the landmarks, but for "symface, turn out".
"""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from symface_cli.data.datasets import choose_photos, survey
from symface_cli.detection.detector import Detection, detect
from symface_cli.geometry.types import Array, Photo
from symface_cli.imaging.photo import read_photo
from symface_cli.inference.symmetrizer import Symmetrizer
from symface_cli.landmarks.dlib import DlibLandmarks
from symface_cli.landmarks.iris import MediaPipeIrises
from symface_cli.landmarks.mediapipe import MediaPipeLandmarks
from symface_cli.measurement.asymmetry import measure_asymmetry
from symface_cli.measurement.measures import MEASURES, SideValues, measure_points

Values = Mapping[str, SideValues]
Find = Callable[[Photo, Detection], Values | None]

HAND = (
    *(0, 22, 18, 19, 20, 21, 28, 29, 30, 71, 72, 73, 74, 75, 63, 87, 88, 89, 104, 105),
    *(1, 23, 27, 26, 25, 24, 33, 32, 31, 82, 81, 80, 79, 78, 68, 93, 92, 91, 108, 107),
    *(54, 55, 90, 106, 129),
)
"""The points of `measurement.points.scheme` in the template of 189; the nose's tip is between 54 and 60."""
IBUG = (
    *(36, 39, 36, 37, 37, 38, 41, 41, 40, 17, 18, 19, 20, 21, 31, 48, 49, 50, 59, 58),
    *(42, 42, 45, 44, 44, 43, 46, 46, 47, 26, 25, 24, 23, 22, 35, 54, 53, 52, 55, 56),
    *(30, 33, 51, 57, 8),
)
"""The same in the 68 landmarks; pupils and the middles of the lids are means."""
MESH = (
    *(33, 133, 33, 160, 159, 158, 144, 145, 153, 70, 63, 105, 66, 107, 98, 61, 40, 37, 91, 84),
    *(263, 362, 263, 387, 386, 385, 373, 374, 380, 300, 293, 334, 296, 336, 327, 291, 270, 267, 321, 314),
    *(1, 2, 0, 17, 152),
)
"""The same in the mesh of 468; pupils are irises."""


def by_hand(landmarks: Array) -> Array:
    """Return the points (45, 2) of landmarks (189, 2)."""
    points = landmarks[list(HAND)]
    points[40] = (landmarks[54] + landmarks[60]) / 2
    return points


def by_ibug(landmarks: NDArray[np.floating]) -> Array:
    """Return the points (45, 2) of 68 landmarks."""
    points = landmarks[list(IBUG)].astype(np.float64)
    points[0], points[20] = landmarks[36:42].mean(0), landmarks[42:48].mean(0)
    for upper, lower in ((4, 7), (24, 27)):
        points[upper], points[lower] = (points[[at - 1, at + 1]].mean(0) for at in (upper, lower))
    return points


def by_mesh(landmarks: NDArray[np.floating], irises: Array) -> Array:
    """Return the points (45, 2) of the mesh (468, 2) and irises (2, 3)."""
    points = landmarks[list(MESH)].astype(np.float64)
    points[[0, 20]] = irises[:, :2]
    return points


def methods() -> Mapping[str, Find]:
    """Return what measures a face."""
    symmetrizer, dlib = Symmetrizer(device="cpu"), DlibLandmarks()
    mesh, irises = MediaPipeLandmarks(), MediaPipeIrises()

    def by_symface(photo: Photo, found: Detection, raw: bool) -> Values:
        (measured,) = measure_asymmetry(symmetrizer, photo, [found], raw)
        return {name: named.values for name, named in measured.named.items()}

    def by_dlib(photo: Photo, found: Detection) -> Values | None:
        landmarks = dlib.find_nearest(photo, found.center)
        return None if landmarks is None else measure_points(by_ibug(landmarks))

    def by_mediapipe(photo: Photo, found: Detection) -> Values | None:
        landmarks = mesh.find_nearest(photo, found.center)
        return None if landmarks is None else measure_points(by_mesh(landmarks, irises.find(photo, landmarks)))

    return {
        "symface": lambda photo, found: by_symface(photo, found, raw=True),
        "symface, turn out": lambda photo, found: by_symface(photo, found, raw=False),
        "dlib": by_dlib,
        "mesh": by_mediapipe,
    }


def print_table(truth: list[Values], measured: Mapping[str, list[Values]]) -> None:
    """Print correlation / slope of the differences, and correlation, bias and deviation of the sides."""
    print(f"{len(truth)} faces\n{'':22}" + "".join(f"{name:>22}" for name in measured))
    for measure in MEASURES:
        cells = []
        for values in measured.values():
            true, found = (np.array([each[measure.name].diff for each in faces]) for faces in (truth, values))
            cells.append(f"{np.corrcoef(true, found)[0, 1]:.2f} / {(true * found).sum() / (true**2).sum():.2f}")
        print(f"{measure.name:22}" + "".join(f"{cell:>22}" for cell in cells))
    print("either side: correlation, mean and deviation of the error")
    for measure in MEASURES:
        if not measure.is_sided:
            continue
        cells = []
        for values in measured.values():
            true, found = (np.array([each[measure.name][:2] for each in faces]).ravel() for faces in (truth, values))
            factor = 100 if measure.dimension == "length" else 1
            errors = factor * (found - true)
            cells.append(f"{np.corrcoef(true, found)[0, 1]:.2f} {errors.mean():6.1f} {errors.std():5.1f}")
        print(f"{measure.name:22}" + "".join(f"{cell:>22}" for cell in cells))


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--limit", type=int, default=102, help="photos")
    options = parser.parse_args()
    found, truth = methods(), []
    measured: dict[str, list[Values]] = {name: [] for name in found}
    for photo in choose_photos(survey(options.photos), "all", options.limit):
        pixels = read_photo(photo.path)
        faces = detect(pixels)[:1]
        values = {name: find(pixels, faces[0]) if faces else None for name, find in found.items()}
        if all(each is not None for each in values.values()):
            landmarks = np.loadtxt(photo.path.with_suffix(".csv"), delimiter=",", skiprows=1)
            truth.append(measure_points(by_hand(landmarks)))
            for name, each in values.items():
                measured[name].append(each or {})
    print_table(truth, measured)


if __name__ == "__main__":
    main()
