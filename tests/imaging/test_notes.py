"""What of a file does not come into the result is said: on standard error, in the manifest, as a warning."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import symface_cli
from symface_cli.imaging.picture import read_picture
from tests.imaging.picture_files import NOISE, saved

FRAMES = [Image.new("RGB", (8, 8), color) for color in ("red", "green", "blue")]
FIRST = "only the first of its 3 pictures is taken"


def animated_portrait(portrait: Path) -> bytes:
    photo = Image.open(portrait).resize((200, 200))
    return saved(photo, "GIF", save_all=True, append_images=[photo.rotate(90), photo.rotate(180)])


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG", "TIFF"])
def test_further_pictures_of_a_file_are_noted(format: str) -> None:
    assert read_picture(saved(FRAMES[0], format, save_all=True, append_images=FRAMES[1:])).notes == (FIRST,)
    assert read_picture(saved(NOISE, format)).notes == ()


def test_command_prints_notes_and_records_them(symface: Callable[..., object], portrait: Path, tmp_path: Path) -> None:
    photo = tmp_path / "photo.gif"
    photo.write_bytes(animated_portrait(portrait))
    for resume in ([], ["--resume"]):
        run = symface("symmetrize", photo, "-o", "out/", *resume)
        assert run.status == 0 and run.out.count("\n") == (0 if resume else 1)
        assert run.err.startswith("" if resume else f"symface: {photo}: {FIRST}\n")
    assert json.loads(Path("out/manifest.jsonl").read_text())["notes"] == [FIRST]


def test_library_warns(portrait: Path) -> None:
    with pytest.warns(UserWarning, match=FIRST):
        assert np.asarray(symface_cli.symmetrize(animated_portrait(portrait))).size
