"""How fast symface is, beside the obvious alternative: dlib's detector and landmarks, and one half mirrored.

    python benchmarks/speed.py PHOTOS [--limit N] [--memory N]

Both go from file to written file, on the same photos in turn, on one core and on all. Cold-start times are medians of
five runs, beside `python -c "import torch"` measured in turn with them, so that the ratio holds on a noisy machine.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import cache
from multiprocessing import active_children, get_context
from pathlib import Path

from PIL import Image

RUNS = 5
ROUNDS = 3
LARGE = (4000, 3000)  # px: 12 megapixels
FIRST_LOOK = 200  # photos after which memory is looked at first


def symmetrize_all(photos: Sequence[Path], folder: Path, jobs: int) -> None:
    """Do what `symface symmetrize` does with many photos, the network loaded."""
    from symface_cli.batch.runner import Batch, BatchOptions
    from symface_cli.batch.targets import choose_targets

    for _ in Batch(_planner(), choose_targets(photos, f"{folder}/"), BatchOptions(force=True, jobs=jobs)).run():
        pass


@cache
def _planner() -> object:
    from symface_cli.detection.selection import Selection
    from symface_cli.inference.symmetrizer import Symmetrizer
    from symface_cli.rendering.options import OutputOptions
    from symface_cli.rendering.plan import NetworkPlanner

    return NetworkPlanner(Symmetrizer(engine="torch"), OutputOptions(), Selection())


def mirror_one(photo: Path, result: Path) -> None:
    """Do the alternative for one photo: mirror a half about dlib's midline."""
    from symface_cli.imaging.photo import encode_png, read_photo
    from symface_cli.methods.baselines import level, mirror_half
    from symface_cli.writing import write_file

    pixels = read_photo(photo)
    for landmarks in _dlib().find_faces(pixels):
        write_file(result, encode_png(mirror_half(level(pixels, landmarks), "left")), replace=True)


@cache
def _dlib() -> object:
    from symface_cli.landmarks.dlib import DlibLandmarks

    return DlibLandmarks()


def use_one_thread() -> None:
    """One thread for each library that the alternative uses, as symface has it in a batch."""
    import cv2
    from threadpoolctl import threadpool_limits

    _dlib()  # with NumPy, whose BLAS has to be there to be limited
    cv2.setNumThreads(1)
    threadpool_limits(1, "blas")


def photos_per_second(task: Callable[[], object], count: int) -> float:
    """Rate of a task that works through so many photos."""
    began = time.perf_counter()
    task()
    return count / (time.perf_counter() - began)


def compare_rates(photos: Sequence[Path], jobs: int) -> tuple[float, float]:
    """Photos per second of symface and of the alternative: medians of rounds in turn, everything loaded and warm."""
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as name, get_context("spawn").Pool(jobs, use_one_thread) as pool:
        folder = Path(name)
        pairs = [(photo, folder / f"{i}.png") for i, photo in enumerate(photos)]
        pool.starmap(mirror_one, pairs[: 4 * jobs])
        symmetrize_all(photos[:5], folder, jobs)
        for _ in range(ROUNDS):
            ours.append(photos_per_second(lambda: symmetrize_all(photos, folder, jobs), len(photos)))
            theirs.append(photos_per_second(lambda: pool.starmap(mirror_one, pairs), len(photos)))
    return statistics.median(ours), statistics.median(theirs)


def measure_process(*arguments: str) -> float:
    """Wall-clock seconds of a Python process."""
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def measure_cold_starts(photo: Path) -> None:
    """Print what single commands take, and the most memory that one of them had."""
    with tempfile.TemporaryDirectory() as folder:
        large = f"{folder}/large.jpg"
        with Image.open(photo) as image:
            image.convert("RGB").resize(LARGE).save(large)
        command = ("-m", "symface_cli", "symmetrize", "--force", "-o", f"{folder}/x.jpg")
        runs = (("-c", "import torch"), (*command, str(photo)), (*command, large), ("-m", "symface_cli", "--help"))
        times = [[measure_process(*arguments) for arguments in runs] for _ in range(RUNS)]
    torch, small, twelve, helping = (statistics.median(column) for column in zip(*times, strict=True))
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"import torch                        {torch:6.2f} s")
    print(f"one photo from a cold start         {small:6.2f} s")
    print(f"12 megapixels from a cold start     {twelve:6.2f} s, at most {memory:.0f} MiB")
    print(f"symface --help                      {helping:6.2f} s")


def measure_memory(photos: Sequence[Path], count: int) -> None:
    """Print how much memory one long batch has early on and at its end."""
    from symface_cli.batch.runner import Batch, BatchOptions
    from symface_cli.batch.targets import Targets, choose_targets

    many = (list(photos) * (count // len(photos) + 1))[:count]
    resident = {}
    with tempfile.TemporaryDirectory() as name:
        targets = Targets(tuple(target for photo in many for target in choose_targets([photo], f"{name}/").items))
        for number, _ in enumerate(Batch(_planner(), targets, BatchOptions(force=True)).run(), 1):
            if number in (FIRST_LOOK, count):  # the processes are still there
                resident[number] = proportional_memory()
    before, after = resident.values()
    print(f"memory after {FIRST_LOOK} / {count} photos      {before:.0f} / {after:.0f} MiB ({after / before - 1:+.1%})")


def proportional_memory() -> float:
    """MiB of memory that this process and its children have, what they share counted once (Linux)."""
    processes = [os.getpid(), *(process.pid for process in active_children())]
    rollups = [Path(f"/proc/{process}/smaps_rollup").read_text() for process in processes]
    return sum(int(line.split()[1]) for text in rollups for line in text.splitlines() if line.startswith("Pss:")) / 1024


def main() -> None:
    """Print the measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--limit", type=int, default=600)
    parser.add_argument("--memory", type=int, default=0, metavar="N", help="also: memory over N photos")
    options = parser.parse_args()
    paths = sorted(options.photos.rglob("*.jpg"))
    paths = paths[:: max(len(paths) // options.limit, 1)][: options.limit]
    measure_cold_starts(paths[0])
    for jobs in sorted({1, os.cpu_count() or 1}):
        ours, theirs = compare_rates(paths, jobs)
        rates = f"{ours:5.1f} photos/s, dlib and mirroring {theirs:5.1f}: {ours / theirs:.2f} times as fast"
        print(f"{len(paths)} photos on {jobs} core{'s' * (jobs > 1)}               {rates}")
    if options.memory:
        measure_memory(paths, options.memory)


if __name__ == "__main__":
    main()
