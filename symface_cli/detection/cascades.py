"""Run Viola-Jones cascades over the sizes of an image: on all windows, or on those around proposals."""

import math
import threading
from collections.abc import Callable, Collection, Iterator
from functools import partial
from itertools import chain, count, islice, takewhile
from pathlib import Path
from typing import NamedTuple, TypeVar

import cv2
import numpy as np

from symface_cli.detection.settings import SEARCH
from symface_cli.geometry.frames import Box
from symface_cli.geometry.types import Array, Gray

CASCADES = ("haarcascade_frontalface_alt2.xml", "haarcascade_frontalface_default.xml")
FRONTAL = (*CASCADES, "haarcascade_frontalface_alt.xml")  # LFW: boxes 1.7 % (default) and 0.8 % (alt) wider than alt2's
PROFILE = "haarcascade_profileface.xml"  # of heads turned to one side; those turned to the other it finds mirrored
Window = tuple[int, ...]
"""A cascade's window that looks like a face: x, y, width, height in pixels of the searched image."""
Found = TypeVar("Found", bound=Collection[Window])


class Candidate(NamedTuple):
    """Box, and how many overlapping windows of the detector agreed on it."""

    box: Box
    agreeing: int


class _Cascades(threading.local):
    """OpenCV's cascades, loaded once in each thread: they are not safe for several threads at a time."""

    def __init__(self) -> None:
        self._by_name: dict[str, cv2.CascadeClassifier] = {}

    def load(self, name: str) -> cv2.CascadeClassifier:
        """Return the cascade of a file that comes with OpenCV."""
        if name not in self._by_name:
            self._by_name[name] = cv2.CascadeClassifier(str(Path(cv2.data.haarcascades) / name))
        return self._by_name[name]


_CASCADES = _Cascades()


def search(gray: Gray) -> list[Candidate]:
    """Find the upright faces of a gray image (H, W), by the first cascade that finds any."""
    for name in CASCADES:
        boxes, counts = _CASCADES.load(name).detectMultiScale2(
            gray, SEARCH.scale_step, SEARCH.min_neighbors, minSize=(SEARCH.min_face_px, SEARCH.min_face_px)
        )
        if len(boxes):
            return [Candidate(Box(*map(float, box)), int(count)) for box, count in zip(boxes, counts, strict=True)]
    return []


def pool_cascades(gray: Gray, thorough: bool = False) -> list[Candidate]:
    """Find the upright faces of a gray image (H, W), by the windows of three frontal cascades and the profile's.

    On a half covered or turned face, few windows of each cascade agree, but those of all on the same place; on other
    things, mostly those of one. Boxes are the first cascade's where it has any windows there.

    Args:
        gray: The image.
        thorough: Try all windows of each cascade but the smallest, which takes longer, instead of those around the
            proposals of any of them.
    """
    pyramids = [*(ImagePyramid(gray, name) for name in (*FRONTAL, PROFILE)), ImagePyramid(gray, PROFILE, mirrored=True)]
    windows = [pyramid.try_all() for pyramid in pyramids] if thorough else _search_proposals(pyramids)
    candidates = _group(list(chain.from_iterable(windows)), SEARCH.pooled_tolerance_widths, gray.shape)
    least = min(SEARCH.min_pooled_share * most_agreeing(candidates), SEARCH.enough_pooled_windows)
    return [
        Candidate(_mean_of_alike(windows[0], candidate.box), candidate.agreeing)
        for candidate in candidates
        if candidate.agreeing >= least
    ]


def _mean_of_alike(windows: list[Window], box: Box) -> Box:
    """Average the windows that are like a box; return the box itself where none is."""
    places = np.array(windows).reshape(-1, 4)
    alike = places[np.abs(places - np.array(box)).max(axis=1) <= SEARCH.pooled_tolerance_widths * box.width]
    return Box(*alike.mean(axis=0).tolist()) if len(alike) else box


