"""Named measures of a face that nobody measured."""

from symface_cli.measurement.measures import MEASURES
from symface_cli.measurement.photo import LengthUnit, MeasuredSides


def measured(number: float = 1.0, unit: LengthUnit = "%") -> dict[str, MeasuredSides]:
    """All named measures, each another one."""
    return {
        measure.name: MeasuredSides(
            unit="deg" if measure.dimension == "angle" else unit,
            left=number + place if measure.is_sided else None,
            right=number - place if measure.is_sided else None,
            diff=2.0 * place,
            error=0.25,
        )
        for place, measure in enumerate(MEASURES)
    }
