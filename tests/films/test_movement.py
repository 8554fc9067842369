"""Movements in curves that are known."""

import numpy as np
import pytest

from symface_cli.films.measuring.movement import find_movements

RATE = 30.0


def times_of(seconds, rate=RATE):
    return np.arange(round(seconds * rate)) / rate


def smile(times, start, rise, hold, amplitude):
    """A side that rises by a raised cosine, holds, and falls in the same way."""
    phase = np.interp(times, [start, start + rise, start + rise + hold, start + 2 * rise + hold], [0, 1, 1, 0])
    return amplitude * (1 - np.cos(np.pi * phase)) / 2


def onset_of(start, rise):
    """When a raised cosine reaches a tenth: (1 - cos(pi p)) / 2 = 0.1."""
    return start + rise * np.arccos(0.8) / np.pi


def moves(left, right, noise=(0.05, 0.05), seconds=6.0, **options):
    times = times_of(seconds)
    return find_movements(times, np.stack([left(times), right(times)], 1), noise, options.get("least", 0.5))


def test_amplitudes_speeds_and_times_of_a_smile_are_found():
    (found,) = moves(lambda t: smile(t, 1.0, 0.5, 1.0, 8.0), lambda t: smile(t, 1.1, 0.5, 0.8, 4.0))
    left, right = found.sides
    assert (left.amplitude, right.amplitude) == (pytest.approx(8.0), pytest.approx(4.0))
    assert found.amplitude_ratio == pytest.approx(2.0)
    assert left.onset_s == pytest.approx(onset_of(1.0, 0.5), abs=1 / RATE)
    assert right.onset_s == pytest.approx(onset_of(1.1, 0.5), abs=1 / RATE)
    assert found.lag_s == pytest.approx(-0.1, abs=1 / RATE)
    assert left.speed == pytest.approx(8.0 * np.pi / 2 / 0.5, rel=0.1)  # the slope of a raised cosine at its middle
    assert found.speed_ratio == pytest.approx(2.0, rel=0.05)
    assert 1.0 < found.start_s < 1.2
    assert found.end_s == pytest.approx(3.0 - (onset_of(1.0, 0.5) - 1.0), abs=0.05)


def test_noise_of_the_camera_moves_nothing_far():
    random = np.random.default_rng(7)
    times = times_of(6.0)
    clean = np.stack([smile(times, 2.0, 0.4, 1.0, 8.0), smile(times, 2.0, 0.4, 1.0, 5.0)], 1)
    (found,) = find_movements(times, clean + random.normal(0, 0.1, clean.shape), (0.1, 0.1), 0.5)
    left, right = found.sides
    assert left.amplitude == pytest.approx(8.0, rel=0.1)
    assert right.amplitude == pytest.approx(5.0, rel=0.1)
    assert left.onset_s == pytest.approx(onset_of(2.0, 0.4), abs=1 / RATE)
    assert found.speed_ratio == pytest.approx(1.6, rel=0.15)


def test_three_smiles_are_three_and_what_is_too_small_is_none():
    def left(t):
        return sum(smile(t, start, 0.3, 0.2, height) for start, height in ((0.5, 6.0), (2.0, 3.0), (4.0, 5.0)))

    found = moves(left, left)
    assert [movement.sides[0].amplitude for movement in found] == [pytest.approx(height) for height in (6, 3, 5)]
    assert [movement.peak_s for movement in found] == [pytest.approx(s + 0.4, abs=0.15) for s in (0.5, 2.0, 4.0)]
    assert len(moves(left, left, least=4.0)) == 2
    assert moves(lambda t: 0 * t, lambda t: 0 * t) == []


def test_a_shoulder_is_no_movement_of_its_own():
    (found,) = moves(
        lambda t: smile(t, 1.0, 0.5, 1.0, 5.0) + smile(t, 1.8, 0.3, 0.2, 2.0), lambda t: smile(t, 1.0, 0.5, 1.0, 5.0)
    )
    assert found.sides[0].amplitude == pytest.approx(7.0, rel=0.02)


def test_a_side_that_does_not_move_has_neither_speed_nor_ratio():
    random = np.random.default_rng(3)
    (found,) = moves(lambda t: smile(t, 1.0, 0.5, 1.0, 8.0), lambda t: random.normal(0, 0.01, len(t)))
    assert found.amplitude_ratio is found.speed_ratio is found.lag_s is None
    assert (found.sides[1].speed, found.sides[1].onset_s) == (None, None)


def test_a_side_that_goes_the_other_way_has_the_other_sign():
    (found,) = moves(lambda t: smile(t, 1.0, 0.5, 1.0, 8.0), lambda t: smile(t, 1.0, 0.5, 1.0, -4.0))
    assert found.amplitude_ratio == pytest.approx(-2.0)
    assert found.sides[1].speed < 0


def test_frames_at_uneven_times_count_by_their_times():
    random = np.random.default_rng(1)
    times = np.cumsum(random.uniform(0.01, 0.08, 150))
    left = smile(times, 1.0, 0.6, 1.0, 6.0)
    (found,) = find_movements(times, np.stack([left, left], 1), (0.01, 0.01), 0.5)
    assert found.sides[0].onset_s == pytest.approx(onset_of(1.0, 0.6), abs=0.04)
    assert found.sides[0].speed == pytest.approx(6.0 * np.pi / 2 / 0.6, rel=0.1)


def test_a_film_that_begins_in_the_movement_has_no_onset():
    (found,) = moves(lambda t: 5.0 - t, lambda t: 5.0 - t, seconds=4.0)
    assert found.sides[0].onset_s is None
    assert found.start_s == 0.0


def test_what_has_no_sides_has_one_curve():
    times = times_of(4.0)
    (found,) = find_movements(times, smile(times, 1.0, 0.5, 0.5, 3.0)[:, None], (0.01,), 0.5)
    assert found.sides[0].amplitude == pytest.approx(3.0)
    assert found.amplitude_ratio is found.lag_s is None
