"""Measurements have the names that stored files have."""

from symface_cli.measurement.quantities import MEASURES, NAMES, Area, MeasureKey, Quantity


def test_a_name_is_the_area_and_the_quantity() -> None:
    assert MeasureKey(Quantity.OUTWARD, Area.MOUTH).name == "mouth_outward_pct"
    assert MeasureKey(Quantity.YAW).name == "yaw_deg"


def test_names_and_their_order_are_those_of_stored_files() -> None:
    areas = ("brows", "eyes", "nose", "mouth", "jaw")
    endings = ("shape_pct", "outward_pct", "lower_pct", "color_de", "lightness")
    whole = ("midline_deg", "yaw_deg", "whole_shape_pct", "whole_color_de", "whole_lightness")
    by_area = tuple(f"{area}_{ending}" for area in areas for ending in endings)
    assert (*whole, *by_area, "turn_pct") == NAMES
    assert len(set(MEASURES)) == len(NAMES)
