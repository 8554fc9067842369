"""How a peer is run: one photo named on the command line, or many, round by round, as they are asked for.

python PEER.py PHOTO RESULT     one photo
python PEER.py --crew           lines of JSON on standard input: [[PHOTO, RESULT], ...]; each is answered by another
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

Pair = tuple[Path, Path]


def run(work: Callable[[Sequence[Pair]], object]) -> None:
    """Do what the command line asks for, by what works on pairs of a photo and its result."""
    if sys.argv[1] != "--crew":
        work([(Path(sys.argv[1]), Path(sys.argv[2]))])
        return
    for line in sys.stdin:
        pairs = [(Path(photo), Path(result)) for photo, result in json.loads(line)]
        began, before = time.perf_counter(), _processor_time()
        if pairs:  # of few photos, some of a crew get none
            work(pairs)
        wall, busy = time.perf_counter() - began, _processor_time() - before
        print("done", json.dumps({"wall": wall, "busy": busy, "mebibytes": _memory()}), flush=True)


def _processor_time() -> float:
    """Return the seconds that this process and those that it has ended have computed."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _memory() -> float:
    """Return the most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
