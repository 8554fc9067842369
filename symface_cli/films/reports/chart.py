"""The curves of a person in a film as one picture."""

import io
from itertools import pairwise

from PIL import Image, ImageDraw, ImageFont

from symface_cli.films.measuring.study import FilmStudy, PersonStudy
from symface_cli.films.reports.curves import Curve, Panel, TimeAxis, draw_panels, time_axis
from symface_cli.measurement.asymmetry import NOTE
from symface_cli.pages import GENERATOR

SCALE = 2  # px of the picture for a unit of the drawing
FINE = 2  # px that are drawn for one of the picture, so that lines have no steps
ACROSS = 2  # panels beside each other
WIDTH, HEIGHT = 560, 210  # of a panel
LEFT, RIGHT, TOP, BOTTOM = 56, 18, 34, 28  # of its margins
HEAD, FOOT, MARGIN = 84, 34, 20
TEXT, SMALL, TITLE = 13, 11.5, 20
PAPER, INK, MUTED, GRID = "#ffffff", "#1b1e22", "#5a6068", "#e6e7e2"
COLORS = {"left": "#0b57a4", "right": "#d27604", "whole": "#1b1e22"}
BANDS = {"missing": "#e3e3df", "turned": "#f6e3cf", "rest": "#dcebdf"}
DASH = (7.0, 4.0)  # on and off, of the right side: told apart without colors
MOST_LETTERS = 70  # of a film's name


class _Sheet:
    """A drawing in units with (0, 0) at its upper left, y down."""

    def __init__(self, width: float, height: float) -> None:
        self._factor = SCALE * FINE
        self._image = Image.new("RGB", (round(width * self._factor), round(height * self._factor)), PAPER)
        self._draw = ImageDraw.Draw(self._image)

    def line(self, points: list[tuple[float, float]], color: str, width: float) -> None:
        places = [(x * self._factor, y * self._factor) for x, y in points]
        if len(places) == 1:
            self.dot(*points[0], width, color, color)
        else:
            self._draw.line(places, color, round(width * self._factor), joint="curve")

    def area(self, left: float, top: float, right: float, bottom: float, color: str) -> None:
        self._draw.rectangle([round(place * self._factor) for place in (left, top, right, bottom)], color)

    def dot(self, x: float, y: float, radius: float, fill: str, outline: str) -> None:
        box = [(place + side * radius) * self._factor for side in (-1, 1) for place in (x, y)]
        self._draw.ellipse(box, fill, outline, round(1.5 * self._factor))

    def text(self, x: float, y: float, text: str, size: float, color: str = INK, anchor: str = "ls") -> float:
        """Write text, and return where it ends."""
        font = ImageFont.load_default(size * self._factor)
        self._draw.text((x * self._factor, y * self._factor), text, color, font, anchor)
        return x + self._draw.textlength(text, font) / self._factor

    def as_png(self) -> bytes:
        size = self._image.width // FINE, self._image.height // FINE
        buffer = io.BytesIO()
        self._image.resize(size, Image.Resampling.BOX).save(buffer, "PNG", optimize=True)
        return buffer.getvalue()


