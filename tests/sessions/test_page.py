"""The page of a session: charts, photos, numbers."""

import base64
import io
import re
from datetime import date

import pytest
from PIL import Image

from symface_cli.geometry.frames import CROP_BELOW
from symface_cli.sessions.charts import BOTTOM, INSET, LEFT, RIGHT, TOP, Axis, draw_chart
from symface_cli.sessions.page import PICTURE_BOXES, PICTURE_SIDE, session_as_html
from symface_cli.sessions.plan import Visit
from tests.pages import HOSTILE, Reader
from tests.sessions.studies import LINES, face, session_of, sides, study_of, whole

DAYS = [date(2026, 1, 1), date(2026, 1, 11), date(2026, 1, 31)]


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(41, 44.5, (40, 42, 44, 46)), (-1.2, 0.9, (-2, -1, 0, 1)), (3, 3, (3.0, 3.05, 3.1)), (0, 30, (0, 10, 20, 30))],
)
def test_an_axis_reaches_over_all_values_to_round_ones(low, high, ticks):
    axis = Axis.around(low, high)
    assert axis.ticks == pytest.approx(ticks)
    assert (axis.place(ticks[0]), axis.place(ticks[-1])) == (BOTTOM, TOP)


def test_dates_are_as_far_apart_as_they_are_and_curves_have_gaps():
    chart = draw_chart("fai", DAYS, [sides(10, 20, 1), None, sides(20, 10, 1)])
    left, right = chart.curves
    assert (left.name, right.name) == ("left", "right")
    assert left.path == f"M{LEFT + INSET} {BOTTOM}M{RIGHT - INSET} {TOP}"
    assert right.path == f"M{LEFT + INSET} {TOP}M{RIGHT - INSET} {BOTTOM}"
    assert [mark.label for mark in chart.across] == ["2026-01-01", "2026-01-31"]
    whole = draw_chart("fai", DAYS, [sides(10, 20, 1)] * 3).curves[0]
    first, middle, last = (point.place for point in whole.points)
    assert middle - first == pytest.approx((last - first) / 3, abs=0.1)


def test_a_measure_without_sides_has_one_curve_with_errors():
    (curve,) = draw_chart("cant", DAYS[:1], [whole(2, 1)]).curves
    (point,) = curve.points
    assert point.place == (LEFT + RIGHT) / 2
    assert point.height == (TOP + BOTTOM) / 2  # the axis reaches from 1 to 3
    assert point.reach == (BOTTOM - TOP) / 2
    assert "2.00, 2026-01-01" in point.label


def test_values_in_another_unit_than_the_last_are_not_drawn():
    chart = draw_chart("fai", DAYS, [sides(10, 20, 1, "mm"), sides(10, 20, 1), sides(20, 10, 1)])
    assert chart.unit == "%"
    assert [len(curve.points) for curve in chart.curves] == [2, 2]


@pytest.fixture
def photos(tmp_path):
    """Photos that are red where the face is."""
    for name in ("a.png", "b.png"):
        image = Image.new("RGB", (100, 100), "white")
        image.paste((255, 0, 0), (20, 20, 80, 80))
        image.save(tmp_path / name)
    return tmp_path


def test_the_page_shows_faces_curves_and_numbers_and_fetches_nothing(photos):
    session = session_of(photos, *LINES)
    failed = {Visit("Ada", date(2026, 3, 11), "smile"): (4, "c.png: no face found")}
    study = study_of(session, {"a.png": face(20, 22, 1), "b.png": face(26, 34, 2)}, failed)
    page = Reader(session_as_html(study).decode())
    pictures = page.named("img")
    assert [picture["alt"] for picture in pictures] == ["Ada, rest, 2026-01-10", "Ada, smile, 2026-01-10"]
    data = base64.b64decode(pictures[0]["src"].partition(",")[2])
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == (PICTURE_SIDE, PICTURE_SIDE)
        red, green, blue = image.convert("RGB").getpixel((PICTURE_SIDE // 2, PICTURE_SIDE // 2))
        assert (red > 200, green < 60, blue < 60) == (True, True, True)
    points = next(path["d"] for path in page.named("path") if path.get("class") == "points")
    assert points.count("M") == 45
    x, y = map(float, re.match(r"M(\S+) (\S+)h0", points).groups())
    scale = PICTURE_SIDE / (PICTURE_BOXES * 60)  # of a box of 60 px around (49.5, 49.5), the picture's center is lower
    assert x == pytest.approx((PICTURE_SIDE - 1) / 2 + 0.5 * scale, abs=0.06)
    assert y == pytest.approx((PICTURE_SIDE - 1) / 2 + (0.5 - CROP_BELOW * 60) * scale, abs=0.06)
    assert "no photo" in page.text_in("div")
    assert "c.png: no face found" in page.text_in("div")
    assert "26.00 / 34.00" in page.text_in("td")
    assert "+6.00 / +12.00" in page.text_in("td")
    assert any("person's left. For research; not a medical device" in text for text in page.text_in("p"))
    assert page.named("script") == page.named("link") == []
    addresses = [
        value for _, attributes in page.elements for key, value in attributes.items() if key in ("src", "href")
    ]
    assert all(re.match("data:|#", address) for address in addresses)


def test_names_cannot_break_the_page(photos):
    lines = [f'"{HOSTILE.replace(chr(34), chr(34) * 2)}",2026-01-10,<b>,a.png']
    page = Reader(session_as_html(study_of(session_of(photos, *lines), {"a.png": face(1, 2, 3)})).decode())
    assert page.text_in("h2") == [HOSTILE]
    assert page.text_in("h3") == ["<b>"]
    assert page.named("script") == []
