"""The methods that need only landmarks: the baselines, the same for every landmark provider."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Protocol

from symface_cli.geometry.types import Array, Landmarks, Photo
from symface_cli.landmarks.scheme import LandmarkScheme
from symface_cli.landmarks.shape import find_midline
from symface_cli.methods.baselines import average, level, mirror_half, straighten
from symface_cli.methods.provider import Method, ProvidedFace


class LandmarkFinder(Protocol):
    """Finds landmarks, (N, 2) in photo pixels.

    Attributes:
        files: The published model files that it needs, keys of `data.published.FILES`.
        scheme: What each of the landmarks is.
    """

    files: ClassVar[tuple[str, ...]]
    scheme: ClassVar[LandmarkScheme]

    def find_faces(self, photo: Photo) -> list[Landmarks]:
        """Find the landmarks of every face."""

    def find_nearest(self, photo: Photo, point: Array) -> Landmarks | None:
        """Find the landmarks of the face nearest to a point; None without a face."""


@dataclass(frozen=True, kw_only=True)
class LandmarkMethod(Method):
    """A method of a landmark provider.

    Attributes:
        render: Makes the symmetric face (S, S, 3) of a photo (H, W, 3) with landmarks (N, 2) of a scheme.
    """

    render: Callable[[Photo, Landmarks, LandmarkScheme], Photo]


def landmark_methods(provider: str, paper_score: float | None = None) -> tuple[LandmarkMethod, ...]:
    """List the methods of a landmark provider.

    Args:
        provider: Its name.
        paper_score: What the paper's Table 1 reports for one mirrored half; it does not say which half.
    """
    return (
        LandmarkMethod(name=f"{provider}-left", provider=provider, paper_score=paper_score, render=_mirror_left),
        LandmarkMethod(name=f"{provider}-right", provider=provider, paper_score=paper_score, render=_mirror_right),
        LandmarkMethod(name=f"{provider}-average", provider=provider, render=_average),
        LandmarkMethod(name=f"{provider}-warp", provider=provider, render=_average_warped),
    )


def _mirror_left(photo: Photo, landmarks: Landmarks, scheme: LandmarkScheme) -> Photo:
    return mirror_half(level(photo, landmarks, scheme), "left")


def _mirror_right(photo: Photo, landmarks: Landmarks, scheme: LandmarkScheme) -> Photo:
    return mirror_half(level(photo, landmarks, scheme), "right")


def _average(photo: Photo, landmarks: Landmarks, scheme: LandmarkScheme) -> Photo:
    return average(level(photo, landmarks, scheme))


def _average_warped(photo: Photo, landmarks: Landmarks, scheme: LandmarkScheme) -> Photo:
    return average(straighten(photo, landmarks, scheme))


class LandmarkProvider:
    """Finds faces by their landmarks.

    Args:
        finder: Finds the landmarks.
        methods: What is made with them.
    """

    def __init__(self, finder: LandmarkFinder, methods: tuple[LandmarkMethod, ...]) -> None:
        self._finder = finder
        self._methods = methods

    def find(self, photo: Photo, point: Array | None = None) -> list[ProvidedFace]:
        """Find landmarks; faces are sorted by the distance between their eyes."""
        if point is None:
            faces = sorted(self._finder.find_faces(photo), key=lambda face: -self._finder.scheme.eye_distance(face))
            return [self._provide(photo, landmarks) for landmarks in faces]
        nearest = self._finder.find_nearest(photo, point)
        return [] if nearest is None else [self._provide(photo, nearest)]

    def _provide(self, photo: Photo, landmarks: Landmarks) -> ProvidedFace:
        scheme = self._finder.scheme
        render = {method.name: partial(method.render, photo, landmarks, scheme) for method in self._methods}
        return ProvidedFace(render, find_midline(landmarks, scheme))
