"""A frame of a film, as it is stored and as it is seen."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry.types import Photo

Plane = NDArray[np.uint8]


@dataclass(frozen=True, eq=False, kw_only=True)
class Frame:
    """A frame of a film, upright.

    Attributes:
        index: Its number, from 0 for the first that was read.
        time: When it is shown, in seconds of the film.
        duration: For how many seconds; None if the film does not say.
        photo: What it shows, (H, W, 3) uint8 RGB.
        planes: Brightness Y (H, W) and colors Cb and Cr, as they are stored; empty for frames that are picture files.
    """

    index: int
    time: Fraction
    duration: Fraction | None = None
    photo: Photo
    planes: tuple[Plane, ...] = ()

    @property
    def time_s(self) -> float:
        """When it is shown, in seconds of the film."""
        return float(self.time)
