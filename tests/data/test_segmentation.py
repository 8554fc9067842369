"""Pixel labels of photos: a folder of PNGs, or arrays in one file."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from symface_cli.data.segmentation import Segmentation
from symface_cli.errors import DataError

ADA = np.array([[0, 1, 2], [3, 9, 255]], np.uint8)
CY = np.array([[8, 8, 8], [4, 5, 6]], np.uint8)


def write_arrays(path: Path, **changes: object) -> Path:
    with path.open("wb") as file:
        np.savez_compressed(file, **{"photo": ["Ada/1.jpg", "Cy.png"], "label": np.stack([ADA, CY]), **changes})
    return path


def write_pictures(path: Path) -> Path:
    """A gray picture and one with a palette, whose indices count."""
    (path / "Ada").mkdir(parents=True)
    Image.fromarray(ADA).save(path / "Ada" / "1.png")
    indexed = Image.fromarray(CY, "P")
    indexed.putpalette([200, 10, 10] * 256)
    indexed.save(path / "Cy.png")
    return path


@pytest.mark.parametrize("write", [write_arrays, write_pictures])
def test_labels_are_found_by_the_photos_paths(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    segmentation = Segmentation.open(write(tmp_path / "labels"))
    ada, cy = segmentation.label_of("Ada/1.jpg"), segmentation.label_of("Cy.png")
    assert ada is not None and ada.dtype == np.uint8 and ada.tolist() == ADA.tolist()
    assert cy is not None and cy.tolist() == CY.tolist()
    assert segmentation.label_of("Ada/2.jpg") is None
    assert segmentation.count(["Ada/1.jpg", "Ada/2.jpg", "Cy.png"]) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"label": np.full((2, 4, 4), 10, np.uint8)},
        {"label": np.zeros((2, 4, 4), np.int64)},
        {"label": np.zeros((1, 4, 4), np.uint8)},
        {"photo": np.array(["Ada/1.jpg", None], object)},
    ],
)
def test_arrays_that_are_no_labels_are_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    with pytest.raises(DataError, match=r"labels\.npz"):
        Segmentation.open(write_arrays(tmp_path / "labels.npz", **changes))


@pytest.mark.parametrize("content", [b"", b"no zip", b"\x93NUMPY"])
def test_files_that_hold_no_arrays_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "labels.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"labels\.npz: cannot be read as pixel labels; give a folder"):
        Segmentation.open(tmp_path / "labels.npz")
    with pytest.raises(DataError, match="no such folder or file"):
        Segmentation.open(tmp_path / "nothing")


def test_pictures_that_are_no_labels_are_refused(tmp_path: Path) -> None:
    Image.fromarray(np.full((4, 4), 77, np.uint8)).save(tmp_path / "other.png")
    Image.new("RGB", (4, 4)).save(tmp_path / "color.png")
    (tmp_path / "damaged.png").write_bytes(b"\x89PNG")
    segmentation = Segmentation.open(tmp_path)
    for name, reason in {"other": "number 77", "color": "8-bit gray", "damaged": "cannot be read"}.items():
        with pytest.raises(DataError, match=rf"{name}\.png: .*{reason}"):
            segmentation.label_of(f"{name}.jpg")
