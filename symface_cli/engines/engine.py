"""What an engine does: it locates the face of a crop, and decodes its symmetric version."""

from dataclasses import dataclass
from typing import Literal, Protocol

from symface_cli.geometry.types import Floats, Photo

EngineName = Literal["onnxruntime", "torch"]


@dataclass(frozen=True, kw_only=True)
class Located:
    """Where the face of a crop lies, and what can be seen of it.

    Attributes:
        warp: (17, 17, 2), (x, y) in normalized crop coordinates at the face frame's control points.
        mask: How much each point belongs to the face, (17, 17) in 0..1, symmetric.
        parts: What each point of the level frame shows, (PARTS + 1, 64, 64) in 0..1: the first PARTS exclude each
            other; the last one is an iris.
        visible: How surely nothing lies in front of the face, (17, 17) in 0..1.
        weights: q, how much each side counts, (17, 17).
        hidden: How far neither side shows a point of the face, (17, 17) in 0..1, symmetric.
        pose_field: How a turn of the head moves the points of a face, (17, 17, 2), the same for all faces.
    """

    warp: Floats
    mask: Floats
    parts: Floats
    visible: Floats
    weights: Floats
    hidden: Floats
    pose_field: Floats


class Engine(Protocol):
    """A loaded network, for any number of threads.

    Attributes:
        name: What computes it.
        can_fork: Whether a process can be forked with it: not with what it has loaded onto a GPU.
        stage: The stage in which the weights were trained last: 1, 2 or 3.
    """

    name: EngineName
    can_fork: bool
    stage: int

    @property
    def sha256(self) -> str:
        """Checksum of the weights file."""

    def locate(self, crop: Photo) -> Located | None:
        """Locate the face in a crop (160, 160, 3); return None if the network cannot."""

    def decode(self, crop: Photo, located: Located | None) -> Photo:
        """Return the decoded face of a crop (160, 160, 3), (128, 128, 3): exactly symmetric, gray around the face."""
