"""Curves of a person through a film: gaps, smoothing, rest."""

import numpy as np
import pytest

from symface_cli.films.measuring.records import PupilScale
from symface_cli.films.measuring.rest import Span, rest_of
from symface_cli.films.measuring.tracks import Track, tracks_of
from tests.films.tracks import records_of, sided, smile

TIMES = np.arange(60) / 20.0


def track_of(*arguments, **options):
    return Track(1, tuple(records_of(*arguments, **options)))


def test_persons_are_sorted_out():
    records = records_of(TIMES[:3], person=2) + records_of(TIMES[:2])
    assert [(track.person, len(track.frames)) for track in tracks_of(records)] == [(1, 2), (2, 3)]


def test_a_long_gap_and_a_cut_end_a_stretch_and_a_blink_does_not():
    track = track_of(TIMES, missing={5, 6, *range(20, 30)}, turned={40}, shots=[0] * 50 + [1] * 10)
    runs = [(run[0], run[-1]) for run in track.stretches]
    assert runs == [(0, 19), (30, 49), (50, 59)]
    assert not any(index in run for run in track.stretches for index in (5, 6, 40))


def test_with_few_frames_a_second_gaps_are_longer():
    assert len(track_of(np.arange(8) / 2.0, missing={3}).stretches) == 1


def test_a_steady_movement_and_a_still_face_are_smoothed_to_themselves():
    track = track_of(TIMES, {"yaw_deg": 3 * TIMES, "midline_deg": np.full(60, 2.0)}, missing={30, 31})
    smooth = track.smoothed(0.2)
    assert smooth.curve("yaw_deg")[~np.isnan(smooth.curve("yaw_deg"))] == pytest.approx(
        np.delete(3 * TIMES, [30, 31]), abs=1e-6
    )
    assert np.nanmax(np.abs(smooth.curve("midline_deg") - 2)) < 1e-6
    assert np.isnan(smooth.curve("yaw_deg")[[30, 31]]).all()
    assert smooth.times is not track.times
    assert (smooth.times == track.times).all()


def test_smoothing_weighs_by_a_gaussian_of_its_deviation_and_not_across_a_cut():
    times = np.arange(41) / 20.0
    spike = np.zeros(41)
    spike[20] = 1.0
    weights = np.exp(-(((times - 1.0) / 0.1) ** 2) / 2)
    smooth = track_of(times, {"yaw_deg": spike}).smoothed(0.1).curve("yaw_deg")
    assert smooth[20] == pytest.approx(1 / weights[14:27].sum(), rel=1e-3)
    step = (np.arange(41) > 20) * 5.0
    cut = track_of(times, {"yaw_deg": step}, shots=[0] * 21 + [1] * 20).smoothed(0.2)
    assert cut.curve("yaw_deg") == pytest.approx(step, abs=1e-6)
    assert track_of(times).smoothed(0).times.tolist() == times.tolist()


def test_rest_is_the_median_where_a_person_says_so():
    yaw = np.where(TIMES < 1, 2.0, 9.0)
    yaw[3] = 100.0  # of one frame, which a median leaves out
    rest = rest_of(track_of(TIMES, {"yaw_deg": yaw}, turned={4}), Span(0, 0.9))
    assert (rest.median_of("yaw_deg"), rest.noise_of("yaw_deg"), rest.frames) == (2.0, 0.0, 18)
    assert rest.is_given


def test_noise_at_rest_is_a_standard_deviation():
    times = np.arange(2000) / 100.0
    rest = rest_of(track_of(times, {"yaw_deg": np.random.default_rng(0).normal(5, 0.3, 2000)}), Span(0, 20))
    assert rest.noise_of("yaw_deg") == pytest.approx(0.3, rel=0.08)
    assert rest.median_of("yaw_deg") == pytest.approx(5, abs=0.03)


def test_the_stillest_second_is_taken_where_nobody_says():
    times = np.arange(120) / 20.0
    side = smile(times, 0.0, 1.0, 0.0) + np.random.default_rng(0).normal(0, 0.3, 120) * (times < 3.5)
    rest = rest_of(track_of(times, sided("fai", side, side)), None)
    assert rest.span.start_s == pytest.approx(3.5)
    assert rest.span.end_s - rest.span.start_s == pytest.approx(1.0)
    assert not rest.is_given


def test_without_the_face_there_is_no_rest():
    assert rest_of(track_of(TIMES, missing=range(20)), Span(0, 0.9)) is None
    assert rest_of(track_of(TIMES, missing=range(60)), None) is None
    assert rest_of(track_of(TIMES[:10]), None) is None  # half a second


def test_lengths_are_scaled_and_angles_are_not():
    (record,) = records_of([0.0], {**sided("fai", np.array([80.0]), np.array([75.0])), "smile_angle_left": [100.0]})
    assert (record.unit, record.scale) == ("%", None)
    scaled = record.scaled(PupilScale(63.0, 1.26))
    assert scaled.measures["fai"] == ("mm", *(pytest.approx(value) for value in (50.4, 47.25, 3.15)))
    assert scaled.measures["smile_angle"].left == pytest.approx(100)
    assert scaled.measures["smile_angle"].unit == "deg"
    assert scaled.scale == (pytest.approx(63 / 60), pytest.approx(1.26 / 60))
    assert scaled.measures["mouth_cant"].left is None


def test_a_face_that_is_not_found_has_no_numbers():
    (record,) = records_of([0.0], missing={0})
    assert (record.is_found, record.values, record.measures, record.points) == (False, {}, {}, {})
    assert not record.scaled(PupilScale(63, 1)).is_found
