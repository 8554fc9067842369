"""Where the time of a photo goes that `symface symmetrize` makes symmetric in a batch, on one core.

    python benchmarks/steps.py PHOTOS [--engine onnxruntime|torch] [--limit N] [--runs N]

Processor time in ms, the mean over photos of the least of several runs: what else a machine does makes it longer only.
"""

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from symface_cli.batch import results, runner
from symface_cli.batch.manifest import Manifest
from symface_cli.batch.permission import Permission
from symface_cli.batch.targets import choose_targets
from symface_cli.detection import selection
from symface_cli.inference import symmetrizer
from symface_cli.parallel.work import one_thread
from symface_cli.rendering import renderers
from symface_cli.rendering.morphing import Morph
from symface_cli.rendering.options import OutputOptions
from symface_cli.rendering.plan import NetworkPlanner
from symface_cli.writing import Inputs

STEPS: dict[str, tuple[tuple[Any, str], ...]] = {  # which functions of which modules are a step
    "file read and decoded": ((runner, "read_source"),),
    "faces detected": ((selection, "detect"),),
    "crop": ((symmetrizer, "resample"),),
    "sides registered": ((symmetrizer, "_register"),),
    "described, irises found": ((symmetrizer, "_describe"), (symmetrizer, "_hidden_amount")),
    "morphed": ((Morph, "__init__"), (Morph, "in_photo")),
    "encoded": ((renderers, "encode_picture"),),
    "written": ((results, "write_result"),),
    "recorded": ((runner, "find_state"), (Manifest, "add"), (NetworkPlanner, "_record")),
}


class Clock:
    """Adds up the time of steps while one photo is worked on."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Count what is done within as a step."""
        began = time.process_time()
        yield
        self.spent[name] += time.process_time() - began

    def watch(self, name: str, place: Any, function: str) -> None:
        """Count a function of a module or class as a step."""
        inner: Callable[..., Any] = getattr(place, function)

        def timed(*values: Any, **options: Any) -> Any:
            with self.step(name):
                return inner(*values, **options)

        setattr(place, function, timed)


def measure(photos: list[Path], engine: symmetrizer.EngineChoice, runs: int) -> dict[str, float]:
    """Return the ms that a photo takes, by step."""
    clock, least = Clock(), defaultdict[str, float](float)
    for name, functions in STEPS.items():
        for place, function in functions:
            clock.watch(name, place, function)
    network = symmetrizer.Symmetrizer(engine=engine)
    clock.watch("located by the network", type(network.engine), "locate")
    planner = NetworkPlanner(network, OutputOptions(), selection.Selection())
    with tempfile.TemporaryDirectory() as folder:
        targets = choose_targets(photos, f"{folder}/")
        permission = Permission(inputs=Inputs(targets.photos), force=True, resumed=False, made=set())
        manifest = Manifest(Path(folder) / "manifest.jsonl", planner.parameters)
        for target in targets.items:
            found: dict[str, list[float]] = defaultdict(list)
            for _ in range(runs):
                clock.spent.clear()
                with clock.step("all"):
                    manifest.add(runner.symmetrize_photo(planner, permission, target))
                for name, seconds in clock.spent.items():
                    found[name].append(seconds)
            for name, times in found.items():
                least[name] += 1000 * min(times) / len(photos)
    return dict(least)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--engine", choices=("onnxruntime", "torch"), default="onnxruntime")
    parser.add_argument("--limit", type=int, default=40)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    paths = sorted(options.photos.rglob("*.jpg"))
    with one_thread():
        least = measure(paths[:: max(len(paths) // options.limit, 1)][: options.limit], options.engine, options.runs)
    for name in ("located by the network", *STEPS):
        print(f"{name:24s} {least.get(name, 0):6.2f} ms")
    whole = least.pop("all")
    print(f"{'the rest':24s} {whole - sum(least.values()):6.2f} ms\n{'all':24s} {whole:6.2f} ms")


if __name__ == "__main__":
    main()
