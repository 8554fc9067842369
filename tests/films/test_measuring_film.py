"""`symface measure --video` and `measure_video` on films that the tests make, with movements that are known."""

import csv
import io
import json
import re
import threading
import warnings
import weakref
from fractions import Fraction

import cv2
import numpy as np
import pytest
from PIL import Image

import symface_cli
from symface_cli.detection.detector import detect
from symface_cli.errors import PhotoError, UsageError
from symface_cli.films.following import follow
from symface_cli.films.measuring.films import FilmOptions, measure_frames
from symface_cli.films.measuring.meter import FilmConvention, FilmMeter
from symface_cli.films.measuring.records import PLACES
from symface_cli.geometry.frames import apply, pixel_from_normalized
from symface_cli.geometry.sampling import enlarge
from symface_cli.measurement.points.scheme import index_of
from symface_cli.measurement.scale import Scale, Scaler, Scaling
from symface_cli.rendering.renderers import warp_of
from symface_cli.video.frames import Frame
from tests.films.made import as_photo, example, frames_of, moved, write_film
from tests.pages import Reader

SIZE = 240
RATE = 25


def raised(photo, corner, up, spread):
    """The picture with what is at a place (2,) moved up by pixels, all around it the less, the farther away."""
    y, x = np.mgrid[: photo.shape[0], : photo.shape[1]].astype(np.float32)
    weights = np.exp(-((x - corner[0]) ** 2 + (y - corner[1] + up) ** 2) / (2 * spread**2))
    return cv2.remap(photo, x, y + np.float32(up) * weights.astype(np.float32), cv2.INTER_CUBIC)


def rise(time, start, length, hold):
    """How far a movement is, 0 to 1: up by a raised cosine, held, and down again."""
    phase = np.interp(time, [start, start + length, start + length + hold, start + 2 * length + hold], [0, 1, 1, 0])
    return (1 - np.cos(np.pi * phase)) / 2


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture(scope="module")
def at_rest(tmp_path_factory):
    """What is measured of the example picture: its record."""
    path = write_film(tmp_path_factory.mktemp("rest") / "rest.mp4", [example(size=SIZE)] * 2)
    return next(symface_cli.measure_video(path, sides="viewer"))


@pytest.fixture(scope="module")
def smile(tmp_path_factory, at_rest):
    """A film in which the viewer's right corner of the mouth rises by 8 % of the pupils' distance, and its height."""
    corner = at_rest.places[index_of("commissure", 1)]
    pupils = float(at_rest.numbers[PLACES["pupil_distance_px"]])
    photo, times = example(size=SIZE), np.arange(40) / RATE
    photos = [
        raised(photo, corner, 0.08 * pupils * rise(time, 0.4, 0.4, 0.3), 0.3 * pupils)
        if rise(time, 0.4, 0.4, 0.3)
        else photo
        for time in times
    ]
    return write_film(tmp_path_factory.mktemp("smile") / "smile.mp4", photos, rate=RATE)


@pytest.fixture(scope="module")
def smiled(smile, tmp_path_factory):
    """What the command writes of that film: its folder, status and what it says."""
    from symface_cli.cli.app import main

    folder = tmp_path_factory.mktemp("smiled")
    status = main(
        [
            *("measure", "--video", str(smile), "--rest", "0-0.38", "--csv", str(folder / "a.csv")),
            *("--json", str(folder / "a.json"), "--report", str(folder / "a.html"), "--chart", str(folder / "a.png")),
        ]
    )
    assert status == 0
    return folder


def test_the_amplitude_and_the_times_of_a_known_movement_are_found(smiled):
    (person,) = json.loads((smiled / "a.json").read_text())["films"][0]["persons"]
    (movement,) = person["measures"]["commissure_height"]["movements"]
    assert movement["left"]["amplitude"] == pytest.approx(-8, rel=0.1)  # the person's left; lower is larger
    assert abs(movement["right"]["amplitude"]) < 1
    onset = 0.4 + 0.4 * np.arccos(0.8) / np.pi
    assert movement["left"]["onset_s"] == pytest.approx(onset, abs=1 / RATE)
    assert 0.8 - 1 / RATE <= movement["peak_s"] <= 1.1 + 1 / RATE
    assert abs(movement["left"]["speed_per_s"]) == pytest.approx(8 * np.pi / 2 / 0.4, rel=0.15)


