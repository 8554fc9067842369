"""How well `symface measure` follows a known asymmetry.

    python benchmarks/calibration.py PHOTOS [--split validation] [--limit N] [--levels K]
    python benchmarks/calibration.py london/neutral --landmarks

The first makes faces symmetric, gives them a known asymmetry (areas and everything else moved at random, light from one
side, a redder cheek), turns them a little, adds noise, and measures those that are found where they are. The second
measures photos as they are and compares with landmarks placed by hand, from a `.csv` beside each photo and
`mirror_index.csv` in the folder above; as these, they have the turn of the head in them.
Per number: correlation and slope of the measured value over the true one, the root mean square of the true values and
of the measured ones' errors, and the mean error bar.
"""

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.data.datasets import choose_photos, survey
from symface_cli.detection.detector import detect
from symface_cli.geometry.frames import EYE_DISTANCE_FACE, apply, fit_similarity
from symface_cli.geometry.types import Array, Photo
from symface_cli.geometry.warps import control_points
from symface_cli.imaging.photo import read_photo
from symface_cli.inference.symmetrizer import Symmetrizer
from symface_cli.measurement.asymmetry import Asymmetry, Estimate, measure_asymmetry, summarize
from symface_cli.measurement.points.scheme import COUNT
from symface_cli.measurement.quantities import MEASURES, Area, MeasureKey, Quantity
from symface_cli.measurement.reading import AREAS, FACE_SIDE, Reading, color_difference, displacement_of

LARGEST_FACE = 320  # px, side of the symmetric faces that are warped
MARGIN = 0.35  # of that, around them
FIELD = 33  # points along each side of a known displacement field
PLACES: Mapping[str, tuple[tuple[float, float], tuple[float, float]]] = {
    "brows": ((-0.30, -0.29), (0.16, 0.07)),
    "eyes": ((-0.265, -0.12), (0.11, 0.06)),
    "nose": ((0.0, 0.16), (0.10, 0.13)),
    "mouth": ((-0.20, 0.45), (0.11, 0.09)),
    "jaw": ((-0.42, 0.55), (0.14, 0.20)),
}
"""Centers and widths (deviations) of what is moved on one side, in normalized face coordinates."""
OFF = 0.25  # of the face's side: a face that is found farther from where it is was not found
LARGEST_LEVEL = 1.5
AREA_MOVE = 0.03  # eye distances, deviation of an area's displacement at level 1
SMOOTH_MOVE = 0.008  # eye distances, deviation of the displacements of a 6 x 6 grid over the whole face at level 1
LIGHT = 0.08  # deviation of the light's change from one side to the other
REDNESS = 12.0  # gray levels, deviation
TILT = 4.0  # degrees, deviation
NOISE = 3.0  # gray levels, deviation

Pair = tuple[Mapping[MeasureKey, float], Mapping[MeasureKey, Estimate]]
"""True and measured values."""


def bump(points: Array, center: tuple[float, float], width: tuple[float, float]) -> Array:
    """Return exp(-d^2 / 2) at points (..., 2)."""
    distances: Array = (((points - center) / width) ** 2).sum(-1)
    return np.exp(-distances / 2)


def random_field(level: float, generator: np.random.Generator) -> Array:
    """Draw a displacement (33, 33, 2) in normalized face coordinates, 0 at the frame's edge."""
    points = control_points(FIELD)
    field = np.zeros_like(points)
    for name, (center, width) in PLACES.items():
        move = AREA_MOVE * level * generator.normal(size=2) * (1, 0.3 if name == "nose" else 1)
        field += bump(points, center, width)[..., None] * move
    for center in 0.9 * control_points(6).reshape(-1, 2):
        move = SMOOTH_MOVE * level * generator.normal(size=2)
        field += bump(points, tuple(center), (0.3, 0.3))[..., None] * move
    fading = ((1 - np.abs(points).max(-1)) / 0.2).clip(0, 1)[..., None]
    return EYE_DISTANCE_FACE * field * fading


