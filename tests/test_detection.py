"""Viola-Jones on photos of people who do not exist."""

import numpy as np
import pytest

from symface_cli.detection import detect, turn_matrix
from symface_cli.geometry import apply
from symface_cli.images import read_photo

EYES = np.array([338.0, 300.0])  # middle of the portrait's face, read off the picture


def test_portrait_has_one_face_in_its_middle(portrait):
    (face,) = detect(read_photo(portrait))
    assert face.degrees == 0
    assert np.linalg.norm(face.centre - EYES) < 90


def test_pair_has_two_faces_largest_first(pair):
    faces = detect(read_photo(pair))
    assert len(faces) == 2
    assert faces[0].box.width >= faces[1].box.width


@pytest.mark.parametrize("quarter_turns", [1, 2, 3])
def test_a_photo_on_its_side_is_turned(portrait, quarter_turns):
    photo = read_photo(portrait)
    upright = detect(photo)[0]
    (face,) = detect(np.rot90(photo, quarter_turns).copy())
    assert face.degrees != 0
    assert face.box.width == pytest.approx(upright.box.width, rel=0.1)
    # the crop shows the same face: its matrix undoes the turn
    corner = np.array([[0.0, 0.0]])
    turned_corner = {1: (0, 674), 2: (674, 674), 3: (674, 0)}[quarter_turns]  # where the top-left pixel went
    seen = apply(face.crop_from_photo, np.array([turned_corner], float))
    assert np.linalg.norm(seen - apply(upright.crop_from_photo, corner)) < 12


def test_a_photo_without_a_face_has_none():
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    assert detect(noise) == []


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 500, 3), (3000, 2, 3)])
def test_odd_shapes_have_no_face(shape):
    assert detect(np.zeros(shape, np.uint8)) == []


def test_a_large_photo_has_its_boxes_in_its_own_pixels(portrait):
    photo = read_photo(portrait)
    large = photo.repeat(3, 0).repeat(3, 1)
    assert detect(large)[0].box.width == pytest.approx(3 * detect(photo)[0].box.width, rel=0.1)


def test_a_quarter_turn_moves_pixels_to_pixels():
    matrix, size = turn_matrix(4, 3, 90)
    assert size == (3, 4)
    assert apply(matrix, np.array([0.0, 0.0])) == pytest.approx([2, 0])  # top-left goes to top-right
    assert apply(matrix, np.array([3.0, 0.0])) == pytest.approx([2, 3])
