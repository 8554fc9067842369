"""What a table of measurements says of a photo and its faces."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from symface_cli.measurement.asymmetry import Estimate
from symface_cli.measurement.measures import BY_NAME
from symface_cli.measurement.photo import FaceMeasurement, LengthUnit, MeasuredSides
from symface_cli.measurement.points.scheme import Sides
from symface_cli.measurement.quantities import NAMES
from symface_cli.measurement.scale import Scale

SIDES: tuple[Sides, ...] = ("person", "viewer")
UNITS: tuple[LengthUnit, ...] = ("%", "mm")
Choice = TypeVar("Choice", bound=str)


def choose(text: str, choices: Sequence[Choice]) -> Choice:
    """Return which of some choices a text is.

    Raises:
        ValueError: If it is none.
    """
    return choices[choices.index(text)]


@dataclass(frozen=True, kw_only=True)
class FaceRow:
    """The numbers of one face.

    Attributes:
        number: The face's number by size.
        eye_distance: Its size in photo pixels.
        turned: Whether the head is turned too far.
        sides: Whose left and right.
        values: Value and error, by the names of `quantities.NAMES`.
        unit: Of the lengths among the measures.
        scale: Millimeters per photo pixel; None without one.
        measures: By the names of `measures.MEASURES`.
        heatmap_sha256: Of its heat map's file; empty if there is none.
    """

    number: int
    eye_distance: float
    turned: bool
    sides: Sides
    values: Mapping[str, Estimate]
    unit: LengthUnit
    scale: Scale | None
    measures: Mapping[str, MeasuredSides]
    heatmap_sha256: str = ""


@dataclass(frozen=True, kw_only=True)
class PhotoRows:
    """A photo: a row for each face, or one that says why there is none.

    Attributes:
        photo: Its path.
        faces: Its faces, the largest first.
        status: 0, or the exit status of the failure.
        reason: Why it failed; empty if it did not.
        sha256: Of its file; empty if that cannot be read, and for standard input.
        measured_by: What the numbers depend on besides the photo.
    """

    photo: str
    faces: tuple[FaceRow, ...] = ()
    status: int = 0
    reason: str = ""
    sha256: str = ""
    measured_by: str = ""


def row_of(face: FaceMeasurement, heatmap_sha256: str = "") -> FaceRow:
    """Return a face's numbers, rounded as a table has them."""
    return FaceRow(
        number=face.number,
        eye_distance=round(face.eye_distance, 2),
        turned=face.is_yaw_too_large,
        sides=face.sides,
        values={name: Estimate(*map(_round, face.values[name])) for name in NAMES},
        unit="%" if face.scale is None else "mm",
        scale=None if face.scale is None else Scale(*(round(number, 6) for number in face.scale)),
        measures={name: _rounded(face.measures[name]) for name in BY_NAME},
        heatmap_sha256=heatmap_sha256,
    )


def _rounded(measured: MeasuredSides) -> MeasuredSides:
    return MeasuredSides(
        unit=measured.unit,
        left=None if measured.left is None else _round(measured.left),
        right=None if measured.right is None else _round(measured.right),
        diff=_round(measured.diff),
        error=_round(measured.error),
    )


def _round(number: float) -> float:
    return round(number, 4) + 0.0


def join_faces(rows: Iterable[PhotoRows]) -> Iterator[PhotoRows]:
    """Put together what was read face by face; of a photo that was measured twice, both stay."""
    photo: PhotoRows | None = None
    for row in rows:
        if photo is not None and _is_next(photo, row):
            photo = replace(photo, faces=photo.faces + row.faces)
            continue
        if photo is not None:
            yield photo
        photo = row
    if photo is not None:
        yield photo


def _is_next(photo: PhotoRows, row: PhotoRows) -> bool:
    if not photo.faces or not row.faces or row.faces[0].number <= photo.faces[-1].number:
        return False
    return replace(photo, faces=row.faces) == row
