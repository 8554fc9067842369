"""How well the network's parser says what the pixels of photos show, beside other labels of them.

    python benchmarks/segmentation.py WEIGHTS PHOTOS LABELS [--teacher LABELS] [--limit N]

LABELS are those to compare with, best placed by people, as `symface train --segmentation` takes them. Photos of people
who are trained on are left out. Of each other photo, what counts is what the parser looks at: the level frame of the
face in its middle. Per class: F1 of the parser and of the teacher, over all pixels of the photos whose label is known.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from symface_cli.data.datasets import Dataset, split_of, survey
from symface_cli.data.segmentation import LabelMap, Segmentation
from symface_cli.detection.detector import detect
from symface_cli.geometry.frames import CROP_SIZE, apply, center_of, pixel_from_normalized
from symface_cli.geometry.sampling import resample
from symface_cli.geometry.types import Array, Photo
from symface_cli.geometry.warps import similarity_of_warp
from symface_cli.imaging.photo import read_photo
from symface_cli.network.builder import prepare_for_inference
from symface_cli.network.device import limit_threads
from symface_cli.network.face_network import FaceNetwork
from symface_cli.network.maps import PARSING_SIZE, PARTS, UNKNOWN, Part
from symface_cli.network.weights import load_weights
from symface_cli.training.data.prepared.segments import part_table

CPU = torch.device("cpu")


class Labeled(NamedTuple):
    """A photo, what its pixels show, and what another one says of that."""

    photo: Photo
    truth: LabelMap
    teacher: LabelMap | None


class Counts:
    """Pixels by what they show and what they are taken for."""

    def __init__(self) -> None:
        self._pixels = np.zeros((PARTS, PARTS), np.int64)

    def add(self, truth: NDArray[np.uint8], found: NDArray[np.uint8], counted: NDArray[np.bool_]) -> None:
        """Count the pixels of a photo, which are parts or, in what is found, UNKNOWN."""
        counted = counted & (truth != UNKNOWN) & (found != UNKNOWN)
        pairs = PARTS * truth[counted].astype(int) + found[counted]
        self._pixels += np.bincount(pairs, minlength=PARTS**2).reshape(PARTS, PARTS)

    def scores(self) -> Array:
        """Return F1 of each part, (PARTS,); NaN where there is none of it."""
        both = self._pixels.diagonal()
        with np.errstate(invalid="ignore"):
            return 2 * both / (self._pixels.sum(0) + self._pixels.sum(1))

    def shares(self) -> Array:
        """Return how many of the pixels show each part, (PARTS,) in 0..1."""
        return self._pixels.sum(1) / self._pixels.sum()


def choose(data: Dataset, labels: Segmentation, teacher: Segmentation | None, limit: int) -> Iterator[Labeled]:
    """Yield the labeled photos of people who are not trained on, evenly spaced."""
    names = {data.name_of(photo): photo.path for photo in data.photos if split_of(photo.identity) != "train"}
    known = [name for name in names if labels.label_of(name) is not None]
    for index in np.unique(np.linspace(0, len(known) - 1, min(limit, len(known))).astype(int)):
        truth = labels.label_of(known[index])
        assert truth is not None
        other = None if teacher is None else teacher.label_of(known[index])
        yield Labeled(read_photo(names[known[index]]), truth, other)


@torch.inference_mode()
def parse(network: FaceNetwork, photo: Photo) -> tuple[NDArray[np.uint8], NDArray[np.bool_]] | None:
    """Return the part that each pixel of a photo shows, and where that is known; None without a face."""
    middle = center_of(photo)
    found = min(detect(photo), key=lambda face: float(np.linalg.norm(face.box.center - middle)), default=None)
    if found is None:
        return None
    crop = torch.from_numpy(resample(photo, found.crop_from_photo, CROP_SIZE)).permute(2, 0, 1)[None].float() / 255
    located = network.locate(crop)
    assert located is not None
    photo_from_crop = np.linalg.inv(found.crop_from_photo) @ pixel_from_normalized(CROP_SIZE)
    photo_from_level = similarity_of_warp(apply(photo_from_crop, located.warp[0].numpy().astype(float)))
    maps_from_photo = pixel_from_normalized(PARSING_SIZE) @ np.linalg.inv(photo_from_level)
    size = photo.shape[1::-1]
    maps = [
        cv2.warpAffine(part, maps_from_photo[:2], size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        for part in located.parts[0, :PARTS].numpy()
    ]
    seen = np.stack(maps)
    return seen.argmax(0).astype(np.uint8), seen.sum(0) > 0.99  # 0 beyond the level frame


def enlarge_label(label: LabelMap, photo: Photo) -> NDArray[np.uint8]:
    """Return the part that each pixel of a photo shows, by its label map."""
    return part_table()[cv2.resize(label, photo.shape[1::-1], interpolation=cv2.INTER_NEAREST)]


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description="F1 of the network's parser against pixel labels.")
    parser.add_argument("weights", type=Path, metavar="WEIGHTS")
    parser.add_argument("photos", type=Path, metavar="PHOTOS", help="a data set")
    parser.add_argument("labels", type=Path, metavar="LABELS", help="a folder of PNGs or an .npz")
    parser.add_argument("--teacher", type=Path, metavar="LABELS", help="others, to compare with")
    parser.add_argument("--limit", type=int, default=1000, metavar="N", help="photos (default: 1000)")
    arguments = parser.parse_args()
    limit_threads()
    network = prepare_for_inference(load_weights(arguments.weights).network, CPU)
    labels = Segmentation.open(arguments.labels)
    teacher = None if arguments.teacher is None else Segmentation.open(arguments.teacher)
    by_parser, by_teacher, photos, missed = Counts(), Counts(), 0, 0
    for labeled in choose(survey(arguments.photos), labels, teacher, arguments.limit):
        parsed = parse(network, labeled.photo)
        if parsed is None:
            missed += 1
            continue
        truth, photos = enlarge_label(labeled.truth, labeled.photo), photos + 1
        by_parser.add(truth, parsed[0], parsed[1])
        if labeled.teacher is not None:
            by_teacher.add(truth, enlarge_label(labeled.teacher, labeled.photo), parsed[1])
    print(f"{photos} photos, and {missed} in which no face is found")
    print(f"{'':14}{'pixels':>8}{'parser':>8}{'teacher':>9}")
    for part, share, ours, theirs in zip(
        Part, by_parser.shares(), by_parser.scores(), by_teacher.scores(), strict=True
    ):
        print(f"{part.name.lower():14}{share:8.3f}{ours:8.3f}{theirs:9.3f}")


if __name__ == "__main__":
    main()
