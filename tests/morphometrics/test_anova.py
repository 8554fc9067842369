"""The Procrustes ANOVA and its permutations, against least squares with a design matrix."""

import numpy as np
import pytest

from symface_cli.errors import DataError
from symface_cli.morphometrics.analysis import analyze
from symface_cli.morphometrics.anova import analyze_variance
from symface_cli.morphometrics.exact import find_repeatability, probe_direction
from symface_cli.morphometrics.permutations import Permutations
from symface_cli.morphometrics.reading import read_sample
from symface_cli.morphometrics.sample import Landmarks, make_sample
from symface_cli.morphometrics.superimposition import superimpose
from tests.conftest import SHARED
from tests.morphometrics.samples import FACE, PARTNERS, sample_of


def designs(sample):
    """The design matrices of the mean, and with individuals, side and their interaction added one after the other."""
    owners = np.tile(sample.owners, 2)
    individuals = (owners[:, None] == np.arange(len(sample.people))).astype(float)
    side = np.repeat([1.0, -1.0], len(sample.photos))[:, None]
    mean = np.ones((len(owners), 1))
    return [mean, individuals, np.hstack([individuals, side]), np.hstack([individuals, individuals * side])]


def left_of(rows, design):
    return rows - design @ np.linalg.lstsq(design, rows, rcond=None)[0]


def squares(rows, matrices):
    """Sums of squares of individuals, side, interaction and error."""
    left = [float((left_of(rows, design) ** 2).sum()) for design in matrices]
    return [*(-np.diff(left)).tolist(), left[-1]]


def rows_of(shapes):
    return np.concatenate([shapes.original, shapes.mirrored]).reshape(2 * len(shapes.original), -1)


@pytest.mark.parametrize("counts", [[1] * 6, [2] * 5, [3, 1, 2, 2]], ids=["one photo", "two", "some"])
def test_sums_of_squares_are_those_of_least_squares(counts):
    sample = sample_of(counts)
    shapes = superimpose(sample.coordinates, sample.partner)
    table = analyze_variance(shapes, sample, Permutations(2, 0))
    expected = squares(rows_of(shapes), designs(sample))
    replicates = max(counts) > 1
    assert [row.ss for row in table[:-1]] == pytest.approx(expected[: 3 + replicates])
    assert table[-1].ss == pytest.approx(sum(expected))
    people, photos = len(counts), sum(counts)
    assert [row.df for row in table] == [
        people - 1,
        1,
        people - 1,
        *[2 * (photos - people)] * replicates,
        2 * photos - 1,
    ]
    names = ["ind", "side", "ind:side", *["ind:side:replicate"] * replicates, "Total"]
    assert [row.name for row in table] == names
    assert [row.f is None for row in table] == [False, False, not replicates, *[True] * replicates, True]


def test_p_is_that_of_residuals_permuted_one_after_the_other():
    sample, permutations = sample_of([2, 3, 2, 2], spread=3), Permutations(40, 5)
    shapes = superimpose(sample.coordinates, sample.partner)
    matrices, rows = designs(sample), rows_of(shapes)
    df = [row.df for row in analyze_variance(shapes, sample, permutations)]
    orders = np.concatenate(list(permutations.draw(len(rows), 10)))
    for term, below in enumerate([2, 2, 3]):
        left = left_of(rows, matrices[term])
        permuted = np.array([squares(left[order], matrices) for order in orders]) / df[:4]
        ratios = permuted[:, term] / permuted[:, below]
        row = analyze_variance(shapes, sample, permutations)[term]
        assert row.f == pytest.approx(ratios[0])
        assert row.p == pytest.approx(np.mean(ratios >= ratios[0] * (1 - 1e-9)))
        logs = np.log(ratios + 1e-6)
        assert row.z == pytest.approx((logs[0] - logs.mean()) / logs.std(ddof=1))


