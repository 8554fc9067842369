"""Photos to results, one after the other or several at a time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import perf_counter

from symface_cli.batch.results import read_source, write_files
from symface_cli.batch.targets import STREAM, Target
from symface_cli.errors import ExitStatus, NoFaceError, PhotoError, SymfaceError
from symface_cli.geometry.types import Array
from symface_cli.parallel import work_on_cores
from symface_cli.rendering.options import Output
from symface_cli.rendering.outputs import OutputFile
from symface_cli.rendering.plan import Planner
from symface_cli.rendering.records import FaceRecord


@dataclass(frozen=True, eq=False)
class Pair:
    """A result that can be laid over what it shows of the photo.

    Attributes:
        path: Its file.
        face: The number of the face that it shows; None for a picture of all, or of the only one.
        photo_from_image: Where in the photo its square lies, as in `OutputFile`; None where it shows the whole photo.
    """

    path: Path
    face: int | None = None
    photo_from_image: Array | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a photo.

    Attributes:
        target: The photo.
        written: The files made, in order.
        faces: What was found, the largest first.
        seconds: What reading, looking, and making and writing the results took.
        error: Why it failed.
        pairs: Which of the files show best what was made, one for the photo or for each face.
    """

    target: Target
    written: tuple[Path, ...] = ()
    faces: tuple[FaceRecord, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    error: SymfaceError | None = None
    pairs: tuple[Pair, ...] = ()

    @property
    def status(self) -> ExitStatus:
        """The exit status that it would have alone."""
        return ExitStatus.OK if self.error is None else self.error.status


def run(planner: Planner, targets: Sequence[Target], force: bool, jobs: int) -> Iterator[Outcome]:
    """The outcomes in the order of the photos.

    Args:
        planner: What makes the results.
        targets: The photos.
        force: Whether existing files may be overwritten.
        jobs: How many photos are worked on at a time, each on one core.
    """
    task = partial(symmetrize_photo, planner, force=force)
    return map(task, targets) if len(targets) == 1 else work_on_cores(task, targets, jobs, fork=planner.on_cpu)


def symmetrize_photo(planner: Planner, target: Target, force: bool) -> Outcome:
    """One photo, from its file to its results' files; what can be expected to go wrong is in the outcome."""
    start = perf_counter()
    try:
        picture = read_source(target.photo)
        read = perf_counter()
        exact = None if target.exact is None or target.exact == STREAM else target.exact.suffix
        made = planner.plan(picture, target.photo, exact)
        looked = perf_counter()
        written = write_files(target, made.files, force)
    except (PhotoError, NoFaceError) as error:
        return Outcome(target, error=error)
    done = perf_counter()
    seconds = {"read": round(read - start, 4), "look": round(looked - read, 4), "make": round(done - looked, 4)}
    return Outcome(target, written, made.faces, seconds, pairs=_choose_pairs(made.files, written))


def _choose_pairs(files: Sequence[OutputFile], written: Sequence[Path]) -> tuple[Pair, ...]:
    """The results of the kind that comes first, and of a sequence the last."""
    whole = (Output.PHOTO, Output.PREVIEW)
    pairs = {
        file.face: Pair(path, file.face, file.photo_from_image)
        for file, path in zip(files, written, strict=True)
        if file.output is files[0].output and (file.output in whole or file.photo_from_image is not None)
    }
    return tuple(pairs.values())
