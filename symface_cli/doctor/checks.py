"""Checks the installation: every part that symface needs or can use. Nothing is changed."""

import os
import platform
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from symface_cli.errors import (
    DataError,
    ExitStatus,
    Hint,
    InstallationError,
    MissingExtraError,
    SymfaceError,
    UsageError,
    WeightsError,
)
from symface_cli.files import is_file, is_folder
from symface_cli.version import __version__

Verdict = Literal["ok", "absent", "warning", "problem"]
VARIABLES = ("CONFIG", "DEBUG", "HOME", "MIRROR", "MODEL_DIR", "OFFLINE")  # without SYMFACE_


@dataclass(frozen=True)
class Check:
    """The state of one part.

    Attributes:
        name: The part.
        verdict: "absent" is a part that symface works without.
        found: What was found and, if it can be improved, how; one line.
        status: Exit status for a problem.
        hint: What to try against a problem, if `found` does not say it.
    """

    name: str
    verdict: Verdict
    found: str
    status: ExitStatus = ExitStatus.OK
    hint: Hint | None = None


Found = tuple[Literal["ok", "absent", "warning"], str]


@dataclass(frozen=True)
class Settings:
    """Sources of options besides the command line.

    Attributes:
        config: The configuration file in use.
        variables: The names of the environment variables that stand for options.
    """

    config: Path | None
    variables: frozenset[str]


def diagnose(settings: Settings, device: str = "auto") -> Iterator[Check]:
    """Check one part after the other; this takes some seconds.

    Args:
        settings: Where options come from.
        device: What the self-test runs on: "auto", "cpu", "cuda", "cuda:N" or "mps".
    """
    parts: dict[str, Callable[[], Found]] = {
        "symface": lambda: ("ok", f"{__version__} in {Path(__file__).parents[1]}"),
        "python": lambda: ("ok", f"{platform.python_version()} on {platform.platform()}"),
        "config": lambda: ("ok", str(settings.config or "no configuration file")),
        "variables": lambda: _find_variables(settings),
        "torch": _find_torch,
        "device": lambda: _find_device(device),
        "threads": _find_threads,
        "opencv": _find_opencv,
        "onnxruntime": _find_onnxruntime,
        "weights": lambda: _find_weights("research"),
        "free-weights": lambda: _find_weights("free"),
        "dlib": _find_dlib,
        "pillow-heif": _find_heif,
        "imagecodecs": _find_imagecodecs,
        "av": _find_av,
        "starlette": _find_starlette,
        "models": _find_models,
        "cache": _find_cache,
        "self-test": lambda: _test(device),
    }
    for name, find in parts.items():
        yield _check(name, find)


def _check(name: str, find: Callable[[], Found]) -> Check:
    try:
        return Check(name, *find())
    except SymfaceError as error:
        return Check(name, "problem", str(error), error.status, error.hint)
    except Exception as error:  # noqa: BLE001 whatever a broken installation raises is what is looked for
        told = " ".join(f"{type(error).__name__}: {error}".split())
        return Check(name, "problem", f"{told}; try to install symface again", ExitStatus.BUG)


def _find_variables(settings: Settings) -> Found:
    """List the variables of symface that are set; warn of those that nothing reads."""
    from symface_cli.storage.objects import is_offline

    present = {name: value for name, value in sorted(os.environ.items()) if name.startswith("SYMFACE_")}
    unknown = present.keys() - {f"SYMFACE_{name}" for name in VARIABLES} - settings.variables
    if unknown:
        return "warning", f"nothing reads {', '.join(sorted(unknown))}"
    folder = present.get("SYMFACE_MODEL_DIR")
    if folder and not is_folder(Path(folder)):
        raise UsageError(f"SYMFACE_MODEL_DIR is {folder}, which is not a folder")
    told = ", ".join(f"{name}={_hide_password(value)}" for name, value in present.items()) or "none of symface's is set"
    return "ok", f"{told}; nothing is downloaded" if is_offline() else told


def _hide_password(address: str) -> str:
    return re.sub("//[^/@]*@", "//***@", address)


def _find_torch() -> Found:
    import torch

    build = f"CUDA {torch.version.cuda}" if torch.version.cuda else "the CPU"
    if torch.version.hip:
        build = f"ROCm {torch.version.hip}"
    return "ok", f"{torch.__version__}, built for {build}"


