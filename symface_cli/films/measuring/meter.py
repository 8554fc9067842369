"""Measures the faces that are followed through a film, frame by frame, in little memory."""

import math
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np

from symface_cli.films.following import FollowedFace, Person, Predictor, SeenFrame, follow
from symface_cli.films.measuring.looks import Look, look_at
from symface_cli.films.measuring.records import FrameMeasurement, PupilScale
from symface_cli.geometry.types import Photo
from symface_cli.measurement.asymmetry import MAX_YAW_MEASURE, MAX_YAW_RAW
from symface_cli.measurement.photo import PUPILS
from symface_cli.measurement.points.scheme import Sides
from symface_cli.measurement.scale import IRIS_SPREAD, NO_SCALE, Scaler, Scaling
from symface_cli.parallel.ahead import read_ahead, work_ahead
from symface_cli.parallel.cores import available_cores
from symface_cli.parallel.work import one_thread
from symface_cli.video.folders import Frames
from symface_cli.video.frames import Frame

IRISES_EVERY = 0.5  # s between the frames in which the irises are measured
MEDIAN_ERROR = 1.2533  # deviations of a median to those of a mean
MOST_WORKERS = 8  # threads: one follows the faces, and is not faster than these together


@dataclass(frozen=True, kw_only=True)
class FilmConvention:
    """How the faces of a film are measured.

    Attributes:
        raw: Whether the turn of the head is left in; else it is taken out.
        sides: Whose left and right: the person's, or the viewer's.
        scaling: What the scale is taken from.
        max_yaw: Degrees from which on a head is turned too far; None for those of photos.
        model_folder: The user's own folder of published models, for irises.
    """

    raw: bool = False
    sides: Sides = "person"
    scaling: Scaling = NO_SCALE
    max_yaw: float | None = None
    model_folder: Path | None = None

    @property
    def yaw_limit(self) -> float:
        """Degrees from which on a head is turned too far."""
        return self.max_yaw if self.max_yaw is not None else MAX_YAW_RAW if self.raw else MAX_YAW_MEASURE


