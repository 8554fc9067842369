"""Where a symmetric face fades into its photo, no edge is seen that the photo does not have."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from symface_cli.detection.detector import detect
from symface_cli.geometry.frames import apply
from symface_cli.geometry.sampling import fade
from symface_cli.geometry.types import Photo
from symface_cli.geometry.warps import similarity_of_warp
from symface_cli.imaging.photo import read_photo
from symface_cli.inference.face import FaceWarp
from symface_cli.rendering.morphing import SHAPE_FADE, Amounts, Morph
from tests.conftest import ROOT, SHARED
from tests.rendering.examples import example, mask_in_photo, predict, symmetrizer


def steps(photo: Photo) -> NDArray[np.float32]:
    """The largest difference of each pixel to the next one, right or down, in gray levels."""
    padded = np.pad(photo.astype(np.float32), ((0, 1), (0, 1), (0, 0)), "edge")
    across, down = np.abs(np.diff(padded, axis=1))[:-1], np.abs(np.diff(padded, axis=0))[:, :-1]
    return np.maximum(across, down).max(-1)


def ring(warped: FaceWarp, photo: Photo) -> NDArray[np.bool_]:
    """Where a face fades into a photo, and four pixels more outside."""
    share = fade(mask_in_photo(warped, photo), *SHAPE_FADE)
    near = cv2.dilate((share > 0.02).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    return near & (share < 0.98)


def excess(photo: Photo, result: Photo, where: NDArray[np.bool_]) -> float:
    """How much larger a result's steps are than the photo's largest within 7 px; the 99.9th percentile."""
    nearby = cv2.dilate(steps(photo), np.ones((15, 15)))
    return float(np.percentile((steps(result) - nearby)[where], 99.9))


def seams(photo: Photo) -> Iterator[tuple[str, Photo, NDArray[np.bool_]]]:
    """A photo's faces with symmetric colors, and with symmetric shape too; and where they fade into the photo."""
    warps = [symmetrizer().predict(photo, found) for found in detect(photo)]
    where = np.logical_or.reduce([ring(prediction.warp, photo) for prediction in warps if prediction.warp])
    for name, amounts in (("color", Amounts(0, 1)), ("all", Amounts())):
        result = photo
        for prediction in warps:
            assert prediction.warp is not None
            result = Morph(result, prediction.warp, prediction.decode).in_photo(amounts)
        yield name, result, where


def check_seams(photo: Photo) -> None:
    """Colors bring no larger steps; shapes may draw an edge that is in the ring a little closer.

    By 6 or 7 in the pair, as the processor rounds.
    """
    for name, result, where in seams(photo):
        assert excess(photo, result, where) <= {"color": 2, "all": 7}[name]
        if name == "color":
            before, after = (np.percentile(steps(picture)[where], 99.9) for picture in (photo, result))
            assert after <= before + 2


@pytest.mark.parametrize("name", ["portrait", "pair"])
def test_no_seam_is_seen_around_the_face(name: str) -> None:
    check_seams(read_photo(ROOT / "examples" / f"{name}.jpg"))


def test_a_pasted_face_would_have_a_seam() -> None:
    """What is measured above is there where nothing fades."""
    photo = example("portrait")
    ((_, prediction),) = predict("portrait")
    assert prediction.warp is not None
    (_, result, where), _ = seams(photo)
    inside = mask_in_photo(prediction.warp, photo) > 0.5
    pasted = np.where(inside[..., None], result.astype(int) + 12, photo).clip(0, 255).astype(np.uint8)
    assert excess(photo, pasted, where) > 5


def test_a_face_that_reaches_beyond_its_frame_has_no_seam() -> None:
    photo = example("portrait")
    ((_, prediction),) = predict("portrait")
    assert prediction.warp is not None
    warped = replace(prediction.warp, mask=np.ones((17, 17), np.float32))
    pixels = np.stack(np.meshgrid(np.arange(photo.shape[1]), np.arange(len(photo))), -1)
    from_middle = np.abs(apply(np.linalg.inv(similarity_of_warp(warped.photo_from_face)), pixels)).max(-1)
    edge = (from_middle > 0.9) & (from_middle < 1.05)
    assert edge.sum() > 5000
    assert excess(photo, Morph(photo, warped, prediction.decode).in_photo(Amounts()), edge) <= 3


@pytest.mark.shared
@pytest.mark.parametrize(
    "path", sorted((SHARED / "data/london/neutral").glob("*.jpg"))[:20], ids=lambda path: path.stem
)
def test_no_seam_is_seen_in_real_photos(path: Path) -> None:
    check_seams(read_photo(path))
