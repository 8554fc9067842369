"""The ways to make a face symmetric that are compared: the network's, and those of landmark providers.

A provider does once per face what its methods share (detection, landmarks, the network) and offers the rest as one
function per method.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from symface_cli.compositing import native_size, warp_photo
from symface_cli.detection import FoundFace, detect
from symface_cli.drawing import draw_face
from symface_cli.errors import UsageError
from symface_cli.geometry import (
    Array,
    Midline,
    apply,
    control_points,
    face_from_image,
    find_midline,
    midline_of_warp,
    symmetric_warp,
)
from symface_cli.images import Photo
from symface_cli.landmarks.clm import ClmLandmarks, ClnfLandmarks
from symface_cli.landmarks.dlib import DlibLandmarks, Landmarks
from symface_cli.landmarks.scheme import eye_distance
from symface_cli.landmarks.sdm import SdmLandmarks

CONTEXT = 1.25  # side of a levelled photo in face frames: a detector needs to see something around the face

Draw = Callable[[], Photo]
"""Makes the symmetric image, (S, S, 3) uint8, of a face that is found already."""


@dataclass(frozen=True)
class Sighting:
    """A face that a provider found in a photo.

    Attributes:
        draw: What is left to do for each of the provider's methods, by their names.
        midline: The face's midline, in photo pixels; None where the provider has none.
    """

    draw: Mapping[str, Draw]
    midline: Midline | None


class Provider(Protocol):
    """Where a group of methods gets its faces from; keeps its models loaded."""

    def find(self, photo: Photo, point: Array | None = None) -> list[Sighting]:
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
        from symface_cli.pipeline import Symmetrizer

        self._symmetrizer = Symmetrizer(weights, device)

    def find(self, photo: Photo, point: Array | None = None) -> list[Sighting]:
        """Finds faces with symface's own detector, and looks at each of them once."""
        return [self._sight(photo, face) for face in _only_nearest(detect(photo), point)]

    def _sight(self, photo: Photo, found: FoundFace) -> Sighting:
        seen = self._symmetrizer.look(photo, found)
        draw: dict[str, Draw] = {
            "vae": lambda: draw_face(photo, seen),
            "vae-decode": lambda: seen.decoded,
            "vae-left": lambda: draw_face(photo, seen, "left"),
            "vae-right": lambda: draw_face(photo, seen, "right"),
        }
        warped = seen.warped
        return Sighting(draw, None if warped is None else midline_of_warp(warped.photo_from_face))


def _only_nearest(found: list[FoundFace], point: Array | None) -> list[FoundFace]:
    if point is None:
        return found
    return sorted(found, key=lambda face: float(np.linalg.norm(face.centre - point)))[:1]


class LandmarkFinder(Protocol):
    """A landmark provider; landmarks are (68, 2) in photo pixels."""

    def find_faces(self, photo: Photo) -> list[Landmarks]:
        """Landmarks of every face."""

    def find_nearest(self, photo: Photo, point: Array) -> Landmarks | None:
        """Landmarks of the face nearest to a point, None if no face is found."""


class LandmarkMethods:
    """What can be done with landmarks: mirror either half of the levelled photo, average the two, or warp first."""

    def __init__(self, name: str, finder: LandmarkFinder) -> None:
        self._name = name
        self._finder = finder

    def find(self, photo: Photo, point: Array | None = None) -> list[Sighting]:
        """Finds landmarks."""
        if point is None:
            faces = sorted(self._finder.find_faces(photo), key=lambda face: -eye_distance(face))
            return [self._sight(photo, landmarks) for landmarks in faces]
        nearest = self._finder.find_nearest(photo, point)
        return [] if nearest is None else [self._sight(photo, nearest)]

    def _sight(self, photo: Photo, landmarks: Landmarks) -> Sighting:
        draw: dict[str, Draw] = {
            f"{self._name}-left": lambda: mirror_half(level(photo, landmarks), "left"),
            f"{self._name}-right": lambda: mirror_half(level(photo, landmarks), "right"),
            f"{self._name}-average": lambda: average(level(photo, landmarks)),
            f"{self._name}-warp": lambda: average(straighten(photo, landmarks)),
        }
        return Sighting(draw, find_midline(landmarks))


