"""How well `symface measure` follows a known asymmetry of a head that is turned.

    python benchmarks/turned.py PHOTOS [ict_facekit.npz] [--split validation] [--limit N] [--raw]

As in calibration.py, faces are made symmetric and given a known asymmetry; then they are turned by known angles, each
point by its depth in a 3D head whose shape, expression and nod are fitted to the face (head_shapes.py). Most of what
symface takes out was learned from other people's faces, turned by heads of the same model: people's own photos
(repeatability.py --spread) are the other half of the proof. Without it, faces are turned by the network's field itself:
then what is off is not the depth. Named measures and areas: slope, and root mean square of the error, of the faces that
are not turned and of those turned by either angle, to either side. What should be measured is that of the face before
it is turned.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np
from calibration import (
    FIELD,
    LARGEST_FACE,
    NOISE,
    TILT,
    photo_side,
    photograph,
    random_colors,
    random_field,
    sample,
)
from head_shapes import HeadShapes

from symface_cli.data.datasets import choose_photos, survey
from symface_cli.detection.detector import detect
from symface_cli.geometry.frames import CROP_SIZE
from symface_cli.geometry.sampling import enlarge
from symface_cli.geometry.types import Array, Photo
from symface_cli.geometry.warps import control_points
from symface_cli.imaging.photo import read_photo
from symface_cli.inference.symmetrizer import Symmetrizer
from symface_cli.measurement.asymmetry import measure_asymmetry, summarize
from symface_cli.measurement.measures import MEASURES, measure_points
from symface_cli.measurement.points.places import load_places
from symface_cli.measurement.quantities import Area, MeasureKey, Quantity
from symface_cli.measurement.reading import FACE_SIDE, NARROWING, Reading, displacement_of, mean_of_sides

ANGLES = (0.0, 5.0, -5.0, 10.0, -10.0, 15.0, -15.0)  # degrees
LEVEL = 1.0  # of asymmetry, as in calibration.py
DISTANCE = 10.0  # half sides of the face frame, of the camera: 1.2 m, where the eyes' centers are 63 mm apart
FADING = (0.2, 0.08)  # normalized, from the frame's edge, over which a turn comes to move nothing: across and down
AREAS = tuple(
    MeasureKey(quantity, area)
    for area in Area
    if area is not Area.WHOLE
    for quantity in (Quantity.OUTWARD, Quantity.LOWER)
)
Truth = Mapping[str, float]
Turned = Callable[[Array, float], Array]
"""Turns the points that a field (33, 33, 2) has moved by so many degrees."""


def turn_field(field: Array, depth: Array, degrees: float) -> Array:
    """Return the displacement (33, 33, 2) of points that are moved by a field and then turned, nose to the right.

    A camera sees them from DISTANCE: what comes nearer by the turn becomes larger. All of a face is turned; around it,
    the picture stays: beside it, it would fold over if it did so at once, but not below the chin.
    """
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    points = control_points(FIELD)
    fading = ((1 - np.abs(points)) / FADING).clip(0, 1).prod(-1, keepdims=True)
    x, y = np.moveaxis(points + field, -1, 0)
    larger = DISTANCE / (DISTANCE - ((c - 1) * depth - s * x))
    seen = np.stack([(c * x + s * depth) * larger, y * larger], -1)
    return np.asarray(field + fading * (seen - points - field))


def turn_by(field: Array, turning: Array, degrees: float) -> Array:
    """Return the same of points that are then turned by symface's own field, (33, 33, 2), and as much narrower."""
    sine, points = np.sin(np.radians(degrees)), control_points(FIELD) + field
    narrower = (np.sqrt(1 - (NARROWING * sine) ** 2) - 1) * points * [1, 0]
    fading = ((1 - np.abs(control_points(FIELD))) / FADING).clip(0, 1).prod(-1, keepdims=True)
    return np.asarray(field + sine * sample(turning, points) + fading * narrower, np.float64)


def find_places(face: Photo) -> Array:
    """Return where the points (45, 2) of a symmetric face (S, S, 3) lie in its frame."""
    large = cv2.resize(face, (FACE_SIDE, FACE_SIDE), interpolation=cv2.INTER_CUBIC)
    return load_places().find(mean_of_sides(large))


