"""How quick `symface serve` is, and how much memory it takes.

    python benchmarks/serve.py [--jobs N] [--photos N] [--rounds N]

A photo of 12 megapixels, made of an example, is sent as the page sends it; then sliders are moved. Then 50 requests
come at once, half of them with damaged photos, several times. Memory is what all processes have for themselves, and
their part of what they share (Linux).
"""

import argparse
import io
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
from PIL import Image

EXAMPLE = Path(__file__).parents[1] / "examples" / "portrait.jpg"
JPEG = {"Content-Type": "image/jpeg"}
SIZE = (4000, 3000)
SCREEN = 1280
AT_ONCE = 50


@contextmanager
def serving(jobs: int) -> Iterator[tuple[httpx.Client, int]]:
    """Serve, and give what asks the server, and its process."""
    command = [sys.executable, "-m", "symface_cli", "serve", "--port", "0", "--no-browser", "--jobs", str(jobs)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        try:
            with httpx.Client(base_url=address, timeout=300) as client:
                yield client, process.pid
        finally:
            process.terminate()


def large_photo() -> bytes:
    """Return the example beside plain margins, enlarged."""
    example = Image.open(EXAMPLE)
    scene = Image.new("RGB", (example.height * SIZE[0] // SIZE[1], example.height), (200, 205, 210))
    scene.paste(example, ((scene.width - example.width) // 2, 0))
    stream = io.BytesIO()
    scene.resize(SIZE, Image.Resampling.LANCZOS).save(stream, "JPEG", quality=92)
    return stream.getvalue()


def show_times(client: httpx.Client, count: int) -> None:
    """Print how long it takes until a photo's result is there, and until a slider's move is."""
    photo, arrivals, moves = large_photo(), [], []
    for _ in range(count):
        start = time.perf_counter()
        path = client.post("/api/photos", content=photo, headers=JPEG).headers["location"]
        client.get(path, params={"screen": SCREEN})
        move_slider(client, path, 1.0)
        arrivals.append(time.perf_counter() - start)
        moves += [move_slider(client, path, shape) for shape in (0.8, 0.3, -0.5, 1.2)]
        client.delete(path)
    for name, times in (("photo sent to result", arrivals), ("slider moved to result", moves)):
        print(f"{name}: {statistics.median(times):.2f} s in the median, at most {max(times):.2f} s")


def move_slider(client: httpx.Client, path: str, shape: float) -> float:
    """Ask for the result, and return how long that took."""
    start = time.perf_counter()
    client.post(f"{path}/symmetrize", data={"screen": SCREEN, "shape": shape}).raise_for_status()
    return time.perf_counter() - start


def memory_of(process: int) -> int:
    """Return the megabytes of a process and those that it started; a page that several share counts once."""
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if int(folder.name) == process:
                total += int((folder / "smaps_rollup").read_text().split("Pss:")[1].split()[0]) // 1024
            elif parent == process:
                total += memory_of(int(folder.name))
        except (OSError, IndexError):
            continue
    return total


def show_crowds(client: httpx.Client, process: int, rounds: int) -> None:
    """Print what many requests at once take."""
    good = EXAMPLE.read_bytes()
    right = client.post("/api/symmetrize", content=good, headers=JPEG).content

    def ask(number: int) -> bool:
        content = good if number % 2 else good[: len(good) // 2]
        answer = client.post("/api/symmetrize", content=content, headers=JPEG)
        return answer.content == right if number % 2 else answer.status_code == 422

    for _ in range(rounds):
        start = time.perf_counter()
        with ThreadPoolExecutor(AT_ONCE) as threads:
            answered = sum(threads.map(ask, range(AT_ONCE)))
        seconds = time.perf_counter() - start
        print(f"{AT_ONCE} at once: {answered} answered rightly in {seconds:.1f} s; {memory_of(process)} MB")


def main() -> None:
    """Measure, and print what comes of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--photos", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=4)
    options = parser.parse_args()
    with serving(options.jobs) as (client, process):
        print(f"idle: {memory_of(process)} MB")
        show_times(client, options.photos)
        print(f"afterwards: {memory_of(process)} MB")
        show_crowds(client, process, options.rounds)


if __name__ == "__main__":
    main()
