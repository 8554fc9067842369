"""The paper's protocol (section 5.2): does a recognizer find the same person in the symmetric face as in the photo?

A face that is not found, by a method or by the recognizer, in the photo or in the result, counts as not recognized.
Every method runs on the same photos, and every recognizer looks at the same symmetric faces.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import product
from pathlib import Path
from time import perf_counter
from typing import NamedTuple, Protocol

from symface_cli.data.datasets import DatasetPhoto
from symface_cli.detection.detector import count_agreeing
from symface_cli.errors import MissingExtraError, SymfaceError, WorkerError, attempt
from symface_cli.evaluation.metrics import mirror_error
from symface_cli.evaluation.occluders import NO_OCCLUDER, find_condition, occlude
from symface_cli.evaluation.photos.changes import PhotoChange
from symface_cli.evaluation.photos.labels import LabelSource, PhotoLabels, labels_under
from symface_cli.evaluation.photos.making import MadeImage, ShownPhoto, check_outputs, make_image
from symface_cli.files import Progress, checksum
from symface_cli.geometry.frames import center_of
from symface_cli.geometry.types import Landmarks, Photo
from symface_cli.imaging.photo import read_photo
from symface_cli.landmarks.dlib import DlibLandmarks
from symface_cli.methods.provider import ProvidedFace, Provider
from symface_cli.methods.registry import find_method, providers_of
from symface_cli.parallel.work import work_through
from symface_cli.recognition.recognizer import Embedding, Recognizer
from symface_cli.recognition.registry import find_recognizer
from symface_cli.rendering.options import Output


class Key(NamedTuple):
    """What was tried on a photo.

    Under one of `occluders.CONDITIONS`, with a method, judged by a recognizer, which was shown the aligned face or the
    whole photo.
    """

    condition: str
    method: str
    recognizer: str
    output: Output = Output.FACE


@dataclass(frozen=True, kw_only=True)
class EvaluationPlan:
    """What an evaluation runs.

    Attributes:
        methods: Names of methods.
        recognizers: Names of recognizers.
        conditions: What is put in front of the faces, of occluders.CONDITIONS.
        outputs: What is made of them, of making.OUTPUTS.
        labels: What the photos' pixels show, for whole photos; None if that is not known.
        weights: Weights of the network; None for the bundled ones.
        model_folder: The user's own folder of published models; None for SYMFACE_MODEL_DIR.
        jobs: Processes to use, each on one core; 0 for one per core; 1 is this process itself.
    """

    methods: tuple[str, ...]
    recognizers: tuple[str, ...] = ("dlib",)
    conditions: tuple[str, ...] = (NO_OCCLUDER,)
    outputs: tuple[Output, ...] = (Output.FACE,)
    labels: LabelSource | None = None
    weights: Path | None = None
    model_folder: Path | None = None
    jobs: int = 0

    def wanted(self) -> list[Key]:
        """List what is to be tried on every photo."""
        return [Key(*names) for names in product(self.conditions, self.methods, self.recognizers, self.outputs)]


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """Result of one method on one photo, seen by a recognizer.

    Attributes:
        found: Whether the method found the face, and made a symmetric image at all.
        embedding: (D,) of the symmetric image; None if there is none, or the recognizer sees no face in it.
        mirror_error: Largest difference of the aligned face to its mirror image, in gray levels; None without one.
        seconds: What it took from the photo to the image, on one core, without the recognizer.
        change: What has changed in the photo; None for an aligned face, and without an image.
        error: What the method or the recognizer failed with, which is not kept: a run that is resumed tries again.
    """

    found: bool
    embedding: Embedding | None
    mirror_error: int | None
    seconds: float
    change: PhotoChange | None = None
    error: SymfaceError | None = None


@dataclass(frozen=True, kw_only=True)
class PhotoResult:
    """Everything that is known of a photo; a part of it, before the evaluation.

    Attributes:
        photo: The photo.
        digest: SHA-256 of its file, in hexadecimal; empty if it cannot be read.
        labels: SHA-256 of what its pixels show, as `PhotoLabels.digest`; empty if that is not known.
        landmarks: dlib's, (68, 2), of the photo without an occluder; None if dlib finds no face, or is not installed.
        agreeing: Windows of the Viola-Jones detector that agree on the face nearest to the photo's center; 0 without.
        originals: By recognizer: embedding (D,) of the photo without an occluder, None if it sees no face.
        attempts: By condition, method, recognizer and output.
        error: Why the photo cannot be read or looked at; then nothing else is known.
    """

    photo: DatasetPhoto
    digest: str = ""
    labels: str = ""
    landmarks: Landmarks | None = None
    agreeing: int = 0
    originals: Mapping[str, Embedding | None] = field(default_factory=dict)
    attempts: Mapping[Key, Attempt] = field(default_factory=dict)
    error: SymfaceError | None = None

    def missing(self, plan: EvaluationPlan) -> list[Key]:
        """List what the plan wants to know and is not known yet."""
        return [key for key in plan.wanted() if key not in self.attempts]


class ResultStore(Protocol):
    """Keeps results, so that a stopped evaluation can go on."""

    def load(self, photo: DatasetPhoto, digest: str, labels: str = "") -> PhotoResult:
        """Load what is known of a photo whose file and labels have these digests: all, a part, or nothing."""

    def save(self, result: PhotoResult) -> None:
        """Add what is new."""


def evaluate(
    photos: Sequence[DatasetPhoto], plan: EvaluationPlan, progress: Progress, store: ResultStore | None = None
) -> Iterator[PhotoResult]:
    """Run every method on every photo; yield the results in the order of the photos, as they come.

    What the store has is not computed again; what is new is saved there, photo by photo.

    Raises:
        UsageError: If a method, a recognizer or a condition does not exist, or a method does not make an output.
        DataError: If labels cannot be read.
        SymfaceError: If the network or another model cannot be loaded.
    """
    check_plan(plan)
    labels = None if plan.labels is None else PhotoLabels(plan.labels)
    known = [_load(photo, labels, store) for photo in photos]
    tasks = [result for result in known if result.missing(plan)]
    with closing(work_through(_make_worker, plan, tasks, plan.jobs, _lose)) as computed:
        for done, result in enumerate(known, 1):
            if result.missing(plan):
                result = next(computed)
                if store is not None and result.error is None:
                    store.save(result)
            progress(done, len(photos))
            yield result


def check_plan(plan: EvaluationPlan) -> None:
    """Check that everything in a plan exists, before any model is loaded.

    Raises:
        UsageError: If a method, a recognizer or a condition does not, or a method does not make an output.
    """
    check_outputs(plan.methods, plan.outputs)
    for recognizer in plan.recognizers:
        find_recognizer(recognizer)
    for condition in plan.conditions:
        find_condition(condition)


def _load(photo: DatasetPhoto, labels: PhotoLabels | None, store: ResultStore | None) -> PhotoResult:
    try:
        digest = checksum(photo.path)
    except OSError:
        return PhotoResult(photo=photo)  # the evaluator says why it cannot be read
    label_digest = "" if labels is None else labels.digest(photo)
    if store is None:
        return PhotoResult(photo=photo, digest=digest, labels=label_digest)
    return store.load(photo, digest, label_digest)


def _make_worker(plan: EvaluationPlan) -> Callable[[PhotoResult], PhotoResult]:
    return Evaluator(plan).evaluate


def _lose(known: PhotoResult, error: WorkerError) -> PhotoResult:
    return PhotoResult(photo=known.photo, error=error.about(str(known.photo.path)))


class Evaluator:
    """The models of a plan, for one photo after the other; each is loaded when first needed.

    Raises:
        DataError: If labels cannot be read.
        MissingExtraError: By `evaluate`, if faces are to be occluded, and the `landmarks` extra is not installed.
        SymfaceError: By all methods, if a model cannot be loaded.
    """

    def __init__(self, plan: EvaluationPlan) -> None:
        self._plan = plan
        self._labels = None if plan.labels is None else PhotoLabels(plan.labels)
        self._recognizers: dict[str, Recognizer] = {}
        self._providers: dict[str, Provider] = {}

    def evaluate(self, known: PhotoResult) -> PhotoResult:
        """Find out what the plan wants to know of a photo and is not known yet."""
        for recognizer in self._plan.recognizers:
            self._recognizer(recognizer)  # one that cannot be loaded concerns all photos
        _ = self._finder  # nor one without which no occluder can be put on faces
        name = str(known.photo.path)
        pixels = attempt(partial(read_photo, known.photo.path), name)
        if isinstance(pixels, SymfaceError):
            return PhotoResult(photo=known.photo, error=pixels)
        seen = attempt(partial(self._add_originals, known, pixels), name)
        if isinstance(seen, SymfaceError):
            return PhotoResult(photo=known.photo, error=seen)
        attempts = dict(seen.attempts)
        for condition in self._plan.conditions:
            keys = [key for key in seen.missing(self._plan) if key.condition == condition]
            if keys:
                attempts |= self._attempt(attempt(partial(self._show, seen, pixels, condition), name), keys, name)
        return replace(seen, attempts=attempts)

    def render(self, result: PhotoResult, condition: str, output: Output) -> tuple[Photo, dict[str, Photo]]:
        """Make the photo under a condition, and the symmetric images by method, of those that make one.

        Raises:
            PhotoError: If the photo cannot be read any more.
        """
        photo = put_under(result, read_photo(result.photo.path), condition)
        images: dict[str, Photo] = {}
        for provider, methods in self._by_provider(self._plan.methods):
            faces = attempt(partial(_find, provider, photo), "")
            for method in methods:
                made = attempt(partial(make_image, ShownPhoto(photo, None), faces, method, output), "")
                if isinstance(made, MadeImage):
                    images[method] = made.image
        return photo, images

    def _show(self, result: PhotoResult, pixels: Photo, condition: str) -> ShownPhoto:
        """Put a photo under a condition, and say what it shows."""
        photo = put_under(result, pixels, condition)
        labels = None if self._labels is None else self._labels.of(result.photo)
        return ShownPhoto(photo, None if labels is None else labels_under(labels, pixels, photo))

    def _add_originals(self, known: PhotoResult, pixels: Photo) -> PhotoResult:
        """Add what dlib, the detector and the recognizers see in the photo as it is."""
        landmarks, agreeing = known.landmarks, known.agreeing
        if landmarks is None and self._finder is not None:  # it may have been looked at without dlib
            landmarks = self._finder.find_nearest(pixels, center_of(pixels))
        if not known.originals:
            agreeing = count_agreeing(pixels)
        new = [name for name in self._plan.recognizers if name not in known.originals]
        originals = {**known.originals, **{name: self._recognizer(name).embed(pixels) for name in new}}
        return replace(known, landmarks=landmarks, agreeing=agreeing, originals=originals)

    def _attempt(self, shown: ShownPhoto | SymfaceError, keys: Sequence[Key], name: str) -> dict[Key, Attempt]:
        """Run methods on a photo; the time of the work that a provider's methods share counts for each of them."""
        if isinstance(shown, SymfaceError):
            return {key: self._judge(shown, key, 0.0, name) for key in keys}
        attempts: dict[Key, Attempt] = {}
        for provider, methods in self._by_provider(tuple(dict.fromkeys(key.method for key in keys))):
            start = perf_counter()
            faces = attempt(partial(_find, provider, shown.pixels), name)
            seconds = perf_counter() - start
            for method, output in dict.fromkeys((key.method, key.output) for key in keys if key.method in methods):
                made = attempt(partial(make_image, shown, faces, method, output), f"{name}: {method}")
                judged = [key for key in keys if (key.method, key.output) == (method, output)]
                attempts |= {key: self._judge(made, key, seconds, name) for key in judged}
        return attempts

    def _judge(self, made: MadeImage | SymfaceError | None, key: Key, shared: float, name: str) -> Attempt:
        """Show a symmetric image to a recognizer; finding the face took `shared` seconds."""
        if made is None or isinstance(made, SymfaceError):
            return Attempt(found=False, embedding=None, mirror_error=None, seconds=shared, error=made)
        embedding = attempt(partial(self._recognizer(key.recognizer).embed, made.image), f"{name}: {key.method}")
        error = embedding if isinstance(embedding, SymfaceError) else None
        return Attempt(
            found=True,
            embedding=None if isinstance(embedding, SymfaceError) else embedding,
            mirror_error=mirror_error(made.image) if key.output is Output.FACE else None,
            seconds=shared + made.seconds,
            change=made.change,
            error=error,
        )

    def _by_provider(self, methods: Sequence[str]) -> Iterator[tuple[Provider, list[str]]]:
        for entry in providers_of(methods):
            if entry.name not in self._providers:
                self._providers[entry.name] = entry.load(self._plan.weights, model_folder=self._plan.model_folder)
            yield self._providers[entry.name], [name for name in methods if find_method(name).provider == entry.name]

    @cached_property
    def _finder(self) -> DlibLandmarks | None:
        """What says how far heads are turned, and where an occluder goes: only the latter cannot be done without."""
        try:
            return DlibLandmarks()
        except MissingExtraError:
            if any(condition != NO_OCCLUDER for condition in self._plan.conditions):
                raise
            return None

    def _recognizer(self, name: str) -> Recognizer:
        if name not in self._recognizers:
            self._recognizers[name] = find_recognizer(name)(self._plan.model_folder)
        return self._recognizers[name]


def _find(provider: Provider, photo: Photo) -> list[ProvidedFace]:
    return provider.find(photo, center_of(photo))


def put_under(result: PhotoResult, pixels: Photo, condition: str) -> Photo:
    """Put a photo under a condition; it stays as it is where no landmarks say where the face lies.

    The occluder depends on the file's contents alone: every run and every method sees the same picture.
    """
    if result.landmarks is None:
        return pixels
    return occlude(pixels, result.landmarks, condition, int(result.digest, 16))
