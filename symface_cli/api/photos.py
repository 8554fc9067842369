"""What the commands `symmetrize` and `measure` do, for photos that are files or pictures in memory."""

import io
import warnings
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from symface_cli.api.loading import load_symmetrizer
from symface_cli.batch.permission import Permission
from symface_cli.batch.results import write_files
from symface_cli.batch.targets import choose_targets
from symface_cli.detection.selection import Selection
from symface_cli.engines.loading import EngineChoice
from symface_cli.errors import UsageError
from symface_cli.imaging.picture import Picture, read_picture
from symface_cli.inference.face import Side
from symface_cli.measurement.photo import Convention, FaceMeasurement, FaceMeter
from symface_cli.measurement.points.scheme import Sides
from symface_cli.measurement.scale import IRIS_MM, parse_scaling
from symface_cli.rendering.morphing import Amounts, PoseMode
from symface_cli.rendering.options import Output, OutputOptions
from symface_cli.rendering.outputs import OutputFile
from symface_cli.rendering.plan import NetworkPlanner
from symface_cli.writing import Inputs

P = TypeVar("P", str, Path, bytes, Image.Image, NDArray[np.uint8])
"""A photo: the name of a file, its contents, a Pillow image, or an array (H, W), (H, W, 3) or (H, W, 4).

What comes back is of the same type: the name of a file that was written, its contents, an image, an array.
"""

AnyPhoto: TypeAlias = str | Path | bytes | Image.Image | NDArray[np.uint8]
"""A photo in any of these forms."""

PLAIN_MODES = {"YCbCr": "RGB", "HSV": "RGB", "RGBX": "RGB", "RGBa": "RGBA", "La": "LA"}
"""Modes of Pillow images, and those in which their results are made."""

Background = Literal["transparent"] | tuple[int, int, int] | None


def symmetrize(
    photo: P,
    *,
    shape: float = 1.0,
    color: float = 1.0,
    side: Side = "both",
    detail: bool = True,
    pose: PoseMode = "keep",
    face: int | None = None,
    out: str | Path | None = None,
    force: bool = False,
    weights: str | Path | None = None,
    device: str = "auto",
    engine: EngineChoice = "auto",
) -> P:
    """Make the faces of a photo symmetric, in their places. The network stays loaded for the next call.

    Args:
        photo: The photo; its size, format, depth, transparency and color profile are kept.
        shape: How far the shape becomes symmetric: 0 not at all, 1 fully; below 0 and above 1 exaggerate.
        color: The same for light and colors.
        side: What a face is made of: "both" sides, or the viewer's "left" or "right".
        detail: True for the photo's own pixels, False for the face as the VAE decodes it.
        pose: "keep" for heads that stay turned as they are, "front" for faces that look to the front.
        face: Number of the one face by size, 1 for the largest; None for all.
        out: File or folder for the result of a file; by default it lies beside it, as NAME.symmetric.*
        force: Whether an existing file may be overwritten.
        weights: A weights file instead of the bundled one.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        engine: What computes the network: "onnxruntime", "torch", or "auto": torch on a GPU, else ONNX Runtime.

    Returns:
        The result, of the type of the photo.

    Raises:
        PhotoError: If the photo cannot be read.
        OutputError: If the result cannot be written, or exists already.
        MissingExtraError: If it is HEIC, and the `heic` extra is not installed.
        NoFaceError: If it shows no face, or none of that number.
        WeightsError: If the weights cannot be used.
        UsageError: If the device is not there, or `out` makes no sense.
    """
    options = OutputOptions(amounts=Amounts(shape, color, side), detail=detail, pose=pose)
    planner = NetworkPlanner(load_symmetrizer(weights, device, engine), options, Selection(number=face))
    return _make(photo, planner, out, force)[0]


def symmetric_faces(
    photo: P,
    *,
    output: Literal["face", "crop"] = "face",
    shape: float = 1.0,
    color: float = 1.0,
    side: Side = "both",
    detail: bool = True,
    pose: PoseMode | None = None,
    size: int | None = None,
    background: Background = None,
    face: int | None = None,
    out: str | Path | None = None,
    force: bool = False,
    weights: str | Path | None = None,
    device: str = "auto",
    engine: EngineChoice = "auto",
) -> list[P]:
    """Make one picture of each face of a photo. The network stays loaded for the next call.

    Args:
        photo: The photo.
        output: "face" for aligned faces, exactly equal to their mirror images while both amounts are 1 and they look to
            the front; "crop" for the squares around the heads, of the photo with symmetric faces.
        shape: How far the shape becomes symmetric: 0 not at all, 1 fully; below 0 and above 1 exaggerate.
        color: The same for light and colors.
        side: What a face is made of: "both" sides, or the viewer's "left" or "right".
        detail: True for the photo's own pixels, False for the face as the VAE decodes it.
        pose: "keep" for heads that stay turned as they are, "front" for faces that look to the front; None keeps the
            pose in crops, but not in aligned faces.
        size: Side of an aligned face in pixels; None for the photo's own resolution.
        background: What surrounds an aligned face: None for the photo, "transparent", or a color (r, g, b).
        face: Number of the one face by size, 1 for the largest; None for all.
        out: File or folder for the results of a file; by default they lie beside it, as NAME.symmetric-*
        force: Whether existing files may be overwritten.
        weights: A weights file instead of the bundled one.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        engine: What computes the network: "onnxruntime", "torch", or "auto": torch on a GPU, else ONNX Runtime.

    Returns:
        The results, of the type of the photo, the largest face first.

    Raises:
        SymfaceError: As `symmetrize`.
    """
    if output not in ("face", "crop"):
        raise UsageError(f"output {output}: use face or crop")
    options = OutputOptions(
        outputs=(Output(output),),
        amounts=Amounts(shape, color, side),
        detail=detail,
        pose=pose,
        size=size,
        background=background,
    )
    planner = NetworkPlanner(load_symmetrizer(weights, device, engine), options, Selection(number=face))
    return _make(photo, planner, out, force)


