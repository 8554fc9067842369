"""Faces part or all of the way to their symmetric version."""

import numpy as np
import pytest

from symface_cli.detection.detector import detect
from symface_cli.geometry.frames import apply
from symface_cli.geometry.pose import Pose
from symface_cli.geometry.warps import GRID, control_points
from symface_cli.imaging.photo import read_photo
from symface_cli.inference.face import FacePrediction, render_face
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


# The head's pose, and what else than the face is seen

PIXEL = 2 / (SIZE - 1)  # in normalized coordinates of the face frame, which covers the photo
TURN = 0.15  # by how much the middle of the face moves to the right, normalized: 12 px
ASIDE = -0.06  # by how much the lower half of the face lies aside, too


def bump(points, low, high):
    """Smooth between two heights and within |x| < 0.75, 0 elsewhere; equal to its mirror image."""
    x, y = points[..., 0] / 0.75, (points[..., 1] - low) / (high - low)
    return (abs(x) < 1) * (abs(y - 0.5) < 0.5) * np.cos(x * np.pi / 2) ** 2 * np.sin(y * np.pi) ** 2


def sideways(amount):
    return np.stack([amount, 0 * amount], -1)


def turned(aside=0.0, sine=TURN, shown=None):
    """A warp of a face that is turned, the lower half of which is asymmetric, too; its frame is the whole photo."""
    u = control_points()
    pose, rest = TURN * sideways(bump(u, -0.75, 0.75)), aside * sideways(bump(u, 0, 0.75))
    mask = np.zeros((GRID, GRID))
    mask[1:-1, 1:-1] = 1
    points = (u + pose + rest + 1) / PIXEL
    return face_warp(points, mask, shown=shown, pose=Pose(pose / PIXEL, sine, 1.0))


def symmetric_pattern(aside=0.0):
    """What a camera sees of a symmetric pattern on such a face, (SIZE, SIZE, 1)."""
    level = control_points(SIZE)
    u = level
    for _ in range(60):  # until the warp is inverted
        u = level - TURN * sideways(bump(u, -0.75, 0.75)) - aside * sideways(bump(u, 0, 0.75))
    gray = 20000 + 12000 * np.cos(9 * u[..., :1]) * np.cos(7 * u[..., 1:])
    return gray.astype(np.uint16)


INSIDE = slice(20, 141)


def test_a_symmetric_face_that_is_turned_stays_as_it_is():
    photo = random_photo()
    warped = turned()
    assert (Morph(photo, warped, nothing_decoded(photo)).in_photo(Amounts(1, 0)) == photo).all()
    front = Morph(photo, warped, nothing_decoded(photo), pose="front").in_photo(Amounts(1, 0))
    assert (front != photo)[INSIDE, INSIDE].mean() > 0.5
    pattern = symmetric_pattern()
    kept = Morph(pattern, warped, nothing_decoded(pattern)).in_photo(Amounts())
    assert np.abs(kept.astype(int) - pattern).max() < 150  # of 24,000 between dark and light


def test_of_a_turned_face_only_the_asymmetry_is_changed():
    photo, wanted = symmetric_pattern(ASIDE), symmetric_pattern()
    result = Morph(photo, turned(ASIDE), nothing_decoded(photo)).in_photo(Amounts())
    before, after = (np.abs(image.astype(int) - wanted)[INSIDE, INSIDE] for image in (photo, result))
    assert before.max() > 4000
    assert after.max() < 500


def test_the_front_is_shown_where_the_face_would_be_without_its_pose():
    photo = symmetric_pattern(ASIDE)
    result = Morph(photo, turned(ASIDE), nothing_decoded(photo), pose="front").in_photo(Amounts())
    u = control_points(SIZE)
    wanted = 20000 + 12000 * np.cos(9 * u[..., :1]) * np.cos(7 * u[..., 1:])
    assert np.abs(result - wanted)[INSIDE, INSIDE].max() < 500


@pytest.mark.parametrize("pose", ["keep", "front"])
def test_without_any_amount_a_turned_face_stays_in_any_pose(pose):
    photo = random_photo()
    morph = Morph(photo, turned(ASIDE), nothing_decoded(photo), pose=pose)
    assert (morph.in_photo(Amounts(0, 0)) == photo).all()
    assert np.abs(morph.in_frame(Amounts(0, 0), SIZE).astype(int) - photo).max() <= 1


@pytest.mark.parametrize("side", ["left", "right"])
def test_one_side_of_a_turned_face_is_kept(side):
    photo = random_photo()
    result = Morph(photo, turned(), nothing_decoded(photo)).in_photo(Amounts(side=side))
    kept, other = slice(0, 60), slice(105, 161)  # the midline is curved, up to 12 px to the right of the middle
    kept, other = (kept, other) if side == "left" else (other, kept)
    assert (result == photo)[:, kept].all()
    assert (result != photo)[40:120, other].mean() > 0.3


