"""Sampling of photos and of fields over the face frame."""

import numpy as np
import pytest

from symface_cli.rendering import fields
from symface_cli.rendering.fields import (
    FIELD_SIZE,
    as_pixels,
    cut_strips,
    fade,
    fade_to_edge,
    group_pixels,
    group_places,
    refine_groups,
    sample_field,
    sample_pixels,
    warp_field,
)

RAMP = np.linspace(-1, 1, FIELD_SIZE, dtype=np.float32)
ACROSS = np.tile(RAMP, (FIELD_SIZE, 1))  # the x of each point of the frame


def test_fade_is_smooth_between_its_limits():
    assert fade(np.float32([0, 0.2, 0.5, 0.8, 1]), 0.2, 0.8).tolist() == pytest.approx([0, 0, 0.5, 1, 1])


def test_fields_end_at_the_edge_of_the_frame():
    faded = fade_to_edge()
    assert faded[64, 64] == 1
    assert (faded[0] == 0).all() and (faded[:, -1] == 0).all()
    np.testing.assert_array_equal(faded, faded.T[::-1, ::-1])


def test_a_field_is_linear_between_its_points_and_zero_outside_of_the_frame():
    points = np.array([[[0.1234, 0.5], [-1.0, 1.0], [1.5, 0.0]]])
    assert sample_field(ACROSS, points)[0] == pytest.approx([0.1234, -1, 0], abs=1e-3)
    both = np.dstack([ACROSS, ACROSS.T])
    assert sample_field(both, points)[0, 0] == pytest.approx([0.1234, 0.5], abs=1e-3)


@pytest.mark.parametrize(("step", "size"), [(1, 10), (3, 10), (4, 12), (5, 3)])
def test_pixels_between_groups_are_interpolated_linearly(step, size):
    """Of a field that is linear itself, nothing is lost."""
    middles = group_pixels(slice(20, 20 + size), step)
    x, y = np.meshgrid(middles, middles)
    fine = refine_groups(np.stack([x, 100 * y], -1), step, (size, size))
    pixels = np.arange(20, 20 + size)
    assert fine.shape == (size, size, 2)
    assert fine[..., 0] == pytest.approx(np.tile(pixels, (size, 1)), abs=1e-3)
    assert fine[..., 1] == pytest.approx(100 * np.tile(pixels[:, None], (1, size)), abs=0.1)


def test_groups_lie_where_a_matrix_takes_their_middles():
    matrix = np.array([[2.0, 3, 5], [-1, 4, 7], [0, 0, 1]])
    places = group_places(matrix, slice(10, 14), slice(20, 26), 2)
    assert places.shape == (4, 5, 2)  # 2 x 3 groups, with one more at either end
    assert places[0, 0].tolist() == [2 * 18.5 + 3 * 8.5 + 5, -18.5 + 4 * 8.5 + 7]
    assert places[3, 4].tolist() == [2 * 26.5 + 3 * 14.5 + 5, -26.5 + 4 * 14.5 + 7]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_pixels_are_sampled_at_their_places_and_reflected_beyond_the_edges(dtype):
    pixels = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (9, 7, 3)).astype(dtype)
    x, y = np.meshgrid(np.arange(-3, 8), np.arange(-1, 10))  # with a group more at either end
    groups = np.stack([x + 5, y - 3], -1).astype(np.float32)
    sampled = sample_pixels(pixels, groups, 1, (9, 9), origin=(-5, 3))
    planes = np.moveaxis(pixels, 2, 0)
    np.testing.assert_array_equal(sampled[..., 2:], planes)
    np.testing.assert_array_equal(sampled[..., :2], planes[..., 2:0:-1])


@pytest.mark.parametrize("strip", [50, 1 << 20])
def test_strips_cover_what_the_region_covers(monkeypatch, strip):
    monkeypatch.setattr(fields, "STRIP", strip)
    image_from_face = np.array([[20.0, -5, 25], [5, 20, 15], [0, 0, 1]])  # reaches beyond the upper edge
    inside = (ACROSS**2 + ACROSS.T**2) < 0.8
    shape = (50, 40, 3)
    covered = np.zeros(shape[:2], int)
    for rows, columns in cut_strips(inside, image_from_face, shape):
        covered[rows, columns] += 1
        assert (rows.stop - rows.start) * (columns.stop - columns.start) <= max(strip, shape[1])
    seen = warp_field(inside.astype(np.float32), image_from_face, slice(0, 50), slice(0, 40)) > 0
    assert seen.any() and covered.max() == 1
    assert (covered[seen] == 1).all()


@pytest.mark.parametrize("x", [-100, 300])
def test_a_region_beside_the_image_has_no_strips(x):
    beside = np.array([[20.0, 0, x], [0, 20, 25], [0, 0, 1]])
    assert not list(cut_strips(np.ones((FIELD_SIZE, FIELD_SIZE), bool), beside, (50, 40)))
    assert not list(cut_strips(np.zeros((FIELD_SIZE, FIELD_SIZE), bool), beside, (50, 40)))


@pytest.mark.parametrize(("dtype", "most"), [(np.uint8, 255), (np.uint16, 65535)])
def test_values_are_rounded_and_clipped_to_pixels(dtype, most):
    pixels = as_pixels(np.float32([[[-3, 0.4]], [[0.6, 1e6]]]), np.dtype(dtype))
    assert pixels.dtype == dtype
    assert pixels.tolist() == [[[0, 1], [0, most]]]
