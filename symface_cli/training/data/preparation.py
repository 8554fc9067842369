"""Training photos made ready once: their crops, and what the landmarks of their labels make of them.

A prepared folder holds arrays with an entry for each photo that has a face: `crops.npy` (N, 192, 192, 3) uint8 and,
once landmarks are asked for, `warps.npy` (N, 17, 17, 2) float32, face frame -> normalized coordinates of the stored
crop (NaN without landmarks), and `masks.npy` (N, 96, 96) uint8, the face region of the stored crop. Unless the user
gives labels, it also holds its own: `boxes.csv` with faces alone, and `labels.csv` with landmarks.

Beside each lies a JSON file with a checksum of what it was made of, and the photos that could not be read. It says
nothing of that while it is made anew: whatever a killed preparation leaves behind is made again. What has none is
somebody else's, and not touched.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from symface_cli.data.datasets import Dataset, DatasetPhoto, name_first, split_of
from symface_cli.data.published import locate
from symface_cli.errors import DataError, Hint, WeightsError, failure_of
from symface_cli.files import checksum, on_one_line
from symface_cli.geometry.frames import CROP_BOXES, Box, crop_from_box
from symface_cli.geometry.sampling import resample
from symface_cli.geometry.types import Array
from symface_cli.geometry.warps import GRID, control_points
from symface_cli.imaging.photo import read_photo
from symface_cli.landmarks.mediapipe import MediaPipeLandmarks
from symface_cli.network.parsing import UNKNOWN
from symface_cli.parallel.cores import available_cores
from symface_cli.parallel.work import work_in_threads
from symface_cli.training.data.label_table import read_labels
from symface_cli.training.data.labeling import label_into, state_of
from symface_cli.training.data.labels import (
    Label,
    Progress,
    describe_labels,
    is_doubtful,
    name_faults,
    photos_to_label,
)
from symface_cli.training.data.targets import MASK_SIZE, NOTHING, STORED_BOXES, STORED_SIZE, LabeledFace, target_maker
from symface_cli.training.data.teachers import Teacher
from symface_cli.writing import write_file

PREPARED_FORMAT = 2  # raised when prepared folders of older versions cannot be used any more

Layout = Mapping[str, tuple[tuple[int, ...], type[np.generic]]]
"""Names of arrays, with the shape and the type of an entry."""

CROPS: Layout = {"crops": ((STORED_SIZE, STORED_SIZE, 3), np.uint8)}
TARGETS: Layout = {"warps": ((GRID, GRID, 2), np.float32), "masks": ((MASK_SIZE, MASK_SIZE), np.uint8)}

Photos = Mapping[str, DatasetPhoto]
"""Photos by their paths in the data set."""

Entries = tuple[NDArray[np.generic], ...]
"""A face's entries in the arrays of a layout."""

Faults = dict[str, str]
"""Why photos cannot be used, by their paths in the data set."""

