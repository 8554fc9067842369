"""Viola-Jones on photos of people who do not exist."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from symface_cli.detection import detector
from symface_cli.detection.cascades import Candidate, search
from symface_cli.detection.detector import count_agreeing, detect, roll_matrix
from symface_cli.detection.settings import SEARCH
from symface_cli.geometry.frames import Box, apply
from symface_cli.imaging.photo import read_photo

EYES = np.array([338.0, 300.0])  # middle of the portrait's face, read off the picture


def test_portrait_has_one_face_in_its_middle(portrait):
    (face,) = detect(read_photo(portrait))
    assert face.roll_degrees == 0
    assert np.linalg.norm(face.center - EYES) < 90


def test_pair_has_two_faces_largest_first(pair):
    faces = detect(read_photo(pair))
    assert len(faces) == 2
    assert faces[0].box.width >= faces[1].box.width


@pytest.mark.parametrize("quarter_turns", [1, 2, 3])
def test_a_photo_on_its_side_is_turned(portrait, quarter_turns):
    photo = read_photo(portrait)
    upright = detect(photo)[0]
    (face,) = detect(np.rot90(photo, quarter_turns).copy())
    assert face.roll_degrees != 0
    assert face.box.width == pytest.approx(upright.box.width, rel=0.1)
    # the crop shows the same face: its matrix undoes the turn
    corner = np.array([[0.0, 0.0]])
    turned_corner = {1: (0, 674), 2: (674, 674), 3: (674, 0)}[quarter_turns]  # where the top-left pixel went
    seen = apply(face.crop_from_photo, np.array([turned_corner], float))
    assert np.linalg.norm(seen - apply(upright.crop_from_photo, corner)) < 12


@pytest.mark.parametrize("brightness", [30, 128])
def test_a_face_in_haze_or_in_the_dark_is_found_in_its_place(portrait, brightness):
    photo = read_photo(portrait)
    pale = (brightness + 0.12 * (photo - photo.mean())).round().astype(np.uint8)
    (face,), (clear,) = detect(pale), detect(photo)
    assert face.roll_degrees == 0
    assert np.linalg.norm(face.center - clear.center) < 0.05 * clear.box.width
    assert face.box.width == pytest.approx(clear.box.width, rel=0.1)


def test_noise_in_the_dark_is_no_face():
    noise = np.random.default_rng(0).integers(0, 4, (240, 320, 3), dtype=np.uint8)
    assert detect(noise) == []


def test_a_photo_without_a_face_has_none():
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    assert detect(noise) == []


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 500, 3), (3000, 2, 3)])
def test_odd_shapes_have_no_face(shape):
    assert detect(np.zeros(shape, np.uint8)) == []


def test_a_large_photo_has_its_boxes_in_its_own_pixels(portrait):
    photo = read_photo(portrait)
    large = photo.repeat(3, 0).repeat(3, 1)
    assert detect(large)[0].box.width == pytest.approx(3 * detect(photo)[0].box.width, rel=0.1)


def search_plainly(gray, name, strict=False):
    """What a fast search is to find: OpenCV's own search, with all windows of all widths."""
    found = cv2.CascadeClassifier(cv2.data.haarcascades + name).detectMultiScale2(gray, 1.1, 3, minSize=(40, 40))
    return [Candidate(Box(*map(float, box)), int(count)) for box, count in zip(*found, strict=True)]


def place(scene, photo, left, top, width):
    """Pastes a photo, as wide as that, into a scene."""
    small = cv2.resize(photo, (width, width), interpolation=cv2.INTER_AREA)
    part = scene[top : top + width, left : left + width]
    part[:] = small[: part.shape[0], : part.shape[1]]
    return scene


SCENES = {  # the portrait's box is 0.39 of its width
    "at the border": (1, lambda empty, photo: photo[:, 190:].copy()),
    "very small": (1, lambda empty, photo: place(empty, photo, 300, 200, 115)),
    "of different sizes": (2, lambda empty, photo: place(place(empty, photo, 0, 20, 405), photo, 480, 100, 120)),
    "one behind the other": (2, lambda empty, photo: place(place(empty, photo, 200, 50, 400), photo, 180, 60, 150)),
    "on its side": (1, lambda empty, photo: np.rot90(place(empty, photo, 200, 100, 250)).copy()),
    "none": (0, lambda empty, photo: empty),
}


@pytest.mark.parametrize("scene", SCENES)
def test_the_fast_search_hardly_changes_a_result(scene, portrait, monkeypatch):
    faces, paint = SCENES[scene]
    photo = paint(np.full((480, 640, 3), 120, np.uint8), read_photo(portrait))
    found = detect(photo)
    monkeypatch.setattr(detector, "detect_fast", search_plainly)
    expected = detect(photo)
    assert [face.roll_degrees for face in found] == [face.roll_degrees for face in expected]
    assert len(found) == faces
    for face, plain in zip(found, expected, strict=True):
        assert face.box.width == pytest.approx(plain.box.width, rel=0.07)
        assert np.linalg.norm(face.center - plain.center) < 0.03 * plain.box.width


