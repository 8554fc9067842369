"""A batch of photos to measurements of their faces, several at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from symface_cli.batch.results import check_results, read_source, write_result
from symface_cli.batch.targets import Target, Targets
from symface_cli.detection.selection import Selection
from symface_cli.errors import SymfaceError, failure_of
from symface_cli.imaging.photo import encode_png
from symface_cli.inference.symmetrizer import Symmetrizer
from symface_cli.measurement.photo import FaceMeasurement, measure_faces
from symface_cli.parallel import available_cores, work_on_cores
from symface_cli.writing import Inputs


@dataclass(frozen=True, kw_only=True)
class MeasuringOptions:
    """How a batch is measured.

    Attributes:
        selection: Which faces of each photo.
        heatmaps: Whether to write heat maps, as PNG files.
        force: Whether existing files may be overwritten.
        jobs: Number of parallel workers; 0 for one per core.
        also_read: Files that are read besides the photos, and never overwritten: weights.
    """

    selection: Selection
    heatmaps: bool = False
    force: bool = False
    jobs: int = 0
    also_read: tuple[Path, ...] = ()


@dataclass(frozen=True)
class MeasuredPhoto:
    """Result of measuring one photo.

    Attributes:
        photo: The photo's path, or STREAM.
        faces: Its faces, the largest first, without heat maps: those are written.
        error: Why it failed.
        notes: What a user should know though nothing failed, a sentence each.
    """

    photo: Path
    faces: tuple[FaceMeasurement, ...] = ()
    error: SymfaceError | None = None
    notes: tuple[str, ...] = ()


def measure_batch(symmetrizer: Symmetrizer, targets: Targets, options: MeasuringOptions) -> Iterator[MeasuredPhoto]:
    """Start the workers, and return the measured photos as they come, in the order of the photos.

    Args:
        symmetrizer: The loaded network.
        targets: The photos.
        options: How to measure them.
    """
    inputs = Inputs([*targets.photos, *options.also_read])
    task = partial(measure_target, symmetrizer, options, inputs)
    jobs = options.jobs or available_cores()
    return work_on_cores(task, targets.items, jobs, fork=symmetrizer.device.type == "cpu")


def measure_target(
    symmetrizer: Symmetrizer, options: MeasuringOptions, inputs: Inputs, target: Target
) -> MeasuredPhoto:
    """Measure one photo and write its heat maps; whatever goes wrong is in the result."""
    selection, heatmaps = options.selection, options.heatmaps
    try:
        photo = read_source(target.photo).photo
        found = selection.choose(photo)
        paths = _heatmap_paths(target, len(found)) if heatmaps else []
        check_results(paths, options.force, inputs)
        faces = measure_faces(symmetrizer, photo, found, selection.number or 1, heatmaps)
        notes = _write_heatmaps(faces, paths, options.force) if heatmaps else ()
    except Exception as error:  # noqa: BLE001 (one photo never costs the batch)
        return MeasuredPhoto(target.photo, error=failure_of(error, str(target.photo)))
    return MeasuredPhoto(target.photo, tuple(replace(face, heatmap=None) for face in faces), notes=notes)


def _write_heatmaps(faces: Sequence[FaceMeasurement], paths: Sequence[Path], force: bool) -> tuple[str, ...]:
    """Write the faces' heat maps; return what a user should know of them."""
    notes = []
    for face, path in zip(faces, paths, strict=True):
        assert face.heatmap is not None
        notes.append(write_result(path, encode_png(face.heatmap), force))
    return tuple(note for note in notes if note is not None)


def _heatmap_paths(target: Target, count: int) -> list[Path]:
    """Name the files of a photo's heat maps; numbered where there are several faces."""
    labels = [f"-{number}" for number in range(1, count + 1)] if count > 1 else [""]
    if target.exact is not None:
        return [target.exact.with_name(f"{target.exact.stem}{label}{target.exact.suffix}") for label in labels]
    return [target.folder / f"{target.stem}.asymmetry{label}.png" for label in labels]
