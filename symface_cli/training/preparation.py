"""Training photos made ready once: their crops, and the labels that landmarks give them.

A prepared folder holds `photos.json` (what was prepared), `crops.npy` (N, 192, 192, 3) uint8 and, once labels are
there, `warps.npy` (N, 17, 17, 2) float32, face frame -> normalised coordinates of the stored crop (NaN where a photo
has no label), and `masks.npy` (N, 96, 96) uint8, the face region of the stored crop.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.compositing import resample
from symface_cli.datasets import DatasetPhoto, list_photos, open_dataset, split_of
from symface_cli.detection import detect
from symface_cli.errors import DataError, PhotoError
from symface_cli.geometry import (
    CROP_BOXES,
    GRID,
    Array,
    Box,
    apply,
    control_points,
    crop_from_box,
    face_outline,
    pixel_from_normalised,
    symmetric_warp,
)
from symface_cli.images import read_photo, write_atomically
from symface_cli.landmarks.dlib import PREDICTOR, DlibLandmarks, model_file

STORED_SIZE = 192  # px, side of a stored crop
STORED_BOXES = CROP_BOXES * 1.2  # its side in box widths: the crop's, and room to jitter
MASK_SIZE = 96  # px
MOST_DISAGREEMENT = 0.06  # eye distances; labels whose runs differ more than this are not used
FORMAT = 1  # raised when prepared folders of older versions cannot be used any more

T = TypeVar("T")
R = TypeVar("R")
Progress = Callable[[int, int], None]
"""Called with how many photos are done, and of how many."""


@dataclass(frozen=True)
class Prepared:
    """Prepared photos of one or both splits that may be trained on.

    Attributes:
        splits: (N,) "train" or "validation" for each photo.
        crops: (N, 192, 192, 3) uint8, memory-mapped.
        warps: (N, 17, 17, 2) float32; without labels, the identity.
        masks: (N, 96, 96) uint8; without labels, all face.
    """

    splits: NDArray[np.str_]
    crops: NDArray[np.uint8]
    warps: NDArray[np.float32]
    masks: NDArray[np.uint8]


def prepare(data: Path, folder: Path, labels: bool, progress: Progress, workers: int = 0) -> Prepared:
    """Prepares the photos of `data` in `folder`, or takes what was prepared there before.

    Photos of test identities are never touched. Photos without a face are left out; photos without a usable label are
    left out of `splits` where labels are asked for.

    Args:
        data: A folder of photos, or an archive of one.
        folder: Where prepared photos are kept.
        labels: Whether warps and masks are needed.
        progress: Told of every photo.
        workers: Processes to use; 0 for one per core.

    Raises:
        DataError: If the data set cannot be opened or is empty, or no face is found in it.
    """
    data = open_dataset(data)
    photos = [photo for photo in list_photos(data) if split_of(photo.identity) != "test"]
    if labels:
        model_file(PREDICTOR)  # says at once, not in a worker, what is not installed
    index = _index_of(data, photos)
    folder.mkdir(parents=True, exist_ok=True)
    workers = workers or os.cpu_count() or 1
    if _read_index(folder / "crops.json") != index:
        _store_crops(photos, folder, index, progress, workers)
    if labels and _read_index(folder / "labels.json") != index:
        _store_labels(folder, index, progress, workers)
    return _load(folder, labels)


def _index_of(data: Path, photos: list[DatasetPhoto]) -> dict[str, object]:
    """What identifies a preparation: the photos with their sizes and times, and the format."""
    files = [[str(p.path.relative_to(data)), p.path.stat().st_size, p.path.stat().st_mtime_ns] for p in photos]
    return {"format": FORMAT, "photos": hashlib.sha256(json.dumps(files).encode()).hexdigest()}


def _read_index(path: Path) -> object:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None


def _store_crops(
    photos: list[DatasetPhoto], folder: Path, index: dict[str, object], progress: Progress, workers: int
) -> None:
    rows, crops = [], []
    for photo, found in zip(photos, _in_parallel(_make_crop, photos, progress, workers), strict=True):
        if found is not None:
            rows.append((str(photo.path), split_of(photo.identity), *found[0]))
            crops.append(found[1])
    if not crops:
        raise DataError(f"no face found in any of {len(photos)} photos")
    paths, splits, *boxes = zip(*rows, strict=True)
    np.savez(folder / "photos.npz", path=paths, split=splits, box=np.array(boxes).T)
    np.save(folder / "crops.npy", np.stack(crops))
    write_atomically(folder / "crops.json", json.dumps(index).encode())


def _make_crop(photo: DatasetPhoto) -> tuple[tuple[float, ...], NDArray[np.uint8]] | None:
    """Box and stored crop of the face nearest to the photo's centre, None where there is none."""
    try:
        pixels = read_photo(photo.path)
    except PhotoError:
        return None
    cv2.setNumThreads(1)
    upright = [face for face in detect(pixels) if face.degrees == 0]
    if not upright:
        return None
    centre = (np.array([pixels.shape[1], pixels.shape[0]]) - 1) / 2
    box = min(upright, key=lambda face: float(np.linalg.norm(face.centre - centre))).box
    return tuple(box), resample(pixels, crop_from_box(box, STORED_SIZE, STORED_BOXES), STORED_SIZE)


