"""Which points of a morphed face keep the colors of their own eye, and where it looks."""

from dataclasses import replace

import numpy as np
import pytest

from symface_cli.geometry.warps import GRID
from symface_cli.inference.irises import Irises
from symface_cli.rendering.eyes import own_eyes
from symface_cli.rendering.morphing import Amounts, Morph
from tests.drawn import PLACES, draw_face, irises_in, looking, whole_frame
from tests.warps import face_warp


def test_eyes_whose_iris_is_seen_keep_their_colors() -> None:
    places = np.column_stack([PLACES, [0.043, 0.043]])
    own = own_eyes(Irises(places, clearness=np.array([0.3, 0.01])))
    (left, right), row = ((PLACES[:, 0] + 1) * 64).round().astype(int), round((PLACES[0, 1] + 1) * 64)
    assert own.shape == (129, 129)
    assert own[row, left] == 1 and own[row, right] == 0
    assert own[64:].max() == 0 and own[:, 60:].max() == 0  # the lower face, its middle, the other side
    both = own_eyes(Irises(places, clearness=np.array([0.3, 0.2])))
    assert np.allclose(both, both[:, ::-1]) and both[row, right] == 1


@pytest.mark.parametrize(("shape", "right"), [(0.0, 0.03), (0.5, 0.015), (1.0, 0.0), (1.5, 0.0)])
def test_eyes_look_as_far_ahead_as_the_shape_is_symmetric(shape: float, right: float) -> None:
    size = 241
    photo, frame = draw_face(size, looking(0.03, 0)), whole_frame(size)
    warp = replace(face_warp(frame, np.ones((GRID, GRID), np.float32)), irises=irises_in(photo, frame))
    face = Morph(photo, warp, lambda: photo, pose="front").in_frame(Amounts(shape, 0.5), size)
    assert irises_in(face, frame).places[:, :2] == pytest.approx(looking(right, 0), abs=0.005)


def test_in_a_photo_eyes_look_where_they_looked() -> None:
    size = 241
    photo, frame = draw_face(size, looking(0.03, 0)), whole_frame(size)
    warp = replace(face_warp(frame, np.ones((GRID, GRID), np.float32)), irises=irises_in(photo, frame))
    result = Morph(photo, warp, lambda: photo).in_photo(Amounts())
    assert irises_in(result, frame).places == pytest.approx(warp.irises.places, abs=0.002)
