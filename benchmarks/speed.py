"""How fast symface is, beside what a user would script: MediaPipe's face mesh or dlib's landmarks, one half mirrored.

    python benchmarks/speed.py PHOTOS [--limit N] [--memory N] [--mesh FOLDER]

All go from file to written file, on the same photos, in turn (`benchmarks/peers/`): the photos as they are, and
enlarged to 1 and 12 megapixels, on one core and on two. MediaPipe's package has an environment of its own, which is
made in a folder if it is not there yet: it needs Python 3.9 to 3.12. Cold starts are medians of runs in turn, beside
`python -c "import torch"`, so that ratios hold on a noisy machine.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

PEERS = Path(__file__).parent / "peers"
MEDIAPIPE = "mediapipe==0.10.21"
NAMES = {
    "symmetrize": "symface symmetrize",
    "measure": "symface measure",
    "mesh": "face mesh, mirrored",
    "landmarks": "dlib, mirrored",
}
SIZES = {"1 MP": (1155, 866), "12 MP": (4000, 3000)}
FEWER = {"1 MP": 8, "12 MP": 40}  # so many times fewer photos of these sizes
COLD_RUNS = 5
ROUNDS = 4
FIRST_LOOK = 200  # photos after which memory is looked at first


@dataclass(frozen=True)
class Usage:
    """What something took: seconds on the clock, seconds of processor time, and the most MiB of a process."""

    wall: float
    busy: float
    mebibytes: float


class Crew:
    """Processes that do what a peer does, on one core each.

    Args:
        peer: Its name, that of its script.
        python: What runs it.
        cores: How many processes.
    """

    def __init__(self, peer: str, python: Path, cores: int) -> None:
        self._processes = [
            subprocess.Popen(
                [*_pinned(core), str(python), str(PEERS / f"{peer}.py"), "--crew"],
                env=os.environ | {"OMP_NUM_THREADS": "1"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            for core in range(cores)
        ]

    def work(self, photos: Sequence[Path], folder: Path) -> Usage:
        """Have photos done, each process its share of them."""
        count = len(self._processes)
        for number, process in enumerate(self._processes):
            assert process.stdin is not None
            pairs = [[str(photo), str(folder / f"{photo.stem}.jpg")] for photo in photos[number::count]]
            process.stdin.write(json.dumps(pairs) + "\n")
            process.stdin.flush()
        parts = [self._answer(process) for process in self._processes]
        return Usage(
            max(part.wall for part in parts),
            sum(part.busy for part in parts),
            sum(part.mebibytes for part in parts),
        )

    def stop(self) -> None:
        """End the processes."""
        for process in self._processes:
            process.communicate()

    def _answer(self, process: "subprocess.Popen[str]") -> Usage:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("done "):  # MediaPipe says other things, too
                return Usage(**json.loads(line.removeprefix("done ")))
        raise RuntimeError(f"{process.args} has ended")


def _pinned(core: int) -> list[str]:
    """Return the command that runs another one on a core alone, where there is one."""
    return ["taskset", "-c", str(core)] if shutil.which("taskset") else []


@contextmanager
def mesh_environment(folder: Path | None) -> Iterator[Path]:
    """Yield the Python of an environment that has MediaPipe, made in a folder; None is one for the time being."""
    with ExitStack() as stack:
        place = folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        python = place / "bin" / "python"
        if not python.exists():
            names = (sys.executable, "python3.12", "python3.11", "python3.10")
            maker = next(name for name in names if _minor_version(name) in range(9, 13))
            subprocess.run([maker, "-m", "venv", str(place)], check=True)
            subprocess.run([str(python), "-m", "pip", "install", "--quiet", MEDIAPIPE], check=True)
        yield python


def _minor_version(python: str) -> int:
    """Return 12 for Python 3.12; 0 if it is not there."""
    command = [python, "-c", "import sys; print(sys.version_info.minor)"]
    return int(subprocess.run(command, capture_output=True, text=True).stdout or 0) if shutil.which(python) else 0


def compare_rates(pythons: Mapping[str, Path], photos: Sequence[Path], cores: int, title: str) -> None:
    """Print what each peer takes for a photo, everything loaded and warm: the sum of rounds in turn."""
    crews = {peer: Crew(peer, python, cores) for peer, python in pythons.items()}
    used: dict[str, list[Usage]] = {peer: [] for peer in crews}
    with tempfile.TemporaryDirectory() as folder:
        for crew in crews.values():
            crew.work(photos[: 4 * cores], Path(folder))
        for number in range(ROUNDS):
            for peer, crew in crews.items():
                used[peer].append(crew.work(photos[number::ROUNDS], Path(folder)))
    for peer, usages in used.items():
        crews[peer].stop()
        wall, busy = (sum(getattr(usage, name) for usage in usages) for name in ("wall", "busy"))
        mesh = busy / sum(usage.busy for usage in used["mesh"])
        print(
            f"{title:8s} {cores} core{'s' * (cores > 1):1s} {NAMES[peer]:20s} {1000 * busy / len(photos):8.2f} ms of "
            f"processor time ({mesh:5.2f} x the mesh), {len(photos) / busy:6.1f} photos per second of it, "
            f"{len(photos) / wall:6.1f} on the clock, {usages[-1].mebibytes:5.0f} MiB"
        )


def start_cold(command: Sequence[str]) -> Usage:
    """Run a command, and return what it took."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Usage(time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def measure_cold_starts(photos: Mapping[str, Path], mesh: Path) -> None:
    """Print what single commands take, as medians."""
    with tempfile.TemporaryDirectory() as folder:
        symface = (sys.executable, "-m", "symface_cli", "symmetrize", "--force", "-o", f"{folder}/x.jpg")
        commands = {"import torch": (sys.executable, "-c", "import torch")}
        for size, photo in photos.items():
            commands[f"symface symmetrize, {size}"] = (*symface, str(photo))
            commands[f"face mesh, mirrored, {size}"] = (
                str(mesh),
                str(PEERS / "mesh.py"),
                str(photo),
                f"{folder}/y.jpg",
            )
        commands["symface --help"] = (sys.executable, "-m", "symface_cli", "--help")
        runs = [{name: start_cold(command) for name, command in commands.items()} for _ in range(COLD_RUNS)]
    for name in commands:
        wall, busy, mebibytes = (
            statistics.median(getattr(run[name], of) for run in runs) for of in ("wall", "busy", "mebibytes")
        )
        torch = statistics.median(run[name].busy / run["import torch"].busy for run in runs)
        print(
            f"cold {name:28s} {wall:6.2f} s, {busy:6.2f} s of processor time ({torch:4.2f} x import torch), "
            f"{mebibytes:4.0f} MiB"
        )


