"""Training photos made ready once: their crops, and what the landmarks of their labels make of them.

A prepared folder holds arrays with an entry for each photo that has a face: `crops.npy` (N, 192, 192, 3) uint8 and,
once landmarks are asked for, `warps.npy` (N, 17, 17, 2) float32, face frame -> normalized coordinates of the stored
crop (NaN without landmarks), and `masks.npy` (N, 96, 96) uint8, the face region of the stored crop. Unless the user
gives labels, it also holds its own: `boxes.csv` with faces alone, and `labels.csv` with landmarks.

Beside each lies a JSON file with a checksum of what it was made of. That is deleted before it is made anew, and written
when it is there: whatever a killed preparation leaves behind is made again.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.data.datasets import DatasetPhoto, split_of
from symface_cli.errors import DataError, Hint
from symface_cli.files import write_atomically
from symface_cli.geometry.frames import CROP_BOXES, Box, apply, crop_from_box, pixel_from_normalized
from symface_cli.geometry.sampling import resample
from symface_cli.geometry.types import Array
from symface_cli.geometry.warps import GRID, control_points
from symface_cli.imaging.photo import read_photo
from symface_cli.landmarks.shape import face_outline, symmetric_warp
from symface_cli.parallel import work_in_threads
from symface_cli.training.data.labels import (
    Progress,
    describe_labels,
    label_photos,
    photos_to_label,
    read_labels,
    write_labels,
)

STORED_SIZE = 192  # px, side of a stored crop
STORED_BOXES = CROP_BOXES * 1.2  # its side in box widths: the crop's, and room to jitter
MASK_SIZE = 96  # px
FINE = 4  # times finer is a mask drawn than stored, so that its edge is smooth
EDGE_BLUR = 1.0  # px of the mask, standard deviation
PREPARED_FORMAT = 2  # raised when prepared folders of older versions cannot be used any more

Layout = Mapping[str, tuple[tuple[int, ...], type[np.generic]]]
"""Names of arrays, with the shape and the type of an entry."""

CROPS: Layout = {"crops": ((STORED_SIZE, STORED_SIZE, 3), np.uint8)}
TARGETS: Layout = {"warps": ((GRID, GRID, 2), np.float32), "masks": ((MASK_SIZE, MASK_SIZE), np.uint8)}

Photos = Mapping[str, DatasetPhoto]
"""Photos by their paths in the data set."""

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Prepared photos of both splits that may be trained on.

    Attributes:
        splits: (N,) "train", "validation" or, for a photo that is not to be used, "unused".
        crops: (N, 192, 192, 3) uint8, memory-mapped.
        warps: (N, 17, 17, 2) float32, memory-mapped; without landmarks, the identity.
        masks: (N, 96, 96) uint8, memory-mapped; without landmarks, all face.
    """

    splits: NDArray[np.str_]
    crops: NDArray[np.uint8]
    warps: NDArray[np.float32]
    masks: NDArray[np.uint8]


def prepare(
    data: Path, folder: Path, landmarks: bool, progress: Progress, workers: int = 0, labels: Path | None = None
) -> Prepared:
    """Prepare the photos of `data` in `folder`, or take what was prepared there before.

    Photos of test identities are never touched.

    Args:
        data: A folder of photos, or an archive of one.
        folder: Where prepared photos are kept.
        landmarks: Whether warps and masks are needed.
        progress: Told of every photo, once for each thing that is to be made.
        workers: Cores to use; 0 for all.
        labels: Where the faces are, as `symface label` writes it; None to find them here.

    Raises:
        DataError: If the data set cannot be opened, no photo can be used, or the labels cannot be right.
        PhotoError: If a photo that has a face by its label cannot be read.
    """
    photos = photos_to_label(data)
    preparation = _Preparation(folder, progress, workers)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = labels or preparation.label(photos, landmarks)
        faces = _read_faces(path, photos, landmarks)
        preparation.cut_crops(faces)
        if landmarks:
            preparation.make_targets(faces)
        return _load(folder, faces, landmarks)
    except OSError as error:
        raise DataError(f"{folder}: cannot be written ({error.strerror}); free some space", Hint.OTHER_RUN) from error


class _Face(NamedTuple):
    """A labeled photo that has a face: its path in the data set, the photo, and what its label says."""

    name: str
    photo: DatasetPhoto
    box: Box
    landmarks: Array | None
    use: bool


