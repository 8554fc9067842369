"""Which photo shows whom, when, and in which pose."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NamedTuple

from symface_cli.data.photo_table import TableLayout, TableRow, read_rows
from symface_cli.errors import DataError
from symface_cli.files import on_one_line

REST = "rest"
"""Name of the pose that the others are compared with."""
COLUMNS = ("subject", "date", "pose", "photo")
LAYOUT = TableLayout(columns=COLUMNS, advice=f"begin the file with a line {','.join(COLUMNS)}")


class Visit(NamedTuple):
    """A subject in a pose, at a date."""

    subject: str
    day: date
    pose: str


@dataclass(frozen=True)
class Session:
    """Photos of subjects.

    Attributes:
        photos: The photo of each visit; visits without one are left out.
        poses: All poses, that at rest first.
        days: The dates of each subject, the first one first.
    """

    photos: Mapping[Visit, Path]
    poses: tuple[str, ...]
    days: Mapping[str, tuple[date, ...]]

    def visits(self) -> Iterator[Visit]:
        """Yield every pose at every date of every subject, with a photo or without."""
        for subject, days in self.days.items():
            yield from (Visit(subject, day, pose) for day in days for pose in self.poses)


def read_session(path: Path) -> Session:
    """Read a session from a CSV with a line for each photo; names of photos begin where the file lies.

    A line without a photo is of a pose that is missing.

    Raises:
        DataError: If it cannot be read, a cell is empty or no date, two photos are of the same visit, or none is named.
    """
    photos: dict[Visit, Path | None] = {}
    for row in read_rows(path, LAYOUT):
        visit, photo = _read_visit(row), row.cells["photo"].strip()
        if visit in photos:
            raise row.fault(f"{visit.subject}, {visit.day}, {visit.pose} is in a line above, too; remove one")
        photos[visit] = path.parent / photo if photo else None
    found = {visit: photo for visit, photo in photos.items() if photo is not None}
    if not found:
        raise DataError(f"{on_one_line(str(path))}: it names no photo; add lines")
    poses = dict.fromkeys(sorted((visit.pose for visit in photos), key=lambda pose: pose != REST))
    days: dict[str, set[date]] = {}
    for visit in photos:
        days.setdefault(visit.subject, set()).add(visit.day)
    return Session(found, tuple(poses), {subject: tuple(sorted(known)) for subject, known in days.items()})


def _read_visit(row: TableRow) -> Visit:
    subject, day, pose = (row.cells[name].strip() for name in COLUMNS[:3])
    for name, cell in zip(COLUMNS, (subject, day, pose), strict=False):
        if not cell:
            raise row.fault(f"{name} is empty; fill it in")
    try:
        return Visit(subject, date.fromisoformat(day), pose)
    except ValueError as error:
        raise row.fault(f"{on_one_line(day)!r} is no date; write it as 2026-03-31") from error