def measure(
    photo: AnyPhoto,
    *,
    face: int | None = None,
    raw: bool = False,
    sides: Sides = "person",
    scale: str = "none",
    iris_mm: float = IRIS_MM,
    heatmap: bool = False,
    overlay: bool = False,
    weights: str | Path | None = None,
    device: str = "auto",
    engine: EngineChoice = "auto",
) -> list[FaceMeasurement]:
    """Measure how asymmetric the faces of a photo are. Not a medical device.

    For example, `measure("portrait.jpg")[0].values["whole_shape_pct"]` is the mean displacement between the two sides
    of the face in per cent of the eye distance, and its error; `.measures["fai"].diff` how much longer the way from the
    eye to the corner of the mouth is on the person's left. All names: `symface_cli.measurement.quantities.NAMES`, and
    `BY_NAME` of `symface_cli.measurement.measures`. The network stays loaded for the next call.

    Args:
        photo: The photo.
        face: Number of the one face by size, 1 for the largest; None for all.
        raw: Whether the turn of the head is left in; else it is taken out.
        sides: Whose left and right: "person" or "viewer".
        scale: "none" for lengths in per cent of the distance between the pupils; in mm by "iris", "ipd=63" (distance
            between the pupils) or "mm_per_px=0.2".
        iris_mm: Diameter of an iris in mm, for "iris".
        heatmap: Whether to draw heat maps of shape and color, too.
        overlay: Whether to draw the points and lines of the named measures on the faces, too.
        weights: A weights file instead of the bundled one.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        engine: What computes the network: "onnxruntime", "torch", or "auto": torch on a GPU, else ONNX Runtime.

    Returns:
        The faces, the largest first.

    Raises:
        PhotoError: If the photo cannot be read.
        NoFaceError: If it shows no face, or none of that number.
        WeightsError: If the weights cannot be used, or are of the paper's network, which cannot measure.
        UsageError: If the device is not there, or a value is none of those above.
    """
    if sides not in ("person", "viewer"):
        raise UsageError(f"sides {sides}: use person or viewer")
    scaling = parse_scaling(scale, iris_mm)
    convention = Convention(raw=raw, sides=sides, scaling=scaling, heatmaps=heatmap, overlays=overlay)
    meter = FaceMeter(load_symmetrizer(weights, device, engine), convention)
    return meter.measure_photo(_read(photo).photo, Selection(number=face))


def _make(photo: P, planner: NetworkPlanner, out: str | Path | None, force: bool) -> list[P]:
    """Make the files of a photo, as what the photo came as."""
    if isinstance(photo, str):
        return [str(path) for path in _write(Path(photo), planner, out, force)]
    if isinstance(photo, Path):
        return _write(photo, planner, out, force)  # type: ignore[return-value]  # mypy thinks of an Image that is a Path
    if out is not None:
        raise UsageError("out is for photos that are files")
    made = [file.render() for file in _plan(photo, planner, None)]
    if isinstance(photo, bytes):
        return made
    if isinstance(photo, Image.Image):
        return [_image(data, photo.mode) for data in made]
    return [np.array(_image(data)) for data in made]  # not asarray: that could not be written to


def _write(photo: Path, planner: NetworkPlanner, out: str | Path | None, force: bool) -> list[Path]:
    targets = choose_targets([photo], None if out is None else str(out)).items
    if len(targets) > 1:
        raise UsageError(f"{photo} stands for {len(targets)} photos; give one at a time")
    (target,) = targets
    suffix = None if target.exact is None else target.exact.suffix
    files = _plan(photo, planner, suffix)
    written = write_files(target, files, Permission(inputs=Inputs([photo]), force=force))
    for note in written.notes:
        warnings.warn(note, stacklevel=4)
    return list(written.paths)


def _plan(photo: AnyPhoto, planner: NetworkPlanner, suffix: str | None) -> tuple[OutputFile, ...]:
    """Plan the files of a photo, and warn of what they will not have or show."""
    picture = _read(photo)
    plan = planner.plan(picture, suffix)
    for note in (*picture.notes, *plan.notes):
        warnings.warn(f"{photo}: {note}" if isinstance(photo, (str, Path)) else note, stacklevel=4)
    return plan.files


def _read(photo: AnyPhoto) -> Picture:
    """Read a photo in any form.

    Raises:
        PhotoError: If it cannot be read.
        TypeError: If it is no photo, or an array of another dtype.
        ValueError: If it is an array of another shape.
    """
    if isinstance(photo, (str, Path, bytes)):
        return read_picture(photo)
    if isinstance(photo, Image.Image):
        return Picture.from_image(photo)
    if isinstance(photo, np.ndarray):
        return Picture.from_array(photo)
    raise TypeError(f"a photo is a path, bytes, a Pillow image or a numpy array, not {type(photo).__name__}")


def _image(data: bytes, mode: str | None = None) -> Image.Image:
    """Open a result; in the mode of the photo, if that says the same in another way."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return image.convert(mode) if mode is not None and PLAIN_MODES.get(mode) == image.mode else image
