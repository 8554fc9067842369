"""The ways to make a face symmetric that are compared: the network's, and those of landmark providers.

A provider does once per face what its methods share (detection, landmarks, the network) and offers the rest as one
function per method.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from symface_cli.detection.detector import Detection, detect
from symface_cli.geometry.midline import Midline
from symface_cli.geometry.types import Array, Photo
from symface_cli.geometry.warps import midline_of_warp
from symface_cli.inference.face import render_face
from symface_cli.landmarks.dlib import Landmarks
from symface_cli.landmarks.scheme import eye_distance
from symface_cli.landmarks.shape import find_midline
from symface_cli.methods.baselines import average, level, mirror_half, straighten

Draw = Callable[[], Photo]
"""Makes the symmetric image, (S, S, 3) uint8, of a face that is found already."""


@dataclass(frozen=True)
class ProvidedFace:
    """A face that a provider found in a photo.

    Attributes:
        draw: What is left to do for each of the provider's methods, by their names.
        midline: The face's midline, in photo pixels; None where the provider has none.
    """

    draw: Mapping[str, Draw]
    midline: Midline | None


class Provider(Protocol):
    """Where a group of methods gets its faces from; keeps its models loaded."""

    def find(self, photo: Photo, point: Array | None = None) -> list[ProvidedFace]:
        """The faces of a photo (H, W, 3), the largest first, or only the one nearest to `point` (2,) in its pixels."""


class Network:
    """The network.

    Its methods: with the photo's own detail from both sides (`vae`) or from one (`vae-left`, `vae-right`), and without
    it (`vae-decode`, what the paper shows).

    Raises:
        WeightsError: If the weights cannot be used.
    """

    methods = ("vae", "vae-decode", "vae-left", "vae-right")

    def __init__(self, weights: Path | None = None, device: str = "cpu") -> None:
        from symface_cli.inference.symmetrizer import Symmetrizer

        self._symmetrizer = Symmetrizer(weights, device)

    def find(self, photo: Photo, point: Array | None = None) -> list[ProvidedFace]:
        """Finds faces with symface's own detector, and looks at each of them once."""
        return [self._sight(photo, face) for face in _only_nearest(detect(photo), point)]

    def _sight(self, photo: Photo, found: Detection) -> ProvidedFace:
        prediction = self._symmetrizer.predict(photo, found)
        draw: dict[str, Draw] = {
            "vae": lambda: render_face(photo, prediction),
            "vae-decode": lambda: prediction.decoded,
            "vae-left": lambda: render_face(photo, prediction, "left"),
            "vae-right": lambda: render_face(photo, prediction, "right"),
        }
        warped = prediction.warp
        return ProvidedFace(draw, None if warped is None else midline_of_warp(warped.photo_from_face))


def _only_nearest(found: list[Detection], point: Array | None) -> list[Detection]:
    if point is None:
        return found
    return sorted(found, key=lambda face: float(np.linalg.norm(face.center - point)))[:1]


class LandmarkFinder(Protocol):
    """A landmark provider; landmarks are (68, 2) in photo pixels."""

    def find_faces(self, photo: Photo) -> list[Landmarks]:
        """Landmarks of every face."""

    def find_nearest(self, photo: Photo, point: Array) -> Landmarks | None:
        """Landmarks of the face nearest to a point, None if no face is found."""


class LandmarkMethods:
    """What can be done with landmarks: mirror either half of the leveled photo, average the two, or warp first."""

    def __init__(self, name: str, finder: LandmarkFinder) -> None:
        self._name = name
        self._finder = finder

    def find(self, photo: Photo, point: Array | None = None) -> list[ProvidedFace]:
        """Finds landmarks."""
        if point is None:
            faces = sorted(self._finder.find_faces(photo), key=lambda face: -eye_distance(face))
            return [self._sight(photo, landmarks) for landmarks in faces]
        nearest = self._finder.find_nearest(photo, point)
        return [] if nearest is None else [self._sight(photo, nearest)]

    def _sight(self, photo: Photo, landmarks: Landmarks) -> ProvidedFace:
        draw: dict[str, Draw] = {
            f"{self._name}-left": lambda: mirror_half(level(photo, landmarks), "left"),
            f"{self._name}-right": lambda: mirror_half(level(photo, landmarks), "right"),
            f"{self._name}-average": lambda: average(level(photo, landmarks)),
            f"{self._name}-warp": lambda: average(straighten(photo, landmarks)),
        }
        return ProvidedFace(draw, find_midline(landmarks))
