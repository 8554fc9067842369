"""Pages say what made them, so that they alone are made anew without being asked."""

from pathlib import Path

import pytest

from symface_cli import pages
from symface_cli.pages import is_page
from symface_cli.version import __version__
from tests.conftest import ROOT

TEMPLATES = sorted((ROOT / "symface_cli").rglob("*.html.jinja"))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_every_page_says_first_that_symface_made_it(template: Path) -> None:
    head = template.read_text("utf-8").partition("<!DOCTYPE html>")[2]
    assert 0 < head.index('<meta name="generator" content="{{ generator }}">') < pages.HEAD - 100


@pytest.mark.parametrize(
    ("content", "known"),
    [
        (f'<!DOCTYPE html>\n<meta name="generator" content="symface {__version__}">', True),
        ('<!DOCTYPE html>\n<html lang="en">\n<meta name="generator" content="symface 9.9.9">', True),
        ('<!DOCTYPE html>\n<meta name="generator" content="another program">', False),
        ("<!DOCTYPE html>" + 2000 * " " + '<meta name="generator" content="symface 1.0">', False),  # quoted in a text
        ("", False),
    ],
)
def test_a_page_is_known_by_its_head(tmp_path: Path, content: str, known: bool) -> None:
    (tmp_path / "page.html").write_text(content)
    assert is_page(tmp_path / "page.html") is known


def test_what_cannot_be_read_is_no_page(tmp_path: Path) -> None:
    assert not is_page(tmp_path)
    assert not is_page(tmp_path / "missing.html")
