"""The cascades: a fast search, windows that count together, pyramids of images."""

from collections import Counter
from dataclasses import replace
from threading import Thread

import cv2
import numpy as np
import pytest

from symface_cli.detection import cascades, detector
from symface_cli.detection.cascades import (
    CASCADES,
    Candidate,
    ImagePyramid,
    Place,
    detect_fast,
    pool_cascades,
    search,
)
from symface_cli.detection.detector import detect
from symface_cli.detection.settings import SEARCH
from symface_cli.geometry.frames import Box
from symface_cli.imaging.photo import read_photo

PLAIN = cv2.CascadeClassifier


@pytest.mark.parametrize("name", ["portrait", "pair"])
def test_the_fast_search_counts_the_windows_of_the_search(name, request):
    gray = detector.shrink(cv2.cvtColor(read_photo(request.getfixturevalue(name)), cv2.COLOR_RGB2GRAY))
    candidates, expected = sorted(detect_fast(gray, CASCADES[0])), sorted(search(gray))
    assert len(candidates) == len(expected) == {"portrait": 1, "pair": 2}[name]
    for candidate, plain in zip(candidates, expected, strict=True):
        assert candidate.agreeing == pytest.approx(plain.agreeing, rel=0.2)  # by a quarter of them


@pytest.mark.parametrize("thorough", [False, True])
def test_windows_of_all_cascades_count_together(monkeypatch, thorough):
    face, wider, elsewhere, small = (20, 20, 50, 50), (20, 20, 56, 56), (120, 20, 40, 40), (220, 20, 40, 40)
    # alt2, default, alt, profile, and profile in the mirror image
    windows = [[face] * 10, [wider] * 10 + [elsewhere] * 21, [wider] * 15 + [small] * 4, [wider] * 5, [wider] * 2]
    monkeypatch.setattr(cascades, "_search_proposals", lambda pyramids: windows)
    rest = iter(windows)
    monkeypatch.setattr(ImagePyramid, "try_all", lambda pyramid: next(rest))
    # 21 are enough beside 42, 4 are not; the box is that of the first cascade alone, where it has any
    expected = [Candidate(Box(20, 20, 50, 50), 42), Candidate(Box(120, 20, 40, 40), 21)]
    assert sorted(pool_cascades(np.zeros((100, 300), np.uint8), thorough)) == expected


@pytest.mark.parametrize("thorough", [None, False, True])
def test_the_order_in_which_threads_find_windows_does_not_matter(monkeypatch, portrait, thorough):
    gray = detector.shrink(cv2.cvtColor(read_photo(portrait), cv2.COLOR_RGB2GRAY))

    def look():
        return detect_fast(gray, CASCADES[0]) if thorough is None else pool_cascades(gray, thorough)

    class Backwards:
        def __init__(self, *path):
            self._cascade = PLAIN(*path)

        def __getattr__(self, name):
            return getattr(self._cascade, name)

        def detectMultiScale(self, *arguments, **options):  # noqa: N802
            return self._cascade.detectMultiScale(*arguments, **options)[::-1]

    expected = look()
    monkeypatch.setattr(cascades, "_CASCADES", cascades._Cascades())
    monkeypatch.setattr(cv2, "CascadeClassifier", Backwards)
    assert look() == expected != []


def test_a_pyramid_of_the_mirror_image_tells_where_the_face_is(portrait):
    gray = detector.shrink(cv2.cvtColor(read_photo(portrait), cv2.COLOR_RGB2GRAY))
    mirror_image = np.ascontiguousarray(gray[:, ::-1])
    plain = ImagePyramid(gray, CASCADES[0])
    mirrored = ImagePyramid(mirror_image, CASCADES[0], mirrored=True)  # of the mirror image: the image itself
    width = gray.shape[1]
    expected = {(width - x - w, y, w, h) for x, y, w, h in plain.try_all()}
    assert expected and set(mirrored.try_all()) == expected
    propose = plain.propose()[0]
    beside = propose._replace(x=width - propose.x)
    assert any(np.allclose(beside, other) for other in mirrored.propose())
    around = {(width - x - w, y, w, h) for x, y, w, h in plain.search_around(propose)}
    assert around and mirrored.search_around(beside) == around


