"""A part of an evaluation's photos, and how photos are put into parts by what is known of them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Subset:
    """Some of the photos.

    Attributes:
        attribute: What they are parted by, such as "yaw".
        value: What they have in common, such as "under 5".
        members: Their places among all photos, ascending.
    """

    attribute: str
    value: str
    members: tuple[int, ...]

    @property
    def name(self) -> str:
        """Name it in full, such as "yaw under 5"."""
        return f"{self.attribute} {self.value}"


def split_by(attribute: str, values: Iterable[str], of_photos: Sequence[Collection[str]]) -> tuple[Subset, ...]:
    """Split photos by an attribute. Subsets without photos are left out.

    Args:
        attribute: Its name.
        values: All that it may have, in the order of the subsets.
        of_photos: Those that each photo has: one, none or several.
    """
    members: dict[str, list[int]] = {value: [] for value in values}
    for place, of_photo in enumerate(of_photos):
        for value in of_photo:
            members[value].append(place)
    return tuple(Subset(attribute, value, tuple(places)) for value, places in members.items() if places)
