"""`symface doctor` and its self-test: what is found, and what each fault leads to."""

import importlib
import json
import sys
from importlib.metadata import version

import cv2
import numpy as np
import pytest
import torch

from symface_cli import __version__
from symface_cli.doctor import selftest
from symface_cli.imaging.photo import read_photo
from symface_cli.network.builder import build_network
from symface_cli.network.weights import bundled_weights, save_weights
from tests.conftest import ROOT
from tests.small import SMALL

PARTS = ["symface", "python", "config", "variables", "torch", "device", "threads", "opencv", "onnxruntime", "weights"]
PARTS += ["free-weights", "dlib", "pillow-heif", "imagecodecs", "av", "starlette", "models", "cache", "self-test"]


@pytest.fixture
def folder(working_folder, monkeypatch):
    """An empty working folder, with a cache in it that does not exist yet."""
    monkeypatch.setenv("SYMFACE_HOME", str(working_folder / "cache"))
    return working_folder


@pytest.fixture
def skip_test(monkeypatch):
    """For tests of other parts: the self-test takes seconds."""
    monkeypatch.setattr(selftest, "run", lambda device, engine: selftest.Result(1, 0, 1.0, 0.1))


def rows(finished):
    """The table as {name: (verdict, found)}."""
    lines = [line.split(maxsplit=2) for line in finished.out.splitlines()[:-1]]
    return {name: (verdict, found) for verdict, name, found in lines}


# ---- a sound installation


def test_a_sound_installation_is_ok_and_symmetrizes_a_face(symface):
    finished = symface("doctor")
    assert finished.status == 0, finished.out
    assert finished.err == ""
    found = rows(finished)
    assert list(found) == PARTS
    assert not {verdict for verdict, _ in found.values()} - {"ok", "absent", "warning"}
    for name, told in (
        ("symface", f"{__version__} in {ROOT / 'symface_cli'}"),
        ("torch", torch.__version__),
        ("opencv", cv2.__version__),
        ("onnxruntime", version("onnxruntime")),
        ("weights", str(bundled_weights())),
    ):
        assert found[name][0] == "ok"
        assert told in found[name][1]
    assert found["self-test"][0] == "ok"


def test_json_has_the_same_checks(symface, skip_test):
    told = json.loads(symface("doctor", "--json").out)
    assert told["status"] == 0
    table = rows(symface("doctor"))
    assert {check["name"]: (check["verdict"], check["found"]) for check in told["checks"]} == table


def test_nothing_is_written(symface, folder, skip_test):
    symface("doctor")
    assert list(folder.iterdir()) == []


def test_the_last_line_counts_the_verdicts(symface, skip_test):
    finished = symface("doctor")
    verdicts = [verdict for verdict, _ in rows(finished).values()]
    counts = [f"{verdicts.count(verdict)} {verdict}" for verdict in ("ok", "absent", "warning", "problem")]
    assert finished.out.splitlines()[-1] == ", ".join(counts)


# ---- what is told of the surroundings


def test_configuration_and_variables_are_named(symface, folder, skip_test, monkeypatch):
    (folder / "symface.toml").write_text("[doctor]\njson = false\n")
    monkeypatch.setenv("SYMFACE_OFFLINE", "1")
    monkeypatch.setenv("SYMFACE_MIRROR", "https://me:secret@mirror.example/")
    monkeypatch.setenv("SYMFACE_TRAIN_BATCH_SIZE", "32")
    found = rows(symface("doctor"))
    assert found["config"] == ("ok", "symface.toml")
    verdict, told = found["variables"]
    assert verdict == "ok"
    for part in ("SYMFACE_OFFLINE=1", "mirror.example", "SYMFACE_TRAIN_BATCH_SIZE=32", "nothing is downloaded"):
        assert part in told
    assert "secret" not in told