def _read_faces(path: Path, photos: Photos, landmarks: bool) -> list[_Face]:
    """Read all photos that have a face, those not to be used among them: if that is changed, the crops stay."""
    labels = read_labels(path, photos, landmarks)
    if not any(label.use for label in labels):
        raise DataError(f"{path}: {describe_labels(labels)}; give larger and more frontal faces", Hint.CORRECT_LABELS)
    return [
        _Face(label.photo, photos[label.photo], label.box, label.landmarks, label.use)
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
        cached = Cached([path], [_state_of(name, photo) for name, photo in photos.items()])
        if not cached.is_fresh():
            with cached.renewed():
                write_labels(path, label_photos(photos, self.progress, self.workers, landmarks))
        return path

    def cut_crops(self, faces: Sequence[_Face]) -> None:
        """Cut out the crops, if photos or boxes have changed."""
        cached = Cached(self._files(CROPS), [(_state_of(face.name, face.photo), face.box) for face in faces])
        if not cached.is_fresh():
            with cached.renewed():
                self._store(CROPS, _cut_crop, [(face.photo.path, face.box) for face in faces])

    def make_targets(self, faces: Sequence[_Face]) -> None:
        """Make warps and masks, if boxes or landmarks have changed."""
        source = [(face.box, None if face.landmarks is None else face.landmarks.tolist()) for face in faces]
        cached = Cached(self._files(TARGETS), source)
        if not cached.is_fresh():
            with cached.renewed():
                self._store(TARGETS, _make_target, [(face.box, face.landmarks) for face in faces])

    def _files(self, layout: Layout) -> list[Path]:
        return [self.folder / f"{name}.npy" for name in layout]

    def _store(self, layout: Layout, task: Callable[[T], tuple[NDArray[np.generic], ...]], items: Sequence[T]) -> None:
        """Write arrays entry by entry, which need not fit into memory; those that a training has mapped stay."""
        parts = [file.with_suffix(".part") for file in self._files(layout)]
        with ExitStack() as stack:
            files = [stack.enter_context(part.open("wb")) for part in parts]
            for file, (shape, dtype) in zip(files, layout.values(), strict=True):
                header = {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": (len(items), *shape)}
                np.lib.format.write_array_header_2_0(file, header)
            for done, entries in enumerate(work_in_threads(task, items, self.workers or os.cpu_count() or 1), 1):
                for file, entry, (_, dtype) in zip(files, entries, layout.values(), strict=True):
                    file.write(entry.astype(dtype).tobytes())
                self.progress(done, len(items))
        for part in parts:
            part.replace(part.with_suffix(".npy"))


@dataclass(frozen=True)
class Cached:
    """Files that are made once of a source, and again when that has changed; the JSON beside the first knows of what.

    Attributes:
        files: The files.
        source: Everything that they depend on, as JSON can hold it.
    """

    files: Sequence[Path]
    source: object

    def is_fresh(self) -> bool:
        """Return whether the files are there, and made of this source."""
        return all(file.exists() for file in self.files) and self._known() == self._expected()

    @contextmanager
    def renewed(self) -> Iterator[None]:
        """Have the files made inside; if that fails, they are not fresh."""
        self._index.unlink(missing_ok=True)
        yield
        write_atomically(self._index, json.dumps(self._expected()).encode())

    @property
    def _index(self) -> Path:
        return self.files[0].with_suffix(".json")

    def _expected(self) -> object:
        """Return what the JSON says if the files are fresh."""
        checksum = hashlib.sha256(json.dumps(self.source).encode()).hexdigest()
        return {"format": PREPARED_FORMAT, "source": checksum}

    def _known(self) -> object:
        """Return what the JSON says; None if it cannot be read."""
        try:
            return json.loads(self._index.read_text("utf-8"))
        except (OSError, ValueError):
            return None


def _state_of(name: str, photo: DatasetPhoto) -> tuple[str, int, int]:
    """Return what tells that a photo has changed."""
    stat = photo.path.stat()
    return name, stat.st_size, stat.st_mtime_ns


def _cut_crop(task: tuple[Path, Box]) -> tuple[NDArray[np.generic], ...]:
    """Cut the stored crop (192, 192, 3) out of a photo."""
    path, box = task
    return (resample(read_photo(path), crop_from_box(box, STORED_SIZE, STORED_BOXES), STORED_SIZE),)


def _make_target(task: tuple[Box, Array | None]) -> tuple[NDArray[np.generic], ...]:
    """Make warp and mask of a face, in its stored crop."""
    box, found = task
    if found is None:
        return np.full((GRID, GRID, 2), np.nan), np.zeros((MASK_SIZE, MASK_SIZE))
    landmarks = apply(crop_from_box(box, STORED_SIZE, STORED_BOXES), found)
    warp, _ = symmetric_warp(landmarks)
    return apply(np.linalg.inv(pixel_from_normalized(STORED_SIZE)), warp), draw_mask(landmarks)


def draw_mask(landmarks: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Draw the face region as a mask (96, 96), 0 to 255 with a soft edge, from landmarks (68, 2) in the stored crop."""
    hull = cv2.convexHull(face_outline(landmarks).astype(np.float32))
    corners = (hull + 0.5) * (MASK_SIZE * FINE / STORED_SIZE) - 0.5
    mask = np.zeros((MASK_SIZE * FINE,) * 2, np.uint8)
    cv2.fillPoly(mask, [np.round(corners).astype(np.int32)], 255)
    small = cv2.resize(mask, (MASK_SIZE, MASK_SIZE), interpolation=cv2.INTER_AREA)
    soft: NDArray[np.uint8] = cv2.GaussianBlur(small, (0, 0), EDGE_BLUR)
    return soft


def _load(folder: Path, faces: Sequence[_Face], landmarks: bool) -> Prepared:
    """Map what a folder holds into memory."""
    splits = np.array([split_of(face.photo.identity) if face.use else "unused" for face in faces])
    crops = np.load(folder / "crops.npy", mmap_mode="r")
    if landmarks:
        warps, masks = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in TARGETS)
    else:
        identity = control_points().astype(np.float32) * (CROP_BOXES / STORED_BOXES)
        warps = np.broadcast_to(identity, (len(crops), GRID, GRID, 2))
        masks = np.broadcast_to(np.uint8(255), (len(crops), MASK_SIZE, MASK_SIZE))
    return Prepared(splits=splits, crops=crops, warps=warps, masks=masks)
