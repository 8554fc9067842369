"""One look at a face in a frame: what a photo is measured by, without its repetitions through moved and mirrored crops.

Seen so, the differences between the sides are off by what a crop changes (docs/video.md), which is nearly the same in
all frames, and not in the change from rest.
"""

from dataclasses import dataclass, replace

import numpy as np

from symface_cli.films.measuring.points import View
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


@dataclass(frozen=True, eq=False)
class Look:
    """A face of a frame, as it was seen once.

    Attributes:
        reading: What was read there.
        warped: Where the face lies in the frame.
        photo_from_level: Where its level frame lies.
        view: The face, for points to be followed.
    """

    reading: Reading
    warped: FaceWarp
    photo_from_level: Array
    view: View

    @property
    def places(self) -> Floats:
        """Where the points are seen, (45, 2) in pixels of the frame."""
        return apply(self.photo_from_level, self.reading.points).astype(np.float32)

    def followed_from(self, reference: "Look") -> "Look":
        """Return the same with the points of another frame's look, where they are seen here."""
        return replace(self, reading=replace(self.reading, points=self.view.follow_from(reference.view)))

    def measure(self, sides: Sides) -> Floats:
        """Return all of NUMBERS, lengths in per cent of the distance between the pupils."""
        numbers = np.empty(len(NUMBERS), np.float32)
        pixels = float(np.linalg.norm(self.photo_from_level[:2, 0]))
        numbers[PLACES["eye_distance_px"]] = self.warped.eye_distance
        numbers[PLACES["pupil_distance_px"]] = pixels * pupil_distance(self.reading.frontal_points)
        found = {key: Estimate(value, 0.0) for key, value in summarize(self.reading, self.warped.mask).items()}
        for name, estimate in name_values(found, sides).items():
            numbers[PLACES[name]] = estimate.value
        _enter_measures(numbers, self.reading, sides)
        return numbers


def look_at(photo: Photo, warped: FaceWarp, raw: bool) -> Look:
    """Look at a face of a frame (H, W, 3) once; `raw` leaves the turn of the head in."""
    part, part_from_photo = _cut_out(photo, warped.photo_from_face)
    photo_from_level = level_of(warped)
    part_from_level = part_from_photo @ photo_from_level
    reading = take_reading(part, warped.moved(part_from_photo), part_from_level, raw)
    return Look(reading, warped, photo_from_level, View(part, part_from_level, reading.points))


def _cut_out(photo: Photo, photo_from_face: Array) -> tuple[Photo, Array]:
    """Cut the face out of a frame, made smaller where it is larger than what is looked at."""
    low, high = photo_from_face.min((0, 1)), photo_from_face.max((0, 1))
    side = AROUND * float((high - low).max())
    scale = min(VIEW_SIDE / side, 1.0)
    size = round(scale * side)
    corner = (low + high) / 2 - (size - 1) / 2 / scale
    if scale == 1:
        corner = corner.round()  # pixels stay what they are
    part_from_photo = np.array([[scale, 0, -scale * corner[0]], [0, scale, -scale * corner[1]], [0, 0, 1.0]])
    return resample(photo, part_from_photo, size), part_from_photo


def _enter_measures(numbers: Floats, reading: Reading, sides: Sides) -> None:
    named = measure_points(reading.frontal_points)
    for measure in MEASURES:
        values = named[measure.name].exchanged() if sides == "person" else named[measure.name]
        factor = 1.0 if measure.dimension == "angle" else 100.0
        shown = values if measure.is_sided else values[2:]
        for column, value in zip(columns_of(measure), shown, strict=True):
            numbers[PLACES[column]] = factor * value + 0.0