def detect_fast(gray: Gray, name: str) -> list[Candidate]:
    """Find what `search` finds with one cascade, in a fourth of the time.

    Of the windows around a proposal, a quarter is tried; where many agree, each counts for four, else all are tried. On
    LFW, 99 % of the faces are found, and their boxes differ from those of all windows by 0.5 % of their width in place,
    and by 2 % in width (medians). A quarter of the candidates on which fewer than 12 windows agree is missing.
    """
    pyramid, windows = ImagePyramid(gray, name), list[Window]()
    for proposals in _merge(pyramid.propose()):
        quarter = pyramid.search_between(proposals)
        if len(quarter) >= SEARCH.enough_of_a_quarter:
            windows += 4 * quarter
        else:
            windows += sorted(pyramid.search_around(*proposals.mean(axis=0).tolist()))
    return _group(windows, SEARCH.group_tolerance_widths, gray.shape)


def _search_proposals(pyramids: list["ImagePyramid"]) -> list[list[Window]]:
    """Return the windows of each pyramid around the proposals of any of them, sorted."""
    found: list[set[Window]] = [set() for _ in pyramids]
    for proposals in _merge(np.concatenate([pyramid.propose() for pyramid in pyramids])):
        for windows, pyramid in zip(found, pyramids, strict=True):
            windows |= pyramid.search_around(*proposals.mean(axis=0).tolist())
    return [sorted(windows) for windows in found]


def _merge(proposals: Array) -> Iterator[Array]:
    """Yield those of the proposals (N, 3) that lie on each other together, each once."""
    while len(proposals):
        apart = np.abs(proposals[:, :2] - proposals[0, :2]).max(axis=1)
        same = apart < SEARCH.merge_widths * np.maximum(proposals[:, 2], proposals[0, 2])
        yield proposals[same]
        proposals = proposals[~same]


def _group(windows: list[Window], alike: float, shape: tuple[int, ...]) -> list[Candidate]:
    """Return the places on which enough windows agree, cut off at the edges of an image of that shape."""
    boxes, counts = cv2.groupRectangles(windows, SEARCH.min_neighbors, alike)
    height, width = shape
    return [
        Candidate(Box(float(x), float(y), float(min(w, width - x)), float(min(h, height - y))), int(agreeing))
        for (x, y, w, h), agreeing in zip(boxes, counts, strict=True)
    ]


