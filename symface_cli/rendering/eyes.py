"""The eyes of a morphed face: which colors they have, and where they look."""

from functools import cache

import numpy as np

from symface_cli.geometry.types import Floats
from symface_cli.inference.eyes import ellipse, share_of_shift, shift_to_middle
from symface_cli.inference.irises import Irises
from symface_cli.rendering.fields import FIELD_SIZE


def own_eyes(irises: Irises) -> Floats:
    """Return how far each point of the face frame is of an eye that keeps its own colors, (129, 129) in 0..1.

    Blended with the other one, an iris would be doubled where somebody looks aside, and have two highlights anyway. An
    eye whose iris is not seen, because it is closed or hidden, is blended as the rest of the face is.
    """
    left, right = (np.float32(seen) for seen in irises.seen)
    own: Floats = left * _right_eye()[:, ::-1] + right * _right_eye()
    return own


@cache
def _right_eye() -> Floats:
    """Return how far each point of the face frame is of the right eye, (129, 129) in 0..1; not to be written to."""
    ticks = np.linspace(-1, 1, FIELD_SIZE, dtype=np.float32)
    eye = ellipse(ticks[None], ticks[:, None])
    eye.flags.writeable = False
    return eye


def straight_eyes(irises: Irises) -> Floats:
    """Return by how much each point is to be sampled elsewhere so that both eyes look straight, (129, 129, 2).

    In normalized coordinates of the face frame; 0 if only one iris is seen.
    """
    ticks = np.linspace(-1, 1, FIELD_SIZE, dtype=np.float32)
    share = share_of_shift(irises, ticks[None], ticks[:, None]) * np.float32(irises.seen.all())
    right, down = shift_to_middle(irises).tolist()
    left_share = share[:, ::-1]
    moves: Floats = np.dstack([-right * (left_share + share), down * (left_share - share)])
    return moves
