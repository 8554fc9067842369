"""Warps of images that are larger than OpenCV can address."""

from pathlib import Path

import cv2
import numpy as np
import pytest

import symface_cli
from symface_cli.geometry import warping
from symface_cli.geometry.warping import LARGEST, remap, warp_affine

BORDERS = [cv2.BORDER_REFLECT_101, cv2.BORDER_REPLICATE, cv2.BORDER_CONSTANT]


@pytest.fixture
def small_limit(monkeypatch):
    """An OpenCV that could address 100 pixels."""
    monkeypatch.setattr(warping, "LARGEST", 100)


@pytest.fixture
def image():
    return cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (180, 260, 3), np.uint8), (0, 0), 1)


def turned(degrees, scale, shift):
    c, s = scale * np.cos(np.radians(degrees)), scale * np.sin(np.radians(degrees))
    return np.array([[c, -s, shift[0]], [s, c, shift[1]], [0, 0, 1.0]])


@pytest.mark.usefixtures("small_limit")
@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("matrix", [turned(20, 1, (30, -20)), turned(90, 1, (179, 0)), turned(-3, 0.9, (-190, -60))])
def test_parts_of_an_affine_warp_are_those_of_the_whole(image, matrix, border):
    expected = cv2.warpAffine(image, matrix[:2], (210, 240), borderMode=border)
    found = warp_affine(image, matrix, (210, 240), border)
    x, y = np.meshgrid(np.arange(210), np.arange(240))
    at = np.linalg.inv(matrix)[:2] @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
    near = (np.abs(at - [[129.5], [89.5]]) < [[130 + 40], [90 + 40]]).all(0).reshape(x.shape)
    counted = near if border == cv2.BORDER_REFLECT_101 else np.ones_like(near)  # a window is reflected for itself
    assert np.abs(found.astype(int) - expected)[counted].max() <= 2  # OpenCV rounds places to 32nds of a pixel


@pytest.mark.usefixtures("small_limit")
@pytest.mark.parametrize("interpolation", [cv2.INTER_LINEAR, cv2.INTER_CUBIC])
@pytest.mark.parametrize("border", BORDERS)
def test_parts_of_a_free_warp_are_those_of_the_whole(image, interpolation, border):
    x, y = np.meshgrid(np.linspace(-3, 263, 330, dtype=np.float32), np.linspace(-3, 183, 150, dtype=np.float32))
    where = np.stack([x + 9 * np.sin(y / 20), y + 9 * np.cos(x / 20)], -1)
    expected = cv2.remap(image, where, None, interpolation, borderMode=border)
    inside = ((where > -4) & (where < [263, 183])).all(-1)
    found = remap(image, where, interpolation, border)
    assert np.abs(found.astype(int) - expected)[inside].max() <= 2


@pytest.mark.parametrize("shape", [(3, LARGEST + 500), (LARGEST + 500, 3)])
def test_ends_of_an_image_that_opencv_refuses(shape):
    image = np.add.outer(np.arange(shape[0]), np.arange(shape[1])).astype(np.uint8)
    last = np.array([shape[1] - 3, shape[0] - 3])
    matrix = np.eye(3)
    matrix[:2, 2] = -last
    assert (warp_affine(image, matrix, (3, 3), cv2.BORDER_REPLICATE) == image[-3:, -3:]).all()
    where = np.stack(np.meshgrid(np.arange(shape[1]), np.arange(shape[0])), -1).astype(np.float32)
    assert (remap(image, where, cv2.INTER_LINEAR, cv2.BORDER_REPLICATE) == image).all()


def test_no_image_is_warped_but_here():
    """A photo that is wider than OpenCV can address would fail there."""
    small = {"rendering/fields.py", "measurement/points/places.py", "training/data/augmentation.py"}  # at most 192 px
    allowed = {"geometry/warping.py", *small}
    package = Path(symface_cli.__file__).parent
    callers = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if any(f"cv2.{name}(" in path.read_text("utf-8") for name in ("remap", "warpAffine", "warpPerspective"))
    }
    assert callers == allowed
