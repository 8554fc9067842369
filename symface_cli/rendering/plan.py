"""What is made of a photo: which of its faces are meant, what is known of them, and their results, not yet drawn."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import NamedTuple, Protocol, TypeVar

from symface_cli.detection.detector import FoundFace, detect, face_in_box, face_with_eyes
from symface_cli.errors import NoFaceError
from symface_cli.geometry.frames import Array, Box, midline_of_warp, turn_of_warp
from symface_cli.imaging.encoding import Picture
from symface_cli.imaging.photo import Photo, encode_png
from symface_cli.inference.face import SeenFace
from symface_cli.inference.symmetrizer import Symmetrizer
from symface_cli.measurement.asymmetry import Asymmetry, measure
from symface_cli.methods.providers import Provider, Sighting
from symface_cli.rendering.outputs import Output, Product, Recipe, plan_products
from symface_cli.version import __version__

T = TypeVar("T")

TURNED = 20.0  # degrees, from which the far side of a head is mostly made up


@dataclass(frozen=True)
class Selection:
    """Which faces of a photo are meant.

    Attributes:
        number: Number by size, 1 for the largest; None for all.
        smallest: Least width of a face's box in photo pixels; None for the detector's own choice.
        box: The one face, where a person has marked it: brows to chin.
        eyes: The one face, by its eyes' centres in photo pixels, the viewer's left and right, each (2,).
    """

    number: int | None = None
    smallest: float | None = None
    box: Box | None = None
    eyes: tuple[Array, Array] | None = None

    def as_dict(self) -> dict[str, object]:
        """The fields as JSON has them."""
        eyes = None if self.eyes is None else [point.tolist() for point in self.eyes]
        return {"number": self.number, "smallest": self.smallest, "box": self.box, "eyes": eyes}

    def choose(self, photo: Photo, name: object) -> list[FoundFace]:
        """The faces meant in a photo (H, W, 3), the largest first.

        Raises:
            NoFaceError: If there are none; the message begins with `name`.
        """
        if self.eyes is not None:
            return [face_with_eyes(*self.eyes)]
        if self.box is not None:
            return [face_in_box(self.box)]
        return take_number(detect(photo, self.smallest), self.number, name)


def take_number(found: list[T], number: int | None, name: object) -> list[T]:
    """All faces of a photo called `name`, or the one of that number, from 1.

    Raises:
        NoFaceError: If there are none, or not so many.
    """
    if not found:
        raise NoFaceError(
            f"{name}: no face found; try a larger, brighter or more frontal picture of the face, or mark it with --eyes"
        )
    if number is None:
        return found
    if number > len(found):
        raise NoFaceError(f"{name}: no face number {number}, only {len(found)} found; try --faces all")
    return [found[number - 1]]


@dataclass(frozen=True)
class FaceNote:
    """What is known of a face.

    Attributes:
        box: x, y, width, height of the detector's box, in pixels of the photo turned by `degrees`; None from a
            landmark method.
        degrees: The turn at which the face was found, clockwise.
        midline_degrees: The midline's tilt, clockwise from upright; None without a warp.
        eye_distance: Of the symmetric face in photo pixels; None without a warp.
        turn_degrees: How far the head is turned, positive where the viewer's left side is nearer; None without a warp.
        identity: Distance between photo and result by dlib's recogniser; None if it was not asked for, or if it finds
            no face in one of them.
        asymmetry: Value and error of each of `measures.NAMES`; None if they were not asked for.
    """

    box: tuple[float, ...] | None = None
    degrees: float = 0.0
    midline_degrees: float | None = None
    eye_distance: float | None = None
    turn_degrees: float | None = None
    identity: float | None = None
    asymmetry: Mapping[str, Sequence[float]] | None = None


class Made(NamedTuple):
    """What a maker makes of a photo."""

    faces: tuple[FaceNote, ...]
    products: tuple[Product, ...]


class Maker(Protocol):
    """Finds faces and says what is to be made of them.

    Attributes:
        on_cpu: Whether it computes on the CPU alone, so that a process can be forked with it.
        parameters: Everything that its results depend on, as JSON can hold it.
    """

    on_cpu: bool
    parameters: Mapping[str, object]

    def plan(self, picture: Picture, name: object, suffix: str | None) -> Made:
        """What is to be made of a picture called `name`; whole photos in the format of a suffix, None for their own."""


Check = Callable[[Photo, FoundFace, SeenFace], float | None]
"""Distance between the person in the photo and in the symmetric face."""


class NetworkMaker:
    """Makes what a recipe says, with the network.

    Args:
        symmetrizer: The loaded network.
        recipe: What to make.
        selection: Of which faces.
        check: Compares persons; None where that is not wanted.
        measured: Whether the asymmetry of the faces is measured, too.
    """

    def __init__(
        self,
        symmetrizer: Symmetrizer,
        recipe: Recipe,
        selection: Selection,
        check: Check | None = None,
        measured: bool = False,
    ) -> None:
        self._symmetrizer = symmetrizer
        self._recipe = recipe
        self._selection = selection
        self._check = check
        self._measured = measured
        self.on_cpu = symmetrizer.device.type == "cpu"
        self.parameters: Mapping[str, object] = {
            "version": __version__,
            "weights": symmetrizer.weights.sha256,
            "recipe": asdict(recipe),
            "selection": selection.as_dict(),
            "check_identity": check is not None,
            "measure": measured,
        }

    def plan(self, picture: Picture, name: object, suffix: str | None) -> Made:
        """Finds the faces and looks at them."""
        photo = picture.photo
        faces = [(found, self._symmetrizer.look(photo, found)) for found in self._selection.choose(photo, name)]
        notes = tuple(self._note(photo, *face) for face in faces)
        if self._measured:
            measured = measure(self._symmetrizer, photo, [found for found, _ in faces])
            notes = tuple(map(_add_asymmetry, notes, measured))
        return Made(notes, tuple(plan_products(picture, faces, self._recipe, suffix)))

    def _note(self, photo: Photo, found: FoundFace, seen: SeenFace) -> FaceNote:
        box = tuple(round(value, 2) for value in found.box)
        identity = None if self._check is None else self._check(photo, found, seen)
        if seen.warped is None:
            return FaceNote(box, found.degrees, identity=identity)
        warp = seen.warped.photo_from_face
        return FaceNote(
            box,
            found.degrees,
            round(midline_of_warp(warp).degrees, 3),
            round(seen.warped.eye_distance, 2),
            round(turn_of_warp(warp, seen.warped.mask), 1),
            identity,
        )


def _add_asymmetry(note: FaceNote, measured: Asymmetry) -> FaceNote:
    values = {name: (round(value, 4), round(error, 4)) for name, (value, error) in measured.values.items()}
    return replace(note, asymmetry=values)


class LandmarkMaker:
    """Makes aligned faces with a method of a landmark provider.

    Args:
        provider: The provider.
        method: The method's name.
        number: Number of the face by size; None for all.
    """

    on_cpu = True

    def __init__(self, provider: Provider, method: str, number: int | None) -> None:
        self._provider = provider
        self._method = method
        self._number = number
        self._alone = threading.Lock()  # dlib and OpenCV's detectors are not safe for several threads
        self.parameters: Mapping[str, object] = {"version": __version__, "method": method, "number": number}

    def plan(self, picture: Picture, name: object, suffix: str | None) -> Made:
        """Finds the faces."""
        with self._alone:
            found: list[Sighting] = take_number(self._provider.find(picture.photo), self._number, name)
        notes = tuple(FaceNote(midline_degrees=face.midline and face.midline.degrees) for face in found)
        products = (
            Product(Output.FACE, number if len(found) > 1 else None, None, ".png", partial(self._encode, face))
            for number, face in enumerate(found, 1)
        )
        return Made(notes, tuple(products))

    def _encode(self, face: Sighting) -> bytes:
        return encode_png(face.draw[self._method]())
