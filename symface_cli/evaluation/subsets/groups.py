"""The photos by groups that a file names: by age, say, or by where they come from."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from symface_cli.data.datasets import Dataset, DatasetPhoto
from symface_cli.data.photo_table import TableLayout, TableRow, read_rows
from symface_cli.errors import DataError
from symface_cli.evaluation.protocol import PhotoResult
from symface_cli.evaluation.subsets import difficulty
from symface_cli.evaluation.subsets.subset import Subset, split_by
from symface_cli.files import on_one_line

COLUMNS = ("photo", "attribute", "value")
LAYOUT = TableLayout(columns=COLUMNS, advice=f"begin the file with a line {','.join(COLUMNS)}")
NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")


@dataclass(frozen=True, kw_only=True)
class PhotoGroups:
    """Which groups the photos of a data set are in.

    Attributes:
        path: The file that says so.
        values: By attribute, in the file's order: the values of the photos that have one.
        strangers: How many lines of the file name photos that are not in the data set.
    """

    path: Path
    values: Mapping[str, Mapping[DatasetPhoto, str]]
    strangers: int

    def of(self, photo: DatasetPhoto) -> dict[str, str]:
        """Return the values of a photo, by attribute."""
        return {attribute: values[photo] for attribute, values in self.values.items() if photo in values}

    def count(self, photos: Iterable[DatasetPhoto]) -> int:
        """Count the photos that are in any group."""
        return sum(bool(self.of(photo)) for photo in photos)

    def describe(self, photos: Sequence[DatasetPhoto]) -> str:
        """Say in one line how many of the photos of a run are in groups, and how much of the file is of no use."""
        one = self.strangers == 1
        strangers = f"{self.strangers:,} line{'s'[one:]} of it name{'s'[:one]} photos that are not in the data set"
        groups = f"groups of {self.count(photos):,} of the {len(photos):,} photos in {on_one_line(str(self.path))}"
        return f"{groups}; {strangers}" if self.strangers else groups


def read_groups(path: Path, data: Dataset) -> PhotoGroups:
    """Read groups from a CSV with a line for each photo and attribute, also as spreadsheet programs save it.

    Raises:
        DataError: If it cannot be read, a cell is empty, a photo has two values of an attribute, an attribute has the
            name of one that every evaluation has, or none of the photos is in the data set.
    """
    photos = {data.name_of(photo): photo for photo in data.photos}
    values: dict[str, dict[DatasetPhoto, str]] = {}
    strangers: list[str] = []
    for row in read_rows(path, LAYOUT):
        name, attribute, value = _parse(row)
        if name not in photos:
            strangers.append(name)
            continue
        known = values.setdefault(attribute, {}).setdefault(photos[name], value)
        if known != value:
            raise row.fault(f"{on_one_line(name)} has two values of {attribute}, {known} and {value}; delete one")
    if not values:
        example = f", such as {on_one_line(strangers[0])}," if strangers else ""
        advice = "give each photo's path in there, with slashes"
        raise DataError(f"{path}: none of the photos in it{example} is in {data.folder}; {advice}")
    return PhotoGroups(path=path, values=values, strangers=len(strangers))


def _parse(row: TableRow) -> tuple[str, str, str]:
    """Return a line's photo, attribute and value; refuse what cannot be right."""
    for column in COLUMNS:
        if not row.cells[column].strip():
            raise row.fault(f"{column} is empty; fill it in, or delete the line")
    attribute, value = (on_one_line(row.cells[column].strip()) for column in COLUMNS[1:])
    if attribute in difficulty.ATTRIBUTES:
        raise row.fault(f"every evaluation has subsets by {attribute}; give the attribute another name")
    return row.cells["photo"], attribute, value


def split_by_groups(results: Sequence[PhotoResult], groups: PhotoGroups) -> tuple[Subset, ...]:
    """Split photos by each attribute of a file. Empty groups are left out; a photo may be in none."""
    subsets: list[Subset] = []
    for attribute, values in groups.values.items():
        of_photos = [[values[result.photo]] if result.photo in values else [] for result in results]
        subsets += split_by(attribute, sort_values(values.values()), of_photos)
    return tuple(subsets)


def sort_values(values: Iterable[str]) -> list[str]:
    """Sort the different ones of some values: by the number that each begins with, such as 13-25, or else by name."""
    names = sorted(set(values), key=lambda value: (value.casefold(), value))
    numbers = {name: found[0] for name in names if (found := NUMBER.match(name))}
    if len(numbers) < len(names):
        return names
    return sorted(names, key=lambda name: float(numbers[name].replace(",", ".")))