def random_colors(face: Photo, level: float, generator: np.random.Generator) -> Photo:
    """Make the face (S, S, 3) lighter on one side, and one of its cheeks redder."""
    points = control_points(len(face))
    lit = face * (1 + LIGHT * level * generator.normal() * np.tanh(1.5 * points[..., :1]))
    cheek = bump(points, (-0.33, 0.25), (0.12, 0.12))[..., None]
    lit += cheek * REDNESS * level * generator.normal() * np.array([1.0, -0.5, -0.5])
    return lit.round().clip(0, 255).astype(np.uint8)


def photograph(face: Photo, field: Array, degrees: float, noise: Array) -> tuple[Photo, Array]:
    """Make a photo of the face (S, S, 3), moved by the field and turned clockwise, and its true warp (17, 17, 2).

    `noise` is added, (N, N, 3) for a photo of that size, see `photo_side`.
    """
    canvas = surround(face)
    middle, half = (len(canvas) - 1) / 2, (len(face) - 1) / 2
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.array([[c, -s], [s, c]])
    ticks = (np.arange(len(canvas)) - middle) / half
    seen = np.stack(np.meshgrid(ticks, ticks), -1) @ turn  # face coordinates of the photo's pixels, turned back
    source = seen
    for _ in range(8):  # the inverse of p -> p + field(p)
        source = seen - sample(field, source)
    at = (middle + half * source).astype(np.float32)
    moved = cv2.remap(canvas, at[..., 0], at[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    photo = (moved + noise).round().clip(0, 255).astype(np.uint8)
    step = (FIELD - 1) // 16
    return photo, (control_points() + field[::step, ::step]) @ turn.T * half + middle


def photo_side(face: Photo) -> int:
    """Return the side in pixels of a face's photo."""
    return len(face) + 2 * int(MARGIN * len(face))


def surround(face: Photo) -> NDArray[np.float32]:
    """Put a blurred continuation around the face."""
    margin, size = int(MARGIN * len(face)), len(face)
    wide = cv2.copyMakeBorder(face, *[margin] * 4, cv2.BORDER_REPLICATE).astype(np.float32)
    inside = np.zeros(wide.shape[:2], np.float32)
    inside[margin + size // 20 : margin - size // 20 + size, margin + size // 20 : margin - size // 20 + size] = 1
    inside = cv2.GaussianBlur(inside, (0, 0), size / 40)[..., None]
    blurred = cv2.GaussianBlur(wide, (0, 0), size / 20)
    return blurred + inside * (wide - blurred)


def sample(field: Array, points: Array) -> Array:
    """Sample a field (33, 33, 2) at points (..., 2); 0 outside of the frame."""
    at = ((points + 1) / 2 * (FIELD - 1)).astype(np.float32)
    return cv2.remap(field.astype(np.float32), at[..., 0], at[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT)


def known(paths: list[Path], levels: int) -> Iterator[Pair]:
    """Yield pairs of symmetric faces to which a known asymmetry was given, at levels from 0 to LARGEST_LEVEL."""
    symmetrizer, generator = Symmetrizer(device="cpu"), np.random.default_rng(7)
    for path in paths:
        photo = read_photo(path)
        found = detect(photo)[:1]
        if not found:
            continue
        face = symmetrizer.symmetrize(photo, found)[0].image
        if len(face) > LARGEST_FACE:
            face = cv2.resize(face, (LARGEST_FACE, LARGEST_FACE), interpolation=cv2.INTER_AREA)
        for level in np.linspace(0, LARGEST_LEVEL, levels):
            yield from known_pair(symmetrizer, face, level, generator)


def known_pair(symmetrizer: Symmetrizer, face: Photo, level: float, generator: np.random.Generator) -> Iterator[Pair]:
    """Yield the pair of a symmetric face; none if it is not found again."""
    side = photo_side(face)
    colored = random_colors(face, level, generator)
    noise = NOISE * generator.normal(size=(side, side, 3))
    degrees = TILT * generator.normal()
    photo, photo_from_face = photograph(colored, random_field(level, generator), degrees, noise)
    found = [each for each in detect(photo)[:1] if np.abs(each.center - side / 2).max() < OFF * len(face)]
    for measured in measure_asymmetry(symmetrizer, photo, found):
        color = color_difference(cv2.resize(colored, (FACE_SIDE, FACE_SIDE), interpolation=cv2.INTER_CUBIC))
        displacement, points = displacement_of(photo_from_face), np.zeros((COUNT, 2))
        reading = Reading(
            displacement=displacement,
            color=color,
            tilt=degrees,
            yaw=0.0,
            removed=np.zeros_like(displacement),
            turn=0.0,
            points=points,
            turned=points,
        )
        truth = summarize(reading, measured.mask)
        del truth[MeasureKey(Quantity.YAW)], truth[MeasureKey(Quantity.TURN)]
        yield truth, measured.values


def placed_by_hand(paths: list[Path]) -> Iterator[Pair]:
    """Yield pairs of photos with landmarks: mean displacements of the landmarks in each area."""
    symmetrizer = Symmetrizer(device="cpu")
    mirror = np.loadtxt(paths[0].parents[1] / "mirror_index.csv", int, delimiter=",", skiprows=1)[:, 1]
    for path in paths:
        photo = read_photo(path)
        landmarks = np.loadtxt(path.with_suffix(".csv"), delimiter=",", skiprows=1)
        for measured in measure_asymmetry(symmetrizer, photo, detect(photo)[:1], raw=True):
            yield landmark_values(landmarks, mirror, measured), measured.values


def landmark_values(landmarks: Array, mirror: NDArray[np.int_], measured: Asymmetry) -> dict[MeasureKey, float]:
    """Return values of `MEASURES` from landmarks (N, 2), which are leveled by themselves.

    Not that of the jaw in its own direction: there is nothing along a jaw that a person could mark.
    """
    level = apply(np.linalg.inv(measured.photo_from_level), landmarks)
    in_face = (np.abs(level[:, 1] - 0.2) < 0.8) & (np.abs(level[mirror, 1] - 0.2) < 0.8)  # neither hair nor neck
    shape = (level + level[mirror] * [-1, 1]) / 2
    level = apply(np.linalg.inv(fit_similarity(shape, level, in_face)), level)
    moves = 100 / EYE_DISTANCE_FACE * (level - level[mirror] * [-1, 1])
    values = {}
    for area, corners in AREAS.items():
        polygon = np.array(corners, np.float32)
        near = np.array([cv2.pointPolygonTest(polygon, tuple(map(float, p)), True) > -0.02 for p in shape])
        values[MeasureKey(Quantity.OUTWARD, area)] = float(-moves[near, 0].mean())
        values[MeasureKey(Quantity.LOWER, area)] = float(moves[near, 1].mean())
    del values[MeasureKey(Quantity.LOWER, Area.JAW)]
    return values


def print_table(pairs: list[Pair], made: int) -> None:
    """Print one line per number that has a true value."""
    print(f"{len(pairs)} of {made} faces; the others are not found where they are")
    print(" " * 20 + "".join(f"{title:>8}" for title in ("corr.", "slope", "true", "error", "bar")))
    for key in MEASURES:
        rows = [(truth[key], *measured[key]) for truth, measured in pairs if key in truth]
        if len(rows) < 3:
            continue
        true, value, bar = np.array(rows).T
        slope = (true * value).sum() / (true**2).sum()
        errors = np.sqrt(((value - true) ** 2).mean())
        numbers = (np.corrcoef(true, value)[0, 1], slope, np.sqrt((true**2).mean()), errors, bar.mean())
        print(f"{key.name:20}" + "".join(f"{number:8.2f}" for number in numbers))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--split", default="validation", help="whose photos: train, validation, test or all")
    parser.add_argument("--limit", type=int, default=30, help="photos")
    parser.add_argument("--levels", type=int, default=4, help="asymmetries per photo")
    parser.add_argument("--landmarks", action="store_true", help="compare with landmarks instead")
    options = parser.parse_args()
    split = "all" if options.landmarks else options.split
    paths = [photo.path for photo in choose_photos(survey(options.photos), split, options.limit)]
    pairs = placed_by_hand(paths) if options.landmarks else known(paths, options.levels)
    print_table(list(pairs), len(paths) * (1 if options.landmarks else options.levels))


if __name__ == "__main__":
    main()
