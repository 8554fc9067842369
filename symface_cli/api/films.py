"""What the commands `symmetrize` and `measure` do for films."""

import warnings
from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Literal

from symface_cli.api.loading import load_symmetrizer
from symface_cli.engines.loading import EngineChoice
from symface_cli.errors import UsageError
from symface_cli.films import symmetrizing
from symface_cli.films.following import Person
from symface_cli.films.measuring.films import FilmOptions, measure_frames
from symface_cli.films.measuring.meter import FilmConvention, FilmPart
from symface_cli.films.measuring.records import FrameMeasurement
from symface_cli.films.symmetrizing import SymmetricFrame, symmetrize_frames
from symface_cli.inference.face import Side
from symface_cli.inference.symmetrizer import Symmetrizer
from symface_cli.measurement.points.scheme import Sides
from symface_cli.measurement.scale import IRIS_MM, parse_scaling
from symface_cli.rendering.morphing import Amounts, PoseMode
from symface_cli.rendering.options import Output, OutputOptions
from symface_cli.video.reading import open_film


def measure_video(
    film: str | Path,
    *,
    person: Person = "largest",
    start: float | None = None,
    end: float | None = None,
    every: float | None = None,
    rate: float = 30,
    max_yaw: float | None = None,
    raw: bool = False,
    sides: Sides = "person",
    scale: str = "none",
    iris_mm: float = IRIS_MM,
    weights: str | Path | None = None,
    device: str = "auto",
    engine: EngineChoice = "auto",
) -> Iterator[FrameMeasurement]:
    """Measure how asymmetric a face is in each frame of a film. Not a medical device.

    For example, `for frame in measure_video("smile.mp4")` has `frame.time_s`, and `frame.measures["fai"].left` where
    `frame.is_found`. The film is read while records are taken, little ahead of them. With a scale that is taken from
    the film, "iris" or "mm_per_px", the first record comes when all of it is measured; only numbers are kept meanwhile.

    Args:
        film: A film file, or a folder of pictures.
        person: Who is followed: "largest", "all", or a number by size, from 1.
        start: Seconds at which it begins; None for the film's beginning.
        end: Seconds before which it ends; None for the film's end.
        every: Seconds between the frames that are measured; None for all frames.
        rate: Frames per second of a folder.
        max_yaw: Degrees from which on a head counts as turned too far; None for 15, with `raw` 5.
        raw: Whether the turn of the head is left in; else it is taken out.
        sides: Whose left and right: "person" or "viewer".
        scale: As of `measure`; one for the whole film.
        iris_mm: Diameter of an iris in mm, for "iris".
        weights: A weights file instead of the bundled one.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        engine: What computes the network: "onnxruntime", "torch", or "auto": torch on a GPU, else ONNX Runtime.

    Returns:
        The records, in the order of the frames; of several persons in a frame, by their numbers. A film that is damaged
        ends there, with a warning.

    Raises:
        MissingExtraError: If PyAV is not installed: the `video` extra.
        PhotoError: If it cannot be read, or has no frame at these times.
        WeightsError: If the weights cannot be used, or are of the paper's network, which cannot measure.
        UsageError: If the device is not there, or a value is none of those above.
    """
    if sides not in ("person", "viewer"):
        raise UsageError(f"sides {sides}: use person or viewer")
    if (every is not None and every <= 0) or rate <= 0:
        raise UsageError("every and rate are above 0")
    options = FilmOptions(
        person=person,
        convention=FilmConvention(raw=raw, sides=sides, scaling=parse_scaling(scale, iris_mm), max_yaw=max_yaw),
        part=FilmPart(start=_exact(start), end=_exact(end), every=_exact(every)),
        rate=Fraction(str(rate)),
    )
    symmetrizer = load_symmetrizer(weights, device, engine)
    return measure_frames(
        Path(film), symmetrizer, options, lambda damage: warnings.warn(f"{film}: {damage}", stacklevel=4)
    )


def symmetrize_video(
    film: str | Path,
    *,
    output: Literal["photo", "face"] = "photo",
    shape: float = 1.0,
    color: float = 1.0,
    side: Side = "both",
    detail: bool = True,
    pose: PoseMode | None = None,
    size: int | None = None,
    background: tuple[int, int, int] | None = None,
    person: Person | None = None,
    start: float | None = None,
    end: float | None = None,
    weights: str | Path | None = None,
    device: str = "auto",
    engine: EngineChoice = "auto",
) -> Iterator[SymmetricFrame]:
    """Make the faces in a film symmetric, frame by frame.

    For example, `for frame in symmetrize_video("talk.mp4")` has `frame.time_s`, and `frame.image`, an array. The film
    is read little ahead of what is taken. To write a film with its sound, use the command `symface symmetrize`.

    Args:
        film: A film file.
        output: "photo" for whole frames, "face" for the aligned face of one person, in frames of one size.
        shape: How far the shape becomes symmetric: 0 not at all, 1 fully; below 0 and above 1 exaggerate.
        color: The same for light and colors.
        side: What a face is made of: "both" sides, or the viewer's "left" or "right".
        detail: True for the film's own pixels, False for faces as the VAE decodes them.
        pose: "keep" for heads that stay turned as they are, "front" for faces that look to the front; None keeps the
            pose in whole frames, but not in aligned faces.
        size: Side of aligned faces in pixels, even; None for the resolution of the first one.
        background: What surrounds an aligned face: None for the film, or a color (r, g, b).
        person: Who becomes symmetric: "all", "largest", or a number by size, from 1; None for "all" in whole frames,
            and "largest" in aligned faces.
        start: Seconds at which to begin; None for the film's beginning.
        end: Seconds before which to end; None for the film's end.
        weights: A weights file instead of the bundled one.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        engine: What computes the network: "onnxruntime", "torch", or "auto": torch on a GPU, else ONNX Runtime.

    Returns:
        The frames, in order. A film that is damaged ends there, with a warning.

    Raises:
        MissingExtraError: If PyAV is not installed: the `video` extra.
        PhotoError: If the film cannot be read.
        NoFaceError: If it shows no face, and aligned faces are asked for.
        WeightsError: If the weights cannot be used, or are of the paper's network.
        UsageError: If the device is not there, or a value is none of those above.
    """
    if output not in ("photo", "face"):
        raise UsageError(f"output {output}: use photo or face")
    rendering = OutputOptions(
        outputs=(Output(output),),
        amounts=Amounts(shape, color, side),
        detail=detail,
        pose=pose,
        size=size,
        background=background,
    )
    options = symmetrizing.FilmOptions(rendering=rendering, person=person, start=_exact(start), end=_exact(end))
    return _symmetric_frames(Path(film), load_symmetrizer(weights, device, engine), options)


def _symmetric_frames(
    path: Path, symmetrizer: Symmetrizer, options: symmetrizing.FilmOptions
) -> Iterator[SymmetricFrame]:
    with open_film(path) as film, closing(symmetrize_frames(film, symmetrizer, options)) as frames:
        yield from frames
        if film.damage is not None:
            warnings.warn(f"{path}: {film.damage}", stacklevel=2)


def _exact(seconds: float | None) -> Fraction | None:
    """Return a time as it is written: 0.1 is a tenth."""
    return None if seconds is None else Fraction(str(seconds))
