"""The HTML report shows what was counted, draws its curves where they belong, and fetches nothing."""

import base64
import io
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from math import inf
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from symface_cli.data.datasets import DatasetPhoto
from symface_cli.errors import PhotoError
from symface_cli.evaluation.contact_sheet import choose_cases
from symface_cli.evaluation.html import choose_curves, report_as_html
from symface_cli.evaluation.plot import Axis, axis_around, step_path
from symface_cli.evaluation.protocol import Attempt, EvaluationPlan, Key, PhotoResult
from symface_cli.evaluation.scores import EvaluationReport, summarize_results
from symface_cli.geometry.types import Array, Photo
from symface_cli.methods.network import DECODED, OURS
from symface_cli.methods.provider import Method, ProvidedFace
from symface_cli.methods.registry import PROVIDERS, ProviderEntry
from symface_cli.recognition.recognizer import Embedding
from symface_cli.recognition.registry import RECOGNIZERS
from tests.pages import HOSTILE, Reader

METHODS = ("vae", "vae-decode", "upside-down")
COMMAND = "symface evaluate faces/ --report report.html"


class LineRecognizer:
    """Everybody has a place on a line."""

    thresholds = (0.6, 0.5, 0.4)
    files = ()

    @staticmethod
    def distance(a: Embedding, b: Embedding) -> float:
        return float(abs(a - b)[0])


class KnownMethods:
    """Finds a face in photos that are not black."""

    def find(self, photo: Photo, point: Array | None = None) -> list[ProvidedFace]:
        if not photo.any():
            return []
        return [
            ProvidedFace({"vae": lambda: photo, "vae-decode": lambda: photo, "upside-down": lambda: photo[::-1]}, None)
        ]


@pytest.fixture
def plan(monkeypatch: pytest.MonkeyPatch) -> EvaluationPlan:
    monkeypatch.setitem(RECOGNIZERS, "line", LineRecognizer)
    methods = (OURS, DECODED, Method(name="upside-down", provider="vae"))
    entry = ProviderEntry(
        name="vae", methods=methods, load=lambda weights=None, device="cpu", model_folder=None: KnownMethods()
    )
    monkeypatch.setitem(PROVIDERS, "vae", entry)
    return EvaluationPlan(methods=METHODS, recognizers=("line",))


def attempt_at(place: float | None, found: bool = True) -> Attempt:
    """A result that lies at a place on the line; None: not seen."""
    embedding = None if place is None else np.array([place])
    return Attempt(found=found, embedding=embedding, mirror_error=0, seconds=0.02)


@pytest.fixture
def examine(tmp_path: Path) -> Callable[..., PhotoResult]:
    """A photo of a person at 0 on the line, whose symmetric faces lie at the given places; None: not seen."""

    def make(person: str, *places: float | None, found: bool = True, name: str = "1.png") -> PhotoResult:
        folder = tmp_path / person
        folder.mkdir(exist_ok=True)
        Image.new("RGB", (400, 200), (90, 120, 150) if found else "black").save(folder / name)
        attempts = {
            Key("none", method, "line"): attempt_at(place, found) for method, place in zip(METHODS, places, strict=True)
        }
        photo = DatasetPhoto(folder / name, person)
        return PhotoResult(photo=photo, digest="0a", agreeing=12, originals={"line": np.zeros(1)}, attempts=attempts)

    return make


@pytest.fixture
def report(plan: EvaluationPlan, examine: Callable[..., PhotoResult]) -> EvaluationReport:
    """Four photos of `vae` at 0.3, 0.5, 0.7 and missed; `upside-down` always fails."""
    return summarize_results(
        plan,
        [
            examine("Ann", 0.3, 0.1, 0.9),
            examine("Bob", 0.5, 0.5, 0.9),
            examine("Cem", 0.7, 0.61, None),
            examine("Dan", None, None, None, found=False),
        ],
    )


@pytest.fixture
def page(report: EvaluationReport) -> Reader:
    return Reader(report_as_html(report, COMMAND))


# The page


def test_nothing_is_fetched(report: EvaluationReport) -> None:
    page = report_as_html(report, COMMAND)
    reader = Reader(page)
    for _, attributes in reader.elements:
        for name in ("src", "href", "xlink:href", "srcset", "data", "action", "poster", "background"):
            address = attributes.get(name)
            assert address is None or address.startswith(("data:image/", "#")), address
    assert not {"script", "link", "iframe", "object", "embed", "base"} & {name for name, _ in reader.elements}
    assert not re.search(r"url\(|@import|https?:", page)


