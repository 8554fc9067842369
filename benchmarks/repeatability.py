"""How well `symface measure` repeats what it measures, when the photo changes but the face does not.

    python benchmarks/repeatability.py PHOTOS ict_facekit.npz [--limit N]
    python benchmarks/repeatability.py LFW --spread [--split validation] [--limit N]

The first changes photos of people who look into the camera: other crops, JPEG at several qualities, sizes, light from
either side, and turns of the head by known angles, through the depth of a 3D head as in turned.py. Per named measure
(difference of the sides, or value) and kind of change: ICC(A,1), the intraclass correlation for absolute agreement of
single measurements (McGraw & Wong 1996), the standard error of measurement, which is the square root of all variance
within a person, and the smallest detectable change, 1.96 sqrt(2) times that. A photo in which no face is found once is
left out of its kind, and counted.

The second compares the spread of measures among heads that are turned by 5 to 20 degrees with that among those turned
by less, with the turn taken out and left in.
"""

import argparse
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from calibration import FIELD, sample
from head_shapes import HeadShapes
from numpy.typing import NDArray
from PIL import Image
from turned import turn_field

from symface_cli.data.datasets import choose_photos, survey
from symface_cli.detection.detector import detect
from symface_cli.geometry.frames import apply
from symface_cli.geometry.types import Array, Photo
from symface_cli.imaging.photo import read_photo
from symface_cli.inference.symmetrizer import Symmetrizer
from symface_cli.measurement.asymmetry import Asymmetry, measure_asymmetry
from symface_cli.measurement.measures import MEASURES
from symface_cli.measurement.points.scheme import mirror_points
from symface_cli.measurement.quantities import MeasureKey, Quantity

CROPS = ((0.0, 0.0), (0.06, 0.0), (0.0, 0.06), (0.06, 0.06))  # cut off left and top, in sides of the photo
QUALITIES = (30, 50, 70, 90)
SIDES = (100, 150, 200, 300, 450, 675, 1000)  # px, of the whole photo
LIGHTS = (-0.3, -0.15, 0.0, 0.15, 0.3)  # by how much the viewer's right side is lighter, and the left one darker
ANGLES = (0.0, 5.0, -5.0, 10.0, -10.0, 15.0, -15.0)  # degrees

KINDS = ("crop", "JPEG", "size", "light", "turn")

Change = Callable[[Photo, Array], Photo]
"""Changes a photo whose level frame is known."""


def crop(photo: Photo, left: float, top: float) -> Photo:
    """Cut off a part of a photo, and as much on the other side of what is not."""
    height, width = photo.shape[:2]
    x, y = round(left * width), round(top * height)
    return np.ascontiguousarray(photo[y : height - round(0.03 * height), x : width - round(0.03 * width)])


def compress(photo: Photo, quality: int) -> Photo:
    """Return a photo as JPEG keeps it."""
    stream = io.BytesIO()
    Image.fromarray(photo).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream).convert("RGB"))


def resize(photo: Photo, side: int) -> Photo:
    """Return a photo whose longer side has so many pixels."""
    scale = side / max(photo.shape)
    kernel = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    resized: Photo = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=kernel)
    return resized


def light(photo: Photo, photo_from_level: Array, amount: float) -> Photo:
    """Light a photo from one side of the face."""
    level = apply(np.linalg.inv(photo_from_level), _pixels(photo))
    lit = photo * (1 + amount * np.tanh(1.5 * level[..., :1]))
    return np.asarray(lit.round().clip(0, 255), np.uint8)


