"""Training photos made ready once: their crops, and what the landmarks of their labels make of them.

A prepared folder holds arrays with an entry for each photo that has a face: `crops.npy` (N, 192, 192, 3) uint8 and,
once landmarks are asked for, `warps.npy` (N, 17, 17, 2) float32, face frame -> normalized coordinates of the stored
crop (NaN without landmarks), `masks.npy` (N, 96, 96) uint8, the face region of the stored crop, `irises.npy`
(N, 2, 3) float32, its irises (NaN where not known), and `weights.npy` (N,) float32, how much the photo counts. With
pixel labels, there is also `segments.npy` (N, 96, 96) uint8, what the stored crop shows. Unless the user gives labels,
it also holds its own: `boxes.csv` with faces alone, and `labels.csv` with landmarks.

Beside each lies a JSON file with a checksum of what it was made of, and the photos that could not be read. It says
nothing of that while it is made anew: whatever a killed preparation leaves behind is made again. What has none is
somebody else's, and not touched.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from symface_cli.data.datasets import Dataset, DatasetPhoto, name_first, split_of
from symface_cli.data.published import locate
from symface_cli.data.segmentation import Segmentation, label_file
from symface_cli.errors import DataError, Hint, WeightsError, failure_of
from symface_cli.files import on_one_line
from symface_cli.geometry.frames import CROP_BOXES, crop_from_box
from symface_cli.geometry.sampling import resample
from symface_cli.geometry.warps import GRID, control_points
from symface_cli.imaging.photo import read_photo
from symface_cli.landmarks.iris import MediaPipeIrises
from symface_cli.landmarks.mediapipe import MediaPipeLandmarks
from symface_cli.network.maps import UNKNOWN
from symface_cli.parallel.cores import available_cores
from symface_cli.parallel.work import work_in_threads
from symface_cli.training.data.label_table import read_labels
from symface_cli.training.data.labeling import label_into, state_of
from symface_cli.training.data.labels import (
    Label,
    Progress,
    describe_labels,
    is_used,
    name_faults,
    photos_to_label,
)
from symface_cli.training.data.licenses import refuse_other_labels
from symface_cli.training.data.prepared.cached import Cached, Faults
from symface_cli.training.data.prepared.segments import UNKNOWN_SEGMENTS, MediaPipeSegments, find_segments
from symface_cli.training.data.prepared.targets import (
    MASK_SIZE,
    NO_TARGET,
    STORED_BOXES,
    STORED_SIZE,
    LabeledFace,
    target_maker,
)
from symface_cli.training.data.sources import UNKNOWN_PHOTOS, Annotations
from symface_cli.training.data.teachers import Teacher

Layout = Mapping[str, tuple[tuple[int, ...], type[np.generic]]]
"""Names of arrays, with the shape and the type of an entry."""

CROPS: Layout = {"crops": ((STORED_SIZE, STORED_SIZE, 3), np.uint8)}
TARGETS: Layout = {
    "warps": ((GRID, GRID, 2), np.float32),
    "masks": ((MASK_SIZE, MASK_SIZE), np.uint8),
    "irises": ((2, 3), np.float32),
    "weights": ((), np.float32),
}
SEGMENTS: Layout = {"segments": ((MASK_SIZE, MASK_SIZE), np.uint8)}

Photos = Mapping[str, DatasetPhoto]
"""Photos by their paths in the data set."""

Entries = tuple[NDArray[np.generic], ...]
"""A face's entries in the arrays of a layout."""

