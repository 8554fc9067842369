"""Read photos, and write results: names, folders, files."""

from collections.abc import Sequence
from pathlib import Path

from symface_cli.batch.targets import STREAM, Target
from symface_cli.errors import Hint, OutputError
from symface_cli.files import read_stdin, write_atomically, write_to_stdout
from symface_cli.imaging.picture import Picture, read_picture
from symface_cli.rendering.options import Output
from symface_cli.rendering.outputs import OutputFile


def write_files(target: Target, files: Sequence[OutputFile], force: bool) -> tuple[Path, ...]:
    """Make and write a photo's files; return their paths, in order.

    Raises:
        OutputError: If one exists and may not be overwritten (then none is written), or cannot be written.
    """
    main = files[0].output if target.exact else Output.PHOTO
    paths = [target.path(_label(file, main), file.suffix) for file in files]
    if len(files) > 1 and STREAM in paths:
        raise OutputError(f"{len(files)} results do not go to standard output", Hint.LARGEST_FACE)
    if not force:
        refuse_existing(paths)
    for path, file in zip(paths, files, strict=True):
        write_result(path, file.render())
    return tuple(paths)


def _label(file: OutputFile, main: Output) -> str:
    """Label what tells a result from the photo's others, such as face-2 or crop-1-007; `main` goes without its name."""
    kind = [] if file.output is main else [file.output.value]
    face = [] if file.face is None else [str(file.face)]
    frame = [] if file.frame is None else [f"{file.frame:03d}"]
    return "-".join([*kind, *face, *frame])


def read_source(photo: Path) -> Picture:
    """Read a photo's file, or standard input for STREAM.

    Raises:
        PhotoError: If that is no picture.
    """
    if photo != STREAM:
        return read_picture(photo)
    return read_picture(read_stdin())


def write_result(path: Path, data: bytes) -> None:
    """Write a file, its folder created if need be; to standard output for STREAM.

    Raises:
        OutputError: If that fails.
    """
    if path == STREAM:
        write_to_stdout(data)
        return
    make_folder(path.parent)
    write_atomically(path, data)


def refuse_existing(paths: Sequence[Path]) -> None:
    """Raise OutputError if one of the files is there already."""
    for path in paths:
        if path != STREAM and path.exists():
            raise OutputError(f"{path}: already exists", Hint.OVERWRITE)


def make_folder(folder: Path) -> None:
    """Create a folder for results, and those above it.

    Raises:
        OutputError: If that cannot be done.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: this folder cannot be created ({error.strerror}); choose another") from error
