"""Irises are found where they are drawn, or where the network sees them."""

import numpy as np
import pytest

from symface_cli.detection.detector import detect
from symface_cli.geometry.frames import EYE_DISTANCE_FACE
from symface_cli.geometry.sampling import enlarge
from symface_cli.imaging.photo import read_photo
from symface_cli.inference.symmetrizer import Symmetrizer
from symface_cli.rendering.fields import sample_field
from tests.conftest import SHARED
from tests.drawn import PLACES, RADIUS, draw_face, draw_map, irises_in, looking, whole_frame

TENTH = 0.1 * RADIUS


@pytest.mark.parametrize(("size", "gaze"), [(161, (0, 0)), (161, (0.03, 0)), (161, (-0.045, 0.01)), (701, (0.02, 0))])
def test_irises_are_found_to_a_tenth_of_their_radius(size: int, gaze: tuple[float, float]) -> None:
    expected = looking(*gaze)
    irises = irises_in(draw_face(size, expected), whole_frame(size))
    assert np.abs(irises.places[:, :2] - expected).max() < TENTH
    assert irises.places[:, 2] == pytest.approx(RADIUS, rel=0.15)
    assert irises.seen.all()


def test_they_are_found_in_dark_faces_in_bad_light() -> None:
    expected = looking(0.02, 0.005)
    photo = draw_face(161, expected) // 8 + 5
    irises = irises_in(photo, whole_frame(161))
    assert np.abs(irises.places[:, :2] - expected).max() < 2 * TENTH
    assert irises.seen.all()


def test_lids_that_cover_the_upper_third_of_an_iris_hardly_move_it() -> None:
    photo = draw_face(241, PLACES)
    photo[: round((PLACES[0, 1] - RADIUS / 3 + 1) * 120)] = (60, 40, 30)  # lashes and shade
    irises = irises_in(photo, whole_frame(241))
    assert np.abs(irises.places[:, 0] - PLACES[:, 0]).max() < TENTH
    assert np.abs(irises.places[:, 1] - PLACES[:, 1]).max() < 4 * TENTH


def test_an_eye_without_an_iris_is_not_seen() -> None:
    irises = irises_in(draw_face(161, PLACES[1:]), whole_frame(161))
    assert irises.seen.tolist() == [False, True]


def test_where_the_photo_says_nothing_the_network_is_believed() -> None:
    expected = looking(0.03, 0.01)
    warp = whole_frame(161) @ np.array([[0.8, -0.6], [0.6, 0.8]]) * 2  # turned, and enlarged
    plain = np.full((400, 400, 3), 128, np.uint8)
    irises = irises_in(plain, warp, draw_map(64, expected))
    assert np.abs(irises.places[:, :2] - expected).max() < 3 * TENTH
    assert irises.seen.all() and not irises_in(plain, warp).seen.any()


def test_what_the_network_does_not_take_for_an_iris_is_not_seen() -> None:
    photo, warp = draw_face(161, PLACES), whole_frame(161)
    assert irises_in(photo, warp, draw_map(64, PLACES[:1])).seen.tolist() == [True, False]


@pytest.mark.shared
def test_pupils_are_found_where_people_have_placed_them() -> None:
    symmetrizer = Symmetrizer(device="cpu")
    errors = []
    for photo_file in sorted((SHARED / "data" / "london" / "neutral").glob("*.jpg"))[:3]:
        pupils = np.loadtxt(photo_file.with_suffix(".csv"), delimiter=",", skiprows=1)[:2]
        photo = read_photo(photo_file)
        warp = symmetrizer.predict(photo, detect(photo)[0]).warp
        assert warp is not None and warp.irises is not None
        found = sample_field(enlarge(warp.photo_from_face, 257), warp.irises.places[None, :, :2])[0]
        radius = RADIUS / EYE_DISTANCE_FACE * warp.eye_distance
        errors.append(np.linalg.norm(found - pupils[np.argsort(pupils[:, 0])], axis=1) / radius)
    assert np.mean(errors) < 0.25 and np.max(errors) < 0.5
