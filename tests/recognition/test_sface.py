"""SFace: the face that its detector finds goes into the network, upright and in the right colors."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from symface_cli.engines.onnx import Onnx
from symface_cli.errors import ExitStatus, WeightsError
from symface_cli.geometry.types import Photo
from symface_cli.recognition.sface import (
    SFACE_FILE,
    SFACE_SIZE,
    YUNET_FILE,
    SFaceRecognizer,
    load_sface,
    load_yunet,
)

CELL = 8  # px, of YuNet's finest map
# Where eyes, nose and corners of the mouth come to lie in what SFace gets, as published for networks of this input.
TEMPLATE = np.array(
    [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)]
)


def detector(points: NDArray[np.float64]) -> bytes:
    """A network of YuNet's kind that finds a face for each red cell of 8 x 8 px, at these places (5, 2) from it on.

    Its score is the square root of the cell's red, in 255ths; its box is one cell.
    """
    network, outputs = Onnx(input=(1, 3, 640, 640)), {}
    for side in (CELL, 16, 32):
        red = np.zeros((1, 3, side, side), np.float32)
        red[0, 2] = (side == CELL) / 255 / side**2  # blue, green, red
        for kind, bias in (("cls", [0]), ("obj", [1]), ("bbox", [0] * 4), ("kps", (points / CELL).ravel())):
            weight = red if kind == "cls" else np.zeros((len(bias), 3, side, side), np.float32)
            steps = {"kernel_shape": [side, side], "strides": [side, side], "pads": [0] * 4}
            seen = network.node("Conv", f"{kind}-{side}", "input", weight, np.array(bias, np.float32), **steps)
            moved = network.node("Transpose", f"{kind}-{side}-last", seen, perm=[0, 2, 3, 1])
            name = network.node("Reshape", f"{kind}_{side}", moved, np.array([1, -1, len(bias)]))
            outputs[name] = (1, (640 // side) ** 2, len(bias))
    return network.finish(**outputs)


class SmallNetwork:
    """Six weighted sums of all 3 x 112 x 112 numbers, mixed to `numbers` ones."""

    def __init__(self, numbers: int = 128) -> None:
        random = np.random.default_rng(0)
        self.weight = random.normal(0, 1e-4, (6, 3, 112, 112)).astype(np.float32)
        self.bias = random.normal(0, 1, 6).astype(np.float32)
        self.mix = random.normal(0, 1, (6, numbers)).astype(np.float32)

    def as_onnx(self) -> bytes:
        network = Onnx(input=(1, 3, 112, 112))
        steps = {"kernel_shape": [112, 112], "strides": [1, 1], "pads": [0] * 4}
        network.node("Conv", "sums", "input", self.weight, self.bias, **steps)
        network.node("Flatten", "flat", "sums", axis=1)
        network.node("MatMul", "numbers", "flat", self.mix)
        return network.finish(numbers=(1, self.mix.shape[1]))

    def embed(self, red_green_blue: Photo) -> NDArray[np.floating]:
        """What it says of a picture (112, 112, 3), of unit length."""
        mixed = (np.einsum("oyxc,yxc->o", self.weight.transpose(0, 2, 3, 1), red_green_blue) + self.bias) @ self.mix
        return mixed / np.linalg.norm(mixed)


@pytest.fixture(scope="module")
def network() -> SmallNetwork:
    return SmallNetwork()


@pytest.fixture
def load(network: SmallNetwork, tmp_path: Path) -> Callable[[NDArray[np.float64]], SFaceRecognizer]:
    """Loads small networks; the detector finds faces whose points lie at the given places from a red cell on."""

    def load_with(points: NDArray[np.float64]) -> SFaceRecognizer:
        (tmp_path / SFACE_FILE).write_bytes(network.as_onnx())
        (tmp_path / YUNET_FILE).write_bytes(detector(points))
        return SFaceRecognizer(tmp_path)

    return load_with


@pytest.fixture
def recognizer(load: Callable[[NDArray[np.float64]], SFaceRecognizer]) -> SFaceRecognizer:
    """It cuts faces out of the photo as they are: their first pixel is that of the red cell."""
    return load(TEMPLATE)


def noise_with_faces(*cells: tuple[int, int], red: int = 255, size: tuple[int, int] = (300, 400)) -> Photo:
    """Noise of little red, and cells (row, column) full of it."""
    photo = np.random.default_rng(1).integers(0, (100, 256, 256), (*size, 3), dtype=np.uint8)
    for row, column in cells:
        photo[CELL * row : CELL * (row + 1), CELL * column : CELL * (column + 1), 0] = red
    return photo


def cut(photo: Photo, row: int, column: int) -> Photo:
    return photo[CELL * row : CELL * row + SFACE_SIZE, CELL * column : CELL * column + SFACE_SIZE]


def test_the_network_gets_the_face_in_red_green_and_blue(recognizer: SFaceRecognizer, network: SmallNetwork) -> None:
    photo = noise_with_faces((5, 9))
    found = recognizer.embed(photo)
    np.testing.assert_allclose(found, network.embed(cut(photo, 5, 9)), atol=1e-4)
    assert found is not None and found.dtype == np.float64


def test_a_tilted_and_larger_face_is_made_upright(
    load: Callable[[NDArray[np.float64]], SFaceRecognizer], network: SmallNetwork
) -> None:
    turn, shift = 1.5 * np.array([[0.8, 0.6], [-0.6, 0.8]]), (120, 10)  # by 37 degrees
    y, x = np.mgrid[:300, :400] / 40
    waves = [40 + 20 * np.sin(x + y), 128 + 100 * np.sin(x - 2 * y), 128 + 100 * np.cos(x)]
    photo = np.stack(waves, -1).astype(np.uint8)
    photo[:CELL, :CELL, 0] = 255
    found = load(TEMPLATE @ turn + shift).embed(photo)
    places = np.stack(np.meshgrid(np.arange(SFACE_SIZE), np.arange(SFACE_SIZE)), -1) @ turn + shift
    expected = cv2.remap(photo, places.astype(np.float32), None, cv2.INTER_LINEAR)
    np.testing.assert_allclose(found, network.embed(expected), atol=1e-3)  # 0.006 for one pixel


def test_the_face_nearest_to_the_point_is_embedded_by_default_to_the_center(
    recognizer: SFaceRecognizer, network: SmallNetwork
) -> None:
    photo = noise_with_faces((2, 1), (12, 20))  # their middles at (63, 89) and (215, 169)
    for point, cell in ((None, (12, 20)), ((130.0, 120.0), (2, 1)), ((150.0, 140.0), (12, 20))):
        found = recognizer.embed(photo, None if point is None else np.array(point))
        np.testing.assert_allclose(found, network.embed(cut(photo, *cell)), atol=1e-4)


def test_a_large_photo_is_looked_at_smaller_and_the_point_with_it(
    recognizer: SFaceRecognizer, network: SmallNetwork
) -> None:
    small = noise_with_faces((2, 1), (12, 20))
    photo = small.repeat(3, axis=0).repeat(3, axis=1)
    found = recognizer.embed(photo, np.array([150.0, 250.0]))
    np.testing.assert_allclose(found, network.embed(cut(small, 2, 1)), atol=1e-4)


def test_mirrored_views_of_an_array_are_photos_too(recognizer: SFaceRecognizer) -> None:
    view = noise_with_faces((5, 30))[:, ::-1]
    found, copied = recognizer.embed(view), recognizer.embed(view.copy())
    assert found is not None and copied is not None
    np.testing.assert_array_equal(found, copied)


def test_nobody_is_found_where_the_detector_is_not_sure(recognizer: SFaceRecognizer) -> None:
    assert recognizer.embed(noise_with_faces()) is None
    assert recognizer.embed(noise_with_faces((5, 9), red=200)) is None  # of 0.89
    assert recognizer.embed(noise_with_faces((5, 9), red=212)) is not None  # of 0.91


def test_a_face_beyond_the_photo_is_none(recognizer: SFaceRecognizer) -> None:
    assert recognizer.embed(noise_with_faces((5, 45))) is None  # its middle is 416 px from the left of 400
    assert recognizer.embed(noise_with_faces((5, 42))) is not None  # 392


@pytest.mark.parametrize("size", [(1, 1), (3, 700), (33, 31)])
def test_photos_of_odd_sizes_are_looked_at(recognizer: SFaceRecognizer, size: tuple[int, int]) -> None:
    assert recognizer.embed(noise_with_faces(size=size)) is None


def test_distance_is_that_of_the_published_threshold() -> None:
    a, b = np.array([1.0, 0.0, 0.0]), np.array([0.363, 0.0, (1 - 0.363**2) ** 0.5])
    assert SFaceRecognizer.distance(a, b) == pytest.approx(SFaceRecognizer.thresholds[0])
    assert SFaceRecognizer.distance(a, a) == pytest.approx(0)
    assert SFaceRecognizer.distance(a, -a) == pytest.approx(2)


@pytest.mark.parametrize(
    "damage",
    [lambda content: content[: len(content) // 2], lambda content: b"", lambda content: b"<html>Not found</html>"],
    ids=["half", "empty", "a web page"],
)
def test_damaged_networks_are_refused_in_one_line(
    damage: Callable[[bytes], bytes], network: SmallNetwork, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    contents = {SFACE_FILE: network.as_onnx(), YUNET_FILE: detector(TEMPLATE)}
    for name, load in ((SFACE_FILE, load_sface), (YUNET_FILE, load_yunet)):
        (tmp_path / name).write_bytes(damage(contents[name]))
        with pytest.raises(WeightsError, match=rf"{name} is damaged.*remove it") as caught:
            load(tmp_path / name)
        assert caught.value.status == ExitStatus.WEIGHTS and "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""


def test_other_networks_are_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.onnx"
    other.write_bytes(SmallNetwork(numbers=64).as_onnx())
    with pytest.raises(WeightsError, match="not SFace's network: it gives 64 numbers"):
        load_sface(other)
    with pytest.raises(WeightsError, match="another network"):
        load_yunet(other)


def test_without_its_networks_and_offline_it_says_where_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYMFACE_HOME", str(tmp_path))
    monkeypatch.setenv("SYMFACE_OFFLINE", "1")
    with pytest.raises(WeightsError, match=r"face_detection_yunet_2023mar\.onnx.*SYMFACE_OFFLINE"):
        SFaceRecognizer()