def test_the_table_has_a_row_for_each_frame(smiled):
    rows = rows_of((smiled / "a.csv").read_text())
    assert [float(row["time_s"]) for row in rows] == [pytest.approx(index / RATE, abs=1e-6) for index in range(40)]
    assert {(row["found"], row["turned"], row["shot"], row["rest_s"]) for row in rows} == {("1", "0", "0", "0-0.38")}
    assert float(rows[24]["commissure_height_left_from_rest"]) == pytest.approx(-8, rel=0.1)
    first, *still = (float(row["commissure_height_left"]) for row in rows[:9])
    assert len(set(still)) == 1  # equal frames have equal numbers
    assert first == pytest.approx(still[0], abs=0.001)  # whose crop is the detector's, not that of the frame before


def test_the_chart_is_a_picture_and_the_page_shows_the_face_at_the_moments(smiled):
    with Image.open(smiled / "a.png") as chart:
        assert chart.format == "PNG"
        assert min(chart.size) > 1000
    text = (smiled / "a.html").read_text()
    page = Reader(text)
    assert page.text_in("h1") == ["Asymmetry over time"]
    assert any("smile.mp4" in name for name in page.text_in("bdi"))
    assert any("not a medical device" in text for text in page.text_in("p"))
    labels = [button["aria-label"] for button in page.named("button") if "aria-label" in button]
    assert "Rest, 0.19 s" in labels
    assert any(re.fullmatch(r"Commissure height: peak, \d\.\d\d s", label) for label in labels)
    data = json.loads(re.search(r'<script type="application/json">(.*?)</script>', text).group(1))
    assert [frame["n"] for frame in data["frames"]] == list(range(40))
    assert all(frame["src"].startswith("data:image/webp;base64,") and len(frame["p"]) == 90 for frame in data["frames"])
    addresses = [
        value for _, attributes in page.elements for key, value in attributes.items() if key in ("src", "href")
    ]
    assert all(re.match("data:|#", address) for address in addresses)


def test_without_a_file_a_table_is_printed(symface, smile):
    finished = symface("measure", "--video", smile, "--start", "0.2", "--end", "0.8", "--every", "0.1s")
    assert finished.status == 0
    assert "face found in 6 of 6 frames" in finished.out
    assert re.search(r"^commissure_height .*%$", finished.out, re.MULTILINE)


def test_uneven_times_are_right_to_the_millisecond(symface, tmp_path):
    times = [Fraction(ms, 1000) for ms in (0, 33, 100, 101, 250, 1433)]
    film = write_film(tmp_path / "film.mkv", [example(size=SIZE)] * 6, times)
    rows = rows_of(symface("measure", "--video", film, "--csv", "-").out)
    assert [round(1000 * float(row["time_s"])) for row in rows] == [0, 33, 100, 101, 250, 1433]


def test_a_face_that_leaves_is_marked_and_found_again(symface, tmp_path):
    photo, wall = example(size=SIZE), np.full_like(example(size=SIZE), 90)
    film = write_film(tmp_path / "film.mp4", [photo] * 4 + [wall] * 4 + [photo] * 6)
    rows = rows_of(symface("measure", "--video", film, "--csv", "-").out)
    found = [int(row["found"]) for row in rows]
    assert found[:8] == [1] * 4 + [0] * 4
    assert found[10:] == [1] * 4  # within three frames
    assert rows[5]["commissure_height_left"] == ""


def test_heads_that_are_turned_too_far_are_marked_and_not_dropped(symface, smile):
    finished = symface("measure", "--video", smile, "--end", "0.1", "--max-yaw", "0.01", "--csv", "-")
    rows = rows_of(finished.out)
    assert [(row["found"], row["turned"]) for row in rows] == [("1", "1")] * 3
    assert rows[0]["commissure_height_left"]
    assert "turned too far in 3 of 3 frames" in finished.err


def test_light_that_changes_changes_little(symface, tmp_path, at_rest):
    photo = example(size=SIZE).astype(float)
    film = write_film(tmp_path / "film.mp4", [as_photo(photo * light) for light in np.linspace(0.7, 1.1, 8)])
    heights = [
        float(row["commissure_height_diff"]) for row in rows_of(symface("measure", "--video", film, "--csv", "-").out)
    ]
    assert np.ptp(heights) < 0.8


def test_each_of_several_persons_has_rows_of_their_own(symface, tmp_path, pair):
    with Image.open(pair) as image:
        photo = np.asarray(image.convert("RGB").resize((600, 2 * round(300 * image.height / image.width))))
    film = write_film(tmp_path / "film.mp4", [photo] * 2)
    rows = rows_of(symface("measure", "--video", film, "--person", "all", "--csv", "-").out)
    assert [(row["frame"], row["person"]) for row in rows] == [("0", "1"), ("1", "1"), ("0", "2"), ("1", "2")]
    (second,) = {
        row["fai_left"] for row in rows_of(symface("measure", "--video", film, "--person", "2", "--csv", "-").out)
    }
    assert second in {row["fai_left"] for row in rows}