def turn(photo: Photo, photo_from_level: Array, depth: Array, degrees: float) -> Photo:
    """Turn the head in a photo, its nose to the viewer's right."""
    field = turn_field(np.zeros((FIELD, FIELD, 2)), depth, degrees)
    seen = apply(np.linalg.inv(photo_from_level), _pixels(photo))
    source = seen
    for _ in range(8):  # the inverse of u -> u + field(u)
        source = seen - sample(field, source)
    at = apply(photo_from_level, source).astype(np.float32)
    turned: Photo = cv2.remap(photo, at[..., 0], at[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return turned


def _pixels(photo: Photo) -> Array:
    height, width = photo.shape[:2]
    return np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).astype(np.float64)


def changes(depth: Array) -> Mapping[str, Sequence[Change]]:
    """Return the changes of each of KINDS."""
    return {
        "crop": [lambda photo, _, at=at: crop(photo, *at) for at in CROPS],
        "JPEG": [lambda photo, _, quality=quality: compress(photo, quality) for quality in QUALITIES],
        "size": [lambda photo, _, side=side: resize(photo, side) for side in SIDES],
        "light": [lambda photo, level, amount=amount: light(photo, level, amount) for amount in LIGHTS],
        "turn": [lambda photo, level, angle=angle: turn(photo, level, depth, angle) for angle in ANGLES],
    }


def values_of(measured: Asymmetry) -> list[float]:
    """Return the differences of the sides, or the values, of all named measures, in per cent or degrees."""
    return [
        (100.0 if measure.dimension == "length" else 1.0) * measured.named[measure.name].values.diff
        for measure in MEASURES
    ]


def agreement(values: NDArray[np.floating]) -> tuple[float, float, float]:
    """Return ICC(A,1), standard error of measurement and smallest detectable change of values (people, changes)."""
    people, times = values.shape
    mean, by_person, by_time = values.mean(), values.mean(1), values.mean(0)
    rows = times * ((by_person - mean) ** 2).sum() / (people - 1)
    columns = people * ((by_time - mean) ** 2).sum() / (times - 1)
    rest = ((values - by_person[:, None] - by_time + mean) ** 2).sum() / ((people - 1) * (times - 1))
    icc = (rows - rest) / (rows + (times - 1) * rest + times / people * (columns - rest))
    error = float(np.sqrt(rest + max(columns - rest, 0) / people))
    return float(icc), error, float(1.96 * np.sqrt(2) * error)


def print_agreement(paths: Sequence[Path], heads: HeadShapes) -> None:
    """Print ICC(A,1) / standard error / smallest detectable change for each measure and kind of change."""
    symmetrizer = Symmetrizer(device="cpu")
    found: dict[str, list[list[list[float]]]] = {kind: [] for kind in KINDS}
    missed = dict.fromkeys(KINDS, 0)
    for path in paths:
        photo = read_photo(path)
        (measured,) = measure_asymmetry(symmetrizer, photo, detect(photo)[:1])
        level = apply(np.linalg.inv(measured.photo_from_level), measured.points)
        depth = heads.depth_of((level + mirror_points(level)) / 2)
        for kind, each in changes(depth).items():
            photos = [change(photo, measured.photo_from_level) for change in each]
            faces = [measure_asymmetry(symmetrizer, changed, detect(changed)[:1]) for changed in photos]
            if all(faces):
                found[kind].append([values_of(face[0]) for face in faces])
            missed[kind] += not all(faces)
    print(f"{len(paths)} people; not found: {missed}\n{'':22}" + "".join(f"{kind:>22}" for kind in KINDS))
    for number, measure in enumerate(MEASURES):
        cells = ("{:.2f} / {:.2f} / {:.2f}".format(*agreement(np.array(found[kind])[..., number])) for kind in KINDS)
        print(f"{measure.name:22}" + "".join(f"{cell:>22}" for cell in cells))


def print_spread(paths: Sequence[Path]) -> None:
    """Print the spread among heads that are turned over that among those that are not, turn taken out / left in."""
    symmetrizer = Symmetrizer(device="cpu")
    yaws, treated, raw = [], [], []
    for path in paths:
        photo = read_photo(path)
        found = detect(photo)[:1]
        for ours, left in zip(
            *(measure_asymmetry(symmetrizer, photo, found, each) for each in (False, True)), strict=True
        ):
            yaws.append(abs(ours.values[MeasureKey(Quantity.YAW)].value))
            treated.append(values_of(ours))
            raw.append(values_of(left))
    yaw = np.array(yaws)
    few, many = yaw < 5, (yaw >= 5) & (yaw <= 20)
    print(f"{few.sum()} faces under 5 degrees, {many.sum()} from 5 to 20: deviations under 5, from 5 on, their ratio")
    for number, measure in enumerate(MEASURES):
        cells = []
        for values in (np.array(treated)[:, number], np.array(raw)[:, number]):
            spreads = values[few].std(), values[many].std()
            cells.append(f"{spreads[0]:.2f} {spreads[1]:.2f} {spreads[1] / spreads[0]:.2f}")
        print(f"{measure.name:22}" + "".join(f"{cell:>22}" for cell in cells))


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("shape", type=Path, nargs="?", help="ict_facekit.npz")
    parser.add_argument("--split", default="all", help="whose photos: train, validation, test or all")
    parser.add_argument("--limit", type=int, default=30, help="photos")
    parser.add_argument("--spread", action="store_true", help="compare the spread of turned heads instead")
    options = parser.parse_args()
    paths = [photo.path for photo in choose_photos(survey(options.photos), options.split, options.limit)]
    if options.spread:
        print_spread(paths)
    else:
        print_agreement(paths, HeadShapes(options.shape))


if __name__ == "__main__":
    main()