NO_CROP: Entries = (np.zeros((STORED_SIZE, STORED_SIZE, 3), np.uint8),)


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Prepared photos of both splits that may be trained on.

    Attributes:
        splits: (N,) "train", "validation" or, for a photo that is not to be used, "unused".
        crops: (N, 192, 192, 3) uint8, memory-mapped.
        warps: (N, 17, 17, 2) float32, memory-mapped; without landmarks, the identity.
        masks: (N, 96, 96) uint8, memory-mapped; without landmarks, all face.
        segments: (N, 96, 96) uint8, memory-mapped, what the stored crop shows: a `Part`, or UNKNOWN; that everywhere
            without pixel labels.
        irises: (N, 2, 3) float32, memory-mapped, x, y and radius in normalized coordinates of the stored crop, of the
            left eye and of the right one; NaN where not known, a radius of 0 where an eye is closed.
        weights: (N,) float32, memory-mapped, how much photos count, 0 to 1; without landmarks, 1.
        remarks: What a user should know: how many photos can be used, and which cannot be read.
    """

    splits: NDArray[np.str_]
    crops: NDArray[np.uint8]
    warps: NDArray[np.float32]
    masks: NDArray[np.uint8]
    segments: NDArray[np.uint8]
    irises: NDArray[np.float32]
    weights: NDArray[np.float32]
    remarks: list[str]


def prepare(
    data: Dataset,
    folder: Path,
    teacher: Teacher | None,
    progress: Progress,
    workers: int = 0,
    annotations: Annotations = UNKNOWN_PHOTOS,
) -> Prepared:
    """Prepare the photos of `data` in `folder`, or take what was prepared there before.

    Photos of test identities are never touched.

    Args:
        data: The data set.
        folder: Where prepared photos are kept.
        teacher: What warps and masks are made of, None if they are not needed: the labels' landmarks, or these and
            MediaPipe's mesh, as the labels say. Where these do not know of a mesh, it is found here; then photos are
            used, too, on which dlib's runs disagree or find nothing.
        progress: Told of every photo, once for each thing that is to be made.
        workers: Cores to use; 0 for all.
        annotations: What is known of the photos. Faces are found here if that is nothing; what pixels show is looked up
            only with a teacher.

    Raises:
        DataError: If no photo can be used, or the labels cannot be right.
        WeightsError: If MediaPipe's networks are needed, not here, and cannot be downloaded.
    """
    photos = photos_to_label(data)
    preparation = _Preparation(folder, progress, workers)
    segmentation = annotations.open_segmentation()
    segmented = segmentation is not None or teacher == "mesh"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = annotations.labels or preparation.label(photos, teacher)
        known = read_labels(path, photos, landmarks=teacher is not None)
        if annotations.licenses is not None:
            refuse_other_labels(path, known)
        if not any(is_used(label, teacher) for label in known):
            reason = "".join(f" ({fault})" for fault in name_faults(known)[:1])
            advice = "give larger and more frontal faces"
            raise DataError(f"{path}: {describe_labels(known)}{reason}; {advice}", Hint.CORRECT_LABELS)
        faces = _choose_faces(known, photos)
        remarks = [describe_labels(known), *name_faults(known), *_describe_segmentation(segmentation, faces)]
        faults = preparation.cut_crops(faces)
        if teacher is not None:
            faults |= preparation.make_targets(faces, teacher)
            if segmented:
                faults |= preparation.make_segments(faces, segmentation)
        remarks += name_first(list(faults.values()))
        used = [is_used(face.label, teacher) and face.name not in faults for face in faces]
        splits = np.array(
            [split_of(face.photo.identity) if use else "unused" for face, use in zip(faces, used, strict=True)]
        )
        return _load(folder, splits, teacher is not None, segmented, remarks)
    except OSError as error:
        raise DataError(f"{folder}: cannot be written ({error.strerror}); free some space", Hint.OTHER_RUN) from error


def _choose_faces(labels: Sequence[Label], photos: Photos) -> list[LabeledFace]:
    """Choose all photos that have a face, those not to be used among them: if that is changed, the crops stay."""
    return [LabeledFace(label, label.box, photos[label.photo]) for label in labels if label.box is not None]


def _describe_segmentation(segmentation: Segmentation | None, faces: Sequence[LabeledFace]) -> list[str]:
    """Say how many photos have pixel labels, if there are any.

    Raises:
        DataError: If these are of other photos.
    """
    if segmentation is None:
        return []
    count = segmentation.count([face.name for face in faces])
    if not count:
        path, name = (on_one_line(text) for text in (str(segmentation.path), faces[0].name))
        raise DataError(f"{path}: no labels of these photos; name them as the data set does, such as {name}")
    return [f"{count:,} of {len(faces):,} photos have pixel labels"]


@dataclass(frozen=True)
class _Preparation:
    """Makes what a folder lacks, on so many cores; 0 for all."""

    folder: Path
    progress: Progress
    workers: int

    def label(self, photos: Photos, teacher: Teacher | None) -> Path:
        """Write the folder's own labels, if photos or the teacher have changed; return where they are."""
        path = self.folder / ("boxes.csv" if teacher is None else "labels.csv")
        source: list[object] = [state_of(name, photo.path) for name, photo in photos.items()]
        if teacher not in (None, "dlib"):
            source.append(teacher)
        cached = Cached([path], source, is_corrected=True)
        if not cached.is_fresh():
            with cached.renewed():
                label_into(path, photos, self.progress, self.workers, teacher, replace=True)
        return path

    def cut_crops(self, faces: Sequence[LabeledFace]) -> Faults:
        """Cut out the crops, if photos or boxes have changed."""
        cached = Cached(self._files(CROPS), [(state_of(face.name, face.photo.path), face.box) for face in faces])
        if not cached.is_fresh():
            with cached.renewed() as faults:
                faults |= self._store(CROPS, _Contained(_cut_crop, NO_CROP), faces)
        return cached.faults()

    def make_targets(self, faces: Sequence[LabeledFace], teacher: Teacher) -> Faults:
        """Make warps, masks, irises and weights, if labels or teacher have changed, or, with the mesh, photos."""
        source: list[object] = [_basis_of(face.label) for face in faces]
        if teacher != "dlib":
            source += [teacher, *(state_of(face.name, face.photo.path) for face in faces)]
            for name in (*MediaPipeLandmarks.files, *MediaPipeIrises.files):
                locate(name)  # says at once, not in a thread, what cannot be had
        cached = Cached(self._files(TARGETS), source)
        if not cached.is_fresh():
            with cached.renewed() as faults:
                faults |= self._store(TARGETS, _Contained(target_maker(teacher), NO_TARGET), faces)
        return cached.faults()

    def make_segments(self, faces: Sequence[LabeledFace], segmentation: Segmentation | None) -> Faults:
        """Find what the crops show, if photos, boxes or pixel labels have changed; without these, by MediaPipe."""
        source: list[object] = [(face.box, state_of(face.name, face.photo.path)) for face in faces]
        if segmentation is not None:
            source += [state_of(face.name, label_file(segmentation.path, face.name)) for face in faces]
        cached = Cached(self._files(SEGMENTS), source)
        if not cached.is_fresh():
            finder = MediaPipeSegments() if segmentation is None else partial(find_segments, segmentation)
            with cached.renewed() as faults:
                faults |= self._store(SEGMENTS, _Contained(finder, (UNKNOWN_SEGMENTS,)), faces)
        return cached.faults()

    def _files(self, layout: Layout) -> list[Path]:
        return [self.folder / f"{name}.npy" for name in layout]

    def _store(self, layout: Layout, task: "_Contained", faces: Sequence[LabeledFace]) -> Faults:
        """Write arrays entry by entry, which need not fit into memory; those that a training has mapped stay.

        Returns:
            Why entries are not what they should be.
        """
        parts = [file.with_suffix(".part") for file in self._files(layout)]
        faults: Faults = {}
        with ExitStack() as stack:
            files = [stack.enter_context(part.open("wb")) for part in parts]
            for file, (shape, dtype) in zip(files, layout.values(), strict=True):
                header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": (len(faces), *shape)}
                np.lib.format.write_array_header_2_0(file, header)
            entries = work_in_threads(task, faces, self.workers or available_cores())
            for done, (face, (arrays, fault)) in enumerate(zip(faces, entries, strict=True), 1):
                for file, array, (_, dtype) in zip(files, arrays, layout.values(), strict=True):
                    file.write(array.astype(dtype).tobytes())
                if fault:
                    faults[face.name] = fault
                self.progress(done, len(faces))
        for part in parts:
            part.replace(part.with_suffix(".npy"))
        return faults