def test_lengths_are_in_millimeters_by_the_pupils(smile):
    (frame,) = symface_cli.measure_video(smile, end=0.03, scale="ipd=63")
    (percent,) = symface_cli.measure_video(smile, end=0.03)
    assert frame.unit == "mm"
    assert frame.measures["fai"].left == pytest.approx(0.63 * percent.measures["fai"].left, rel=1e-5)
    assert frame.scale.mm_per_px == pytest.approx(63 / frame["pupil_distance_px"])


def test_a_scale_of_pixels_is_the_same_in_the_whole_film_though_the_face_comes_nearer(tmp_path):
    photo = example(size=SIZE)
    film = write_film(tmp_path / "film.mp4", [moved(photo, scale=scale) for scale in (1.0, 1.05, 1.1)])
    frames = list(symface_cli.measure_video(film, scale="mm_per_px=1"))
    middle = np.median([frame["pupil_distance_px"] for frame in frames])
    assert [frame.pupils.mm for frame in frames] == pytest.approx([middle] * 3)
    lengths = [frame.measures["fai"].left for frame in frames]
    assert np.ptp(lengths) / np.mean(lengths) < 0.03


def test_records_come_while_the_film_is_read(smile):
    frames = symface_cli.measure_video(smile, sides="viewer")
    first = next(frames)
    frames.close()
    assert first.is_found
    assert set(first.points) >= {"commissure_left", "chin"}
    assert first.measures["mouth_cant"].left is None
    assert first.values["yaw_deg"] == first["yaw_deg"]


