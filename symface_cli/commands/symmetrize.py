"""`symface symmetrize`: photos in, symmetric faces out."""

from collections.abc import Iterable
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import track

from symface_cli.console import err, out, print_error
from symface_cli.errors import ExitStatus, NoFaceError, PhotoError, UsageError
from symface_cli.options import DeviceOption, WeightsOption

if TYPE_CHECKING:
    from symface_cli.detection import FoundFace
    from symface_cli.naming import Target
    from symface_cli.pipeline import Symmetrizer


class Output(str, Enum):
    """What is written."""

    FACE = "face"


def symmetrize(
    photos: Annotated[list[Path], typer.Argument(metavar="PHOTO...", help="Photos, or folders of photos.")],
    out_path: Annotated[
        str | None,
        typer.Option(
            "--out", "-o", metavar="PATH", help="A file or a folder. [default: NAME.symmetric.png beside each photo]"
        ),
    ] = None,
    output: Annotated[
        Output, typer.Option(help="face: the aligned face, exactly equal to its mirror image, as PNG.")
    ] = Output.FACE,
    detail: Annotated[
        bool, typer.Option("--detail/--no-detail", help="The photo's own pixels, or the face as the VAE draws it.")
    ] = True,
    faces: Annotated[
        str, typer.Option(metavar="all|largest|N", help="Which faces: all, the largest, or number N by size.")
    ] = "all",
    force: Annotated[bool, typer.Option("--force", help="Overwrite existing files.")] = False,
    weights: WeightsOption = None,
    device: DeviceOption = "auto",
) -> int:
    """Make the faces in photos symmetric, and print the paths of the results.

    A photo with several faces gives NAME.symmetric-1.png, NAME.symmetric-2.png and so on, the largest first.
    """
    rank = _parse_faces(faces)
    from symface_cli.naming import choose_targets

    targets = choose_targets(photos, out_path)
    from symface_cli.pipeline import Symmetrizer

    symmetrizer = Symmetrizer(weights, device)
    failures: list[PhotoError | NoFaceError] = []
    for target in _with_progress(targets):
        try:
            for path in _symmetrize_photo(symmetrizer, target, rank, detail, force):
                out.print(str(path))
        except (PhotoError, NoFaceError) as error:
            failures.append(error)
            print_error(str(error))
    if len(targets) > 1:
        err.print(f"{len(targets) - len(failures)} of {len(targets)} photos done, {len(failures)} failed")
    return failures[0].status if failures else ExitStatus.OK


def _parse_faces(text: str) -> int | None:
    """None for all faces, else a face's number, 1 for the largest."""
    if text in ("all", "largest"):
        return None if text == "all" else 1
    if not text.isdecimal() or int(text) < 1:
        raise UsageError(f"--faces {text}: use all, largest, or a number from 1")
    return int(text)


def _with_progress(targets: "list[Target]") -> "Iterable[Target]":
    if len(targets) == 1:
        return targets
    return track(targets, description="symmetrizing", console=err, transient=True, disable=not err.is_terminal)


def _symmetrize_photo(
    symmetrizer: "Symmetrizer", target: "Target", rank: int | None, detail: bool, force: bool
) -> list[Path]:
    """Writes the results of one photo and returns their paths."""
    from symface_cli.detection import detect
    from symface_cli.images import encode_png, read_photo, write_atomically
    from symface_cli.naming import make_folder, refuse_existing

    photo = read_photo(target.photo)
    found = _choose_faces(detect(photo), rank, target.photo)
    paths = target.results(len(found))
    if not force:
        refuse_existing(paths)
    make_folder(target.result.parent)
    for path, face in zip(paths, symmetrizer.symmetrize(photo, found, detail), strict=True):
        write_atomically(path, encode_png(face.image))
    return paths


def _choose_faces(found: "list[FoundFace]", rank: int | None, photo: Path) -> "list[FoundFace]":
    if not found:
        raise NoFaceError(f"{photo}: no face found; try a larger, brighter or more frontal picture of the face")
    if rank is None:
        return found
    if rank > len(found):
        raise NoFaceError(f"{photo}: no face number {rank}, only {len(found)} found; try --faces all")
    return [found[rank - 1]]
