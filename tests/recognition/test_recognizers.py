"""Recognizers: the right pixels go into the network, the right face is meant, and damaged networks are refused."""

import itertools
import struct
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from symface_cli.data.published import FILES
from symface_cli.errors import ExitStatus, UsageError, WeightsError
from symface_cli.geometry.types import Photo
from symface_cli.imaging.photo import read_photo
from symface_cli.landmarks.dlib import DlibLandmarks
from symface_cli.recognition.dlib import DlibRecognizer
from symface_cli.recognition.openface import OPENFACE_FILE, OpenFaceRecognizer, align_for_openface, load_openface
from symface_cli.recognition.recognizer import LandmarkRecognizer
from symface_cli.recognition.registry import RECOGNIZERS, find_recognizer

# Where OpenFace puts the outer corners of the eyes and the nose's base, in pixels of its 96 x 96 input; by hand
# from the rows 36, 45, 33 of TEMPLATE in its align_dlib.py: (row - (0.07924, 0.18236)) / (0.89195, 0.87844) * 96.
CORNERS = {36: (18.639, 16.250), 45: (75.730, 15.184), 33: (47.515, 49.386)}


# A network of OpenFace's kind, as a Torch7 file


class Torch7:
    """Writes Torch's binary format: values after their type's number, tables and objects after a second one too."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def value(self, value: object) -> bytes:
        if isinstance(value, bool):
            return struct.pack("<2i", 5, value)
        if isinstance(value, (int, float)):
            return struct.pack("<id", 1, value)
        if isinstance(value, str):
            return struct.pack("<i", 2) + self._text(value)
        if isinstance(value, dict):
            pairs = b"".join(self.value(key) + self.value(its_value) for key, its_value in value.items())
            return struct.pack("<3i", 3, next(self._numbers), len(value)) + pairs
        assert isinstance(value, bytes)  # an object that was written before
        return value

    def module(self, name: str, **fields: object) -> bytes:
        return self._object(f"nn.{name}", self.value(fields))

    def tensor(self, array: NDArray[np.floating]) -> bytes:
        steps = [stride // array.itemsize for stride in array.strides]
        shape = struct.pack(f"<i{2 * array.ndim}q", array.ndim, *array.shape, *steps) + struct.pack("<q", 1)
        return self._object("torch.FloatTensor", shape + self._storage("Float", array.astype("<f4").ravel()))

    def sizes(self, *sizes: int) -> bytes:
        return self._storage("Long", np.array(sizes, "<i8"))

    def _storage(self, kind: str, numbers: NDArray[np.generic]) -> bytes:
        return self._object(f"torch.{kind}Storage", struct.pack("<q", numbers.size) + numbers.tobytes())

    def _object(self, name: str, content: bytes) -> bytes:
        return struct.pack("<2i", 4, next(self._numbers)) + self._text("V 1") + self._text(name) + content

    @staticmethod
    def _text(text: str) -> bytes:
        return struct.pack("<i", len(text)) + text.encode()


class SmallNetwork:
    """Six weighted sums of all 3 x 96 x 96 numbers, mixed to `numbers` ones, of unit length."""

    def __init__(self, numbers: int = 128) -> None:
        random = np.random.default_rng(0)
        self.weight = random.normal(0, 0.01, (6, 3, 96, 96)).astype(np.float32)
        self.bias = random.normal(0, 1, 6).astype(np.float32)
        self.mix = random.normal(0, 1, (numbers, 6)).astype(np.float32)

    def as_torch7(self) -> bytes:
        file = Torch7()
        weight, bias, mix = map(file.tensor, (self.weight, self.bias, self.mix))
        sides = {"kW": 96, "kH": 96, "dW": 1, "dH": 1, "padW": 0, "padH": 0}
        layers = [
            file.module("SpatialConvolution", nInputPlane=3, nOutputPlane=6, weight=weight, bias=bias, **sides),
            file.module("View", size=file.sizes(6), numElements=6),
            file.module("Linear", weight=mix),
            file.module("Normalize", p=2, eps=1e-10),
        ]
        return file.module("Sequential", modules=dict(enumerate(layers, 1)))

    def embed(self, red_green_blue: NDArray[np.floating]) -> NDArray[np.floating]:
        """What it says of a picture (96, 96, 3), 0..1."""
        mixed = self.mix @ (np.einsum("oyxc,yxc->o", self.weight.transpose(0, 2, 3, 1), red_green_blue) + self.bias)
        return mixed / np.linalg.norm(mixed)


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallNetwork:
    """Takes the place of OpenFace's network."""
    small = SmallNetwork()
    (tmp_path / OPENFACE_FILE).write_bytes(small.as_torch7())
    monkeypatch.setenv("SYMFACE_MODEL_DIR", str(tmp_path))
    return small