@dataclass(frozen=True, kw_only=True)
class FilmPart:
    """Which frames of a film are measured, in seconds.

    Attributes:
        start: The first one is at this time, or the next one.
        end: Those before this time.
        every: The first one after each multiple of this since the first one; None for all.
    """

    start: Fraction | None = None
    end: Fraction | None = None
    every: Fraction | None = None

    def pick(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Yield the frames of a part that are measured."""
        first: Fraction | None = None
        next_step = 0
        for frame in frames:
            if self.every is None:
                yield frame
                continue
            first = frame.time if first is None else first
            step = (frame.time - first) / self.every
            if step >= next_step:
                yield frame
                next_step = math.floor(step) + 1


class FilmMeter:
    """Measures one film.

    Args:
        convention: How.
        person: Who was followed; a person that is asked for has a record for each frame, the others from where they
            first appear.

    Raises:
        WeightsError: If the scale needs a model that is not here and cannot be downloaded.
    """

    def __init__(self, convention: FilmConvention, person: Person = "largest") -> None:
        self._convention = convention
        self._person = person
        self._scaler = Scaler(convention.scaling, convention.model_folder)
        self._known: set[int] = set() if person == "all" else {1 if person == "largest" else person}
        self._references: dict[int, Look] = {}  # the first frame in which each is not turned too far
        self._pupils: dict[int, list[float]] = {}
        self._next_look: dict[int, float] = {}
        self._lock = threading.Lock()

    def measure_film(
        self, film: Frames, predictor: Predictor, part: FilmPart
    ) -> Generator[FrameMeasurement, None, None]:
        """Follow faces through a film and measure them, as `measure` does: read, followed and measured in threads.

        Raises:
            WeightsError: If the network does not say where faces lie.
        """
        with closing(read_ahead(film.frames(part.start, part.end))) as frames:  # ends before the film is closed
            yield from self.measure(follow(part.pick(frames), predictor, self._person))

    def measure(self, seen: Iterable[SeenFrame]) -> Iterator[FrameMeasurement]:
        """Yield a record for each person in each frame.

        Where the scale is taken from the film itself, all of it is measured before the first record is yielded; only
        numbers are kept meanwhile.
        """
        tasks = (task for frame in seen for task in self._tasks(frame))
        with one_thread():
            records = work_ahead(lambda task: task(), tasks, min(available_cores() - 1, MOST_WORKERS))
            for record in records if self.is_scale_known else list(records):
                yield record.scaled(self.scale_of(record.person))

    @property
    def is_scale_known(self) -> bool:
        """Whether the scale is known before the film was measured; else it is the median of all frames."""
        return self._convention.scaling.source in ("none", "ipd")

    def scale_of(self, person: int) -> PupilScale | None:
        """Return the distance between a person's pupils, by all frames measured until now; None without a scale.

        What a frame says is its scale times the distance of the pupils there. The median of all counts: eyes that are
        half closed or look aside are rare.
        """
        source, value = self._convention.scaling.source, self._convention.scaling.value
        if source == "ipd":
            return PupilScale(value, 0.0)
        looks = self._pupils.get(person, [])
        if not looks:
            return None
        middle = float(np.median(looks))
        error = MEDIAN_ERROR * float(np.std(looks)) / len(looks) ** 0.5
        return PupilScale(middle, math.hypot(error, middle * IRIS_SPREAD) if source == "iris" else error)

    def _tasks(self, seen: SeenFrame) -> Iterator[Callable[[], FrameMeasurement]]:
        faces = {face.person: face for face in seen.faces}
        self._known |= set(faces)
        for person in sorted(self._known):
            if person not in faces:
                yield partial(self._record, seen, person)
                continue
            is_scale_due = self._is_scale_due(person, seen.frame.time_s)
            task = partial(self._measure, seen, faces[person], is_scale_due)
            if person not in self._references:  # what comes after needs it
                record = task()
                yield partial(_same, record)
            else:
                yield task

    def _is_scale_due(self, person: int, time_s: float) -> bool:
        source = self._convention.scaling.source
        if source == "mm_per_px":
            return True
        if source != "iris" or time_s < self._next_look.get(person, -math.inf):
            return False
        self._next_look[person] = time_s + IRISES_EVERY
        return True

    def _measure(self, seen: SeenFrame, face: FollowedFace, is_scale_due: bool) -> FrameMeasurement:
        convention, photo = self._convention, seen.frame.photo
        look = look_at(photo, face.warp, convention.raw)
        is_turned = abs(look.reading.yaw) > convention.yaw_limit
        if face.person in self._references:
            look = look.followed_from(self._references[face.person])
        elif not is_turned:
            self._references[face.person] = look
        record = replace(
            self._record(seen, face.person),
            numbers=look.measure(convention.sides),
            places=look.places,
            is_yaw_too_large=is_turned,
        )
        if is_scale_due and not is_turned:
            self._look_for_scale(photo, record)
        return record

    def _record(self, seen: SeenFrame, person: int) -> FrameMeasurement:
        """Return the record of a face that is not found."""
        frame = seen.frame
        return FrameMeasurement(
            frame=frame.index, time_s=frame.time_s, shot=seen.shot, person=person, sides=self._convention.sides
        )

    def _look_for_scale(self, photo: Photo, record: FrameMeasurement) -> None:
        assert record.places is not None
        apart = record["pupil_distance_px"]
        with self._lock:  # the networks for irises are not made for several threads
            found = self._scaler.find(photo, record.places[PUPILS].astype(np.float64), (apart, 0.0))
            if found is not None:
                self._pupils.setdefault(record.person, []).append(found.mm_per_px * apart)


def _same(record: FrameMeasurement) -> FrameMeasurement:
    return record
