"""The doubtful labels as one HTML file that fetches nothing: the faces, with what was found drawn over them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from symface_cli.errors import SymfaceError, attempt
from symface_cli.files import on_one_line
from symface_cli.geometry.frames import apply, crop_from_box
from symface_cli.geometry.sampling import resample
from symface_cli.geometry.types import Array
from symface_cli.imaging.photo import read_photo
from symface_cli.landmarks.mediapipe import MediaPipeLandmarks
from symface_cli.landmarks.mesh import MESH_468
from symface_cli.landmarks.scheme import IBUG_68, LandmarkScheme
from symface_cli.landmarks.shape import face_outline, find_midline
from symface_cli.pages import InlineImage, inline_image, load_template
from symface_cli.training.data.labels import DOUBTS, Label, describe_labels, find_doubt, weight_of
from symface_cli.training.data.prepared.targets import STORED_BOXES
from symface_cli.version import __version__

MOST_SHOWN = 100  # photos of a kind
PICTURE_SIDE = 256  # px
FIRST_ROW = 2  # of the CSV, below the heading
MESH_DOTS = np.concatenate([MESH_468.eyes, MESH_468.midline])  # of its points, all of which would hide the face


@dataclass(frozen=True)
class LabelDrawing:
    """What is drawn over a picture of what a teacher has found: SVG paths in its pixels."""

    outline: str
    midline: str
    dots: str


@dataclass(frozen=True, kw_only=True)
class DoubtfulPhoto:
    """A doubtful photo.

    Attributes:
        name: Its path in the data set.
        row: Of the CSV, as a spreadsheet program counts.
        label: What the CSV says.
        picture: The face, or without a face the photo; None if it cannot be read.
        landmarks: What lies over it; None without landmarks.
        mesh: The same of the mesh.
    """

    name: str
    row: int
    label: Label
    picture: InlineImage | None = None
    landmarks: LabelDrawing | None = None
    mesh: LabelDrawing | None = None


@dataclass(frozen=True)
class DoubtfulGroup:
    """Doubtful photos of a kind: how many there are, and those shown."""

    title: str
    count: int
    cases: tuple[DoubtfulPhoto, ...]


def as_html(labels: Sequence[Label], folder: Path, name: str) -> str:
    """Render the page: photos that are not used by the reason, and those used that are most doubtful, the worst first.

    What both teachers have found is drawn where the labels know of a mesh; as they do not hold it, it is found again.

    Args:
        labels: In the order of the CSV.
        folder: Where the photos are.
        name: What the CSV is called.

    Raises:
        WeightsError: If MediaPipe's networks are needed, not here, and cannot be downloaded.
    """
    finder = MediaPipeLandmarks() if any(label.mesh_disagreement is not None for label in labels) else None
    return load_template(__package__, "review.html.jinja").render(
        version=__version__,
        summary=describe_labels(labels),
        name=on_one_line(name),
        two_teachers=finder is not None,
        groups=_group(labels, folder, finder),
    )


def _group(labels: Sequence[Label], folder: Path, finder: MediaPipeLandmarks | None) -> list[DoubtfulGroup]:
    """Group photos by the reason why they are not used; those used come last."""
    groups = []
    for doubt in (*DOUBTS, None):
        rows = [(row, label) for row, label in enumerate(labels, FIRST_ROW) if find_doubt(label) == doubt]
        rows.sort(key=lambda entry: _doubt(entry[1]), reverse=True)
        cases = tuple(_draw_case(row, label, folder, finder) for row, label in rows[:MOST_SHOWN])
        groups.append(DoubtfulGroup(f"Photos {'that are used' if doubt is None else doubt}", len(rows), cases))
    return [group for group in groups if group.cases]


def _doubt(label: Label) -> tuple[float, float]:
    """Return how doubtful a label is: how little it counts, then how far teachers, or the runs of one, disagree."""
    measured = (label.apart, label.disagreement, label.mesh_disagreement)
    return 1 - weight_of(label), next((value for value in measured if value is not None), 0.0)


def _draw_case(row: int, label: Label, folder: Path, finder: MediaPipeLandmarks | None) -> DoubtfulPhoto:
    """Draw what a label says over its photo; leave out what cannot be drawn."""
    drawn = attempt(partial(_draw_photo, row, label, folder, finder), label.photo)
    if isinstance(drawn, SymfaceError):
        return DoubtfulPhoto(name=on_one_line(label.photo), row=row, label=label)
    return drawn


def _draw_photo(row: int, label: Label, folder: Path, finder: MediaPipeLandmarks | None) -> DoubtfulPhoto:
    name = on_one_line(label.photo)
    photo = read_photo(folder / label.photo)
    if label.box is None:
        return DoubtfulPhoto(name=name, row=row, label=label, picture=inline_image(photo, PICTURE_SIDE))
    crop_from_photo = crop_from_box(label.box, PICTURE_SIDE, STORED_BOXES)
    picture = inline_image(resample(photo, crop_from_photo, PICTURE_SIDE))
    landmarks = None
    if label.landmarks is not None:
        landmarks = _draw(apply(crop_from_photo, label.landmarks), IBUG_68, np.arange(IBUG_68.count))
    mesh = None if finder is None or label.mesh_disagreement is None else finder.label(photo, label.box)
    return DoubtfulPhoto(
        name=name,
        row=row,
        label=label,
        picture=picture,
        landmarks=landmarks,
        mesh=None if mesh is None else _draw(apply(crop_from_photo, mesh[0]), MESH_468, MESH_DOTS),
    )


def _draw(points: Array, scheme: LandmarkScheme, shown: NDArray[np.intp]) -> LabelDrawing:
    """Draw the lines for points (N, 2) in pixels of the picture, and some of these as dots."""
    outline = face_outline(points, scheme)
    point, direction = find_midline(points, scheme)
    along = (outline - point) @ direction
    ends = point + np.outer([along.min(), along.max()], direction)
    dots = "".join(f"{_path(dot[None])}h0" for dot in points[shown])  # lines of no length, which have round ends
    return LabelDrawing(f"{_path(outline)}Z", _path(ends), dots)


def _path(points: Array) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
