"""Make the README's pictures anew, from `examples/portrait.jpg` and `examples/pair.jpg`.

    python tools/readme_pictures.py

Run it after the network or what is made of its answers has changed.
"""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

import symface_cli
from symface_cli.inference.face import Side

EXAMPLES = Path(__file__).parent.parent / "examples"
WIDTH = 1240  # px
HEAD = (175, 132, 501, 542)  # left, top, right and lower edge in the portrait
AMOUNTS = ({"amount": -1.0}, {"amount": 0.0}, {"amount": 0.5}, {"amount": 1.0}, {"side": "left"}, {"side": "right"})
QUALITY = 90


def side_by_side(images: Sequence[Image.Image], height: int, gap: int) -> Image.Image:
    """Set images side by side, scaled to the same height, with white between them."""
    scaled = [
        image.resize((round(image.width * height / image.height), height), Image.Resampling.LANCZOS) for image in images
    ]
    sheet = Image.new("RGB", (sum(image.width for image in scaled) + gap * (len(scaled) - 1), height), "white")
    left = 0
    for image in scaled:
        sheet.paste(image, (left, 0))
        left += image.width + gap
    return sheet


def symmetrize(photo: Image.Image, amount: float = 1.0, side: Side = "both") -> Image.Image:
    """Return the photo with symmetric faces in their places."""
    return Image.fromarray(symface_cli.symmetrize(np.array(photo), shape=amount, color=amount, side=side))


def compare(photo: Path) -> Image.Image:
    """Return what `--compare` draws."""
    with tempfile.TemporaryDirectory() as folder:
        command = (sys.executable, "-m", "symface_cli", "symmetrize", str(photo), "--compare", "-o", f"{folder}/")
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        with Image.open(next(Path(folder).glob("*-compare.png"))) as sheet:
            picture: Image.Image = sheet.convert("RGB")
            return picture


def main() -> None:
    """Write the pictures."""
    portrait, pair = (Image.open(EXAMPLES / f"{name}.jpg").convert("RGB") for name in ("portrait", "pair"))
    face = Image.fromarray(symface_cli.symmetric_faces(np.array(portrait))[0])
    sheet = compare(EXAMPLES / "portrait.jpg")
    pictures = {
        "before-after": side_by_side([portrait, symmetrize(portrait), face], 400, 20),
        "pair-before-after": side_by_side([pair, symmetrize(pair)], 333, 20),
        "amounts": side_by_side([symmetrize(portrait, **how).crop(HEAD) for how in AMOUNTS], 250, 8),
        "compare": sheet.resize((WIDTH, round(sheet.height * WIDTH / sheet.width)), Image.Resampling.LANCZOS),
    }
    for name, picture in pictures.items():
        picture.save(EXAMPLES / f"{name}.jpg", quality=QUALITY)


if __name__ == "__main__":
    main()