def _store_labels(folder: Path, index: dict[str, object], progress: Progress, workers: int) -> None:
    with np.load(folder / "photos.npz") as photos:
        tasks = [(Path(path), Box(*box)) for path, box in zip(photos["path"], photos["box"], strict=True)]
    warps = np.full((len(tasks), GRID, GRID, 2), np.nan, np.float32)
    masks = np.zeros((len(tasks), MASK_SIZE, MASK_SIZE), np.uint8)
    for i, label in enumerate(_in_parallel(_make_label, tasks, progress, workers)):
        if label is not None:
            warps[i], masks[i] = label
    np.save(folder / "warps.npy", warps)
    np.save(folder / "masks.npy", masks)
    write_atomically(folder / "labels.json", json.dumps(index).encode())


def _make_label(task: tuple[Path, Box]) -> tuple[Array, NDArray[np.uint8]] | None:
    """Warp and mask of one photo, None where the landmarks are not found or not agreed on."""
    path, box = task
    cv2.setNumThreads(1)
    found = _landmarks().label(read_photo(path), box)
    if found is None or found[1] > MOST_DISAGREEMENT:
        return None
    landmarks = apply(crop_from_box(box, STORED_SIZE, STORED_BOXES), found[0])
    warp, _ = symmetric_warp(landmarks)
    return apply(np.linalg.inv(pixel_from_normalised(STORED_SIZE)), warp), draw_mask(landmarks)


@cache
def _landmarks() -> DlibLandmarks:
    return DlibLandmarks()


def draw_mask(landmarks: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Mask (96, 96) of the face region, 0 to 255, from landmarks (68, 2) in pixels of the stored crop; soft edge."""
    fine = 4  # times finer, so that the edge is smooth
    hull = cv2.convexHull(face_outline(landmarks).astype(np.float32))
    corners = (hull + 0.5) * (MASK_SIZE * fine / STORED_SIZE) - 0.5
    mask = np.zeros((MASK_SIZE * fine,) * 2, np.uint8)
    cv2.fillPoly(mask, [np.round(corners).astype(np.int32)], 255)
    small = cv2.resize(mask, (MASK_SIZE, MASK_SIZE), interpolation=cv2.INTER_AREA)
    soft: NDArray[np.uint8] = cv2.GaussianBlur(small, (0, 0), 1.0)
    return soft


def _in_parallel(task: Callable[[T], R], items: list[T], progress: Progress, workers: int) -> Iterator[R]:
    """The task's results in order, computed by several processes, with progress."""
    context = get_context("spawn")  # a forked process inherits OpenCV's threads as locks that nobody opens
    with ProcessPoolExecutor(workers, context) as pool:
        for done, result in enumerate(pool.map(task, items, chunksize=8), 1):
            progress(done, len(items))
            yield result


def _load(folder: Path, labels: bool) -> Prepared:
    with np.load(folder / "photos.npz") as photos:
        splits = photos["split"]
    crops = np.load(folder / "crops.npy", mmap_mode="r")
    if not labels:
        identity = control_points().astype(np.float32) * (CROP_BOXES / STORED_BOXES)
        warps = np.broadcast_to(identity, (len(crops), GRID, GRID, 2))
        return Prepared(splits, crops, warps, np.broadcast_to(np.uint8(255), (len(crops), MASK_SIZE, MASK_SIZE)))
    warps, masks = np.load(folder / "warps.npy"), np.load(folder / "masks.npy")
    splits = np.where(np.isnan(warps[:, 0, 0, 0]), "unused", splits)
    return Prepared(splits, crops, warps, masks)
