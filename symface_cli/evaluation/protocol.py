"""The paper's protocol (section 5.2): does a recogniser find the same person in the symmetric face as in the photo?

A face that is not found, by a method or by the recogniser, in the photo or in the result, counts as not recognised.
Every method runs on the same photos.
"""

import multiprocessing
import os
import signal
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from math import inf
from pathlib import Path
from time import perf_counter

import cv2

from symface_cli.errors import DataError, PhotoError, UsageError
from symface_cli.evaluation.methods import PROVIDERS, Provider, choose_methods, provider_of
from symface_cli.evaluation.metrics import mirror_error
from symface_cli.evaluation.recognisers import Embedding, Recogniser, find_recogniser
from symface_cli.images import Photo, read_photo
from symface_cli.training.preparation import Progress, TrainingPhoto, list_photos, split_of

SPLITS = ("test", "validation", "train", "all")


@dataclass(frozen=True)
class Plan:
    """What an evaluation runs.

    Attributes:
        methods: Names of methods.
        recogniser: Name of a recogniser.
        weights: Weights of the network; None for the bundled ones.
        jobs: Processes to use, each on one core; 0 for one per core; 1 is this process itself.
    """

    methods: tuple[str, ...]
    recogniser: str = "dlib"
    weights: Path | None = None
    jobs: int = 0


@dataclass(frozen=True)
class Attempt:
    """What a method made of a photo.

    Attributes:
        found: Whether it found the face, and made a symmetric image at all.
        embedding: (D,) of the symmetric image; None if there is none, or the recogniser sees no face in it.
        mirror_error: Largest difference of the image to its mirror image, in grey levels; None without an image.
        seconds: What it took from the photo to the image, on one core.
    """

    found: bool
    embedding: Embedding | None
    mirror_error: int | None
    seconds: float


@dataclass(frozen=True)
class Examined:
    """What became of a photo.

    Attributes:
        photo: The photo.
        original: Embedding (D,) of the photo itself, None if the recogniser sees no face in it.
        attempts: By method.
        error: Why the photo cannot be read; then nothing else is known.
    """

    photo: TrainingPhoto
    original: Embedding | None = None
    attempts: dict[str, Attempt] = field(default_factory=dict)
    error: str | None = None


def choose_photos(data: Path, split: str = "test", limit: int | None = None) -> list[TrainingPhoto]:
    """The photos of a folder's test, validation or train persons, or of all, sorted by path.

    Args:
        data: A folder of photos, one sub-folder per person.
        split: One of SPLITS.
        limit: Take this many only, evenly spaced; None for all.

    Raises:
        UsageError: If there is no such split, or the limit is below 1.
        DataError: If there is no such photo.
    """
    if split not in SPLITS:
        raise UsageError(f"unknown split {split}; choose from {', '.join(SPLITS)}")
    if limit is not None and limit < 1:
        raise UsageError(f"a limit of {limit} photos leaves nothing to evaluate; give at least 1")
    photos = [photo for photo in list_photos(data) if split in ("all", split_of(photo.identity))]
    if not photos:
        raise DataError(f"{data}: no photos of {split} persons in it; try --split all")
    count = len(photos) if limit is None else min(limit, len(photos))
    return [photos[i * len(photos) // count] for i in range(count)]


def evaluate(photos: Sequence[TrainingPhoto], plan: Plan, progress: Progress) -> Iterator[Examined]:
    """Runs every method on every photo; yields the results in the order of the photos, as they come.

    Raises:
        UsageError: If a method or the recogniser does not exist.
        WeightsError, DataError: If the network or another model cannot be loaded.
    """
    choose_methods(plan.methods)
    find_recogniser(plan.recogniser)
    jobs = min(plan.jobs or os.cpu_count() or 1, max(len(photos), 1))
    results = _run_here(photos, plan) if jobs == 1 else _run_in_pool(photos, plan, jobs)
    for done, result in enumerate(results, 1):
        progress(done, len(photos))
        yield result


def _run_here(photos: Iterable[TrainingPhoto], plan: Plan) -> Iterator[Examined]:
    threads = _use_threads(1, 1)
    try:
        bench = Bench(plan)
        for photo in photos:
            yield bench.examine(photo)
    finally:
        _use_threads(*threads)


def _run_in_pool(photos: Iterable[TrainingPhoto], plan: Plan, jobs: int) -> Iterator[Examined]:
    # Spawned, not forked: torch and a progress bar have threads, which a fork would lose.
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), initializer=_start_worker)
    try:
        yield from pool.map(partial(_examine, plan), photos)
    finally:
        pool.shutdown(cancel_futures=True)


