"""Photos to results, one after the other or several at a time: photos read, results made, files written."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import perf_counter

from symface_cli.batch.targets import STREAM, Target, make_folder, refuse_existing
from symface_cli.errors import ExitStatus, NoFaceError, PhotoError, SymfaceError
from symface_cli.geometry.frames import Array
from symface_cli.imaging.encoding import Picture, read_picture
from symface_cli.imaging.photo import write_atomically
from symface_cli.parallel import work_on_cores
from symface_cli.rendering.outputs import Output, Product
from symface_cli.rendering.plan import FaceNote, Maker


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
    return map(task, targets) if len(targets) == 1 else work_on_cores(task, targets, jobs, fork=maker.on_cpu)


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
