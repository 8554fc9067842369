"""A batch of photos to measurements of their faces, several at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from symface_cli.batch.results import read_source, refuse_existing, write_result
from symface_cli.batch.targets import Target, Targets
from symface_cli.detection.selection import Selection
from symface_cli.errors import SymfaceError, failure_of
from symface_cli.imaging.photo import encode_png
from symface_cli.inference.symmetrizer import Symmetrizer
from symface_cli.measurement.photo import FaceMeasurement, measure_faces
from symface_cli.parallel import available_cores, work_on_cores


@dataclass(frozen=True, kw_only=True)
class MeasuringOptions:
    """How a batch is measured.

    Attributes:
        selection: Which faces of each photo.
        heatmaps: Whether to write heat maps, as PNG files.
        force: Whether existing files may be overwritten.
        jobs: Number of parallel workers; 0 for one per core.
    """

    selection: Selection
    heatmaps: bool = False
    force: bool = False
    jobs: int = 0


@dataclass(frozen=True)
class MeasuredPhoto:
    """Result of measuring one photo.

    Attributes:
        photo: The photo's path, or STREAM.
        faces: Its faces, the largest first, without heat maps: those are written.
        error: Why it failed.
    """

    photo: Path
    faces: tuple[FaceMeasurement, ...] = ()
    error: SymfaceError | None = None


def measure_batch(symmetrizer: Symmetrizer, targets: Targets, options: MeasuringOptions) -> Iterator[MeasuredPhoto]:
    """Start the workers, and return the measured photos as they come, in the order of the photos.

    Args:
        symmetrizer: The loaded network.
        targets: The photos.
        options: How to measure them.
    """
    task = partial(measure_target, symmetrizer, options)
    jobs = options.jobs or available_cores()
    return work_on_cores(task, targets.items, jobs, fork=symmetrizer.device.type == "cpu")


def measure_target(symmetrizer: Symmetrizer, options: MeasuringOptions, target: Target) -> MeasuredPhoto:
    """Measure one photo and write its heat maps; whatever goes wrong is in the result."""
    selection, heatmaps = options.selection, options.heatmaps
    try:
        photo = read_source(target.photo).photo
        found = selection.choose(photo)
        paths = _heatmap_paths(target, len(found)) if heatmaps else []
        if not options.force:
            refuse_existing(paths)
        faces = measure_faces(symmetrizer, photo, found, selection.number or 1, heatmaps)
        if heatmaps:
            _write_heatmaps(faces, paths)
    except Exception as error:  # noqa: BLE001 (one photo never costs the batch)
        return MeasuredPhoto(target.photo, error=failure_of(error, str(target.photo)))
    return MeasuredPhoto(target.photo, tuple(replace(face, heatmap=None) for face in faces))


def _write_heatmaps(faces: Sequence[FaceMeasurement], paths: Sequence[Path]) -> None:
    for face, path in zip(faces, paths, strict=True):
        assert face.heatmap is not None
        write_result(path, encode_png(face.heatmap))


def _heatmap_paths(target: Target, count: int) -> list[Path]:
    """Name the files of a photo's heat maps; numbered where there are several faces."""
    labels = [f"-{number}" for number in range(1, count + 1)] if count > 1 else [""]
    if target.exact is not None:
        return [target.exact.with_name(f"{target.exact.stem}{label}{target.exact.suffix}") for label in labels]
    return [target.folder / f"{target.stem}.asymmetry{label}.png" for label in labels]