def test_links_lead_to_headings(page: Reader) -> None:
    targets = {attributes.get("id") for _, attributes in page.elements} - {None}
    links = [str(attributes["href"])[1:] for attributes in page.named("a")]
    assert links == ["results", "curves", "subsets", "cases", "reading"]
    assert set(links) <= targets


def test_headings_skip_no_level(page: Reader) -> None:
    levels = [int(name[1]) for name, _ in page.elements if re.fullmatch("h[1-6]", name)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(below <= above + 1 for above, below in pairwise(levels))


def test_every_table_has_a_caption_and_one_row_per_method(page: Reader) -> None:
    tables = len(page.named("table"))
    assert tables == len(page.named("caption")) == 2  # all photos, and the subsets
    headings = zip(page.text_in("th"), page.named("th"), strict=True)
    rows = [name for name, attributes in headings if attributes["scope"] == "row"]
    assert rows == [*METHODS, *METHODS]


def test_it_says_what_was_counted_and_how(page: Reader) -> None:
    assert COMMAND in page.text_in("code")
    assert any("4 photos of 4 persons" in text for text in page.text_in("dd"))


def test_same_report_gives_the_same_page(report: EvaluationReport) -> None:
    assert report_as_html(report, COMMAND) == report_as_html(report, COMMAND)


def test_hostile_names_are_shown_and_not_obeyed(plan: EvaluationPlan, examine: Callable[..., PhotoResult]) -> None:
    results = [examine("Eve <b>", 0.1, 0.1, 0.1, name=HOSTILE)]
    page = Reader(report_as_html(summarize_results(plan, results), "</code><script>alert(1)</script>"))
    assert f"Eve <b>/{HOSTILE}" in page.text_in("h4")
    assert "</code><script>alert(1)</script>" in page.text_in("code")
    assert not page.named("script") and not page.named("b")
    assert all("onerror" not in attributes for _, attributes in page.elements)


def test_run_without_readable_photos_has_no_table(plan: EvaluationPlan) -> None:
    unreadable = PhotoResult(photo=DatasetPhoto(Path("a.jpg"), "a"), error=PhotoError("cannot read a.jpg"))
    page = Reader(report_as_html(summarize_results(plan, [unreadable]), COMMAND))
    assert not page.named("table") and not page.named("img")
    assert any("1 more unreadable" in text for text in page.text_in("dd"))


# The tables


def test_best_of_a_column_and_the_papers_numbers_are_set_off(page: Reader) -> None:
    kinds = [attributes.get("class") for attributes in page.named("td")]
    # recognized at three thresholds, paper, rank-1, faces missed, false accepts, mirror error, ms, p
    assert kinds[:10] == ["best", "best", "best", "paper", None, "best", None, None, None, None]  # vae
    assert kinds[10:20] == kinds[:10]  # vae-decode is as good
    assert kinds[20:30] == [None, None, None, "paper", *[None] * 6]  # upside-down is not
    assert kinds[30:] == ["best", "best", "best", "best", None, None]  # the subsets
    headings = [attributes.get("class") for attributes in page.named("th") if attributes["scope"] == "col"]
    assert headings == [*[None] * 4, "paper", *[None] * 6, *[None] * 3]


def test_intervals_are_in_small_print(page: Reader) -> None:
    assert page.text_in("small")[:3] == ["(0.150-0.850)", "(0.046-0.699)", "(0.046-0.699)"]  # Wilson's, of 2/4 and 1/4


# The curves


def test_curve_steps_at_each_distance() -> None:
    # 50 + 1000 (t - 0.2) across; 370 - 330 * share down: a quarter is 82.5.
    path = step_path([0.5, inf, 0.3, 0.7], Axis(0.2, 0.8))
    assert path == "M50 370H150V287.5H350V205H550V122.5H650"


def test_distances_off_the_axis_count() -> None:
    assert step_path([0.1, 0.8, 0.9, 0.5], Axis(0.2, 0.8)) == "M50 287.5H350V205H650"


def test_distances_at_one_place_make_one_step() -> None:
    assert step_path([0.5, 0.5, 0.50001, 2], Axis(0.2, 0.8)) == "M50 370H350V122.5H650"


def test_page_has_the_methods_curves_and_the_false_accepts(page: Reader) -> None:
    curves = [str(attributes["d"]) for attributes in page.named("path") if "H650" in str(attributes["d"])]
    assert "M50 370H150V287.5H350V205H550V122.5H650" in curves  # vae, recognized
    assert "M50 370H150V260H350V150H550V40H650" in curves  # vae, three results against the others, all at 0


@pytest.mark.parametrize(
    ("published", "low", "high", "ticks"),
    [
        (0.6, 0.2, 0.8, [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]),
        (0.99, 0.33, 1.32, [0.4, 0.6, 0.8, 1.0, 1.2]),
        (30, 10, 40, [10, 15, 20, 25, 30, 35, 40]),
    ],
)
def test_axis_reaches_around_the_published_threshold(
    published: float, low: float, high: float, ticks: list[float]
) -> None:
    axis = axis_around(published)
    assert (axis.low, axis.high) == pytest.approx((low, high))
    assert axis.ticks() == pytest.approx(ticks)
    assert axis.place(published) == pytest.approx(450)


def test_of_many_methods_vae_and_the_seven_best_are_drawn(
    monkeypatch: pytest.MonkeyPatch, plan: EvaluationPlan
) -> None:
    names = ("m0", "m1", "vae", "m2", "m3", "m4", "m5", "m6", "m7", "m8")
    photos = []
    for number in range(9):  # m0 is recognized in no photo, m1 in one, and so on; vae in none
        places = {name: 0.0 if name != "vae" and number < int(name[1]) else 9.0 for name in names}
        attempts = {Key("none", name, "line"): attempt_at(place) for name, place in places.items()}
        photo = DatasetPhoto(Path("a.jpg"), "a")
        photos.append(PhotoResult(photo=photo, originals={"line": np.zeros(1)}, attempts=attempts))
    report = summarize_results(EvaluationPlan(methods=names, recognizers=("line",)), photos)
    assert choose_curves(report) == ("vae", "m2", "m3", "m4", "m5", "m6", "m7", "m8")


def test_vae_is_drawn_strongest_wherever_it_stands_in_the_plan(report: EvaluationReport) -> None:
    turned = replace(report, plan=replace(report.plan, methods=METHODS[::-1]))
    assert choose_curves(turned) == ("vae", "upside-down", "vae-decode")


# The contact sheet


def test_best_median_worst_and_missed_photos_are_chosen() -> None:
    distances = [0.9, 0.1, inf, 0.5, 0.3, 0.7, 0.2, inf, 0.8]
    assert choose_cases(distances, 1) == {"Best": [1], "Median": [3], "Worst": [0], "Missed": [2]}
    assert choose_cases(distances, 2) == {"Best": [1, 6], "Median": [4, 3], "Worst": [0, 8], "Missed": [2, 7]}


@pytest.mark.parametrize(
    ("distances", "kinds"),
    [
        ([], {}),
        ([inf], {"Missed": [0]}),
        ([0.5], {"Best": [0]}),
        ([0.5, 0.4], {"Best": [1], "Worst": [0]}),
        ([0.5, 0.4, 0.3], {"Best": [2], "Median": [1], "Worst": [0]}),
    ],
)
def test_few_photos_are_shown_once(distances: list[float], kinds: dict[str, list[int]]) -> None:
    assert choose_cases(distances, 3) == kinds


def test_cases_come_with_what_became_of_them(page: Reader) -> None:
    assert page.text_in("h3") == ["Best", "Median", "Worst", "Missed"]
    assert page.text_in("h4") == ["Ann/1.png", "Bob/1.png", "Cem/1.png", "Dan/1.png"]
    assert page.text_in("span")[-12:] == [
        *("0.10", "0.30", "0.90, not recognized"),  # the face only, the symmetric face, the others
        *("0.50", "0.50", "0.90, not recognized"),
        *("0.61, not recognized", "0.70, not recognized", "no face seen in it"),
        *("no face found", "no face found", "no face found"),
    ]


def test_pictures_are_small_and_say_what_they_show(page: Reader) -> None:
    pictures = page.named("img")
    assert len(pictures) == 13  # three photos with three results each, and the photo without a face
    assert [picture["alt"] for picture in pictures[:4]] == [
        *("photo of Ann/1.png", "face only of Ann/1.png", "symmetric face of Ann/1.png", "upside-down of Ann/1.png")
    ]
    for picture in pictures:
        content = base64.b64decode(str(picture["src"]).removeprefix("data:image/webp;base64,"))
        assert Image.open(io.BytesIO(content)).size == (160, 80)  # the photos have 400 x 200
        assert (picture["width"], picture["height"]) == ("160", "80")


def test_unseen_original_is_said(plan: EvaluationPlan, examine: Callable[..., PhotoResult]) -> None:
    unseen = replace(examine("Flo", 0.1, 0.1, 0.1), originals={"line": None})
    page = Reader(report_as_html(summarize_results(plan, [unseen]), COMMAND))
    assert page.text_in("span")[-3:] == ["no face seen in the photo"] * 3
