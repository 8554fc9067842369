"""The network's methods."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from symface_cli.detection.detector import Detection, detect
from symface_cli.geometry.types import Array, Photo
from symface_cli.inference.face import FacePrediction, Side, render_face
from symface_cli.methods.provider import Method, PredictedFace, ProvidedFace

NETWORK = "vae"
"""Name of the network's provider."""


@dataclass(frozen=True, kw_only=True)
class NetworkMethod(Method):
    """A method of the network.

    Attributes:
        detail: Whether the face is made of the photo's own pixels, or is what the network's decoder draws.
        side: Which side it is made of.
    """

    provider: str = NETWORK
    detail: bool = True
    side: Side = "both"

    def render(self, photo: Photo, prediction: FacePrediction) -> Photo:
        """Make the symmetric face (S, S, 3) of a photo (H, W, 3) from what the network predicts for it."""
        return render_face(photo, prediction, self.side) if self.detail else prediction.frontal.decoded


OURS = NetworkMethod(name="vae", title="symmetric face")
"""The method that the others are compared with."""
DECODED = NetworkMethod(name="vae-decode", title="face only", paper_score=0.872, detail=False)
"""The method that the paper shows."""
NETWORK_METHODS = (
    OURS,
    DECODED,
    NetworkMethod(name="vae-left", side="left"),
    NetworkMethod(name="vae-right", side="right"),
)


def find_network_method(name: str) -> NetworkMethod | None:
    """Find a method of the network by its name; the registry, which knows all methods, takes long to import."""
    return next((method for method in NETWORK_METHODS if method.name == name), None)


class NetworkProvider:
    """Finds faces with symface's own detector and the network.

    Args:
        weights: Its weights; None for the bundled ones.
        device: Where it computes.
        model_folder: Not needed: the network is none of the published models.

    Raises:
        WeightsError: If the weights cannot be used.
    """

    def __init__(self, weights: Path | None = None, device: str = "cpu", model_folder: Path | None = None) -> None:
        from symface_cli.inference.symmetrizer import Symmetrizer

        self._symmetrizer = Symmetrizer(weights, device, "torch")

    def find(self, photo: Photo, point: Array | None = None) -> list[ProvidedFace]:
        """Find faces, and run the network once on each."""
        return [self._predict(photo, face) for face in _only_nearest(detect(photo), point)]

    def _predict(self, photo: Photo, found: Detection) -> ProvidedFace:
        prediction = self._symmetrizer.predict(photo, found)
        warp = prediction.warp
        return ProvidedFace(
            {method.name: partial(method.render, photo, prediction) for method in NETWORK_METHODS},
            None if warp is None else warp.midline,
            PredictedFace(found, prediction, partial(self._symmetrizer.predict, found=found)),
        )


def _only_nearest(found: list[Detection], point: Array | None) -> list[Detection]:
    if point is None:
        return found
    return sorted(found, key=lambda face: float(np.linalg.norm(face.center - point)))[:1]
