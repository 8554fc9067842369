"""The page's texts in every language, and what the page is made of."""

import json
import re
from string import Formatter

import pytest

from symface_cli.measurement.measures import MEASURES
from symface_cli.serve.app import STATIC
from symface_cli.serve.problems import BUG, KINDS

TEXTS = {path.stem: json.loads(path.read_text("utf-8")) for path in (STATIC / "texts").glob("*.json")}
HTML = (STATIC / "index.html").read_text("utf-8")
SCRIPTS = {path.name: path.read_text("utf-8") for path in STATIC.glob("*.js")}


def words(text: str) -> set[str | None]:
    return {word for _, word, _, _ in Formatter().parse(text) if word}


@pytest.mark.parametrize("language", sorted(set(TEXTS) - {"en"}))
def test_a_language_has_every_text_with_the_same_values(language: str) -> None:
    assert {name: words(text) for name, text in TEXTS[language].items()} == {
        name: words(text) for name, text in TEXTS["en"].items()
    }
    same = {name for name, text in TEXTS[language].items() if text == TEXTS["en"][name]}
    assert len(same) < 10


def test_languages_are_those_that_can_be_chosen() -> None:
    chosen = re.search(r"LANGUAGES = \{(.*?)\}", SCRIPTS["texts.js"]).group(1)
    assert set(re.findall(r"(\w\w):", chosen)) == set(TEXTS)


def test_every_text_that_is_asked_for_is_there_and_none_else() -> None:
    asked = set(re.findall(r'data-text="(\w+)"', HTML))
    for script in SCRIPTS.values():
        asked |= set(re.findall(r'\btext\("(\w+)"', script))
    asked |= {"found", "found_none", *(f"handle_{kind}_{end}" for kind in ("eye", "midline") for end in (0, 1))}
    asked |= {
        f"view_{view}"
        for view in re.search(r"VIEWS = \[(.*?)\]", SCRIPTS["page.js"]).group(1).replace('"', "").split(", ")
    }
    asked |= {f"measure_{measure.name}" for measure in MEASURES}
    asked |= {f"measure_{head}" for head in ("unit", "left", "right", "difference")}
    asked |= {f"area_{area}" for area in ("whole", "brows", "eyes", "nose", "mouth", "jaw")}
    asked |= {f"value_{column}" for column in ("shape_pct", "color_de", "lightness")}
    kinds = {kind for _, kind, _ in (*KINDS.values(), BUG)}
    kinds |= {"too-large", "too-long", "too-slow", "busy", "gone", "token", "away", "camera", "unknown"}
    asked |= {f"problem_{kind}" for kind in kinds}
    assert set(TEXTS["en"]) == asked


def test_the_page_has_no_scripts_or_styles_inside_and_nothing_from_elsewhere() -> None:
    assert re.findall(r"<script[^>]*>([^<]+)</script>|<style| style=| on\w+=", HTML) == []
    for content in (HTML, *SCRIPTS.values(), (STATIC / "style.css").read_text("utf-8")):
        assert set(re.findall(r"https?://[\w.]+", content)) <= {"http://www.w3.org"}


def test_modules_and_files_that_are_named_exist() -> None:
    named = re.findall(r'/static/([\w./]+)"', HTML)
    named += [name for script in SCRIPTS.values() for name in re.findall(r'from "\./([\w.]+)"', script)]
    assert len(named) > 8
    assert all((STATIC / name).is_file() for name in named)


def test_elements_that_scripts_ask_for_are_there() -> None:
    asked = {name for script in SCRIPTS.values() for name in re.findall(r'(?:\$|querySelector)\("#([\w-]+)', script)}
    assert asked <= set(re.findall(r'id="([\w-]+)"', HTML))
    assert len(asked) > 10