class ImagePyramid:
    """One cascade on one gray image, or on its mirror image, level by level as in OpenCV's search.

    On each level, faces of one width are as wide as the cascade's window, in a smaller copy of the image. The first
    copy is about half as wide as the image: from there on, OpenCV tries the windows at all pixels, not at every
    second one. (For the cascade whose window is 24 px wide, it is a little wider, and its windows are tried at all
    pixels, too.) All results are in pixels of the image that is not mirrored.

    Args:
        gray: The image (H, W).
        name: The cascade's file.
        mirrored: Whether to search the mirror image.
    """

    def __init__(self, gray: Gray, name: str, mirrored: bool = False) -> None:
        self._gray = np.ascontiguousarray(gray[:, ::-1]) if mirrored else gray
        self._mirrored = mirrored
        self._cascade = _CASCADES.load(name)
        self._side = self._cascade.getOriginalWindowSize()[0]
        factors = (
            SEARCH.scale_step**power
            for power in count(math.ceil(math.log(SEARCH.min_face_px / self._side, SEARCH.scale_step)))
        )
        self._factors = list(takewhile(lambda factor: round(self._side * factor) <= min(gray.shape), factors))
        self._copies: dict[int, Gray] = {}

    def propose(self) -> Array:
        """Propose windows from a quarter of those of every second width: x and y of middles, and widths, (N, 3).

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
        """Return all windows around a proposal that look like faces, on further levels until two have none."""
        x = self._gray.shape[1] - x if self._mirrored else x
        windows: set[Window] = set()
        for found in self._climb(range(len(self._factors)), width, partial(self._windows, x=x, y=y, width=width)):
            windows |= found
        return windows

    def search_between(self, proposals: Array) -> list[Window]:
        """Return proposals (N, 3) that lie on each other as windows, and a quarter of those of the levels between."""
        x, y, width = proposals.mean(axis=0).tolist()
        places = partial(self._every_fourth_window, x=x, y=y, width=width)
        between = range(0, len(self._factors), 2)  # see `propose`
        corners = np.column_stack([proposals[:, :2] - proposals[:, 2:] / 2, proposals[:, 2], proposals[:, 2]])
        return [*map(tuple, corners.round().astype(int).tolist()), *chain(*self._climb(between, width, places))]

    def _climb(self, levels: range, width: float, look: Callable[[int], Found]) -> Iterator[Found]:
        """Yield what is found on the levels from a width on upwards, then downwards, until two have nothing."""
        nearest = min(range(len(levels)), key=lambda place: abs(self._factors[levels[place]] * self._side - width))
        for part in (levels[nearest:], levels[:nearest][::-1]):
            empty = 0
            for level in part:
                found = look(level)
                yield found
                empty = 0 if found else empty + 1
                if empty == SEARCH.max_empty_levels:
                    break

    def try_all(self) -> list[Window]:
        """Return all windows that look like faces, except for the smallest, by OpenCV's own search."""
        least = (SEARCH.min_face_thorough_px, SEARCH.min_face_thorough_px)
        boxes = self._cascade.detectMultiScale(self._gray, SEARCH.scale_step, 0, minSize=least)
        return [self._unmirror(*map(int, box)) for box in boxes]

    def _unmirror(self, x: int, y: int, width: int, height: int) -> Window:
        return (self._gray.shape[1] - x - width if self._mirrored else x), y, width, height

    def _windows(self, level: int, x: float, y: float, width: float) -> set[Window]:
        """Return the windows of one level around a place."""
        part, left, top = self._part(level, x, y, width)
        # OpenCV undoes the doubling, and then tries every pixel of every row
        doubled = cv2.resize(part, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
        corners = self._try(doubled, 2 * self._side)
        return {self._window(level, left + u // 2, top + v // 2) for u, v in corners}

    def _every_fourth_window(self, level: int, x: float, y: float, width: float) -> list[Window]:
        """Return those of them at every second pixel of every second row."""
        part, left, top = self._part(level, x, y, width)
        return [self._window(level, left + u, top + v) for u, v in self._try(part, self._side)]

    def _part(self, level: int, x: float, y: float, width: float) -> tuple[Gray, int, int]:
        """Return the part of a copy that holds the windows around a place, and where it begins."""
        factor = self._factors[level]
        reach = SEARCH.search_radius_widths * width / factor + self._side / 2
        left, top = max(math.floor(x / factor - reach), 0), max(math.floor(y / factor - reach), 0)
        return self._copy(level)[top : math.ceil(y / factor + reach), left : math.ceil(x / factor + reach)], left, top

    def _window(self, level: int, left: int, top: int) -> Window:
        """Return a window of a copy as one of the image."""
        factor = self._factors[level]
        side = round(self._side * factor)
        return self._unmirror(round(left * factor), round(top * factor), side, side)

    def _try(self, image: Gray, width: int) -> list[tuple[int, int]]:
        """Return the corners of the windows that look like faces; `width` is the cascade's window, or twice that."""
        boxes = self._cascade.detectMultiScale(image, 2, 0, minSize=(width, width), maxSize=(width, width))
        return [(int(x), int(y)) for x, y, _, _ in boxes]

    def _copy(self, level: int) -> Gray:
        """Return the image made smaller, to the pixel as OpenCV's search does it."""
        if level not in self._copies:
            size = [round(side / self._factors[level]) for side in self._gray.shape[::-1]]
            self._copies[level] = cv2.resize(self._gray, size, interpolation=cv2.INTER_LINEAR_EXACT)
        return self._copies[level]


def most_agreeing(candidates: list[Candidate]) -> int:
    """Return the most windows that agree on any candidate; 0 without candidates."""
    return max((candidate.agreeing for candidate in candidates), default=0)
