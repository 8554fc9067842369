"""What `symface measure` says while it measures a batch."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from symface_cli.cli.console import conclude, mention, print_error, print_failure, print_note, warn_of_yaw
from symface_cli.cli.progress import follow

if TYPE_CHECKING:
    from symface_cli.batch.measuring import MeasuredPhoto, MeasuringBatch
    from symface_cli.batch.targets import Targets


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


def _tell(result: "MeasuredPhoto") -> None:
    if result.error is not None:
        print_failure(result.photo, result.error)
    for note in result.notes:
        print_note(result.photo, note)
    for face in result.faces:
        if face.is_yaw_too_large:
            consequence = "its shape asymmetry is not to be trusted"
            warn_of_yaw(result.photo, face.number, face.values["yaw_deg"].value, consequence)