def measure_memory(photos: Sequence[Path], count: int, python: Path) -> None:
    """Print how much memory one long batch has had early on and at its end."""
    crew = Crew("symmetrize", python, 1)
    with tempfile.TemporaryDirectory() as folder:
        before = crew.work((list(photos) * FIRST_LOOK)[:FIRST_LOOK], Path(folder)).mebibytes
        for _ in range(FIRST_LOOK, count, FIRST_LOOK):
            after = crew.work((list(photos) * FIRST_LOOK)[:FIRST_LOOK], Path(folder)).mebibytes
    crew.stop()
    print(f"memory after {FIRST_LOOK} / {count} photos {before:.0f} / {after:.0f} MiB ({after / before - 1:+.1%})")


def enlarge(photos: Sequence[Path], size: str, folder: Path) -> list[Path]:
    """Enlarge photos to a size."""
    (folder / size).mkdir()
    enlarged = [folder / size / photo.name for photo in photos]
    for photo, result in zip(photos, enlarged, strict=True):
        with Image.open(photo) as image:
            image.convert("RGB").resize(SIZES[size], Image.Resampling.BICUBIC).save(result, quality=92)
    return enlarged


def main() -> None:
    """Print the measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--limit", type=int, default=600)
    parser.add_argument("--memory", type=int, default=0, metavar="N", help="also: memory over N photos")
    parser.add_argument("--mesh", type=Path, metavar="FOLDER", help="environment of MediaPipe's package, kept there")
    parser.add_argument("--peers", nargs="+", choices=NAMES, default=list(NAMES), help="beside the face mesh")
    options = parser.parse_args()
    paths = sorted(options.photos.rglob("*.jpg"))
    paths = paths[:: max(len(paths) // options.limit, 1)][: options.limit]
    with mesh_environment(options.mesh) as mesh, tempfile.TemporaryDirectory() as folder:
        pythons = {
            peer: mesh if peer == "mesh" else Path(sys.executable) for peer in dict.fromkeys(("mesh", *options.peers))
        }
        photos = {"as is": paths}
        for size, fewer in FEWER.items():
            photos[size] = enlarge(paths[::fewer], size, Path(folder))
        measure_cold_starts({size: some[0] for size, some in photos.items()}, mesh)
        for cores in sorted({1, min(os.cpu_count() or 1, 2)}):
            for size, some in photos.items():
                compare_rates(pythons, some, cores, size)
    if options.memory:
        measure_memory(paths, options.memory, Path(sys.executable))


if __name__ == "__main__":
    main()
