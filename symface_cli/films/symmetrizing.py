"""Symmetric films: frames with the faces of people in them symmetric, or the aligned face of one alone.

Frames are decoded, looked at, rendered and encoded at the same time, by threads, with few of them between.
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from symface_cli.errors import NoFaceError, PhotoError, UsageError
from symface_cli.films.following import FollowedFace, Person, Predictor, SeenFrame, follow
from symface_cli.films.smoothing import smooth
from symface_cli.geometry.sampling import native_size
from symface_cli.geometry.types import Photo
from symface_cli.imaging.metadata.record import Metadata
from symface_cli.imaging.picture import Picture
from symface_cli.parallel.ahead import read_ahead, work_ahead
from symface_cli.parallel.cores import available_cores
from symface_cli.parallel.work import one_thread
from symface_cli.rendering.morphing import Morph
from symface_cli.rendering.options import Output, OutputOptions, scaled
from symface_cli.rendering.renderers import FaceRenderer
from symface_cli.video.colors import change_planes, matrix_from_rgb, plain_planes
from symface_cli.video.frames import Frame, Plane
from symface_cli.video.reading import Film
from symface_cli.video.writing import DEFAULT_RATE, Encoding, FilmWriter, Layout, writing_film

R = TypeVar("R")

DECODED_AHEAD, SEEN_AHEAD = 3, 1  # frames that wait to be looked at, and to be rendered


@dataclass(frozen=True, kw_only=True)
class FilmOptions:
    """What is made of a film.

    Attributes:
        rendering: What each frame becomes: the whole of it, or the aligned face.
        person: Who becomes symmetric; None for everybody in whole frames, and who is largest in aligned faces.
        start: The time of the film, in seconds, at which to begin; None for its start.
        end: The time before which to end; None for its end.
        encoding: How frames are encoded.

    Raises:
        UsageError: If something is asked for that no film can be.
    """

    rendering: OutputOptions = field(default_factory=OutputOptions)
    person: Person | None = None
    start: Fraction | None = None
    end: Fraction | None = None
    encoding: Encoding = field(default_factory=Encoding)

    def __post_init__(self) -> None:
        options = self.rendering
        if options.outputs not in ((Output.PHOTO,), (Output.FACE,)) or options.steps or options.animated:
            raise UsageError("a film becomes one film, of whole frames or of aligned faces")
        if options.outputs == (Output.FACE,) and self.person == "all":
            raise UsageError("a film of aligned faces is of one person; choose who")
        if options.background == "transparent":
            raise UsageError("a film has no transparency; choose a color")
        if options.size is not None and options.size % 2:
            raise UsageError(f"size {options.size}: films have an even number of pixels")
        if self.start is not None and self.end is not None and self.start >= self.end:
            raise UsageError(f"from {float(self.start):g} s to {float(self.end):g} s: the end is not after the start")

    @property
    def followed(self) -> Person:
        """Who is followed."""
        return self.person or ("largest" if self.is_of_faces else "all")

    @property
    def is_of_faces(self) -> bool:
        """Whether frames become aligned faces."""
        return self.rendering.outputs == (Output.FACE,)


@dataclass(frozen=True, eq=False, kw_only=True)
class SymmetricFrame:
    """A frame of a symmetric film.

    Attributes:
        index: Its number, from 0.
        time_s: When it is shown, in seconds of the film that it is made of.
        image: What it shows, (H, W, 3) uint8 RGB; black where an aligned face is not seen.
        people: Numbers of those who are seen, and symmetric.
    """

    index: int
    time_s: float
    image: Photo
    people: tuple[int, ...]


class FilmResult(NamedTuple):
    """What became of a film."""

    frames: int
    """How many frames it has."""
    frames_with_faces: int
    """In how many of them somebody is symmetric."""
    notes: tuple[str, ...]
    """What a user should know of it, a sentence each."""
    damage: str | None
    """Why it ends before the one that it is made of; None if it does not."""


class _Canvas(NamedTuple):
    """A frame that is to be rendered, and the side of aligned faces in pixels."""

    seen: SeenFrame
    side: int


class _Stored(NamedTuple):
    """A frame that was rendered, as it is stored."""

    frame: Frame
    planes: tuple[Plane, ...]
    has_faces: bool

    @property
    def size(self) -> tuple[int, int]:
        """Its width and height."""
        height, width = self.planes[0].shape
        return width, height


def symmetrize_frames(film: Film, predictor: Predictor, options: FilmOptions) -> Generator[SymmetricFrame, None, None]:
    """Yield the frames of a symmetric film, in order; where the film is damaged, they end, and it says so.

    Raises:
        NoFaceError: If aligned faces are asked for, and nobody is seen.
    """
    return _work_on(film, predictor, options, partial(_show, options))


def symmetrize_film(
    film: Film,
    path: Path,
    predictor: Predictor,
    options: FilmOptions,
    replace: bool = False,
    progress: Callable[[int], None] = lambda done: None,
) -> FilmResult:
    """Write a symmetric film, beside the sound of the one that it is made of.

    Args:
        film: The film that it is made of.
        path: Its file.
        predictor: The network.
        options: What is made.
        replace: Whether a file that is there may be replaced.
        progress: Called with how many frames are done.

    Raises:
        NoFaceError: If nobody is seen in it.
        PhotoError: If it has no frames.
        OutputError: If its file cannot be written.
    """
    store = partial(_store, options, Layout.of(film))
    with closing(_work_on(film, predictor, options, store)) as frames:
        first = next(frames, None)
        if first is None:
            raise PhotoError(f"{film.name}: {film.damage or 'no frames between these times'}")
        layout = Layout.of(film).resized(first.size)
        with writing_film(path, film, layout, options.encoding, options.start, replace) as writer:
            return _write(writer, film, options, chain([first], frames), progress)


def _write(
    writer: FilmWriter, film: Film, options: FilmOptions, frames: Iterable[_Stored], progress: Callable[[int], None]
) -> FilmResult:
    """Write the frames of a film, and its sound up to where they end."""
    start, end, with_faces = options.start or Fraction(0), Fraction(0), 0
    for count, stored in enumerate(frames, 1):
        frame = stored.frame
        writer.write(stored.planes, frame.time - start, frame.duration)
        end = frame.time + (frame.duration or 1 / (film.rate or DEFAULT_RATE))
        with_faces += stored.has_faces
        progress(count)
    if not with_faces:
        raise NoFaceError("no face found in the film")
    is_cut = options.end is not None or film.damage is not None
    writer.end(min(options.end or end, end) - start if is_cut else None)
    return FilmResult(count, with_faces, writer.notes, film.damage)


def _work_on(
    film: Film, predictor: Predictor, options: FilmOptions, task: Callable[[_Canvas], R]
) -> Generator[R, None, None]:
    """Yield the results of a task on each frame of a film and the faces in it, in order."""
    with one_thread():
        decoded = read_ahead(film.frames(options.start, options.end), DECODED_AHEAD)
        seen = read_ahead(smooth(follow(decoded, predictor, options.followed)), SEEN_AHEAD)
        canvases = _choose_canvas(seen, options)
        yield from work_ahead(task, canvases, available_cores())


def _choose_canvas(seen: Iterable[SeenFrame], options: FilmOptions) -> Iterator[_Canvas]:
    """Choose the side of aligned faces: what is asked for, or that of the first one; frames before it wait.

    Raises:
        NoFaceError: If there is none, and no side is asked for.
    """
    if not options.is_of_faces:
        yield from (_Canvas(frame, 0) for frame in seen)
        return
    side, waiting = options.rendering.size, []
    for frame in seen:
        if side is None and frame.faces:
            side = native_size(frame.faces[0].warp.photo_from_face)
        if side is None:
            waiting.append(replace(frame, frame=replace(frame.frame, photo=frame.frame.photo[:0], planes=())))
            continue
        yield from (_Canvas(other, side) for other in (*waiting, frame))
        waiting.clear()
    if waiting:
        raise NoFaceError("no face found in the film")


def _show(options: FilmOptions, canvas: _Canvas) -> SymmetricFrame:
    """Render a frame to be looked at."""
    frame, people = canvas.seen.frame, tuple(face.person for face in canvas.seen.faces)
    return SymmetricFrame(index=frame.index, time_s=frame.time_s, image=_render(options, canvas), people=people)


def _store(options: FilmOptions, layout: Layout, canvas: _Canvas) -> _Stored:
    """Render a frame as it is stored: what is not of a face stays as it was, to the bit."""
    frame, image = canvas.seen.frame, _render(options, canvas)
    before, planes = frame.photo, frame.planes
    if options.is_of_faces:
        before, planes = np.zeros_like(image), plain_planes((canvas.side, canvas.side), layout.tags)
    matrix = matrix_from_rgb(layout.tags, layout.size[1])
    return _Stored(frame, change_planes(planes, before, image, matrix), bool(canvas.seen.faces))


def _render(options: FilmOptions, canvas: _Canvas) -> Photo:
    """Render what a frame becomes."""
    photo, faces, rendering = canvas.seen.frame.photo, canvas.seen.faces, options.rendering
    if not options.is_of_faces:
        pose = rendering.pose_in(Output.PHOTO)
        for face in faces:
            morph = Morph(photo, face.warp, partial(_decoded, face), rendering.detail, pose)
            photo = morph.in_photo(scaled(rendering.amounts, face.share))
        return photo
    if not faces:
        return np.zeros((canvas.side, canvas.side, 3), np.uint8)
    picture = Picture(pixels=photo, alpha=None, photo=photo, format="PNG", metadata=Metadata())
    shown = [(faces[0].found, faces[0].prediction)]
    return FaceRenderer(picture, shown, replace(rendering, size=canvas.side)).image(rendering.amounts)


def _decoded(face: FollowedFace) -> Photo:
    return face.prediction.decoded
