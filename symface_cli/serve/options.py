"""The fields of a request to what is to be done, under the names that the command line has for its options."""

import json
from collections.abc import Mapping, Sequence
from typing import cast

from symface_cli.detection.selection import Selection
from symface_cli.errors import UsageError
from symface_cli.geometry.types import Array
from symface_cli.imaging.formats import FORMATS
from symface_cli.inference.face import Side
from symface_cli.measurement.photo import Convention
from symface_cli.measurement.points.scheme import Sides
from symface_cli.measurement.scale import IRIS_MM, parse_scaling
from symface_cli.rendering import parsing
from symface_cli.rendering.morphing import Amounts, PoseMode
from symface_cli.rendering.options import SIZES, Output, OutputOptions
from symface_cli.serve.fields import Field, Values
from symface_cli.serve.work.jobs import LookJob, MeasureJob, MeasureOutput, SymmetrizeJob
from symface_cli.serve.work.studio import Choice, Mark, Upload

MOST_MARKS = 64
SCREENS = (64, 4096)  # px
LOOKED_AT = 1280  # px, of a photo as it is, where nobody says how large
KINDS = (*parsing.KINDS, Output.COMPARE.value)
_AMOUNT = parsing.LARGEST_AMOUNT
_POINTS = "four numbers with commas between, in pixels of the upright photo"

FACES = Field(name="faces", meaning="Which faces: all, largest, or a number by size.", default="all")
MARKS = Field(
    name="marks",
    meaning="Faces as a person has corrected them: a JSON array of objects with number, eyes and midline, the last two "
    "of four numbers: the viewer's left and right eye; upper and lower end.",
)
SCREEN = Field(
    name="screen",
    meaning="Longest side in pixels of a picture to be looked at, made of a smaller photo; a photo comes as JPEG.",
    kind="integer",
    least=SCREENS[0],
    most=SCREENS[1],
)
PLACES = (
    Field(name="min_face", meaning="Smallest face to detect, width of its box in pixels.", kind="number", least=16),
    Field(name="box", meaning=f"Where the face is, brows to chin, if it is not found: x, y, width, height; {_POINTS}."),
    Field(name="eyes", meaning=f"Where the viewer's left and right eye are: x, y, x, y; {_POINTS}."),
)
PREVIEWING = (FACES, MARKS, *PLACES, SCREEN)
SYMMETRIZING = (
    Field(name="output", meaning="What is made.", choices=KINDS, many=True, default="photo"),
    Field(name="shape", meaning="How symmetric the shape.", kind="number", least=-_AMOUNT, most=_AMOUNT, default=1.0),
    Field(name="color", meaning="How symmetric the colors.", kind="number", least=-_AMOUNT, most=_AMOUNT, default=1.0),
    Field(name="side", meaning="What it is made of.", choices=("both", "left", "right"), default="both"),
    Field(name="detail", meaning="The photo's own pixels, or the VAE's drawing.", kind="boolean", default=True),
    Field(name="pose", meaning="Whether heads stay turned.", choices=("keep", "front")),
    Field(name="continuum", meaning="Numbered frames for shares of the amounts: FROM:TO:STEP."),
    Field(name="gif", meaning="An animation from the photo to the result and back.", kind="boolean", default=False),
    Field(name="size", meaning="Side of a face in pixels.", kind="integer", least=SIZES[0], most=SIZES[1]),
    Field(name="background", meaning="What surrounds a face: keep, transparent, or a color.", default="keep"),
    Field(name="format", meaning="Format of photos and crops, by its suffix.", choices=tuple(FORMATS)),
    *PREVIEWING,
)
MEASURING = (
    Field(name="output", meaning="What is wanted.", choices=("json", "heatmap", "overlay"), default="json"),
    Field(name="raw", meaning="Leave the turn of the head in.", kind="boolean", default=False),
    Field(name="sides", meaning="Whose left and right.", choices=("person", "viewer"), default="person"),
    Field(name="scale", meaning="Lengths in mm: none, iris, ipd=MM or mm_per_px=MM.", default="none"),
    Field(name="iris_mm", meaning="Diameter of an iris in mm, with scale iris.", kind="number", default=IRIS_MM),
    FACES,
    MARKS,
    SCREEN,
)


