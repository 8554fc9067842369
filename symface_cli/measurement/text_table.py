"""Measured asymmetries as people read them: text."""

from symface_cli.files import on_one_line
from symface_cli.measurement.asymmetry import Estimate
from symface_cli.measurement.photo import FaceMeasurement
from symface_cli.measurement.quantities import Area, MeasureKey, Quantity

QUANTITIES = {
    Quantity.SHAPE: "shape %",
    Quantity.OUTWARD: "outward %",
    Quantity.LOWER: "lower %",
    Quantity.COLOR: "color dE",
    Quantity.LIGHTNESS: "lightness",
}
"""The columns of the text."""

CELL = 15  # characters
NAME = 20  # characters


def as_text(photo: str, face: FaceMeasurement) -> str:
    """Write a heading and two tables: areas, and named measures; an empty cell where there is no such number."""
    tilt, yaw, turn = (face.values[quantity.value] for quantity in (Quantity.TILT, Quantity.YAW, Quantity.TURN))
    lines = [
        f"{on_one_line(photo)}, face {face.number}: midline {_cell(tilt)} degrees clockwise, head turned {_cell(yaw)} "
        "degrees to the right of the image",
        f"left is {'the person' if face.sides == 'person' else 'the viewer'}'s; at the nose, {_cell(turn)} % are taken "
        "for the turn, and taken out",
        " " * 6 + "".join(f"{title:>{CELL}}" for title in QUANTITIES.values()),
    ]
    for area in Area:
        found = (face.values.get(MeasureKey(quantity, area).name) for quantity in QUANTITIES)
        cells = ("" if estimate is None else _cell(estimate) for estimate in found)
        lines.append(f"{area.value:6}" + "".join(f"{cell:>{CELL}}" for cell in cells).rstrip())
    return "\n".join([*lines, *_named_lines(face)])


def _named_lines(face: FaceMeasurement) -> list[str]:
    lines = [" " * NAME + "".join(f"{title:>{CELL}}" for title in ("left", "right", "left - right")) + "  unit"]
    for name, measured in face.measures.items():
        sides = ("" if side is None else f"{side:.2f}" for side in (measured.left, measured.right))
        cells = (*sides, _cell(Estimate(measured.diff, measured.error)))
        lines.append(f"{name:{NAME}}" + "".join(f"{cell:>{CELL}}" for cell in cells) + f"  {measured.unit}")
    return lines


def _cell(estimate: Estimate) -> str:
    value = round(estimate.value, 2) + 0.0  # no -0.00
    return f"{value:.2f} \N{PLUS-MINUS SIGN} {estimate.error:.2f}"
