"""The page of a batch's results: everything inside it, links that lead to the files, nothing obeyed that is a name."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image

from symface_cli.batch.gallery import as_html
from symface_cli.batch.outcomes import Outcome, Pair
from symface_cli.batch.targets import STREAM, Target
from symface_cli.errors import NoFaceError, PhotoError
from symface_cli.geometry.frames import pixel_from_normalized
from symface_cli.rendering.records import FaceRecord
from tests.batch.photos import gradient, read, save
from tests.conftest import Finished
from tests.pages import HOSTILE, Reader

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Page(Reader):
    """Reads a page with sliders."""

    def with_class(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for _, attributes in self.elements if name in str(attributes.get("class")).split()]


@pytest.fixture
def done(tmp_path: Path) -> Callable[..., Outcome]:
    """A photo with its result, which is darker, in the folders `in` and `out`."""

    def make(name: str, *faces: FaceRecord, **options: object) -> Outcome:
        photo = save(gradient(), tmp_path / "in" / name)
        result = save(gradient() // 2, tmp_path / "out" / f"{name}.result.png")
        return Outcome(
            target=Target(photo=photo, folder=result.parent, stem=name),
            written=(result,),
            faces=faces or (FaceRecord(),),
            pairs=(Pair(result),),
        )

    return make


@pytest.fixture
def batch(done: Callable[..., Outcome], tmp_path: Path) -> list[Outcome]:
    """Three photos, one of them with two faces, and two failures."""
    lost = Target(photo=tmp_path / "in" / "deep" / "lost.jpg", folder=tmp_path, stem="lost")
    return [
        done("a.png", FaceRecord(midline_degrees=-9.25, eye_distance=80.4)),
        Outcome(target=lost, error=NoFaceError("no face found; try another")),
        done(
            "photo 10.png", FaceRecord(midline_degrees=1, identity=0.7), FaceRecord(midline_degrees=10, eye_distance=95)
        ),
        done("photo 9.png", FaceRecord(midline_degrees=2, identity=0.25)),
        Outcome(
            target=Target(photo=tmp_path / "in" / "bad.jpg", folder=tmp_path, stem="bad"),
            error=PhotoError("cannot read bad.jpg"),
        ),
    ]


@pytest.fixture
def page(batch: list[Outcome], tmp_path: Path) -> Page:
    return Page(as_html(batch, tmp_path))


# The page as a whole


def test_nothing_is_fetched(batch: list[Outcome], tmp_path: Path) -> None:
    text = as_html(batch, tmp_path)
    page = Page(text)
    for name, attributes in page.elements:
        for attribute in ("src", "srcset", "data", "action", "poster", "background", "xlink:href"):
            assert str(attributes.get(attribute) or "data:image/").startswith("data:image/")
        assert name == "a" or "href" not in attributes
    assert not {"link", "iframe", "object", "embed", "base", "form"} & {name for name, _ in page.elements}
    assert len(page.named("script")) == 1 and not page.named("script")[0]
    assert not re.search(r"@import|https?:(?!//www\.w3\.org/2000/svg)|fetch\(|XMLHttpRequest|WebSocket", text)
    assert set(re.findall(r"url\(.{6}", text)) == {'url("data:'}
    (policy,) = [tag["content"] for tag in page.named("meta") if tag.get("http-equiv") == "Content-Security-Policy"]
    assert str(policy).startswith("default-src 'none'; img-src data:;")


def test_same_outcomes_give_the_same_page(batch: list[Outcome], tmp_path: Path) -> None:
    assert as_html(batch, tmp_path) == as_html(batch, tmp_path)


def test_headings_skip_no_level_and_links_lead_to_them(page: Page) -> None:
    levels = [int(name[1]) for name, _ in page.elements if re.fullmatch("h[1-6]", name)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(below <= above + 1 for above, below in pairwise(levels))
    targets = [str(attributes["id"]) for _, attributes in page.elements if "id" in attributes]
    assert len(set(targets)) == len(targets)
    inside = [str(link["href"])[1:] for link in page.named("a") if str(link["href"]).startswith("#")]
    assert set(inside) <= set(targets) and {"failures", "faces", "photos", "photo-1", "photo-3"} <= set(inside)


def test_it_counts_photos_faces_and_failures(page: Page) -> None:
    assert page.text_in("strong")[:3] == ["3", "4", "2 failed"]
    assert page.text_in("title") == ["Symmetric faces of 3 photos"]


def test_a_batch_of_nothing_says_so(tmp_path: Path) -> None:
    page = Page(as_html([], tmp_path))
    assert "No photos." in page.text_in("p")
    assert not page.named("table") and not page.named("img") and not page.with_class("failures")


# Failures


def test_failures_come_first_with_their_reasons(page: Page) -> None:
    assert page.text_in("h2") == ["Failures", "Faces", "Photos"]
    assert "no face found; try another" in page.text_in("p")  # the name is beside it
    assert "cannot read bad.jpg" in page.text_in("p")
    assert {"deep/lost.jpg", "bad.jpg"} <= set(page.text_in("bdi"))


def test_a_batch_of_failures_has_no_table(batch: list[Outcome], tmp_path: Path) -> None:
    page = Page(as_html([outcome for outcome in batch if outcome.error], tmp_path))
    assert page.text_in("h2") == ["Failures"]
    assert not page.named("table")


# Names and links


def links_to_files(page: Page, folder: Path) -> list[Path]:
    addresses = [str(link["href"]) for link in page.named("a")]
    return [Path(os.path.normpath(folder / unquote(address))) for address in addresses if address[0] != "#"]


@pytest.mark.parametrize("place", [".", "out", "pages/all"])
def test_links_lead_to_photos_and_results(batch: list[Outcome], tmp_path: Path, place: str) -> None:
    page = Page(as_html(batch, tmp_path / place))
    expected = [
        [outcome.target.photo, *outcome.written] for outcome in sorted(batch, key=lambda one: one.error is None)
    ]
    assert links_to_files(page, tmp_path / place) == [path for paths in expected for path in paths]
    assert all(not str(link["href"]).startswith("/") for link in page.named("a"))


@pytest.mark.parametrize("name", [HOSTILE.replace("/", ""), "a #1 100%?.png", "c:d.png", "Zoë 写真 \u202egnp.png"])
def test_names_are_shown_and_not_obeyed(done: Callable[..., Outcome], tmp_path: Path, name: str) -> None:
    outcome = done(name)
    failed = Outcome(
        target=Target(photo=tmp_path / "in" / f"x{name}", folder=tmp_path, stem="x"),
        error=NoFaceError(f"{name}: </p><script>"),
    )
    page = Page(as_html([outcome, failed], tmp_path))
    shown = name.replace("\u202e", "\\u202e")  # it would turn the rest around
    assert shown in page.text_in("bdi") and f"x{shown}" in page.text_in("bdi")
    assert len(page.named("script")) == 1
    assert all("onerror" not in attributes for _, attributes in page.elements)
    assert links_to_files(page, tmp_path)[1:] == [outcome.target.photo, *outcome.written]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_names_that_are_no_text_are_linked_too(done: Callable[..., Outcome], tmp_path: Path) -> None:
    outcome = done(os.fsdecode(b"\xff.png"))
    text = as_html([outcome], tmp_path)
    assert text.encode()
    assert 'href="in/%FF.png"' in text and "\\udcff.png" in Page(text).text_in("bdi")


def test_standard_input_has_no_link(tmp_path: Path) -> None:
    outcome = Outcome(
        target=Target(photo=STREAM, folder=Path(), stem="", exact=STREAM),
        written=(STREAM,),
        faces=(FaceRecord(),),
        pairs=(Pair(STREAM),),
    )
    page = Page(as_html([outcome], tmp_path))
    assert "standard input" in page.text_in("bdi")
    assert not page.named("img") and links_to_files(page, tmp_path) == []


# The table


def test_a_row_for_every_face_with_what_to_sort_it_by(page: Page) -> None:
    keys = [str(attributes["data-key"]) for _, attributes in page.elements if "data-key" in attributes]
    assert list(zip(*[iter(keys)] * 5, strict=True)) == [
        ("a.png", "1", "-9.25", "80.4", ""),
        ("photo 10.png", "2", "1", "", "0.7"),
        ("photo 10.png", "2", "10", "95", ""),
        ("photo 9.png", "1", "2", "", "0.25"),
    ]
    assert page.text_in("button") == ["photo", "faces", "midline", "eye distance", "identity distance"]
    assert page.text_in("td")[:4] == ["1", "\u22129.2°", "80 px", "\u2013"]
    assert "face 2" in page.text_in("small")


def test_a_turn_to_either_side_is_warned_of(done: Callable[..., Outcome], tmp_path: Path) -> None:
    text = as_html([done("a.png", FaceRecord(yaw_degrees=-35.0)), done("b.png", FaceRecord(yaw_degrees=5.0))], tmp_path)
    assert "turn" in Page(text).text_in("button")
    warned = re.findall(r"<strong[^>]*>([^<]*)</strong> \(strongly turned\)", text)
    assert set(warned) == {"\u221235°"}


def test_measures_that_nobody_has_are_not_shown(done: Callable[..., Outcome], tmp_path: Path) -> None:
    page = Page(as_html([done("a.png", FaceRecord(midline_degrees=1))], tmp_path))
    assert page.text_in("button") == ["photo", "faces", "midline"]
    assert page.text_in("dt") == ["midline", "faces", "midline"]


def test_a_person_who_may_not_be_recognized_is_pointed_out(page: Page) -> None:
    alarms = [text for text in page.text_in("strong") if text == "0.70"]
    assert len(alarms) == 2  # in the table, and beside the photo
    assert "0.25" in page.text_in("td") and "0.25" not in page.text_in("strong")


# The slides


def test_a_slider_lies_over_the_photo_and_its_result(page: Page) -> None:
    sliders, pictures = page.named("input"), [picture for picture in page.named("img") if picture["alt"]]
    assert len(sliders) == len(page.with_class("slider")) == 3
    for slider, name in zip(sliders, ["a.png", "photo 10.png", "photo 9.png"], strict=True):
        assert (slider["type"], slider["min"], slider["max"]) == ("range", "0", "100")
        assert str(slider["aria-label"]).endswith(f": {name}")
        assert slider["aria-valuetext"] == "50 % photo"
    assert [picture["alt"] for picture in pictures[:2]] == ["photo: a.png", "result: a.png"]
    before, after = (read(picture["src"]) for picture in pictures[:2])
    assert before.shape == after.shape == (300, 400, 3)
    assert np.abs(before - gradient()).mean() < 3
    assert np.abs(after - gradient() // 2).mean() < 3
    assert (pictures[0]["width"], pictures[0]["height"]) == ("400", "300")


@pytest.mark.parametrize("missing", ["photo", "result", "both"])
def test_what_is_not_there_any_more_is_listed_without_pictures(
    done: Callable[..., Outcome], tmp_path: Path, missing: str
) -> None:
    outcome = done("a.png")
    if missing != "result":
        outcome.target.photo.unlink()
    if missing != "photo":
        outcome.written[0].write_bytes(b"broken")
    page = Page(as_html([outcome], tmp_path))
    assert "a.png" in page.text_in("bdi")
    shown = [str(picture["alt"]).split(":")[0] for picture in page.named("img") if picture["alt"]]
    assert shown == {"photo": ["result"], "result": ["photo"], "both": []}[missing]
    assert not page.named("input")


def test_results_that_lie_elsewhere_stand_beside_the_photo(done: Callable[..., Outcome], tmp_path: Path) -> None:
    outcome = done("a.png")
    apart = replace(outcome, pairs=())
    page = Page(as_html([apart], tmp_path))
    assert len([picture for picture in page.named("img") if picture["alt"]]) == 2
    assert not page.named("input") and not page.with_class("slider")


def test_several_results_of_a_photo_have_a_slide_each(done: Callable[..., Outcome], tmp_path: Path) -> None:
    outcome = done("a.png", FaceRecord(), FaceRecord())
    where = pixel_from_normalized(100)
    pairs = tuple(Pair(outcome.written[0], number, where) for number in (1, 2))
    page = Page(as_html([replace(outcome, pairs=pairs)], tmp_path))
    assert page.text_in("figcaption") == ["face 1", "face 2"]
    assert [str(slider["aria-label"])[-15:] for slider in page.named("input")] == ["face 1 of a.png", "face 2 of a.png"]


@pytest.mark.parametrize(
    ("options", "result"),
    [
        ((), ".png"),
        (("--output", "face"), "-face.png"),
        (("--output", "crop", "--output", "photo"), "-crop.png"),
        (("--continuum", "0:1:0.5"), "-002.png"),
        (("--preview",), "-preview.png"),
        (("--compare",), ".png"),
        (("--gif",), ".gif"),
    ],
)
def test_a_report_shows_what_was_made(
    symface: Callable[..., Finished], portrait: Path, tmp_path: Path, options: tuple[str, ...], result: str
) -> None:
    Image.open(portrait).crop((40, 0, 640, 600)).save(tmp_path / "a.png")
    finished = symface(
        "symmetrize", tmp_path / "a.png", *options, "-o", f"{tmp_path}/out/", "--report", tmp_path / "report.html"
    )
    assert finished.status == 0
    page = Page((tmp_path / "report.html").read_text("utf-8"))
    before, after = (read(picture["src"]) for picture in page.named("img") if picture["alt"])
    assert len(page.named("input")) == 1 and before.shape == after.shape
    with Image.open(tmp_path / "out" / f"a.symmetric{result}") as made:
        made.seek(getattr(made, "n_frames", 1) // 2)
        expected = np.asarray(made.convert("RGB").resize(after.shape[1::-1])).astype(int)
    assert np.abs(after - expected).mean() < 4
    # They are of the same place: moved against each other they are less alike.
    difference = np.abs(before - after).mean()
    assert 0.2 < difference < min(np.abs(np.roll(before, shift, 1) - after).mean() for shift in (-16, 16))


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not here")
def test_the_slider_moves_and_headings_sort(batch: list[Outcome], tmp_path: Path) -> None:
    """In a browser without a window, by a script at the page's end that does what a person would."""
    script = """<script>
    const slider = document.querySelector(".slider input");
    slider.value = 20;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    document.querySelectorAll("th button")[2].click();
    const rows = () => [...document.querySelectorAll(".overview tbody tr")].map(row => row.cells[2].dataset.key);
    document.title = rows().join();
    document.querySelectorAll("th button")[0].click();
    document.querySelectorAll("th button")[0].click();
    document.title += ";" + [...document.querySelectorAll(".entry h3")].map(heading => heading.textContent).join();
    </script></body>"""
    report = tmp_path / "report.html"
    report.write_text(as_html(batch, tmp_path).replace("</body>", script), "utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]
    finished = subprocess.run([str(CHROMIUM), *options, report.as_uri()], capture_output=True, timeout=60, check=True)
    after = Page(finished.stdout.decode())
    assert [slider.get("style") for slider in after.with_class("slider")] == [None, None, "--at: 20;"]
    assert [slider["aria-valuetext"] for slider in after.named("input")] == ["50 % photo", "50 % photo", "20 % photo"]
    assert after.text_in("title") == ["-9.25,1,2,10;photo 10.png,photo 9.png,a.png"]
    assert [heading.get("aria-sort") for heading in after.named("th")[:5]] == ["descending", None, None, None, None]
    assert "sorted by photo, descending" in after.text_in("p")
