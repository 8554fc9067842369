"""Result of processing one photo."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from symface_cli.batch.states import FileState
from symface_cli.batch.targets import Target
from symface_cli.errors import ExitStatus, StoreError, SymfaceError
from symface_cli.geometry.types import Array
from symface_cli.rendering.options import Output
from symface_cli.rendering.outputs import OutputFile
from symface_cli.rendering.records import FaceRecord

MOST_WITHOUT_STORE = 5  # photos in a row


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


class _Result(Protocol):
    """What became of a photo."""

    @property
    def error(self) -> SymfaceError | None:
        """Why it failed."""


R = TypeVar("R", bound=_Result)


def until_store_fails(results: Iterable[R]) -> Iterator[R]:
    """Yield results until several photos in a row have failed because a store does not answer.

    Raises:
        StoreError: Then, as the others would fail, too.
    """
    failed = 0
    for result in results:
        failed = failed + 1 if isinstance(result.error, StoreError) else 0
        yield result
        if failed == MOST_WITHOUT_STORE and isinstance(result.error, StoreError):
            raise StoreError(f"{failed} photos in a row failed for want of their store; the others were not tried")


def choose_pairs(files: Sequence[OutputFile], written: Sequence[Path]) -> tuple[Pair, ...]:
    """Choose the results of the kind that comes first, and of a sequence the last."""
    whole = (Output.PHOTO, Output.PREVIEW)
    pairs = {
        file.face: Pair(path, file.face, file.photo_from_image)
        for file, path in zip(files, written, strict=True)
        if file.output is files[0].output and (file.output in whole or file.photo_from_image is not None)
    }
    return tuple(pairs.values())