@pytest.mark.shared
def test_the_table_of_the_london_set_is_that_of_r():
    london = SHARED / "data" / "london"
    analysis = analyze(read_sample(london / "neutral", mirror=london / "mirror_index.csv"), Permutations(100, 0))
    individuals, side, interaction, _ = analysis.anova
    # R 4.2.2: aov(Y ~ ind + side), summed over the 378 coordinates that shapes' procGPA gives, projected
    assert (individuals.df, side.df, interaction.df) == (101, 1, 101)
    assert individuals.ss == pytest.approx(1.08357171944, abs=1e-8)
    assert side.ss == pytest.approx(0.01560390693, abs=1e-8)
    assert interaction.ss == pytest.approx(0.20008566942, abs=1e-8)
    assert individuals.p == side.p == analysis.directional_p == 0.01


def test_random_orders_begin_with_the_data_and_are_the_same_for_a_seed():
    first, again, other = (np.concatenate(list(Permutations(50, seed).draw(6, 999_990))) for seed in (1, 1, 2))
    assert first[0].tolist() == [0, 1, 2, 3, 4, 5]
    assert np.sort(first).tolist() == [[0, 1, 2, 3, 4, 5]] * 50
    assert (first == again).all()
    assert (first != other).any()


def test_three_people_with_the_same_asymmetry_are_as_likely_as_one_in_four():
    sample = sample_of([1, 1, 1], spread=0.01)
    noses = sample.coordinates + (np.array(list(FACE)) == "nose")[:, None] * [8.0, 0]
    shapes = superimpose(noses, sample.partner)
    assert probe_direction(shapes, sample, Permutations(4000, 0)) == pytest.approx(2 / 8, abs=0.03)


def test_repeatability_is_that_of_an_analysis_of_variance_of_the_asymmetric_part():
    sample = sample_of([3, 3, 3, 3])
    shapes = superimpose(sample.coordinates, sample.partner)
    people = shapes.asymmetric.reshape(4, 3, -1)
    among = 3 * people.mean(axis=1).var(axis=0, ddof=1).sum()
    within = people.var(axis=1, ddof=1).mean(axis=0).sum()
    found = find_repeatability(shapes, sample, Permutations(200, 0))
    assert found.f == pytest.approx(among / within)
    assert found.icc == pytest.approx((among - within) / (among + 2 * within))
    assert found.p == pytest.approx(1 / 200)  # points differ twice as much among people as among photos


def test_a_smile_does_not_hide_the_asymmetry_from_repeatability():
    photos = []
    for person, shift in enumerate([3, -3, 2, -2, 4]):
        for smile in (0, 25):
            face = {**FACE, "nose": (100 + shift, 130 + 0.01 * smile), "mouth_left": (120 + smile, 160 - smile)}
            face |= {"mouth_right": (80 - smile, 160 - smile), "chin": (100 + 0.01 * smile * shift, 200)}
            photos.append(Landmarks(f"{person}-{smile}", str(person), face))
    analysis = analyze(make_sample(photos, PARTNERS, "made up"), Permutations(200, 0))
    assert analysis.anova[2].f < 1
    assert analysis.repeatability.f > 10
    assert analysis.repeatability.icc > 0.8


def test_two_people_are_enough_and_no_permutation_divides_by_nothing():
    table = analyze(sample_of([1, 1]), Permutations(200, 0)).anova
    assert all(0 < row.p <= 1 and np.isfinite(row.z) for row in table[:2])


@pytest.mark.parametrize("counts", [[1, 1], [2, 2]])
def test_faces_without_differences_in_asymmetry_are_refused(counts):
    photos = [Landmarks(f"{i}-{j}", str(i), dict(FACE)) for i, count in enumerate(counts) for j in range(count)]
    with pytest.raises(DataError, match="nothing to analyze"):
        analyze(make_sample(photos, PARTNERS, "made up"), Permutations(10, 0))


def test_the_same_photo_twice_tells_no_error_and_is_refused():
    noses = {str(i): {**FACE, "nose": (100 + i, 130)} for i in range(3)}
    photos = [Landmarks(f"{person}-{j}", person, face) for person, face in noses.items() for j in range(2)]
    with pytest.raises(DataError, match="same points"):
        analyze(make_sample(photos, PARTNERS, "made up"), Permutations(10, 0))