@pytest.fixture
def noise() -> Photo:
    return np.random.default_rng(1).integers(0, 256, (96, 96, 3), dtype=np.uint8)


def landmarks_at(corners: dict[int, tuple[float, float]]) -> NDArray[np.float32]:
    """Landmarks (68, 2) of which only those three matter."""
    landmarks = np.zeros((68, 2), np.float32)
    for index, corner in corners.items():
        landmarks[index] = corner
    return landmarks


# OpenFace's alignment


def test_the_outer_eyes_and_the_nose_come_to_lie_on_the_template() -> None:
    landmarks = landmarks_at({36: (150, 130), 45: (330, 180), 33: (210, 260)})  # a turned and slanted face
    y, x = np.mgrid[:400, :500]
    spots = [np.exp(-((x - landmarks[i, 0]) ** 2 + (y - landmarks[i, 1]) ** 2) / 200) for i in CORNERS]
    photo = np.round(255 * np.stack(spots, axis=-1)).astype(np.uint8)  # red, green and blue
    aligned = align_for_openface(photo, landmarks)
    assert aligned.shape == (96, 96, 3)
    y, x = np.mgrid[:96, :96]
    for channel, corner in enumerate(CORNERS.values()):
        weight = aligned[..., channel] / aligned[..., channel].sum(dtype=float)
        assert ((weight * x).sum(), (weight * y).sum()) == pytest.approx(corner, abs=0.1)


def test_a_face_that_lies_as_in_the_template_is_left_as_it_is_and_black_beyond_the_photo(noise: Photo) -> None:
    np.testing.assert_array_equal(align_for_openface(noise, landmarks_at(CORNERS)), noise)
    shifted = align_for_openface(noise, landmarks_at({index: (x - 10, y) for index, (x, y) in CORNERS.items()}))
    np.testing.assert_array_equal(shifted[:, 10:], noise[:, :-10])
    assert not shifted[:, :10].any()


# OpenFace's network


@pytest.mark.landmarks
def test_openface_sees_red_green_and_blue_from_0_to_1(network: SmallNetwork, noise: Photo) -> None:
    found = OpenFaceRecognizer().embed_aligned(noise, landmarks_at(CORNERS))
    np.testing.assert_allclose(found, network.embed(noise / 255), atol=1e-5)
    assert found.dtype == np.float64 and np.linalg.norm(found) == pytest.approx(1)


@pytest.mark.landmarks
def test_openface_says_the_same_twice_and_with_any_number_of_threads(network: SmallNetwork, noise: Photo) -> None:
    recognizer, landmarks, before = OpenFaceRecognizer(), landmarks_at(CORNERS), cv2.getNumThreads()
    found = []
    try:
        for threads in (1, 1, 2, 4):
            cv2.setNumThreads(threads)
            found.append(recognizer.embed_aligned(noise, landmarks).tobytes())
    finally:
        cv2.setNumThreads(before)
    assert len(set(found)) == 1


