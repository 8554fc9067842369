"""A job of Ray Data: the list of photos in small blocks, workers, results, and checkpoints by which it goes on."""

import hashlib
import json
import logging
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from symface_cli.batch.targets import Target
from symface_cli.cluster.connection import Crew
from symface_cli.cluster.ledger import Ledger
from symface_cli.cluster.store import JobFolder
from symface_cli.cluster.worker import Duty, Task, describe_target, do_block
from symface_cli.errors import Hint, SymfaceError, WorkerError
from symface_cli.files import Progress

MOST_TRIES = 20  # of each block, whose workers die: then it is not the photos
LARGEST_BLOCK = 200  # photos, which are done again when their worker dies
BLOCKS_EACH = 10  # for each worker, so that all end at about the same time
PAUSE = 0.5  # s between two looks at how many are done


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is to be done.

    Attributes:
        task: With each photo.
        targets: The photos.
        settings: What results depend on, as JSON can hold it: only a job of the same is gone on with.
        folder: Where the job keeps its state, in a folder that all nodes see.
        resume: Whether to go on with a job that was stopped.
    """

    task: Task
    targets: Sequence[Target]
    settings: Mapping[str, object]
    folder: Path
    resume: bool = False


def run_job(job: Job, crew: Crew, progress: Progress) -> Iterator[tuple[Target, Any]]:
    """Do a job, and yield the photos with their results when it is done; its state is removed after the last one.

    Raises:
        WorkerError: If the workers die, whatever photos they are given. What was done is kept.
        SymfaceError: What a worker cannot load.
    """
    by_id = {_identify(target, job.settings): target for target in job.targets}
    store = JobFolder(job.folder, job.settings)
    if not job.resume:
        store.remove()
    if by_id:
        _run(job, by_id, crew, store, progress)
    return _take_results(store, by_id)


def _take_results(store: JobFolder, by_id: Mapping[str, Target]) -> Iterator[tuple[Target, Any]]:
    for name, result in store.read_results():
        if name in by_id:
            yield by_id[name], json.loads(result)
    store.remove()


def _identify(target: Target, settings: Mapping[str, object]) -> str:
    """Return what tells a photo, as it is now, from all others."""
    try:
        found = target.photo.stat()
        state = [found.st_size, found.st_mtime_ns]
    except (OSError, SymfaceError):
        state = []
    text = json.dumps([describe_target(target), state, settings])
    return hashlib.sha256(text.encode()).hexdigest()


def _run(job: Job, by_id: Mapping[str, Target], crew: Crew, store: JobFolder, progress: Progress) -> None:
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    store.write_photos({name: describe_target(target) for name, target in by_id.items()})
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)  # others may be lost
    ledger = ray.remote(Ledger).options(num_cpus=0, scheduling_strategy=here).remote()
    workers = min(crew.workers, len(by_id))
    blocks = min(len(by_id), max(workers * BLOCKS_EACH, -(-len(by_id) // LARGEST_BLOCK)))
    needs = {"num_cpus": 1, "max_retries": MOST_TRIES} | crew.gpu_options()
    with _quiet(store), _watched(ledger, len(by_id), progress), _explained():
        photos = ray.data.read_parquet(
            store.photos,
            filesystem=store.arrow,
            override_num_blocks=blocks,
            num_cpus=0,  # all CPUs are the workers'
        )
        results = photos.map_batches(
            do_block,
            batch_size=len(by_id) // blocks,  # a whole block, or all of it but one photo
            batch_format="pyarrow",
            fn_kwargs={"duty": Duty(job.task, ledger)},
            concurrency=workers,
            **needs,
        )
        # of the same needs, so that it is done by the same processes
        results.write_parquet(store.results, filesystem=store.arrow, concurrency=workers, ray_remote_args=needs)


@contextmanager
def _quiet(store: JobFolder) -> Iterator[None]:
    """Set Ray Data up for a job: checkpoints on, and nothing printed."""
    from ray.data import DataContext
    from ray.data.checkpoint import CheckpointConfig

    context = DataContext.get_current()
    before = context.checkpoint_config, context.enable_progress_bars, context.use_datasource_v2
    context.checkpoint_config = CheckpointConfig(
        "id", store.checkpoint, delete_checkpoint_on_success=False, override_filesystem=store.arrow
    )
    context.enable_progress_bars = False
    context.use_datasource_v2 = False  # it starts a crowd of processes to read one list
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        context.checkpoint_config, context.enable_progress_bars, context.use_datasource_v2 = before


@contextmanager
def _watched(ledger: Any, total: int, progress: Progress) -> Iterator[None]:
    """Tell how many photos are done, as the ledger counts them."""
    import ray
    from ray.exceptions import RayError

    over = threading.Event()

    def look() -> None:
        while not over.wait(PAUSE):
            with suppress(RayError):
                progress(min(ray.get(ledger.count.remote()), total), total)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def _explained() -> Iterator[None]:
    """Say in one line why a job ended.

    Raises:
        SymfaceError: What a worker has raised; else a WorkerError.
    """
    from ray.exceptions import RayError

    try:
        yield
    except RayError as error:
        cause = getattr(error, "cause", None)
        if isinstance(cause, SymfaceError):
            raise cause from error
        reason = " ".join(str(error).split())[:200]
        raise WorkerError(f"the cluster gave the work up ({reason}); go on when it is whole", Hint.RESUME) from error
