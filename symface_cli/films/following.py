"""Faces followed through a film: found once, then each frame says where they are looked for in the next.

The network finds a face well inside of a crop, so that a detector is only asked at the start of a shot, where a face is
lost, and now and then for further ones.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from symface_cli.detection.detector import Detection, detect, detect_sure, face_with_eyes
from symface_cli.errors import UsageError
from symface_cli.films.cuts import CutFinder
from symface_cli.films.leash import draw_along, eyes_of
from symface_cli.films.presence import Presence, has_eyes, is_whole
from symface_cli.geometry.types import Array, Photo
from symface_cli.inference.face import FacePrediction, FaceWarp
from symface_cli.rendering.renderers import warp_of
from symface_cli.video.frames import Frame

SETTLING = 2  # times that a face is looked for again where it was seen, after it was found
NEAR = 2.0  # eye distances from where it was, within which a face that was lost is looked for first
SAME_SIZE = 1.5  # factor by which its size may have changed there
PATIENCE = 25  # frames after which a face that was lost may be anybody's, if it was not the only one
THOROUGH = 10  # frames after which a missing face is looked for thoroughly again, which takes up to 0.3 s
LOOK_AROUND = 15  # frames after which further faces are looked for

Person = int | Literal["largest", "all"]
"""Who is followed: who is largest, everybody, or a number by size, from 1."""


class Predictor(Protocol):
    """What predicts where a face lies; `Symmetrizer` does."""

    def predict(self, photo: Photo, found: Detection) -> FacePrediction:
        """Predict where one face of a photo (H, W, 3) lies."""


@dataclass(frozen=True, eq=False, kw_only=True)
class FollowedFace:
    """A face in a frame.

    Attributes:
        person: Number of the person, from 1; the same in all frames of a shot.
        track: Number of the unbroken sequence of frames in which the face is seen, from 1.
        found: Where it was looked for.
        prediction: Where it is; with a warp.
        share: How far it is to be changed, in 0..1: less where it comes and goes.
    """

    person: int
    track: int
    found: Detection
    prediction: FacePrediction
    share: float = 1.0

    @property
    def warp(self) -> FaceWarp:
        """Where it is."""
        return warp_of(self.prediction)


@dataclass(frozen=True, eq=False, kw_only=True)
class SeenFrame:
    """A frame with the faces that are followed.

    Attributes:
        frame: The frame.
        shot: Number of the shot, from 0.
        faces: Those that are seen, in the order of their persons' numbers.
    """

    frame: Frame
    shot: int
    faces: tuple[FollowedFace, ...]


def follow(frames: Iterable[Frame], predictor: Predictor, person: Person = "largest") -> Iterator[SeenFrame]:
    """Follow faces through the frames of a film, and yield these one by one, in order.

    Args:
        frames: The frames, in order.
        predictor: The network.
        person: Who is followed. After a cut, people are known by where they were, and else by their size.

    Raises:
        UsageError: If there can be nobody of that number.
        WeightsError: If the network does not say where faces lie.
    """
    if isinstance(person, int) and person < 1:
        raise UsageError(f"person {person}: people are numbered by size, from 1")
    cuts, follower, shot = CutFinder(), _Follower(predictor, person), 0
    for frame in frames:
        if cuts.is_cut(frame.photo):
            shot += 1
            follower.start_shot()
        yield SeenFrame(frame=frame, shot=shot, faces=follower.see(frame.photo))


class _Track:
    """A person, and where the face is.

    Args:
        person: The number.

    Attributes:
        held: Where the eyes are looked for, (2, 2) in pixels.
        face: What was seen last.
        number: Of the sequence of frames in which the face is seen; None while it is lost.
        frames_lost: For how many frames it is.
        presence: What tells whether it is still there.
    """

    def __init__(self, person: int) -> None:
        self.person = person
        self.held: Array
        self.face: FollowedFace
        self.number: int | None = None
        self.frames_lost = 0
        self.presence = Presence()

    def is_near(self, found: Detection) -> bool:
        """Tell whether a face was found about where this one was, as large as it was."""
        size = self.face.warp.eye_distance
        grown = found.box.width / face_with_eyes(*self.held).box.width
        apart = float(np.linalg.norm(found.center - self.face.found.center))
        return apart < NEAR * size and 1 / SAME_SIZE < grown < SAME_SIZE


class _Follower:
    """Follows faces from frame to frame."""

    def __init__(self, predictor: Predictor, person: Person) -> None:
        self._predictor = predictor
        self._person = person
        self._tracks: dict[int, _Track] = {}
        self._sequences = 0
        self._frames_lost = 0  # in a row, in which somebody is missing; 0 at the start of a shot
        self._since_search = LOOK_AROUND
        self._is_new = True
        self._is_alone = True  # so far, whoever is followed

    def start_shot(self) -> None:
        """Look for all faces anew."""
        for track in self._tracks.values():
            track.number = None
        self._frames_lost, self._since_search, self._is_new = 0, LOOK_AROUND, True

    def see(self, photo: Photo) -> tuple[FollowedFace, ...]:
        """Find the faces in the next frame (H, W, 3)."""
        self._give_up()
        followed = [track for track in self._tracks.values() if track.number is not None]
        doubtful = [track for track in followed if not self._go_on(track, photo)]
        self._since_search += 1
        is_missing = bool(doubtful) or self._is_missing()
        if is_missing or (self._person == "all" and self._since_search >= LOOK_AROUND):
            is_thorough = is_missing and not doubtful and self._frames_lost % THOROUGH == 0
            self._search(detect(photo) if is_thorough else detect_sure(photo), photo, doubtful)
        self._frames_lost = self._frames_lost + 1 if self._is_missing() else 0
        self._is_new = self._is_new and not any(track.number is not None for track in self._tracks.values())
        return tuple(track.face for _, track in sorted(self._tracks.items()) if track.number is not None)

    def _give_up(self) -> None:
        """Stop looking, in each frame, for those of everybody who left while others stayed."""
        lost = [track for track in self._tracks.values() if track.number is None]
        for track in lost:
            track.frames_lost += 1
            if self._person == "all" and track.frames_lost > PATIENCE and len(lost) < len(self._tracks):
                del self._tracks[track.person]

    def _is_missing(self) -> bool:
        """Tell whether somebody who was seen, or is to be, is not."""
        return not self._tracks or any(track.number is None for track in self._tracks.values())

    def _go_on(self, track: _Track, photo: Photo) -> bool:
        """Find a face where it was; return whether it surely is the same."""
        held = draw_along(track.held, eyes_of(track.face.warp))
        found = face_with_eyes(*held)
        prediction = self._predictor.predict(photo, found)
        if not track.presence.is_still_there(photo, warp_of(prediction), before=track.face.warp):
            return False
        assert track.number is not None
        track.held = held
        track.face = FollowedFace(person=track.person, track=track.number, found=found, prediction=prediction)
        return True

    def _search(self, found: list[Detection], photo: Photo, doubtful: list[_Track]) -> None:
        """Follow those of the faces found in a frame that are not yet; those in doubt go on only where one is found."""
        self._since_search = 0
        followed = [track for track in self._tracks.values() if track.number is not None and track not in doubtful]
        free = [face for face in found if not any(track.is_near(face) for track in followed)]
        lost = [track for track in self._tracks.values() if track not in followed]
        for track in lost:
            near = [face for face in free if track.is_near(face)]
            number, track.number = track.number, None
            if near:
                free.remove(near[0])
                self._start(track, photo, near[0], number)
        is_sure = self._is_new or self._person != "all"  # what is found now and then may be anything
        for person, face in self._choose(found, free):
            track = self._tracks.get(person) or _Track(person)
            self._start(track, photo, face, needs_eyes=not is_sure)
            if track.number is not None:
                self._tracks[person] = track

    def _choose(self, found: list[Detection], free: list[Detection]) -> Iterator[tuple[int, Detection]]:
        """Yield who else is to be followed from now on, of the faces that are found and nobody's yet."""
        seen = {person for person, track in self._tracks.items() if track.number is not None}
        if self._person == "all":
            others = (person for person in range(1, len(seen) + len(free) + 1) if person not in seen)
            yield from zip(others, free, strict=False)
            return
        number = 1 if self._person == "largest" else self._person
        is_anybody = self._is_new or self._is_alone or self._frames_lost >= PATIENCE
        if not seen and is_anybody and len(found) >= number:
            self._is_alone = len(found) == 1
            yield number, found[number - 1]

    def _start(
        self, track: _Track, photo: Photo, found: Detection, number: int | None = None, needs_eyes: bool = False
    ) -> None:
        """Follow a face that was found, if it is all in the frame, in the sequence of a number, or a new one.

        It is followed from where the network sees it: from there on, nothing changes if nothing moves.
        """
        prediction = self._predictor.predict(photo, found)
        for _ in range(SETTLING):
            track.held = eyes_of(warp_of(prediction))
            found = face_with_eyes(*track.held)
            prediction = self._predictor.predict(photo, found)
        if not is_whole(photo, warp_of(prediction)) or (needs_eyes and not has_eyes(warp_of(prediction))):
            return
        if number is None:
            self._sequences += 1
        track.number, track.frames_lost = number or self._sequences, 0
        track.face = FollowedFace(person=track.person, track=track.number, found=found, prediction=prediction)
        track.presence.remember(photo, warp_of(prediction))
