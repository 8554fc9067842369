"""The doubtful labels as one HTML file that fetches nothing: the faces, with what was found drawn over them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from symface_cli.errors import SymfaceError, attempt
from symface_cli.files import on_one_line
from symface_cli.geometry.frames import apply, crop_from_box
from symface_cli.geometry.sampling import resample
from symface_cli.geometry.types import Array
from symface_cli.imaging.photo import read_photo
from symface_cli.landmarks.shape import face_outline, find_midline
from symface_cli.pages import InlineImage, inline_image, load_template
from symface_cli.training.data.labels import DOUBTS, Label, describe_labels, find_doubt
from symface_cli.training.data.prepared.targets import STORED_BOXES
from symface_cli.version import __version__

MOST_SHOWN = 100  # photos of a kind
PICTURE_SIDE = 256  # px
FIRST_ROW = 2  # of the CSV, below the heading


@dataclass(frozen=True)
class LabelDrawing:
    """What is drawn over a picture: SVG paths in its pixels."""

    outline: str
    midline: str
    landmarks: str


@dataclass(frozen=True, kw_only=True)
class DoubtfulPhoto:
    """A doubtful photo.

    Attributes:
        name: Its path in the data set.
        row: Of the CSV, as a spreadsheet program counts.
        label: What the CSV says.
        picture: The face, or without a face the photo; None if it cannot be read.
        drawing: What lies over it; None without landmarks.
    """

    name: str
    row: int
    label: Label
    picture: InlineImage | None = None
    drawing: LabelDrawing | None = None


@dataclass(frozen=True)
class DoubtfulGroup:
    """Doubtful photos of a kind: how many there are, and those shown."""

    title: str
    count: int
    cases: tuple[DoubtfulPhoto, ...]


def as_html(labels: Sequence[Label], folder: Path, name: str) -> str:
    """Render the page: photos that are not used by the reason, and those used that are most doubtful, the worst first.

    Args:
        labels: In the order of the CSV.
        folder: Where the photos are.
        name: What the CSV is called.
    """
    page = load_template(__package__, "review.html.jinja")
    return page.render(
        version=__version__, summary=describe_labels(labels), name=on_one_line(name), groups=_group(labels, folder)
    )


def _group(labels: Sequence[Label], folder: Path) -> list[DoubtfulGroup]:
    """Group photos by the reason why they are not used; those used come last."""
    groups = []
    for doubt in (*DOUBTS, None):
        rows = [(row, label) for row, label in enumerate(labels, FIRST_ROW) if find_doubt(label) == doubt]
        rows.sort(key=lambda entry: _disagreement(entry[1]), reverse=True)
        cases = tuple(_draw_case(row, label, folder) for row, label in rows[:MOST_SHOWN])
        groups.append(DoubtfulGroup(f"Photos {'that are used' if doubt is None else doubt}", len(rows), cases))
    return [group for group in groups if group.cases]


def _disagreement(label: Label) -> float:
    """Return how far a label's landmarks disagree; 0 where nobody measured it."""
    return 0.0 if label.disagreement is None else label.disagreement


def _draw_case(row: int, label: Label, folder: Path) -> DoubtfulPhoto:
    """Draw what a label says over its photo; leave out what cannot be drawn."""
    drawn = attempt(partial(_draw_photo, row, label, folder), label.photo)
    if isinstance(drawn, SymfaceError):
        return DoubtfulPhoto(name=on_one_line(label.photo), row=row, label=label)
    return drawn


def _draw_photo(row: int, label: Label, folder: Path) -> DoubtfulPhoto:
    name = on_one_line(label.photo)
    photo = read_photo(folder / label.photo)
    if label.box is None:
        return DoubtfulPhoto(name=name, row=row, label=label, picture=inline_image(photo, PICTURE_SIDE))
    crop_from_photo = crop_from_box(label.box, PICTURE_SIDE, STORED_BOXES)
    picture = inline_image(resample(photo, crop_from_photo, PICTURE_SIDE))
    drawing = None if label.landmarks is None else _draw(apply(crop_from_photo, label.landmarks))
    return DoubtfulPhoto(name=name, row=row, label=label, picture=picture, drawing=drawing)


def _draw(landmarks: Array) -> LabelDrawing:
    """Draw the lines for landmarks (68, 2) in pixels of the picture."""
    outline = face_outline(landmarks)
    point, direction = find_midline(landmarks)
    along = (outline - point) @ direction
    ends = point + np.outer([along.min(), along.max()], direction)
    dots = "".join(f"{_path(dot[None])}h0" for dot in landmarks)  # lines of no length, which have round ends
    return LabelDrawing(f"{_path(outline)}Z", _path(ends), dots)


def _path(points: Array) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