def read_symmetrizing(upload: Upload, given: Mapping[str, Sequence[str]]) -> SymmetrizeJob:
    """Return what the fields ask for.

    Raises:
        UsageError: If they make no sense, or not together.
    """
    values = Values(SYMMETRIZING, given)
    kinds = tuple(Output(kind) for kind in dict.fromkeys(values.texts("output") or ["photo"]))
    if Output.FACE not in kinds:
        values.refuse(("size", "background"), "needs output face")
    options = OutputOptions(
        outputs=kinds,
        amounts=Amounts(_number(values, "shape"), _number(values, "color"), cast(Side, values.text("side"))),
        detail=values.flag("detail"),
        pose=cast("PoseMode | None", values.text("pose")),
        steps=parsing.parse_steps(values.text("continuum"), "continuum"),
        animated=values.flag("gif"),
        size=_whole(values, "size"),
        background=parsing.parse_background(values.text("background") or "keep", "background"),
    )
    if options.animated and options.background == "transparent":
        raise UsageError("background transparent does not go with gif; give a color")
    return SymmetrizeJob(
        upload=upload,
        options=options,
        choice=_read_choice(values),
        suffix=values.text("format"),
        screen=_whole(values, "screen"),
    )


def read_looking(upload: Upload, given: Mapping[str, Sequence[str]]) -> LookJob:
    """Return the same of the photo as it is."""
    return LookJob(upload, _whole(Values((SCREEN,), given), "screen") or LOOKED_AT)


def read_previewing(upload: Upload, given: Mapping[str, Sequence[str]]) -> SymmetrizeJob:
    """Return the same of a preview: the photo with numbered boxes and midlines."""
    values = Values(PREVIEWING, given)
    options = OutputOptions(outputs=(Output.PREVIEW,))
    return SymmetrizeJob(upload=upload, options=options, choice=_read_choice(values), screen=_whole(values, "screen"))


def read_measuring(upload: Upload, given: Mapping[str, Sequence[str]]) -> MeasureJob:
    """Return the same of measuring."""
    values = Values(MEASURING, given)
    if values.text("scale") != "iris":
        values.refuse(("iris_mm",), "goes with scale iris")
    convention = Convention(
        raw=values.flag("raw"),
        sides=cast(Sides, values.text("sides")),
        scaling=parse_scaling(values.text("scale") or "none", _number(values, "iris_mm")),
    )
    return MeasureJob(
        upload=upload,
        output=cast(MeasureOutput, values.text("output")),
        convention=convention,
        choice=_read_choice(values),
        screen=_whole(values, "screen"),
    )


def _read_choice(values: Values) -> Choice:
    """Return which faces are meant."""
    marks = _read_marks(values.text("marks"))
    if marks:
        values.refuse(("faces", "min_face", "box", "eyes"), "does not go with marks")
    if "eyes" in values:
        values.refuse(("faces", "min_face", "box"), "does not go with eyes")
    if "box" in values:
        values.refuse(("faces", "min_face"), "does not go with box")
    selection = Selection(
        number=parsing.parse_faces(values.text("faces") or "all", "faces"),
        smallest=values.number("min_face"),
        box=parsing.parse_box(values.text("box"), "box"),
        eyes=parsing.parse_eyes(values.text("eyes"), "eyes"),
    )
    return Choice(selection=selection, marks=marks)


def _read_marks(text: str | None) -> tuple[Mark, ...]:
    if text is None:
        return ()
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"marks: {MARKS.meaning}") from error
    if not isinstance(entries, list) or len(entries) > MOST_MARKS:
        raise UsageError(f"marks: an array of at most {MOST_MARKS} objects")
    return tuple(map(_read_mark, entries))


def _read_mark(entry: object) -> Mark:
    if not isinstance(entry, dict) or not set(entry) <= {"number", "eyes", "midline"}:
        raise UsageError("marks: each is an object with number, eyes and midline, and nothing else")
    number, eyes = entry.get("number"), _read_points(entry.get("eyes"), "eyes")
    if number is not None and (type(number) is not int or number < 1):
        raise UsageError(f"marks: number {number}: faces are numbered from 1")
    if number is None and eyes is None:
        raise UsageError("marks: each needs a number or eyes")
    return Mark(number=number, eyes=eyes, midline=_read_points(entry.get("midline"), "midline"))


def _read_points(value: object, name: str) -> tuple[Array, Array] | None:
    """Return two points of four numbers; None of None."""
    if value is None:
        return None
    if not isinstance(value, list):
        raise UsageError(f"marks: {name} needs {_POINTS}")
    return parsing.parse_eyes(",".join(map(str, value)), f"marks: {name}")


def _number(values: Values, name: str) -> float:
    number = values.number(name)
    assert number is not None  # it has a default
    return number


def _whole(values: Values, name: str) -> int | None:
    number = values.number(name)
    return None if number is None else int(number)
