"""How the images are made that an evaluation shows to recognizers: aligned faces, and whole photos."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from time import perf_counter

from symface_cli.data.segmentation import LabelMap
from symface_cli.errors import Hint, SymfaceError, UsageError
from symface_cli.evaluation.photos.changes import PhotoChange, measure_change
from symface_cli.geometry.types import Photo
from symface_cli.imaging.picture import Picture
from symface_cli.methods.network import NetworkMethod
from symface_cli.methods.provider import PredictedFace, ProvidedFace
from symface_cli.methods.registry import choose_methods, find_method
from symface_cli.rendering.morphing import Amounts
from symface_cli.rendering.options import Output, OutputOptions
from symface_cli.rendering.renderers import PhotoRenderer

OUTPUTS = (Output.FACE, Output.PHOTO)
"""What can be evaluated."""


@dataclass(frozen=True, eq=False)
class ShownPhoto:
    """A photo under a condition.

    Attributes:
        pixels: (H, W, 3).
        labels: What they show, (H, W); None if that is not known.
    """

    pixels: Photo
    labels: LabelMap | None


@dataclass(frozen=True, eq=False)
class MadeImage:
    """What a method made of a photo.

    Attributes:
        image: The aligned face (S, S, 3), or the whole photo (H, W, 3).
        seconds: What it took once the face was found.
        change: What has changed in the photo; None for an aligned face.
    """

    image: Photo
    seconds: float
    change: PhotoChange | None


def find_output(name: str) -> Output:
    """Find an output by its name.

    Raises:
        UsageError: If there is none, or it cannot be evaluated.
    """
    if name not in OUTPUTS:
        raise UsageError(f"unknown output {name}; choose from {', '.join(OUTPUTS)}")
    return Output(name)


def check_outputs(methods: Iterable[str], outputs: Iterable[Output]) -> None:
    """Check that each of some methods makes each of some outputs.

    Raises:
        UsageError: If one does not, or does not exist.
    """
    faces_alone = [method.name for method in choose_methods(methods) if not isinstance(method, NetworkMethod)]
    if Output.PHOTO in outputs and faces_alone:
        raise UsageError(f"{faces_alone[0]}: landmark methods make aligned faces alone", Hint.FACE_ALONE)


def make_image(
    shown: ShownPhoto, faces: Sequence[ProvidedFace] | SymfaceError, method: str, output: Output
) -> MadeImage | None:
    """Make a method's image of the first face; None if there is none.

    Raises:
        SymfaceError: What looking for faces failed with.
        WeightsError: If a whole photo is asked for, and the network gives no warp.
    """
    if isinstance(faces, SymfaceError):
        raise faces
    if not faces:
        return None
    face = faces[0]
    start = perf_counter()
    if output is Output.FACE or face.predicted is None:
        return MadeImage(face.render[method](), perf_counter() - start, None)
    photo = _render_photo(shown.pixels, face.predicted, method)
    seconds = perf_counter() - start
    return MadeImage(photo, seconds, measure_change(shown.pixels, photo, face.predicted, shown.labels))


def _render_photo(photo: Photo, face: PredictedFace, name: str) -> Photo:
    """Make one face of a photo (H, W, 3) symmetric in its place, by a method of the network."""
    method = find_method(name)
    assert isinstance(method, NetworkMethod)  # see check_outputs
    options = OutputOptions(detail=method.detail)
    renderer = PhotoRenderer(Picture.from_array(photo), [(face.found, face.prediction)], options)
    return renderer.image(Amounts(side=method.side))
