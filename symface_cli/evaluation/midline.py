"""How far the midlines that providers find lie from those of landmarks placed by hand.

A folder of such photos holds, beside each picture, a `.csv` of the same name with the `x,y` of its landmarks, in
pixels, below a heading; landmarks 0 and 1 are the centers of the pupils. `mirror_index.csv`, in the folder or the one
above, names under `point,mirror` the partner of each landmark, itself on the midline; landmarks that it does not name
do not count. The reference is the total-least-squares line through the middles of these pairs.
"""

import csv
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from symface_cli.data.datasets import Dataset, choose_photos
from symface_cli.errors import DataError, SymfaceError, WorkerError, attempt
from symface_cli.evaluation.tables import Column, Table
from symface_cli.files import Progress
from symface_cli.geometry.midline import Midline, fit_midline
from symface_cli.geometry.types import Array, Photo
from symface_cli.imaging.photo import read_photo
from symface_cli.methods.provider import Provider
from symface_cli.methods.registry import find_provider
from symface_cli.parallel.work import work_through

MIRROR_INDEX = "mirror_index.csv"
PUPILS = (0, 1)


@dataclass(frozen=True, kw_only=True)
class MidlinePlan:
    """What is measured.

    Attributes:
        providers: Names of providers.
        weights: Weights of the network; None for the bundled ones.
        model_folder: The user's own folder of published models; None for SYMFACE_MODEL_DIR.
        jobs: Processes to use, each on one core; 0 for one per core; 1 is this process itself.
    """

    providers: tuple[str, ...]
    weights: Path | None = None
    model_folder: Path | None = None
    jobs: int = 0


class Reference(NamedTuple):
    """A photo with landmarks placed by hand, and what they say."""

    path: Path
    midline: Midline
    """In photo pixels; its point is the center of the pairs' middles."""
    eye_distance: float
    """Between the pupils' centers, in photo pixels."""


@dataclass(frozen=True)
class MidlineError:
    """How far a midline lies from the reference.

    Attributes:
        angle: Between the two, in degrees.
        offset: Distance of the reference's point from the midline, in per cent of the eye distance.
    """

    angle: float
    offset: float


@dataclass(frozen=True)
class MidlineResult:
    """Result of one photo.

    Attributes:
        path: The photo.
        errors: By provider; None where it misses the face, or has no midline for it.
        unreadable: Why the photo cannot be read; then nothing else is known.
        failures: What providers failed with; they count as having missed the face.
    """

    path: Path
    errors: Mapping[str, MidlineError | None] = field(default_factory=dict)
    unreadable: SymfaceError | None = None
    failures: tuple[SymfaceError, ...] = ()


@dataclass(frozen=True)
class ErrorSummary:
    """What is said of many errors.

    Attributes:
        median: The median.
        p95: The 95th percentile, interpolated linearly.
    """

    median: float
    p95: float


@dataclass(frozen=True, kw_only=True)
class MidlineAccuracy:
    """How good a provider's midlines are.

    Attributes:
        provider: Its name.
        photos: How many photos were looked at.
        missed: How many of them without a midline; the errors are those of the others.
        angle: In degrees, None without any.
        offset: In per cent of the eye distance, None without any.
    """

    provider: str
    photos: int
    missed: int
    angle: ErrorSummary | None
    offset: ErrorSummary | None


@dataclass(frozen=True, kw_only=True)
class MidlineReport:
    """The results.

    Attributes:
        plan: What was measured.
        scores: One per provider, in the plan's order.
        results: Those of the photos that could be read.
        unreadable: Why photos could not; they count nowhere.
        failures: What providers failed with.
    """

    plan: MidlinePlan
    scores: tuple[MidlineAccuracy, ...]
    results: tuple[MidlineResult, ...]
    unreadable: tuple[SymfaceError, ...]
    failures: tuple[SymfaceError, ...]


