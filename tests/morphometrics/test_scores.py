"""Superimposition and scores, against a direct computation, R, and faces whose asymmetry is known."""

import numpy as np
import pytest

from symface_cli.morphometrics.reading import read_sample
from symface_cli.morphometrics.scores import directional_asymmetry, score_people
from symface_cli.morphometrics.superimposition import superimpose
from tests.conftest import SHARED
from tests.morphometrics.samples import FACE, PARTNERS, sample_of, superimpose_slowly

PARTNER = np.array([list(FACE).index(PARTNERS[name]) for name in FACE])


def distances(differences):
    return np.sqrt((differences**2).sum(axis=(1, 2)))


def calc_as(original, mirrored):
    """What facefuns defines: from each shape to the mean of it and its mirror image."""
    return distances(original - (original + mirrored) / 2)


def calc_fa(original, mirrored):
    """What facefuns defines: the difference of the two, less its mean over all."""
    return distances(original - mirrored - (original.mean(axis=0) - mirrored.mean(axis=0)))


def check_scores(sample):
    original, mirrored = superimpose_slowly(sample.coordinates, sample.partner)
    scores = score_people(superimpose(sample.coordinates, sample.partner), sample)
    assert scores.asymmetry == pytest.approx(calc_as(original, mirrored), abs=1e-9)
    assert scores.fluctuating == pytest.approx(calc_fa(original, mirrored), abs=1e-9)
    return scores


def test_scores_are_those_of_a_direct_computation():
    check_scores(sample_of([1] * 8))


@pytest.mark.shared
def test_scores_of_the_london_set_are_those_of_a_direct_computation_and_of_r():
    london = SHARED / "data" / "london"
    sample = read_sample(london / "neutral", mirror=london / "mirror_index.csv")
    scores = check_scores(sample)
    # R 4.2.2, shapes 1.2.7: procGPA of the shapes and their mirror images, scaled before, projected
    assert scores.asymmetry[:4] == pytest.approx([0.04239888196, 0.04964288211, 0.02894555021, 0.03232666212], abs=1e-8)
    assert scores.fluctuating[:4] == pytest.approx(
        [0.07728219359, 0.08977169151, 0.05629155246, 0.06825824592], abs=1e-8
    )
    assert sample.people[scores.asymmetry.argmax()] == "139_03"  # the head is turned: facefuns leaves it out


def test_size_place_and_tilt_do_not_count():
    sample = sample_of([1] * 4)
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    moved = sample.coordinates.copy()
    moved[2] = 3 * moved[2] @ turn + [500, -20]
    before, after = (superimpose(points, PARTNER) for points in (sample.coordinates, moved))
    assert after.original == pytest.approx(before.original, abs=1e-12)


def test_symmetric_faces_have_no_asymmetry_wherever_they_are():
    face = np.array(list(FACE.values()), float)
    shapes = superimpose(np.array([face, face * [1.1, 1] + 30, face[:, ::-1] * [1, -1]]), PARTNER)
    assert shapes.original == pytest.approx(shapes.mirrored, abs=1e-12)


def test_what_all_faces_have_is_directional_and_not_fluctuating():
    face = np.array(list(FACE.values()), float)
    shifted = face + (np.array(list(FACE)) == "nose")[:, None] * [4, 0]
    sample = sample_of([1, 1])
    shapes = superimpose(np.array([shifted, shifted * [1, 1] + 50]), PARTNER)
    scores = score_people(shapes, sample)
    assert scores.fluctuating == pytest.approx(0, abs=1e-12)
    assert scores.asymmetry.min() > 0.01
    directional = dict(zip(FACE, directional_asymmetry(shapes), strict=True))
    assert directional["nose"][0] > 0.03  # towards larger x: the frame of the photos
    assert directional["nose"][1] == pytest.approx(0, abs=1e-9)
    assert directional["eye_left"][0] == pytest.approx(directional["eye_right"][0], abs=1e-12)


def test_several_photos_of_a_person_count_by_their_mean_and_tell_the_error():
    sample = sample_of([2, 1, 3])
    shapes = superimpose(sample.coordinates, sample.partner)
    scores = score_people(shapes, sample)
    own = shapes.asymmetric[3:]  # of the last person
    assert scores.asymmetry[2] == pytest.approx(np.linalg.norm(own.mean(axis=0)))
    assert scores.error[2] == pytest.approx(np.sqrt(own.var(axis=0, ddof=1).sum()))
    assert np.isnan(scores.error).tolist() == [False, True, False]
