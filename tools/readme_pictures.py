"""Make the pictures of README and docs/ anew, from the photos in `examples/`.

    python tools/readme_pictures.py

Run it after the network or what is made of its answers has changed. On one machine it writes the same bytes each time.
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
from symface_cli.rendering.morphing import PoseMode

EXAMPLES = Path(__file__).parent.parent / "examples"
WIDTH = 1240  # px
GAP = 10  # px
QUALITY = 90
HEAD = (175, 132, 501, 542)  # left, top, right and lower edge in the portrait
AMOUNTS = ({"amount": -1.0}, {"amount": 0.0}, {"amount": 0.5}, {"amount": 1.0}, {"side": "left"}, {"side": "right"})
PEOPLE = {  # left, top, right and lower edge of the head, all 5 by 6
    "female_28": (180, 45, 530, 465),
    "female_69": (130, 75, 510, 531),
    "female_87": (185, 50, 525, 458),
    "female_42": (140, 20, 515, 470),
    "male_15": (128, 0, 528, 480),
}
TURNED = ("female_28", (130, 0, 590, 500))


def open_example(name: str) -> Image.Image:
    """Read a photo of `examples/`, by its name without suffix."""
    return Image.open(EXAMPLES / f"{name}.jpg").convert("RGB")


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


def below_each_other(images: Sequence[Image.Image]) -> Image.Image:
    """Set images below each other, scaled to `WIDTH`, with white between them."""
    scaled = [fit(image) for image in images]
    sheet = Image.new("RGB", (WIDTH, sum(image.height for image in scaled) + GAP * (len(scaled) - 1)), "white")
    top = 0
    for image in scaled:
        sheet.paste(image, (0, top))
        top += image.height + GAP
    return sheet


def fit(image: Image.Image) -> Image.Image:
    """Scale an image to `WIDTH`."""
    return image.resize((WIDTH, round(image.height * WIDTH / image.width)), Image.Resampling.LANCZOS)


def symmetrize(photo: Image.Image, amount: float = 1.0, side: Side = "both", pose: PoseMode = "keep") -> Image.Image:
    """Return the photo with symmetric faces in their places."""
    made = symface_cli.symmetrize(np.array(photo), shape=amount, color=amount, side=side, pose=pose)
    return Image.fromarray(made)


def draw_people() -> Image.Image:
    """Return heads, below them the same with symmetric faces, and a group before and after."""
    photos = {name: open_example(f"people/{name}") for name in PEOPLE}
    before = [photo.crop(PEOPLE[name]) for name, photo in photos.items()]
    after = [symmetrize(photo).crop(PEOPLE[name]) for name, photo in photos.items()]
    group = open_example("group")
    return below_each_other(
        [
            side_by_side(before, 300, GAP),
            side_by_side(after, 300, GAP),
            side_by_side([group, symmetrize(group)], 300, GAP),
        ]
    )


def draw_poses() -> Image.Image:
    """Return a turned head: the photo, symmetric with its pose and without it, and the aligned face."""
    name, head = TURNED
    photo = open_example(f"people/{name}")
    face = Image.fromarray(symface_cli.symmetric_faces(np.array(photo))[0])
    images = [image.crop(head) for image in (photo, symmetrize(photo), symmetrize(photo, pose="front"))]
    return side_by_side([*images, face], 300, GAP)


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
    portrait, pair = open_example("portrait"), open_example("pair")
    pictures = {
        "people": draw_people(),
        "pose": fit(draw_poses()),
        "pair-before-after": side_by_side([pair, symmetrize(pair)], 333, 20),
        "amounts": side_by_side([symmetrize(portrait, **how).crop(HEAD) for how in AMOUNTS], 250, 8),
        "compare": fit(compare(EXAMPLES / "portrait.jpg")),
    }
    for name, picture in pictures.items():
        picture.save(EXAMPLES / f"{name}.jpg", quality=QUALITY)


if __name__ == "__main__":
    main()
