"""Photos to results, one after the other or several at a time: chosen faces, files written."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import NamedTuple, Protocol, TypeVar

from symface_cli import __version__
from symface_cli.detection import FoundFace, detect, face_in_box, face_with_eyes
from symface_cli.drawing import SeenFace
from symface_cli.errors import ExitStatus, NoFaceError, PhotoError, SymfaceError
from symface_cli.evaluation.methods import Provider, Sighting
from symface_cli.geometry import Array, Box, midline_of_warp, turn_of_warp
from symface_cli.images import Photo, encode_png, write_atomically
from symface_cli.naming import STREAM, Target, make_folder, refuse_existing
from symface_cli.parallel import work_in_threads
from symface_cli.pictures import Picture, read_picture
from symface_cli.pipeline import Symmetrizer
from symface_cli.recipes import Output, Product, Recipe, plan_products

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
    """

    box: tuple[float, ...] | None = None
    degrees: float = 0.0
    midline_degrees: float | None = None
    eye_distance: float | None = None
    turn_degrees: float | None = None
    identity: float | None = None


class Made(NamedTuple):
    """What a maker makes of a photo."""

    faces: tuple[FaceNote, ...]
    products: tuple[Product, ...]


class Maker(Protocol):
    """Finds faces and says what is to be made of them.

    Attributes:
        parallel: Whether several threads may use it at a time.
        parameters: Everything that its results depend on, as JSON can hold it.
    """

    parallel: bool
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
    """

    parallel = True

    def __init__(
        self, symmetrizer: Symmetrizer, recipe: Recipe, selection: Selection, check: Check | None = None
    ) -> None:
        self._symmetrizer = symmetrizer
        self._recipe = recipe
        self._selection = selection
        self._check = check
        self.parameters: Mapping[str, object] = {
            "version": __version__,
            "weights": symmetrizer.weights.sha256,
            "recipe": asdict(recipe),
            "selection": selection.as_dict(),
        }

    def plan(self, picture: Picture, name: object, suffix: str | None) -> Made:
        """Finds the faces and looks at them."""
        photo = picture.photo
        faces = [(found, self._symmetrizer.look(photo, found)) for found in self._selection.choose(photo, name)]
        notes = tuple(self._note(photo, *face) for face in faces)
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


class LandmarkMaker:
    """Makes aligned faces with a method of a landmark provider.

    Args:
        provider: The provider.
        method: The method's name.
        number: Number of the face by size; None for all.
    """

    parallel = False  # dlib and OpenCV's detectors are not safe for that

    def __init__(self, provider: Provider, method: str, number: int | None) -> None:
        self._provider = provider
        self._method = method
        self._number = number
        self.parameters: Mapping[str, object] = {"version": __version__, "method": method, "number": number}

    def plan(self, picture: Picture, name: object, suffix: str | None) -> Made:
        """Finds the faces."""
        found: list[Sighting] = take_number(self._provider.find(picture.photo), self._number, name)
        notes = tuple(FaceNote(midline_degrees=face.midline and face.midline.degrees) for face in found)
        products = (
            Product(Output.FACE, number if len(found) > 1 else None, None, ".png", partial(self._encode, face))
            for number, face in enumerate(found, 1)
        )
        return Made(notes, tuple(products))

    def _encode(self, face: Sighting) -> bytes:
        return encode_png(face.draw[self._method]())


@dataclass(frozen=True, eq=False)
class Pair:
    """A result that can be laid over what it shows of the photo.

    Attributes:
        path: Its file.
        face: The number of the face that it shows; None for a picture of all, or of the only one.
        photo_from_image: Where in the photo its square lies, as in `Product`; None where it shows the whole photo.
    """

    path: Path
    face: int | None = None
    photo_from_image: Array | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a photo.

    Attributes:
        target: The photo.
        written: The files made, in order.
        faces: What was found, the largest first.
        seconds: What reading, looking, and making and writing the results took.
        error: Why it failed.
        pairs: Which of the files show best what was made, one for the photo or for each face.
    """

    target: Target
    written: tuple[Path, ...] = ()
    faces: tuple[FaceNote, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    error: SymfaceError | None = None
    pairs: tuple[Pair, ...] = ()

    @property
    def status(self) -> ExitStatus:
        """The exit status that it would have alone."""
        return ExitStatus.OK if self.error is None else self.error.status


def run(maker: Maker, targets: Sequence[Target], force: bool, jobs: int) -> Iterator[Outcome]:
    """The outcomes in the order of the photos.

    Args:
        maker: What makes the results.
        targets: The photos.
        force: Whether existing files may be overwritten.
        jobs: How many photos are worked on at a time, each on one core.
    """
    task = partial(symmetrize_photo, maker, force=force)
    if len(targets) == 1 or not maker.parallel:
        return map(task, targets)
    return work_in_threads(task, targets, jobs)


def symmetrize_photo(maker: Maker, target: Target, force: bool) -> Outcome:
    """One photo, from its file to its results' files; what can be expected to go wrong is in the outcome."""
    start = perf_counter()
    try:
        picture = read_source(target.photo)
        read = perf_counter()
        exact = None if target.exact is None or target.exact == STREAM else target.exact.suffix
        made = maker.plan(picture, target.photo, exact)
        looked = perf_counter()
        written = write_products(target, made.products, force)
    except (PhotoError, NoFaceError) as error:
        return Outcome(target, error=error)
    done = perf_counter()
    seconds = {"read": round(read - start, 4), "look": round(looked - read, 4), "make": round(done - looked, 4)}
    return Outcome(target, written, made.faces, seconds, pairs=_choose_pairs(made.products, written))


def _choose_pairs(products: Sequence[Product], written: Sequence[Path]) -> tuple[Pair, ...]:
    """The results of the kind that comes first, and of a sequence the last."""
    whole = (Output.PHOTO, Output.PREVIEW)
    pairs = {
        product.face: Pair(path, product.face, product.photo_from_image)
        for product, path in zip(products, written, strict=True)
        if product.output is products[0].output and (product.output in whole or product.photo_from_image is not None)
    }
    return tuple(pairs.values())


def write_products(target: Target, products: Sequence[Product], force: bool) -> tuple[Path, ...]:
    """Makes and writes a photo's products; their files, in order.

    Raises:
        PhotoError: If one exists and may not be overwritten (then none is written), or cannot be written.
    """
    main = products[0].output if target.exact else Output.PHOTO
    paths = [target.path(_label(product, main), product.suffix) for product in products]
    if len(products) > 1 and STREAM in paths:
        raise PhotoError(f"{target.photo}: {len(products)} results do not go to standard output; try --faces largest")
    if not force:
        refuse_existing(paths)
    for path, product in zip(paths, products, strict=True):
        write_result(path, product.make())
    return tuple(paths)


def _label(product: Product, main: Output) -> str:
    """What tells a result from the photo's others, such as face-2 or crop-1-007; `main` goes without its name."""
    kind = "" if product.output is main else product.output.value
    frame = "" if product.frame is None else f"{product.frame:03d}"
    return "-".join(str(part) for part in (kind, product.face or "", frame) if part)


def read_source(photo: Path) -> Picture:
    """Reads a photo's file, or standard input for STREAM.

    Raises:
        PhotoError: If that is no picture.
    """
    if photo != STREAM:
        return read_picture(photo)
    return read_picture(sys.stdin.buffer.read())


def write_result(path: Path, data: bytes) -> None:
    """Writes a file, its folder created if need be; to standard output for STREAM.

    Raises:
        PhotoError: If that fails.
    """
    if path == STREAM:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    make_folder(path.parent)
    write_atomically(path, data)
