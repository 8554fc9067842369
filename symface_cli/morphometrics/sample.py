"""The landmarks of a sample of people, in one or more photos of each."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from symface_cli.errors import DataError
from symface_cli.geometry.types import Array

LEAST_PEOPLE, LEAST_POINTS = 2, 3


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Landmarks of people; those of one person's photos lie beside each other.

    Attributes:
        photos: Names of the R photos.
        people: Names of the n people, in the order of their photos.
        counts: How many photos there are of each.
        points: Names of the p points.
        partner: (p,) for each point the number of its mirror image; its own on the midline.
        coordinates: (R, p, 2).
    """

    photos: tuple[str, ...]
    people: tuple[str, ...]
    counts: NDArray[np.intp]
    points: tuple[str, ...]
    partner: NDArray[np.intp]
    coordinates: Array

    @property
    def owners(self) -> NDArray[np.intp]:
        """(R,) the number of each photo's person."""
        return np.repeat(np.arange(len(self.people)), self.counts)

    @property
    def starts(self) -> NDArray[np.intp]:
        """(n,) the number of each person's first photo."""
        return np.cumsum(self.counts) - self.counts

    @property
    def has_replicates(self) -> bool:
        """Whether there are several photos of anybody, which tell the error of a measurement."""
        return bool(self.counts.max() > 1)


@dataclass(frozen=True)
class Landmarks:
    """The landmarks of one photo: its name, the person's name, and the points by their names."""

    photo: str
    person: str
    points: dict[str, tuple[float, float]]


def make_sample(photos: list[Landmarks], partners: dict[str, str], where: str) -> Sample:
    """Put landmarks together to a sample, people in the order in which they first come.

    Args:
        photos: The landmarks; all have the same points.
        partners: The name of each point's mirror image.
        where: What they come from, for messages.

    Raises:
        DataError: If there are fewer than two people or three points, or the points of a photo are others, or no shape.
    """
    people = dict.fromkeys(photo.person for photo in photos)
    if len(people) < LEAST_PEOPLE:
        raise DataError(f"{where}: {len(people)} people; a sample has two or more")
    names = tuple(photos[0].points)
    if len(names) < LEAST_POINTS:
        raise DataError(f"{where}: {len(names)} points; a shape has three or more")
    for photo in photos:
        _check_points(photo, names, where)
    numbers = {person: number for number, person in enumerate(people)}
    ordered = sorted(photos, key=lambda photo: numbers[photo.person])
    counts = Counter(photo.person for photo in photos)
    return Sample(
        photos=tuple(photo.photo for photo in ordered),
        people=tuple(people),
        counts=np.array([counts[person] for person in people]),
        points=names,
        partner=np.array([names.index(partners[name]) for name in names]),
        coordinates=np.array([[photo.points[name] for name in names] for photo in ordered]),
    )


def _check_points(photo: Landmarks, names: tuple[str, ...], where: str) -> None:
    if photo.points.keys() != set(names):
        name = min(photo.points.keys() ^ set(names))
        raise DataError(f"{where}: {photo.photo} has other points than the first photo: {name}; all need the same")
    if len(set(photo.points.values())) == 1:
        raise DataError(f"{where}: {photo.photo}: all points are at one place; remove it")
