"""How many windows of the detector agree on the face that is meant."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from symface_cli.detection import detector
from symface_cli.detection.cascades import Candidate, search
from symface_cli.detection.detector import count_agreeing
from symface_cli.geometry.frames import Box
from symface_cli.imaging.photo import read_photo


def test_nobody_agrees_on_an_empty_photo() -> None:
    assert count_agreeing(np.full((120, 90, 3), 128, np.uint8)) == 0


def test_windows_are_counted_as_the_detector_counts_them(portrait: Path) -> None:
    photo = cv2.resize(read_photo(portrait), (300, 300), interpolation=cv2.INTER_AREA)
    (candidate,) = search(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY))
    assert count_agreeing(photo) == candidate.agreeing > 0


@pytest.mark.parametrize(
    ("size", "searched"), [((600, 900), (427, 640)), ((2000, 1000), (640, 320)), ((90, 80), (90, 80))]
)
def test_face_nearest_to_the_center_counts_in_a_copy_of_at_most_640_pixels(
    size: tuple[int, int], searched: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes = []

    def find(gray: NDArray[np.uint8]) -> list[Candidate]:
        height, width = gray.shape
        shapes.append(gray.shape)
        corners = ((0, 0, 9), (width / 2 - 25, height / 2 - 15, 25), (width - 40, height - 40, 60))
        return [Candidate(Box(x, y, 40, 40), agreeing) for x, y, agreeing in corners]

    monkeypatch.setattr(detector, "search", find)
    assert count_agreeing(np.zeros((*size, 3), np.uint8)) == 25
    assert shapes == [searched]