def chart_as_png(study: FilmStudy) -> bytes:
    """Draw all measures of all persons of a film over time; the same numbers give the same bytes."""
    drawn = [(person, time_axis(person)) for person in study.persons]
    panels = [draw_panels(person, axis) for person, axis in drawn]
    heights = [HEAD + -(-max(len(each), 1) // ACROSS) * HEIGHT for each in panels]
    sheet = _Sheet(2 * MARGIN + ACROSS * WIDTH, sum(heights) + FOOT)
    top = 0
    for (person, axis), each, height in zip(drawn, panels, heights, strict=True):
        _draw_head(sheet, study, person, top)
        for number, panel in enumerate(each):
            x, y = MARGIN + number % ACROSS * WIDTH, top + HEAD + number // ACROSS * HEIGHT
            _draw_panel(sheet, panel, axis, (x, y))
        top += height
    sheet.text(MARGIN, top + FOOT / 2, f"{NOTE} {GENERATOR}.", SMALL, MUTED)
    return sheet.as_png()


def _draw_head(sheet: _Sheet, study: FilmStudy, person: PersonStudy, top: float) -> None:
    name = study.title if len(study.title) <= MOST_LETTERS else f"...{study.title[-MOST_LETTERS:]}"
    sheet.text(MARGIN, top + 34, f"{name}, person {person.track.person}", TITLE)
    smooth, first = study.analysis.smooth_s, person.track.frames[0]
    said = f"Left is the {first.sides}'s. " + (f"Smoothed over {smooth:g} s." if smooth else "Not smoothed.")
    x = sheet.text(MARGIN, top + 60, said, TEXT, MUTED) + 24
    for role, label in (("left", "left"), ("right", "right"), ("whole", "without sides")):
        _draw_line(sheet, [(x, top + 56), (x + 30, top + 56)], role)
        x = sheet.text(x + 38, top + 60, label, TEXT) + 20
    sheet.dot(x + 5, top + 56, 3.5, PAPER, INK)
    x = sheet.text(x + 16, top + 60, "peak", TEXT) + 20
    given = person.rest is None or person.rest.is_given
    labels = {"rest": "rest" if given else "rest (stillest second)", "turned": "turned", "missing": "no face"}
    for kind, label in labels.items():
        sheet.area(x, top + 50, x + 18, top + 62, BANDS[kind])
        x = sheet.text(x + 24, top + 60, label, TEXT) + 16


def _draw_panel(sheet: _Sheet, panel: Panel, axis: TimeAxis, corner: tuple[float, float]) -> None:
    left, right = corner[0] + LEFT, corner[0] + WIDTH - RIGHT
    top, bottom = corner[1] + TOP, corner[1] + HEIGHT - BOTTOM

    def place(x: float, y: float) -> tuple[float, float]:
        return left + x * (right - left), bottom - y * (bottom - top)

    end = sheet.text(left, top - 10, panel.title, TEXT + 1)
    sheet.text(end + 8, top - 10, panel.unit, SMALL, MUTED)
    for band in axis.bands:
        sheet.area(place(band.start, 0)[0], top, place(band.end, 0)[0], bottom, BANDS[band.kind])
    for tick in panel.up:
        _, y = place(0, tick.place)
        sheet.line([(left, y), (right, y)], GRID, 1)
        sheet.text(left - 8, y, tick.label, SMALL, MUTED, "rm")
    for tick in axis.ticks:
        x, _ = place(tick.place, 0)
        sheet.line([(x, bottom), (x, bottom + 4)], MUTED, 1)
        sheet.text(x, bottom + 8, tick.label, SMALL, MUTED, "mt")
    for curve in panel.curves:
        for line in curve.lines:
            _draw_line(sheet, [place(x, y) for x, y in line.tolist()], curve.role)
    for curve in panel.curves:
        _draw_marks(sheet, curve, [place(mark.x, mark.y) for mark in curve.marks])


def _draw_marks(sheet: _Sheet, curve: Curve, places: list[tuple[float, float]]) -> None:
    for x, y in places:
        sheet.dot(x, y, 3.5, PAPER, COLORS[curve.role])


def _draw_line(sheet: _Sheet, points: list[tuple[float, float]], role: str) -> None:
    for part in _dashes(points) if role == "right" else [points]:
        sheet.line(part, COLORS[role], 1.75)


def _dashes(points: list[tuple[float, float]]) -> list[list[tuple[float, float]]]:
    """Cut a line into dashes."""
    parts, part, left, is_on = [], [points[0]], DASH[0], True
    for (x0, y0), (x1, y1) in pairwise(points):
        length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
        done = 0.0
        while length - done > left:
            done += left
            here = x0 + (x1 - x0) * done / length, y0 + (y1 - y0) * done / length
            if is_on:
                parts.append([*part, here])
            part, is_on = [here], not is_on
            left = DASH[0] if is_on else DASH[1]
        left -= length - done
        part.append((x1, y1))
    return [*parts, part] if is_on else parts