def test_a_variable_that_nothing_reads_is_a_warning(symface, skip_test, monkeypatch):
    monkeypatch.setenv("SYMFACE_OFLINE", "1")
    finished = symface("doctor")
    assert finished.status == 0
    verdict, told = rows(finished)["variables"]
    assert verdict == "warning"
    assert "SYMFACE_OFLINE" in told


def test_a_model_folder_that_is_not_there_exits_2(symface, folder, skip_test, monkeypatch):
    monkeypatch.setenv("SYMFACE_MODEL_DIR", str(folder / "none"))
    finished = symface("doctor")
    assert finished.status == 2
    assert rows(finished)["variables"][0] == "problem"


def test_the_cache_is_measured(symface, folder, skip_test):
    (folder / "cache" / "models").mkdir(parents=True)
    (folder / "cache" / "models" / "file").write_bytes(bytes(3_000_000))
    verdict, told = rows(symface("doctor"))["cache"]
    assert verdict == "ok"
    assert told.endswith("cache, 3 MB")


def test_a_cache_that_cannot_be_written_is_a_warning(symface, folder, skip_test, monkeypatch):
    (folder / "file").write_text("")
    monkeypatch.setenv("SYMFACE_HOME", str(folder / "file" / "cache"))
    verdict, told = rows(symface("doctor"))["cache"]
    assert verdict == "warning"
    assert "SYMFACE_HOME" in told


def test_without_a_home_the_cache_is_a_warning_and_models_are_absent(symface, skip_test, no_home):
    found = rows(symface("doctor"))
    assert found["cache"] == ("warning", "there is no home folder for downloads; set SYMFACE_HOME to a folder")
    assert found["models"][0] == "absent"


@pytest.mark.parametrize("place", ["flat", "sorted", "cache"])
def test_published_models_are_absent_or_here(symface, folder, skip_test, monkeypatch, place):
    from symface_cli.data.published import FILES

    verdict, told = rows(symface("doctor"))["models"]
    assert verdict == "absent"
    for file in FILES.values():
        assert file.folder in told
        parent = {"flat": folder, "sorted": folder / file.folder, "cache": folder / "cache" / "models" / file.folder}
        parent[place].mkdir(parents=True, exist_ok=True)
        (parent[place] / file.name).write_text("")
    if place != "cache":
        monkeypatch.setenv("SYMFACE_MODEL_DIR", str(folder))
    assert rows(symface("doctor"))["models"][0] == "ok"


@pytest.mark.parametrize("module", ["dlib", "pillow_heif"])
def test_optional_packages_may_be_absent(symface, skip_test, monkeypatch, module):
    monkeypatch.setattr("symface_cli.doctor.checks.find_spec", lambda name: None)
    monkeypatch.setattr("symface_cli.landmarks.dlib.find_spec", lambda name: None)
    finished = symface("doctor")
    assert finished.status == 0
    verdict, told = rows(finished)[module.replace("_", "-")]
    assert verdict == "absent"
    assert "pip install" in told


# ---- faults


def test_a_device_that_is_not_there_exits_2(symface):
    finished = symface("doctor", "--device", "cuda:77")
    assert finished.status == 2
    assert rows(finished)["device"][0] == "problem"


@pytest.mark.parametrize(("module", "part"), [("torch", "torch"), ("cv2", "opencv"), ("onnxruntime", "onnxruntime")])
def test_a_package_that_cannot_be_imported_exits_1_and_the_rest_is_looked_at(module, part, monkeypatch, capsys):
    for name in [name for name in sys.modules if name.partition(".")[0] == "symface_cli"]:
        monkeypatch.delitem(sys.modules, name)  # symface is imported anew
    monkeypatch.setitem(sys.modules, module, None)
    assert importlib.import_module("symface_cli.cli.app").main(["doctor"]) == 1
    finished = capsys.readouterr()
    assert finished.err == ""
    found = {line.split()[1]: line.split()[0] for line in finished.out.splitlines()[:-1]}
    assert list(found) == PARTS
    assert found[part] == "problem"
    assert found["python"] == found["threads" if module == "cv2" else "pillow-heif"] == "ok"