def test_the_fast_search_is_enough_for_a_sure_face(portrait, monkeypatch):
    monkeypatch.setattr(detector, "pool_cascades", lambda gray: pytest.fail("looked again"))
    assert len(detect(read_photo(portrait))) == 1


def test_several_cascades_find_what_the_fast_search_misses(portrait, monkeypatch):
    photo = read_photo(portrait)
    seen = detect(photo)[0]
    monkeypatch.setattr(detector, "detect_fast", lambda gray, name, strict=False: [])
    (face,) = detect(photo)
    assert face.roll_degrees == 0
    assert face.box.width == pytest.approx(seen.box.width, rel=0.08)
    assert np.linalg.norm(face.center - seen.center) < 0.05 * seen.box.width


@pytest.mark.parametrize("color", [(200, 160, 130), (150, 40, 40)], ids=["a hand's", "cloth's"])
def test_a_half_covered_face_is_found(portrait, color):
    """The first cascade that finds any takes the first face for a tilted one, and finds none in the second picture."""
    photo = read_photo(portrait)
    uncovered = detect(photo)[0]
    photo[230:420, 190 : round(EYES[0])] = color  # from over the brow to under the mouth, up to the midline
    (face,) = detect(photo)
    assert face.roll_degrees == 0
    assert np.linalg.norm(face.center - uncovered.center) < 0.25 * uncovered.box.width


@pytest.mark.parametrize(("tilted", "degrees"), [(20, 0), (21, 90)])
def test_a_tilted_face_needs_more_windows_than_an_upright_one(monkeypatch, tilted, degrees):
    box = Box(20.0, 20.0, 60.0, 60.0)
    quarter_turn = {(120, 90): [Candidate(box, tilted)]}
    monkeypatch.setattr(detector, "pool_cascades", lambda gray, thorough=False: [Candidate(box, 20)])
    monkeypatch.setattr(detector, "detect_fast", lambda gray, name, strict=False: quarter_turn.get(gray.shape, []))
    (face,) = detect(np.zeros((90, 120, 3), np.uint8))
    assert face.roll_degrees == degrees


@pytest.mark.parametrize(
    ("agreeing", "thoroughly", "tilted"), [(40, False, False), (39, False, True), (11, True, True)]
)
def test_a_photo_is_searched_as_thoroughly_as_it_has_to_be(monkeypatch, agreeing, thoroughly, tilted):
    searches, fast_searches = [], []

    def pool_cascades(gray, thorough=False):
        searches.append(thorough)
        return [Candidate(Box(20.0, 20.0, 60.0, 60.0), agreeing)]

    monkeypatch.setattr(detector, "pool_cascades", pool_cascades)
    monkeypatch.setattr(detector, "detect_fast", lambda gray, name, strict=False: fast_searches.append(name) or [])
    assert len(detect(np.zeros((90, 120, 3), np.uint8))) == 1
    assert searches == ([False, True] if thoroughly else [False])
    assert len(fast_searches) == (1 + len(SEARCH.roll_degrees) if tilted else 1)


@pytest.mark.parametrize("size", [(4001, 2999), (4000, 3000), (9000, 200)])
def test_a_large_photo_is_shrunk_to_means_of_areas(size):
    photo = cv2.resize(np.random.default_rng(0).integers(0, 256, (15, 20), np.uint8), size)
    small = detector.shrink(photo)
    expected = cv2.resize(photo, small.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert max(small.shape[:2]) == 640
    assert np.abs(small.astype(int) - expected).max() <= 2  # an odd last column counts for nothing


def test_a_quarter_turn_moves_pixels_to_pixels():
    matrix, size = roll_matrix(4, 3, 90)
    assert size == (3, 4)
    assert apply(matrix, np.array([0.0, 0.0])) == pytest.approx([2, 0])  # top-left goes to top-right
    assert apply(matrix, np.array([3.0, 0.0])) == pytest.approx([2, 3])


# ---- how many windows agree on the face that is meant


def test_nobody_agrees_on_an_empty_photo() -> None:
    assert count_agreeing(np.full((120, 90, 3), 128, np.uint8)) == 0


def test_windows_are_counted_as_the_detector_counts_them(portrait: Path) -> None:
    photo = cv2.resize(read_photo(portrait), (300, 300), interpolation=cv2.INTER_AREA)
    (candidate,) = search(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY))
    assert count_agreeing(photo) == candidate.agreeing > 0


@pytest.mark.parametrize(
    ("size", "searched"), [((600, 900), (427, 640)), ((2000, 1000), (640, 320)), ((90, 80), (90, 80))]
)
def test_face_nearest_to_the_center_counts_in_a_copy_of_at_most_640_pixels(
    size: tuple[int, int], searched: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes = []

    def find(gray: NDArray[np.uint8]) -> list[Candidate]:
        height, width = gray.shape
        shapes.append(gray.shape)
        corners = ((0, 0, 9), (width / 2 - 25, height / 2 - 15, 25), (width - 40, height - 40, 60))
        return [Candidate(Box(x, y, 40, 40), agreeing) for x, y, agreeing in corners]

    monkeypatch.setattr(detector, "search", find)
    assert count_agreeing(np.zeros((*size, 3), np.uint8)) == 25
    assert shapes == [searched]
