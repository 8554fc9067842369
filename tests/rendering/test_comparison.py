"""The sheet that compares a face's versions, and the preview of what was found in a photo."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from symface_cli.detection.detector import face_in_box, face_with_eyes
from symface_cli.geometry.frames import Box
from symface_cli.geometry.types import Array, Photo
from symface_cli.geometry.warps import control_points
from symface_cli.imaging.photo import read_photo
from symface_cli.inference.face import FacePrediction
from symface_cli.rendering.comparison import draw_comparison, draw_preview
from tests.conftest import Finished
from tests.warps import face_warp

FOUND = face_in_box(Box(150, 100, 100, 100))
UNSEEN = FacePrediction(lambda: np.zeros((128, 128, 3), np.uint8), None)
GRAY = np.full((128, 128, 3), 128, np.uint8)


def flat(*color: int, height: int = 400, width: int = 400) -> Photo:
    return np.full((height, width, 3), color, np.uint8)


def seen_at(center: tuple[float, float], half: float, degrees: float = 0) -> FacePrediction:
    """A face whose frame reaches from its center so far to all sides, turned clockwise; both sides count the same."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    warp = half * control_points() @ np.array([[c, s], [-s, c]]) + center
    return FacePrediction(lambda: GRAY, face_warp(warp))


def changed(before: Photo, after: Photo) -> NDArray[np.bool_]:
    return (before != after).any(-1)


# The preview


def test_a_photo_without_faces_is_its_own_preview() -> None:
    photo = flat(1, 2, 3)
    preview = draw_preview(photo, [])
    assert (preview == photo).all() and preview is not photo


def test_the_box_is_drawn_where_it_lies() -> None:
    photo = flat(90, 90, 90)
    drawn = changed(photo, draw_preview(photo, [(FOUND, UNSEEN)]))
    rows, columns = np.flatnonzero(drawn.any(1)), np.flatnonzero(drawn.any(0))
    assert (rows[0], rows[-1]) == pytest.approx((100, 199), abs=4)
    assert (columns[0], columns[-1]) == pytest.approx((150, 249), abs=4)
    for edge in (drawn[98:103, 150:250], drawn[197:202, 150:250]):
        assert edge.any(0).all()
    assert not drawn[140:190, 160:240].any()  # nothing inside, below the number


def test_a_turned_face_has_a_turned_box() -> None:
    photo = flat(90, 90, 90)
    eyes = np.array([180.0, 160.0]), np.array([180 + 38 * np.cos(np.pi / 6), 160 + 38 * np.sin(np.pi / 6)])
    drawn = changed(photo, draw_preview(photo, [(face_with_eyes(*eyes), UNSEEN)]))
    # The eyes are 0.38 box widths apart, so the box is 100 px wide; turned by 30 degrees it reaches 137 px.
    rows, columns = np.flatnonzero(drawn.any(1)), np.flatnonzero(drawn.any(0))
    assert np.ptp(rows) == pytest.approx(100 * (np.cos(np.pi / 6) + np.sin(np.pi / 6)), abs=8)
    assert np.ptp(columns) == pytest.approx(100 * (np.cos(np.pi / 6) + np.sin(np.pi / 6)), abs=12)  # and the number
    top = np.flatnonzero(drawn[rows[0] + 1]).mean()
    assert top - columns[0] == pytest.approx(100 * np.sin(np.pi / 6), abs=12)  # the upper corner: turned clockwise


@pytest.mark.parametrize(("degrees", "step"), [(0, (0, 1)), (90, (-1, 0)), (45, (-np.sqrt(0.5), np.sqrt(0.5)))])
def test_the_midline_crosses_the_face_frame(degrees: float, step: tuple[float, float]) -> None:
    photo = flat(90, 90, 90)
    with_midline = draw_preview(photo, [(FOUND, seen_at((200, 150), 100, degrees))])
    drawn = changed(draw_preview(photo, [(FOUND, UNSEEN)]), with_midline)
    assert drawn.sum() > 300
    y, x = np.nonzero(drawn)
    across = (x - 200) * step[1] - (y - 150) * step[0]
    along = (x - 200) * step[0] + (y - 150) * step[1]
    assert np.abs(across).max() < 4
    assert (along.min(), along.max()) == pytest.approx((-100, 100), abs=5)