def read_references(data: Dataset, limit: int | None = None) -> list[Reference]:
    """Read the photos of a data set and their reference midlines, sorted by path; `limit` takes so many, evenly spaced.

    Raises:
        DataError: If a file of landmarks or `mirror_index.csv` is missing or makes no sense.
        UsageError: If the limit is below 1.
    """
    photos = choose_photos(data, "all", limit)
    pairs = _read_pairs(data.folder)
    return [_read_reference(photo.path, pairs) for photo in photos]


def _read_pairs(folder: Path) -> NDArray[np.intp]:
    """Read the mirror pairs (N, 2), each once; a landmark of the midline is a pair with itself."""
    places = [place / MIRROR_INDEX for place in (folder, folder.absolute().parent)]
    path = next((place for place in places if place.exists()), places[0])
    partners = {int(point): int(mirror) for point, mirror in _read_columns(path)}
    if any(partners.get(mirror) != point or point < 0 for point, mirror in partners.items()):
        raise DataError(f"{path}: a landmark's partner has to have the landmark for its own partner")
    return np.array([pair for pair in partners.items() if pair[0] <= pair[1]])


def _read_reference(photo: Path, pairs: NDArray[np.intp]) -> Reference:
    path = photo.with_suffix(".csv")
    landmarks = _read_columns(path)
    needed = 1 + max(*PUPILS, int(pairs.max()))
    if len(landmarks) < needed:
        raise DataError(f"{path}: {len(landmarks)} landmarks in it; {MIRROR_INDEX} needs {needed}")
    middles = landmarks[pairs].mean(1)
    left, right = landmarks[list(PUPILS)]
    return Reference(photo, fit_midline(middles), float(np.linalg.norm(left - right)))


def _read_columns(path: Path) -> Array:
    """Read the two columns (N, 2) of numbers below a table's heading."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            columns = np.array([(float(a), float(b)) for a, b in list(csv.reader(file))[1:]])
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}; photos with landmarks placed by hand have one") from error
    except ValueError as error:
        raise DataError(f"{path}: not a table of two columns of numbers below a heading") from error
    if not np.isfinite(columns).all() or not len(columns):
        raise DataError(f"{path}: no numbers in it, or not in all of its rows")
    return columns


def compare_midlines(found: Midline, reference: Reference) -> MidlineError:
    """Measure how far a midline lies from the reference."""
    along = found.direction @ reference.midline.direction
    across = _cross(found.direction, reference.midline.direction)
    offset = _cross(found.direction, reference.midline.point - found.point)
    angle = float(np.degrees(np.arctan2(abs(across), abs(along))))
    return MidlineError(angle, 100 * abs(offset) / reference.eye_distance)


def _cross(a: Array, b: Array) -> float:
    return float(a[0] * b[1] - a[1] * b[0])


def evaluate_midlines(references: Sequence[Reference], plan: MidlinePlan, progress: Progress) -> MidlineReport:
    """Find the midline of every photo with every provider, and compare it with the reference.

    Raises:
        UsageError: If a provider does not exist.
        SymfaceError: If the network or another model cannot be loaded.
    """
    for name in plan.providers:
        find_provider(name)
    results: list[MidlineResult] = []
    with closing(work_through(MidlineEvaluator, plan, references, plan.jobs, _lose)) as computed:
        for result in computed:
            results.append(result)
            progress(len(results), len(references))
    readable = tuple(result for result in results if result.unreadable is None)
    return MidlineReport(
        plan=plan,
        scores=tuple(_score(name, readable) for name in plan.providers),
        results=readable,
        unreadable=tuple(result.unreadable for result in results if result.unreadable is not None),
        failures=tuple(failure for result in readable for failure in result.failures),
    )


def _lose(reference: Reference, error: WorkerError) -> MidlineResult:
    return MidlineResult(reference.path, unreadable=error.about(str(reference.path)))


class MidlineEvaluator:
    """The providers of a plan, loaded, for one photo after the other.

    Raises:
        SymfaceError: If a model cannot be loaded.
    """

    def __init__(self, plan: MidlinePlan) -> None:
        self._providers = {
            name: find_provider(name).load(plan.weights, model_folder=plan.model_folder) for name in plan.providers
        }

    def __call__(self, reference: Reference) -> MidlineResult:
        """Compare the midlines of one photo with the reference."""
        photo = attempt(partial(read_photo, reference.path), str(reference.path))
        if isinstance(photo, SymfaceError):
            return MidlineResult(reference.path, unreadable=photo)
        compared = {
            name: attempt(partial(_compare, provider, photo, reference), f"{reference.path}: {name}")
            for name, provider in self._providers.items()
        }
        errors = {name: None if isinstance(error, SymfaceError) else error for name, error in compared.items()}
        failures = tuple(error for error in compared.values() if isinstance(error, SymfaceError))
        return MidlineResult(reference.path, errors, failures=failures)


def _compare(provider: Provider, photo: Photo, reference: Reference) -> MidlineError | None:
    """Compare a provider's midline with the reference; None if it misses the face, or has no midline for it."""
    faces = provider.find(photo, reference.midline.point)
    midline = faces[0].midline if faces else None
    return None if midline is None else compare_midlines(midline, reference)


