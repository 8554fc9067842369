"""Model files that others publish, for the landmark baselines and the recognizers: found here, or downloaded.

They are not part of symface: most of their licenses allow research only.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from symface_cli.data.downloads import cache_folder, fetch
from symface_cli.errors import Hint, WeightsError
from symface_cli.files import Progress, is_file

BY_HAND = "download it by hand into a folder and name that folder with SYMFACE_MODEL_DIR"


@dataclass(frozen=True)
class Source:
    """A place where files are published, in versions that never change.

    Attributes:
        address: Address of their folder.
        license: What a user should know before the first download, in one line.
    """

    address: str
    license: str


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """A published file.

    Attributes:
        source: Where it is published.
        path: Its path in the source's folder.
        folder: Folder for it, in the user's own and in the cache.
        sha256: Its checksum, in hexadecimal.
    """

    source: Source
    path: str
    folder: str
    sha256: str

    @property
    def name(self) -> str:
        """File name without folders."""
        return self.path.rpartition("/")[2]

    @property
    def address(self) -> str:
        """Address of the file."""
        return f"{self.source.address}/{self.path}"


SDM_SOURCE = Source(
    "https://raw.githubusercontent.com/wanglin193/SupervisedDescentMethod/901f8ca3e225f4011c455d2371dd3bc80ee4a41d/bin",
    "SDM model by Lin Wang: no license is stated; use it for evaluation only",
)
CLM_SOURCE = Source(  # a fork of TadasBaltrusaitis/CLM-framework
    "https://raw.githubusercontent.com/daviesian/CLM-framework/3b2bf0695f77711385a337f4371cd4ab26d413bb"
    "/lib/local/CLM/model",
    "CLM and CLNF models by T. Baltrusaitis (CLM-framework): for academic, non-commercial use only",
)
MEDIAPIPE_SOURCE = Source(
    "https://storage.googleapis.com/mediapipe-assets",
    "MediaPipe's networks for faces, irises, hair and persons by Google: Apache License 2.0",
)
OPENFACE_SOURCE = Source(
    "https://storage.cmusatyalab.org/openface-models",
    "OpenFace model by Carnegie Mellon University: Apache License 2.0; its training photos (CASIA-WebFace, FaceScrub) "
    "are for non-commercial research only",
)
OPENCV_ZOO = (
    "https://media.githubusercontent.com/media/opencv/opencv_zoo/47534e27c9851bb1128ccc0102f1145e27f23f98/models"
)
YUNET_SOURCE = Source(OPENCV_ZOO, "YuNet, a face detector by W. Wu et al. (OpenCV's model zoo): MIT License")
SFACE_SOURCE = Source(
    OPENCV_ZOO,
    "SFace, a face recognizer by Y. Zhong et al. (OpenCV's model zoo): Apache License 2.0; it is not stated on which "
    "photos it was trained (CASIA-WebFace, VGGFace2 or MS1MV2), which are for non-commercial research only",
)

_FILES = (
    ModelFile(
        source=SDM_SOURCE,
        path="face_sdm.bin",
        folder="sdm",
        sha256="dbe54bd82e8c30738adfac8e61e5efd169621ee1e0733ab1384cb2153623098e",
    ),
    ModelFile(
        source=SDM_SOURCE,
        path="face_sdm.yml",
        folder="sdm",
        sha256="f7b4a4cafa4c7ec16be04fc8588e77a57e5729ddaf96c6e1dd18520573290e63",
    ),
    ModelFile(
        source=CLM_SOURCE,
        path="pdms/Multi-PIE_aligned_PDM_68.txt",
        folder="pdm",
        sha256="26c2e677ce2eaab703a0bb229cbc679d86567e8ce5431fbef3080cc41157eb8d",
    ),
    *(
        ModelFile(
            source=CLM_SOURCE,
            path=f"patch_experts/{kind}_patches_{scale}_general.txt",
            folder=folder,
            sha256=sha256,
        )
        for kind, folder, scale, sha256 in (
            ("svr", "clm", "0.25", "64ad28574141696d387a0b68e2c291253e33a0a9da66926ed0675729dbd09bb2"),
            ("svr", "clm", "0.35", "59c2e55815f9ad1e517c4aa39561fd62b7ba7db9d42de84641d2f0ba31a4e9d8"),
            ("svr", "clm", "0.5", "65d33ae18aed7183c8b979ace4d382056b70f2d900c44a8276626df5fbb50f63"),
            ("ccnf", "clnf", "0.25", "b63f5af6e2fde98c2721cf0f6dc3cbbde00d342b98d41324ed7e04130d1fdcd3"),
            ("ccnf", "clnf", "0.35", "91dc5b4eb8daf677bd93100d9561d83ed9bf0fdb83ca5ce742dc68ec7de87163"),
            ("ccnf", "clnf", "0.5", "6e983d80f6dea8ba313da8bb4bd1fe1332d765b1c038896982e1645138984a9e"),
        )
    ),
    ModelFile(
        source=MEDIAPIPE_SOURCE,
        path="face_detection_short_range.tflite",
        folder="mediapipe",
        sha256="bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
    ),
    ModelFile(
        source=MEDIAPIPE_SOURCE,
        path="face_landmark.tflite",
        folder="mediapipe",
        sha256="1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
    ),
    ModelFile(
        source=MEDIAPIPE_SOURCE,
        path="iris_landmark.tflite",
        folder="mediapipe",
        sha256="d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f",
    ),
    ModelFile(
        source=MEDIAPIPE_SOURCE,
        path="hair_segmentation.tflite",
        folder="mediapipe",
        sha256="d2c940c4fd80edeaf38f5d7387d1b4235ee320ed120080df67c663e749e77633",
    ),
    ModelFile(
        source=MEDIAPIPE_SOURCE,
        path="selfie_segmentation.tflite",
        folder="mediapipe",
        sha256="9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
    ),
    # Checksum and size (31510785 bytes) are those that digiKam pins for its copy; CMU itself publishes an MD5 only.
    ModelFile(
        source=OPENFACE_SOURCE,
        path="nn4.small2.v1.t7",
        folder="openface",
        sha256="9b72d54aeb24a64a8135dca8e792f7cc675c99a884a6940350a6cedcf7b7ba08",
    ),
    ModelFile(
        source=YUNET_SOURCE,
        path="face_detection_yunet/face_detection_yunet_2023mar.onnx",
        folder="sface",
        sha256="8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
    ),
    ModelFile(
        source=SFACE_SOURCE,
        path="face_recognition_sface/face_recognition_sface_2021dec.onnx",
        folder="sface",
        sha256="0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
    ),
)
FILES = {file.name: file for file in _FILES}
"""Every file by its name without folders."""


def find(name: str, folder: Path | None = None) -> Path | None:
    """Return the path of a published file that is here; None if it is not.

    Args:
        name: A key of FILES.
        folder: The user's own, SYMFACE_MODEL_DIR by default; its files, in their folders or flat, are taken as they
            are, other versions included. What it lacks is looked for in the cache.
    """
    file = FILES[name]
    own = folder or os.environ.get("SYMFACE_MODEL_DIR")
    places = [Path(own, file.folder, file.name), Path(own, file.name)] if own else []
    with suppress(OSError):  # without a home folder, nothing is in its cache
        places.append(_cached(file))
    return next((place for place in places if is_file(place)), None)


def locate(name: str, folder: Path | None = None, progress: Progress | None = None) -> Path:
    """Return the path of a published file; download it into the cache if it is not here.

    Args:
        name: A key of FILES.
        folder: The user's own, as for `find`.
        progress: Called during a download.

    Raises:
        WeightsError: If it cannot be downloaded, or the downloaded file is not the published one.
    """
    here = find(name, folder)
    if here is not None:
        return here
    file, failure = FILES[name], partial(WeightsError, hint=Hint.MODEL_FOLDER)
    try:
        target = _cached(file)
    except OSError as error:
        told = f"{name} is not here, and {error.strerror} to download it to"
        raise failure(f"{told}; set SYMFACE_HOME to a folder, or {BY_HAND}") from error
    fetch(file.address, target, file.sha256, progress, BY_HAND, failure)
    return target


def _cached(file: ModelFile) -> Path:
    return cache_folder() / "models" / file.folder / file.name
