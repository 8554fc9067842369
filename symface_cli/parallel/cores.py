"""How many cores this process may use; PyTorch and OpenCV are not imported for that."""

import math
import os
import sys
from contextlib import suppress
from pathlib import Path, PurePosixPath

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUPS = Path("/proc/self/cgroup")


def available_cores() -> int:
    """Return how many cores this process may use: under taskset, Slurm or in a container, fewer than there are."""
    if sys.version_info >= (3, 13):
        cores = os.process_cpu_count() or 1
    elif hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return max(math.ceil(min(cores, _quota())), 1)


def limit_torch(threads: int | None) -> int | None:
    """Limit PyTorch, where it is loaded, to a number of threads, None for no other; return how many it had.

    That is None where it is not loaded: whoever loads it later limits it then.
    """
    torch = sys.modules.get("torch")
    if torch is None:
        return None
    before: int = torch.get_num_threads()
    if threads is not None:
        torch.set_num_threads(threads)
    return before


def _quota() -> float:
    """Return of how many cores the control groups of this process, a container's, allow the time."""
    try:
        groups = [line.split(":", 2) for line in OWN_CGROUPS.read_text().splitlines()]
    except OSError:  # not Linux
        return math.inf
    quotas = [math.inf]
    for _, controllers, name in groups:
        if controllers in ("", "cpu") or "cpu" in controllers.split(","):
            group = PurePosixPath(name.lstrip("/"))  # inside of a container, that may be its name outside
            root = CGROUPS / "cpu" if controllers else CGROUPS
            quotas += [_quota_of(root / above) for above in (group, *group.parents)]
    return min(quotas)


def _quota_of(group: Path) -> float:
    """Return the quota of one control group, in cores; infinite if it has none."""
    for names in (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")):  # versions 2 and 1
        with suppress(OSError, ValueError):  # ValueError: "max"
            quota, period = (int(number) for name in names for number in (group / name).read_text().split())
            return quota / period if quota > 0 else math.inf
    return math.inf
