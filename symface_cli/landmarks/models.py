"""Published model files of the landmark baselines: where they come from, and where they lie.

They are not part of symface: their licences allow research only. `locate` looks in the user's folder, then in the
cache, then downloads; every file that comes over the network is verified before it gets its name.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import platformdirs
import requests

from symface_cli.errors import WeightsError

HOME = "https://raw.githubusercontent.com"  # SYMFACE_MIRROR replaces it
TIMEOUT = 20.0  # seconds without a byte
BLOCK = 1 << 16  # bytes read at a time
HELP = "download it by hand into a folder and set SYMFACE_MODEL_DIR to that folder"


@dataclass(frozen=True)
class Source:
    """A GitHub repository at one commit.

    Attributes:
        repository: owner/name.
        commit: Its full hash.
        folder: Where the files lie in it.
        licence: What a user should know before the first download, in one line.
    """

    repository: str
    commit: str
    folder: str
    licence: str


@dataclass(frozen=True)
class ModelFile:
    """A published file.

    Attributes:
        source: Where it is published.
        path: Its path in the source's folder.
        folder: The folder of ours that it lies in, below SYMFACE_MODEL_DIR and below the cache.
        sha256: Its checksum.
    """

    source: Source
    path: str
    folder: str
    sha256: str

    @property
    def name(self) -> str:
        """Name without folders."""
        return self.path.rpartition("/")[2]

    @property
    def address(self) -> str:
        """Where to download it, on the mirror if there is one."""
        home = (os.environ.get("SYMFACE_MIRROR") or HOME).rstrip("/")
        return f"{home}/{self.source.repository}/{self.source.commit}/{self.source.folder}/{self.path}"


@dataclass(frozen=True)
class Download:
    """How far a download is.

    Attributes:
        file: What is being downloaded; its source has the licence note.
        done: Bytes here already, those of an earlier, broken download included.
        total: Bytes of the whole file, None if the server does not say.
    """

    file: ModelFile
    done: int
    total: int | None


Progress = Callable[[Download], None]
"""Called before the first byte (with done = 0, or what is resumed), and then after every block."""

SDM_SOURCE = Source(
    "wanglin193/SupervisedDescentMethod",
    "901f8ca3e225f4011c455d2371dd3bc80ee4a41d",
    "bin",
    "SDM model by Lin Wang: no licence is stated; use it for evaluation only",
)
CLM_SOURCE = Source(
    "daviesian/CLM-framework",  # a fork of TadasBaltrusaitis/CLM-framework
    "3b2bf0695f77711385a337f4371cd4ab26d413bb",
    "lib/local/CLM/model",
    "CLM and CLNF models by T. Baltrusaitis (CLM-framework): for academic, non-commercial use only",
)

_FILES = (
    ModelFile(SDM_SOURCE, "face_sdm.bin", "sdm", "dbe54bd82e8c30738adfac8e61e5efd169621ee1e0733ab1384cb2153623098e"),
    ModelFile(SDM_SOURCE, "face_sdm.yml", "sdm", "f7b4a4cafa4c7ec16be04fc8588e77a57e5729ddaf96c6e1dd18520573290e63"),
    ModelFile(
        CLM_SOURCE,
        "pdms/Multi-PIE_aligned_PDM_68.txt",
        "pdm",
        "26c2e677ce2eaab703a0bb229cbc679d86567e8ce5431fbef3080cc41157eb8d",
    ),
    *(
        ModelFile(CLM_SOURCE, f"patch_experts/{kind}_patches_{scale}_general.txt", folder, sha256)
        for kind, folder, scale, sha256 in (
            ("svr", "clm", "0.25", "64ad28574141696d387a0b68e2c291253e33a0a9da66926ed0675729dbd09bb2"),
            ("svr", "clm", "0.35", "59c2e55815f9ad1e517c4aa39561fd62b7ba7db9d42de84641d2f0ba31a4e9d8"),
            ("svr", "clm", "0.5", "65d33ae18aed7183c8b979ace4d382056b70f2d900c44a8276626df5fbb50f63"),
            ("ccnf", "clnf", "0.25", "b63f5af6e2fde98c2721cf0f6dc3cbbde00d342b98d41324ed7e04130d1fdcd3"),
            ("ccnf", "clnf", "0.35", "91dc5b4eb8daf677bd93100d9561d83ed9bf0fdb83ca5ce742dc68ec7de87163"),
            ("ccnf", "clnf", "0.5", "6e983d80f6dea8ba313da8bb4bd1fe1332d765b1c038896982e1645138984a9e"),
        )
    ),
)
FILES = {file.name: file for file in _FILES}
"""Every file by its name without folders."""


def locate(name: str, progress: Progress | None = None) -> Path:
    """Path of a published file: in SYMFACE_MODEL_DIR, in the cache, or downloaded into the cache.

    Files of SYMFACE_MODEL_DIR, in their folders or flat, are taken as they are, the user's own versions included.

    Args:
        name: A key of FILES.
        progress: Told of a download, not called where none is needed.

    Raises:
        WeightsError: If it has to be downloaded and that fails, or the downloaded file is not the published one.
    """
    file = FILES[name]
    own = os.environ.get("SYMFACE_MODEL_DIR")
    if own:
        for candidate in (Path(own, file.folder, file.name), Path(own, file.name)):
            if candidate.is_file():
                return candidate
    cached = cache_folder() / file.folder / file.name
    if not cached.is_file():
        _download(file, cached, progress or (lambda download: None))
    return cached


def cache_folder() -> Path:
    """Where downloads are kept: SYMFACE_HOME/models, else the user's cache folder."""
    home = os.environ.get("SYMFACE_HOME")
    return Path(home or platformdirs.user_cache_dir("symface")).expanduser() / "models"