@pytest.mark.parametrize("background", [(0, 0, 0), (255, 255, 255), (255, 208, 0), (20, 20, 20)])
def test_lines_are_seen_on_any_background(background: tuple[int, int, int]) -> None:
    preview = draw_preview(flat(*background), [(FOUND, seen_at((200, 150), 100))]).astype(int)
    for line in (preview[170, 145:156], preview[220, 195:206]):  # across the box's left edge, and the midline
        assert np.abs(line - background).max() > 150


def test_lines_grow_with_the_photo() -> None:
    widths = []
    for scale in (1, 10):
        photo = flat(90, 90, 90, height=400 * scale, width=400 * scale)
        found = face_in_box(Box(150 * scale, 100 * scale, 100 * scale, 100 * scale))
        drawn = changed(photo, draw_preview(photo, [(found, UNSEEN)]))
        widths.append(int(drawn[150 * scale, : 200 * scale].sum()))
    assert 1 <= widths[0] <= 7
    assert 8 <= widths[1] <= 40


def test_faces_are_numbered_in_order() -> None:
    photo = flat(90, 90, 90)
    other = face_in_box(Box(20, 250, 100, 100))
    ones = draw_preview(photo, [(FOUND, UNSEEN), (other, UNSEEN)])
    twos = draw_preview(photo, [(other, UNSEEN), (FOUND, UNSEEN)])
    different = changed(ones, twos)
    for rows, columns in ((slice(95, 125), slice(145, 170)), (slice(245, 275), slice(15, 40))):
        assert different[rows, columns].sum() > 10
        different[rows, columns] = False
    assert not different.any()  # only the two numbers


@pytest.mark.parametrize(("x", "y", "left", "top"), [(-40, -40, 0, 0), (392, 392, 385, 375), (-40, 200, 0, 200)])
def test_numbers_stay_inside_the_photo(x: float, y: float, left: int, top: int) -> None:
    preview = draw_preview(flat(90, 90, 90), [(face_in_box(Box(x, y, 100, 100)), UNSEEN)])
    number = preview[top : top + 25, left : left + 15]
    assert (number > 150).all(-1).sum() > 10  # the digit
    assert (number < 30).all(-1).sum() > 80  # its field


# The sheet


def panels_of(sheet: Photo) -> list[Photo]:
    """The panels, without captions: what is not white between white columns."""
    body = sheet[sheet.shape[0] // 5 :]
    filled = (body < 250).any(-1).any(0)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], filled.astype(int), [0]])))
    rows = np.flatnonzero((body < 250).any(-1).any(1))
    return [body[rows[0] : rows[-1] + 1, start:end] for start, end in edges.reshape(-1, 2)]


@pytest.fixture
def halves() -> Photo:
    """Red on the left, blue on the right of x = 200."""
    photo = flat(200, 30, 30)
    photo[:, 200:] = (30, 30, 200)
    return photo


def test_a_sheet_has_five_panels_of_one_size(halves: Photo) -> None:
    sheet = draw_comparison(halves, FOUND, seen_at((199.5, 200), 100))
    panels = panels_of(sheet)
    assert len(panels) == 5
    assert {panel.shape[1] for panel in panels} == {200}  # the photo's own resolution
    assert (sheet[0] == 255).all() and (sheet[:, 0] == 255).all() and (sheet[-1] == 255).all()