@pytest.mark.parametrize("fault", ["missing", "damaged", "another"])
def test_weights_that_are_not_those_of_the_model_card_exit_5(symface, folder, monkeypatch, fault):
    path = folder / "weights" / "symface.safetensors"
    path.parent.mkdir()
    (path.parent / "README.md").write_bytes(bundled_weights().with_name("README.md").read_bytes())
    if fault == "damaged":
        path.write_bytes(bundled_weights().read_bytes()[:-1])
    if fault == "another":
        torch.manual_seed(0)
        save_weights(path, build_network(SMALL), stage=3)
    monkeypatch.setattr("symface_cli.network.weights.bundled_weights", lambda name="research": path)
    finished = symface("doctor")
    assert finished.status == 5
    assert rows(finished)["weights"][0] == "problem"
    assert rows(finished)["self-test"][0] == "problem"  # an untrained network draws no face


@pytest.mark.parametrize(
    "result",
    [
        selftest.Result(0, 0, 0.0, 0.1),
        selftest.Result(2, 0, 0.99, 0.1),
        selftest.Result(1, 1, 0.99, 0.1),
        selftest.Result(1, 0, 0.5, 0.1),
        selftest.Result(1, 0, float("nan"), 0.1),
    ],
)
def test_a_wrong_result_of_the_self_test_exits_1(symface, monkeypatch, result):
    monkeypatch.setattr(selftest, "run", lambda device, engine: result)
    finished = symface("doctor")
    assert finished.status == 1
    assert rows(finished)["self-test"][0] == "problem"


def test_the_first_problem_gives_the_status(symface, folder, monkeypatch):
    monkeypatch.setattr(
        "symface_cli.network.weights.bundled_weights", lambda name="research": folder / "none.safetensors"
    )
    assert symface("doctor", "--device", "cuda:77").status == 2
    assert json.loads(symface("doctor", "--device", "cuda:77", "--json").out)["status"] == 2


# ---- the self-test's measure


@pytest.fixture
def level():
    """The portrait's symmetric average in the face frame, (512, 512, 3), by OpenCV's own similarity."""
    photo = read_photo(selftest.portrait())
    left, right = ((255.5 * (1 + x), 255.5 * (1 - 0.12)) for x in (-0.27, 0.27))  # face frame: eyes at (+-0.27, -0.12)
    matrix, _ = cv2.estimateAffinePartial2D(np.array(selftest.EYES), np.array([left, right]))
    image = cv2.warpAffine(photo, matrix, (512, 512), flags=cv2.INTER_AREA).astype(int)
    return ((image + image[:, ::-1]) // 2).astype(np.uint8)


def test_likeness_is_near_1_for_the_portraits_own_symmetric_average_at_any_size(level):
    photo = read_photo(selftest.portrait())
    for size in (512, 128):
        face = cv2.resize(level, (size, size), interpolation=cv2.INTER_AREA)
        assert selftest.compare(face, photo) > 0.99


@pytest.mark.parametrize("change", [lambda f: np.roll(f, 10, 0), lambda f: f[::-1], lambda f: 255 - f])
def test_likeness_is_low_for_a_face_out_of_place_or_wrong(level, change):
    assert selftest.compare(change(level), read_photo(selftest.portrait())) < selftest.ALIKE - 0.05


@pytest.mark.landmarks
def test_the_portraits_eyes_are_where_dlib_sees_them():
    from symface_cli.landmarks.dlib import DlibLandmarks

    face = DlibLandmarks().find_faces(read_photo(selftest.portrait()))[0]
    eyes = [face[36:42].mean(0), face[42:48].mean(0)]
    assert np.abs(np.array(eyes) - selftest.EYES).max() < 3  # px, of 97 between the eyes
