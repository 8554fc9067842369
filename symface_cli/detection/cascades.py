"""Run Viola-Jones cascades over the sizes of an image: on all windows, or on those around proposals."""

import math
import re
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain, count, islice, repeat, takewhile
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from symface_cli.detection.settings import SEARCH
from symface_cli.geometry.frames import Box
from symface_cli.geometry.types import Gray

CASCADES = ("haarcascade_frontalface_alt2.xml", "haarcascade_frontalface_default.xml")
FRONTAL = (*CASCADES, "haarcascade_frontalface_alt.xml")  # LFW: boxes 1.7 % (default) and 0.8 % (alt) wider than alt2's
PROFILE = "haarcascade_profileface.xml"  # of heads turned to one side; those turned to the other it finds mirrored
Window = tuple[int, ...]
"""A cascade's window that looks like a face: x, y, width, height in pixels of the searched image."""


class Candidate(NamedTuple):
    """Box, and how many overlapping windows of the detector agreed on it."""

    box: Box
    agreeing: int


class Place(NamedTuple):
    """The middle of a window, and its width, in pixels of the searched image."""

    x: float
    y: float
    width: float


class _Cascades:
    """OpenCV's cascades, which are not safe for several threads at a time: each is loaded as often as it is in use.

    A thread that needs one takes what another is done with: those of a batch or of a request are new ones.
    """

    def __init__(self) -> None:
        self._idle: defaultdict[tuple[str, bool], deque[cv2.CascadeClassifier]] = defaultdict(deque)

    @contextmanager
    def borrow(self, name: str, strict: bool = False) -> Iterator[cv2.CascadeClassifier]:
        """Yield the cascade of a file that comes with OpenCV, for this thread alone.

        Args:
            name: The file's name.
            strict: Whether its first stages ask for more (`SEARCH.stricter_stages`).
        """
        idle = self._idle[name, strict]
        try:
            cascade = idle.pop()
        except IndexError:
            cascade = _load_strict(name) if strict else cv2.CascadeClassifier(str(_path(name)))
        try:
            yield cascade
        finally:
            idle.append(cascade)


def _path(name: str) -> Path:
    return Path(cv2.data.haarcascades) / name


