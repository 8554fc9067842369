"""The places of points in a face frame: those of people who were not fitted, and symmetric whatever is seen."""

import numpy as np
import pytest

from symface_cli.imaging.photo import read_photo
from symface_cli.inference.symmetrizer import Symmetrizer
from symface_cli.measurement.points import places
from symface_cli.measurement.points.scheme import COUNT, index_of, mirror_points
from symface_cli.measurement.reading import mean_of_sides
from tests.conftest import ROOT

NOWHERE = np.zeros((257, 257), np.float32)


def test_places_are_symmetric_whatever_is_seen():
    found = places.load_places().find(np.random.default_rng(0).uniform(0, 255, (257, 257)))
    assert found.shape == (COUNT, 2)
    assert (mirror_points(found) == found).all()


def test_a_model_is_read_as_it_was_written():
    generator = np.random.default_rng(1)

    def regression(features, values):
        parts = (generator.integers(-4, 4, shape) / 8 for shape in ((features,), (features, values), (values,)))
        return places.Regression(*(part.astype(np.float32) for part in parts))  # exact in half precision

    coarse = regression(places.see_coarsely(places.even_contrast(NOWHERE)).size, 2 * places.HALF)
    stages = tuple(tuple(regression(places.PATCH**2, 2) for _ in range(places.HALF)) for _ in places.STEPS)
    model = places.PlaceModel(coarse, stages)
    read = places.unpack(places.read_arrays(places.pack(model)))
    face = generator.uniform(0, 255, (257, 257))
    assert (read.find(face) == model.find(face)).all()


@pytest.mark.parametrize("name", ["female_28", "female_87", "male_15"])
def test_the_points_of_a_portrait_lie_in_their_order(name):
    image = Symmetrizer(device="cpu").symmetrize(read_photo(ROOT / f"examples/people/{name}.jpg"))[0].image
    found = places.load_places().find(mean_of_sides(image))

    def height(*points):
        return [found[index_of(point), 1] for point in points]

    downward = height(
        "brow_3", "upper_lid_2", "pupil", "lower_lid_2", "nose_tip", "subnasale", "upper_lip", "commissure"
    )
    downward += height("lower_lip", "chin")
    assert downward == sorted(downward)
    inward = [found[index_of(point), 0] for point in ("brow_1", "lateral_canthus", "pupil", "medial_canthus")]
    assert inward == sorted(inward)
    assert abs(found[index_of("ala"), 0] - inward[-1]) < 0.05  # a nose is about as wide as the eyes are apart
    assert -0.3 < found[index_of("pupil"), 0] < -0.23  # the eyes are 0.54 apart
