"""The Python API: what `symface symmetrize` does, for files and for pictures in memory."""

import io
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from symface_cli.batch.results import write_files
from symface_cli.batch.targets import choose_targets
from symface_cli.detection.selection import Selection
from symface_cli.errors import UsageError
from symface_cli.imaging.picture import read_picture
from symface_cli.inference.face import Side
from symface_cli.inference.symmetrizer import Symmetrizer
from symface_cli.rendering.morphing import Amounts
from symface_cli.rendering.options import Output, OutputOptions
from symface_cli.rendering.plan import NetworkPlanner

P = TypeVar("P", str, Path, bytes, Image.Image, NDArray[np.uint8])
"""A photo: the name of a file, its contents, a Pillow image, or an array (H, W), (H, W, 3) or (H, W, 4).

What comes back is of the same type: the name of a file that was written, its contents, an image, an array.
"""

Background = Literal["transparent"] | tuple[int, int, int] | None


def symmetrize(
    photo: P,
    *,
    shape: float = 1.0,
    color: float = 1.0,
    side: Side = "both",
    detail: bool = True,
    face: int | None = None,
    out: str | Path | None = None,
    force: bool = False,
    weights: str | Path | None = None,
    device: str = "auto",
) -> P:
    """The photo with its faces symmetric, in their places; the network stays loaded for the next call.

    Args:
        photo: The photo; its size, format, depth, transparency and color profile are kept.
        shape: How far the shape becomes symmetric: 0 not at all, 1 fully; below 0 and above 1 exaggerate.
        color: The same for light and colors.
        side: What a face is made of: "both" sides, or the viewer's "left" or "right".
        detail: True for the photo's own pixels, False for the face as the VAE decodes it.
        face: Number of the one face by size, 1 for the largest; None for all.
        out: File or folder for the result of a file; by default it lies beside it, as NAME.symmetric.*
        force: Whether an existing file may be overwritten.
        weights: A weights file instead of the bundled one.
        device: "auto" (CUDA where there is one), "cpu", "cuda", "cuda:N" or "mps".

    Raises:
        PhotoError: If the photo cannot be read, or the result not written.
        NoFaceError: If it shows no face, or none of that number.
        WeightsError: If the weights cannot be used.
        UsageError: If the device is not there, or `out` makes no sense.
    """
    options = OutputOptions((Output.PHOTO,), Amounts(shape, color, side), detail)
    planner = NetworkPlanner(_symmetrizer(weights and Path(weights), device), options, Selection(face))
    return _make(photo, planner, out, force)[0]


def symmetric_faces(
    photo: P,
    *,
    output: Literal["face", "crop"] = "face",
    shape: float = 1.0,
    color: float = 1.0,
    side: Side = "both",
    detail: bool = True,
    size: int | None = None,
    background: Background = None,
    face: int | None = None,
    out: str | Path | None = None,
    force: bool = False,
    weights: str | Path | None = None,
    device: str = "auto",
) -> list[P]:
    """The symmetric faces of a photo, one picture for each, the largest first.

    Args:
        photo: The photo.
        output: "face" for aligned faces, exactly equal to their mirror images while both amounts are 1; "crop" for the
            squares around the heads, of the photo with symmetric faces.
        shape: As for `symmetrize`; so are color, side, detail, face, out, force, weights and device.
        color: See there.
        side: See there.
        detail: See there.
        size: Side of an aligned face in pixels; None for the photo's own resolution.
        background: What surrounds an aligned face: None for the photo, "transparent", or a color (r, g, b).
        face: See there.
        out: See there.
        force: See there.
        weights: See there.
        device: See there.

    Raises:
        PhotoError, NoFaceError, WeightsError, UsageError: As `symmetrize`.
    """
    options = OutputOptions((Output(output),), Amounts(shape, color, side), detail, size=size, background=background)
    planner = NetworkPlanner(_symmetrizer(weights and Path(weights), device), options, Selection(face))
    return _make(photo, planner, out, force)


@lru_cache(maxsize=1)
def _symmetrizer(weights: Path | None, device: str) -> Symmetrizer:
    return Symmetrizer(weights, device)


def _make(photo: P, planner: NetworkPlanner, out: str | Path | None, force: bool) -> list[P]:
    """The files of a photo, as what the photo came as."""
    if isinstance(photo, (str, Path)):
        name = str if isinstance(photo, str) else Path
        written: list[Any] = [name(path) for path in _write(Path(photo), planner, out, force)]
        return written
    if out is not None:
        raise UsageError("out is for photos that are files")
    files = planner.plan(read_picture(_contents(photo)), "the photo", None if isinstance(photo, bytes) else ".png")
    made = (file.make() for file in files.files)
    if isinstance(photo, bytes):
        return list(made)
    images = map(_image, made)
    return list(images) if isinstance(photo, Image.Image) else [np.asarray(image) for image in images]


def _write(photo: Path, planner: NetworkPlanner, out: str | Path | None, force: bool) -> list[Path]:
    (target,) = choose_targets([photo], None if out is None else str(out)).items
    suffix = None if target.exact is None else target.exact.suffix
    return list(write_files(target, planner.plan(read_picture(photo), photo, suffix).files, force))


def _contents(photo: bytes | Image.Image | NDArray[np.uint8]) -> bytes:
    """A photo in memory as the contents of a file, without loss.

    Raises:
        TypeError, ValueError: If an array is not one of a picture.
    """
    if isinstance(photo, bytes):
        return photo
    image = photo if isinstance(photo, Image.Image) else Image.fromarray(photo)
    stream = io.BytesIO()
    about: dict[str, Any] = {key: image.info[key] for key in ("icc_profile", "exif") if image.info.get(key)}
    image.save(stream, "TIFF" if image.mode == "CMYK" else "PNG", compress_level=1, **about)
    return stream.getvalue()


def _image(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image
