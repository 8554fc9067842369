"""A Ray cluster: found, or started here."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from symface_cli.errors import MissingExtraError, UsageError
from symface_cli.parallel.cores import available_cores


@dataclass(frozen=True)
class ClusterSettings:
    """Where the work is done.

    Attributes:
        address: "auto" for the cluster that this machine belongs to, or RAY_ADDRESS names; "local" for one that is
            started here and ends with the work; ray://HOST:PORT for another.
        workers: How many workers; 0 for one per core of the cluster.
    """

    address: str = "auto"
    workers: int = 0


@dataclass(frozen=True)
class Crew:
    """Workers that a cluster has room for.

    Attributes:
        workers: How many.
        gpus_each: Share of a GPU for each; 0 without.
    """

    workers: int
    gpus_each: float = 0.0

    def gpu_options(self) -> dict[str, float]:
        """Return what Ray is to give each worker of the GPUs; their processes are kept, as those without GPUs are."""
        return {"num_gpus": self.gpus_each, "max_calls": 0} if self.gpus_each else {}


@contextmanager
def connected(settings: ClusterSettings) -> Iterator[Crew]:
    """Connect to the cluster while the context lasts, and say what workers it has room for.

    Raises:
        MissingExtraError: If Ray is not installed.
        UsageError: If there is no cluster.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # what goes wrong is in Ray's logs, and said in one line
    os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".")  # of what Ray would print: nothing of a worker that dies
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # a worker without a GPU leaves that as it is
    try:
        import ray
    except ImportError as error:
        raise MissingExtraError("Ray is not installed", "ray") from error
    was_there = ray.is_initialized()
    if not was_there:
        _connect(settings)
    try:
        yield _find_crew(settings.workers)
    finally:
        if not was_there:
            ray.shutdown()


@contextmanager
def _silent() -> Iterator[None]:
    """Let what Ray's C++ parts write to standard error when they start go nowhere."""
    before, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)
        os.close(nowhere)


def _connect(settings: ClusterSettings) -> None:
    import ray

    is_local = settings.address == "local"
    options = {"num_cpus": settings.workers or available_cores(), "include_dashboard": False} if is_local else {}
    try:
        with warnings.catch_warnings(), _silent():
            warnings.simplefilter("ignore")
            ray.init(settings.address, log_to_driver=False, logging_level=logging.ERROR, **options)
    except (ConnectionError, OSError, RuntimeError, ValueError, TimeoutError) as error:
        with suppress(Exception):
            ray.shutdown()
        reason = " ".join(str(error).split())[:200]
        raise UsageError(f"no Ray cluster at {settings.address} ({reason}); start one, or use local") from error


def _find_crew(wanted: int) -> Crew:
    import ray

    resources = ray.cluster_resources()
    most = int(resources.get("CPU", 0))
    if not 1 <= (wanted or most) <= most:
        raise UsageError(f"the cluster has room for {most} workers, one for each CPU")
    workers = wanted or most
    gpus = float(resources.get("GPU", 0.0))
    return Crew(workers, min(1.0, gpus / workers))
