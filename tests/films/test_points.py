"""Points followed from one view of a face to another."""

import cv2
import numpy as np
import pytest

from symface_cli.films.measuring.points import VIEW_SIDE, View
from symface_cli.measurement.points.scheme import COUNT

PIXELS = 1 / (VIEW_SIDE - 1) * 2 * 1.25  # of the level frame to a pixel of the view


def textured(seed=0):
    """A picture (300, 300, 3) that is nowhere even."""
    noise = np.random.default_rng(seed).uniform(0, 255, (300, 300)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 1.5)
    gray = ((smooth - smooth.mean()) / smooth.std() * 40 + 128).clip(0, 255).astype(np.uint8)
    return np.repeat(gray[..., None], 3, -1)


@pytest.fixture
def points():
    return np.random.default_rng(1).uniform(-0.7, 0.7, (COUNT, 2))


LEVEL = np.array([[120.0, 0, 149.5], [0, 120.0, 149.5], [0, 0, 1]])


def shifted(photo, right, down):
    matrix = np.array([[1, 0, right], [0, 1, down]], np.float32)
    return cv2.warpAffine(photo, matrix, (300, 300), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)


def test_what_moves_is_followed_though_a_look_sees_half_of_it(points):
    photo = textured()
    reference = View(photo, LEVEL, points)
    moved = np.array([3.0, -4.0]) / 120
    seen = View(shifted(photo, 3, -4), LEVEL, points + moved / 2)
    assert seen.follow_from(reference) == pytest.approx(points + moved, abs=0.1 / 120)


def test_a_view_of_the_same_has_the_same_points(points):
    view = View(textured(), LEVEL, points)
    assert view.follow_from(view) == pytest.approx(points, abs=1e-4 / 120)


def test_light_from_one_side_moves_nothing(points):
    photo = textured()
    light = np.linspace(0.6, 1.1, 300)[None, :, None]
    seen = View((photo * light).clip(0, 255).astype(np.uint8), LEVEL, points)
    assert seen.follow_from(View(photo, LEVEL, points)) == pytest.approx(points, abs=0.15 / 120)


def test_points_that_are_covered_stay_where_the_look_has_found_them(points):
    photo, covered = textured(), textured()
    covered[:, 150:] = 128
    seen = View(covered, LEVEL, points + 0.02)
    followed = seen.follow_from(View(photo, LEVEL, points))
    hidden, shown = points[:, 0] > 0.2, points[:, 0] < -0.2
    assert followed[hidden] == pytest.approx(points[hidden] + 0.02)
    assert followed[shown] == pytest.approx(points[shown], abs=0.2 / 120)


def test_along_an_edge_points_stay_with_the_look_and_across_it_they_follow():
    photo = np.full((300, 300, 3), 60, np.uint8)
    photo[150:] = 180
    photo += np.random.default_rng(0).integers(0, 8, (300, 300, 1), np.uint8)
    points = np.stack([np.linspace(-0.5, 0.5, COUNT), np.zeros(COUNT)], -1)
    seen = View(shifted(photo, 0, 4), LEVEL, points + np.array([2.0, 2.0]) / 120)
    followed = 120 * (seen.follow_from(View(photo, LEVEL, points)) - points)
    assert followed[:, 0] == pytest.approx(2, abs=0.1)
    assert followed[:, 1] == pytest.approx(4, abs=0.2)


def test_points_at_the_edge_and_beyond_do_no_harm():
    points = np.full((COUNT, 2), 1.2)
    points[1:] *= np.linspace(0, 2, COUNT - 1)[:, None]
    view = View(textured(), LEVEL, points)
    assert np.isfinite(view.follow_from(view)).all()
