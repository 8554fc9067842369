"""The faces of a film as pictures for its page: at the moments that matter, and evenly between them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from symface_cli.films.measuring.films import FilmOptions, MeasuredFilm
from symface_cli.films.measuring.movement import Movement
from symface_cli.films.measuring.records import FrameMeasurement
from symface_cli.films.measuring.study import PersonStudy
from symface_cli.geometry.frames import apply
from symface_cli.geometry.sampling import resample
from symface_cli.geometry.types import Array
from symface_cli.measurement.photo import PUPILS
from symface_cli.pages import InlineImage, inline_image
from symface_cli.video.folders import open_frames
from symface_cli.video.frames import Frame

MOST = 240  # pictures of a person, about 12 kB each
SIDE = 320  # px
AROUND = 4.2  # side in distances between the pupils: the face with its outline
BELOW = 0.6  # of these, from the pupils down to the middle


@dataclass(frozen=True, eq=False)
class FacePicture:
    """A face, upright, and where the points of the named measures lie in it, (45, 2) in its pixels."""

    image: InlineImage
    points: Array


def choose_moments(person: PersonStudy) -> list[int]:
    """Choose which frames of a person are shown, as their places in the track, in order.

    These are the first at rest, those where the sides differ most, the peaks of movements, and others between them, as
    evenly as they are apart in time; also some in which the face is not found.
    """
    times = person.track.times
    wanted = [0, len(times) - 1, *person.largest.values()]
    if person.rest is not None:
        wanted.append(int(np.abs(times - sum(person.rest.span) / 2).argmin()))
    peaks = sorted({time for moves in person.movements.values() for move in moves for time in _peaks(move)})
    wanted += [int(np.abs(times - time).argmin()) for time in peaks][: MOST // 2]
    free = max(MOST - len(set(wanted)), 2)
    evenly = [int(np.abs(times - time).argmin()) for time in np.linspace(times[0], times[-1], free)]
    return sorted({*wanted, *evenly})


def _peaks(movement: Movement) -> list[float]:
    return [movement.peak_s, *(side.peak_s for side in movement.sides)]


def take_pictures(
    frames: Iterable[Frame], wanted: Mapping[int, Sequence[FrameMeasurement]]
) -> dict[tuple[int, int], FacePicture]:
    """Cut faces out of a film, which is read again for it.

    Args:
        frames: The film's frames, numbered as they were when it was measured.
        wanted: The faces that are wanted in a frame, by its number.

    Returns:
        The pictures, by frame and person; none of faces that were not found.
    """
    pictures: dict[tuple[int, int], FacePicture] = {}
    last = max(wanted, default=-1)
    for frame in frames:
        if frame.index > last:
            break
        for record in wanted.get(frame.index, ()):
            if record.places is not None:
                pictures[frame.index, record.person] = _take(frame, record.places.astype(np.float64))
    return pictures


def picture_faces(measured: MeasuredFilm, options: FilmOptions) -> dict[tuple[int, int], FacePicture]:
    """Read a film again, for pictures of the faces at the moments that its page shows; by frame and person.

    Raises:
        SymfaceError: As `measure_frames`.
    """
    wanted: dict[int, list[FrameMeasurement]] = {}
    for person in measured.study.persons:
        for index in choose_moments(person):
            record = person.track.frames[index]
            wanted.setdefault(record.frame, []).append(record)
    with open_frames(measured.path, options.rate) as film:
        return take_pictures(film.frames(options.part.start, options.part.end), wanted)


def _take(frame: Frame, places: Array) -> FacePicture:
    left, right = places[PUPILS]
    across = right - left
    scale = SIDE / (AROUND * float(np.hypot(*across)))
    c, s = scale * across / float(np.hypot(*across))
    turn = np.array([[c, s], [-s, c]])
    middle = (left + right) / 2 + BELOW * np.array([-across[1], across[0]])
    picture_from_frame = np.eye(3)
    picture_from_frame[:2, :2] = turn
    picture_from_frame[:2, 2] = (SIDE - 1) / 2 - turn @ middle
    image = inline_image(resample(frame.photo, picture_from_frame, SIDE))
    return FacePicture(image, apply(picture_from_frame, places))
