"""Which side of a face is shown where only one can be, the same in all of a sequence of frames.

In a photo, what lies around an aligned face is that of the side that counts more, and its irises are those of the eye
that shows them better. Where both are about equal, another side would be chosen in each frame. In a film, a side is
given up only for one that is clearly better; surroundings then go over to the other one smoothly.
"""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from symface_cli.geometry.types import Array
from symface_cli.geometry.warps import similarity_of_warp
from symface_cli.inference.eyes import count_eyes
from symface_cli.inference.face import FaceWarp
from symface_cli.inference.sides import frame_sides, prefer_skin, sample_shown, share_of_left

CLEARLY = 0.6  # share of both that a side needs to be chosen instead of the other one
EYE_LEAD = 1.4  # how much more an iris counts that has been chosen
GOING_OVER = 0.3  # s, in which surroundings go over to the other side


@dataclass(frozen=True)
class _Chosen:
    """What is chosen of a face.

    Attributes:
        is_left: Whether surroundings are the left side's, or on the way there.
        left: How much of them is.
        eye: Which iris is drawn: 0 for the left one, 1 for the right one.
        time: At which that was, in seconds.
    """

    is_left: bool
    left: float
    eye: int
    time: float


class SteadySides:
    """Chooses sides for faces in the frames of a film, one frame after the other."""

    def __init__(self) -> None:
        self._chosen: dict[int, _Chosen] = {}

    def choose(self, warp: FaceWarp, track: int, time: float) -> FaceWarp:
        """Return a face with the sides that are chosen for it, given the number of its sequence and the seconds."""
        shown = sample_shown(warp.shown, warp.photo_from_face, similarity_of_warp(warp.photo_from_face))
        weights = prefer_skin(warp.weights, shown)
        chosen = self._update(track, time, share_of_left(weights, warp.mask, shown), count_eyes(warp.irises, weights))
        lead = np.where(np.arange(2) == chosen.eye, EYE_LEAD, 1)
        return replace(
            warp,
            weigh_frame=partial(frame_sides, weights, warp.mask, shown, chosen.left),
            irises=replace(warp.irises, clearness=warp.irises.clearness * lead),
        )

    def _update(self, track: int, time: float, left: float, eyes: Array) -> _Chosen:
        """Choose anew, given how much the left side and each iris count."""
        last = self._chosen.get(track)
        if last is None:
            is_left = left >= 0.5
            chosen = _Chosen(is_left, float(is_left), int(eyes.argmax()), time)
        else:
            is_left = left >= (1 - CLEARLY if last.is_left else CLEARLY)
            step = (time - last.time) / GOING_OVER * (1 if is_left else -1)
            eye = 1 - last.eye if eyes[1 - last.eye] > EYE_LEAD * eyes[last.eye] else last.eye
            chosen = _Chosen(is_left, min(max(last.left + step, 0.0), 1.0), eye, time)
        self._chosen[track] = chosen
        return chosen
