"""The page of a measured film in a browser, as a person uses it; the curves and the chart that it has in common."""

import numpy as np
import pytest

from symface_cli.films.measuring.rest import Span
from symface_cli.films.measuring.study import Analysis, study_film
from symface_cli.films.reports.chart import chart_as_png
from symface_cli.films.reports.curves import draw_panels, time_axis, write_time
from symface_cli.films.reports.page import film_as_html
from symface_cli.films.reports.pictures import FacePicture, choose_moments
from symface_cli.pages import inline_image
from tests.films.tracks import records_of, sided, smile
from tests.pages import HOSTILE, Reader
from tests.serve.browser import PROGRAM, Browser

TIMES = np.arange(200) / 25.0
TIME = "document.querySelector('.time').textContent"


def study_of(name="smile.mp4", times=TIMES, **options):
    left, right = 50 + smile(times, amplitude=8.0) + smile(times, 5.0, amplitude=6.0), 50 + smile(times, amplitude=4.0)
    curves = {**sided("commissure_excursion", left, right), "whole_shape_pct": left - 48}
    return study_film(name, records_of(times, curves, **options), Analysis(Span(0, 1.5)))


def pictures_of(study):
    """A picture for each moment, as dark as the frame is late."""
    person = study.persons[0]
    frames = [person.track.frames[index] for index in choose_moments(person)]
    return {
        (frame.frame, 1): FacePicture(
            inline_image(np.full((320, 320, 3), 255 - frame.frame % 200, np.uint8)), frame.places.astype(float)
        )
        for frame in frames
        if frame.is_found
    }


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if PROGRAM is None:
        pytest.skip("there is no Chromium")
    folder = tmp_path_factory.mktemp("page")
    study = study_of(missing=range(60, 64), turned=range(180, 190))
    (folder / "page.html").write_bytes(film_as_html(study, pictures_of(study)))
    browser = Browser(folder / "browser")
    try:
        browser.look(1280, 900)
        browser.open(f"file://{folder / 'page.html'}")
        browser.wait_for(f"{TIME} != ''")
        yield browser
        assert [url for url in browser.asked if not url.startswith(("file:", "data:", "about:"))] == []
        assert browser.complaints == []
    finally:
        browser.close()


def face(browser):
    return browser.run("document.querySelector('.face img').src")


def test_the_slider_moves_through_the_film_by_keys_and_says_where_it_is(browser):
    browser.click("button[aria-label^='Rest']")
    assert browser.run(TIME).startswith("0.7")
    before = face(browser)
    browser.run("document.querySelector('input[type=range]').focus()")
    browser.press("ArrowRight")
    text = browser.run("document.querySelector('input[type=range]').getAttribute('aria-valuetext')")
    assert text == browser.run(TIME) == "0.80 s, frame 20"
    assert face(browser) != before


def test_buttons_lead_to_peaks_and_values_are_those_of_the_moment(browser):
    browser.click("button[aria-label^='Commissure excursion: peak 2']")
    assert browser.run(TIME).startswith(("5.5", "5.6"))
    now = browser.run("[...document.querySelectorAll('.chart')][2].querySelector('.now').textContent")
    assert now == "left 56.00, right 50.00, difference 6.00"


def test_a_click_into_a_curve_leads_to_its_time(browser):
    x, y = browser.middle(".chart svg", 0.5)
    browser.run(
        f"document.elementFromPoint({x}, {y}).dispatchEvent(new MouseEvent('click', "
        f"{{ bubbles: true, clientX: {x}, clientY: {y} }}))"
    )
    seconds = float(browser.run(TIME).split(" ")[0])
    assert seconds == pytest.approx((320 - 44) / (632 - 44) * TIMES[-1], abs=0.05)


def test_frames_without_the_face_and_turned_ones_say_so(browser):
    for time, state in ((2.5, ", no face found"), (7.4, ", turned too far")):
        browser.run(f"viewers[0].jump({time})")
        assert browser.run(TIME).endswith(state)
    browser.run("viewers[0].jump(2.5)")
    assert browser.run("document.querySelector('.face img').hidden")


def test_playing_goes_on_by_itself_and_can_be_stopped(browser):
    browser.run("viewers[0].jump(0)")
    browser.click(".play")
    browser.wait_for(f"parseFloat({TIME}) > 0.1")
    browser.click(".play")
    assert browser.run("document.querySelector('.play').textContent") == "Play"


def test_without_scripts_the_page_shows_the_face_where_it_is_least_symmetric_and_all_curves():
    study = study_of(HOSTILE)
    page = Reader(film_as_html(study, pictures_of(study)).decode())
    (image,) = page.named("img")
    assert image["src"].startswith("data:image/webp")
    assert len([figure for figure in page.named("figure") if figure["class"] == "chart"]) == 14
    labels = [svg["aria-label"] for svg in page.named("svg") if svg.get("role") == "img"]
    assert any("The sides differ most at 5." in label and "by 6.00. 2 movements." in label for label in labels)
    assert HOSTILE.rpartition("/")[2] in " ".join(page.text_in("bdi"))
    assert "+8.00 %" in page.text_in("td")


def test_curves_are_broken_where_there_is_no_face_and_at_cuts():
    study = study_of(missing=range(60, 66), shots=[0] * 120 + [1] * 80, turned=range(180, 190))
    person = study.persons[0]
    axis = time_axis(person)
    panel = next(panel for panel in draw_panels(person, axis) if panel.name == "commissure_excursion")
    left, right = panel.curves
    assert [len(line) for line in left.lines] == [60, 54, 80]
    assert (left.role, right.role, panel.unit) == ("left", "right", "% of pupil distance")
    assert [tick.label for tick in panel.up] == ["50", "52", "54", "56", "58"]
    top = max(line[:, 1].max() for line in left.lines)
    assert top == pytest.approx(1.0, abs=0.01)  # 58 is reached
    kinds = {band.kind: (band.start, band.end) for band in axis.bands}
    step = 1 / 199
    assert kinds["missing"] == pytest.approx((59.5 * step, 65.5 * step))
    assert kinds["turned"] == pytest.approx((179.5 * step, 189.5 * step))
    assert kinds["rest"] == pytest.approx((0, 1.5 / TIMES[-1]))


def test_long_curves_keep_their_extremes():
    times = np.arange(20_000) / 25.0
    study = study_of(times=times)
    person = study.persons[0]
    panel = draw_panels(person, time_axis(person))[2]
    (line,) = panel.curves[0].lines
    assert len(line) <= 1602
    assert line[:, 1].max() == pytest.approx(1.0, abs=1e-6)
    assert (np.diff(line[:, 0]) > 0).all()


@pytest.mark.parametrize(
    ("seconds", "digits", "text"),
    [
        (2.5, 0, "2.5 s"),
        (0.0, 0, "0 s"),
        (65.0, 0, "1:05"),
        (59.999, 2, "1:00.00"),
        (3.456, 2, "3.46 s"),
        (125.5, 2, "2:05.50"),
    ],
)
def test_times_are_written_for_people(seconds, digits, text):
    assert write_time(seconds, digits) == text


def test_moments_are_few_however_long_the_film_is():
    study = study_of(times=np.arange(5_000) / 25.0)
    moments = choose_moments(study.persons[0])
    assert len(moments) <= 240
    assert {0, 4_999, *study.persons[0].largest.values()} <= set(moments)


def test_a_face_that_is_never_seen_has_a_page_and_a_chart():
    study = study_of(missing=range(200))
    assert b"no change from it" in film_as_html(study, {})
    assert chart_as_png(study).startswith(b"\x89PNG")