def _start_worker() -> None:
    """One core per process; Ctrl-C is for the parent, which stops its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _use_threads(1, 1)


def _use_threads(opencv: int, pytorch: int) -> tuple[int, int]:
    """Sets how many threads OpenCV and PyTorch use, and returns how many it was."""
    import torch

    before = cv2.getNumThreads(), torch.get_num_threads()
    cv2.setNumThreads(opencv)
    torch.set_num_threads(pytorch)
    return before


@cache
def _bench(plan: Plan) -> "Bench":
    return Bench(plan)


def _examine(plan: Plan, photo: TrainingPhoto) -> Examined:
    # The models are loaded here, not in the initializer: an exception there would only say that the pool is broken.
    return _bench(plan).examine(photo)


class Bench:
    """The models of a plan, loaded, for one photo after the other.

    Raises:
        WeightsError, DataError: If a model cannot be loaded.
    """

    def __init__(self, plan: Plan) -> None:
        self._methods = plan.methods
        self._recogniser: Recogniser = find_recogniser(plan.recogniser)()
        names = dict.fromkeys(provider_of(method) for method in plan.methods)
        self._providers = {name: PROVIDERS[name].load(plan.weights) for name in names}

    def examine(self, photo: TrainingPhoto) -> Examined:
        """Runs the methods on one photo."""
        try:
            pixels = read_photo(photo.path)
        except PhotoError as error:
            return Examined(photo, error=str(error))
        attempts: dict[str, Attempt] = {}
        for name, provider in self._providers.items():
            attempts |= self._try_methods(pixels, provider, PROVIDERS[name].methods)
        return Examined(photo, self._recogniser.embed(pixels), attempts)

    def _try_methods(self, pixels: Photo, provider: Provider, offered: tuple[str, ...]) -> dict[str, Attempt]:
        """A provider's methods; the time of the work that they share counts for each of them."""
        wanted = [method for method in self._methods if method in offered]
        start = perf_counter()
        drawings = provider.prepare(pixels)
        shared = perf_counter() - start
        if drawings is None:
            return {method: Attempt(False, None, None, shared) for method in wanted}
        attempts = {}
        for method in wanted:
            start = perf_counter()
            image = drawings[method]()
            seconds = shared + perf_counter() - start
            attempts[method] = Attempt(True, self._recogniser.embed(image), mirror_error(image), seconds)
        return attempts


def distances(method: str, examined: Sequence[Examined], recogniser: type[Recogniser]) -> list[float]:
    """The recogniser's distance between each photo and a method's symmetric face of it; infinite for a miss."""
    return [_distance(photo.attempts[method].embedding, photo.original, recogniser) for photo in examined]


def mismatched_distances(method: str, examined: Sequence[Examined], recogniser: type[Recogniser]) -> list[float]:
    """Distances between a method's symmetric faces and photos of other persons.

    Each is paired with the next photo, in a circle, of another person. Pairs in which the recogniser misses a face are
    left out: they could only flatter the method.
    """
    results = []
    for i, photo in enumerate(examined):
        following = (*examined[i + 1 :], *examined[:i])
        other = next((other for other in following if other.photo.identity != photo.photo.identity), None)
        distance = inf if other is None else _distance(photo.attempts[method].embedding, other.original, recogniser)
        if distance < inf:
            results.append(distance)
    return results


def _distance(a: Embedding | None, b: Embedding | None, recogniser: type[Recogniser]) -> float:
    return inf if a is None or b is None else recogniser.distance(a, b)
