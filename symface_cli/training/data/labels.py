"""Labels of training photos: where the face and its landmarks lie, in pixels of the upright photo."""

from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from symface_cli.data.datasets import Dataset, DatasetPhoto, name_first, split_of
from symface_cli.data.published import locate
from symface_cli.detection.detector import detect
from symface_cli.errors import DataError, WorkerError, failure_of
from symface_cli.files import on_one_line
from symface_cli.geometry.frames import Box
from symface_cli.geometry.types import Array, Landmarks
from symface_cli.imaging.photo import read_photo
from symface_cli.landmarks import scheme
from symface_cli.landmarks.dlib import PREDICTOR, DlibLandmarks, model_file
from symface_cli.landmarks.mediapipe import MediaPipeLandmarks
from symface_cli.landmarks.mesh import mesh_warp
from symface_cli.landmarks.shape import symmetric_warp
from symface_cli.parallel.work import work_through
from symface_cli.training.data.teachers import DLIB, MESH, NOTHING, MadeOf, Teacher, choose, warps_apart, weigh

MOST_DISAGREEMENT = 0.06  # eye distances; landmarks whose runs differ more than this are not used
FARTHEST_LANDMARK = (
    1.0  # box widths from the box's center, sideways or up and down; what lies farther is not this face's
)

PROVIDER = "dlib"
WITH_DLIB: Container[Teacher | None] = ("dlib", "blend")
WITH_MESH: Container[Teacher | None] = ("blend", "mesh")
NOT_READ, NO_FACE, NO_LANDMARKS, NO_MESH, DISAGREEMENT = DOUBTS = (
    "that cannot be read",
    "without a face",
    "without landmarks",
    "without a mesh",
    "whose landmarks disagree",
)
"""Why photos are not used."""

Progress = Callable[[int, int], None]
"""Called with how many photos are done, and of how many."""


@dataclass(frozen=True, eq=False)
class Label:
    """What is known of a photo.

    Attributes:
        photo: Its path in the data set's folder, with slashes.
        box: Its face, as a Viola-Jones detector would give it; None if there is none.
        landmarks: (68, 2) in pixels of the upright photo; None if there are none.
        provider: Who placed them, such as "dlib".
        disagreement: Mean distance of a landmark from its mean over the provider's runs, in eye distances: 0 is perfect
            agreement. None where nobody measured it.
        mesh_disagreement: The same of the mesh's points, in photo and mirror image. None without a mesh, or where
            nobody looked for one.
        apart: How far the warps by landmarks and mesh differ over the face, in eye distances; None without both.
        made_of: What is learned with two teachers, unless the landmarks were placed by hand; None where nobody has
            looked for a mesh.
        weight: How much the photo counts in training, 0 to 1; None for what its teachers are worth.
        fault: Why the photo cannot be read, or whatever else went wrong with it; empty for nothing.
        traceback: Where a fault comes from that nobody foresaw; the CSV does not have it.
        use: Whether it is trained on.
    """

    photo: str
    _: KW_ONLY
    box: Box | None = None
    landmarks: Array | None = None
    provider: str = ""
    disagreement: float | None = None
    mesh_disagreement: float | None = None
    apart: float | None = None
    made_of: MadeOf | None = None
    weight: float | None = None
    fault: str = ""
    traceback: str = ""
    use: bool = False

    @property
    def is_by_hand(self) -> bool:
        """Whether a person has placed the landmarks: then nothing else is learned of the photo."""
        return self.landmarks is not None and self.provider != PROVIDER


def photos_to_label(data: Dataset) -> dict[str, DatasetPhoto]:
    """Choose the photos of a data set that may be trained on, which those of test people are not, by their paths in it.

    Raises:
        DataError: If there are none.
    """
    photos = {data.name_of(photo): photo for photo in data.photos if split_of(photo.identity) != "test"}
    if not photos:
        raise DataError(
            f"{data.folder}: all of its photos show test people; the split goes by name, so add more people"
        )
    return photos


def label_photos(
    photos: Mapping[str, DatasetPhoto], progress: Progress, workers: int = 0, teacher: Teacher | None = "dlib"
) -> Iterator[Label]:
    """Find the face nearest to the center of each photo, and what the teachers see there; yield labels as they come.

    Args:
        photos: By their paths in the data set, as `photos_to_label` gives them.
        progress: Told of every photo.
        workers: Processes to use; 0 for one per core.
        teacher: Whether dlib's landmarks are wanted, the mesh, or both; None for faces alone, all of which are used.

    Raises:
        MissingExtraError: If landmarks are wanted and dlib is not installed.
        WeightsError: If MediaPipe's networks are needed, not here, and cannot be downloaded.
    """
    if teacher in WITH_DLIB:
        model_file(PREDICTOR)  # says at once, not in a worker, what is not installed
    if teacher in WITH_MESH:
        for name in MediaPipeLandmarks.files:
            locate(name)
    tasks = [(name, photo.path) for name, photo in photos.items()]
    for done, label in enumerate(work_through(_make_labeler, teacher, tasks, workers, _lose), 1):
        yield label
        progress(done, len(photos))


def _lose(photo: tuple[str, Path], error: WorkerError) -> Label:
    name, path = photo
    return Label(name, fault=str(error.about(on_one_line(str(path)))))


def _make_labeler(teacher: Teacher | None) -> Callable[[tuple[str, Path]], Label]:
    dlib = DlibLandmarks() if teacher in WITH_DLIB else None
    return partial(_label_photo, dlib, MediaPipeLandmarks() if teacher in WITH_MESH else None)


