"""In an aligned face both eyes look straight, and each iris is that of one side."""

import numpy as np
import pytest

from symface_cli.geometry.types import Floats, Photo
from symface_cli.inference.eyes import draw_eyes
from symface_cli.inference.face import blend_photo_sides
from tests.drawn import LIGHT, PLACES, RADIUS, WHITE, draw_face, irises_in, looking, whole_frame

SIZE = 401
GREEN, BLUE = (20, 120, 20), (20, 40, 120)


def drawn_eyes(photo: Photo, left: float) -> tuple[Floats, Floats]:
    """The blended face before and after its eyes are drawn; the left side counts so much."""
    weights = np.full((17, 17), left, np.float32)
    weights[:, 8:] = 1 - left
    face = blend_photo_sides(photo, weights)
    before = face.copy()
    draw_eyes(face, photo, whole_frame(SIZE), irises_in(photo, whole_frame(SIZE)), weights)
    assert (face == face[:, ::-1]).all()
    return before, face


def pixel(face: Floats, x: float, y: float) -> Floats:
    return face[round((y + 1) * (SIZE - 1) / 2), round((x + 1) * (SIZE - 1) / 2)]


@pytest.mark.parametrize(("left", "color"), [(0.9, GREEN), (0.1, BLUE)])
def test_irises_that_look_aside_come_to_the_middle_and_are_those_of_the_better_side(
    left: float, color: tuple[int, int, int]
) -> None:
    photo = draw_face(SIZE, looking(0.03, 0), (GREEN, BLUE))
    before, face = drawn_eyes(photo, left)
    x, y = PLACES[1]
    for dx, dy in ((-0.6, 0.3), (0.6, 0.3), (0, 0.6)):  # in the iris, but not in its highlight
        assert pixel(face, x + dx * RADIUS, y + dy * RADIUS) == pytest.approx(np.array(color), abs=6)
    for side in (-1, 1):  # the white beside it is as wide on both sides
        assert pixel(face, x + 1.5 * side * RADIUS, y)[0] > 200
    assert pixel(before, x - 0.6 * RADIUS, y)[0] > 25 or pixel(before, x + 0.6 * RADIUS, y)[0] > 25


def test_there_is_one_highlight() -> None:
    before, face = drawn_eyes(draw_face(SIZE, PLACES), 0.6)
    x, y = PLACES[1] - [0, LIGHT]
    assert pixel(face, x - LIGHT, y).min() > 235 and pixel(face, x + LIGHT, y).max() < 80  # as in the left eye
    assert pixel(before, x + LIGHT, y).min() > 100


def test_nothing_changes_away_from_eyes_nor_where_no_iris_is_seen() -> None:
    before, face = drawn_eyes(draw_face(SIZE, looking(0.03, 0)), 0.6)
    changed = np.abs(before - face).max(-1) > 0
    x, y = np.meshgrid(*[np.linspace(-1, 1, SIZE)] * 2)
    assert changed.any() and (np.hypot((np.abs(x) - 0.259) / 0.14, (y + 0.133) / 0.075)[changed] <= 1).all()
    before, face = drawn_eyes(draw_face(SIZE, PLACES[:0]), 0.6)
    assert (before == face).all()


def test_an_eye_takes_the_light_of_what_is_around_it() -> None:
    photo = draw_face(SIZE, PLACES)
    photo[:, : SIZE // 2] = photo[:, : SIZE // 2] * (2 / 3)
    _, face = drawn_eyes(photo, 0.5)
    white = pixel(face, PLACES[1, 0] + 1.6 * RADIUS, PLACES[1, 1])
    assert white == pytest.approx(5 / 6 * np.array(WHITE), rel=0.08)
