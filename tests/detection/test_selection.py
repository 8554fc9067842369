"""Which faces of a photo are meant."""

import numpy as np
import pytest

from symface_cli.detection.selection import Selection
from symface_cli.errors import NoFaceError
from symface_cli.geometry.frames import Box

PHOTO = np.zeros((200, 300, 3), np.uint8)


def eyes(*numbers):
    return Selection(eyes=(np.array(numbers[:2], float), np.array(numbers[2:], float)))


@pytest.mark.parametrize(
    "selection",
    [
        Selection(box=Box(5000, 5000, 80, 80)),
        Selection(box=Box(-100, 50, 80, 80)),
        Selection(box=Box(100, -90, 80, 80)),
        Selection(box=Box(301, 50, 80, 80)),
        Selection(box=Box(290, 190, 80, 80)),  # mostly: its corner is in the photo
        Selection(box=Box(50, 210, 80, 80)),  # in a photo of 300 x 300, but not in one of 300 x 200
        Selection(box=Box(400, 300, 400, 400)),  # of a photo twice as large
        Selection(box=Box(-1000, -1000, 2300, 2200)),  # all around it
        Selection(box=Box(1e6, 1e6, 1e6, 1e6)),
        eyes(5000, 5000, 5040, 5000),
        eyes(-60, 80, -20, 80),
        eyes(310, 80, 350, 80),
        eyes(100, 260, 140, 260),
        eyes(100, 240, 100, 280),  # a tilted one
        eyes(600, 400, 1200, 400),
    ],
    ids=str,
)
def test_a_face_marked_outside_of_the_photo_is_refused(selection):
    with pytest.raises(NoFaceError, match="outside of the photo, which has 300 x 200 pixels"):
        selection.choose(PHOTO)


@pytest.mark.parametrize(
    "selection",
    [
        Selection(box=Box(0, 0, 80, 80)),
        Selection(box=Box(-30, 50, 80, 80)),
        Selection(box=Box(250, 150, 90, 90)),  # its middle is in the photo
        Selection(box=Box(-50, -50, 400, 400)),  # a face larger than the photo
        Selection(box=Box(0, -50, 300, 300)),
        eyes(100, 80, 140, 80),
        eyes(-10, 80, 30, 80),
        eyes(120, 80, 120, 120),
        eyes(140, 100, 100, 100),
    ],
    ids=str,
)
def test_a_face_partly_outside_of_the_photo_is_taken(selection):
    (found,) = selection.choose(PHOTO)
    assert found.box.width > 0


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (eyes(100, 80, 140, 80), False),
        (eyes(100, 80, 110, 110), False),
        (eyes(140, 80, 100, 80), True),
        (eyes(140, 80, 101, 60), True),
        (Selection(box=Box(0, 0, 80, 80)), False),
        (Selection(), False),
    ],
    ids=str,
)
def test_swapped_eyes_are_those_of_an_upside_down_face(selection, expected):
    assert selection.is_upside_down == expected
