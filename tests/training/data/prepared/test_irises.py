"""Irises to learn from: taken where the picture shows them, given up where the network guesses."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from symface_cli.geometry.types import Array, Landmarks, Photo
from symface_cli.landmarks.iris import CORNERS
from symface_cli.landmarks.mesh import MESH_468
from symface_cli.training.data.prepared.irises import LIDS, find_irises

IRISES = np.array([[60, 80, 9], [141, 80, 9.0]])


class Finder:
    """Stands for the network: says that the irises are at a place, and moves with the mesh by a share of its way."""

    def __init__(self, follows: float) -> None:
        self.follows = follows

    def find(self, photo: Photo, points: Landmarks) -> Array:
        moved = points[[CORNERS[0][0], CORNERS[1][0]]] - [[35, 80], [115, 80]]
        return np.column_stack([IRISES[:, :2] + self.follows * moved, IRISES[:, 2]])


def mesh(opening: float) -> NDArray[np.float32]:
    """Eyes 50 px wide, the left one from x = 35 on, open by a share of that."""
    points = np.zeros((MESH_468.count, 2), np.float32)
    for eye, left in enumerate((35, 115)):
        points[list(CORNERS[eye])] = [[left, 80], [left + 50, 80]]
        for upper, lower in LIDS[eye]:
            points[upper], points[lower] = (left + 25, 80 - 25 * opening), (left + 25, 80 + 25 * opening)
    return points


def photo(iris: int, beside: int = 200) -> Photo:
    """Two discs of a gray level on another."""
    image = np.full((160, 200, 3), beside, np.uint8)
    for x, y, radius in IRISES.astype(int).tolist():
        cv2.circle(image, (x, y), radius, (iris, iris, iris), -1)
    return image


def test_what_is_dark_and_stays_where_it_is_is_an_iris() -> None:
    for follows in (0, 0.1):  # by 0.1 * 2 * (3, 2) px, less than a quarter of the radius
        assert np.allclose(find_irises(Finder(follows), photo(60), mesh(0.3)), IRISES)


@pytest.mark.parametrize(
    ("image", "follows"),
    [
        (photo(60), 1.0),  # by 2 * (3, 2) px
        (photo(190), 0.0),  # no darker than skin
        (photo(5, beside=20), 0.0),  # behind dark glasses
    ],
)
def test_what_the_network_guesses_is_not_known(image: Photo, follows: float) -> None:
    assert np.isnan(find_irises(Finder(follows), image, mesh(0.3))).all()


def test_a_closed_eye_shows_no_iris() -> None:
    assert find_irises(Finder(0), photo(200), mesh(0.1))[:, 2].tolist() == [0, 0]
    assert find_irises(Finder(0), photo(60), mesh(0.1))[:, 2].tolist() == [9, 9]  # hardly open