def is_offline() -> bool:
    """Whether SYMFACE_OFFLINE (or Hugging Face's HF_HUB_OFFLINE) forbids to open a socket."""
    values = (os.environ.get(name, "") for name in ("SYMFACE_OFFLINE", "HF_HUB_OFFLINE"))
    return any(value.strip().lower() not in ("", "0", "false", "no", "off") for value in values)


def _download(file: ModelFile, target: Path, progress: Progress) -> None:
    """Downloads to <name>.part, which a broken download leaves for the next one to go on with; verifies; renames."""
    if is_offline():
        raise WeightsError(f"{file.name} is not here, and SYMFACE_OFFLINE forbids to get {file.address}; {HELP}")
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone(target.parent):
            if target.is_file():  # another process has downloaded it while this one waited
                return
            _fetch(file, part, progress)
            _verify(file, part)
            part.replace(target)
    except requests.RequestException as error:
        raise WeightsError(f"cannot download {file.address} ({_reason(error)}); try again later, or {HELP}") from error
    except OSError as error:
        raise WeightsError(
            f"cannot write {part} ({error.strerror}) for {file.address}; set SYMFACE_HOME to another folder, or {HELP}"
        ) from error


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keeps other processes out, where the system can: the workers of one evaluation all start with the models."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    with (folder / ".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # goes with the file object
        yield


def _fetch(file: ModelFile, part: Path, progress: Progress) -> None:
    """Appends to `part` what it lacks of the file; starts again where the server does not know ranges."""
    done = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity"}  # ranges and lengths are of the file itself, not of a packed form
    if done:
        headers["Range"] = f"bytes={done}-"
    with requests.get(file.address, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        if done and answer.status_code == requests.codes.requested_range_not_satisfiable:
            return  # nothing is missing, or this is another file: the checksum tells
        answer.raise_for_status()
        if answer.status_code != requests.codes.partial_content:
            done = 0
        length = answer.headers.get("Content-Length", "")
        total = done + int(length) if length.isdigit() else None
        progress(Download(file, done, total))
        with part.open("ab" if done else "wb") as stream:
            for block in answer.iter_content(BLOCK):
                stream.write(block)
                done += len(block)
                progress(Download(file, done, total))
            stream.flush()
            os.fsync(stream.fileno())
    if total is not None and done < total:
        raise requests.ConnectionError


def _verify(file: ModelFile, part: Path) -> None:
    """Removes what is not the published file.

    Raises:
        WeightsError: If the checksum differs.
    """
    found = hashlib.sha256(part.read_bytes()).hexdigest()
    if found == file.sha256:
        return
    part.unlink()
    raise WeightsError(
        f"{file.address} has SHA-256 {found}, expected {file.sha256}; it was removed: try again, or {HELP}"
    )


def _reason(error: requests.RequestException) -> str:
    """Why a request failed, in a few words."""
    if error.response is not None:
        return f"HTTP status {error.response.status_code}"
    if isinstance(error, requests.Timeout):
        return "no answer"
    if isinstance(error, (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        return "no connection, or it broke off"
    return type(error).__name__
