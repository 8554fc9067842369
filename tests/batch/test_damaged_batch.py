"""A batch of 200 damaged and 50 odd files: every one of them is done or refused, and nothing is left half-written."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from symface_cli.imaging.photo import read_photo
from tests.imaging.damaged_files import BOMBS, ODD, SOUND, cut_short, with_flipped_bits, with_forged_header

pytestmark = pytest.mark.slow

SUFFIXES = (".jpg", ".png", ".tif", ".webp")
NAMES = ("Mädchen", "子ども", "портрет", "صورة", "👩", "a 'b\" c", "-dash", "a%20b", ".x.y")


def damaged_files(folder: Path, count: int) -> None:
    generator = random.Random(7)
    kinds = list(SOUND)
    for i in range(count):
        damage = (cut_short, with_flipped_bits, with_forged_header)[i % 3]
        data = damage(SOUND[kinds[i % len(kinds)]], generator) if i >= len(BOMBS) else list(BOMBS.values())[i]
        (folder / f"damaged-{i:03d}{SUFFIXES[i % len(SUFFIXES)]}").write_bytes(data)


def odd_files(folder: Path, portrait: Path) -> int:
    """Pictures of odd sizes, modes, orientations and names; the number of those that show the portrait."""
    small = Image.open(portrait).resize((200, 200))
    for shape, pixels in ODD.items():
        for suffix in (".png", ".tif", ".bmp", ".jpg"):
            Image.fromarray(pixels).save(folder / f"odd-{shape.replace(' ', '')}{suffix}")
    shown = 0
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        turned = small.transpose(Image.Transpose.ROTATE_90) if orientation > 4 else small
        turned.save(folder / f"turned-{orientation}.png", exif=exif)
    for mode in ("L", "LA", "P", "PA", "RGBA", "1", "CMYK", "YCbCr", "LAB", "I;16", "F"):
        image = Image.fromarray(np.asarray(small.convert("L")).astype(np.uint16) * 257) if mode == "I;16" else small
        suffix = "tif" if mode in ("CMYK", "YCbCr", "LAB", "F", "PA") else "png"
        (image if mode == "I;16" else _as_mode(small, mode)).save(folder / f"mode-{mode.replace(';', '')}.{suffix}")
    for name in NAMES:
        small.save(folder / f"{name}.png")
        shown += not name.startswith(".")
    return shown


def _as_mode(image: Image.Image, mode: str) -> Image.Image:
    if mode in ("LAB",):
        from PIL import ImageCms

        return ImageCms.profileToProfile(
            image, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
        )
    return image.convert("P").convert("PA") if mode == "PA" else image.convert(mode)


def test_a_batch_of_damaged_and_odd_files_ends_well(symface, tmp_path, portrait):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    damaged_files(folder, 200)
    named = odd_files(folder, portrait)
    files = [path for path in folder.iterdir() if not path.name.startswith(".")]
    assert len(files) >= 200 + 38
    finished = symface("symmetrize", folder, "-o", out)
    assert finished.status in (3, 4)
    assert "Traceback" not in finished.err
    lines = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    assert {line["input"] for line in lines} == {str(path) for path in files}
    assert {line["status"] for line in lines} == {0, 3, 4}
    failed = [line for line in lines if line["status"]]
    messages = [line for line in finished.err.splitlines() if line.startswith("symface: ")]
    notes = [note for line in lines if line["face"] in (None, 1) for note in line["notes"]]
    assert len(messages) == len(failed) + len(notes)
    written = [path for path in out.rglob("*") if path.is_file() and path.name != "manifest.jsonl"]
    assert set(map(str, written)) == {path for line in lines for path in line["outputs"]}
    for path in written:
        assert read_photo(path).size  # whole and readable
    done = {Path(line["input"]).name for line in lines if line["status"] == 0}
    assert sum(f"{name}.png" in done for name in NAMES) == named
    assert sum(name.startswith("turned-") for name in done) >= 6  # mirrored twice or upside down may hide a face
