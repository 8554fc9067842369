"""The page in a browser, as a person uses it."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import ROOT
from tests.processes import forking
from tests.serve.browser import PROGRAM, Browser

pytestmark = [forking, pytest.mark.slow, pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium")]
SHOWN = "document.querySelector('#stage .after').naturalWidth > 0 && !document.querySelector('#work.waiting')"


@pytest.fixture(scope="module")
def browser(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser with the page, onto which two photos have been dropped."""
    browser = Browser(tmp_path_factory.mktemp("browser"))
    try:
        browser.look(1280, 900)
        browser.open(address)
        browser.wait_for("document.querySelector('#files') && document.documentElement.classList.contains('empty')")
        browser.drop([ROOT / "examples" / name for name in ("portrait.jpg", "pair.jpg")], browser.middle(".intake"))
        browser.wait_for(SHOWN)
        browser.wait_for("document.querySelectorAll('#strip img').length == 2")
        yield browser
        elsewhere = [url for url in browser.asked if not url.startswith((address, f"blob:{address}", "about:"))]
        assert elsewhere == []
        assert browser.complaints == []
    finally:
        browser.close()


def after(browser: Browser) -> str:
    """The address of what is shown as the result: each new result has another."""
    return str(browser.run("document.querySelector('#stage .after').src"))


def changed(browser: Browser, before: str) -> None:
    browser.wait_for(f"document.querySelector('#stage .after').src != {before!r} && {SHOWN}")


def test_sliders_move_by_mouse_and_by_keyboard(browser: Browser) -> None:
    shown = after(browser)
    browser.drag(browser.middle("[name=shape]", 0.65), browser.middle("[name=shape]", 0.2))
    changed(browser, shown)
    value = float(browser.run("document.querySelector('[name=shape]').value"))
    assert value < 0
    assert (
        browser.run("document.querySelector('[name=shape]').nextElementSibling.textContent") == f"{100 * value:.0f} %"
    )
    shown = after(browser)
    browser.run("document.querySelector('[name=color]').focus()")
    browser.press("ArrowLeft")
    changed(browser, shown)
    assert float(browser.run("document.querySelector('[name=color]').value")) == 0.95
    browser.click("[type=reset]")
    browser.wait_for("document.querySelector('[name=shape]').value == 1")


def test_the_wipe_follows_the_mouse(browser: Browser) -> None:
    browser.drag(browser.middle(".pictures"), browser.middle(".pictures", 0.2))
    assert browser.run("document.querySelector('.wipe input').value") == "20"
    assert browser.run("getComputedStyle(document.querySelector('.pictures')).getPropertyValue('--at')") == "20%"


def test_the_midline_is_dragged_and_moved_by_keys(browser: Browser) -> None:
    browser.click("#correct")
    point = "circle.midline"
    before = browser.run(f"+document.querySelector('{point}').getAttribute('cx')")
    shown = after(browser)
    browser.drag(browser.middle(point), browser.middle(point, 4.5))
    changed(browser, shown)
    dragged = browser.run(f"+document.querySelector('{point}').getAttribute('cx')")
    assert dragged - before > 20
    shown = after(browser)
    browser.run(f"document.querySelector('{point}').focus()")
    browser.press("ArrowLeft", shift=True)
    changed(browser, shown)
    assert browser.run(f"+document.querySelector('{point}').getAttribute('cx')") < dragged
    browser.click("#undo")
    assert browser.run(f"+document.querySelector('{point}').getAttribute('cx')") == before
    browser.click("#correct")


def test_the_result_is_saved_in_full_size_under_its_name(browser: Browser) -> None:
    browser.click("#save")
    saved = Image.open(browser.downloaded("portrait.symmetric.jpg"))
    assert (saved.format, saved.size) == ("JPEG", (675, 675))
    photo = np.asarray(Image.open(ROOT / "examples" / "portrait.jpg"), np.int16)
    assert abs(np.asarray(saved, np.int16) - photo).max() > 30


def test_all_results_are_saved_in_an_archive(browser: Browser) -> None:
    browser.click("#save-all")
    with zipfile.ZipFile(browser.downloaded("symface.zip")) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["portrait.symmetric.jpg", "pair.symmetric.jpg"]
        assert Image.open(io.BytesIO(archive.read("pair.symmetric.jpg"))).size == (1235, 675)


def test_measures_are_a_table(browser: Browser) -> None:
    browser.click("#views button:last-child")
    browser.wait_for("document.querySelectorAll('#measures tr').length > 15")
    assert browser.run("document.querySelector('#picture img').naturalWidth > 0")
    browser.click("#views button:first-child")


def test_another_language_is_spoken_at_once(browser: Browser) -> None:
    browser.run("(s => { s.value = 'de'; s.dispatchEvent(new Event('change')); })(document.querySelector('#language'))")
    browser.wait_for("document.querySelector('#save').textContent == 'Speichern'")
    assert browser.run("document.documentElement.lang") == "de"


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_wider_than_the_screen(browser: Browser, width: int) -> None:
    browser.look(width, 800, is_phone=width < 500)
    assert browser.run("document.documentElement.scrollWidth") <= width


def test_a_damaged_photo_is_told_of_and_gone(browser: Browser, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.jpg"
    damaged.write_bytes((ROOT / "examples" / "portrait.jpg").read_bytes()[:5000])
    browser.drop([damaged], browser.middle(".intake"))
    browser.wait_for("document.querySelector('#problem').textContent.startsWith('damaged.jpg: ')")
    assert browser.run("document.querySelectorAll('#strip li').length") == 2
    browser.click("#strip li:nth-child(2) button")  # another picture takes nothing away
    browser.wait_for(SHOWN)
    assert browser.run("document.querySelector('#problem').textContent").startswith("damaged.jpg: ")
    browser.complaints.clear()  # a browser's console names each answer of a failure
