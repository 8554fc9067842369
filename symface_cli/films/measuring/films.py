"""A film file, or a folder of frames, to what was measured in it."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from symface_cli.errors import NoFaceError, PhotoError
from symface_cli.files import Progress, on_one_line
from symface_cli.films.following import Person, Predictor
from symface_cli.films.measuring.meter import FilmConvention, FilmMeter, FilmPart
from symface_cli.films.measuring.records import FrameMeasurement
from symface_cli.films.measuring.study import Analysis, FilmStudy, study_film
from symface_cli.video.folders import RATE, open_frames


@dataclass(frozen=True, kw_only=True)
class FilmOptions:
    """How films are measured.

    Attributes:
        person: Who is followed.
        convention: How faces are measured.
        part: Which frames.
        analysis: What is found out of them.
        rate: Frames per second of folders.
    """

    person: Person = "largest"
    convention: FilmConvention = field(default_factory=FilmConvention)
    part: FilmPart = field(default_factory=FilmPart)
    analysis: Analysis = field(default_factory=Analysis)
    rate: Fraction = RATE


@dataclass(frozen=True, eq=False)
class MeasuredFilm:
    """A film that was measured.

    Attributes:
        path: Its file, or folder.
        study: What was measured and found out.
        damage: Why it ends where it does; None if that is its end.
    """

    path: Path
    study: FilmStudy
    damage: str | None


def measure_frames(
    path: Path,
    predictor: Predictor,
    options: FilmOptions,
    told: Callable[[str], None],
    show: Progress = lambda done, total: None,
) -> Iterator[FrameMeasurement]:
    """Yield what is measured in a film, frame by frame, as `FilmMeter` does.

    Args:
        path: The film, or a folder of frames.
        predictor: The network.
        options: How.
        told: Called with what a user should know of the film's end.
        show: Called with how many frames are done, and about how many there are.

    Raises:
        MissingExtraError: If PyAV is not installed.
        PhotoError: If it cannot be read, or has no frame in this part.
        WeightsError: If the network cannot measure, or the scale needs a model that is not here.
    """
    meter, is_empty = FilmMeter(options.convention, options.person), True
    with open_frames(path, options.rate) as film:
        total = film.count_frames(options.part.start, options.part.end)
        with closing(meter.measure_film(film, predictor, options.part)) as records:
            for record in records:
                is_empty = False
                yield record
                show(record.frame + 1, total)
        if film.damage is not None:
            told(film.damage)
    if is_empty:
        raise PhotoError(f"{on_one_line(str(path))}: no frame at these times; give others")


def measure_film(
    path: Path, predictor: Predictor, options: FilmOptions, show: Progress = lambda done, total: None
) -> MeasuredFilm:
    """Measure a film whole. Of its frames, only the numbers are kept: about 1 kB for each face.

    Args:
        path: The film, or a folder of frames.
        predictor: The network.
        options: How.
        show: Called with how many frames are done, and about how many there are.

    Raises:
        NoFaceError: If no face is found in any frame.
        SymfaceError: As `measure_frames`.
    """
    damage: list[str] = []
    records = list(measure_frames(path, predictor, options, damage.append, show))
    if not any(record.is_found for record in records):
        raise NoFaceError("no face found in any frame")
    return MeasuredFilm(path, study_film(str(path), records, options.analysis), damage[0] if damage else None)
