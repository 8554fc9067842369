"""A batch of `symface symmetrize`: what is loaded for it, and what is told of it."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from symface_cli.cli.console import ResultPrinter, conclude, mention, print_error, print_failure, print_note
from symface_cli.cli.progress import count_photos, follow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from symface_cli.batch.outcomes import Outcome
    from symface_cli.batch.permission import Permission
    from symface_cli.batch.runner import Batch, Spread
    from symface_cli.batch.targets import Target, Targets
    from symface_cli.cli.values import Style
    from symface_cli.cluster.spreading import Cluster
    from symface_cli.detection.selection import Selection
    from symface_cli.engines.loading import EngineChoice
    from symface_cli.rendering.options import OutputOptions
    from symface_cli.rendering.plan import Planner
    from symface_cli.rendering.records import FaceRecord


def process_batch(batch: "Batch", targets: "Targets", printer: ResultPrinter) -> int:
    """Do the work, tell what comes of each photo, and return the exit status."""
    for remark in targets.remarks:
        print_error(remark)
    errors = []
    for outcome in follow(batch.run(), "symmetrizing", len(batch)):
        _tell(outcome, printer)
        errors.append(outcome.error)
    mention(batch.note)
    return conclude(errors, batch.skipped, targets.problems) or printer.status


class Loading(NamedTuple):
    """What is loaded, and from where."""

    weights: Path | None
    device: str
    engine: "EngineChoice"
    model_dir: Path | None
    check_identity: bool
    measure: bool
    forked: bool

    def everywhere(self) -> "Loading":
        """Return the same for processes whose working folder is another, and that work alone."""
        weights, folder = (None if path is None else path.absolute() for path in (self.weights, self.model_dir))
        return self._replace(weights=weights, model_dir=folder, forked=False)


def spread_symmetrizing(cluster: "Cluster", load: "Callable[[], Planner]") -> "Spread":
    """Return what has a batch done by a cluster, and shows how far that is; each worker loads its planner."""

    def spread(
        permission: "Permission", targets: "Sequence[Target]", parameters: "Mapping[str, object]"
    ) -> "Iterator[Outcome]":
        with count_photos("symmetrizing") as show:
            return cluster.symmetrize(load, (permission, targets, parameters), show)

    return spread


def load_planner(style: "Style", options: "OutputOptions", selection: "Selection", loading: Loading) -> "Planner":
    """Load what plans the files of a photo."""
    from symface_cli.rendering.plan import LandmarkPlanner, NetworkPlanner

    if style.landmark_method is not None:
        from symface_cli.cli.fetching import fetch_models
        from symface_cli.methods.registry import PROVIDERS, files_of, find_method

        method = style.landmark_method
        fetch_models(files_of([method]), loading.model_dir)
        provider = PROVIDERS[find_method(method).provider].load(model_folder=loading.model_dir)
        return LandmarkPlanner(provider, method, selection.number)
    from symface_cli.inference.symmetrizer import Symmetrizer

    check = None
    if loading.check_identity:
        from symface_cli.rendering.identity import IdentityCheck

        check = IdentityCheck()
    symmetrizer = Symmetrizer(loading.weights, loading.device, loading.engine, loading.forked)
    return NetworkPlanner(symmetrizer, options, selection, check, loading.measure)


def _tell(outcome: "Outcome", printer: ResultPrinter) -> None:
    from symface_cli.batch.targets import STREAM

    if outcome.error is not None:
        print_failure(outcome.photo, outcome.error)
    for path in outcome.written:
        if path != STREAM:
            printer.print(path)
    for note in outcome.notes:
        print_note(outcome.photo, note)
    for number, face in enumerate(outcome.faces, 1):
        _warn(outcome.photo, number, face)


def _warn(photo: Path, number: int, face: "FaceRecord") -> None:
    if face.identity is not None:
        from symface_cli.rendering.identity import SAME_PERSON

        if face.identity >= SAME_PERSON:
            print_error(
                f"{photo}: face {number} may not be recognized: dlib's distance to the photo is {face.identity:.2f}, "
                f"the same person is below {SAME_PERSON}"
            )
