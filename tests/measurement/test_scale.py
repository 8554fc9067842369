"""Millimeters per pixel, by what is known of a face."""

import numpy as np
import pytest

from symface_cli.errors import UsageError
from symface_cli.imaging.photo import read_photo
from symface_cli.measurement.scale import IRIS_SPREAD, Scale, Scaler, Scaling, parse_scaling
from tests.conftest import SHARED

PHOTO = np.zeros((100, 200, 3), np.uint8)
PUPILS = np.array([[60.0, 50], [140, 50]])


@pytest.mark.parametrize(
    ("text", "scaling"),
    [
        ("none", Scaling("none", 0)),
        ("iris", Scaling("iris", 11.7)),
        ("ipd=63", Scaling("ipd", 63)),
        ("mm_per_px=0.25", Scaling("mm_per_px", 0.25)),
    ],
)
def test_a_scaling_is_read(text, scaling):
    assert parse_scaling(text) == scaling


@pytest.mark.parametrize("text", ["", "mm", "ipd", "ipd=", "ipd=x", "ipd=0", "ipd=-3", "ipd=nan", "iris=12", "none=1"])
def test_what_is_no_scaling_is_refused(text):
    with pytest.raises(UsageError, match="scale"):
        parse_scaling(text)


def test_without_a_scaling_there_is_no_scale():
    assert Scaler(Scaling()).find(PHOTO, PUPILS, (80.0, 0.5)) is None


def test_a_known_distance_between_the_pupils_is_divided_by_that_in_pixels():
    scale = Scaler(parse_scaling("ipd=60")).find(PHOTO, PUPILS, (80.0, 0.8))
    assert scale == pytest.approx(Scale(0.75, 0.0075))


def test_a_known_scale_is_taken_as_it_is():
    assert Scaler(parse_scaling("mm_per_px=0.2")).find(PHOTO, PUPILS, (80.0, 0.8)) == (0.2, 0)


class Finders:
    """Irises of 10 and 12 pixels; in the mirror image both are found 1 pixel larger."""

    def __init__(self, faces=1):
        self.faces = faces
        self.calls = 0

    def find_nearest(self, photo, point):
        return np.zeros((468, 2)) if self.faces else None

    def find(self, photo, points):
        self.calls += 1
        diameters = (10, 12) if self.calls == 1 else (13, 11)
        return np.array([[0, 0, diameter / 2] for diameter in diameters])


def scaler_with(finders):
    scaler = Scaler(Scaling("none", 11.5))
    scaler.scaling = Scaling("iris", 11.5)
    scaler.__dict__["_finders"] = (finders, finders)
    return scaler


def test_irises_give_the_scale_and_its_error():
    scale = scaler_with(Finders()).find(PHOTO, PUPILS, (80.0, 0.8))
    assert scale.mm_per_px == pytest.approx(1.0)  # 10.5 and 12.5 pixels
    assert scale.error == pytest.approx(np.hypot(1 / 11.5, IRIS_SPREAD))


@pytest.mark.shared
def test_the_irises_of_a_portrait_say_how_far_its_pupils_are_apart(portrait, monkeypatch):
    monkeypatch.setenv("SYMFACE_OFFLINE", "1")
    photo, pupils = read_photo(portrait), np.array([[289.8, 311.3], [387.9, 312.0]])  # by hand, radii of 9.2
    scale = Scaler(parse_scaling("iris"), SHARED / "models").find(photo, pupils, (98.1, 0.1))
    assert scale.mm_per_px == pytest.approx(11.7 / 18.4, rel=0.1)
    assert 0.03 < scale.error / scale.mm_per_px < 0.1


def test_where_no_irises_are_found_there_is_no_scale():
    assert scaler_with(Finders(faces=0)).find(PHOTO, PUPILS, (80.0, 0.8)) is None