NO_CROP: Entries = (np.zeros((STORED_SIZE, STORED_SIZE, 3), np.uint8),)


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Prepared photos of both splits that may be trained on.

    Attributes:
        splits: (N,) "train", "validation" or, for a photo that is not to be used, "unused".
        crops: (N, 192, 192, 3) uint8, memory-mapped.
        warps: (N, 17, 17, 2) float32, memory-mapped; without landmarks, the identity.
        masks: (N, 96, 96) uint8, memory-mapped; without landmarks, all face.
        segments: (N, 96, 96) uint8, what the stored crop shows: a `Part`, or UNKNOWN.
        irises: (N, 2, 3) float32, x, y and radius in normalized coordinates of the stored crop; NaN where not known.
        remarks: What a user should know: how many photos can be used, and which cannot be read.
    """

    splits: NDArray[np.str_]
    crops: NDArray[np.uint8]
    warps: NDArray[np.float32]
    masks: NDArray[np.uint8]
    segments: NDArray[np.uint8]
    irises: NDArray[np.float32]
    remarks: list[str]


def prepare(
    data: Dataset,
    folder: Path,
    teacher: Teacher | None,
    progress: Progress,
    workers: int = 0,
    labels: Path | None = None,
) -> Prepared:
    """Prepare the photos of `data` in `folder`, or take what was prepared there before.

    Photos of test identities are never touched.

    Args:
        data: The data set.
        folder: Where prepared photos are kept.
        teacher: What warps and masks are made of, None if they are not needed: the labels' landmarks, or these and
            MediaPipe's mesh, blended. With the mesh, photos are used, too, on which dlib's runs disagree or find
            nothing, but none without a mesh.
        progress: Told of every photo, once for each thing that is to be made.
        workers: Cores to use; 0 for all.
        labels: Where the faces are, as `symface label` writes it; None to find them here.

    Raises:
        DataError: If no photo can be used, or the labels cannot be right.
        WeightsError: If MediaPipe's networks are needed, not here, and cannot be downloaded.
    """
    photos = photos_to_label(data)
    preparation = _Preparation(folder, progress, workers)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = labels or preparation.label(photos, landmarks=teacher is not None)
        known = read_labels(path, photos, landmarks=teacher is not None)
        if not any(label.use for label in known):
            reason = "".join(f" ({fault})" for fault in name_faults(known)[:1])
            advice = "give larger and more frontal faces"
            raise DataError(f"{path}: {describe_labels(known)}{reason}; {advice}", Hint.CORRECT_LABELS)
        faces = _choose_faces(known, photos, teacher)
        faults = preparation.cut_crops(faces)
        if teacher is not None:
            faults |= preparation.make_targets(faces, teacher)
        used = [face._replace(use=face.use and face.name not in faults) for face in faces]
        remarks = [describe_labels(known), *name_faults(known), *name_first(list(faults.values()))]
        return _load(folder, used, teacher is not None, remarks)
    except OSError as error:
        raise DataError(f"{folder}: cannot be written ({error.strerror}); free some space", Hint.OTHER_RUN) from error


class _Face(NamedTuple):
    """A labeled photo that has a face: its path in the data set, the photo, and what its label says."""

    name: str
    photo: DatasetPhoto
    box: Box
    landmarks: Array | None
    use: bool

    def labeled(self) -> LabeledFace:
        """Return what a target is made of."""
        return LabeledFace(self.photo.path, self.box, self.landmarks)


def _choose_faces(labels: Sequence[Label], photos: Photos, teacher: Teacher | None) -> list[_Face]:
    """Choose all photos that have a face, those not to be used among them: if that is changed, the crops stay."""

    def is_used(label: Label) -> bool:
        return label.use or (teacher == "blend" and is_doubtful(label))

    return [
        _Face(label.photo, photos[label.photo], label.box, label.landmarks, is_used(label))
        for label in labels
        if label.box is not None
    ]


@dataclass(frozen=True)
class _Preparation:
    """Makes what a folder lacks, on so many cores; 0 for all."""

    folder: Path
    progress: Progress
    workers: int

    def label(self, photos: Photos, landmarks: bool) -> Path:
        """Write the folder's own labels, if photos have changed; return where they are."""
        path = self.folder / ("labels.csv" if landmarks else "boxes.csv")
        cached = Cached([path], [state_of(name, photo) for name, photo in photos.items()], is_corrected=True)
        if not cached.is_fresh():
            with cached.renewed():
                label_into(path, photos, self.progress, self.workers, landmarks, replace=True)
        return path

    def cut_crops(self, faces: Sequence[_Face]) -> Faults:
        """Cut out the crops, if photos or boxes have changed."""
        cached = Cached(self._files(CROPS), [(state_of(face.name, face.photo), face.box) for face in faces])
        if not cached.is_fresh():
            with cached.renewed() as faults:
                faults |= self._store(CROPS, _Contained(_cut_crop, NO_CROP), faces)
        return cached.faults()

    def make_targets(self, faces: Sequence[_Face], teacher: Teacher) -> Faults:
        """Make warps and masks, if boxes, landmarks or teacher have changed, or, with the mesh, photos."""
        source: list[object] = [
            (face.box, None if face.landmarks is None else face.landmarks.tolist()) for face in faces
        ]
        if teacher == "blend":
            source += [teacher, *(state_of(face.name, face.photo) for face in faces)]
            for name in MediaPipeLandmarks.files:
                locate(name)  # says at once, not in a thread, what cannot be had
        cached = Cached(self._files(TARGETS), source)
        if not cached.is_fresh():
            with cached.renewed() as faults:
                faults |= self._store(TARGETS, _Contained(target_maker(teacher), NOTHING), faces)
        return cached.faults()

    def _files(self, layout: Layout) -> list[Path]:
        return [self.folder / f"{name}.npy" for name in layout]

    def _store(self, layout: Layout, task: "_Contained", faces: Sequence[_Face]) -> Faults:
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


