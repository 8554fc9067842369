"""The eyes of a face in a photo, which go on looking where they look."""

import numpy as np

from symface_cli.geometry.types import Floats
from symface_cli.inference.eyes import ellipse
from symface_cli.inference.irises import Irises
from symface_cli.rendering.fields import FIELD_SIZE


def own_eyes(irises: Irises) -> Floats:
    """Return how far each point of the face frame is of an eye that keeps its own colors, (129, 129) in 0..1.

    Blended with the other one, an iris would be doubled where somebody looks aside, and have two highlights anyway. An
    eye whose iris is not seen, because it is closed or hidden, is blended as the rest of the face is.
    """
    ticks = np.linspace(-1, 1, FIELD_SIZE, dtype=np.float32)
    eye = ellipse(ticks[None], ticks[:, None])
    left, right = (np.float32(seen) for seen in irises.seen)
    own: Floats = left * eye[:, ::-1] + right * eye
    return own