def level(photo: Photo, landmarks: Landmarks) -> Photo:
    """The photo levelled on the midline of its landmarks (68, 2), at its own resolution, (S, S, 3) with S even.

    The face frame, seen from a little further away; `compositing` reflects the photo beyond its edges.
    """
    photo_from_face = np.linalg.inv(face_from_image(landmarks))
    where = apply(np.asarray(photo_from_face, np.float64), CONTEXT * control_points())
    return warp_photo(photo, where, native_size(where))


def straighten(photo: Photo, landmarks: Landmarks) -> Photo:
    """The photo warped into the face frame by the symmetric shape of its landmarks (68, 2), (S, S, 3) with S even."""
    where, _ = symmetric_warp(landmarks)
    return warp_photo(photo, where, native_size(where))


def mirror_half(image: Photo, side: Literal["left", "right"]) -> Photo:
    """The viewer's left or right half of an image of even width, and its mirror image in place of the other one."""
    middle = image.shape[1] // 2
    if side == "left":
        return np.hstack([image[:, :middle], image[:, middle - 1 :: -1]])
    return np.hstack([image[:, : middle - 1 : -1], image[:, middle:]])


def average(image: Photo) -> Photo:
    """Mean of an image and its mirror image; .5 is rounded up."""
    total = image.astype(np.uint16) + image[:, ::-1]
    return ((total + 1) // 2).astype(np.uint8)


class Load(Protocol):
    """Loads a provider's models."""

    def __call__(self, weights: Path | None = None, device: str = "cpu") -> Provider:
        """The provider, with the network's weights file, None for the bundled one, on a device."""


@dataclass(frozen=True)
class ProviderEntry:
    """A provider that can be asked for.

    Attributes:
        methods: The names of its methods.
        files: The published model files that it needs, keys of landmarks.models.FILES.
        load: Loads its models.
    """

    methods: tuple[str, ...]
    load: Load
    files: tuple[str, ...] = ()


def _landmark_entry(name: str, load: Callable[[], LandmarkFinder], files: tuple[str, ...] = ()) -> ProviderEntry:
    methods = tuple(f"{name}-{way}" for way in ("left", "right", "average", "warp"))
    return ProviderEntry(methods, lambda weights=None, device="cpu": LandmarkMethods(name, load()), files)


OURS = "vae"  # the method, and its provider, that the others are compared with
PROVIDERS: dict[str, ProviderEntry] = {
    OURS: ProviderEntry(Network.methods, Network),
    "dlib": _landmark_entry("dlib", DlibLandmarks),
    "sdm": _landmark_entry("sdm", SdmLandmarks, SdmLandmarks.files),
    "clm": _landmark_entry("clm", ClmLandmarks, ClmLandmarks.files),
    "clnf": _landmark_entry("clnf", ClnfLandmarks, ClnfLandmarks.files),
}
"""Every provider by name; each name but the first is also that of a baseline."""


def method_names() -> tuple[str, ...]:
    """The names of all methods."""
    return tuple(name for entry in PROVIDERS.values() for name in entry.methods)


def provider_of(method: str) -> str:
    """The name of the provider that a method belongs to.

    Raises:
        UsageError: If there is no such method.
    """
    for name, entry in PROVIDERS.items():
        if method in entry.methods:
            return name
    raise UsageError(f"unknown method {method}; choose from {', '.join(method_names())}")


def baselines(name: str) -> tuple[str, ...]:
    """The methods of a landmark provider; of every one for "all".

    Raises:
        UsageError: If there is no such provider.
    """
    choices = [provider for provider in PROVIDERS if provider != OURS]
    if name != "all" and name not in choices:
        raise UsageError(f"unknown baseline {name}; choose from {', '.join([*choices, 'all'])}")
    return tuple(method for choice in choices if name in ("all", choice) for method in PROVIDERS[choice].methods)


def files_of(names: Iterable[str]) -> tuple[str, ...]:
    """The published model files that some methods need, each once."""
    return tuple(dict.fromkeys(file for name in names for file in PROVIDERS[provider_of(name)].files))


def choose_methods(names: Iterable[str]) -> tuple[str, ...]:
    """The methods named, each once, in the given order.

    Raises:
        UsageError: If one of them does not exist.
    """
    chosen = tuple(dict.fromkeys(names))
    for name in chosen:
        provider_of(name)
    return chosen
