"""The methods that are compared: their names, what mirroring does, and that a real face stays recognizable."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from symface_cli.errors import UsageError
from symface_cli.geometry.frames import center_of
from symface_cli.geometry.types import Photo
from symface_cli.imaging.photo import read_photo
from symface_cli.landmarks.clm import ClmLandmarks
from symface_cli.landmarks.sdm import SdmLandmarks
from symface_cli.methods.baselines import average, mirror_half
from symface_cli.methods.network import NETWORK_METHODS
from symface_cli.methods.provider import ProvidedFace
from symface_cli.methods.registry import (
    PROVIDERS,
    all_methods,
    baselines,
    choose_methods,
    files_of,
    find_method,
    find_provider,
    need_weights,
)
from symface_cli.recognition.dlib import DlibRecognizer
from tests.conftest import SHARED

DLIB_METHODS = ("dlib-left", "dlib-right", "dlib-average", "dlib-warp")


def test_baselines_are_a_providers_methods() -> None:
    assert tuple(method.name for method in baselines("dlib")) == DLIB_METHODS
    assert set(baselines("dlib")) <= set(baselines("all"))
    assert "vae" not in {method.provider for method in baselines("all")}


def test_every_method_belongs_to_one_provider() -> None:
    methods = all_methods()
    assert len({method.name for method in methods}) == len(methods)
    assert all(method in PROVIDERS[method.provider].methods for method in methods)
    assert all(name == entry.name for name, entry in PROVIDERS.items())


def test_methods_know_their_files_and_whether_they_need_the_networks_weights() -> None:
    assert files_of(["vae", "dlib-left"]) == ()
    assert files_of(["sdm-left", "sdm-warp", "clm-left"]) == (*SdmLandmarks.files, *ClmLandmarks.files)
    assert need_weights(["dlib-left", "vae-decode"]) and not need_weights(["dlib-left", "sdm-warp"])


@pytest.mark.parametrize(
    ("find", "choices"),
    [
        (find_method, "unknown method nonsense; choose from vae, vae-decode, vae-left, vae-right, dlib-left"),
        (find_provider, "unknown provider nonsense; choose from vae, dlib"),
        (baselines, "unknown baseline nonsense; choose from dlib, .*, all"),
    ],
)
def test_unknown_name_is_a_usage_error_that_names_the_choices(find: Callable[[str], object], choices: str) -> None:
    with pytest.raises(UsageError, match=choices):
        find("nonsense")


def test_methods_asked_for_twice_run_once() -> None:
    chosen = choose_methods(["dlib-warp", "vae", "dlib-warp"])
    assert [method.name for method in chosen] == ["dlib-warp", "vae"]


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
def found(face: Photo) -> ProvidedFace:
    (only,) = PROVIDERS["dlib"].load().find(face, center_of(face))
    return only


@pytest.mark.landmarks
@pytest.mark.parametrize("name", DLIB_METHODS)
def test_dlib_methods_keep_the_person_in_a_symmetric_image(name: str, found: ProvidedFace, face: Photo) -> None:
    image = found.render[name]()
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


@pytest.mark.parametrize(
    "name",
    [
        "vae",
        pytest.param("dlib", marks=pytest.mark.landmarks),
        *(pytest.param(name, marks=pytest.mark.shared) for name in ("sdm", "mediapipe")),
    ],
)
def test_provider_renders_each_of_its_methods_as_a_symmetric_image(
    name: str, face: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYMFACE_OFFLINE", "1")
    (only,) = PROVIDERS[name].load(model_folder=SHARED / "models").find(face, center_of(face))
    assert list(only.render) == [method.name for method in PROVIDERS[name].methods]
    assert only.midline is not None
    for render in only.render.values():
        image = render()
        np.testing.assert_array_equal(image, image[:, ::-1])


def test_network_methods_are_detail_and_side() -> None:
    assert {method.name: (method.detail, method.side) for method in NETWORK_METHODS} == {
        "vae": (True, "both"),
        "vae-decode": (False, "both"),
        "vae-left": (True, "left"),
        "vae-right": (True, "right"),
    }
