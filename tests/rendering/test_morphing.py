"""Faces part or all of the way to their symmetric version."""

import numpy as np
import pytest

from symface_cli.detection.detector import detect
from symface_cli.geometry.frames import apply
from symface_cli.geometry.warps import GRID, control_points
from symface_cli.imaging.photo import read_photo
from symface_cli.inference.symmetrizer import Symmetrizer
from symface_cli.rendering.morphing import Amounts, Morph
from tests.warps import face_warp

SIZE = 161  # px, of the photo: the face frame covers it, 10 px to a control point


def whole_photo(displacement=0.0):
    """A warp whose face frame is the whole photo, moved sideways on the left half of the face by so many pixels."""
    points = (control_points() + 1) / 2 * (SIZE - 1)
    inner = np.zeros((GRID, GRID), np.float32)
    inner[2:-2, 2:-2] = 1
    left = inner.copy()
    left[:, GRID // 2 :] = 0
    points[..., 0] += displacement * left
    return face_warp(points, inner)


def random_photo(channels=3, dtype=np.uint8):
    random = np.random.default_rng(0)
    small = random.integers(0, np.iinfo(dtype).max, (SIZE // 7 + 1, SIZE // 7 + 1, channels))
    return np.kron(small, np.ones((7, 7, 1)))[:SIZE, :SIZE].astype(dtype)


def nothing_decoded(photo):
    return lambda: np.zeros((128, 128, photo.shape[2]), photo.dtype)


@pytest.mark.parametrize(("channels", "dtype"), [(1, np.uint8), (3, np.uint8), (4, np.uint8), (3, np.uint16)])
def test_without_any_amount_the_photo_stays_as_it_is(channels, dtype):
    photo = random_photo(channels, dtype)
    morph = Morph(photo, whole_photo(3.0), nothing_decoded(photo))
    assert (morph.in_photo(Amounts(0, 0)) == photo).all()


def test_full_amounts_make_the_inside_symmetric_about_the_midline():
    photo = random_photo()
    result = Morph(photo, whole_photo(), nothing_decoded(photo)).in_photo(Amounts())
    inside = result[40:121, 40:121].astype(int)
    assert np.abs(inside - inside[:, ::-1]).max() <= 1
    mean = (photo.astype(int) + photo[:, ::-1]) / 2
    assert np.abs(inside - mean[40:121, 40:121]).max() <= 1


def test_half_the_color_lies_half_way():
    photo = random_photo()
    morph = Morph(photo, whole_photo(), nothing_decoded(photo))
    half, full = (morph.in_photo(Amounts(1, color)).astype(int) for color in (0.5, 1))
    assert np.abs(2 * half - photo - full).max() <= 2


@pytest.mark.parametrize("amount", [-1.0, 0.5, 1.0, 2.0])
def test_the_shape_amount_scales_the_displacement(amount):
    """On a ramp, the gray level says where a pixel was taken from."""
    photo = np.broadcast_to(np.arange(SIZE, dtype=np.uint16)[None, :, None] * 300, (SIZE, SIZE, 1)).copy()
    warped = whole_photo(4.0)
    morph = Morph(photo, warped, nothing_decoded(photo))
    result = morph.in_photo(Amounts(amount, 0))
    points = apply(warped.photo_from_level, control_points())
    x, y = np.round(points[8, 5]).astype(int)  # in the middle of what is moved
    expected = 300 * (x + amount * (warped.photo_from_face - points)[8, 5, 0])
    assert result[y, x, 0] == pytest.approx(expected, abs=300 * 0.15)


def test_pixels_outside_of_the_mask_are_untouched():
    photo = random_photo()
    result = Morph(photo, whole_photo(5.0), nothing_decoded(photo)).in_photo(Amounts(2, 2))
    outside = np.ones((SIZE, SIZE), bool)
    outside[10:-10, 10:-10] = False  # the mask is 0 at the outer two control points, 10 px apart
    assert (result == photo)[outside].all()
    assert (result != photo)[40:120, 40:120].mean() > 0.5


@pytest.mark.parametrize("side", ["left", "right"])
def test_one_side_is_kept_and_mirrored_onto_the_other(side):
    photo = random_photo()
    result = Morph(photo, whole_photo(), nothing_decoded(photo)).in_photo(Amounts(side=side))
    kept = slice(40, 70) if side == "left" else slice(91, 121)
    assert np.abs(result[60:100, kept].astype(int) - photo[60:100, kept]).max() <= 1
    other = result[60:100, ::-1][:, kept]
    assert np.abs(other.astype(int) - photo[60:100, kept]).max() <= 1


def test_without_detail_the_inside_is_what_was_decoded():
    photo = random_photo()
    decoded = np.full((128, 128, 3), (10, 200, 60), np.uint8)
    result = Morph(photo, whole_photo(), lambda: decoded, detail=False).in_photo(Amounts())
    assert np.abs(result[50:110, 50:110].astype(int) - (10, 200, 60)).max() <= 1


def test_the_framed_face_is_as_large_as_asked_for(portrait):
    photo = read_photo(portrait)
    prediction = Symmetrizer(device="cpu").predict(photo, detect(photo)[0])
    morph = Morph(photo, prediction.warp, prediction.decode)
    assert morph.in_frame(Amounts(0.5, 0.5), 200).shape == (200, 200, 3)


def test_a_face_over_the_edge_of_the_photo_is_drawn_where_it_is(portrait):
    whole = read_photo(portrait)
    (found,) = detect(whole)
    symmetrizer = Symmetrizer(device="cpu")
    cut = np.ascontiguousarray(whole[:, : int(found.center[0]) + 40])
    result = Morph(cut, symmetrizer.predict(cut, found).warp, symmetrizer.predict(cut, found).decode).in_photo(
        Amounts()
    )
    assert result.shape == cut.shape
    assert (result[:20] == cut[:20]).all()
    assert (result != cut).any()
