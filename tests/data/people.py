"""Folders and archives of people who have no face."""

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from tests.conftest import Finished

Symface = Callable[..., Finished]
PEOPLE = {"F0001": "train", "AJ_Cook": "train", "F0005": "validation"}
TREE = {f"lfw/{name}/{name}_0001.png": name for name in PEOPLE}
ARCHIVES = {"lfw.tar": "w", "lfw.tgz": "w:gz", "lfw.tar.gz": "w:gz", "lfw.tar.bz2": "w:bz2", "lfw.tar.xz": "w:xz"}


def picture(name: str) -> bytes:
    """A picture file of 43 kB that is different for each name, and shows no face."""
    buffer = io.BytesIO()
    Image.frombytes("RGB", (120, 120), hashlib.shake_256(name.encode()).digest(120 * 120 * 3)).save(buffer, "PNG")
    return buffer.getvalue()


def make_folder(folder: Path, names: list[str]) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture(name))
    return folder


def make_archive(path: Path, *names: str) -> Path:
    """A zip or tar archive, by its name, of pictures."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as packed:
            for name in names:
                packed.writestr(name, picture(name))
        return path
    with tarfile.open(path, ARCHIVES[path.name]) as tar:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(picture(name))
            tar.addfile(member, io.BytesIO(picture(name)))
    return path


def remains(folder: Path) -> list[str]:
    """What lies in a folder, if it exists, without the lock."""
    return sorted(path.name for path in folder.glob("*") if path.name != ".lock")


def error_line(finished: Finished) -> str:
    (line,) = [line for line in finished.err.splitlines() if line.startswith("symface: ")]
    assert finished.err.endswith(line + "\n")
    return line


def hostile_tar(path: Path, member: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for info, content in ((tarfile.TarInfo("lfw/Ada/1.png"), picture("Ada")), (member, b"evil")):
            info.size = len(content) if info.isfile() else 0
            tar.addfile(info, io.BytesIO(content))
    return path
