"""What is measured of a face, and the names of it in files."""

from enum import Enum
from typing import NamedTuple


class Area(str, Enum):
    """Part of a face whose left half is compared with its mirrored right half."""

    WHOLE = "whole"
    BROWS = "brows"
    EYES = "eyes"
    NOSE = "nose"
    MOUTH = "mouth"
    JAW = "jaw"


class Quantity(str, Enum):
    """Number that is measured. Left is the viewer's, until it is given for the person's sides.

    A point on the midline is its own partner: where the nose's ridge lies aside by 1 %, it has an outward displacement
    of 2 %, towards its side.
    """

    TILT = "midline_deg"
    """Tilt of the midline in degrees, clockwise from upright."""
    YAW = "yaw_deg"
    """How far the head is turned in degrees, positive when the nose points to the viewer's right."""
    TURN = "turn_pct"
    """How much the turn of the head has added to the nose's outward displacement, which is taken out everywhere."""
    SHAPE = "shape_pct"
    """Mean displacement between the two sides, in per cent of the eye distance."""
    OUTWARD = "outward_pct"
    """The same with its direction: how much farther out the left side is."""
    LOWER = "lower_pct"
    """The same with its direction: how much lower the left side is."""
    COLOR = "color_de"
    """Mean difference in color between the two sides, CIE 1976 (Delta E*ab)."""
    LIGHTNESS = "lightness"
    """How much lighter the left side is, in L* (0 black to 100 white)."""


class MeasureKey(NamedTuple):
    """Quantity of the head, or of an area of the face."""

    quantity: Quantity
    area: Area | None = None

    @property
    def name(self) -> str:
        """Name in files: that of the quantity, after that of the area."""
        return self.quantity.value if self.area is None else f"{self.area.value}_{self.quantity.value}"


AREA_QUANTITIES = (Quantity.SHAPE, Quantity.OUTWARD, Quantity.LOWER, Quantity.COLOR, Quantity.LIGHTNESS)
WHOLE_QUANTITIES = (Quantity.SHAPE, Quantity.COLOR, Quantity.LIGHTNESS)  # directions of different areas cancel
AREA_MEASURES = (
    *(MeasureKey(quantity, Area.WHOLE) for quantity in WHOLE_QUANTITIES),
    *(MeasureKey(quantity, area) for area in Area if area is not Area.WHOLE for quantity in AREA_QUANTITIES),
)
MEASURES = (MeasureKey(Quantity.TILT), MeasureKey(Quantity.YAW), *AREA_MEASURES, MeasureKey(Quantity.TURN))
"""Everything that is measured, in the order of files."""
SIGNED = (Quantity.TURN, Quantity.OUTWARD, Quantity.LOWER, Quantity.LIGHTNESS)
"""Quantities that are the left side's less the right one's."""
NAMES = tuple(measure.name for measure in MEASURES)
"""Names of MEASURES in files."""
