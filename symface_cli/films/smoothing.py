"""What is seen of faces, smoothed over time: from the frames before and after, so that nothing lags behind.

At each frame, a polynomial is fitted to what the frames around it show, these weighed by how near they are in time: a
parabola to where a face lies, so that movement stays as it is, and a straight line to its shape, pose and eyes, which
change slowly in its own frame. Nothing is smoothed across a cut, or where a face was lost.

A face that comes or goes within a shot is changed more and more, or less and less, over the same time.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from symface_cli.films.following import FollowedFace, SeenFrame
from symface_cli.films.sides import SteadySides
from symface_cli.geometry.frames import apply
from symface_cli.geometry.sampling import fade
from symface_cli.geometry.types import Array, Floats
from symface_cli.inference.face import FacePrediction, FaceWarp
from symface_cli.inference.irises import Irises

REACH = 0.16  # s, beyond which frames do not count
MOST_FRAMES = 10  # before and after: films of many frames per second would have too many in memory


class _Fit(NamedTuple):
    """How a polynomial is fitted: its degree, and the deviation of the frames' weights in seconds."""

    degree: int
    deviation: float


PLACE, SHAPE = _Fit(2, 0.05), _Fit(1, 0.08)


def smooth(frames: Iterable[SeenFrame]) -> Iterator[SeenFrame]:
    """Yield the frames of a film with smoothed faces, in order, each when those after it that count are known."""
    before: deque[SeenFrame] = deque(maxlen=MOST_FRAMES)
    waiting: deque[SeenFrame] = deque()
    sides = SteadySides()
    for frame in frames:
        waiting.append(frame)
        while len(waiting) > MOST_FRAMES + 1 or _are_apart(waiting[0], frame):
            yield _smooth_next(before, waiting, sides)
    while waiting:
        yield _smooth_next(before, waiting, sides)


def _smooth_next(before: deque[SeenFrame], waiting: deque[SeenFrame], sides: SteadySides) -> SeenFrame:
    """Smooth the faces of the first frame that waits; it then is one before."""
    frame = waiting[0]
    around = [other for other in (*before, *waiting) if not _are_apart(frame, other)]
    smoothed = [_smooth_face(face, frame, around) for face in frame.faces]
    steady = [
        replace(face, prediction=replace(face.prediction, warp=sides.choose(face.warp, face.track, frame.frame.time_s)))
        for face in smoothed
    ]
    before.append(frame)
    waiting.popleft()
    return replace(frame, faces=tuple(steady))


_NO_PHOTO = np.empty((0, 0, 3), np.uint8)
"""Of frames that are done: what they show is not kept."""


def _are_apart(one: SeenFrame, other: SeenFrame) -> bool:
    """Tell whether two frames are too far apart in time, or in different shots."""
    return one.shot != other.shot or abs(float(other.frame.time - one.frame.time)) > REACH


def _smooth_face(face: FollowedFace, frame: SeenFrame, around: Sequence[SeenFrame]) -> FollowedFace:
    """Smooth a face of a frame by those around it, itself among them."""
    seen = [(other, same) for other in around for same in other.faces if same.track == face.track]
    apart = np.array([float(other.frame.time - frame.frame.time) for other, _ in seen])
    middle = next(place for place, (other, _) in enumerate(seen) if other is frame)
    warp = _smooth_warp([same.warp for _, same in seen], apart, middle)
    absent = [other for other in around if all(same.track != face.track for same in other.faces)]
    share = min((_distance(frame, other) for other in absent), default=1.0)
    return replace(face, prediction=FacePrediction(face.prediction.decode, warp), share=share)


def _distance(one: SeenFrame, other: SeenFrame) -> float:
    """Return how far apart two frames are, as a share of how far they may be; smooth from 0 to 1."""
    times = abs(float(other.frame.time - one.frame.time)) / REACH
    frames = abs(other.frame.index - one.frame.index) / MOST_FRAMES
    return float(fade(np.array(max(times, frames), np.float32), 0, 1))


def _smooth_warp(warps: Sequence[FaceWarp], apart: Array, middle: int) -> FaceWarp:
    """Return the warp of a face, of those in frames around it, which are so many seconds apart from the middle one."""
    place, shape = _weights(apart, PLACE), _weights(apart, SHAPE)
    levels = [warp.photo_from_level for warp in warps]
    level = _mean(levels, place, middle)
    inverse = [np.linalg.inv(other[:2, :2]).T for other in levels]
    points = [apply(np.linalg.inv(other), warp.photo_from_face) for other, warp in zip(levels, warps, strict=True)]
    moves = [warp.pose.displacement @ back for back, warp in zip(inverse, warps, strict=True)]
    turn, explained = _mean([np.array(warp.pose[1:]) for warp in warps], shape, middle).tolist()
    irises = Irises(
        *(_mean([getattr(warp.irises, name) for warp in warps], shape, middle) for name in ("places", "clearness"))
    )

    def mean_map(name: str) -> Floats:
        return _mean_map([getattr(warp, name) for warp in warps], shape, middle)

    return replace(
        warps[middle],
        photo_from_face=apply(level, _mean(points, shape, middle)),
        pose=warps[middle].pose._replace(
            displacement=_mean(moves, shape, middle) @ level[:2, :2].T, turn=turn, share=explained
        ),
        irises=irises,
        mask=mean_map("mask"),
        weights=mean_map("weights"),
        hidden=mean_map("hidden"),
        shown=mean_map("shown"),
    )


def _weights(apart: Array, fit: _Fit) -> Array:
    """Return the weights (N,) with which values at some times give that of a fitted polynomial at the time 0."""
    degree = min(fit.degree, len(apart) - 1)
    near = np.exp(-((apart / fit.deviation) ** 2) / 2)
    powers = np.vander(apart / REACH, degree + 1, increasing=True)
    weighted = powers.T * near
    weights: Array = np.linalg.solve(weighted @ powers, weighted)[0]
    return weights


def _mean(values: Sequence[NDArray[np.floating]], weights: Array, middle: int) -> Array:
    """Return the weighted sum of values; where all are the same, exactly this one."""
    center = np.asarray(values[middle], np.float64)
    mean: Array = center + np.tensordot(weights, np.stack(values) - center, 1)
    return mean


def _mean_map(values: Sequence[Floats], weights: Array, middle: int) -> Floats:
    mean: Floats = _mean(values, weights, middle).clip(0, 1).astype(np.float32)
    return mean