def cut_short(content: bytes) -> bytes:
    return content[: len(content) // 2]


@pytest.mark.parametrize(
    "damage",
    [cut_short, lambda content: b"", lambda content: b"<html>Not found</html>", lambda content: content[:-40]],
    ids=["half", "empty", "a web page", "without its end"],
)
def test_a_damaged_network_is_refused(damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = tmp_path / OPENFACE_FILE
    path.write_bytes(damage(SmallNetwork().as_torch7()))
    with pytest.raises(WeightsError, match=r"nn4\.small2\.v1\.t7 is damaged.*remove it") as caught:
        load_openface(path)
    assert caught.value.status == ExitStatus.WEIGHTS and "\n" not in str(caught.value)


def test_a_network_of_another_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / OPENFACE_FILE
    path.write_bytes(SmallNetwork(numbers=64).as_torch7())
    with pytest.raises(WeightsError, match=r"nn4\.small2\.v1\.t7 .* gives 64 numbers"):
        load_openface(path)


@pytest.mark.landmarks
def test_without_its_network_and_offline_openface_says_where_it_is_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYMFACE_HOME", str(tmp_path))
    monkeypatch.setenv("SYMFACE_OFFLINE", "1")
    for variable in ("SYMFACE_MODEL_DIR", "SYMFACE_MIRROR"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(WeightsError, match=r"SYMFACE_OFFLINE.*SYMFACE_MODEL_DIR") as caught:
        OpenFaceRecognizer()
    assert "https://storage.cmusatyalab.org/openface-models/nn4.small2.v1.t7" in str(caught.value)
    assert caught.value.status == ExitStatus.WEIGHTS


# Every recognizer with landmarks


@pytest.fixture(params=[name for name, each in RECOGNIZERS.items() if issubclass(each, LandmarkRecognizer)])
def recognizer(request: pytest.FixtureRequest, network: SmallNetwork) -> LandmarkRecognizer:
    pytest.importorskip("dlib")
    return RECOGNIZERS[request.param]()


@pytest.fixture
def both(pair: Path) -> Photo:
    """A small photo of two people, so that dlib is quick."""
    return cv2.resize(read_photo(pair), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)


@pytest.mark.landmarks
def test_the_face_nearest_to_the_point_is_embedded(recognizer: LandmarkRecognizer, both: Photo) -> None:
    faces = sorted(DlibLandmarks().find_faces(both), key=lambda face: face[:, 0].mean())
    assert len(faces) == 2
    height, width = both.shape[:2]
    for face, x in zip(faces, (width / 4, 3 * width / 4), strict=True):
        found = recognizer.embed(both, np.array([x, height / 2]))
        np.testing.assert_array_equal(found, recognizer.embed_aligned(both, face))
        assert found is not None and found.shape == (128,)


@pytest.mark.landmarks
def test_nobody_is_found_in_an_empty_photo(recognizer: LandmarkRecognizer) -> None:
    empty = np.full((120, 160, 3), 90, np.uint8)
    assert recognizer.embed(empty) is None


@pytest.mark.landmarks
def test_mirrored_views_of_an_array_are_photos_too(recognizer: LandmarkRecognizer, both: Photo) -> None:
    view = both[:, ::-1]
    found, copied = recognizer.embed(view), recognizer.embed(view.copy())
    assert found is not None and copied is not None
    np.testing.assert_array_equal(found, copied)


@pytest.mark.landmarks
def test_dlib_describes_the_landmarks_that_it_finds_as_its_own_program_does(both: Photo) -> None:
    dlib = pytest.importorskip("dlib")
    from symface_cli.landmarks.dlib import PREDICTOR, model_file

    found = DlibRecognizer().embed(both, np.zeros(2))
    predictor = dlib.shape_predictor(str(model_file(PREDICTOR)))
    network = dlib.face_recognition_model_v1(str(model_file("dlib_face_recognition_resnet_model_v1.dat")))
    shapes = [predictor(both, rectangle) for rectangle in dlib.get_frontal_face_detector()(both, 1)]
    nearest = min(shapes, key=lambda shape: shape.part(30).x)  # the nose's tip, of the left face
    np.testing.assert_array_equal(found, np.array(network.compute_face_descriptor(both, nearest)))


# Every recognizer


def test_distances_are_those_of_the_published_thresholds() -> None:
    a, b = np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.6, 0.8])
    assert OpenFaceRecognizer.distance(a, b) == pytest.approx(2)  # squared
    assert DlibRecognizer.distance(a, b) == pytest.approx(2**0.5)
    assert (OpenFaceRecognizer.thresholds[0], DlibRecognizer.thresholds[0]) == (0.99, 0.6)


@pytest.mark.parametrize("name", RECOGNIZERS)
def test_what_a_recognizer_needs_is_published_and_its_thresholds_get_stricter(name: str) -> None:
    chosen = find_recognizer(name)
    assert set(chosen.files) <= set(FILES)
    assert list(chosen.thresholds) == sorted(set(chosen.thresholds), reverse=True)


def test_an_unknown_recognizer_is_a_usage_error_that_names_the_choices() -> None:
    with pytest.raises(UsageError, match="dlib, openface"):
        find_recognizer("nonsense")
