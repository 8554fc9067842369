"""A session as one HTML file that fetches nothing: the photos, curves over time, and the numbers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from symface_cli.detection.detector import roll_matrix
from symface_cli.errors import UNREADABLE
from symface_cli.files import on_one_line
from symface_cli.geometry.frames import apply, crop_from_box
from symface_cli.geometry.sampling import resample
from symface_cli.geometry.types import Array
from symface_cli.imaging.photo import read_photo
from symface_cli.measurement.measures import BY_NAME
from symface_cli.measurement.photo import MeasuredSides
from symface_cli.measurement.points.scheme import lines_of
from symface_cli.pages import InlineImage, inline_image, load_template
from symface_cli.sessions.changes import Comparison, Study
from symface_cli.sessions.charts import BOTTOM, LEFT, RIGHT, TOP, Chart, draw_chart
from symface_cli.sessions.plan import Visit

PICTURE_SIDE = 320  # px
PICTURE_BOXES = 1.6  # side of a picture in box widths: the face with its outline


@dataclass(frozen=True)
class Picture:
    """The face at a date, or why it is missing; the measures' outlines and points over it, as SVG paths."""

    day: date
    image: InlineImage | None = None
    reason: str = ""
    outlines: str = ""
    points: str = ""


@dataclass(frozen=True)
class Cell:
    """A number as text, and what is known beside it; both empty where there is none."""

    text: str = ""
    note: str = ""


@dataclass(frozen=True)
class Table:
    """Numbers: a row for each measure, a cell for each date."""

    title: str
    rows: Sequence[tuple[str, Sequence[Cell]]]


@dataclass(frozen=True)
class PoseView:
    """What a subject's pose looks like over time."""

    name: str
    pictures: Sequence[Picture]
    charts: Sequence[Chart]
    tables: Sequence[Table]


@dataclass(frozen=True)
class SubjectView:
    """A subject's dates and poses."""

    name: str
    days: Sequence[date]
    poses: Sequence[PoseView]


def session_as_html(study: Study) -> bytes:
    """Write the page; the same photos and numbers give the same bytes."""
    page = load_template(__package__, "session.html.jinja").render(
        left=next((face.sides for face in study.measured.values()), "person"),
        subjects=[_view_subject(study, subject) for subject in study.session.days],
        frame={"left": LEFT, "right": RIGHT, "top": TOP, "bottom": BOTTOM},
    )
    return page.encode()


def _view_subject(study: Study, subject: str) -> SubjectView:
    days = study.session.days[subject]
    visits = {pose: [Visit(subject, day, pose) for day in days] for pose in study.session.poses}
    poses = [_view_pose(study, pose, line) for pose, line in visits.items() if any(map(study.session.photos.get, line))]
    return SubjectView(on_one_line(subject), days, poses)


def _view_pose(study: Study, pose: str, visits: Sequence[Visit]) -> PoseView:
    compared, days = [study.compare(visit) for visit in visits], [visit.day for visit in visits]
    names = [name for name in BY_NAME if any(name in line for line in compared)]
    lines = {name: [line.get(name) for line in compared] for name in names}
    charts = [
        draw_chart(name, days, [None if found is None else found.value for found in line])
        for name, line in lines.items()
    ]
    tables = [
        _tabulate("Measured", lines, lambda found: _cell(found.value, "", found.ratio)),
        _tabulate("Change from rest", lines, lambda found: _cell(found.from_rest, "+", found.ratio_from_rest)),
        _tabulate("Change from the first date", lines, lambda found: _cell(found.from_first, "+")),
    ]
    pictures = [_picture(study, visit) for visit in visits]
    return PoseView(on_one_line(pose), pictures, charts, [table for table in tables if table.rows])


def _tabulate(
    title: str, lines: Mapping[str, Sequence[Comparison | None]], write: Callable[[Comparison], Cell]
) -> Table:
    """Write a table, without the measures of which there is no number."""
    rows = [(name, [Cell() if found is None else write(found) for found in line]) for name, line in lines.items()]
    return Table(title, [(name, cells) for name, cells in rows if any(cell.text for cell in cells)])


def _cell(sides: MeasuredSides | None, sign: str = "", ratio: float | None = None) -> Cell:
    """Write both sides, and beside them their difference; changes with their sign."""
    if sides is None:
        return Cell()
    difference = f"{sides.diff:{sign}.2f} ± {sides.error:.2f}"
    if sides.left is None or sides.right is None:
        return Cell(difference)
    beside = "" if ratio is None else f", ratio {ratio:.2f}"
    return Cell(f"{sides.left:{sign}.2f} / {sides.right:{sign}.2f}", difference + beside)


def _picture(study: Study, visit: Visit) -> Picture:
    """Cut out the face, upright, or say why there is none."""
    path, measured = study.session.photos.get(visit), study.measured.get(visit)
    if path is None:
        return Picture(visit.day, reason="no photo")
    if measured is None:
        return Picture(visit.day, reason=study.failures[visit][1])
    try:
        photo = read_photo(path)
    except UNREADABLE as error:  # it went after it was measured
        return Picture(visit.day, reason=str(error))
    rolled_from_photo, _ = roll_matrix(photo.shape[1], photo.shape[0], measured.roll_degrees)
    picture_from_photo = crop_from_box(measured.box, PICTURE_SIDE, PICTURE_BOXES) @ rolled_from_photo
    image = inline_image(resample(photo, picture_from_photo, PICTURE_SIDE))
    places = apply(picture_from_photo, np.array(list(measured.points.values())).reshape(-1, 2))
    outlines = [places[line] for side in range(2) for line in lines_of(side)] if len(places) else []
    return Picture(visit.day, image, "", "".join(map(_path, outlines)), "".join(_path(place[None]) for place in places))


def _path(line: Array) -> str:
    """Write a line (N, 2), or a point, as an SVG path."""
    (x, y), *others = line.tolist()
    return f"M{x:.1f} {y:.1f}" + ("".join(f"L{x:.1f} {y:.1f}" for x, y in others) or "h0")