def _label_photo(dlib: DlibLandmarks | None, mesh: MediaPipeLandmarks | None, photo: tuple[str, Path]) -> Label:
    """Label a photo, given by its name and where it lies, with what finds landmarks and mesh, if they are wanted."""
    name, path = photo
    try:
        pixels = read_photo(path)
        box = _find_box(pixels)
        if box is None or (dlib is None and mesh is None):
            return Label(name, box=box, use=box is not None)
        label = Label(name, box=box) if dlib is None else _find_label(dlib, name, pixels, box)
        return label if mesh is None else judge(label, mesh.label(pixels, box))
    except Exception as error:  # noqa: BLE001 (one photo never costs the batch)
        failure = failure_of(error, on_one_line(str(path)))
        return Label(name, fault=str(failure), traceback=failure.traceback)


def _find_label(dlib: DlibLandmarks, name: str, pixels: NDArray[np.uint8], box: Box) -> Label:
    """Find dlib's landmarks of the face in a box."""
    found = dlib.label(pixels, box)
    if found is None:
        return Label(name, box=box)
    landmarks, disagreement = found[0].astype(np.float64).round(2), round(found[1], 4)
    if find_fault(box, landmarks):
        return Label(name, box=box)
    return Label(
        name,
        box=box,
        landmarks=landmarks,
        provider=PROVIDER,
        disagreement=disagreement,
        use=disagreement <= MOST_DISAGREEMENT,
    )


def judge(label: Label, mesh: tuple[Landmarks, float] | None) -> Label:
    """Add to a label what is made of its landmarks and of the mesh, and how much that counts.

    Args:
        label: What dlib has found.
        mesh: Its points (468, 2) in photo pixels and how much the mesh of photo and mirror image differs, in eye
            distances; None if it was not found.
    """
    if mesh is None:
        return replace(label, made_of=NOTHING, use=False)
    points, spread, apart = mesh[0], round(mesh[1], 4), None
    if label.landmarks is not None:
        apart = round(warps_apart(symmetric_warp(label.landmarks)[0], mesh_warp(points)), 4)
    made_of = choose(apart, spread)
    judged = replace(label, mesh_disagreement=spread, apart=apart, made_of=made_of, use=made_of != NOTHING)
    return replace(judged, weight=weight_of(judged)) if judged.use else judged


def weight_of(label: Label) -> float:
    """Return how much a photo counts in training, 0 to 1: all if a person has placed the landmarks."""
    if label.is_by_hand:
        return 1.0
    if label.weight is not None:
        return label.weight
    return 1.0 if label.made_of is None else round(weigh(label.made_of, label.apart), 2)


def _find_box(pixels: NDArray[np.uint8]) -> Box | None:
    """Find the box nearest to the photo's center, rounded as the CSV has it."""
    upright = [face for face in detect(pixels) if face.roll_degrees == 0]
    center = (np.array([pixels.shape[1], pixels.shape[0]]) - 1) / 2
    nearest = min(upright, key=lambda face: float(np.linalg.norm(face.center - center)), default=None)
    return None if nearest is None else Box(*(round(value, 2) for value in nearest.box))


def find_fault(box: Box, landmarks: NDArray[np.floating]) -> str | None:
    """Return what is wrong with landmarks (68, 2) of the face in a box: they are another face's, or mistyped."""
    away = np.abs(landmarks - box.center).max(-1)
    if away.max() > FARTHEST_LANDMARK * box.width:
        return f"landmark {away.argmax()} is more than a box width from the box's center"
    left, right = scheme.eye_centers(landmarks.astype(np.float32))
    if left[0] >= right[0]:
        return "the left eye (landmarks 36 to 41) does not lie left of the right one (42 to 47), as the viewer sees it"
    return None


def is_used(label: Label, teacher: Teacher | None) -> bool:
    """Return whether a photo is trained on.

    Not with one teacher where the other stands in for it; with the mesh also where dlib's landmarks do not count and
    nobody has looked for a mesh yet.
    """
    other = {"dlib": MESH, "mesh": DLIB}.get(teacher or "")
    if label.use and (label.is_by_hand or label.made_of is None or label.made_of != other):
        return True
    return teacher in WITH_MESH and label.made_of is None and _is_doubtful(label)


def _is_doubtful(label: Label) -> bool:
    """Return whether dlib alone did not know where the face's landmarks are: a person did not turn the photo down."""
    if label.landmarks is None:
        return label.box is not None
    disagreement = 0.0 if label.disagreement is None else label.disagreement
    return disagreement > MOST_DISAGREEMENT and not label.is_by_hand


def find_doubt(label: Label) -> str | None:
    """Return which of DOUBTS keeps a photo from being used; None if it is used."""
    if label.use:
        return None
    if label.box is None:
        return NOT_READ if label.fault else NO_FACE
    if label.made_of == NOTHING and label.mesh_disagreement is None:
        return NO_MESH
    return NO_LANDMARKS if label.landmarks is None else DISAGREEMENT


def describe_labels(labels: Sequence[Label]) -> str:
    """Say in one line how many photos are used, and why the others are not."""
    counts = Counter(map(find_doubt, labels))
    usable = f"{counts[None]:,} of {len(labels):,} photos usable"
    alone = sum(label.use and label.made_of == MESH and not label.is_by_hand for label in labels)
    if alone:
        usable += f", {alone:,} by the mesh alone"
    doubts = ", ".join(f"{counts[doubt]:,} {doubt}" for doubt in DOUBTS if counts[doubt])
    return f"{usable}; {doubts}" if doubts else usable


def name_faults(labels: Sequence[Label]) -> list[str]:
    """Name the photos that cannot be read, with their reasons: the first of them."""
    return name_first([label.fault for label in labels if find_doubt(label) == NOT_READ])
