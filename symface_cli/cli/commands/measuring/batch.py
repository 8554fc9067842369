"""What `symface measure` does with a batch, also with that of a session."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from symface_cli.cli.console import conclude, mention, print_error, print_failure, print_note, warn_of_yaw
from symface_cli.cli.progress import count_photos, follow
from symface_cli.errors import UsageError
from symface_cli.files import checksum

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from symface_cli.batch.measuring import MeasuredPhoto, MeasuringBatch, MeasuringOptions, Spread
    from symface_cli.batch.permission import Permission
    from symface_cli.batch.targets import Target, Targets
    from symface_cli.cluster.spreading import Cluster
    from symface_cli.measurement.photo import FaceMeter


def measure_batch(batch: "MeasuringBatch", targets: "Targets", take: "Callable[[MeasuredPhoto], None]") -> int:
    """Measure a batch, tell what goes wrong, and hand each result to `take`; return the exit status."""
    for remark in targets.remarks:
        print_error(remark)
    errors = []
    for result in follow(batch.run(), "measuring", len(batch)):
        _tell(result)
        take(result)
        errors.append(result.error)
    for note in batch.notes:
        mention(note)
    return conclude(errors, batch.skipped, passed_over=targets.problems)


def with_corrections(options: "MeasuringOptions", path: Path, targets: "Targets") -> "MeasuringOptions":
    """Add the points of a file that a person has corrected.

    Raises:
        UsageError: If none is of the batch's photos.
    """
    from symface_cli.measurement.points.corrections import Corrections
    from symface_cli.measurement.points.files import read_points

    corrections = Corrections(read_points(path, options.convention.sides))
    if corrections.is_of_any_photo and len(targets.items) > 1:
        raise UsageError(f"{path}: it does not say whose the points are; give one photo, or a .csv or .tps")
    if not corrections.are_of([target.photo for target in targets.items]):
        raise UsageError(f"{path}: it has points of none of these photos")
    return replace(options, given=corrections, given_sha256=checksum(path), also_read=(*options.also_read, path))


def spread_measuring(cluster: "Cluster", load: "Callable[[], FaceMeter]", options: "MeasuringOptions") -> "Spread":
    """Return what has a batch measured by a cluster, and shows how far that is; each worker loads what measures."""

    def spread(permission: "Permission", targets: "Sequence[Target]", measured_by: str) -> "Iterator[MeasuredPhoto]":
        with count_photos("measuring") as show:
            return cluster.measure(load, options, (permission, targets, measured_by), show)

    return spread


def _tell(result: "MeasuredPhoto") -> None:
    if result.error is not None:
        print_failure(result.photo, result.error)
    for note in result.notes:
        print_note(result.photo, note)
    for face in result.faces:
        if face.is_yaw_too_large:
            consequence = "its shape asymmetry is not to be trusted"
            warn_of_yaw(result.photo, face.number, face.values["yaw_deg"].value, consequence)
