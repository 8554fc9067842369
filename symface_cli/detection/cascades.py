"""Viola-Jones cascades over the sizes of an image: all windows, or those around proposals."""

import math
import threading
from itertools import chain, count, islice, takewhile
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.geometry.frames import Box
from symface_cli.geometry.types import Array

SMALLEST_FACE = 40  # px, width of a box in that copy
SMALLEST_COVERED = 60  # px, the same for faces that only a thorough search finds; it takes half as long as with 40
SCALE_STEP = 1.1
NEIGHBORS = 3  # more windows than these must agree on a face
ALIKE = 0.2  # widths, by which windows that agree may differ; OpenCV's search has no other
CASCADES = ("haarcascade_frontalface_alt2.xml", "haarcascade_frontalface_default.xml")
FRONTAL = (*CASCADES, "haarcascade_frontalface_alt.xml")  # LFW: boxes 1.7 % (default) and 0.8 % (alt) wider than alt2's
PROFILE = "haarcascade_profileface.xml"  # of heads turned to one side; those turned to the other it finds mirrored
ALIKE_ACROSS = 0.3  # box widths, the same for windows of several cascades, which lie a little further apart
BESIDE_DOUBTFUL = 0.5  # of the most windows that agree on a doubtful face: so many must agree on another
ENOUGH = 20  # windows of all cascades that are enough for another in any case
SAME_FACE = 0.2  # widths, between the middles of windows that a detect_fast takes for the same face
SEARCH_RADIUS = 0.15  # widths, from a face's middle: 98 % of the windows on LFW's faces lie within
EMPTY = 2  # widths in a row without windows, after which no more are tried
Window = tuple[int, ...]
"""A cascade's window that looks like a face: x, y, width, height in pixels of the searched image."""


class Candidate(NamedTuple):
    """A box, and how many overlapping windows of the detector agreed on it."""

    box: Box
    agreeing: int


def search(gray: NDArray[np.uint8]) -> list[Candidate]:
    """The upright faces of a gray image (H, W), by the first cascade that finds any."""
    for name in CASCADES:
        boxes, counts = _cascade(name).detectMultiScale2(
            gray, SCALE_STEP, NEIGHBORS, minSize=(SMALLEST_FACE, SMALLEST_FACE)
        )
        if len(boxes):
            return [Candidate(Box(*map(float, box)), int(count)) for box, count in zip(boxes, counts, strict=True)]
    return []


def pool_cascades(gray: NDArray[np.uint8], thorough: bool = False) -> list[Candidate]:
    """The upright faces of a gray image (H, W), by the windows of three frontal cascades and the profile's together.

    On a half covered or turned face, few windows of each cascade agree, but those of all on the same place; on other
    things, mostly those of one. Boxes are the first cascade's where it has any windows there.

    Args:
        gray: The image.
        thorough: Whether each cascade tries all of its windows but the smallest, which takes longer, instead of those
            around what looks like a face to any of them at a first look.
    """
    pyramids = [*(ImagePyramid(gray, name) for name in (*FRONTAL, PROFILE)), ImagePyramid(gray, PROFILE, mirrored=True)]
    windows = [pyramid.try_all() for pyramid in pyramids] if thorough else _search_proposals(pyramids)
    candidates = _group(list(chain.from_iterable(windows)), ALIKE_ACROSS, gray.shape)
    least = min(BESIDE_DOUBTFUL * most_agreeing(candidates), ENOUGH)
    return [
        Candidate(_mean_of_alike(windows[0], candidate.box), candidate.agreeing)
        for candidate in candidates
        if candidate.agreeing >= least
    ]


def _mean_of_alike(windows: list[Window], box: Box) -> Box:
    """The mean of the windows that are like a box; the box itself where none is."""
    places = np.array(windows).reshape(-1, 4)
    alike = places[np.abs(places - np.array(box)).max(axis=1) <= ALIKE_ACROSS * box.width]
    return Box(*alike.mean(axis=0).tolist()) if len(alike) else box


def detect_fast(gray: NDArray[np.uint8], name: str) -> list[Candidate]:
    """What `search` finds with one cascade, in a third of the time.

    They are the very windows of `search`: on LFW, nine in ten candidates are exactly the same, and 99 % of the faces
    within
    2 % of the box's width. A quarter of the candidates on which fewer than 12 windows agree is missing.
    """
    (windows,) = _search_proposals([ImagePyramid(gray, name)])
    return _group(windows, ALIKE, gray.shape)


def _search_proposals(pyramids: list["ImagePyramid"]) -> list[list[Window]]:
    """The windows of each pyramid around what looks like a face to any of them at a first look, sorted."""
    found: list[set[Window]] = [set() for _ in pyramids]
    proposals = np.concatenate([pyramid.propose() for pyramid in pyramids])
    while len(proposals):
        apart = np.abs(proposals[:, :2] - proposals[0, :2]).max(axis=1)
        same = apart < SAME_FACE * np.maximum(proposals[:, 2], proposals[0, 2])
        for windows, pyramid in zip(found, pyramids, strict=True):
            windows |= pyramid.search_around(*proposals[same].mean(axis=0).tolist())
        proposals = proposals[~same]
    return [sorted(windows) for windows in found]


