"""Which points of a face in a photo keep the colors of their own eye."""

import numpy as np

from symface_cli.inference.irises import Irises
from symface_cli.rendering.eyes import own_eyes
from tests.drawn import PLACES


def test_eyes_whose_iris_is_seen_keep_their_colors() -> None:
    places = np.column_stack([PLACES, [0.043, 0.043]])
    own = own_eyes(Irises(places, clearness=np.array([0.3, 0.01])))
    (left, right), row = ((PLACES[:, 0] + 1) * 64).round().astype(int), round((PLACES[0, 1] + 1) * 64)
    assert own.shape == (129, 129)
    assert own[row, left] == 1 and own[row, right] == 0
    assert own[64:].max() == 0 and own[:, 60:].max() == 0  # the lower face, its middle, the other side
    both = own_eyes(Irises(places, clearness=np.array([0.3, 0.2])))
    assert np.allclose(both, both[:, ::-1]) and both[row, right] == 1
