"""Sampling and blending at the photo's own resolution."""

import numpy as np
import pytest
import torch

from symface_cli.geometry import frames, sampling
from symface_cli.geometry.warps import control_points
from symface_cli.network import warps


def test_resampling_by_the_identity_changes_nothing():
    photo = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    assert (sampling.resample(photo, np.eye(3), 40) == photo).all()


def test_shrinking_averages_areas():
    photo = np.zeros((64, 64, 3), np.uint8)
    photo[:, ::2] = 200  # stripes of one pixel: their mean is 100, a sample of them 0 or 200
    matrix = np.array([[0.25, 0, -0.375], [0, 0.25, -0.375], [0, 0, 1]])  # four photo pixels to one
    small = sampling.resample(photo, matrix, 16)
    assert (small == 100).all()


def test_shrinking_keeps_positions():
    photo = np.repeat(np.arange(0, 240, dtype=np.uint8)[None, :, None], 240, 0).repeat(3, 2)
    matrix = frames.crop_from_box(frames.Box(40, 40, 120, 120), size=60, boxes=1.0)
    small = sampling.resample(photo, matrix, 60)
    x = frames.apply(np.linalg.inv(matrix), np.column_stack([np.arange(60.0), np.zeros(60)]))[:, 0]
    assert np.abs(small[30, :, 0] - x).max() <= 1


@pytest.mark.parametrize("scale", [0.11, 0.2, 0.33, 0.5, 0.61])
def test_what_is_shrunk_by_any_factor_keeps_its_place(scale):
    ramp = np.tile(np.arange(255, dtype=np.uint8)[:, None], (255, 1, 3))
    middle = np.array([[scale, 0, 10 - scale * 120.3], [0, scale, 10 - scale * 120.3], [0, 0, 1]])
    up, down = (sampling.resample(image, middle, 21)[10, :, 0].astype(float) for image in (ramp, 254 - ramp))
    expected = (np.arange(21) - 10) / scale + 120.3
    brighter = ((up + down).mean() - 254) / 2  # halves are rounded up, twice in what is made much smaller
    # a 17th of a pixel of the result, in the photo: OpenCV rounds places to 32nds
    assert abs((up - down + 254 - 2 * expected).mean()) / 2 < max(0.15, 0.06 / scale)
    assert 0 <= brighter < 1


def test_a_crop_far_outside_of_the_photo_is_reflected_not_refused():
    photo = np.full((20, 30, 3), 77, np.uint8)
    far = np.array([[0.1, 0, -500], [0, 0.1, -500], [0, 0, 1]])
    assert (sampling.resample(photo, far, 16) == 77).all()


def test_enlarging_agrees_with_the_networks():
    control = np.random.default_rng(0).random((17, 17, 2))
    expected = warps.enlarge_grid(torch.from_numpy(control).float()[None], 65)[0].numpy()
    assert sampling.enlarge(control, 65) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(("scale", "expected"), [(100, 200), (1, 128), (1e5, 4096)])
def test_native_size_is_that_of_the_warp_in_the_photo(scale, expected):
    assert sampling.native_size(scale * control_points()) == expected


def test_identity_warp_gives_the_photo_back():
    photo = np.random.default_rng(0).integers(0, 256, (129, 129, 3), dtype=np.uint8)
    warp = frames.apply(frames.pixel_from_normalized(129), control_points())
    assert np.abs(sampling.warp_photo(photo, warp, 129).astype(int) - photo).max() <= 1