def _find_device(name: str) -> Found:
    import torch

    from symface_cli.network.device import choose_device

    devices = ["cpu"]
    devices += [f"cuda:{i} ({torch.cuda.get_device_name(i)})" for i in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        devices.append("mps")
    found = f"{choose_device(name)}; available: {', '.join(devices)}"
    if devices == ["cpu"] and shutil.which("nvidia-smi"):
        return "warning", f"{found}; torch does not see the NVIDIA GPU: install its CUDA build, or a newer driver"
    return "ok", found


def _find_threads() -> Found:
    import torch

    from symface_cli.parallel.cores import available_cores

    limit = os.environ.get("OMP_NUM_THREADS")
    limited = f"; OMP_NUM_THREADS={limit}" if limit else ""
    return "ok", f"{torch.get_num_threads()} on {available_cores()} processors{limited}"


def _find_opencv() -> Found:
    import cv2

    from symface_cli.detection.cascades import FRONTAL, PROFILE

    cascades = (*FRONTAL, PROFILE)
    for name in cascades:
        path = Path(cv2.data.haarcascades, name)
        if cv2.CascadeClassifier(str(path)).empty():
            raise InstallationError(f"{cv2.__version__} cannot load {path}; install opencv-python-headless again")
    return "ok", f"{cv2.__version__}, {len(cascades)} cascades"


def _find_onnxruntime() -> Found:
    from symface_cli.engines.sessions import load_runtime

    return "ok", str(load_runtime().__version__)


def _find_weights(name: str) -> Found:
    from symface_cli.network.weights import bundled_weights, load_weights

    path = bundled_weights(name)
    weights = load_weights(path)
    card = path.with_name("README.md")
    use = "every use" if weights.licenses else "research and other non-commercial use"
    found = f"{path}, for {use}, stage {weights.stage}, SHA-256 {weights.sha256}"
    if not card.is_file():
        return "warning", f"{found}; their model card is missing"
    if weights.sha256 not in card.read_text("utf-8"):
        raise WeightsError(f"{found}, which {card} does not name; try to install symface again")
    return "ok", f"{found} as in the model card"


def _find_dlib() -> Found:
    from symface_cli.landmarks.dlib import PREDICTOR, model_file

    try:
        predictor = model_file(PREDICTOR)
    except MissingExtraError as error:
        return "absent", f"only training and comparing need it: {error}"
    import dlib

    if not predictor.is_file():
        raise DataError(f"{predictor} is missing; install face_recognition_models again")
    return "ok", f"{dlib.__version__}, with its models"


def _find_heif() -> Found:
    if find_spec("pillow_heif") is None:
        return "absent", 'only HEIC photos need it; try: pip install "symface[heic]"'
    import pillow_heif

    return "ok", str(pillow_heif.__version__)


def _find_av() -> Found:
    if find_spec("av") is None:
        return "absent", 'only films need it; try: pip install "symface[video]"'
    import av

    return "ok", f"{av.__version__} (PyAV)"


def _find_imagecodecs() -> Found:
    if find_spec("imagecodecs") is None:
        return "absent", 'only TIFFs of rare compressions need it; try: pip install "symface[tiff]"'
    import imagecodecs

    return "ok", str(imagecodecs.__version__)


def _find_starlette() -> Found:
    missing = [name for name in ("starlette", "uvicorn", "python_multipart") if find_spec(name) is None]
    if missing:
        return "absent", f'{", ".join(missing)}: only serving a page needs it; try: pip install "symface[web]"'
    import starlette

    return "ok", str(starlette.__version__)


def _find_models() -> Found:
    """Look for the published files that the landmark baselines and the recognizers need, by their folders."""
    from symface_cli.data.published import FILES, find

    missing = dict.fromkeys(file.folder for name, file in FILES.items() if find(name) is None)
    if missing:
        return "absent", f"{', '.join(missing)}: downloaded when comparing needs them"
    return "ok", ", ".join(dict.fromkeys(file.folder for file in FILES.values()))


def _find_cache() -> Found:
    from symface_cli.data.downloads import cache_folder

    try:
        folder = cache_folder().absolute()
    except OSError as error:
        return "warning", f"{error.strerror} for downloads; set SYMFACE_HOME to a folder"
    nearest = next(place for place in (folder, *folder.parents) if is_folder(place) or is_file(place))
    if not (is_folder(nearest) and os.access(nearest, os.W_OK)):
        return "warning", f"{folder} cannot be written; set SYMFACE_HOME to another folder"
    if nearest != folder:
        return "ok", f"{folder}, not there yet"
    size = sum(path.stat().st_size for path in folder.rglob("*") if is_file(path))
    return "ok", f"{folder}, {size / 1e6:.0f} MB"


def _test(device: str) -> Found:
    from symface_cli.doctor import selftest

    results = selftest.run("cpu", "onnxruntime"), selftest.run(device, "torch")
    for result in results:
        if result.faces != 1:
            raise InstallationError(f"{result.faces} faces found in a portrait of one")
        if result.mirror_error:
            raise InstallationError(f"a face differs from its mirror image by {result.mirror_error} of 255")
        if not result.likeness >= selftest.ALIKE:
            raise InstallationError(f"a wrong face, of likeness {result.likeness:.2f}", Hint.USE_CPU)
    took = f"{results[0].seconds:.2f} s with ONNX Runtime and {results[1].seconds:.2f} s with torch"
    likeness = min(result.likeness for result in results)
    return "ok", f"one face in {took}, equal to its mirror image, likeness {likeness:.2f}"
