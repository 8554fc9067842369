"""Result of processing one photo."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from symface_cli.batch.states import FileState
from symface_cli.batch.targets import Target
from symface_cli.errors import ExitStatus, SymfaceError
from symface_cli.geometry.types import Array
from symface_cli.rendering.options import Output
from symface_cli.rendering.outputs import OutputFile
from symface_cli.rendering.records import FaceRecord


@dataclass(frozen=True, eq=False)
class Pair:
    """A result that can be laid over what it shows of the photo.

    Attributes:
        path: Its file.
        face: Number of the face that it shows; None for a picture of all, or of the only one.
        photo_from_image: Where in the photo its square lies, as in `OutputFile`; None where it shows the whole photo.
    """

    path: Path
    face: int | None = None
    photo_from_image: Array | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Result of processing one photo.

    Attributes:
        target: The photo.
        written: Files written, in order.
        faces: Faces found, the largest first.
        seconds: Time for reading ("read"), prediction ("look"), and rendering and writing ("make").
        error: Why it failed.
        pairs: Files that show the result best, one for the photo or for each face.
        notes: What a user should know though nothing failed, a sentence each.
        input_state: The photo's file when it was read; None if it is none.
        output_states: The files of `written` after that; None for what is no file, such as a pipe.
    """

    target: Target
    written: tuple[Path, ...] = ()
    faces: tuple[FaceRecord, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    error: SymfaceError | None = None
    pairs: tuple[Pair, ...] = ()
    notes: tuple[str, ...] = ()
    input_state: FileState | None = None
    output_states: tuple[FileState | None, ...] = ()

    @property
    def photo(self) -> Path:
        """The photo's path, or STREAM."""
        return self.target.photo

    @property
    def status(self) -> ExitStatus:
        """The exit status that it would have alone."""
        return ExitStatus.OK if self.error is None else self.error.status


def choose_pairs(files: Sequence[OutputFile], written: Sequence[Path]) -> tuple[Pair, ...]:
    """Choose the results of the kind that comes first, and of a sequence the last."""
    whole = (Output.PHOTO, Output.PREVIEW)
    pairs = {
        file.face: Pair(path, file.face, file.photo_from_image)
        for file, path in zip(files, written, strict=True)
        if file.output is files[0].output and (file.output in whole or file.photo_from_image is not None)
    }
    return tuple(pairs.values())
