"""Landmarks of a sample: a table of named points, numbered ones as TPS, or a folder with a table for each photo."""

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from symface_cli.data.photo_table import TableLayout, TableRow, read_rows
from symface_cli.errors import DataError
from symface_cli.files import is_folder, on_one_line
from symface_cli.morphometrics.sample import Landmarks, Sample, make_sample

TABLE = TableLayout(
    columns=("photo", "face", "person", "point", "x", "y"),
    optional=("face", "person"),
    advice="begin the file with a line photo,face,point,x,y",
)
FILE = TableLayout(columns=("x", "y"), advice="begin the file with a line x,y")
MIRROR = TableLayout(columns=("point", "mirror"), advice="begin the file with a line point,mirror")
PEOPLE = TableLayout(columns=("photo", "person"), advice="begin the file with a line photo,person")
SIDES = {"left": "right", "right": "left"}


def read_sample(measured: Path, people: Path | None = None, mirror: Path | None = None) -> Sample:
    """Read landmarks.

    Args:
        measured: A table with a line for each point, a TPS file, or a folder of tables with the points of a photo each.
        people: A table that says whose the photos are; None where each is of another person, or the first table says.
        mirror: A table of the points' mirror images; None for names that end in `_left` and `_right`.

    Raises:
        DataError: If one cannot be read, or does not fit the others.
    """
    where = on_one_line(str(measured))
    photos = list(_read_photos(measured))
    if not photos:
        raise DataError(f"{where}: no landmarks; give a table of points, or a folder of such")
    if people is not None:
        photos = _name_people(photos, people)
    points = photos[0].points
    partners = _pair_by_name(points, where) if mirror is None else _read_mirror(mirror, points)
    return make_sample(photos, partners, where)


def _read_photos(measured: Path) -> Iterator[Landmarks]:
    if is_folder(measured):
        return _read_folder(measured)
    return _read_tps(measured) if measured.suffix.lower() == ".tps" else _read_table(measured)


def _read_table(path: Path) -> Iterator[Landmarks]:
    """Read a table with a line for each point; several faces of a photo are named by their numbers, too."""
    found: dict[str, Landmarks] = {}
    for row in read_rows(path, TABLE):
        cells = {name: cell.strip() for name, cell in row.cells.items()}
        photo, face = cells["photo"], cells.get("face", "")
        name = photo if face in ("", "1") else f"{photo}, face {face}"
        person = cells.get("person") or name
        landmarks = found.setdefault(name, Landmarks(name, person, {}))
        if landmarks.person != person:
            raise row.fault(f"{name} is of {landmarks.person} in a line above, and of {person} here")
        if cells["point"] in landmarks.points:
            raise row.fault(f"the point {cells['point']} of {name} is in a line above, too; remove one")
        landmarks.points[cells["point"]] = _read_point(row)
    yield from found.values()


def _read_folder(folder: Path) -> Iterator[Landmarks]:
    """Read a folder: each `NAME.csv` has the points of the photo NAME, numbered from 0."""
    for path in sorted(folder.glob("*.csv")):
        points = {str(number): _read_point(row) for number, row in enumerate(read_rows(path, FILE))}
        yield Landmarks(path.stem, path.stem, points)


def _read_tps(path: Path) -> Iterator[Landmarks]:
    """Read a TPS file: configurations of numbered points, y upward, named by ID or else by IMAGE."""
    try:
        text = path.read_text("utf-8-sig", "surrogateescape")
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    for number, block in enumerate(re.split(r"(?im)^LM *=", text)[1:], 1):
        count, *lines = block.splitlines()
        said = {key.upper(): name for key, name in re.findall(r"(?im)^(ID|IMAGE) *= *(.*?)\s*$", block)}
        name = said.get("ID") or said.get("IMAGE") or str(number)
        try:
            points = [tuple(map(float, line.split())) for line in lines[: int(count)]]
            yield Landmarks(name, name, {str(place): (x, -y) for place, (x, y) in enumerate(points)})
        except ValueError as error:
            raise DataError(f"{on_one_line(str(path))}: configuration {number}: no LM={count} points x y") from error


def _read_point(row: TableRow) -> tuple[float, float]:
    try:
        x, y = (float(row.cells[name].replace(",", ".")) for name in ("x", "y"))
    except ValueError as error:
        raise row.fault("x and y are not both numbers; correct it") from error
    if not math.isfinite(x + y):
        raise row.fault("x and y are not both numbers; correct it")
    return x, y


def _name_people(photos: list[Landmarks], path: Path) -> list[Landmarks]:
    people = {row.cells["photo"].strip(): row.cells["person"].strip() for row in read_rows(path, PEOPLE)}
    for photo in photos:
        if not people.get(photo.photo):
            raise DataError(f"{on_one_line(str(path))}: nobody is named for {photo.photo}; add a line for it")
    return [Landmarks(photo.photo, people[photo.photo], photo.points) for photo in photos]


def _read_mirror(path: Path, points: Mapping[str, object]) -> dict[str, str]:
    partners = {row.cells["point"].strip(): row.cells["mirror"].strip() for row in read_rows(path, MIRROR)}
    for point in points:
        partner = partners.get(point, "")
        if partner not in points or partners.get(partner) != point:
            raise DataError(f"{on_one_line(str(path))}: no mirror image of the point {point}, or one that has another")
    return partners


def _pair_by_name(points: Mapping[str, object], where: str) -> dict[str, str]:
    """Pair names that differ in their side; what has none lies on the midline."""
    partners = {}
    for point in points:
        stem, _, side = point.rpartition("_")
        partners[point] = f"{stem}_{SIDES[side]}" if side in SIDES else point
        if partners[point] not in points:
            raise DataError(f"{where}: the point {point} has no partner {partners[point]}; name the mirror images")
    if all(point == partner for point, partner in partners.items()):
        raise DataError(f"{where}: no point's name ends in _left or _right; name the mirror images")
    return partners