def test_a_folder_of_frames_has_the_times_of_its_rate(tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    for number in (1, 2, 10):
        Image.fromarray(example(size=SIZE)).save(folder / f"frame{number}.png")
    (folder / "frame11.png").write_bytes(b"no picture")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        frames = list(symface_cli.measure_video(folder, rate=10))
    assert [frame.time_s for frame in frames] == [0, 0.1, 0.2]
    assert "frame11.png" in str(caught[0].message)


def test_a_film_without_a_face_exits_4_and_does_not_cost_the_others(symface, smile, tmp_path):
    wall = write_film(tmp_path / "wall.mp4", [np.full((120, 160, 3), 90, np.uint8)] * 2)
    short = write_film(tmp_path / "short.mp4", [example(size=SIZE)] * 2)
    finished = symface("measure", "--video", wall, short, "--csv", "all.csv", "--report", "pages", "--chart", "charts")
    assert finished.status == 4
    assert "wall.mp4: no face found in any frame" in finished.err
    assert {row["film"] for row in rows_of((tmp_path / "all.csv").read_text())} == {str(short)}
    assert [path.name for path in sorted((tmp_path / "pages").iterdir())] == ["short.html"]
    assert [path.name for path in (tmp_path / "charts").iterdir()] == ["short.png"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["smile.mp4"], "add --video"),
        (["--video"], "name films"),
        (["--video", "a.mp4", "--rest", "2"], "0:00-0:02"),
        (["--video", "a.mp4", "--rest", "2-1"], "ends before it begins"),
        (["--video", "a.mp4", "--start", "1:2:3:4"], "no time"),
        (["--video", "a.mp4", "--every", "0"], "above 0"),
        (["--video", "a.mp4", "--person", "0"], "largest, all, or a number"),
        (["--video", "a.mp4", "--end", "1", "--start", "2"], "not after the start"),
        (["--video", "a.mp4", "--heatmap"], "does not go with --video"),
        (["--video", "a.mp4", "--chart", "a.jpg"], "PNG"),
        (["--smooth", "1", "a.jpg"], "needs --video"),
        (["--video", "-"], "standard input"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(symface, arguments, told):
    finished = symface("measure", *arguments)
    assert finished.status == 2
    assert told in finished.err
    assert finished.err.count("\n") == 1


def test_wrong_arguments_and_films_are_refused_from_python(tmp_path):
    with pytest.raises(UsageError, match="person or viewer"):
        symface_cli.measure_video("a.mp4", sides="left")
    with pytest.raises(UsageError, match="above 0"):
        symface_cli.measure_video("a.mp4", every=0)
    with pytest.raises(PhotoError, match="no such file"):
        next(symface_cli.measure_video(tmp_path / "a.mp4"))
    film = write_film(tmp_path / "short.mp4", [example(size=SIZE)] * 2)
    with pytest.raises(PhotoError, match="no frame at these times"):
        next(symface_cli.measure_video(film, start=5))


def turned(photo, warp, degrees):
    """The picture with the head turned, as far as the field goes by which a turn moves a face."""
    field = enlarge(warp.pose_field * warp.mask[..., None], 65) * np.sin(np.radians(degrees))
    y, x = np.mgrid[: photo.shape[0], : photo.shape[1]].astype(np.float32)
    face_from_photo = pixel_from_normalized(65) @ np.linalg.inv(warp.photo_from_level)
    places = apply(face_from_photo, np.stack([x, y], -1).astype(float)).astype(np.float32)
    moves = cv2.remap(field, places[..., 0], places[..., 1], cv2.INTER_LINEAR) @ warp.photo_from_level[:2, :2].T
    return cv2.remap(photo, x - moves[..., 0].astype(np.float32), y - moves[..., 1].astype(np.float32), cv2.INTER_CUBIC)


def test_a_head_that_turns_has_its_yaw_and_is_marked_from_the_limit_on(symface, tmp_path):
    photo, network = example(size=SIZE), symface_cli.Symmetrizer()
    warp = warp_of(network.predict(photo, detect(photo)[0]))
    film = write_film(tmp_path / "film.mp4", [turned(photo, warp, degrees) for degrees in (0, 4, 8, 12, 16, 20)])
    rows = rows_of(symface("measure", "--video", film, "--max-yaw", "10", "--csv", "-").out)
    yaws = np.array([float(row["yaw_deg"]) for row in rows])
    assert (np.diff(yaws) > 1).all()
    assert 10 < yaws[-1] - yaws[0] < 20  # the field alone, without what a turn hides
    assert [row["turned"] for row in rows] == [str(int(abs(yaw) > 10)) for yaw in yaws]
    assert rows[-1]["turned"] == "1"


def test_after_a_cut_there_is_another_shot_and_the_face_is_found_again(symface, tmp_path):
    photo = example(size=SIZE)
    elsewhere = np.ascontiguousarray(255 - photo[::-1])
    elsewhere[60:180, 100:220] = cv2.resize(photo, (120, 120), interpolation=cv2.INTER_AREA)
    film = write_film(tmp_path / "film.mp4", [photo] * 3 + [elsewhere] * 4)
    rows = rows_of(symface("measure", "--video", film, "--csv", "-").out)
    assert [row["shot"] for row in rows] == ["0"] * 3 + ["1"] * 4
    assert rows[-1]["found"] == "1"
    assert float(rows[-1]["eye_distance_px"]) == pytest.approx(float(rows[0]["eye_distance_px"]) / 2, rel=0.1)


def test_frames_are_let_go_once_they_are_measured():
    alive, most = weakref.WeakSet(), 0

    def frames():
        for index in range(30):
            frame = Frame(index=index, time=Fraction(index, RATE), photo=example(size=SIZE))
            alive.add(frame)
            yield frame

    meter = FilmMeter(FilmConvention())
    for _ in meter.measure(follow(frames(), symface_cli.Symmetrizer())):
        most = max(most, len(alive))
    assert most <= 8


def test_a_run_that_is_stopped_leaves_nothing(symface, smile, tmp_path, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("symface_cli.films.reports.page.film_as_html", interrupted)
    finished = symface("measure", "--video", smile, "--end", "0.1", "--csv", "a.csv", "--report", "a.html")
    assert finished.status == 130
    assert list(tmp_path.iterdir()) == []


def test_a_film_that_is_left_in_the_middle_is_read_no_further(smile):
    def readers():
        return [thread for thread in threading.enumerate() if thread.name == "symface-reader"]

    def interrupted(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(measure_frames(smile, symface_cli.Symmetrizer(), FilmOptions(), print, interrupted))
    assert readers() == []


def test_the_scale_of_irises_is_the_median_of_the_film(monkeypatch):
    found = iter([Scale(0.5, 0.02), None, Scale(0.6, 0.02), Scale(5.0, 0.02)])
    monkeypatch.setattr(Scaler, "find", lambda *arguments: next(found))
    monkeypatch.setattr(Scaler, "_finders", None)
    meter = FilmMeter(FilmConvention(scaling=Scaling("iris", 11.7)))
    photos = frames_of([example(size=SIZE)] * 40)
    frames = list(meter.measure(follow(photos, symface_cli.Symmetrizer())))
    apart = frames[0]["pupil_distance_px"]
    assert {round(frame.pupils.mm, 4) for frame in frames} == {round(0.6 * apart, 4)}
    assert frames[0].unit == "mm"
