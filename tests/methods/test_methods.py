"""The methods that are compared: their names, what mirroring does, and that a real face stays recognizable."""

from pathlib import Path

import numpy as np
import pytest

from symface_cli.geometry.frames import center_of
from symface_cli.geometry.types import Photo
from symface_cli.imaging.photo import read_photo
from symface_cli.methods.baselines import average, mirror_half
from symface_cli.methods.providers import ProvidedFace
from symface_cli.methods.registry import PROVIDERS, baselines, choose_methods, method_names, provider_of
from symface_cli.recognition.dlib import DlibRecognizer

DLIB_METHODS = ("dlib-left", "dlib-right", "dlib-average", "dlib-warp")


def test_baselines_are_a_providers_methods() -> None:
    assert baselines("dlib") == DLIB_METHODS
    assert set(DLIB_METHODS) <= set(baselines("all"))
    assert "vae" not in baselines("all")


def test_every_method_belongs_to_one_provider() -> None:
    names = method_names()
    assert len(set(names)) == len(names)
    assert all(name in PROVIDERS[provider_of(name)].methods for name in names)


def test_methods_asked_for_twice_run_once() -> None:
    assert choose_methods(["dlib-warp", "vae", "dlib-warp"]) == ("dlib-warp", "vae")


def test_left_half_is_the_viewers() -> None:
    image = np.array([[1, 2, 3, 4]], np.uint8)
    assert mirror_half(image, "left").tolist() == [[1, 2, 2, 1]]
    assert mirror_half(image, "right").tolist() == [[4, 3, 3, 4]]


def test_average_does_not_overflow() -> None:
    assert average(np.array([[255, 10, 20, 254]], np.uint8)).tolist() == [[255, 15, 15, 255]]


@pytest.fixture(scope="module")
def face() -> Photo:
    return read_photo(Path(__file__).parents[2] / "examples" / "portrait.jpg")


@pytest.fixture(scope="module")
def sighting(face: Photo) -> ProvidedFace:
    (found,) = PROVIDERS["dlib"].load().find(face, center_of(face))
    return found


@pytest.mark.landmarks
@pytest.mark.parametrize("name", DLIB_METHODS)
def test_dlib_methods_keep_the_person_in_a_symmetric_image(name: str, sighting: ProvidedFace, face: Photo) -> None:
    image = sighting.draw[name]()
    assert image.dtype == np.uint8
    assert image.shape == (len(image), len(image), 3)
    assert np.array_equal(image, image[:, ::-1])
    recognizer = DlibRecognizer()
    original, result = recognizer.embed(face), recognizer.embed(image)
    assert original is not None and result is not None
    assert recognizer.distance(original, result) < recognizer.thresholds[0]


@pytest.mark.landmarks
def test_provider_finds_nobody_in_an_empty_photo() -> None:
    empty = np.full((120, 120, 3), 128, np.uint8)
    assert PROVIDERS["dlib"].load().find(empty) == PROVIDERS["dlib"].load().find(empty, np.zeros(2)) == []
