"""What every provider of methods has: its methods by name, and faces that each of them can be rendered from.

A provider does once per face what its methods share (detection, landmarks, the network), and offers the rest as one
function per method.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from symface_cli.detection.detector import Detection
from symface_cli.geometry.midline import Midline
from symface_cli.geometry.types import Array, Photo
from symface_cli.inference.face import FacePrediction

Render = Callable[[], Photo]
"""Makes the symmetric image, (S, S, 3) uint8, of a face that is found already."""


@dataclass(frozen=True, kw_only=True)
class Method:
    """A way to make a face symmetric.

    Attributes:
        name: What it is asked for by.
        provider: Name of the provider that finds its faces.
        title: What the paper's Figure 4 calls its result; empty for methods that are not there.
        paper_score: Share of LFW that the paper's Table 1 reports for a method of its kind, recognized by OpenFace;
            None where it reports none.
    """

    name: str
    provider: str
    title: str = ""
    paper_score: float | None = None


@dataclass(frozen=True)
class PredictedFace:
    """A face that the network has seen.

    Attributes:
        found: Where the detector found it.
        prediction: What the network predicts for it.
        predict: Predicts the same face again, in another version of the photo (H, W, 3).
    """

    found: Detection
    prediction: FacePrediction
    predict: Callable[[Photo], FacePrediction]


@dataclass(frozen=True)
class ProvidedFace:
    """A face that a provider found in a photo.

    Attributes:
        render: What is left to do for each of the provider's methods, by their names.
        midline: The face's midline, in photo pixels; None where the provider has none.
        predicted: What the network says of it; None from landmarks.
    """

    render: Mapping[str, Render]
    midline: Midline | None
    predicted: PredictedFace | None = None


class Provider(Protocol):
    """Finds the faces of a group of methods; keeps its models loaded."""

    def find(self, photo: Photo, point: Array | None = None) -> list[ProvidedFace]:
        """Find the faces of a photo (H, W, 3), the largest first, or only the one nearest to a point.

        Args:
            photo: The photo.
            point: (2,) in its pixels; None for all faces.
        """
