"""Read photos, and write results: names, folders, files."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from symface_cli.batch.permission import Permission
from symface_cli.batch.targets import STREAM, Target
from symface_cli.errors import Hint, OutputError
from symface_cli.files import read_stdin, write_to_stdout
from symface_cli.geometry.types import Photo
from symface_cli.imaging.photo import encode_png
from symface_cli.imaging.picture import Picture, read_picture
from symface_cli.rendering.options import Output
from symface_cli.rendering.outputs import OutputFile
from symface_cli.writing import make_folder, write_file

HEATMAP, OVERLAY = "asymmetry", "points"
"""How the names of pictures end, after that of the photo."""


class Written(NamedTuple):
    """Files of a photo that were written.

    Attributes:
        paths: Where they are.
        notes: What a user should know of them.
    """

    paths: tuple[Path, ...]
    notes: tuple[str, ...]


def write_files(target: Target, files: Sequence[OutputFile], permission: Permission) -> Written:
    """Make and write a photo's files.

    Args:
        target: The photo.
        files: What is written, in order.
        permission: Which files that are there may be replaced.

    Raises:
        OutputError: If one may not be written (then none is), or cannot be.
    """
    main = files[0].output if target.exact else Output.PHOTO
    paths = [target.path(file.label(main), file.suffix) for file in files]
    if len(files) > 1 and STREAM in paths:
        raise OutputError(f"{len(files)} results do not go to standard output", Hint.LARGEST_FACE)
    permission.check(paths)
    named = list(zip(paths, files, strict=True))
    new = [(path, file) for path, file in named if permission.has_to_write(path, file.render)]
    notes = [write_result(path, file.render(), permission.replace) for path, file in new]
    return Written(tuple(paths), tuple(note for note in notes if note is not None))


def read_source(photo: Path) -> Picture:
    """Read a photo's file, or standard input for STREAM.

    Raises:
        PhotoError: If that is no picture.
    """
    if photo != STREAM:
        return read_picture(photo)
    return read_picture(read_stdin())


def write_result(path: Path, data: bytes, replace: bool) -> str | None:
    """Write a file as `write_file` does, its folder created if need be; to standard output for STREAM.

    Raises:
        OutputError: If that fails.
    """
    if path == STREAM:
        write_to_stdout(data)
        return None
    make_folder(path.parent)
    return write_file(path, data, replace)


def write_pictures(pictures: Sequence[Photo | None], paths: Sequence[Path], permission: Permission) -> tuple[str, ...]:
    """Write the pictures of faces; return what a user should know of them."""
    drawn = [partial(encode_png, picture) for picture in pictures if picture is not None]
    new = [(path, render) for path, render in zip(paths, drawn, strict=True) if permission.has_to_write(path, render)]
    notes = [write_result(path, render(), permission.replace) for path, render in new]
    return tuple(note for note in notes if note is not None)


def picture_paths(target: Target, count: int, kind: str) -> list[Path]:
    """Name the files of a photo's heat maps or overlays; numbered where there are several faces."""
    labels = [f"-{number}" for number in range(1, count + 1)] if count > 1 else [""]
    if target.exact is not None:
        return [target.exact.with_name(f"{target.exact.stem}{label}{target.exact.suffix}") for label in labels]
    return [target.folder / f"{target.stem}.{kind}{label}.png" for label in labels]
