"""One look at a face in a frame: what a photo is measured by, without its repetitions through moved and mirrored crops.

Seen so, the differences between the sides are off by what a crop changes (docs/video.md); that a film has many frames
makes up for it, and what is the same in all of them is not in the change from rest.
"""

import numpy as np

from symface_cli.films.measuring.records import NUMBERS, PLACES, columns_of
from symface_cli.geometry.frames import apply
from symface_cli.geometry.sampling import resample
from symface_cli.geometry.types import Array, Floats, Photo
from symface_cli.inference.face import FaceWarp
from symface_cli.measurement.asymmetry import Estimate, level_of, summarize
from symface_cli.measurement.measures import MEASURES, measure_points, pupil_distance
from symface_cli.measurement.photo import name_values
from symface_cli.measurement.points.scheme import Sides
from symface_cli.measurement.reading import FACE_SIDE, Reading, take_reading

VIEW_SIDE = round(1.6 * FACE_SIDE)  # px, of what is cut out of a large frame: more than a reading looks at
AROUND = 1.3  # side of that in sides of the warp


def look_at(photo: Photo, warped: FaceWarp, raw: bool, sides: Sides) -> tuple[Floats, Floats]:
    """Measure a face of a frame (H, W, 3) once.

    Args:
        photo: The frame.
        warped: Where the face lies.
        raw: Whether the turn of the head stays in.
        sides: Whose left and right.

    Returns:
        All of NUMBERS, lengths in per cent of the distance between the pupils; and where the points are seen, (45, 2)
        in pixels of the frame.
    """
    view, view_from_photo = _cut_out(photo, warped.photo_from_face)
    photo_from_level = level_of(warped)
    reading = take_reading(view, warped.moved(view_from_photo), view_from_photo @ photo_from_level, raw)
    pixels = float(np.linalg.norm(photo_from_level[:2, 0]))
    numbers = np.empty(len(NUMBERS), np.float32)
    numbers[PLACES["eye_distance_px"]] = warped.eye_distance
    numbers[PLACES["pupil_distance_px"]] = pixels * pupil_distance(reading.frontal_points)
    _enter_values(numbers, reading, warped, sides)
    _enter_measures(numbers, reading, sides)
    return numbers, apply(photo_from_level, reading.points).astype(np.float32)


def _cut_out(photo: Photo, photo_from_face: Array) -> tuple[Photo, Array]:
    """Cut the face out of a frame, made smaller where it is larger than what is looked at."""
    low, high = photo_from_face.min((0, 1)), photo_from_face.max((0, 1))
    side = AROUND * float((high - low).max())
    scale = min(VIEW_SIDE / side, 1.0)
    size = round(scale * side)
    corner = (low + high) / 2 - (size - 1) / 2 / scale
    if scale == 1:
        corner = corner.round()  # pixels stay what they are
    view_from_photo = np.array([[scale, 0, -scale * corner[0]], [0, scale, -scale * corner[1]], [0, 0, 1.0]])
    return resample(photo, view_from_photo, size), view_from_photo


def _enter_values(numbers: Floats, reading: Reading, warped: FaceWarp, sides: Sides) -> None:
    found = {key: Estimate(value, 0.0) for key, value in summarize(reading, warped.mask).items()}
    for name, estimate in name_values(found, sides).items():
        numbers[PLACES[name]] = estimate.value


def _enter_measures(numbers: Floats, reading: Reading, sides: Sides) -> None:
    named = measure_points(reading.frontal_points)
    for measure in MEASURES:
        values = named[measure.name].exchanged() if sides == "person" else named[measure.name]
        factor = 1.0 if measure.dimension == "angle" else 100.0
        shown = values if measure.is_sided else values[2:]
        for column, value in zip(columns_of(measure), shown, strict=True):
            numbers[PLACES[column]] = factor * value + 0.0
