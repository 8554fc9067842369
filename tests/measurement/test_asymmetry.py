"""Asymmetry is measured: nothing in a mirror image, and what was put in where something was."""

import math
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch

import symface_cli
from symface_cli.detection.detector import detect, roll_matrix
from symface_cli.errors import WeightsError
from symface_cli.geometry.frames import CROP_SIZE, apply
from symface_cli.geometry.warps import control_points
from symface_cli.imaging.photo import read_photo
from symface_cli.inference.face import FacePrediction
from symface_cli.inference.registration import THOROUGH, register_sides
from symface_cli.measurement.asymmetry import measure_asymmetry, mirror_found
from symface_cli.measurement.points.scheme import COUNT, index_of, mirror_points
from symface_cli.measurement.quantities import MEASURES, Area, MeasureKey, Quantity
from symface_cli.measurement.reading import AREAS, displacement_of
from tests.conftest import ROOT

MARGIN = 120  # px around a face


@pytest.fixture(scope="module")
def symmetrizer():
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # as the command does
    yield symface_cli.Symmetrizer(device="cpu")
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def face(symmetrizer):
    """An exactly symmetric face, (320, 320, 3)."""
    image = symmetrizer.symmetrize(read_photo(ROOT / "examples" / "portrait.jpg"))[0].image
    small = cv2.resize(image, (320, 320), interpolation=cv2.INTER_AREA)
    return np.maximum(small, small[:, ::-1])  # the resampling may round the sides differently


def surround(image):
    return cv2.copyMakeBorder(image, *[MARGIN] * 4, cv2.BORDER_REPLICATE)


def measure_one(symmetrizer, photo):
    (measured,) = measure_asymmetry(symmetrizer, photo, detect(photo)[:1])
    return measured


def values_of(symmetrizer, photo):
    return {key.name: estimate.value for key, estimate in measure_one(symmetrizer, photo).values.items()}


