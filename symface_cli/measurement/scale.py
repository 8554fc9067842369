"""The scale of a photo: how many millimeters a pixel is, by the irises, by the pupils, or as it is known."""

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from symface_cli.errors import UsageError
from symface_cli.geometry.types import Array, Photo

if TYPE_CHECKING:
    from symface_cli.landmarks.iris import MediaPipeIrises
    from symface_cli.landmarks.mediapipe import MediaPipeLandmarks

IRIS_MM = 11.7  # diameter of an iris
IRIS_SPREAD = 0.42 / 11.71  # share by which people's differ: 11.71 +- 0.42 mm (Ruefer et al. 2005)


class Scale(NamedTuple):
    """Millimeters per photo pixel, and the standard deviation of that."""

    mm_per_px: float
    error: float


@dataclass(frozen=True)
class Scaling:
    """What a scale is taken from.

    Attributes:
        source: "none" for per cent of the distance between the pupils; "iris" for a diameter of `value` mm; "ipd" for
            pupils that are `value` mm apart; "mm_per_px" for `value` mm per pixel.
        value: In mm.
    """

    source: Literal["none", "iris", "ipd", "mm_per_px"] = "none"
    value: float = 0.0

    @property
    def is_wanted(self) -> bool:
        """Whether there is to be a scale at all."""
        return self.source != "none"

    def __str__(self) -> str:
        return f"{self.source}={self.value:g}" if self.is_wanted else self.source


NO_SCALE = Scaling()


def parse_scaling(text: str, iris_mm: float = IRIS_MM) -> Scaling:
    """Read a scaling: "none", "iris", "ipd=63" or "mm_per_px=0.2".

    Raises:
        UsageError: If it is none of these.
    """
    source, _, number = text.partition("=")
    if source == "iris" and not number:
        return Scaling("iris", _positive(text, str(iris_mm)))
    if source == "ipd":
        return Scaling("ipd", _positive(text, number))
    if source == "mm_per_px":
        return Scaling("mm_per_px", _positive(text, number))
    if text == "none":
        return NO_SCALE
    raise UsageError(f"scale {text}: use none, iris, ipd=MM or mm_per_px=MM, such as ipd=63")


def _positive(text: str, number: str) -> float:
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise UsageError(f"scale {text}: give a length in millimeters above 0, such as ipd=63")
    return value


class Scaler:
    """Finds the scale of faces.

    Args:
        scaling: What it is taken from.
        model_folder: The user's own folder of published models, for irises.

    Raises:
        WeightsError: If it needs a model that is not here and cannot be downloaded.
    """

    def __init__(self, scaling: Scaling, model_folder: Path | None = None) -> None:
        self.scaling = scaling
        self._model_folder = model_folder
        if scaling.source == "iris":
            _ = self._finders

    def find(self, photo: Photo, pupils: Array, apart: tuple[float, float]) -> Scale | None:
        """Find the scale of a face; None without one: if it is not wanted, or if no irises are found.

        Args:
            photo: (H, W, 3).
            pupils: The middles of the irises, (2, 2) in photo pixels.
            apart: Their distance as from the front in photo pixels, and its standard deviation.
        """
        source, value = self.scaling.source, self.scaling.value
        if source == "iris":
            return self._by_irises(photo, pupils)
        if source == "ipd":
            return Scale(value / apart[0], value / apart[0] * apart[1] / apart[0])
        return Scale(value, 0.0) if source == "mm_per_px" else None

    def _by_irises(self, photo: Photo, pupils: Array) -> Scale | None:
        """Compare the diameters of both irises, in the photo and in its mirror image, with that of people's."""
        mirrored = np.ascontiguousarray(photo[:, ::-1])
        ours = self._diameters(photo, pupils)
        other = self._diameters(mirrored, pupils[::-1] * [-1, 1] + [photo.shape[1] - 1, 0])
        if ours is None or other is None:
            return None
        left, right = (ours + other[::-1]) / 2
        scale = self.scaling.value / float((left + right) / 2)
        return Scale(scale, scale * math.hypot(abs(left - right) / (left + right), IRIS_SPREAD))

    def _diameters(self, photo: Photo, pupils: Array) -> Array | None:
        mesh, irises = self._finders
        points = mesh.find_nearest(photo, pupils.mean(0))
        return None if points is None else 2 * irises.find(photo, points)[:, 2]

    @cached_property
    def _finders(self) -> "tuple[MediaPipeLandmarks, MediaPipeIrises]":
        from symface_cli.landmarks.iris import MediaPipeIrises
        from symface_cli.landmarks.mediapipe import MediaPipeLandmarks

        return MediaPipeLandmarks(self._model_folder), MediaPipeIrises(self._model_folder)