def _group(windows: list[Window], alike: float, shape: tuple[int, ...]) -> list[Candidate]:
    """The places on which enough windows agree, none of them outside of an image of that shape."""
    boxes, counts = cv2.groupRectangles(windows, NEIGHBORS, alike)
    height, width = shape
    return [
        Candidate(Box(float(x), float(y), float(min(w, width - x)), float(min(h, height - y))), int(agreeing))
        for (x, y, w, h), agreeing in zip(boxes, counts, strict=True)
    ]


class ImagePyramid:
    """A cascade on one gray image, or on its mirror image, width by width as in OpenCV's search.

    On each level, faces of one width are as wide as the cascade's window, in a smaller copy of the image. The first
    copy is about half as wide as the image: from there on, OpenCV tries the windows at all pixels, not at every
    second one. (For the cascade whose window is 24 px wide, it is a little wider, and its windows are tried at all
    pixels, too.)
    What is found is told in pixels of the image that is not mirrored.
    """

    def __init__(self, gray: NDArray[np.uint8], name: str, mirrored: bool = False) -> None:
        self._gray = np.ascontiguousarray(gray[:, ::-1]) if mirrored else gray
        self._mirrored = mirrored
        self._cascade = _cascade(name)
        self._side = self._cascade.getOriginalWindowSize()[0]
        factors = (SCALE_STEP**power for power in count(math.ceil(math.log(SMALLEST_FACE / self._side, SCALE_STEP))))
        self._factors = list(takewhile(lambda factor: round(self._side * factor) <= min(gray.shape), factors))
        self._copies: dict[int, NDArray[np.uint8]] = {}

    def propose(self) -> Array:
        """Windows that look like faces, among a quarter of those of every second width: x and y of middles, widths.

        The least width, which takes longest, is not among them: what it alone finds is found by chance.
        """
        found = [
            ((x + self._side / 2) * factor, (y + self._side / 2) * factor, self._side * factor)
            for level, factor in islice(enumerate(self._factors), 1, None, 2)
            for x, y in self._try(self._copy(level), self._side)  # OpenCV tries every second pixel of every second row
        ]
        proposals = np.array(found).reshape(-1, 3)
        if self._mirrored:
            proposals[:, 0] = self._gray.shape[1] - proposals[:, 0]
        return proposals

    def search_around(self, x: float, y: float, width: float) -> set[Window]:
        """All windows around a proposal that look like faces, narrower and wider until two widths have none."""
        x = self._gray.shape[1] - x if self._mirrored else x
        nearest = int(np.argmin(np.abs(np.array(self._factors) * self._side - width))) if self._factors else 0
        windows: set[Window] = set()
        for levels in (range(nearest, len(self._factors)), range(nearest - 1, -1, -1)):
            empty = 0
            for level in levels:
                found = self._windows(level, x, y, width)
                windows |= found
                empty = 0 if found else empty + 1
                if empty == EMPTY:
                    break
        return windows

    def try_all(self) -> list[Window]:
        """All windows that look like faces, except for the smallest, by OpenCV's own search."""
        least = (SMALLEST_COVERED, SMALLEST_COVERED)
        boxes = self._cascade.detectMultiScale(self._gray, SCALE_STEP, 0, minSize=least)
        return [self._unmirror(*map(int, box)) for box in boxes]

    def _unmirror(self, x: int, y: int, width: int, height: int) -> Window:
        return (self._gray.shape[1] - x - width if self._mirrored else x), y, width, height

    def _windows(self, level: int, x: float, y: float, width: float) -> set[Window]:
        """The windows of one level around a place."""
        factor = self._factors[level]
        reach = SEARCH_RADIUS * width / factor + self._side / 2
        left, top = max(math.floor(x / factor - reach), 0), max(math.floor(y / factor - reach), 0)
        part = self._copy(level)[top : math.ceil(y / factor + reach), left : math.ceil(x / factor + reach)]
        # OpenCV undoes the doubling, and then tries every pixel of every row
        doubled = cv2.resize(part, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
        side = round(self._side * factor)
        return {
            self._unmirror(round((left + u // 2) * factor), round((top + v // 2) * factor), side, side)
            for u, v in self._try(doubled, 2 * self._side)
        }

    def _try(self, image: NDArray[np.uint8], width: int) -> list[tuple[int, int]]:
        """Corners of the windows that look like faces; they are as wide as the cascade's window, or twice."""
        boxes = self._cascade.detectMultiScale(image, 2, 0, minSize=(width, width), maxSize=(width, width))
        return [(int(x), int(y)) for x, y, _, _ in boxes]

    def _copy(self, level: int) -> NDArray[np.uint8]:
        """The image made smaller, to the pixel as OpenCV's search does it."""
        if level not in self._copies:
            size = [round(side / self._factors[level]) for side in self._gray.shape[::-1]]
            self._copies[level] = cv2.resize(self._gray, size, interpolation=cv2.INTER_LINEAR_EXACT)
        return self._copies[level]


def most_agreeing(candidates: list[Candidate]) -> int:
    """The most windows that agree on any candidate; 0 without candidates."""
    return max((candidate.agreeing for candidate in candidates), default=0)


def _cascade(name: str) -> cv2.CascadeClassifier:
    """OpenCV's detectors are not safe for several threads at a time: each has its own."""
    cascades: dict[str, cv2.CascadeClassifier] = _THREAD.__dict__
    if name not in cascades:
        cascades[name] = cv2.CascadeClassifier(str(Path(cv2.data.haarcascades) / name))
    return cascades[name]


_THREAD = threading.local()