def _score(provider: str, results: Sequence[MidlineResult]) -> MidlineAccuracy:
    errors = [error for error in (result.errors[provider] for result in results) if error is not None]
    return MidlineAccuracy(
        provider=provider,
        photos=len(results),
        missed=len(results) - len(errors),
        angle=_summarize([error.angle for error in errors]),
        offset=_summarize([error.offset for error in errors]),
    )


def _summarize(errors: Sequence[float]) -> ErrorSummary | None:
    return ErrorSummary(float(np.median(errors)), float(np.percentile(errors, 95))) if errors else None


def midline_table(report: MidlineReport) -> Table[MidlineAccuracy]:
    """Lay out the results, one row per provider."""
    angle, offset = "{:.2f}\N{DEGREE SIGN}", "{:.2f} %"
    columns = (
        Column[MidlineAccuracy](heading="provider", value=lambda score: score.provider),
        Column[MidlineAccuracy](heading="photos", value=lambda score: score.photos),
        Column[MidlineAccuracy](heading="faces missed", value=lambda score: score.missed),
        Column[MidlineAccuracy](heading="angle", value=lambda score: _median(score.angle), format=angle),
        Column[MidlineAccuracy](heading="angle, p95", value=lambda score: _p95(score.angle), format=angle),
        Column[MidlineAccuracy](heading="offset", value=lambda score: _median(score.offset), format=offset),
        Column[MidlineAccuracy](heading="offset, p95", value=lambda score: _p95(score.offset), format=offset),
    )
    return Table("midlines against landmarks placed by hand", columns, report.scores)


def _median(errors: ErrorSummary | None) -> float | None:
    return None if errors is None else errors.median


def _p95(errors: ErrorSummary | None) -> float | None:
    return None if errors is None else errors.p95


def midlines_as_markdown(report: MidlineReport) -> str:
    """Write the table in Markdown, with a line that says what was measured."""
    return "\n".join([*midline_table(report).as_markdown(), "", describe_midlines(report), ""])


def describe_midlines(report: MidlineReport) -> str:
    """Say in one line how many photos there are, and what the errors are."""
    unreadable = f", {len(report.unreadable)} more unreadable" if report.unreadable else ""
    return f"{len(report.results)} photos{unreadable}; medians of the errors; offsets in per cent of the eye distance"


def midlines_as_dict(report: MidlineReport) -> dict[str, object]:
    """Return everything as JSON can hold it: the scores, and each photo's errors by provider, null for a miss."""
    weights = report.plan.weights
    return {
        "weights": None if weights is None else str(weights),
        "scores": [asdict(score) for score in report.scores],
        "photos": [{"path": str(result.path), "deviations": _errors_as_dict(result)} for result in report.results],
        "unreadable": [str(error) for error in report.unreadable],
        "failures": [str(error) for error in report.failures],
    }


def _errors_as_dict(result: MidlineResult) -> dict[str, dict[str, float] | None]:
    return {name: None if error is None else asdict(error) for name, error in result.errors.items()}