def _basis_of(label: Label) -> list[object]:
    """Return all of a label that a target depends on, beside its photo."""
    landmarks = None if label.landmarks is None else label.landmarks.tolist()
    return [label.box, landmarks, label.is_by_hand, label.made_of, label.apart, label.weight]


@dataclass(frozen=True)
class _Contained:
    """Makes the entries of a face's arrays, and says what went wrong; then they are of no use."""

    task: Callable[[LabeledFace], Entries]
    otherwise: Entries

    def __call__(self, face: LabeledFace) -> tuple[Entries, str]:
        try:
            return self.task(face), ""
        except WeightsError:  # which no photo is to blame for
            raise
        except Exception as error:  # noqa: BLE001 (one photo never costs a training)
            return self.otherwise, str(failure_of(error, on_one_line(str(face.photo.path))))


def _cut_crop(face: LabeledFace) -> Entries:
    """Cut the stored crop (192, 192, 3) out of a photo."""
    return (resample(read_photo(face.photo.path), crop_from_box(face.box, STORED_SIZE, STORED_BOXES), STORED_SIZE),)


def _load(folder: Path, splits: NDArray[np.str_], landmarks: bool, segmented: bool, remarks: list[str]) -> Prepared:
    """Map what a folder holds into memory."""
    crops, count = np.load(folder / "crops.npy", mmap_mode="r"), len(splits)
    if landmarks:
        warps, masks, irises, weights = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in TARGETS)
        splits = np.where(np.isnan(warps[:, 0, 0, 0]) | (weights == 0), "unused", splits)
    else:
        identity = control_points().astype(np.float32) * (CROP_BOXES / STORED_BOXES)
        warps = np.broadcast_to(identity, (count, GRID, GRID, 2))
        masks = np.broadcast_to(np.uint8(255), (count, MASK_SIZE, MASK_SIZE))
        irises = np.broadcast_to(np.float32(np.nan), (count, 2, 3))
        weights = np.broadcast_to(np.float32(1), count)
    segments = np.broadcast_to(np.uint8(UNKNOWN), masks.shape)
    if landmarks and segmented:
        segments = np.load(folder / "segments.npy", mmap_mode="r")
    return Prepared(
        splits=splits,
        crops=crops,
        warps=warps,
        masks=masks,
        segments=segments,
        irises=irises,
        weights=weights,
        remarks=remarks,
    )
