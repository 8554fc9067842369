"""Small pictures of the same place before and after."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from symface_cli.batch.outcomes import Outcome, Pair
from symface_cli.batch.targets import Target
from symface_cli.batch.thumbnails import LONGEST_SIDE, choose_side, draw_slides
from symface_cli.geometry.frames import pixel_from_normalized
from tests.batch.photos import gradient, read, save


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("side", [400, 1250])
def test_a_face_is_shown_with_the_same_part_of_the_photo(tmp_path: Path, side: int, orientation: int) -> None:
    """Of a large JPEG, whose pixels are not all decoded, and turned as cameras do."""
    upright = gradient(1500, 2000)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.ascontiguousarray(np.rot90(upright)) if orientation == 6 else upright
    photo = save(stored, tmp_path / "a.jpg", exif=exif, quality=95)
    wanted = upright[500 : 500 + side, 150 : 150 + side]
    result = save(wanted, tmp_path / "face.png")
    where = pixel_from_normalized(side)
    where[:2, 2] += 150, 500
    (slide,) = draw_slides(
        Outcome(
            target=Target(photo=photo, folder=tmp_path, stem="a"),
            written=(result,),
            pairs=(Pair(result, None, where),),
        ),
        320,
    )
    assert slide.before is not None and slide.after is not None and slide.aligned
    assert (slide.before.width, slide.before.height) == (slide.after.width, slide.after.height) == (320, 320)
    before = read(slide.before.address)
    # Red grows by 255 / 1500 per pixel, green by 255 / 2000: half a gray level is 3 and 4 px of thousands.
    assert np.abs(before - np.asarray(Image.fromarray(wanted).resize((320, 320), Image.Resampling.BOX))).mean() < 1.5


def test_a_turned_face_is_leveled(tmp_path: Path) -> None:
    photo = np.full((400, 400, 3), 30, np.uint8)
    photo[180:220, 100:300] = 220  # a bar from left to right
    where = np.array([[0, -100, 199.5], [100, 0, 199.5], [0, 0, 1.0]])  # the face looks to the left: clockwise
    face = save(np.full((200, 200, 3), 30, np.uint8), tmp_path / "face.png")
    target = Target(photo=save(photo, tmp_path / "a.png"), folder=tmp_path, stem="a")
    (slide,) = draw_slides(Outcome(target=target, written=(face,), pairs=(Pair(face, None, where),)), 200)
    assert slide.before is not None
    before = read(slide.before.address)[..., 0]
    assert (before[5:195, 85:115] > 190).all()  # the bar goes from top to bottom
    assert (before[:, :70] < 60).all() and (before[:, 130:] < 60).all()


def test_pictures_share_the_room_of_a_page() -> None:
    assert choose_side(1) == choose_side(200) == LONGEST_SIDE
    assert choose_side(800) == LONGEST_SIDE // 2  # four times as many pictures with a quarter of the pixels
    assert choose_side(10**6) == 160