@pytest.mark.parametrize("name", CASCADES)
def test_what_is_found_around_a_proposal_is_nearly_what_a_search_finds_there(portrait, name):
    gray = detector.shrink(cv2.cvtColor(read_photo(portrait), cv2.COLOR_RGB2GRAY))
    pyramid = ImagePyramid(gray, name)
    face = detect(read_photo(portrait))[0].box
    scale = gray.shape[1] / read_photo(portrait).shape[1]
    middle, width = scale * face.center, scale * face.width
    near = {w for w in pyramid.try_all() if np.abs(np.array(w[:2]) + w[2] / 2 - middle).max() < 0.1 * w[2]}
    found = pyramid.search_around(Place(*middle, width))
    assert len(near & found) >= 0.8 * len(near)
    quarter = pyramid.search_around(Place(*middle, width), quarter=True)
    assert len(quarter & found) >= 0.9 * len(quarter) and len(quarter) == pytest.approx(len(found) / 4, rel=0.3)


def test_strict_proposals_are_those_surest_of_the_first_stages(portrait, monkeypatch):
    gray = detector.shrink(cv2.cvtColor(read_photo(portrait), cv2.COLOR_RGB2GRAY))

    def propose(*stricter):
        monkeypatch.setattr(cascades, "SEARCH", replace(SEARCH, stricter_stages=stricter))
        monkeypatch.setattr(cascades, "_CASCADES", cascades._Cascades())
        return set(ImagePyramid(gray, CASCADES[0]).propose(strict=True))

    everything = set(ImagePyramid(gray, CASCADES[0]).propose())
    assert propose() == everything
    assert propose(9.0) == set() == propose(0.0, 99.0)
    assert propose(0.0, 1.6) < everything


def test_a_thread_takes_the_cascades_that_another_is_done_with(portrait, monkeypatch):
    gray = detector.shrink(cv2.cvtColor(read_photo(portrait), cv2.COLOR_RGB2GRAY))
    loaded = []

    def load(*path):
        loaded.append(path)
        return PLAIN(*path)

    monkeypatch.setattr(cv2, "CascadeClassifier", load)
    monkeypatch.setattr(cascades, "_CASCADES", cascades._Cascades())
    for _ in range(2):
        thread = Thread(target=detect_fast, args=(gray, CASCADES[0], True))
        thread.start()
        thread.join()
    assert len(loaded) == 2  # as it is, and strict
    with cascades._CASCADES.borrow(CASCADES[0]) as one, cascades._CASCADES.borrow(CASCADES[0]) as other:
        assert one is not other
    assert len(loaded) == 3


@pytest.mark.parametrize(("enough", "count"), [(1, 4), (10**6, 1)])
def test_few_windows_of_a_quarter_are_not_trusted(portrait, monkeypatch, enough, count):
    """Where a quarter is enough, each of its windows counts for four; where it is not, all are tried."""
    settings = replace(SEARCH, enough_of_a_quarter=enough, enough_of_a_pooled_quarter=enough)
    monkeypatch.setattr(cascades, "SEARCH", settings)
    gray = detector.shrink(cv2.cvtColor(read_photo(portrait), cv2.COLOR_RGB2GRAY))
    (windows,) = cascades._search_proposals([ImagePyramid(gray, CASCADES[0])])
    assert windows and set(Counter(windows).values()) == {count}
    ((_, agreeing),), ((_, all_agreeing),) = detect_fast(gray, CASCADES[0]), search(gray)
    assert agreeing % count == 0 and agreeing == pytest.approx(all_agreeing, rel=0.2)
