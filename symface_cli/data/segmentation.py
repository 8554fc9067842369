"""What each pixel of a data set's photos shows, as labels beside it say: a folder of PNGs, or NumPy arrays in one file.

The labels may come from a network or from people; symface makes none.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from symface_cli.errors import DataError
from symface_cli.files import is_file, is_folder, on_one_line


class PixelClass(IntEnum):
    """What a pixel shows."""

    BACKGROUND = 0
    SKIN = 1  # with eyes, brows and lips
    HAIR = 2
    GLASSES = 3
    HAT = 4
    EAR = 5
    NECK = 6
    CLOTHES = 7
    BEARD = 8
    IN_FRONT = 9  # hands, microphones
    UNKNOWN = 255


LabelMap = NDArray[np.uint8]
"""What each pixel of a photo shows, (h, w): a `PixelClass`. It covers the whole photo, but may be smaller or larger."""

INDEXED = ("1", "L", "P")
"""Pillow's modes of pictures whose pixels are numbers of up to 8 bits."""
ADVICE = "give a folder of PNGs, or an .npz with the arrays photo and label"


@dataclass(frozen=True)
class Segmentation:
    """The label maps of some of a data set's photos, by the photos' paths in it.

    Attributes:
        path: The folder of PNGs, each under its photo's path with the suffix `.png`, or the `.npz`.
    """

    path: Path
    _maps: Mapping[str, LabelMap] | None
    """Those of the .npz."""

    @classmethod
    def open(cls, path: Path) -> "Segmentation":
        """Open a folder of PNGs, or an .npz whose arrays are `photo` (N,) and `label` (N, h, w) uint8.

        Raises:
            DataError: If it is neither, is damaged, or holds labels of other classes.
        """
        if is_folder(path):
            return cls(path, None)
        if not is_file(path):
            raise DataError(f"{path}: no such folder or file of pixel labels; {ADVICE}")
        return cls(path, _read_arrays(path))

    def label_of(self, name: str) -> LabelMap | None:
        """Return what the pixels of a photo show; None if there are no labels of it.

        Args:
            name: The photo's path in the data set, with slashes.

        Raises:
            DataError: If its PNG cannot be read, or holds labels of other classes.
        """
        if self._maps is not None:
            return self._maps.get(name)
        file = label_file(self.path, name)
        return _read_png(file) if is_file(file) else None

    def count(self, names: Collection[str]) -> int:
        """Count the photos that have labels."""
        if self._maps is not None:
            return len(self._maps.keys() & set(names))
        return sum(is_file(label_file(self.path, name)) for name in names)


def label_file(path: Path, name: str) -> Path:
    """Return the file of a segmentation, which `path` is, that a photo's labels are in, if there are any."""
    return (path / name).with_suffix(".png") if is_folder(path) else path


def _read_arrays(path: Path) -> dict[str, LabelMap]:
    try:
        with path.open("rb") as file, np.load(file) as arrays:
            names, labels = arrays["photo"].tolist(), arrays["label"]
    except Exception as error:  # a damaged file fails in as many ways as there are bytes
        raise DataError(f"{path}: cannot be read as pixel labels; {ADVICE}") from error
    if labels.ndim != 3 or labels.dtype != np.uint8 or len(labels) != len(names):
        raise DataError(f"{path}: {len(names)} photos, but labels {labels.shape} {labels.dtype}; use (N, h, w) uint8")
    _refuse_other_classes(path, labels)
    return dict(zip(names, labels, strict=True))


def _read_png(path: Path) -> LabelMap:
    try:
        with Image.open(path) as image:
            is_indexed, label = image.mode in INDEXED, np.asarray(image, np.uint8)
    except Exception as error:  # as above
        raise DataError(f"{on_one_line(str(path))}: cannot be read as pixel labels; make it again") from error
    if not is_indexed:
        raise DataError(f"{on_one_line(str(path))}: pixel labels are gray or indexed; save it as an 8-bit gray PNG")
    _refuse_other_classes(path, label)
    return label


def _refuse_other_classes(path: Path, labels: NDArray[np.uint8]) -> None:
    """Raise DataError if labels (..., h, w) hold what is no `PixelClass`."""
    is_class = np.zeros(256, bool)
    is_class[list(PixelClass)] = True
    others = labels[~is_class[labels]]
    if len(others):
        known = f"0 to {PixelClass.IN_FRONT:d}, or {PixelClass.UNKNOWN:d} where it is not known"
        raise DataError(f"{on_one_line(str(path))}: no class has the number {others[0]}; use {known}")
