"""Downloads Labeled Faces in the Wild."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from symface_cli.data.archives import ADVICE
from symface_cli.data.downloads import cache_folder, fetch, on_mirror
from symface_cli.errors import DataError
from symface_cli.files import Progress, is_file
from symface_cli.storage.objects import is_offline


@dataclass(frozen=True, kw_only=True)
class PublishedArchive:
    """An archive that can be downloaded.

    Attributes:
        name: Name of the file.
        sha256: Its checksum, in hexadecimal.
        addresses: Its home, and a copy for when the home does not answer.
        license: What a user should know before the first download, in one line.
    """

    name: str
    sha256: str
    addresses: tuple[str, str]
    license: str


# The images that the bundled weights are trained on and that all results are about. The checksum is the one that
# torchvision's prototype data sets pin (pytorch/vision at dec0942c). The home has had no DNS entry since 2025.
LFW = PublishedArchive(
    name="lfw-deepfunneled.tgz",
    sha256="08575363d69edaed9a7c3ccb9e2eebd76c91bc1011b2baaf725f8d1284bf3a2f",
    addresses=(
        "http://vis-www.cs.umass.edu/lfw/lfw-deepfunneled.tgz",
        "https://web.archive.org/web/20231118124720if_/https://vis-www.cs.umass.edu/lfw/lfw-deepfunneled.tgz",
    ),
    license="Labeled Faces in the Wild, deep-funneled, by the University of Massachusetts: photos of real people, "
    "for research",
)


def fetch_lfw(watch: Callable[[str], Progress]) -> Path:
    """Return LFW's archive in the cache; download it if it is not there.

    Args:
        watch: Called with each address that is tried; returns the progress of that download.

    Raises:
        DataError: If it cannot be downloaded.
    """
    try:
        target = cache_folder() / "datasets" / LFW.name
    except OSError as error:
        told = f"{LFW.name} is not here, and {error.strerror} to download it to"
        raise DataError(f"{told}; set SYMFACE_HOME to a folder, or {ADVICE}") from error
    if is_file(target):
        return target

    def get(address: str, by_hand: str) -> None:
        fetch(address, target, LFW.sha256, watch(on_mirror(address)), by_hand, DataError)

    home, copy = LFW.addresses
    if is_offline() or on_mirror(home) != home:
        get(home, f"put a copy of it at {target}, or {ADVICE}")
        return target
    try:
        get(home, "")
    except DataError:
        get(copy, f"put a copy of {home}, which failed before, at {target}, or {ADVICE}")
    return target
