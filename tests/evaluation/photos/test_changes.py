"""What has changed in photos is counted where labels are sure, along the outline, and in the face, as by hand."""

import cv2
import numpy as np
import pytest

from symface_cli.data.segmentation import PixelClass
from symface_cli.evaluation.photos.asymmetry import asymmetry_left
from symface_cli.evaluation.photos.changes import PhotoChange, overwritten_areas
from symface_cli.evaluation.photos.labels import labels_under
from symface_cli.evaluation.photos.outline import outline_step
from symface_cli.evaluation.photos.summary import OverwrittenArea, summarize_changes
from symface_cli.geometry.frames import apply
from symface_cli.geometry.types import Array, Photo
from symface_cli.geometry.warps import control_points
from tests.evaluation.photos.faces import INNER, warp_to

GRAY = np.full((100, 100, 3), 100, np.uint8)


def painted(rows: slice, columns: slice, change: int, channels: slice = slice(0, 3)) -> Photo:
    """A gray photo, a part of it brighter."""
    photo = GRAY.copy()
    photo[rows, columns, channels] += change
    return photo


# Areas


def labels_of_halves(left: PixelClass, right: PixelClass) -> np.ndarray:
    return np.hstack([np.full((100, 50), left, np.uint8), np.full((100, 50), right, np.uint8)])


def test_what_changes_is_counted_by_class_away_from_other_classes() -> None:
    labels = labels_of_halves(PixelClass.BACKGROUND, PixelClass.HAIR)
    result = painted(slice(10, 30), slice(40, 70), 11)  # 20 rows; the middle is at 50, and the margin 2 px
    areas = overwritten_areas(GRAY, result, labels, eye_distance=20.0)
    assert areas == {
        "background": pytest.approx(20 * 8 / 400),
        "hair": pytest.approx(20 * 18 / 400),
        "hat": 0,
        "in_front": 0,
        "clothes": 0,
    }


def test_labels_reach_to_the_photos_edge() -> None:
    labels = labels_of_halves(PixelClass.BACKGROUND, PixelClass.SKIN)
    result = painted(slice(0, 5), slice(0, 4), 11)
    assert overwritten_areas(GRAY, result, labels, eye_distance=20.0)["background"] == pytest.approx(20 / 400)


@pytest.mark.parametrize(("change", "counted"), [(10, 0), (11, 100)])
def test_a_change_of_one_channel_counts_beyond_10_gray_levels(change: int, counted: int) -> None:
    labels = labels_of_halves(PixelClass.HAT, PixelClass.HAT)
    darker = 200 - painted(slice(20, 30), slice(20, 30), change, slice(1, 2))  # by so much where it was brighter
    assert overwritten_areas(GRAY, darker, labels, eye_distance=10.0)["hat"] == pytest.approx(counted / 100)


def test_what_is_not_known_or_shows_the_face_may_change() -> None:
    labels = labels_of_halves(PixelClass.UNKNOWN, PixelClass.SKIN)
    assert set(overwritten_areas(GRAY, GRAY + 50, labels, eye_distance=10.0).values()) == {0}


# Labels


def test_labels_are_enlarged_and_an_occluder_is_in_front() -> None:
    small = np.array([[PixelClass.HAIR, PixelClass.SKIN], [PixelClass.HAIR, PixelClass.NECK]], np.uint8)
    photo = GRAY[:4, :4].copy()
    photo[0, 3, 2] = 0
    assert labels_under(small, GRAY[:4, :4], photo).tolist() == [
        [2, 2, 1, 9],
        [2, 2, 1, 1],
        [2, 2, 6, 6],
        [2, 2, 6, 6],
    ]


# Steps


def test_pasted_patch_has_a_step_as_large_as_it_differs() -> None:
    assert outline_step(GRAY, painted(slice(30, 60), slice(30, 60), 40), eye_distance=40.0) == 40