def test_a_turned_face_in_its_frame_is_that_of_the_photo():
    photo = random_photo()
    morph = Morph(photo, turned(ASIDE), nothing_decoded(photo))
    framed, whole = morph.in_frame(Amounts(), SIZE), morph.in_photo(Amounts())
    assert np.abs(framed.astype(int) - whole)[INSIDE, INSIDE].max() <= 8  # which plans for groups of 3 x 3 pixels


def test_a_head_that_is_turned_far_is_changed_in_part():
    """Between 30 and 50 degrees, 40 leaves one half of all amounts."""
    photo = random_photo()
    far = Morph(photo, turned(ASIDE, float(np.sin(np.radians(40)))), nothing_decoded(photo)).in_photo(Amounts())
    near = Morph(photo, turned(ASIDE, float(np.sin(np.radians(25)))), nothing_decoded(photo))
    assert np.abs(far.astype(int) - near.in_photo(Amounts(0.5, 0.5))).max() <= 1


@pytest.mark.parametrize(("degrees", "share"), [(4, 1.0), (8, 1.0), (13, 0.5), (18, 0.0), (25, 0.0)])
def test_detail_is_taken_from_the_other_side_as_far_as_both_look_alike(degrees, share):
    """Noise is nearly all detail; 7 gray levels of its change, of some 40, count as light."""
    photo = random_photo()

    def change(warped):
        return np.abs(Morph(photo, warped, nothing_decoded(photo)).in_photo(Amounts()).astype(float) - photo)[
            INSIDE, INSIDE
        ]

    frontal = change(turned(0, 0.0)).mean()
    assert change(turned(0, float(np.sin(np.radians(degrees))))).mean() == pytest.approx(share * frontal, abs=8)


def hair(columns, rows=slice(0, 26)):
    """A map of the level frame, (64, 64), which shows the face but for a patch of hair."""
    shown = np.ones((64, 64), np.float32)
    shown[rows, columns] = 0
    return shown


def test_what_is_no_face_stays_bit_for_bit():
    photo = random_photo()
    result = Morph(photo, turned(ASIDE, shown=hair(slice(None))), nothing_decoded(photo)).in_photo(Amounts())
    border = 26 * SIZE // 64
    assert (result == photo)[: border - 1].all()
    assert (result != photo)[border + 5 : 120, 40:120].mean() > 0.5


def test_nothing_but_the_face_is_taken_from_the_other_side():
    photo = np.full((SIZE, SIZE, 3), (150, 120, 100), np.uint8)
    photo[:61, :48] = (0, 0, 255)  # the map has the border 2 of its pixels, of 2.5 px, beyond it
    shown = hair(slice(0, 21))
    result = Morph(photo, whole_photo_seen(shown), nothing_decoded(photo)).in_photo(Amounts())
    assert (result == photo).all()
    front = Morph(photo, whole_photo_seen(shown), nothing_decoded(photo), pose="front").in_photo(Amounts())
    assert (front == photo)[:, 90:].all()


def whole_photo_seen(shown):
    """A face that is seen from the front, and in part; its frame is the whole photo."""
    warped = whole_photo()
    return face_warp(warped.photo_from_face, warped.mask, shown=shown)


def test_an_aligned_face_has_hair_of_both_sides():
    """As `render_face` makes it, whose weights know of hair."""
    photo = random_photo()
    warped = turned(ASIDE, shown=hair(slice(0, 21)))
    warped.photo_from_face[1:-1, 1, 0] -= 30  # what lies beside the face may come from beyond its frame
    size = 160
    face = FacePrediction(nothing_decoded(photo), warped).frontal
    framed = Morph(photo, face.warp, face.decode, pose="front").in_frame(Amounts(), size)
    expected = render_face(photo, face, size=size)
    assert np.abs(framed.astype(int) - expected).mean() < 1


def test_one_side_is_not_taken_from_where_it_turns_away(monkeypatch):
    """The middle lies so far to the right that there, a face has a fifth of its area."""
    photo = random_photo()
    pose = 0.44 * sideways(bump(control_points(), -0.75, 0.75))
    warped = face_warp((control_points() + pose + 1) / PIXEL, whole_photo().mask, pose=Pose(pose / PIXEL, 0.44, 1.0))

    def change():
        result = Morph(photo, warped, nothing_decoded(photo)).in_photo(Amounts(side="right"))
        return np.abs(result.astype(int) - photo)[
            76:85, 65:71
        ].mean()  # about T(u) for u = -0.375, where u' is steepest

    little = change()
    monkeypatch.setattr("symface_cli.rendering.morphing.FACING_FADE", (-2.0, -1.0))
    assert little < change() / 3
