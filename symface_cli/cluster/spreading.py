"""Batches whose photos are done by the workers of a cluster."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from symface_cli.batch.measuring import MeasuredPhoto, MeasuringOptions
from symface_cli.batch.outcomes import Outcome
from symface_cli.batch.permission import Permission
from symface_cli.batch.targets import STREAM, Target, Targets
from symface_cli.cluster.connection import Crew
from symface_cli.cluster.job import Job, run_job
from symface_cli.cluster.tasks import MeasureTask, SymmetrizeTask, parse_measured, parse_outcome
from symface_cli.errors import UsageError
from symface_cli.files import Progress, is_result
from symface_cli.rendering.plan import Planner
from symface_cli.writing import Inputs


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A cluster that does the work of a batch.

    Attributes:
        crew: Its workers.
        folder: Where all of them see the job's state: that of the results.
        resume: Whether to go on with a job that was stopped.
    """

    crew: Crew
    folder: Path
    resume: bool = False

    def symmetrize(
        self,
        load_planner: Callable[[], Planner],
        work: tuple[Permission, Sequence[Target], Mapping[str, object]],
        progress: Progress,
    ) -> Iterator[Outcome]:
        """Make photos symmetric, as `runner.Spread`, given what each worker loads; return their outcomes at the end."""
        permission, targets, parameters = work
        job = self._job(SymmetrizeTask(load_planner, _permit(permission, targets)), targets, parameters)
        return (parse_outcome(target, value) for target, value in run_job(job, self.crew, progress))

    def measure(
        self,
        load_meter: Callable[[], Any],
        options: MeasuringOptions,
        work: tuple[Permission, Sequence[Target], str],
        progress: Progress,
    ) -> Iterator[MeasuredPhoto]:
        """Measure photos, as `measuring.Spread`; the same."""
        permission, targets, measured_by = work
        task = MeasureTask(load_meter, options, _permit(permission, targets), measured_by)
        job = self._job(task, targets, {"measured_by": measured_by, "heatmaps": options.convention.heatmaps})
        return (parse_measured(target, value) for target, value in run_job(job, self.crew, progress))

    def _job(
        self, task: SymmetrizeTask | MeasureTask, targets: Sequence[Target], settings: Mapping[str, object]
    ) -> Job:
        return Job(task=task, targets=targets, settings=settings, folder=self.folder, resume=self.resume)


def check_targets(targets: Targets) -> None:
    """Check that all nodes of a cluster can reach photos and results.

    Raises:
        UsageError: If these are streams, lie in this process's memory, or go into a single file.
    """
    if targets.file is not None or any(target.photo == STREAM for target in targets.items):
        raise UsageError("a cluster works on photos in folders or stores, into a folder or store")
    if targets.is_in_memory:
        raise UsageError("a cluster does not see what is in this process's memory; use another store")


def _permit(permission: Permission, targets: Sequence[Target]) -> Permission:
    """Return what workers may replace: what they have made themselves, as a block may be done again.

    Of the photos, those alone are kept which have the name of a result; the others are in no danger.
    """
    named = [target.photo for target in targets if is_result(target.photo.name)]
    return replace(permission, inputs=Inputs(named), resumed=True)
