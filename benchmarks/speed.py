"""How fast symface is: photos per second once loaded, and one photo from a cold start.

    python benchmarks/speed.py PHOTOS [--limit N]

Cold-start times are medians of five runs, beside `python -c "import torch"` measured in turn with them, so that the
ratio holds on a noisy machine.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 5


def measure_loaded(photos: list[Path]) -> float:
    """Photos per second from file to written file, the network loaded and warm."""
    from symface_cli.detection import detect
    from symface_cli.images import encode_png, read_photo, write_atomically
    from symface_cli.pipeline import Symmetrizer

    symmetrizer = Symmetrizer()
    with tempfile.TemporaryDirectory() as folder:

        def symmetrize(path: Path) -> None:
            photo = read_photo(path)
            for i, face in enumerate(symmetrizer.symmetrize(photo, detect(photo)[:1])):
                write_atomically(Path(folder, f"{path.stem}-{i}.png"), encode_png(face.image))

        for path in photos[:5]:
            symmetrize(path)
        began = time.perf_counter()
        for path in photos:
            symmetrize(path)
        return len(photos) / (time.perf_counter() - began)


def measure_process(*arguments: str) -> float:
    """Wall-clock seconds of a Python process."""
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def main() -> None:
    """Prints the measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--limit", type=int, default=200)
    options = parser.parse_args()
    paths = sorted(options.photos.rglob("*.jpg"))
    paths = paths[:: max(len(paths) // options.limit, 1)][: options.limit]
    with tempfile.TemporaryDirectory() as folder:
        symmetrize = ("-m", "symface_cli", "symmetrize", str(paths[0]), "--force", "-o", f"{folder}/x.png")
        times = [
            (
                measure_process("-c", "import torch"),
                measure_process(*symmetrize),
                measure_process("-m", "symface_cli", "--help"),
            )
            for _ in range(RUNS)
        ]
    torch, cold, helping = (statistics.median(column) for column in zip(*times, strict=True))
    print(f"import torch                 {torch:6.2f} s")
    print(f"one photo from a cold start  {cold:6.2f} s   (1.3 x import torch + 0.7 s = {1.3 * torch + 0.7:.2f} s)")
    print(f"symface --help               {helping:6.2f} s")
    print(f"photos per second, loaded    {measure_loaded(paths):6.1f}     ({len(paths)} photos)")


if __name__ == "__main__":
    main()
