"""Both engines: the same faces, within their rounding, and each the same one every time."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import pytest

import symface_cli
from symface_cli.detection.detector import detect
from symface_cli.engines.loading import FEW, engine_for, load_engine
from symface_cli.engines.onnxruntime_engine import OnnxRuntimeEngine
from symface_cli.engines.shapes import shapes_of
from symface_cli.engines.torch_engine import TorchEngine
from symface_cli.errors import UsageError, WeightsError
from symface_cli.geometry.frames import CROP_SIZE, EYE_DISTANCE_FACE
from symface_cli.geometry.sampling import resample
from symface_cli.imaging.photo import read_photo
from symface_cli.network.architecture import Architecture
from symface_cli.network.builder import build_network
from symface_cli.network.weights import read_weights, save_weights
from tests.conftest import ROOT
from tests.engines.faces import assert_located_alike, known_crops, save_random_weights
from tests.processes import forked, forking
from tests.small import SMALL, SMALL_PAPER

PICTURES = ("portrait.jpg", "pair.jpg", "people/female_28.jpg", "people/male_15.jpg")


@pytest.fixture(scope="module")
def engines():
    return load_engine(choice="onnxruntime"), load_engine(device="cpu", choice="torch")


def crops_of(name):
    photo = read_photo(ROOT / "examples" / name)
    return [resample(photo, found.crop_from_photo, CROP_SIZE) for found in detect(photo)]


@pytest.fixture(scope="module")
def crop():
    return crops_of("portrait.jpg")[0]


@pytest.fixture
def small(tmp_path):
    return save_random_weights(tmp_path / "small.safetensors")


@pytest.mark.parametrize("name", PICTURES)
def test_both_engines_see_and_draw_the_same_face(engines, name):
    runtime, plain = engines
    for crop in crops_of(name):
        located, other = runtime.locate(crop), plain.locate(crop)
        assert_located_alike(located, other)
        face, its = runtime.decode(crop, located), plain.decode(crop, other)
        assert cv2.absdiff(face, its).max() <= 1
        assert (face == face[:, ::-1]).all()
        assert (its == its[:, ::-1]).all()


@pytest.mark.parametrize("name", ["portrait.jpg", "pair.jpg"])
def test_results_differ_by_rounding(name):
    """By a gray level; where a rounding decides, a place is sampled 1/32 pixel beside."""
    photo = read_photo(ROOT / "examples" / name)
    first, second = (
        symface_cli.Symmetrizer(None, "cpu", engine).symmetrize(photo) for engine in ("onnxruntime", "torch")
    )
    for face, its in zip(first, second, strict=True):
        eyes = EYE_DISTANCE_FACE / 2 * np.linalg.norm(face.photo_from_face[:, -1] - face.photo_from_face[:, 0], axis=-1)
        apart = np.linalg.norm(face.photo_from_face - its.photo_from_face, axis=-1)
        assert apart.max() < 1e-3 * eyes.mean()
        assert (cv2.absdiff(face.image, its.image) > 1).mean() < 1e-3
        assert (face.image == face.image[:, ::-1]).all()


def test_any_weights_are_computed_alike_even_if_batch_norm_turns_their_sign(small, crop):
    runtime, plain = load_engine(small, choice="onnxruntime"), load_engine(small, device="cpu", choice="torch")
    assert (runtime.sha256, runtime.stage) == (plain.sha256, plain.stage) == (read_weights(small).sha256, 2)
    assert_located_alike(runtime.locate(crop), plain.locate(crop))
    located = plain.locate(crop)
    assert cv2.absdiff(runtime.decode(crop, located), plain.decode(crop, located)).max() <= 1


def test_onnx_runtime_decodes_a_face_that_was_not_located_yet(engines, crop):
    runtime, _ = engines
    assert (runtime.decode(crop, None) == runtime.decode(crop, runtime.locate(crop))).all()


def test_onnx_runtime_computes_the_same_with_any_number_of_threads_and_in_any_of_them(crop):
    before, found = cv2.getNumThreads(), []
    engine = OnnxRuntimeEngine(read_weights())

    def see(threads):
        cv2.setNumThreads(threads)
        located = engine.locate(crop)
        found.append((located.warp.tobytes(), located.parts.tobytes(), engine.decode(crop, located).tobytes()))

    see(1)
    see(2)
    thread = threading.Thread(target=see, args=(2,))
    thread.start()
    thread.join()
    cv2.setNumThreads(before)
    assert len(set(found)) == 1


def test_threads_that_compute_at_the_same_time_get_each_its_own_face():
    crops, engine = known_crops(), OnnxRuntimeEngine(read_weights())
    with ThreadPoolExecutor(len(crops)) as pool:
        found = [*pool.map(engine.locate, crops * 3)]
    for crop, located in zip(crops * 3, found, strict=True):
        assert located.warp.tobytes() == engine.locate(crop).warp.tobytes()


@forking
def test_a_forked_process_computes_what_this_one_does(crop):
    engine = OnnxRuntimeEngine(read_weights())

    def see():
        return sha256(engine.decode(crop, engine.locate(crop))).hexdigest()

    here = see()
    with forked(lambda: sys.stdout.write(f"{see()}\n") and sys.stdout.flush()) as (_, printed):
        assert printed.readline() == f"{here}\n"


def test_the_vae_is_loaded_only_when_a_face_is_decoded(crop, monkeypatch):
    loaded = []
    monkeypatch.setattr("symface_cli.engines.onnxruntime_engine.vae_part", lambda *_: loaded.append(1))
    OnnxRuntimeEngine(read_weights()).locate(crop)
    assert not loaded


@pytest.mark.parametrize(
    ("choice", "device", "photos", "gpu", "expected"),
    [
        ("auto", "auto", FEW, True, "auto"),
        ("auto", "auto", FEW + 1, True, "torch"),
        ("auto", "auto", 50_000, False, "auto"),
        ("auto", "cpu", 50_000, True, "auto"),
        ("onnxruntime", "auto", 50_000, True, "onnxruntime"),
        ("torch", "auto", 1, False, "torch"),
    ],
)
def test_torch_is_loaded_for_many_photos_if_there_may_be_a_gpu(choice, device, photos, gpu, expected, monkeypatch):
    drivers = (str(ROOT),) if gpu else (str(ROOT / "no driver"),)
    monkeypatch.setattr("symface_cli.engines.loading.GPU_DRIVERS", drivers)
    assert engine_for(choice, device, photos) == expected


def test_auto_takes_onnx_runtime_on_the_cpu_and_torch_for_a_gpu_and_the_papers_network(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("symface_cli.engines.loading._load_torch", lambda *arguments: asked.append(arguments))
    assert load_engine().name == load_engine(device="cpu").name == "onnxruntime"
    save_weights(tmp_path / "paper.safetensors", build_network(SMALL_PAPER), stage=3)
    load_engine(tmp_path / "paper.safetensors")
    load_engine(device="cuda")
    assert asked == [(tmp_path / "paper.safetensors", "auto"), (None, "cuda")]


def test_what_onnx_runtime_cannot_compute_is_refused(tmp_path):
    path = tmp_path / "paper.safetensors"
    save_weights(path, build_network(SMALL_PAPER), stage=3)
    with pytest.raises(UsageError, match="paper's network"):
        load_engine(path, choice="onnxruntime")
    with pytest.raises(UsageError, match="device cuda: "):
        load_engine(device="cuda", choice="onnxruntime")
    with pytest.raises(UsageError, match="engine tflite: "):
        load_engine(choice="tflite")


@pytest.mark.parametrize("architecture", [Architecture(), SMALL])
def test_the_shapes_are_those_of_the_network(architecture):
    expected = {name: tuple(tensor.shape) for name, tensor in build_network(architecture).state_dict().items()}
    assert shapes_of(architecture) == expected


def test_a_tensor_of_another_shape_or_name_is_refused(small):
    file = read_weights(small)
    for tensors in ({"pose_field": np.zeros(3)}, {"surprise": np.zeros(3)}):
        changed = replace(file, tensors={**file.tensors, **tensors})
        with pytest.raises(WeightsError, match="describes"):
            OnnxRuntimeEngine(changed)


UNUSED = ("torch", "scipy", "matplotlib", "jinja2", "requests", "tifffile", "dlib", "fsspec")
RUN = f"""
import sys
from symface_cli.cli.app import main
status = main(sys.argv[1:])
print(status, *sorted(set(sys.modules) & set({UNUSED!r})))
"""


COMPUTE = """
import os
import numpy as np
from symface_cli.engines.loading import load_engine
engine = load_engine(device="cpu")
print("onnxruntime" in __import__("sys").modules)
engine.locate(np.zeros((160, 160, 3), np.uint8))
print(len(os.listdir("/proc/self/task")) if os.path.exists("/proc/self/task") else 1)
"""


def run_python(code, *arguments, **variables):
    finished = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **variables},
    )
    assert finished.stderr == ""
    return finished.stdout


def test_a_photo_needs_no_torch_nor_anything_else_that_it_does_not_use(portrait, tmp_path):
    out = tmp_path / "out.jpg"
    assert run_python(RUN, "symmetrize", str(portrait), "-o", str(out)).splitlines() == [str(out), "0"]
    assert run_python("import symface_cli, sys; print('numpy' in sys.modules)") == "False\n"


def test_the_torch_engine_is_what_it_was_asked_to_be(engines):
    assert isinstance(engines[1], TorchEngine)
    assert [engine.name for engine in engines] == ["onnxruntime", "torch"]
    assert all(engine.can_fork for engine in engines)
    assert Path(read_weights().path).name == "symface.safetensors"


def test_onnx_runtime_is_loaded_when_needed_starts_no_thread_and_leaves_nothing_behind(tmp_path, monkeypatch):
    """As it would to send something: it has a thread for that, and keeps what is to be sent in the home folder."""
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    home = {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}
    assert run_python(COMPUTE, OMP_NUM_THREADS="1", **home) == "False\n1\n"
    assert [*tmp_path.rglob("*")] == []