def truth_of(face: Photo, field: Array, mask: Array) -> Truth:
    """Return what should be measured of a symmetric face (S, S, 3) that is moved by a field (33, 33, 2)."""
    places = find_places(face)
    points = places + sample(field, places[None])[0]
    step = (FIELD - 1) // 16
    displacement = displacement_of(control_points() + field[::step, ::step])
    none = np.zeros((FACE_SIDE, FACE_SIDE, 3))
    reading = Reading(
        displacement=displacement,
        color=none,
        tilt=0.0,
        yaw=0.0,
        removed=0 * displacement,
        turn=0.0,
        points=points,
        turned=0 * points,
    )
    areas = summarize(reading, mask)
    factor = {measure.name: 100.0 if measure.dimension == "length" else 1.0 for measure in MEASURES}
    named = {name: factor[name] * values.diff for name, values in measure_points(points).items()}
    return {**{key.name: areas[key] for key in AREAS}, **named}


def choose_turns(shapes: Path | None, symmetrizer: Symmetrizer) -> Callable[[Photo], Turned]:
    """Return how a symmetric face (S, S, 3) is turned: by the depth of a head like it, or by symface's own field."""
    if shapes is None:
        located = symmetrizer.engine.locate(np.zeros((CROP_SIZE, CROP_SIZE, 3), np.uint8))
        if located is None:
            raise SystemExit("these weights know no field")
        own = np.stack([enlarge(located.pose_field[..., axis], FIELD) for axis in range(2)], -1)
        return lambda _: lambda field, degrees: turn_by(field, own, degrees)
    heads = HeadShapes(shapes)

    def turned_like(face: Photo) -> Turned:
        depth = heads.depth_of(find_places(face))
        return lambda field, degrees: turn_field(field, depth, degrees)

    return turned_like


def measure_turned(
    symmetrizer: Symmetrizer, face: Photo, turned: Turned, generator: np.random.Generator, raw: bool
) -> Iterator[tuple[float, Truth, Truth]]:
    """Yield each angle, what should be measured and what is, of a symmetric face (S, S, 3)."""
    field, colored = random_field(LEVEL, generator), random_colors(face, LEVEL, generator)
    side, tilt = photo_side(face), TILT * generator.normal()
    for angle in ANGLES:
        noise = NOISE * generator.normal(size=(side, side, 3))
        photo, _ = photograph(colored, turned(field, angle), tilt, noise)
        for measured in measure_asymmetry(symmetrizer, photo, detect(photo)[:1], raw):
            found = {key.name: measured.values[key].value for key in AREAS}
            for measure in MEASURES:
                factor = 100.0 if measure.dimension == "length" else 1.0
                found[measure.name] = factor * measured.named[measure.name].values.diff
            found["yaw_deg"] = measured.values[MeasureKey(Quantity.YAW)].value
            yield angle, {**truth_of(face, field, measured.mask), "yaw_deg": angle}, found


def print_table(pairs: Mapping[float, list[tuple[Truth, Truth]]]) -> None:
    """Print slope / error for each angle, and how many times the error is that of faces that are not turned."""
    angles = sorted(pairs)
    print(f"{len(pairs[0.0])} faces\n{'':22}" + "".join(f"{angle:14.0f}" for angle in angles) + "   largest share")
    for name in pairs[0.0][0][0]:
        cells, errors = [], []
        for angle in angles:
            true, found = (np.array([each[i][name] for each in pairs[angle]]) for i in range(2))
            errors.append(float(np.sqrt(((found - true) ** 2).mean())))
            slope = float((true * found).sum() / max((true**2).sum(), 1e-9))
            cells.append(f"{slope:.2f} / {errors[-1]:.2f}")
        share = max(errors) / errors[0] if errors[0] else 0
        print(f"{name:22}" + "".join(f"{cell:>14}" for cell in cells) + f"{share:10.2f}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("shape", type=Path, nargs="?", help="ict_facekit.npz")
    parser.add_argument("--split", default="validation", help="whose photos: train, validation, test or all")
    parser.add_argument("--limit", type=int, default=30, help="photos")
    parser.add_argument("--raw", action="store_true", help="leave the turn in")
    options = parser.parse_args()
    symmetrizer, generator = Symmetrizer(device="cpu"), np.random.default_rng(7)
    turned_like, pairs = choose_turns(options.shape, symmetrizer), defaultdict(list)
    for path in (photo.path for photo in choose_photos(survey(options.photos), options.split, options.limit)):
        photo = read_photo(path)
        for face in symmetrizer.symmetrize(photo, detect(photo)[:1]):
            side = min(len(face.image), LARGEST_FACE)
            image = cv2.resize(face.image, (side, side), interpolation=cv2.INTER_AREA)
            for angle, truth, found in measure_turned(symmetrizer, image, turned_like(image), generator, options.raw):
                pairs[abs(angle)].append((truth, found))
    print_table(pairs)


if __name__ == "__main__":
    main()
