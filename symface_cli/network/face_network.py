"""What all networks have in common: they may locate the face in a crop, and they decode its symmetric version."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor, nn

from symface_cli.network.architecture import Architecture


class Localization(NamedTuple):
    """Where the faces of crops lie, and what can be seen of them.

    Attributes:
        warp: (B, 17, 17, 2), (x, y) in normalized crop coordinates at the face frame's control points.
        mask: How much each point belongs to the face, (B, 17, 17) in 0..1, symmetric.
        parts: What each point of the level frame shows, (B, PARTS + 1, 64, 64) in 0..1, as `parsing.probabilities`.
        visible: How surely nothing lies in front of the face, (B, 17, 17) in 0..1.
        weights: q, how much each side counts, (B, 17, 17).
        hidden: How far neither side shows a point of the face, (B, 17, 17) in 0..1, symmetric.
        pose_field: How a turn of the head moves the points of a face, (17, 17, 2), the same for all faces.
    """

    warp: Tensor
    mask: Tensor
    parts: Tensor
    visible: Tensor
    weights: Tensor
    hidden: Tensor
    pose_field: Tensor


class FaceNetwork(nn.Module, ABC):
    """A network that makes faces symmetric.

    A class to inherit from, not a protocol: whoever has a network also needs what torch's modules do.

    Attributes:
        architecture: What the network is, sufficient to build it.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture

    @abstractmethod
    def locate(self, crop: Tensor) -> Localization | None:
        """Locate the faces of crops (B, 3, 160, 160); return None if this network cannot."""

    @abstractmethod
    def decode(self, crop: Tensor, localization: Localization | None = None) -> Tensor:
        """Return the symmetric faces (B, 3, 128, 128) of crops (B, 3, 160, 160), in 0..1 and exactly symmetric.

        With z = mu: the same crop gives the same face.

        Args:
            crop: The crops.
            localization: Where their faces lie, from `locate`; None to have them located here.
        """

    @abstractmethod
    def reconstruct(self, crop: Tensor) -> Tensor:
        """Return crops (B, 3, 160, 160) as encoded and decoded, not made symmetric: (B, 3, 128, 128) in 0..1.

        This is what stages 1 and 2 train.
        """

    def localizing_parts(self) -> Sequence[nn.Module]:
        """Return the parts that only locate the face: trained from stage 2 on."""
        return ()

    def keep_mirrored(self) -> None:
        """Restore what a step of training takes from layers that answer mirrored crops by mirrored maps."""

    def forward(self, crop: Tensor) -> Tensor:
        """Return the symmetric faces (B, 3, 128, 128) of crops (B, 3, 160, 160)."""
        return self.decode(crop)