def test_patch_that_fades_out_has_small_steps() -> None:
    ramp = cv2.GaussianBlur(painted(slice(30, 60), slice(30, 60), 40), (0, 0), 5)
    assert 0 < outline_step(GRAY, ramp, eye_distance=40.0) <= 5  # 40 / (5 sqrt(2 pi)) = 3.2 gray levels a pixel


def test_photos_own_edges_near_by_are_none_of_the_change() -> None:
    photo = painted(slice(0, 100), slice(50, 100), 60)
    moved = painted(slice(0, 100), slice(46, 100), 60)  # by 4 px, where 40 / 6 = 7 are near
    assert outline_step(photo, moved, eye_distance=40.0) == 0
    assert outline_step(photo, moved, eye_distance=12.0) == 60  # where 2 are


def test_photo_that_stays_as_it_is_has_no_step() -> None:
    assert outline_step(GRAY, GRAY, eye_distance=40.0) == 0


# Asymmetry

LEVEL = np.array([[40, 30, 200], [-30, 40, 150], [0, 0, 1.0]])  # scale 50, turned by 37 degrees


def displaced(displacement: Array) -> Array:
    """The warp of a face whose points are moved in its own frame."""
    return apply(LEVEL, control_points() + displacement * INNER[..., None])


def left_side() -> Array:
    """1 on the viewer's left of the face, 1/2 in the middle, as points of both sides meet there."""
    return ((1 - np.sign(control_points()[..., 0])) / 2)[..., None]


@pytest.mark.parametrize(
    ("along", "in_the_middle"), [((0.027, 0.0), 5), ((0.0, 0.027), 0), ((0.0162, -0.0216), 3)], ids=["x", "y", "both"]
)
def test_a_side_that_is_moved_by_5_percent_of_the_eye_distance_is_so_asymmetric(
    along: tuple[float, float], in_the_middle: float
) -> None:
    moved = warp_to(displaced(left_side() * along))  # eyes are 0.54 apart; the middle is one of 13 columns
    assert asymmetry_left(moved) == pytest.approx((12 * 5 + in_the_middle) / 13)
    assert moved.eye_distance == pytest.approx(27)


def test_turned_face_that_is_symmetric_has_no_asymmetry() -> None:
    depth = np.exp(-(control_points() ** 2).sum(-1) * 4)
    field = np.stack([depth, 0 * depth], -1) * INNER[..., None]
    assert asymmetry_left(warp_to(displaced(-0.4 * field), field)) == pytest.approx(0, abs=1e-9)
    assert asymmetry_left(warp_to(displaced(-0.4 * field))) > 10  # without the field, it is one


def test_broad_face_is_no_less_symmetric() -> None:
    broad = control_points() * [0.1, 0]
    assert asymmetry_left(warp_to(displaced(broad))) == pytest.approx(0, abs=1e-9)


# Many photos


def change(background: float | None, step: float, left: float) -> PhotoChange:
    names = ("background", "hair", "hat", "in_front", "clothes")
    areas = {} if background is None else dict(zip(names, (background, 0.0, 0.0, 0.0, 1.0), strict=True))
    return PhotoChange(overwritten=areas, outline_step=step, asymmetry_before=2 * left, asymmetry=left)


def test_means_are_of_the_photos_whose_labels_are_known() -> None:
    score = summarize_changes([change(0.05, 1, 2), change(0.25, 2, 3), change(None, 6, 4)])
    assert score is not None
    assert (score.photos, score.labeled) == (3, 2)
    assert score.overwritten["background"] == OverwrittenArea(pytest.approx(0.15), 0.5)
    assert score.overwritten["clothes"] == OverwrittenArea(1.0, 1.0)
    assert (score.outline_step, score.asymmetry_before, score.asymmetry) == (3, 6, 3)


def test_without_labels_nothing_is_said_of_areas() -> None:
    score = summarize_changes([change(None, 1, 1)])
    assert score is not None and (score.labeled, score.overwritten) == (0, {})
    assert summarize_changes([]) is None