def test_panels_show_the_photo_its_sides_and_the_symmetric_face(halves: Photo) -> None:
    photo, left, right, both, _ = panels_of(draw_comparison(halves, FOUND, seen_at((199.5, 200), 100)))
    red, blue = (200, 30, 30), (30, 30, 200)
    assert (photo[:, :98] == red).all() and (photo[:, 102:] == blue).all()
    assert (np.abs(left[:, 5:80].astype(int) - red) <= 1).all() and (
        np.abs(left[:, 120:-5].astype(int) - red) <= 1
    ).all()
    assert (np.abs(right[:, 5:80].astype(int) - blue) <= 1).all()
    assert (np.abs(right[:, 120:-5].astype(int) - blue) <= 1).all()
    assert (both == both[:, ::-1]).all()
    assert (np.abs(both[:, 5:90].astype(int) - (115, 30, 115)) <= 1).all()  # half of each


def test_the_photo_is_leveled(halves: Photo) -> None:
    turned = np.ascontiguousarray(np.rot90(halves, -1))  # clockwise: red above, blue below
    photo, *_ = panels_of(draw_comparison(turned, FOUND, seen_at((200, 199.5), 100, degrees=90)))
    assert (photo[:, :98] == (200, 30, 30)).all() and (photo[:, 102:] == (30, 30, 200)).all()


def test_large_faces_have_panels_of_512_pixels() -> None:
    photo = np.random.default_rng(1).integers(0, 256, (2400, 2400, 3), dtype=np.uint8)
    panels = panels_of(draw_comparison(photo, FOUND, seen_at((1200, 1200), 1000)))
    assert {panel.shape[1] for panel in panels} == {512}
    # Four pixels wide averages of noise have a quarter of its deviation (74 gray levels); picked pixels would have all.
    assert panels[0].std() < 30


def test_the_heat_map_shows_where_shapes_differ() -> None:
    def heat(warp: Array) -> NDArray[np.float64]:
        """How yellow the map is, on the left and on the right."""
        level = seen_at((200, 200), 150)
        assert level.warp is not None
        prediction = FacePrediction(lambda: GRAY, face_warp(warp))
        panel = panels_of(draw_comparison(flat(120, 120, 120), FOUND, prediction))[4].astype(float)
        yellow = panel[..., 1] - panel[..., 2]
        third = slice(len(panel) // 3, -len(panel) // 3)
        return np.array([yellow[third].mean(), yellow[:20].mean()])

    level = 150 * control_points() + 200
    bent = level.copy()
    bent[5:12] += [20, 0]  # the middle of the face lies aside
    assert heat(bent)[0] > heat(level)[0] + 30
    assert heat(bent)[0] > heat(bent)[1] + 30


# On the command line


def test_a_preview_is_made_alone(symface: Callable[..., Finished], pair: Path, tmp_path: Path) -> None:
    finished = symface("symmetrize", pair, "--preview", "-o", f"{tmp_path}/out/")
    assert (finished.status, finished.out) == (0, f"{tmp_path}/out/pair.symmetric-preview.jpg\n")
    photo, preview = read_photo(pair).astype(int), read_photo(tmp_path / "out/pair.symmetric-preview.jpg")
    assert preview.shape == photo.shape
    drawn = np.abs(photo - preview).max(-1) > 60
    assert 0.002 < drawn.mean() < 0.05
    assert drawn[:, :600].any() and drawn[:, 700:].any()  # both faces


def test_a_sheet_is_made_for_each_face_beside_the_photo(
    symface: Callable[..., Finished], pair: Path, tmp_path: Path
) -> None:
    finished = symface("symmetrize", pair, "--compare", "-o", f"{tmp_path}/out/")
    names = ["pair.symmetric.jpg", "pair.symmetric-compare-1.png", "pair.symmetric-compare-2.png"]
    assert finished.out.split() == [f"{tmp_path}/out/{name}" for name in names]
    for name in names[1:]:
        assert len(panels_of(read_photo(tmp_path / "out" / name))) == 5


def test_a_preview_of_nobody_fails_as_results_do(symface: Callable[..., Finished], tmp_path: Path) -> None:
    Image.new("RGB", (200, 200), "navy").save(tmp_path / "wall.png")
    finished = symface("symmetrize", tmp_path / "wall.png", "--preview")
    assert finished.status == 4
    assert "no face found" in finished.err
    assert [path.name for path in tmp_path.iterdir()] == ["wall.png"]