@dataclass(frozen=True)
class _Contained:
    """Makes the entries of a face's arrays, and says what went wrong; then they are of no use."""

    task: Callable[[LabeledFace], Entries]
    otherwise: Entries

    def __call__(self, face: _Face) -> tuple[Entries, str]:
        try:
            return self.task(face.labeled()), ""
        except WeightsError:  # which no photo is to blame for
            raise
        except Exception as error:  # noqa: BLE001 (one photo never costs a training)
            return self.otherwise, str(failure_of(error, on_one_line(str(face.photo.path))))


@dataclass(frozen=True)
class Cached:
    """Files that are made once of a source, and again when that has changed; the JSON beside the first knows of what.

    Attributes:
        files: The files.
        source: Everything that they depend on, as JSON can hold it.
        is_corrected: Whether people correct the first file by hand; what they have done is not made anew.
    """

    files: Sequence[Path]
    source: object
    is_corrected: bool = False

    def is_fresh(self) -> bool:
        """Return whether the files are there, and made of this source."""
        known = self._known()
        return all(file.exists() for file in self.files) and all(
            known.get(key) == value for key, value in self._expected().items()
        )

    @contextmanager
    def renewed(self) -> Iterator[Faults]:
        """Have the files made inside, and what is wrong with them noted; if that fails, they are not fresh.

        Raises:
            DataError: If there are files that were not made here, or have been corrected since.
        """
        self._refuse_others()
        self._write_index({**self._known(), "source": None})  # whose they are is known, whatever stops what follows
        faults: Faults = {}
        yield faults
        made = {"checksum": checksum(self.files[0])} if self.is_corrected else {}
        self._write_index({**self._expected(), "faults": faults, **made})

    def _refuse_others(self) -> None:
        first, there = self.files[0], [file for file in self.files if file.exists()]
        if there and not self._index.exists():
            raise DataError(f"{there[0]}: was not made by this training; move it", Hint.OTHER_RUN)
        made = self._known().get("checksum")
        if there and made is not None and made != checksum(first):
            raise DataError(f"{first}: has been corrected, but photos have changed since; move it", Hint.GIVE_LABELS)

    def _write_index(self, content: Mapping[str, object]) -> None:
        write_file(self._index, json.dumps(content).encode(), replace=True)

    def faults(self) -> Faults:
        """Return what was noted when the files were made."""
        faults = self._known().get("faults", {})
        return dict(faults) if isinstance(faults, dict) else {}

    @property
    def _index(self) -> Path:
        return self.files[0].with_suffix(".json")

    def _expected(self) -> dict[str, object]:
        """Return what the JSON says if the files are fresh."""
        return {"format": PREPARED_FORMAT, "source": checksum(json.dumps(self.source).encode())}

    def _known(self) -> dict[str, object]:
        """Return what the JSON says; nothing if it cannot be read."""
        try:
            known = json.loads(self._index.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}


def _cut_crop(face: LabeledFace) -> Entries:
    """Cut the stored crop (192, 192, 3) out of a photo."""
    return (resample(read_photo(face.path), crop_from_box(face.box, STORED_SIZE, STORED_BOXES), STORED_SIZE),)


def _load(folder: Path, faces: Sequence[_Face], landmarks: bool, remarks: list[str]) -> Prepared:
    """Map what a folder holds into memory."""
    splits = np.array([split_of(face.photo.identity) if face.use else "unused" for face in faces])
    crops = np.load(folder / "crops.npy", mmap_mode="r")
    if landmarks:
        warps, masks = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in TARGETS)
        splits = np.where(np.isnan(warps[:, 0, 0, 0]), "unused", splits)
    else:
        identity = control_points().astype(np.float32) * (CROP_BOXES / STORED_BOXES)
        warps = np.broadcast_to(identity, (len(crops), GRID, GRID, 2))
        masks = np.broadcast_to(np.uint8(255), (len(crops), MASK_SIZE, MASK_SIZE))
    segments = np.broadcast_to(np.uint8(UNKNOWN), (len(crops), MASK_SIZE, MASK_SIZE))
    irises = np.broadcast_to(np.float32(np.nan), (len(crops), 2, 3))
    return Prepared(
        splits=splits, crops=crops, warps=warps, masks=masks, segments=segments, irises=irises, remarks=remarks
    )
