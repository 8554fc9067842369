"""A batch's results as one HTML file that fetches nothing: a slider from each photo to its result, and the measures."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from pathlib import Path
from urllib.parse import quote

from symface_cli.batch.outcomes import Outcome
from symface_cli.batch.targets import STREAM
from symface_cli.batch.thumbnails import Slide, choose_side, draw_slides
from symface_cli.errors import SymfaceError, attempt
from symface_cli.files import on_one_line
from symface_cli.inference.face import FAR_TURNS
from symface_cli.measurement.quantities import Area, MeasureKey, Quantity
from symface_cli.pages import InlineImage, load_template
from symface_cli.rendering.identity import SAME_PERSON
from symface_cli.rendering.records import FaceRecord
from symface_cli.storage.address import Address
from symface_cli.version import __version__


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A number that a face may have.

    Attributes:
        heading: What it is called.
        read: Takes it from a face's record; None where the face has none.
        form: What it looks like.
        meaning: What it says.
        limit: From where on there is a warning, whatever its sign.
        warning: What that says.
    """

    heading: str
    read: Callable[[FaceRecord], float | None]
    form: str
    meaning: str
    limit: float = float("inf")
    warning: str = ""


MEASURES = (
    Measure(
        heading="midline",
        read=attrgetter("midline_degrees"),
        form="{:.1f}°",
        meaning="Tilt of the face's midline, clockwise from upright.",
    ),
    Measure(
        heading="eye distance",
        read=attrgetter("eye_distance"),
        form="{:.0f} px",
        meaning="Between the eyes of the symmetric face, in the photo's pixels.",
    ),
    Measure(
        heading="turn",
        read=attrgetter("yaw_degrees"),
        form="{:.0f}°",
        meaning=f"How far the head is turned to the viewer's right; beyond {FAR_TURNS[0]:.0f}° it is changed less.",
        limit=FAR_TURNS[0],
        warning="strongly turned",
    ),
    Measure(
        heading="pose",
        read=lambda record: None if record.pose_share is None else 100 * record.pose_share,
        form="{:.0f} %",
        meaning="How much of the displacement between the two sides of the face comes from the turn.",
    ),
    Measure(
        heading="identity distance",
        read=attrgetter("identity"),
        form="{:.2f}",
        meaning=f"Between the photo and the result, by dlib's recognizer; the same person is below {SAME_PERSON}.",
        limit=SAME_PERSON,
        warning="may not be recognized",
    ),
    Measure(
        heading="shape asymmetry",
        read=lambda record: _whole(record, Quantity.SHAPE),
        form="{:.1f} %",
        meaning="Mean displacement between the two sides of the face, in per cent of the eye distance.",
    ),
    Measure(
        heading="color asymmetry",
        read=lambda record: _whole(record, Quantity.COLOR),
        form="{:.1f}",
        meaning="Mean difference in color between the two sides of the face, CIE 1976 Delta E.",
    ),
)


def _whole(record: FaceRecord, quantity: Quantity) -> float | None:
    """Return a measurement of the whole face."""
    return None if record.asymmetry is None else record.asymmetry[MeasureKey(quantity, Area.WHOLE).name][0]


@dataclass(frozen=True, kw_only=True)
class Value:
    """A measure of a face: its text, empty if it has none, what to sort it by, and what it warns of."""

    heading: str
    text: str = ""
    number: float | None = None
    warning: str = ""


@dataclass(frozen=True)
class Face:
    """A face: its number (None for a photo's only one), its measures, and a very small picture of the result."""

    number: int | None
    values: tuple[Value, ...]
    icon: InlineImage | None


@dataclass(frozen=True)
class Link:
    """A file: what it is called, and where it lies from the page; empty if there is nothing to link to."""

    name: str
    address: str


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A photo that went well."""

    photo: Link
    slides: tuple[Slide, ...]
    faces: tuple[Face, ...]
    files: tuple[Link, ...]


@dataclass(frozen=True)
class Failure:
    """A photo that went wrong."""

    photo: Link
    reason: str


@dataclass(frozen=True)
class Place:
    """Where a page lies, and the folder that all of its photos lie in."""

    page: Path
    photos: Path

    def link(self, path: Path, name: str) -> Link:
        """Link to a file."""
        if isinstance(path, Address) != isinstance(self.page, Address):
            return Link(on_one_line(name), str(path) if isinstance(path, Address) else path.resolve().as_uri())
        try:
            address = quote(os.fsencode(Path(os.path.relpath(path, self.page)).as_posix()))
        except ValueError:  # on another drive
            address = path.resolve().as_uri()
        return Link(on_one_line(name), address)

    def link_photo(self, photo: Path) -> Link:
        """Link to a photo, called by where it lies among the others."""
        if photo == STREAM:
            return Link("standard input", "")
        whole = photo.absolute()
        return self.link(photo, str(whole.relative_to(self.photos) if whole.is_relative_to(self.photos) else photo))


def as_html(outcomes: Sequence[Outcome], folder: Path) -> str:
    """Write the page; the same outcomes and pictures give the same text.

    Photos and results are read again, one at a time; what cannot be read any more is listed without pictures.

    Args:
        outcomes: Results of the photos.
        folder: Where the page will lie: its links begin there.
    """
    page = load_template(__package__, "gallery.html.jinja")
    done = [outcome for outcome in outcomes if outcome.error is None]
    records = [record for outcome in done for record in outcome.faces]
    measures = [measure for measure in MEASURES if any(measure.read(record) is not None for record in records)]
    place = Place(folder, _common_folder(outcomes))
    side = choose_side(sum(max(len(outcome.pairs), 1) for outcome in done))
    return page.render(
        version=__version__,
        measures=measures,
        failures=[_describe_failure(outcome, place) for outcome in outcomes if outcome.error is not None],
        entries=[_describe(outcome, place, measures, side) for outcome in done],
        faces=len(records),
    )


def _common_folder(outcomes: Sequence[Outcome]) -> Path:
    folders = [outcome.photo.absolute().parent for outcome in outcomes]
    try:
        return Path(os.path.commonpath(folders))
    except ValueError:  # none, or on several drives
        return Path()


def _describe(outcome: Outcome, place: Place, measures: Sequence[Measure], side: int) -> Entry:
    drawn = attempt(partial(draw_slides, outcome, side), str(outcome.photo))
    slides = () if isinstance(drawn, SymfaceError) else drawn
    icons = {slide.face: slide.icon for slide in slides}
    several = len(outcome.faces) > 1
    faces = [
        Face(number if several else None, _values(record, measures), icons.get(number, icons.get(None)))
        for number, record in enumerate(outcome.faces, 1)
    ]
    files = [place.link(path, path.name) for path in outcome.written if path != STREAM]
    return Entry(photo=place.link_photo(outcome.photo), slides=slides, faces=tuple(faces), files=tuple(files))


def _values(record: FaceRecord, measures: Sequence[Measure]) -> tuple[Value, ...]:
    return tuple(_value(measure, measure.read(record)) for measure in measures)


def _value(measure: Measure, number: float | None) -> Value:
    if number is None:
        return Value(heading=measure.heading)
    text = measure.form.format(number).replace("-", "\N{MINUS SIGN}")
    warning = measure.warning if abs(number) >= measure.limit else ""
    return Value(heading=measure.heading, text=text, number=number, warning=warning)


def _describe_failure(outcome: Outcome, place: Place) -> Failure:
    return Failure(place.link_photo(outcome.photo), on_one_line(str(outcome.error)))