def bend(image, displace):
    """The image with each point (x, y) of the face frame moved to (x, y) + displace(x, y), in eye distances."""
    photo = surround(image)
    half = (len(image) - 1) / 2
    ticks = (np.arange(len(photo)) - (len(photo) - 1) / 2) / half
    x, y = np.meshgrid(ticks, ticks)
    source_x, source_y = x, y
    for _ in range(10):
        dx, dy = displace(source_x, source_y)
        source_x, source_y = x - 0.54 * dx, y - 0.54 * dy
    pixels = [(source * half + (len(photo) - 1) / 2).astype(np.float32) for source in (source_x, source_y)]
    return cv2.remap(photo, *pixels, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


# ---- the mirror


@pytest.mark.parametrize("columns", [0, 21])
def test_a_perfect_mirror_image_measures_exactly_nothing(symmetrizer, face, columns):
    photo = surround(face)[:, columns : surround(face).shape[1] - columns]
    assert (photo == photo[:, ::-1]).all()
    measured = measure_one(symmetrizer, photo)
    assert tuple(measured.values) == MEASURES
    assert all(estimate == (0, 0) for estimate in measured.values.values())
    assert [(named.values.diff, named.error) for named in measured.named.values()] == [(0, 0)] * len(measured.named)
    assert not measured.displacement.any()


def test_a_half_and_its_mirror_image_measure_exactly_nothing(symmetrizer, portrait):
    half = read_photo(portrait)[:, :345]
    measured = measure_one(symmetrizer, np.hstack([half, half[:, ::-1]]))
    assert all(estimate == (0, 0) for estimate in measured.values.values())


def test_the_mirrored_photo_measures_the_opposite(symmetrizer, portrait):
    photo = read_photo(portrait)
    ours = values_of(symmetrizer, photo)
    mirrored = values_of(symmetrizer, np.ascontiguousarray(photo[:, ::-1]))
    for name, value in ours.items():
        if name.endswith(("_deg", "turn_pct", "outward_pct", "lower_pct")) or name.partition("_")[2] == "lightness":
            assert mirrored[name] == pytest.approx(-value, abs=1e-9)
        else:
            assert mirrored[name] == pytest.approx(value, abs=1e-9)
    assert abs(ours["mouth_outward_pct"]) > 3  # the portrait is no mirror image


def test_the_mirrored_photo_measures_exactly_the_same_with_the_sides_exchanged(symmetrizer, portrait):
    photo = read_photo(portrait)
    mirrored = measure_one(symmetrizer, np.ascontiguousarray(photo[:, ::-1]))
    ours = measure_one(symmetrizer, photo)
    for name, named in ours.named.items():
        expected = named.values.exchanged()
        assert mirrored.named[name].values == pytest.approx(expected, abs=1e-12, nan_ok=True)
        assert mirrored.named[name].error == pytest.approx(named.error, abs=1e-12)
    assert mirrored.points - [photo.shape[1] - 1, 0] == pytest.approx(mirror_points(ours.points), abs=1e-9)


def test_what_the_turn_has_added_is_taken_out_and_told(symmetrizer, portrait):
    photo = read_photo(portrait)
    (raw,) = measure_asymmetry(symmetrizer, photo, detect(photo)[:1], raw=True)
    ours, nose = measure_one(symmetrizer, photo), MeasureKey(Quantity.OUTWARD, Area.NOSE)
    turn = ours.values[MeasureKey(Quantity.TURN)].value
    assert raw.values[MeasureKey(Quantity.TURN)] == (0, 0)
    assert abs(turn) > 2
    assert raw.values[nose].value - ours.values[nose].value == pytest.approx(turn)
    for key in (nose, MeasureKey(Quantity.TURN)):
        assert 0.2 * abs(turn) < ours.values[key].error < 0.2 * abs(turn) + 0.1
        assert raw.values[key].error < 0.1


def test_points_that_are_known_better_count(symmetrizer, portrait):
    photo = read_photo(portrait)
    found, ours = detect(photo)[:1], measure_one(symmetrizer, photo)
    given = np.full((COUNT, 2), np.nan)
    corner = index_of("commissure", 0)
    given[corner] = ours.points[corner] + [0, 5]
    (measured,) = measure_asymmetry(symmetrizer, photo, found, given=[given])
    assert measured.points[corner] == pytest.approx(given[corner])
    lower = measured.named["commissure_height"].values.left - ours.named["commissure_height"].values.left
    assert lower * measured.pupil_distance.value == pytest.approx(5, abs=0.1)  # the head is nearly upright
    assert measured.named["commissure_height"].values.right == ours.named["commissure_height"].values.right
    (same,) = measure_asymmetry(symmetrizer, photo, found, given=[ours.points.round(2)])
    assert same.named == ours.named


def test_a_face_that_is_not_found_again_in_the_mirror_is_looked_for_at_its_place(symmetrizer, portrait, monkeypatch):
    photo = read_photo(portrait)
    expected = values_of(symmetrizer, photo)
    found = detect(photo)
    monkeypatch.setattr("symface_cli.measurement.asymmetry.detect", lambda _: [])
    (measured,) = measure_asymmetry(symmetrizer, photo, found)
    assert measured.values[MeasureKey(Quantity.SHAPE, Area.WHOLE)].value == pytest.approx(
        expected["whole_shape_pct"], rel=0.1
    )


def test_a_found_face_shows_the_same_pixels_mirrored(portrait):
    photo = read_photo(portrait)
    (found,) = detect(photo)
    mirrored = mirror_found(found, photo.shape[1])
    points = np.array([[200.0, 210], [310, 333], [402, 250]])
    in_crop = apply(found.crop_from_photo, points)
    in_mirrored_crop = apply(mirrored.crop_from_photo, points * [-1, 1] + [photo.shape[1] - 1, 0])
    assert in_mirrored_crop == pytest.approx(in_crop * [-1, 1] + [CROP_SIZE - 1, 0])


# ---- known asymmetries

WIDTH = 0.12  # deviation of a bump, in normalized face coordinates


def bump(x, y, center):
    return np.exp(-((x - center[0]) ** 2 + (y - center[1]) ** 2) / (2 * WIDTH**2))


def mean_difference(area, center, outward):
    """The mean over an area's left half of what a bump of height 1 moves there, against what it moves opposite."""
    x, y = np.meshgrid(np.linspace(-1, 0, 101), np.linspace(-1, 1, 201))
    corners = np.array(AREAS[Area(area)], np.float32)
    inside = [cv2.pointPolygonTest(corners, point, False) >= 0 for point in zip(x.ravel(), y.ravel(), strict=True)]
    opposite = 1 if outward else -1  # what moves both sides to the left takes one outward and the other inward
    return (bump(x, y, center) + opposite * bump(-x, y, center)).ravel()[inside].mean()


@pytest.mark.parametrize(
    ("name", "center", "direction"),
    [
        ("brows_lower_pct", (-0.30, -0.295), (0, 1)),
        ("mouth_outward_pct", (-0.15, 0.45), (-1, 0)),
        ("nose_outward_pct", (0.0, 0.16), (-1, 0)),
    ],
)
def test_the_measure_follows_what_was_moved(symmetrizer, face, name, center, direction):
    amounts = np.array([-0.06, -0.02, 0.03, 0.06])

    def measure_moved(amount):
        displace = lambda x, y: tuple(amount * part * bump(x, y, center) for part in direction)  # noqa: E731
        return values_of(symmetrizer, bend(face, displace))[name]

    measured = [measure_moved(amount) for amount in amounts]
    assert np.corrcoef(amounts, measured)[0, 1] > 0.99
    expected = mean_difference(name.partition("_")[0], center, "outward" in name)
    slope = np.polyfit(100 * amounts, measured, 1)[0]
    assert slope == pytest.approx(expected, rel=0.25)  # the level of the whole face follows a little


@pytest.mark.parametrize("degrees", [-12, 5, 9])
def test_the_midline_of_a_rolled_photo_is_tilted_by_as_much(symmetrizer, face, degrees):
    photo = surround(face)
    matrix, size = roll_matrix(*photo.shape[:2], degrees)
    rolled = cv2.warpAffine(photo, matrix[:2], size, borderMode=cv2.BORDER_REPLICATE)
    measured = values_of(symmetrizer, rolled)
    assert measured["midline_deg"] == pytest.approx(degrees, abs=1)
    assert measured["whole_shape_pct"] < 1


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_head_whose_one_side_is_foreshortened_counts_as_turned(symmetrizer, face, sign):
    photo = bend(face, lambda x, _: (np.where(sign * x > 0, -0.25 * x / 0.54, 0), 0 * x))
    measured = measure_one(symmetrizer, photo)
    (raw,) = measure_asymmetry(symmetrizer, photo, detect(photo)[:1], raw=True)
    assert raw.is_yaw_too_large
    assert not measured.is_yaw_too_large
    assert measured.values[MeasureKey(Quantity.YAW)].value * sign > 5
    assert not measure_one(symmetrizer, surround(face)).is_yaw_too_large


def test_light_on_one_side_is_measured_in_lightness_and_color(symmetrizer, face):
    lab = cv2.cvtColor(surround(face).astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    ticks = np.linspace(-1, 1, lab.shape[1])
    lab[..., 0] -= np.clip(30 * ticks, -3, 3)
    photo = (255 * cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)).round().clip(0, 255).astype(np.uint8)
    measured = values_of(symmetrizer, photo)
    for area in ("eyes", "brows", "jaw"):
        assert measured[f"{area}_lightness"] == pytest.approx(6, abs=0.8)
        assert measured[f"{area}_color_de"] == pytest.approx(6, abs=0.8)
    assert measured["whole_shape_pct"] < 0.5


# ---- its parts


def test_a_level_face_has_no_displacement_wherever_it_lies():
    assert np.abs(displacement_of(apply(SIMILARITY, control_points()))).max() < 1e-9


SIMILARITY = np.array([[86.6, -50, 300], [50, 86.6, 200], [0, 0, 1]])  # turned by 30 degrees, 100 px per unit


@pytest.mark.parametrize(
    ("move", "there", "opposite"),
    [((0.027, 0), (5, 0), (5, 0)), ((0, 0.054), (0, 10), (0, -10))],  # of an eye distance of 0.54
)
def test_a_point_moved_aside_is_displaced_against_its_partner(move, there, opposite):
    points = control_points().copy()
    points[2, 4] += move  # on the forehead, which does not count for the level
    displacement = displacement_of(apply(SIMILARITY, points))
    assert displacement[2, 4] == pytest.approx(there, abs=1e-6)
    assert displacement[2, 12] == pytest.approx(opposite, abs=1e-6)
    displacement[2, [4, 12]] = 0
    assert np.abs(displacement).max() < 1e-6


@pytest.mark.parametrize("apart", [THOROUGH.apart, math.inf])
@pytest.mark.parametrize(("side", "pixels"), [(129, 1), (257, 2)])
def test_a_face_beside_its_frame_is_registered(face, side, pixels, apart):
    image = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
    beside = np.roll(image, pixels, axis=1)  # to the right: its points are where the frame has x + pixels
    mask = np.zeros((17, 17), np.float32)
    mask[4:13, 5:12] = 1
    shifts = register_sides(beside, mask, np.zeros((17, 17, 2)), apart)
    inside, moved = shifts[5:12, 6:11], pixels / ((side - 1) / 2)
    assert inside[..., 0].mean() == pytest.approx(moved, rel=0.15)
    assert np.abs(inside[..., 1]).mean() < 0.1 * moved
    assert not shifts[0].any()


def test_a_network_without_a_warp_cannot_measure(portrait):
    photo = read_photo(portrait)
    without_warp = SimpleNamespace(predict=lambda *_: FacePrediction(lambda: np.zeros((128, 128, 3), np.uint8), None))
    with pytest.raises(WeightsError, match="cannot measure"):
        measure_asymmetry(without_warp, photo, detect(photo))