def _load_strict(name: str) -> cv2.CascadeClassifier:
    stages = chain(SEARCH.stricter_stages, repeat(0.0))
    text = re.sub(
        r"<stageThreshold>([^<]+)",
        lambda threshold: f"<stageThreshold>{float(threshold[1]) + next(stages)}",
        _path(name).read_text(),
    )
    storage = cv2.FileStorage(text, cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
    cascade = cv2.CascadeClassifier()
    cascade.read(storage.getFirstTopLevelNode())
    return cascade


_CASCADES = _Cascades()


def search(gray: Gray) -> list[Candidate]:
    """Find the upright faces of a gray image (H, W), by the first cascade that finds any."""
    for name in CASCADES:
        with _CASCADES.borrow(name) as cascade:
            boxes, counts = cascade.detectMultiScale2(
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


def detect_fast(gray: Gray, name: str, strict: bool = False) -> list[Candidate]:
    """Find what `search` finds with one cascade, in a fifth of the time.

    Of the windows around a proposal, a quarter is tried; where many agree, each counts for four, else all are tried. On
    LFW, 99 % of the faces are found, and their boxes differ from those of all windows by 0.5 % of their width in
    place, and by 2 % in width (medians). A quarter of the candidates on which fewer than 12 windows agree is missing.

    Args:
        gray: The image.
        name: The cascade.
        strict: Whether its first stages have to be surer of proposals: faster, but some unsure faces are not proposed.
    """
    pyramid, windows = ImagePyramid(gray, name), list[Window]()
    for alike in _merge(pyramid.propose(strict)):
        quarter = pyramid.search_between(alike)
        if len(quarter) >= SEARCH.enough_of_a_quarter:
            windows += 4 * quarter
        else:
            windows += sorted(pyramid.search_around(_middle(alike)))
    return _group(windows, SEARCH.group_tolerance_widths, gray.shape)


def _by_rows(boxes: Sequence[NDArray[np.int32]] | NDArray[np.int32]) -> list[Window]:
    """Return OpenCV's windows in the order of its search, by width, row, column: several threads of its mix them up."""
    if not len(boxes):
        return []
    return sorted(map(tuple, np.asarray(boxes).tolist()), key=lambda box: box[::-1])


def _search_proposals(pyramids: list["ImagePyramid"]) -> list[list[Window]]:
    """Return the windows of each pyramid around the proposals of any of them, sorted; a quarter as in `detect_fast`."""
    found: list[Counter[Window]] = [Counter() for _ in pyramids]
    for alike in _merge(list(chain.from_iterable(pyramid.propose() for pyramid in pyramids))):
        place, count = _middle(alike), 4
        near = [pyramid.search_around(place, quarter=True) for pyramid in pyramids]
        if sum(map(len, near)) < SEARCH.enough_of_a_pooled_quarter:
            near, count = [pyramid.search_around(place) for pyramid in pyramids], 1
        for counted, windows in zip(found, near, strict=True):
            counted |= Counter(dict.fromkeys(windows, count))
    return [sorted(counted.elements()) for counted in found]


def _merge(proposals: list[Place]) -> Iterator[list[Place]]:
    """Yield those of the proposals that lie on each other together, each once."""
    while proposals:
        alike = [place for place in proposals if _lies_on(place, proposals[0])]
        yield alike
        proposals = [place for place in proposals if not _lies_on(place, proposals[0])]


def _lies_on(one: Place, other: Place) -> bool:
    apart = max(abs(one.x - other.x), abs(one.y - other.y))
    return apart < SEARCH.merge_widths * max(one.width, other.width)


def _middle(places: list[Place]) -> Place:
    """Return the mean of places."""
    return Place(*(sum(values) / len(places) for values in zip(*places, strict=True)))


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
        self._name = name
        with _CASCADES.borrow(name) as cascade:
            self._side = cascade.getOriginalWindowSize()[0]
        self._factors = _factors(self._side, min(gray.shape))
        self._copies: dict[int, Gray] = {}

    def propose(self, strict: bool = False) -> list[Place]:
        """Propose windows from a quarter of those of every second width.

        The least width, which takes longest, is not among them: what it alone finds is found by chance.

        Args:
            strict: Whether the first stages have to be surer, so that most windows are done with sooner.
        """
        with _CASCADES.borrow(self._name, strict) as cascade:
            found = [
                Place((x + self._side / 2) * factor, (y + self._side / 2) * factor, self._side * factor)
                for level, factor in islice(enumerate(self._factors), 1, None, 2)
                for x, y in self._try(cascade, self._copy(level), self._side)  # every second pixel of every second row
            ]
        return [self._seen(place) for place in found]

    def search_between(self, proposals: list[Place]) -> list[Window]:
        """Return proposals that lie on each other as windows, and a quarter of those of the levels between."""
        windows = [
            (round(x - width / 2), round(y - width / 2), round(width), round(width)) for x, y, width in proposals
        ]
        between = self.search_around(_middle(proposals), quarter=True, step=2)  # see `propose`
        return [*windows, *sorted(between)]

    def search_around(self, place: Place, quarter: bool = False, step: int = 1) -> set[Window]:
        """Return the windows around a proposal that look like faces, from its level on, until two levels have none.

        Args:
            place: The proposal.
            quarter: Whether to try the windows at every second pixel of every second row alone.
            step: From one level to the next one, beginning with the first of all.
        """
        seen, all_levels = self._seen(place), range(0, len(self._factors), step)
        nearest = min(
            range(len(all_levels)), key=lambda at: abs(self._factors[all_levels[at]] * self._side - seen.width)
        )
        windows: set[Window] = set()
        for levels in (all_levels[nearest:], all_levels[:nearest][::-1]):
            empty = 0
            for level in levels:
                found = self._windows(level, seen, quarter)
                windows.update(found)
                empty = 0 if found else empty + 1
                if empty == SEARCH.max_empty_levels:
                    break
        return windows

    def try_all(self) -> list[Window]:
        """Return all windows that look like faces, except for the smallest, by OpenCV's own search."""
        least = (SEARCH.min_face_thorough_px, SEARCH.min_face_thorough_px)
        with _CASCADES.borrow(self._name) as cascade:
            boxes = cascade.detectMultiScale(self._gray, SEARCH.scale_step, 0, minSize=least)
        return [self._unmirror(*box) for box in _by_rows(boxes)]

    def _seen(self, place: Place) -> Place:
        """Return where a place of the image lies in what is searched, or the other way round."""
        return place._replace(x=self._gray.shape[1] - place.x) if self._mirrored else place

    def _unmirror(self, x: int, y: int, width: int, height: int) -> Window:
        return (self._gray.shape[1] - x - width if self._mirrored else x), y, width, height

    def _windows(self, level: int, place: Place, quarter: bool) -> list[Window]:
        """Return the windows of one level around a place, or a quarter of them."""
        factor, side = self._factors[level], self._side
        x, y = place.x / factor, place.y / factor
        reach = SEARCH.search_radius_widths * place.width / factor + side / 2
        left, top = max(math.floor(x - reach), 0), max(math.floor(y - reach), 0)
        part = self._copy(level)[top : math.ceil(y + reach), left : math.ceil(x + reach)]
        # OpenCV undoes a doubling, and then tries every pixel of every row
        times = 1 if quarter else 2
        tried = part if quarter else cv2.resize(part, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
        with _CASCADES.borrow(self._name) as cascade:
            corners = self._try(cascade, tried, times * side)
        return [self._window(level, left + u // times, top + v // times) for u, v in corners]

    def _window(self, level: int, left: int, top: int) -> Window:
        """Return a window of a copy as one of the image."""
        factor = self._factors[level]
        side = round(self._side * factor)
        return self._unmirror(round(left * factor), round(top * factor), side, side)

    @staticmethod
    def _try(cascade: cv2.CascadeClassifier, image: Gray, width: int) -> list[tuple[int, int]]:
        """Return the corners of the windows that look like faces; `width` is the cascade's window, or twice that."""
        boxes = cascade.detectMultiScale(image, 2, 0, minSize=(width, width), maxSize=(width, width))
        return [(x, y) for x, y, _, _ in _by_rows(boxes)]

    def _copy(self, level: int) -> Gray:
        """Return the image made smaller, to the pixel as OpenCV's search does it."""
        if level not in self._copies:
            size = [round(side / self._factors[level]) for side in self._gray.shape[::-1]]
            self._copies[level] = cv2.resize(self._gray, size, interpolation=cv2.INTER_LINEAR_EXACT)
        return self._copies[level]


@lru_cache(maxsize=64)
def _factors(side: int, shortest: int) -> list[float]:
    """Return how much smaller the copies of an image are; not to be changed.

    Args:
        side: Of the cascade's window.
        shortest: Side of the image.
    """
    least = math.ceil(math.log(SEARCH.min_face_px / side, SEARCH.scale_step))
    factors = (SEARCH.scale_step**power for power in count(least))
    return list(takewhile(lambda factor: round(side * factor) <= shortest, factors))


def most_agreeing(candidates: list[Candidate]) -> int:
    """Return the most windows that agree on any candidate; 0 without candidates."""
    return max((candidate.agreeing for candidate in candidates), default=0)
